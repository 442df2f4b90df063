"""Collectors: the sources that pairs are read from."""
