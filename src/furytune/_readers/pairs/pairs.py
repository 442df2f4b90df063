"""Turns records into pairs: column names, dates, and ids that do not depend on the order of rows."""

from __future__ import annotations

import hashlib
from array import array
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from attrs import define, field, frozen

from furytune._readers.files import Flaw
from furytune.errors import ConfigError
from furytune.records import QAPair, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Columns",
    "Found",
    "Ids",
    "PairMaker",
    "Stem",
    "chosen",
    "find_columns",
    "find_extras",
    "flaw",
    "joined",
    "missing_extras",
    "question_columns",
]

PAIRS = (
    ("question", "answer"),
    ("input", "output"),
    ("text_input", "output"),
    ("prompt", "completion"),
    ("instruction", "output"),
    ("instruction", "response"),
)
"""Column names that are recognised, in order of preference."""

LEAD = "instruction"
"""The column that comes before the question if it exists, as in Alpaca's records: instruction, blank line, input."""

WANTED = "question/answer, input/output, text_input/output, prompt/completion, instruction/output or instruction/response"
"""The same names, for messages."""

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "group": ("group", "thread"),
    "asked_at": ("asked_at", "date"),
    "author": ("author",),
}
"""Names of the optional columns."""

_encode = msgspec.json.Encoder().encode


@frozen(kw_only=True)
class Columns:
    """Names of the columns that the caller chose; None means the recognised names, "" means no column.

    Raises:
        ConfigError: Only one of question and answer is named, or both have the same name.
    """

    question: tuple[str, ...] | None = None
    answer: str | None = None
    id: str | None = None
    group: str | None = None
    asked_at: str | None = None
    author: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.question is None) != (self.answer is None):
            raise ConfigError("pass both `question=` and `answer=`, or neither")
        names = (*(self.question or ()), self.answer)
        if self.question is not None and (len(names) < 2 or not all(names) or len(set(names)) < len(names)):
            raise ConfigError("`question=` and `answer=` must name two columns")


@frozen
class Found:
    """Positions of the columns of a pair.

    Attributes:
        question: Positions for the question, in the order in which their texts are joined.
        answer: Position of the answer.
        extras: Positions of the optional columns.
    """

    question: tuple[int, ...]
    answer: int
    extras: Mapping[str, int]

    @property
    def used(self) -> tuple[int, ...]:
        """All positions."""
        return (*self.question, self.answer, *self.extras.values())


def chosen(names: Sequence[str], wanted: str) -> int | None:
    """Returns the position of a name: an exact match, or else one that ignores case and surrounding white space."""
    if wanted in names:
        return names.index(wanted)
    folded = [name.strip().casefold() for name in names]
    return folded.index(wanted.strip().casefold()) if wanted.strip().casefold() in folded else None


def joined(texts: Sequence[str]) -> str:
    """Joins the texts of a question with blank lines, without empty ones."""
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(text for text in texts if text.strip())


def find_columns(names: Sequence[str], columns: Columns) -> Found | None:
    """Returns the positions of question, answer and optional columns; None if one of the first two is missing.

    Args:
        names: Header, or keys of a record.
        columns: What the caller chose.
    """
    extras = find_extras(names, columns)
    if columns.question is not None:
        wanted = [chosen(names, name) for name in columns.question]
        asked = tuple(i for i in wanted if i is not None)
        told = chosen(names, columns.answer or "")
        return Found(asked, told, extras) if told is not None and len(asked) == len(wanted) else None
    for question, answer in PAIRS:
        q, a = chosen(names, question), chosen(names, answer)
        if q is not None and a is not None:
            # In Alpaca's records, the instruction is the question, and the input only belongs to it.
            lead = chosen(names, LEAD)
            return Found((q,) if lead is None or lead == q else (lead, q), a, extras)
    return None


def find_extras(names: Sequence[str], columns: Columns) -> dict[str, int]:
    """Returns the positions of the optional columns."""
    found: dict[str, int] = {}
    for extra, usual in EXTRAS.items():
        given: str | None = getattr(columns, extra)
        for name in usual if given is None else (given,) if given else ():
            at = chosen(names, name)
            if at is not None:
                found[extra] = at
                break
    return found


def missing_extras(names: Sequence[str], columns: Columns) -> list[str]:
    """Returns the optional columns that the caller named but that do not exist."""
    given = (getattr(columns, extra) for extra in EXTRAS)
    return [name for name in given if name and chosen(names, name) is None]


def question_columns(value: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Converts the value of ``question=``: the name of a column, or several names.

    Raises:
        ConfigError: The value is something else.
    """
    if value is None or isinstance(value, str):
        return None if value is None else (value,)
    found = tuple(value) if isinstance(value, list | tuple) else (value,)
    for name in found:
        if not isinstance(name, str):
            raise ConfigError(
                f"question must be the name of a column, or a list of names, not a {type(value).__name__}"
            )
    return found


@define
class Ids:
    """A set of numbers below 2**64, which needs 16 to 32 bytes per number."""

    _slots: array[int] = field(factory=lambda: array("Q", bytes(8 * 1024)))
    _count: int = 0

    def new(self, number: int) -> bool:
        """Adds a number; returns whether it is new."""
        number = number or 1  # 0 marks a free slot
        if not _put(self._slots, number):
            return False
        self._count += 1
        # More than half full, the runs of taken slots would grow long.
        if 2 * self._count > len(self._slots):
            old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
            for kept in old:
                if kept:
                    _put(self._slots, kept)
        return True


def _put(slots: array[int], number: int) -> bool:
    """Adds a number to a table; returns False if it was there."""
    # Open addressing in an array needs a fraction of the memory of a set of ints.
    # The size is a power of two, and the numbers come from a hash, so their low bits are spread evenly.
    mask = len(slots) - 1
    at = number & mask
    while met := slots[at]:
        if met == number:
            return False
        at = (at + 1) & mask
    slots[at] = number
    return True


@frozen
class Stem:
    """The beginning of the derived ids of one file.

    Attributes:
        text: Name of the file without its suffix.
        number: Keeps the files of one collection apart in `Ids`.
    """

    text: str
    number: int = field(init=False)

    @number.default
    def _hashed(self) -> int:
        return _number(self.text.encode())


@define
class PairMaker:
    """Makes the pairs of one collection and ensures that their ids are unique.

    Attributes:
        ids: Derived ids, as numbers.
        given: Ids from a column, as numbers.
        twins: How often each repeated id occurred.
    """

    ids: Ids = field(factory=Ids)
    given: Ids = field(factory=Ids)
    twins: dict[str, int] = field(factory=dict)

    def make(
        self,
        question: str,
        answer: str,
        *,
        stem: Stem,
        source: Source,
        extras: Mapping[str, str],
    ) -> QAPair | Flaw:
        """Returns the pair, or the flaw of the record.

        Args:
            question: Text in the file.
            answer: Text in the file.
            stem: The beginning of a derived id.
            source: The place of the record.
            extras: Texts of the optional columns.
        """
        line = source.line or 1
        if not question.strip() or not answer.strip():
            name, reason = ("answer", "empty_answer") if question.strip() else ("question", "empty_question")
            return flaw(line, reason, f"the {name} is empty", "fill it in, or leave out the record")
        try:
            if not extras:
                pair_id = self._derived(stem, question, answer)
                return QAPair(
                    id=pair_id, question=question, answer=answer, group=_group(question), source=source
                )
            return self._with_extras(question, answer, stem, source, extras)
        except UnicodeEncodeError:
            return flaw(
                line, "surrogate", "a text contains a lone surrogate", "repair or leave out the record"
            )

    def _with_extras(
        self, question: str, answer: str, stem: Stem, source: Source, extras: Mapping[str, str]
    ) -> QAPair | Flaw:
        """Returns a pair that has optional columns, or the flaw of the record."""
        line = source.line or 1
        asked_at = None
        if stated := extras.get("asked_at", "").strip():
            asked_at = _moment(stated)
            if asked_at is None:
                return flaw(
                    line,
                    "date",
                    "the date is not ISO 8601",
                    'change the date, or pass asked_at="" to leave dates out',
                )
        pair_id = extras.get("id", "").strip()
        if not pair_id:
            pair_id = self._derived(stem, question, answer)
        # Only a number made from the id is stored, so memory does not depend on the length of ids.
        elif not self.given.new(_number(pair_id.encode())):
            return flaw(
                line,
                "duplicate_id",
                "its id was used before",
                'make the ids unique, or pass id="" to derive them',
            )
        return QAPair(
            id=pair_id,
            question=question,
            answer=answer,
            group=extras.get("group", "").strip() or _group(question),
            asked_at=asked_at,
            asker=extras.get("author", ""),
            source=source,
        )

    def _derived(self, stem: Stem, question: str, answer: str) -> str:
        """Returns the id of a pair without one, made from its file's name and its texts."""
        # The canonical JSON of {"answer": ..., "question": ...}, as in furytune._values.canonical.
        content = b'{"answer":%b,"question":%b}' % (_encode(answer), _encode(question))
        name = hashlib.sha256(content).hexdigest()[:16]
        full = f"{stem.text}:{name}"
        # Only ids that repeat are stored as text; all others take a number.
        if self.ids.new(int(name, 16) ^ stem.number):
            return full
        count = self.twins[full] = self.twins.get(full, 1) + 1
        return f"{full}-{count}"


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8])


def _group(question: str) -> str:
    """Returns the group of a pair without one: equal questions share a group, across all files."""
    return f"question:{hashlib.sha256(question.encode()).hexdigest()[:16]}"


def _moment(text: str) -> datetime | None:
    """Parses an ISO 8601 date; one without a time zone is read as UTC."""
    try:
        # Only ISO 8601: in other forms, no one can tell the day from the month.
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)  # the first and last hours of the calendar may have no UTC date
    except (ValueError, OverflowError):
        return None
    return moment


def flaw(line: int, reason: str, problem: str, hint: str) -> Flaw:
    """Returns the flaw of a whole record.

    Args:
        line: Where the record begins.
        reason: One of the words that `furytune.reasons` explains.
        problem: What is wrong, in a sentence without the text of the record.
        hint: What to do.
    """
    return Flaw(reason=reason, problem=problem, line=line, column=1, hint=hint)
