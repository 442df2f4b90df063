"""The lines of a feedback log: what people said about answers, and which exchanges these were."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from furytune._values.copies import Sketch

__all__ = [
    "MAX_LINE",
    "Exchange",
    "Line",
    "Role",
    "Said",
    "Verdict",
    "decode",
    "encode",
    "packed",
    "unpacked",
]

Verdict: TypeAlias = Literal["helped", "did_not_help", "corrected"]
"""What someone says about an answer."""

Role: TypeAlias = Literal["member", "helper"]
"""Who says it. A helper is someone whose corrections the community trusts."""

MAX_LINE: Final = 2 << 20
"""Most bytes of a line. Two texts of the largest pair, escaped, fit."""


class Said(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="verdict",
):
    """What a person said about an answer.

    Attributes:
        time: When.
        answer: Id of the answer.
        verdict: "helped", "did_not_help" or "corrected".
        question: Id or digest of its question; "" if unknown.
        text: The correction, or a comment.
        by: Id of the person; "" if unknown.
        role: "helper" or "member".
        source: Where it was said, such as "button".
    """

    time: datetime
    answer: str
    verdict: Verdict
    question: str = ""
    text: str = ""
    by: str = ""
    role: Role = "member"
    source: str = ""

    def __repr__(self) -> str:
        return f"Said(answer={self.answer!r}, verdict={self.verdict!r})"


class Exchange(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="exchange",
):
    """A question that the bot answered.

    Attributes:
        time: When.
        answer: Id of the answer.
        question: Id or digest of the question.
        asker: Id of the person who asked; "" if unknown.
        prompt: Digest of the prompt.
        fingerprint: Fingerprint of the contract.
        snapshot: Snapshot of the knowledge.
        model: Name of the model.
        citations: The passages in the prompt, as `furytune.records.Passage.citation` names them.
        parts: Ids of the further messages of the answer, if it is longer than a message.
        before: Ids of the earlier messages that belong to the question, in order.
        words: Sketch of the answer, by which its copies are recognised without its text.
        wording: Digests of the wording of question and answer, by which their texts are recognised in a chat.
        asked: The raw question; "" unless the operator keeps texts.
        told: The answer; "" unless the operator keeps texts.
    """

    time: datetime
    answer: str
    question: str = ""
    asker: str = ""
    prompt: str = ""
    fingerprint: str = ""
    snapshot: str = ""
    model: str = ""
    citations: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    words: str = ""
    wording: tuple[str, str] = ("", "")
    asked: str = ""
    told: str = ""

    def __repr__(self) -> str:
        return f"Exchange(answer={self.answer!r}, model={self.model!r})"


Line: TypeAlias = Said | Exchange

encode = msgspec.json.Encoder().encode
"""Encodes a line, without its end."""

_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Said | Exchange)


def decode(line: bytes) -> Line | None:
    """Returns what a line says; None if it is damaged."""
    try:
        found = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # A moment without a zone cannot be compared, and an empty id is no one's.
    return found if found.answer and found.time.utcoffset() is not None else None


def packed(words: Sketch) -> str:
    """Returns a sketch as hexadecimal digits, 16 for each number."""
    return "".join(f"{one:016x}" for one in words)


def unpacked(words: str) -> Sketch:
    """Returns the sketch that `packed` wrote; an empty one if it is damaged."""
    try:
        return tuple(int(words[i : i + 16], 16) for i in range(0, len(words), 16))
    except ValueError:
        return ()
