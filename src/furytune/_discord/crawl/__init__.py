"""Decides what to read of a server, and reads it."""
