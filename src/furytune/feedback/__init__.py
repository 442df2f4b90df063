"""What people say about the bot's answers: noted, weighed, and turned into pairs and decisions for the next data set."""

from __future__ import annotations

from furytune.feedback.bot_words import BotWords
from furytune.feedback.collector import FeedbackCollector
from furytune.feedback.counting import Counted, Rate, count
from furytune.feedback.deciding import Decided, decide
from furytune.feedback.lines import Exchange, Role, Said, Verdict
from furytune.feedback.log import FeedbackLog, Reading
from furytune.feedback.rules import Confirmer, Judgement, State

__all__ = [
    "BotWords",
    "Confirmer",
    "Counted",
    "Decided",
    "Exchange",
    "FeedbackCollector",
    "FeedbackLog",
    "Judgement",
    "Rate",
    "Reading",
    "Role",
    "Said",
    "State",
    "Verdict",
    "count",
    "decide",
]
