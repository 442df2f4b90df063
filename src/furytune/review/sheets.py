"""Writes pairs into a table for a spreadsheet, and reads the decisions that a person typed there.

A table is CSV or JSON lines, with one row for each pair and the columns of `COLUMNS`. People fill in the columns from
"decision" to "note". The column "key" has everything else that a decision needs, in a form that no spreadsheet changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from attrs import asdict, evolve, field, frozen

from furytune._privacy.printable import printable
from furytune._storage.durable import staged
from furytune._storage.system import system_errors_as
from furytune._values.shown import Shown
from furytune.errors import ConfigError, CurationError, SourceFormatError
from furytune.records import QAPair
from furytune.review.decision import Decision, about
from furytune.review.journal import Journal, State
from furytune.review.rows import COLUMNS, DELIMITERS, Key, Refused, Row, kind_of, print_of, read_rows, safe

__all__ = ["SheetRead", "record", "write_rows"]

_LONGEST: Final = 32_000  # characters of a cell; Excel cuts off what is beyond 32,767
_CUT: Final = " [...]"
_LISTED: Final = 20  # refused rows in an error
_OVERTAKEN: Final = (
    "someone else decided about this pair after the table was written",
    "write the table again, and look at the pair",
)


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
    if delimiter not in DELIMITERS:
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
                file.write(_csv_line([safe(name, cells[name]) for name in COLUMNS], delimiter))
            else:
                file.write(json.dumps(cells, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def _cells(pair: QAPair, decision: Decision | None, revision: int) -> dict[str, str]:
    """Returns the cells of a pair, by column."""
    subject = about(pair)
    question, answer = _shown(pair.question), _shown(pair.answer)
    key = Key(
        furytune=1,
        revision=revision,
        shown=print_of(question, answer),
        messages=subject.messages,
        confidence=subject.confidence,
    )
    # A text that Excel would cut off is not shown: it would come back shorter, as a new correction.
    fits = decision is not None and max(len(decision.question), len(decision.answer)) <= _LONGEST
    said = asdict(decision, recurse=False) if decision is not None and fits else {}
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


def _csv_line(cells: Iterable[str], delimiter: str) -> bytes:
    quoted = delimiter.join('"' + text.replace('"', '""') + '"' for text in cells)
    return quoted.encode() + b"\r\n"


def record(journal: Journal, path: Path, *, by: str, skip: bool, encoding: str | None) -> SheetRead:
    """Reads a table and records what people typed there.

    Args:
        journal: Where to record it.
        path: The table.
        by: The reviewer of rows that name no one.
        skip: Whether to record the other rows if some are refused; otherwise nothing is recorded.
        encoding: Encoding of the table, or None.

    Raises:
        SourceError: The table cannot be read.
        SourceFormatError: It is not a table of this kind; or, unless skipped, rows are refused.
        CurationError: The decisions cannot be written.
    """
    items = list(read_rows(path, encoding))
    rows = [item if item.by else evolve(item, by=by) for item in items if isinstance(item, Row)]
    refused = [item for item in items if isinstance(item, Refused)]
    unchanged = items.count(None)

    def decide(state: State) -> list[Decision]:
        nonlocal unchanged
        new: list[Decision] = []
        for row in rows:
            last = state.last(row.subject.pair)
            decision = row.decision(last)
            if decision.repeats(last):
                unchanged += 1
            elif last is not None and last.revision > row.revision and last.by != row.by:
                refused.append(Refused(row.line, *_OVERTAKEN))
            else:
                new.append(decision)
        refused.sort(key=lambda item: item.line)
        if refused and not skip:
            raise _all_refused(path, refused)
        return new

    done = journal.append(decide)
    where = printable(path)
    return SheetRead(
        path=where,
        decided=len(done),
        unchanged=unchanged,
        refused=tuple(f"{where}:{item.line}: {item.problem}; {item.hint}" for item in refused),
    )


def _all_refused(path: Path, refused: list[Refused]) -> SourceFormatError:
    """Returns the error for a table with rows that cannot be used: the first one, and where the others are."""
    first, *others = refused
    more = ""
    if others:
        lines = ", ".join(str(item.line) for item in others[:_LISTED])
        more = f"; {len(others)} more {'row is' if len(others) == 1 else 'rows are'} refused, in line {lines}"
        more += ", ..." if len(others) > _LISTED else ""
    return SourceFormatError(
        first.problem,
        path=printable(path),
        line=first.line,
        hint=f'{first.hint}; nothing was recorded; on_error="skip" records the other rows{more}',
    )
