"""Decides which parts of a server to read, and reads them."""
