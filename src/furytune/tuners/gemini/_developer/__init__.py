"""Gemini on the Developer API."""
