"""Makes question-answer pairs out of chat messages."""
