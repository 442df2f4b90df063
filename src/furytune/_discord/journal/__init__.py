"""The journal: what was read of a server, on disk."""
