"""Documents in Markdown, reST, HTML and notebooks, cut into passages."""
