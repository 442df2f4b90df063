"""Removes what a person said from everything that was made of it."""
