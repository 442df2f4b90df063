"""Talks to Discord's REST API."""
