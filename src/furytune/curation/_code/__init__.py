"""Finds the code in an answer and the package names it uses."""
