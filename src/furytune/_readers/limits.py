"""Bounds of a message and of a pair, for whatever reads what other people wrote.

Nothing else bounds them: a damaged or hostile file can hold a message of any size, and a thread that never comes to an
answer glues all that its opener said.
"""

from __future__ import annotations

from attrs import frozen

from furytune.records import Dropped, QAPair

__all__ = ["MAX_MESSAGE", "MAX_MESSAGES", "MAX_PAIR", "Limits", "may_be_over", "over"]

MAX_MESSAGE = 64 << 10
"""Most bytes of a message's text, as UTF-8. Discord lets people write 4,000 characters, at most 16,000 bytes: a text of
four times that was not typed."""

MAX_PAIR = 256 << 10
"""Most bytes of question and answer together, as UTF-8: about 65,000 tokens of English. Vertex AI and the models that can
be tuned at home take no longer examples, or only with the context's half left for nothing."""

MAX_MESSAGES = 50
"""Most messages that a question, or an answer, is put together from. In help channels nearly all have fewer than ten; what
has more is a conversation, not a question."""


def over(limit: int, text: str) -> bool:
    """Returns True if a text has more bytes, as UTF-8."""
    return may_be_over(limit, len(text)) and len(text.encode("utf-8", "surrogatepass")) > limit


def may_be_over(limit: int, characters: int) -> bool:
    """Returns False for so few characters that their text need not be encoded to know: none has more than four bytes."""
    return characters * 4 > limit


@frozen(kw_only=True)
class Limits:
    """What no message and no pair may exceed.

    Attributes:
        message: Bytes of a message.
        pair: Bytes of question and answer together.
        messages: Messages of a question, and of an answer.
    """

    message: int = MAX_MESSAGE
    pair: int = MAX_PAIR
    messages: int = MAX_MESSAGES

    def bounded(self, pair: QAPair) -> QAPair | Dropped:
        """Returns the pair, or the drop of all its messages: half a question is another question."""
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
            ids=ids[:20],
            where=pair.source.thread or pair.source.channel or pair.source.path,
            detail=detail,
        )
