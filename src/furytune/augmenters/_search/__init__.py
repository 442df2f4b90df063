"""Finds passages: by words, by vectors, or both."""
