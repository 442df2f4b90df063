"""Reads documents in Markdown, reST, HTML and notebooks, and splits them into passages."""
