"""Runs Python in bubblewrap: without network, home, secrets or a way to stay."""
