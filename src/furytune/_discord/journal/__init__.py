"""The journal: the messages that were read from a server, on disk."""
