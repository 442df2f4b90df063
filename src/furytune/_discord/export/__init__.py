"""Files that DiscordChatExporter wrote."""
