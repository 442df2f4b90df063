"""The passage index: a LanceDB table at a fixed version."""
