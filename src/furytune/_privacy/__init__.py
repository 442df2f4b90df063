"""Decides what is collected, shown and stored about people, and helps to remove it."""
