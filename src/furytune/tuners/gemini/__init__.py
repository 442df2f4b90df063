"""Tunes Gemini on Vertex AI, or on a service that speaks the older Developer API."""
