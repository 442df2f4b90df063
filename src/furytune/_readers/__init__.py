"""Reads files that other programs wrote."""
