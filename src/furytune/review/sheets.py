"""Writes pairs into a table for a spreadsheet, and reads the decisions that a person typed there.

A table is CSV or JSON lines, with one row for each pair and the columns of `COLUMNS`. People fill in the columns from
"decision" to "note". The column "key" has everything else that a decision needs, in a form that no spreadsheet changes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec
from attrs import asdict, field, frozen

from furytune._privacy.printable import printable, shown
from furytune._readers.csv_records import CsvReader, cell
from furytune._readers.files import Flaw, PairFile, TextBlocks, UnreadableFile, Utf8Blocks, find_files
from furytune._readers.json_lines import decode_lines
from furytune._storage.durable import staged
from furytune._storage.manifests import escape_formula, unescape_formula
from furytune._storage.system import system_errors_as
from furytune._values.shown import Shown
from furytune.errors import ConfigError, CurationError, FurytuneError, SourceFormatError
from furytune.records import QAPair
from furytune.review.decision import Action, Decision, Subject, about, checked_line, checked_text

__all__ = ["COLUMNS", "Refused", "Row", "SheetRead", "read_rows", "write_rows"]

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
_DELIMITERS: Final = (",", ";", "\t")
_LONGEST: Final = 32_000  # characters of a cell; Excel cuts off what is beyond 32,767
_CUT: Final = " [...]"
_DIGEST: Final = re.compile("[0-9a-f]{32}")
# A spreadsheet takes other ids for numbers or dates, and changes them.
_NAMED: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*:.")
_Kind: TypeAlias = Literal["csv", "jsonl"]


class _Key(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
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
    confidence: float | None = None


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


@frozen(kw_only=True, repr=False)
class SheetRead(Shown):
    """What was read from a table; print it.

    Attributes:
        path: The table.
        decided: How many decisions were recorded.
        unchanged: How many rows say nothing, or what is recorded already.
        refused: One line for each row that was not used: where it is, what is wrong, and what to do.
    """

    path: str
    decided: int
    unchanged: int
    refused: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        lines = [f"decided    {self.decided:>7}", f"unchanged  {self.unchanged:>7}"]
        if self.refused:
            lines.append(f"refused    {len(self.refused):>7}")
        return "\n".join([*lines, *(f"  {line}" for line in self.refused)])


def kind_of(path: Path) -> _Kind:
    """Returns the format of a table by its name.

    Raises:
        ConfigError: The name ends with neither .csv nor .jsonl.
    """
    for kind in get_args(_Kind):
        if path.name.lower().endswith(f".{kind}"):
            return kind  # type: ignore[no-any-return]
    raise ConfigError(f"{printable(path)}: a table for reviewers ends with .csv or .jsonl; give such a path")


def write_rows(
    path: Path, pairs: Iterable[tuple[QAPair, Decision | None]], *, revision: int, delimiter: str
) -> int:
    """Writes a table: all of it, or nothing.

    Args:
        path: Ends with .csv or .jsonl.
        pairs: The pairs, each with the decision that holds.
        revision: Revision of the file of decisions.
        delimiter: What separates the cells of a CSV.

    Returns:
        Number of rows.

    Raises:
        ConfigError: The path or the delimiter does not fit.
        CurationError: The table cannot be written.
    """
    kind = kind_of(path)
    if delimiter not in _DELIMITERS:
        raise ConfigError("delimiter must be a comma, a semicolon or a tab")
    count = 0
    with system_errors_as(CurationError, path, "the table was not written"), staged() as group:
        file = group.open(path)
        if kind == "csv":
            # Excel takes a file without this mark for one in an older encoding.
            file.write(b"\xef\xbb\xbf" + _csv_line(COLUMNS, delimiter))
        for pair, decision in pairs:
            cells = _cells(pair, decision, revision)
            if kind == "csv":
                file.write(_csv_line([_safe(name, cells[name]) for name in COLUMNS], delimiter))
            else:
                file.write(json.dumps(cells, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def _cells(pair: QAPair, decision: Decision | None, revision: int) -> dict[str, str]:
    """Returns the cells of a pair, by column."""
    subject = about(pair)
    question, answer = _shown(pair.question), _shown(pair.answer)
    key = _Key(
        furytune=1,
        revision=revision,
        shown=_print_of(question, answer),
        messages=subject.messages,
        confidence=subject.confidence,
    )
    said = asdict(decision, recurse=False) if decision else {}
    return {
        "id": subject.pair,
        "question": question,
        "answer": answer,
        "confidence": f"{pair.confidence:.2f}",
        "evidence": " ".join(pair.evidence),
        "decision": said.get("action", ""),
        "new_question": said.get("question", ""),
        "new_answer": said.get("answer", ""),
        "into": said.get("into", ""),
        "reason": said.get("reason", ""),
        "reviewer": said.get("by", ""),
        "note": said.get("note", ""),
        "digest": subject.digest,
        "key": msgspec.json.encode(key).decode(),
    }


def _shown(text: str) -> str:
    """Returns a text for a cell: in UTF-8, and not longer than a spreadsheet allows."""
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + _CUT


def _print_of(question: str, answer: str) -> str:
    """Returns a digest of two cells that blanks and line ends, which spreadsheets change, do not change."""
    both = "\0".join("".join(c for c in text if c.isprintable() and c != " ") for text in (question, answer))
    return hashlib.sha256(both.encode()).hexdigest()[:16]


def _safe(name: str, text: str) -> str:
    """Returns a cell that no spreadsheet runs, or takes for a number or a date."""
    if name in ("id", "into", "digest") and text and not _NAMED.match(text):
        return f"'{text}"
    return escape_formula(text)


def _typed(name: str, text: str) -> str:
    """Returns what a cell of a CSV says."""
    if name in ("id", "into", "digest"):
        return text.strip().removeprefix("'")
    return unescape_formula(text)


def _csv_line(cells: Iterable[str], delimiter: str) -> bytes:
    quoted = delimiter.join('"' + text.replace('"', '""') + '"' for text in cells)
    return quoted.encode() + b"\r\n"


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
    for mark in (stated,) if stated else _DELIMITERS:
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
    key = msgspec.json.decode(cells["key"], type=_Key)  # `_edited` has read it before
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
        key = msgspec.json.decode(cells["key"], type=_Key)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return Refused(
            line, 'the cell "key" was changed or removed', "copy it from a table that you write again"
        )
    if not cells["id"] or not _DIGEST.fullmatch(cells["digest"]):
        return Refused(
            line, 'the cell "id" or "digest" was changed', "copy it from a table that you write again"
        )
    if "question" in cells and "answer" in cells:
        told = _print_of(_lines(cells["question"]), _lines(cells["answer"]))
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
