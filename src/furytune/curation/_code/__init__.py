"""Finds the code in an answer, what it takes from a package, and what became of that in a newer release."""
