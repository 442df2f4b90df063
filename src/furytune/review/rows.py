"""A table for reviewers, row by row: its columns, and what a person typed there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import msgspec
from attrs import frozen

from furytune._privacy.printable import printable, shown
from furytune._readers.csv_records import CsvReader, cell
from furytune._readers.files import Flaw, PairFile, TextBlocks, UnreadableFile, Utf8Blocks, find_files
from furytune._readers.json_lines import decode_lines
from furytune._storage.manifests import escape_formula, unescape_formula
from furytune.errors import ConfigError, FurytuneError, SourceFormatError
from furytune.review.decision import Action, Decision, Subject, checked_line, checked_text, decided

__all__ = ["COLUMNS", "DELIMITERS", "Key", "Refused", "Row", "kind_of", "print_of", "read_rows", "safe"]

COLUMNS: Final = (
    "id",
    "question",
    "answer",
    "confidence",
    "evidence",
    "decision",
    "new_question",
    "new_answer",
    "into",
    "reason",
    "reviewer",
    "note",
    "digest",
    "key",
)
"""The columns of a table."""

_NEEDED: Final = frozenset(COLUMNS) - {
    "question",
    "answer",
    "confidence",
    "evidence",
    "note",
    "reviewer",
    "into",
}

DELIMITERS: Final = (",", ";", "\t")
"""What may separate the cells of a CSV that we write."""

_DIGEST: Final = re.compile("[0-9a-f]{32}")
# A spreadsheet takes other ids for numbers or dates, and changes them.
_NAMED: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*:.")
_Kind: TypeAlias = Literal["csv", "jsonl"]


class Key(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a decision needs besides the cells that people see.

    Attributes:
        furytune: Version of the form.
        revision: Revision of the file of decisions when the table was written.
        shown: Digest of the cells "question" and "answer".
        messages: Ids of the pair's messages.
        confidence: The confidence that a model gave the pair.
    """

    furytune: Literal[1]
    revision: int
    shown: str
    messages: tuple[str, ...] = ()
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


@frozen(kw_only=True)
class Row:
    """A row that a person filled in.

    Attributes:
        line: Where it is.
        subject: The pair.
        action: What was decided.
        question: The corrected question, or "".
        answer: The corrected answer, or "".
        into: The pair that says the same, or "".
        reason: Why the pair is dropped.
        by: The reviewer, or "".
        note: Anything else.
        revision: Revision of the file of decisions when the table was written.
    """

    line: int
    subject: Subject
    action: Action
    question: str = ""
    answer: str = ""
    into: str = ""
    reason: str = ""
    by: str = ""
    note: str = ""
    revision: int = 0

    def decision(self, last: Decision | None) -> Decision:
        """Returns what the row decides, after the last decision about the pair."""
        told = ("action", "question", "answer", "into", "reason", "by", "note")
        return decided(self.subject, before=last, **{name: getattr(self, name) for name in told})


@frozen
class Refused:
    """A row that cannot be used.

    Attributes:
        line: Where it is.
        problem: What is wrong.
        hint: What to do next.
    """

    line: int
    problem: str
    hint: str = "correct the row, and read the table again"


def kind_of(path: Path) -> _Kind:
    """Returns the format of a table by its name.

    Raises:
        ConfigError: The name ends with neither .csv nor .jsonl.
    """
    for kind in get_args(_Kind):
        if path.name.lower().endswith(f".{kind}"):
            return kind  # type: ignore[no-any-return]
    raise ConfigError(f"{printable(path)}: a table for reviewers ends with .csv or .jsonl; give such a path")


def print_of(question: str, answer: str) -> str:
    """Returns a digest of two cells that blanks and line ends, which spreadsheets change, do not change."""
    both = "\0".join("".join(c for c in text if c.isprintable() and c != " ") for text in (question, answer))
    return hashlib.sha256(both.encode()).hexdigest()[:16]


def safe(name: str, text: str) -> str:
    """Returns a cell that no spreadsheet runs, or takes for a number or a date."""
    if name in ("id", "into", "digest") and text and not _NAMED.match(text):
        return f"'{text}"
    return escape_formula(text)


def _typed(name: str, text: str) -> str:
    """Returns what a cell of a CSV says."""
    if name in ("id", "into", "digest"):
        return text.strip().removeprefix("'")
    return unescape_formula(text)


def read_rows(path: Path, encoding: str | None) -> Iterator[Row | Refused | None]:
    """Reads a table.

    Args:
        path: The table.
        encoding: Its encoding; None for UTF-8, or UTF-16 with its mark.

    Yields:
        A row that says something, a refusal of one that cannot be used, or None for a row that says nothing.

    Raises:
        SourceError: The table cannot be read.
        SourceFormatError: It is not a table of this kind.
    """
    kind = kind_of(path)
    (file, *_), _ = find_files([path], f".{kind}")
    cells = _csv_cells(file, encoding) if kind == "csv" else _json_cells(file, encoding)
    first: dict[str, int] = {}
    try:
        for item in cells:
            if isinstance(item, Flaw):
                yield Refused(item.line, item.problem, item.hint)
                continue
            if isinstance(item, Refused):
                yield item
                continue
            line, found = item
            row = _row(line, found)
            if isinstance(row, Row):
                before = first.setdefault(row.subject.pair, line)
                if before != line:
                    row = Refused(line, f"decides about the pair of line {before} again")
            yield row
    except UnreadableFile as error:
        raise SourceFormatError(error.problem, path=file.place, line=1, hint=error.hint) from error


def _csv_cells(file: PairFile, encoding: str | None) -> Iterator[tuple[int, dict[str, str]] | Flaw | Refused]:
    blocks = TextBlocks(file, encoding)
    reader = CsvReader(blocks)
    stated = reader.preamble()
    best: tuple[str, ...] = ()
    for mark in (stated,) if stated else DELIMITERS:
        header = tuple(name.strip().casefold() for name in reader.header(mark))
        if set(header) >= _NEEDED and not _twice(header):
            records = reader.records(mark, len(header))
            next(records)  # the header
            for record in records:
                if isinstance(record, Flaw):
                    yield record
                    continue
                line, raw = record
                yield line, {n: _typed(n, cell(text)) for n, text in zip(header, raw, strict=True)}
            if blocks.broken:
                raise blocks.broken
            return
        best = max(best, header, key=len)
    raise _not_a_table(file, best, reader.line)


def _json_cells(
    file: PairFile, encoding: str | None
) -> Iterator[tuple[int, dict[str, str]] | Flaw | Refused]:
    blocks = Utf8Blocks(file, encoding)
    for record in decode_lines(blocks):
        if isinstance(record, Flaw):
            yield record
            continue
        line, found = record
        if not found.keys() >= _NEEDED:
            yield Refused(line, f"lacks {shown(sorted(_NEEDED - found.keys()), 'key')}")
        elif any(not isinstance(found.get(name, ""), str | None) for name in COLUMNS):
            yield Refused(line, "a value is not a text")
        else:
            yield line, {name: found[name] or "" for name in COLUMNS if name in found}
    if blocks.broken:
        raise blocks.broken


def _twice(header: tuple[str, ...]) -> bool:
    return any(header.count(name) > 1 for name in COLUMNS)


def _not_a_table(file: PairFile, header: tuple[str, ...], line: int) -> SourceFormatError:
    if _twice(header):
        problem, hint = "a column is there twice", "leave each column there once"
    else:
        problem = f"lacks the columns {shown(sorted(_NEEDED - set(header)))}"
        hint = "give a table that `Decisions.write_sheet` wrote, with all its columns"
    return SourceFormatError(problem, path=file.place, line=line, hint=hint)


def _row(line: int, cells: Mapping[str, str]) -> Row | Refused | None:
    """Returns what a row says, or what is wrong with it; None if it says nothing."""
    word = cells["decision"].strip().casefold()
    question, answer = (_lines(cells[name]) for name in ("new_question", "new_answer"))
    reason, note = cells["reason"].strip(), cells.get("note", "").strip()
    into = cells.get("into", "").strip()
    if not any(text.strip() for text in cells.values()):
        return None  # spreadsheets save empty rows
    edited = _edited(line, cells)
    if edited is not None:
        return edited
    if not word and not question and not answer:
        if reason or note or into:
            return Refused(line, "has a reason, a note or a pair to merge into, but no decision")
        return None
    # A corrected text says clearly enough that the pair is to go in.
    action: Any = word or "accept"
    if action not in get_args(Action):
        return Refused(line, "the decision must be one of accept, drop, merge and undo")
    if (question or answer) and action != "accept":
        return Refused(line, f"has a corrected text, but the decision is {action}")
    if (action == "merge") != bool(into):
        return Refused(line, 'a merge needs the id of another pair in "into", and no other decision has one')
    if into == cells["id"]:
        return Refused(line, "merges the pair into itself")
    if action == "drop" and not reason:
        return Refused(line, "a drop needs a reason")
    key = msgspec.json.decode(cells["key"], type=Key)  # `_edited` has read it before
    try:
        return Row(
            line=line,
            subject=Subject(
                pair=cells["id"], digest=cells["digest"], messages=key.messages, confidence=key.confidence
            ),
            action=action,
            question=checked_text(question, "question") if question else "",
            answer=checked_text(answer, "answer") if answer else "",
            into=into,
            reason=checked_line(reason, "the reason"),
            by=checked_line(cells.get("reviewer", ""), "the reviewer"),
            note=checked_line(note, "the note"),
            revision=key.revision,
        )
    except FurytuneError as error:
        return Refused(line, str(error))


def _edited(line: int, cells: Mapping[str, str]) -> Refused | None:
    """Returns the refusal if a cell was changed that people should leave alone."""
    try:
        key = msgspec.json.decode(cells["key"], type=Key)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return Refused(
            line, 'the cell "key" was changed or removed', "copy it from a table that you write again"
        )
    if not cells["id"] or not _DIGEST.fullmatch(cells["digest"]):
        return Refused(
            line, 'the cell "id" or "digest" was changed', "copy it from a table that you write again"
        )
    if "question" in cells and "answer" in cells:
        told = print_of(_lines(cells["question"]), _lines(cells["answer"]))
        if told != key.shown:
            return Refused(
                line,
                'the cell "question" or "answer" was changed',
                'type the corrected text into "new_question" or "new_answer", and restore the cell',
            )
    return None


def _lines(text: str) -> str:
    """Returns a typed text with line feeds; "" if it is blank."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.strip() else ""
