"""Reads files written by other programs."""
