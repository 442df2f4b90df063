"""One decision of a person about one pair."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from attrs import field, frozen

from furytune._readers.limits import MAX_PAIR, over
from furytune._values.shown import Shown, words
from furytune.errors import ConfigError, TextError
from furytune.normalize import Normalizer
from furytune.records import QAPair

__all__ = [
    "Action",
    "Decision",
    "Subject",
    "about",
    "checked_line",
    "checked_text",
    "decided",
    "printable_id",
]

Action: TypeAlias = Literal["accept", "drop", "merge", "undo"]
"""What a person decides: the pair goes in, stays out, is said by another pair, or the last decision is taken back."""

_LINE: Final = 2000  # characters of a reason, a note or a name
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but tabs and line ends
_AS_TYPED: Final = Normalizer(mentions=False, redact=())


@frozen(kw_only=True)
class Subject:
    """What a decision is about, without its texts.

    Attributes:
        pair: Id of the pair.
        digest: `QAPair.digest` of the pair.
        messages: Ids of its messages.
        confidence: The confidence that a model gave it; None if no model did.
    """

    pair: str
    digest: str
    messages: tuple[str, ...] = ()
    confidence: float | None = None


@frozen(kw_only=True, repr=False)
class Decision(Shown):
    """What a person decided about a pair.

    Attributes:
        pair: Id of the pair.
        digest: `QAPair.digest` of the pair that the person saw. If it differs from that of the pair, the decision is void.
        action: "accept", "drop", "merge" or "undo".
        question: The question as the person corrected it; "" if it is not corrected.
        answer: The answer as the person corrected it; "" if it is not corrected.
        into: Id of the pair that says the same, if the action is "merge".
        reason: Why the pair is dropped.
        by: Name of the reviewer, as the reviewer chose it.
        note: Anything else.
        messages: Ids of the pair's messages, so that ``furytune.forget`` finds the decision.
        confidence: The confidence that a model gave the pair; None if no model did.
        at: When it was decided.
        revision: Its place among all decisions that the file ever had, from 1.
    """

    pair: str
    digest: str
    action: Action
    question: str = field(default="", repr=words)
    answer: str = field(default="", repr=words)
    into: str = ""
    reason: str = field(default="", repr=False)
    by: str = field(default="", repr=False)
    note: str = field(default="", repr=False)
    messages: tuple[str, ...] = ()
    confidence: float | None = None
    at: datetime | None = None
    revision: int = 0

    @property
    def outcome(self) -> tuple[str, str, str, str]:
        """What it does to the pair. Two decisions with equal outcomes agree."""
        return self.action, self.question, self.answer, self.into

    def repeats(self, last: Decision | None) -> bool:
        """Returns True if the last decision about the pair says the same, so that this one need not be recorded."""
        if last is None or self.action == last.action == "undo":
            return self.action == "undo"
        told = ("digest", "outcome", "reason", "by", "note")
        return all(getattr(self, name) == getattr(last, name) for name in told)

    @property
    def verdict(self) -> str:
        """Returns "accept", "correct", "drop", "merge" or "undo"."""
        return "correct" if self.question or self.answer else self.action


def printable_id(uid: str) -> str:
    """Returns an id that UTF-8 can encode; damaged files can give ids with half of a character."""
    return uid.encode("utf-8", "backslashreplace").decode("utf-8")


def about(pair: QAPair) -> Subject:
    """Returns what a decision about a pair is about.

    Raises:
        ConfigError: It is not a pair.
    """
    if not isinstance(pair, QAPair):
        raise ConfigError(f"a decision is about a QAPair, not about a {type(pair).__name__}")
    # The confidence 1 of a reviewed pair, or of one from a file of ready pairs, is not what a model thinks.
    guessed = None if pair.reviewed or pair.method == "given" else float(pair.confidence)
    return Subject(
        pair=printable_id(pair.id),
        digest=pair.digest,
        messages=tuple(map(printable_id, (*pair.question_messages, *pair.answer_messages))),
        confidence=guessed,
    )


def decided(subject: Subject, *, before: Decision | None, **fields: Any) -> Decision:
    """Returns a decision that is made now.

    Args:
        subject: What it is about.
        before: The last decision about the pair.
        **fields: What was decided.
    """
    confidence = subject.confidence
    if confidence is None and before is not None and before.digest == subject.digest:
        # A reviewed pair has the confidence 1; what the model thought is in the earlier decision.
        confidence = before.confidence
    return Decision(
        pair=subject.pair,
        digest=subject.digest,
        messages=subject.messages,
        confidence=confidence,
        at=datetime.now(UTC).replace(microsecond=0),
        **fields,
    )


def checked_text(text: object, name: str) -> str:
    """Returns a corrected question or answer.

    Args:
        text: What a person typed.
        name: What it is, for messages.

    Raises:
        ConfigError: It is not a text.
        EmptyTextError: It is blank.
        TextError: It has a lone surrogate or a control character, or is longer than a pair may be.
    """
    if not isinstance(text, str):
        raise ConfigError(f"the corrected {name} must be a text, not a {type(text).__name__}")
    _AS_TYPED(text)  # refuses what no prompt can hold
    if control := _CONTROL.search(text):
        raise TextError(
            f"the corrected {name} has the control character U+{ord(control[0]):04X} at character "
            f"{control.start() + 1}; remove it"
        )
    if over(MAX_PAIR, text):
        raise TextError(f"the corrected {name} is longer than {MAX_PAIR:,} bytes; shorten it")
    return text


def checked_line(text: object, name: str) -> str:
    """Returns a reason, a note or a name, without blanks at its ends.

    Raises:
        ConfigError: It is not a text of at most 2,000 characters that UTF-8 can encode.
    """
    if not isinstance(text, str) or len(text) > _LINE:
        raise ConfigError(f"{name} must be a text of at most {_LINE:,} characters")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError(f"{name} has a lone surrogate; type it again") from None
    return text.strip()
