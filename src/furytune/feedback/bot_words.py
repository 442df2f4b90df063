"""Keeps the bot's own words out of the answers that a model learns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from math import inf
from typing import Any, Final

import attrs
from attrs import field, frozen

from furytune._readers.files import paths_of
from furytune._values.copies import Sayings
from furytune.errors import ConfigError
from furytune.feedback.lines import Exchange, unpacked
from furytune.feedback.log import FeedbackLog
from furytune.feedback.rules import Answered, gathered, judged
from furytune.feedback.texts import as_chat, looked_up, said_by_bots, tagged_solved
from furytune.protocols import Collector, Curator
from furytune.records import Dropped, QAPair

__all__ = ["BotWords"]

_CONFIRMED: Final = ("asker", "helper", "mark")
_BY_PEOPLE: Final = frozenset({"confirmed", "corrected", "proposed"})


def _logs(value: Any) -> tuple[FeedbackLog, ...]:
    if isinstance(value, FeedbackLog):
        return (value,)
    if isinstance(value, str | os.PathLike):
        return tuple(map(FeedbackLog, paths_of(value)))
    if not isinstance(value, Iterable):
        raise ConfigError("log must be the path of a feedback log, or a list of paths")
    return tuple(one if isinstance(one, FeedbackLog) else FeedbackLog(one) for one in value)


def _chat(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and as_chat(value) is None:
        raise ConfigError(f"{attribute.name} must be a collector of chat messages, such as JournalCollector")


@frozen
class BotWords:
    """Curation step: drops pairs whose answer repeats what a bot said before, as "bot_words".

    So a model does not learn its own words: old answers in a table, copies that people pasted, quotes, and answers that came
    through another bot or a bridge. An answer that a person confirmed is not dropped, neither is a pair that a person reviewed.
    What people said before the bot is theirs, even if the bot repeats it.

    An answer repeats the bot if most of it was in one of the bot's answers, or the other way round. Letters and digits count,
    16 in a row; case, blanks, marks and formatting do not.

    Collectors of Discord do the same for each channel as they read it. This step knows all channels, and what a server said.

    Args:
        log: Logs of feedback, with a sketch of each answer that the bot gave. It works without their texts.
        chat: A collector of the chat in which bots wrote, such as `JournalCollector`; its bots' messages count.

    Raises:
        ConfigError: There is neither a log nor a chat.
    """

    log: tuple[FeedbackLog, ...] = field(default=(), converter=_logs)
    chat: Collector | None = field(default=None, kw_only=True, validator=_chat)

    def __attrs_post_init__(self) -> None:
        if not self.log and self.chat is None:
            raise ConfigError('bot words need log= or chat=, such as BotWords("feedback.jsonl")')

    def start(self) -> Curator:
        """Returns a step for one pass, with what bots said until now."""
        sayings, confirmed = Sayings(), set[str]()
        chat = as_chat(self.chat)
        for log in self.log:
            with log.opened() as lines:
                answers = gathered(lines)
                told = looked_up(chat, frozenset(answers)).messages
                for about in answers.values():
                    message = told.get(about.answer)
                    about.marked = message is not None and (message.solved or tagged_solved(message))
                    if _is_confirmed(about):
                        confirmed.add(about.answer)
            for line in log.lines():
                if isinstance(line, Exchange) and line.answer not in confirmed:
                    sayings.add(unpacked(line.words), line.time.timestamp())
        if chat is not None:
            for text, message in said_by_bots(chat):
                if message.id not in confirmed:
                    sayings.add(text, message.sent_at.timestamp() if message.sent_at is not None else -inf)
        return _Pass(sayings)


def _is_confirmed(about: Answered) -> bool:
    return judged(about, _CONFIRMED).state == "confirmed"


@frozen
class _Pass:
    sayings: Sayings

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Returns the pair, or drops it because its answer is a bot's."""
        if pair.reviewed or pair.method in _BY_PEOPLE:
            return pair
        until = inf if pair.answered_at is None else pair.answered_at.timestamp()
        if not self.sayings.repeated(pair.answer, until=until):
            return pair
        return Dropped(reason="bot_words", ids=(pair.id,), where=pair.source.path)
