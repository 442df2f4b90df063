"""Reads the files that DiscordChatExporter writes."""
