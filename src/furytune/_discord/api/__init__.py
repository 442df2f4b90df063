"""Talks to Discord."""
