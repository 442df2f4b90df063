"""Handles the other fields of a record: marks, other parts of the question, system instructions, and the rest.

None of them is lost silently. A record that its file marks as not meant for training is left out and counted. A record with
another part of the question is refused, because without that part the question would be a different one. All other fields are
counted per file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from attrs import define, field, frozen

from furytune._privacy.printable import shown
from furytune._readers.files import Flaw
from furytune._readers.pairs.pairs import PAIRS, flaw
from furytune.records import Dropped

__all__ = ["Unused", "UnusedCounts", "marked", "unused_fields"]

_PARTS = frozenset(
    {
        *("instruction", "instructions", "context", "contexts", "history"),
        *("background", "passage", "passages", "document", "documents"),
    }
)
_SYSTEM = frozenset({"system", "system_prompt", "system_message", "system_instruction", "systeminstruction"})
_TRAIN = frozenset({"train", "trainable", "training", "use_for_training"})
_IGNORE = frozenset({"ignore", "exclude", "excluded", "skip", "do_not_train", "no_train"})
_SPLIT = frozenset({"split", "subset"})
_APART = frozenset(
    {"ignore", "ignored", "exclude", "excluded", "skip", "none", "test", "holdout", "do_not_train"}
)
_SIDES = frozenset({"train", "training", "validation", "valid", "val", "dev", "eval"})
_YES = frozenset({"true", "yes", "1", "1.0"})
_NO = frozenset({"false", "no", "0", "0.0"})


@frozen
class Unused:
    """Positions of a record's other fields.

    Attributes:
        marks: Fields that may say that the record is not meant for training.
        parts: Fields that may contain another part of the question.
        system: System instructions.
        rest: All other fields.
    """

    marks: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    system: tuple[int, ...] = ()
    rest: tuple[int, ...] = ()


def unused_fields(
    names: Sequence[str], used: Collection[int], *, named: bool = False, turns: bool = False
) -> Unused | None:
    """Sorts the fields that do not become part of a pair; returns None without such fields.

    Args:
        names: Header, or keys of a record.
        used: Positions of the fields that are read.
        named: Whether the caller named the columns of question and answer, and so left the others out on purpose. Marks
            still count.
        turns: Whether the record has chat turns. A text such as "prompt" beside them usually repeats one of them.
    """
    keys = [_key(name) for name in names]
    others = [i for i in range(len(names)) if i not in used]
    if not others:
        return None
    free = {keys[i] for i in others}
    # One half of a pair of names is part of the question; both halves are another pair, such as a repetition.
    halves = {q for q, a in PAIRS if q in free and a not in free and not turns}
    marks = tuple(i for i in others if keys[i] == "weight" or keys[i] in _TRAIN | _IGNORE | _SPLIT)
    # Naming the columns says that the others are left out on purpose.
    if named:
        return Unused(marks)
    parts = tuple(i for i in others if keys[i] in _PARTS | halves)
    system = tuple(i for i in others if keys[i] in _SYSTEM)
    rest = tuple(i for i in others if i not in {*marks, *parts, *system})
    return Unused(marks, parts, system, rest)


def marked(name: str, value: Any) -> bool | None:
    """Returns whether a field marks its record as not meant for training; None if it is not a mark.

    Args:
        name: Name of the field.
        value: A text, number, boolean or None.
    """
    key = _key(name)
    text = str(value).strip().casefold() if isinstance(value, str | int | float) else ""
    # An empty cell marks nothing, as in a spreadsheet where only some rows are marked.
    if not text:
        return None if value else False
    if key == "weight":
        return True if text in _NO else False if text in _YES else None
    if key in _TRAIN:
        return True if text in _NO else False if text in _YES else None
    if key in _IGNORE:
        return True if text in _YES else False if text in _NO else None
    # Validation rows are used: the split of the file is not taken over, because pairs of one conversation
    # must stay together.
    word = text.replace("-", "_").replace(" ", "_")
    return True if word in _APART else False if word in _SIDES else None


@define
class UnusedCounts:
    """Counts the texts of one file that are not part of a pair.

    Args:
        where: Name of the file.
        value: Converts the raw value of a field.
    """

    where: str
    value: Callable[[Any], Any] = lambda raw: raw
    system: int = 0
    rest: dict[str, int] = field(factory=dict)

    def problem(self, unused: Unused, names: Sequence[str], raw: Sequence[Any], line: int) -> Flaw | None:
        """Returns a flaw if the record does not become a pair; otherwise counts the fields that are left out.

        Args:
            unused: Positions of the fields.
            names: All names.
            raw: Raw values in the file, in the order of the names.
            line: Line where the record begins.
        """
        odd = []
        for i in unused.marks:
            said = marked(names[i], self.value(raw[i]))
            if said:
                return not_for_training(line, f"its {_key(names[i])!r} says so")
            if said is None:
                # A mark with an unknown value may mean anything, so it is counted instead of obeyed.
                odd.append(i)
        for i in unused.parts:
            if _holds_text(self.value(raw[i])):
                return flaw(
                    line,
                    "unused_text",
                    f"its {_key(names[i])!r} may be part of the question, but is not read",
                    "name the columns with `question=` (several are joined, such as ['context', 'question']) and "
                    "`answer=`; if the record has chat turns, put it into the user's turn",
                )
        self.system += sum(_holds_text(self.value(raw[i])) for i in unused.system)
        for i in (*odd, *(i for i in unused.rest if _holds_text(self.value(raw[i])))):
            self.rest[names[i]] = self.rest.get(names[i], 0) + 1
        return None

    def drops(self) -> Iterator[Dropped]:
        """Yields what was counted."""
        if self.system:
            yield Dropped(reason="system_instruction", unit="message", count=self.system, where=self.where)
        if self.rest:
            yield Dropped(
                reason="unused_field",
                unit="field",
                count=sum(self.rest.values()),
                where=self.where,
                detail=shown(self.rest, "field"),
            )


def not_for_training(line: int, problem: str) -> Flaw:
    """Returns the flaw of a record that is left out because its file says so."""
    return Flaw(reason="not_for_training", problem=problem, line=line, column=1, error=False)


def _key(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _holds_text(value: Any) -> bool:
    """Returns whether a value is non-blank text, or a list or object that may contain some."""
    return bool(value.strip()) if isinstance(value, str) else bool(value) and isinstance(value, list | dict)
