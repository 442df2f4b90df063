"""A Discourse forum: what is in it, and how it answers."""
