"""Exports of chats that are not Discord: one reader for each platform, and what they share."""
