"""Limits the size of messages and pairs from files that other people wrote.

Nothing else limits them: a damaged or hostile file can contain a message of any size, and in a thread without an answer, all
messages of the person who opened it are joined into one question.
"""

from __future__ import annotations

from attrs import frozen

from furytune.records import Dropped, QAPair

__all__ = ["MAX_MESSAGE", "MAX_MESSAGES", "MAX_PAIR", "Limits", "may_be_over", "over"]

MAX_MESSAGE = 64 << 10
"""Maximum bytes of a message's text, as UTF-8. Discord allows 4,000 characters, at most 16,000 bytes; no one typed a text
four times as long."""

MAX_PAIR = 256 << 10
"""Maximum bytes of question and answer together, as UTF-8: about 65,000 tokens of English. Vertex AI, and models that you can
tune on your own machine, do not take longer examples, or would leave no room for context."""

MAX_MESSAGES = 50
"""Maximum number of messages that make up a question, or an answer. In help channels nearly all have fewer than ten; more
make a conversation, not a question."""


def over(limit: int, text: str) -> bool:
    """Returns whether a text has more bytes than the limit, as UTF-8."""
    return may_be_over(limit, len(text)) and len(text.encode("utf-8", "surrogatepass")) > limit


def may_be_over(limit: int, characters: int) -> bool:
    """Returns False if the number of characters already proves that a text is short enough: each has at most four bytes."""
    return characters * 4 > limit


@frozen(kw_only=True)
class Limits:
    """The limits for messages and pairs.

    Attributes:
        message: Maximum bytes of a message.
        pair: Maximum bytes of question and answer together.
        messages: Maximum messages of a question, and of an answer.
    """

    message: int = MAX_MESSAGE
    pair: int = MAX_PAIR
    messages: int = MAX_MESSAGES

    def bounded(self, pair: QAPair) -> QAPair | Dropped:
        """Returns the pair, or drops all its messages, because half a question is a different question."""
        asked, told = len(pair.question_messages), len(pair.answer_messages)
        if max(asked, told) > self.messages:
            reason = "too_many_messages"
            detail = f"{asked} messages in the question, {told} in the answer"
        elif may_be_over(self.pair, len(pair.question) + len(pair.answer)) and over(
            self.pair, pair.question + pair.answer
        ):
            reason, detail = "pair_too_long", f"more than {self.pair} bytes"
        else:
            return pair
        ids = (*pair.question_messages, *pair.answer_messages)
        return Dropped(
            reason=reason,
            unit="message",
            count=len(ids),
            # A report needs examples, not all ids.
            ids=ids[:20],
            where=pair.source.thread or pair.source.channel or pair.source.path,
            detail=detail,
            source=pair.source,
        )
