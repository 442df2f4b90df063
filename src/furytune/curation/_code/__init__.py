"""The code in an answer, and what it uses of a package."""
