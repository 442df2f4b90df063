"""Tells whether two questions ask the same."""
