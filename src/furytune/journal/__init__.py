"""The append-only record of a Discord server on disk."""
