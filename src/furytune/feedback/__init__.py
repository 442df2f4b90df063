"""What people say about the bot's answers: noted, weighed, and turned into pairs and decisions for the next data set."""

from __future__ import annotations

from furytune.feedback.lines import Exchange, Role, Said, Verdict
from furytune.feedback.log import FeedbackLog, Reading

__all__ = ["Exchange", "FeedbackLog", "Reading", "Role", "Said", "Verdict"]
