"""Ranks passages: by words, by vectors, or by both."""
