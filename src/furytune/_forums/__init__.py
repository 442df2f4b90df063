"""Discussions and topics: threads with posts, from several platforms, in one kind of journal."""
