"""The rules of `LintAnswers`, by what they look at. Each is a small function of a text."""
