"""What a person said before, if the bot only asked back: it belongs to the question, as it does in the training data.

Nothing of it is stored. The notes say which question continues which; the texts are read from Discord again, so they are as
their author left them, and what was deleted is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from furytune.bot.ledger import Entry, Ledger, moment
from furytune.bot.posts import Posts
from furytune.bot.questions import Question, Seen, raw_text
from furytune.bot.settings import BotSettings
from furytune.pairing.asking import joined

__all__ = ["Asking", "Conversations"]

_AGE: Final = 86_400.0  # seconds; who writes days later has most likely another question
_MOST: Final = 10  # earlier questions that are read, and that one question may continue
_COMMANDS: Final = frozenset({"command", "menu"})
_UNANSWERED: Final = frozenset(
    {"busy", "damaged", "deleted", "empty", "failed", "interrupted", "refused", "too fast", "too long"}
)


@frozen
class Asking:
    """What is asked with a question.

    Attributes:
        text: What the contract takes, raw.
        earlier: Id of the question that it continues, 0 if it stands on its own.
        before: Ids of the earlier messages whose texts it contains.
    """

    text: str
    earlier: int = 0
    before: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Asking(earlier={self.earlier})"


class Conversations:
    """Finds what a question continues.

    Args:
        ledger: Knows which answers only asked back.
        posts: Reads what was asked.
        settings: What the operator decided.
    """

    def __init__(self, ledger: Ledger, posts: Posts, settings: BotSettings) -> None:
        self._ledger, self._posts, self._settings = ledger, posts, settings

    async def asking(self, question: Question, entry: Entry) -> Asking:
        """Returns a question with what its author said before, if the bot only asked back.

        A repetition, after an edit or a crash, continues the same question, with the texts of that moment.

        Args:
            question: The question as it was written.
            entry: What is noted about it.

        Raises:
            RefusedError: An earlier question cannot be read.
            UnreachableError: Discord did not answer.
        """
        if self._settings.earlier != "join" or question.door in _COMMANDS:
            return Asking(question.text)
        if entry.earlier:
            found = await self._read(self._ledger.find(entry.earlier), question)
        else:
            found = await self._continued(question)
        first = found[0].id if found is not None else 0
        texts, ids = [question.text], list[int]()
        while found is not None and len(texts) <= _MOST:
            before, message = found
            texts.insert(0, raw_text(message))
            ids.insert(0, message.id)
            found = await self._read(self._ledger.find(before.earlier), question)
        return Asking(joined([text] for text in texts), first, tuple(ids))

    async def _continued(self, question: Question) -> tuple[Entry, Seen] | None:
        """Returns the last question of the same person in the same conversation, if its answer only asked back."""
        for entry in self._before(question):
            # Who used a command is not noted, so it may have been anyone.
            if not question.answers and entry.door in _COMMANDS:
                return None
            message = await self._posts.read(entry.channel, entry.source) if entry.source else None
            if message is not None and message.author == question.author:
                return (entry, message) if self._usable(entry, message, question) else None
        return None

    def _before(self, question: Question) -> Sequence[Entry]:
        """Returns the questions that a question may continue, the latest first; none if no answer asked back."""
        if question.answers:
            answered = self._ledger.with_post(question.answers)
            found = [answered] if answered is not None else []
        elif question.threaded or not question.server:
            found = self._ledger.answered_in(question.channel)
        else:  # in a channel, only a reply says what it continues
            found = []
        found = [e for e in found if e.id < question.id and e.how not in _UNANSWERED]
        found = sorted(found, key=lambda entry: -entry.id)[:_MOST]
        return found if any(_asks_back(entry, question) for entry in found) else []

    async def _read(self, entry: Entry | None, question: Question) -> tuple[Entry, Seen] | None:
        if entry is None or not entry.source or not _asks_back(entry, question):
            return None
        message = await self._posts.read(entry.channel, entry.source)
        return (entry, message) if message is not None and self._usable(entry, message, question) else None

    def _usable(self, entry: Entry, message: Seen, question: Question) -> bool:
        """Returns whether an earlier question belongs to this one, and could be read as a whole."""
        if message.author != question.author or not _asks_back(entry, question):
            return False
        # Without its title, the question would differ from the training data.
        whole = bool(message.title) or entry.door != "forum"
        return whole and bool(message.content.strip() or message.title)


def _asks_back(entry: Entry, question: Question) -> bool:
    """Returns whether the answer to an earlier question only asked back, lately, and before this question."""
    return (
        entry.asks_back
        and (entry.state, entry.how) == ("done", "answered")
        and bool(entry.posts)
        and entry.posts[0] < question.id
        and moment(question.id) - moment(entry.id) <= _AGE
    )
