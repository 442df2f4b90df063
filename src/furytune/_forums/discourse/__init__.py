"""Discourse, over the JSON of its pages."""
