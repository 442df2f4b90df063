"""Collects ready pairs from CSV and JSON lines.

A record that is not a pair raises an error. With ``on_error="skip"`` it becomes a `Dropped` with the unit "record" and one of
these reasons: ``fields`` (wrong number of fields), ``quotes``, ``encoding``, ``too_long``, ``not_json``, ``not_object``,
``duplicate_key``, ``too_deep``, ``surrogate``, ``columns`` (question or answer not found), ``type`` and ``not_text`` (a value
that is not text), ``no_question`` and ``no_answer`` (chat turns), ``empty_question``, ``empty_answer``, ``date``,
``duplicate_id``, ``unused_text`` (another field may be part of the question). Whole files are dropped with the unit "file":
``damaged``, ``encoding``, ``empty``. A header without the columns always raises, and so does a collection in which no file
can be read.

Valid records that are left out on purpose never raise: ``not_for_training`` (the file says so) and ``pair_too_long``. Chat
turns before the last exchange are counted as dropped messages with the reason ``earlier_turn``, system instructions with
``system_instruction``, and all other texts as dropped fields, ``unused_field``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import field, frozen

from furytune._privacy.printable import is_name, printable, shown
from furytune._readers.csv_records import CsvReader, cell
from furytune._readers.files import (
    Flaw,
    PairFile,
    TextBlocks,
    UnreadableFile,
    Utf8Blocks,
    find_files,
    paths_of,
    text_encoding,
)
from furytune._readers.json_lines import decode_lines
from furytune._readers.limits import MAX_PAIR, may_be_over, over
from furytune._readers.pairs.pairs import (
    WANTED,
    Columns,
    Found,
    PairMaker,
    Stem,
    find_columns,
    joined,
    missing_extras,
    question_columns,
)
from furytune._readers.pairs.records import Shape, exchange_of, shape_of
from furytune._readers.pairs.unused import UnusedCounts, unused_fields
from furytune._storage import manifests
from furytune._storage.system import system_errors_as
from furytune._values.checks import at_least, of_type, one_of
from furytune.errors import ConfigError, SourceError, SourceFormatError
from furytune.records import Dropped, QAPair, Source

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CsvCollector", "JsonlCollector"]

Paths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
OnError: TypeAlias = Literal["raise", "skip"]

_DELIMITERS = (",", ";", "\t", "|")
_NAME_THEM = "name other columns with `question=` and `answer=`"


_EXPORTED = frozenset({("input", "output"), ("text_input", "output")})
"""The headers that `CsvExporter` writes for its dialects."""

_text_or_none = of_type(str, type(None))


@frozen
class _PairFiles:
    """The arguments that CSV and JSON lines have in common; the collectors document them."""

    path: tuple[Path, ...] = field(converter=paths_of)
    question: tuple[str, ...] | None = field(default=None, kw_only=True, converter=question_columns)
    answer: str | None = field(default=None, kw_only=True, validator=_text_or_none)
    id: str | None = field(default=None, kw_only=True, validator=_text_or_none)
    group: str | None = field(default=None, kw_only=True, validator=_text_or_none)
    asked_at: str | None = field(default=None, kw_only=True, validator=_text_or_none)
    author: str | None = field(default=None, kw_only=True, validator=_text_or_none)
    encoding: str | None = field(default=None, converter=text_encoding, kw_only=True)
    on_error: OnError = field(default="raise", kw_only=True, validator=one_of("raise", "skip"))
    max_pair: int = field(default=MAX_PAIR, kw_only=True, validator=at_least(1))

    def __attrs_post_init__(self) -> None:
        # Names that exclude each other raise when the collector is made, not when the first file is read.
        _ = self._columns

    @property
    def _columns(self) -> Columns:
        return Columns(
            question=self.question,
            answer=self.answer,
            id=self.id,
            group=self.group,
            asked_at=self.asked_at,
            author=self.author,
        )


@frozen
class CsvCollector(_PairFiles):
    """Collects ready pairs from CSV files with a header.

    Lines end with LF, CR LF or a lone CR. The first of these pairs of column names is used, in any case:
    question/answer, input/output, text_input/output, prompt/completion, instruction/output, instruction/response.
    An "instruction" beside the others comes first in the question, with a blank line after it. Optional columns: "id";
    "group" or "thread"; "asked_at" or "date" (ISO 8601, UTC without a time zone); "author" (stored unchanged, so use a
    pseudonym). For each of these an argument chooses another column, and "" ignores it.

    Other columns are not lost silently: the module's docstring lists their reasons.

    A pair's id is that of its column, or else ``<path without suffix>:<sha256 of question and answer>``, with ``-2``,
    ``-3`` for repetitions. It does not depend on the order of rows. A pair without a group is grouped by its question.

    Args:
        path: A file, a folder for all ``*.csv`` and ``*.csv.gz`` in it, or a list of these.
        question: Column of the question, or several columns, whose texts are joined with blank lines. This leaves out
            all columns that you do not name.
        answer: Column of the answer.
        id: Column of the id.
        group: Column of the conversation.
        asked_at: Column of the date.
        author: Column of the asker's pseudonym.
        delimiter: One character. The default is the one that a line ``sep=;`` before the header names, or else the one of
            comma, semicolon, tab and vertical bar that makes the header contain the columns.
        encoding: The default is UTF-8, or UTF-16 if the file begins with its byte order mark. Nothing is guessed.
        on_error: "raise", or "skip" to drop and count records that are wrong and keep the others.
        escaped_formulas: Whether a cell like ``'=1`` means ``=1``. None reads the manifest beside the file, so that the
            output of `CsvExporter` is read back unchanged. Without a manifest, such a cell under the header of an
            export raises an error.
        max_pair: Maximum bytes of question and answer together, as UTF-8; a longer pair is dropped as "pair_too_long".

    Raises:
        ConfigError: An argument is not valid.
    """

    delimiter: str | None = field(default=None, kw_only=True, validator=_text_or_none)
    escaped_formulas: bool | None = field(default=None, kw_only=True, validator=of_type(bool, type(None)))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise ConfigError("`delimiter=` must be one character, and neither a quote nor a line break")

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs in the order of the files.

        Raises:
            SourceError: A path cannot be read, or no file could be read.
            SourceFormatError: A header without the columns; or, unless skipped, a record that is not a pair.
        """
        maker = PairMaker()
        found, dropped = find_files(self.path, ".csv")
        yield from dropped
        files = ((file, self._file(file, maker)) for file in found)
        yield from _collected(files, self.on_error)

    def _file(self, file: PairFile, maker: PairMaker) -> Iterator[QAPair | Dropped | Flaw]:
        """Yields the pairs, drops and flaws of one file."""
        columns = self._columns
        blocks = TextBlocks(file, self.encoding)
        reader = CsvReader(blocks)
        delimiter, names, found = self._header(file, reader, columns, blocks)
        unescape = self._escaped(file, names)
        text = _unescaped if unescape else cell
        unused = unused_fields(names, found.used, named=columns.question is not None)
        counts = UnusedCounts(file.name, text)
        asked, a, at = found.question, found.answer, found.extras
        stem, name = Stem(file.stem), file.name
        records = reader.records(delimiter, len(names))
        next(records)  # the header
        for record in records:
            if isinstance(record, Flaw):
                yield record
                continue
            line, raw = record
            question = text(raw[asked[0]]) if len(asked) == 1 else joined([text(raw[i]) for i in asked])
            answer = text(raw[a])
            extras = {key: text(raw[i]) for key, i in at.items()} if at else {}
            if unescape is None:
                _sure(file, line, question, answer)
            problem = counts.problem(unused, names, raw, line) if unused else None
            if problem is not None:
                yield problem
                continue
            yield _too_long(self.max_pair, question, answer, line) or maker.make(
                question, answer, stem=stem, source=Source(path=name, line=line), extras=extras
            )
        yield from counts.drops()
        if blocks.broken:
            raise blocks.broken

    def _header(
        self, file: PairFile, reader: CsvReader, columns: Columns, blocks: TextBlocks
    ) -> tuple[str, tuple[str, ...], Found]:
        """Returns the delimiter, the column names and the positions of the columns.

        Raises:
            SourceFormatError: The columns are missing, occur twice, or can be found in two ways.
        """
        stated = reader.preamble()
        mark = self.delimiter or stated
        candidates = _DELIMITERS if mark is None else (mark,)
        # Nothing is guessed from the data: a delimiter fits only if the header then has the columns.
        headers = {mark: reader.header(mark) for mark in candidates}
        fits = {mark: at for mark, names in headers.items() if (at := find_columns(names, columns))}
        path = file.place
        if len(fits) > 1:
            raise SourceFormatError(
                "its header can be split in two ways",
                path=path,
                line=reader.line,
                column=1,
                hint="give `delimiter=`",
            )
        best = max(headers, key=lambda mark: len(headers[mark]))
        if not fits and blocks.broken:
            raise blocks.broken
        if not fits:
            raise SourceFormatError(
                f"no columns for question and answer; found {shown(headers[best])}",
                path=path,
                line=reader.line,
                column=1,
                hint=_hint(headers[best], columns),
            )
        ((mark, at),) = fits.items()
        names = headers[mark]
        if absent := missing_extras(names, columns):
            raise SourceFormatError(
                f"no column is called {', '.join(map(ascii, absent))}; found {shown(names)}",
                path=path,
                line=reader.line,
                column=1,
                hint="use a name from the header",
            )
        folded = [name.strip().casefold() for name in names]
        for i in at.used:
            if folded.count(folded[i]) > 1 and names.count(names[i]) > 1:
                raise SourceFormatError(
                    f"two columns are called {names[i]!r}"
                    if is_name(names[i])
                    else "two columns have the same name",
                    path=path,
                    line=reader.line,
                    column=1,
                    hint="rename one",
                )
        return mark, names, at

    def _escaped(self, file: PairFile, names: tuple[str, ...]) -> bool | None:
        """Returns whether the file's cells have the formula escape; None if that cannot be known.

        Raises:
            SourceFormatError: The file is not the one that its manifest describes.
        """
        if self.escaped_formulas is not None:
            return self.escaped_formulas
        entry = _listed_in_manifest(file)
        if entry is None:
            return None if names in _EXPORTED else False
        if not entry:
            return False
        # Someone may have edited the file in a spreadsheet, which removes the quotes when it saves.
        if manifests.sha256_of(file.blocks()) != entry.get("sha256"):
            raise SourceFormatError(
                "has changed since its manifest was written, so it is unclear how to read cells that begin with '",
                path=file.place,
                hint="pass escaped_formulas=True if they still begin with the exporter's quote, otherwise False",
            )
        return True


@frozen
class JsonlCollector(_PairFiles):
    """Collects ready pairs from JSON lines: one object per line, read strictly (RFC 8259).

    A record contains two texts, under the names that `CsvCollector` uses, or chat turns: lists of messages in "prompt" and
    "completion" (TRL), in "messages" (OpenAI), or in "contents" (Gemini). The last user turn is the question and the final
    assistant turn is the answer. Earlier turns and system instructions are counted as dropped messages. An answer with
    weight 0 is not used. Ids, groups, dates, authors and other keys work as in `CsvCollector`.

    Args:
        path: A file, a folder for all ``*.jsonl`` and ``*.jsonl.gz`` in it, or a list of these.
        question: Key of the question, or several keys, whose texts are joined with blank lines. This leaves out all keys
            that you do not name.
        answer: Key of the answer.
        id: Key of the id.
        group: Key of the conversation.
        asked_at: Key of the date.
        author: Key of the asker's pseudonym.
        encoding: The default is UTF-8, or UTF-16 if the file begins with its byte order mark. Nothing is guessed.
        on_error: "raise", or "skip" to drop and count records that are wrong and keep the others.
        max_pair: Maximum bytes of question and answer together, as UTF-8; a longer pair is dropped as "pair_too_long".

    Raises:
        ConfigError: An argument is not valid.
    """

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs in the order of the files.

        Raises:
            SourceError: A path cannot be read, or no file could be read.
            SourceFormatError: Unless skipped, a line that is not a pair.
        """
        maker = PairMaker()
        found, dropped = find_files(self.path, ".jsonl")
        yield from dropped
        files = ((file, self._file(file, maker)) for file in found)
        yield from _collected(files, self.on_error)

    def _file(self, file: PairFile, maker: PairMaker) -> Iterator[QAPair | Dropped | Flaw]:
        """Yields the pairs, drops and flaws of one file."""
        columns = self._columns
        stem, name = Stem(file.stem), file.name
        known: dict[tuple[str, ...], Shape] = {}
        empty = True
        blocks = Utf8Blocks(file, self.encoding)
        counts = UnusedCounts(file.name)
        for record in decode_lines(blocks):
            empty = False
            if isinstance(record, Flaw):
                yield record
                continue
            line, found = record
            keys = tuple(found)
            # Records of one file have a few sets of keys, so columns are looked up once for each.
            shape = known.get(keys)
            if shape is None:
                shape = shape_of(keys, columns)
                # A file with other keys in each record must not fill the memory.
                if len(known) < 1000:
                    known[keys] = shape
            exchange = exchange_of(found, shape, line)
            if isinstance(exchange, Flaw):
                yield exchange
                continue
            unused = shape.unused
            problem = counts.problem(unused, keys, list(found.values()), line) if unused else None
            if problem is not None:
                yield problem
                continue
            counts.system += exchange.system
            if exchange.earlier:
                where = f"{name}:{line}"
                yield Dropped(
                    reason="earlier_turn",
                    unit="message",
                    count=exchange.earlier,
                    where=where,
                    source=Source(path=name, line=line),
                )
            question, answer = exchange.question, exchange.answer
            yield _too_long(self.max_pair, question, answer, line) or maker.make(
                question, answer, stem=stem, source=Source(path=name, line=line), extras=exchange.extras
            )
        yield from counts.drops()
        if blocks.broken:
            raise blocks.broken
        if empty:
            raise UnreadableFile("empty", "contains no record", "check that the download is complete")


def _unescaped(raw: str) -> str:
    return manifests.unescape_formula(cell(raw))


def _too_long(limit: int, question: str, answer: str, line: int) -> Flaw | None:
    """Returns a flaw if a pair has more bytes than the limit.

    Args:
        limit: Most bytes, as UTF-8.
        question: Text of the question.
        answer: Text of the answer.
        line: Where the record begins.
    """
    if not may_be_over(limit, len(question) + len(answer)) or not over(limit, question + answer):
        return None
    problem = f"question and answer have more than {limit} bytes"
    return Flaw(reason="pair_too_long", problem=problem, line=line, column=1, error=False)


def _hint(names: Iterable[str], columns: Columns) -> str:
    """Returns what to do about a header without the columns."""
    if any("\0" in name for name in names):
        return "it looks like UTF-16 without a byte order mark: pass encoding='utf-16-le' or 'utf-16-be'"
    if columns.question is not None:
        return "use names from the header in `question=` and `answer=`, and pass `delimiter=` if it is an unusual one"
    return f"furytune recognises {WANTED}; {_NAME_THEM}"


def _collected(
    files: Iterable[tuple[PairFile, Iterator[QAPair | Dropped | Flaw]]], on_error: OnError
) -> Iterator[QAPair | Dropped]:
    """Passes on the content of the files; raises if skipping leaves nothing because no file can be read."""
    failed: list[Dropped] = []
    count = pairs = 0
    for file, items in files:
        count += 1
        for item in _settled(file, items, on_error):
            if isinstance(item, QAPair):
                pairs += 1
            elif item.unit == "file":
                failed.append(item)
            yield item
    if not pairs and failed and len(failed) == count:
        reasons = "; ".join(f"{drop.where}: {drop.detail}" for drop in failed[:3])
        more = f"; and {count - 3} more" if count > 3 else ""
        raise SourceError(
            f"no pair could be read because every file is damaged ({reasons}{more}); download them again"
        )


def _settled(
    file: PairFile, items: Iterator[QAPair | Dropped | Flaw], on_error: OnError
) -> Iterator[QAPair | Dropped]:
    """Passes pairs on; raises an error for a flaw, or counts it."""
    try:
        for item in items:
            if isinstance(item, Flaw):
                yield _judged(file, item, on_error)
            else:
                yield item
    except UnreadableFile as error:
        if on_error == "raise":
            raise SourceFormatError(
                error.problem, path=file.place, line=1, column=1, hint=error.hint
            ) from error
        yield Dropped(reason=error.reason, unit="file", where=file.name, detail=error.problem)


def _judged(file: PairFile, flaw: Flaw, on_error: OnError) -> Dropped:
    """Raises for a flaw, or returns it as a drop."""
    if flaw.error and on_error == "raise":
        raise SourceFormatError(
            flaw.problem, path=file.place, line=flaw.line, column=flaw.column, hint=flaw.hint
        )
    return Dropped(reason=flaw.reason, unit="record", where=f"{file.name}:{flaw.line}", detail=flaw.problem)


def _sure(file: PairFile, line: int, *cells: str) -> None:
    """Raises for a cell that may be an exporter's escape or a person's text, if nothing says which."""
    if any(map(manifests.looks_escaped, cells)):
        raise SourceFormatError(
            "a cell begins like one that CsvExporter escaped, and no manifest beside the file says whether it did",
            path=file.place,
            line=line,
            column=1,
            hint="pass escaped_formulas=True if the file is an export of furytune, otherwise False",
        )


def _listed_in_manifest(file: PairFile) -> Mapping[str, Any] | None:
    """Returns the file's entry in its manifest; an empty one if the cells are not escaped, None without a manifest.

    Raises:
        SourceFormatError: A manifest that may list the file cannot be read.
    """
    path = file.path
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    own = manifests.manifest_path(path.with_name(name))
    others: list[Path] = []
    # In a folder that can be entered but not listed, the manifest with the file's own name can still be opened.
    with system_errors_as(SourceError, path), suppress(PermissionError):
        others = sorted(p for p in path.parent.iterdir() if p.name.endswith(manifests.SUFFIX))
    for manifest in dict.fromkeys([own, *others]):
        try:
            head = manifests.read_head(manifest)
        except (FileNotFoundError, IsADirectoryError):
            continue
        except (OSError, ValueError, RecursionError) as error:
            # Any manifest may list the file, so one that cannot be read now must not be skipped.
            if manifest == own or isinstance(error, OSError):
                raise SourceFormatError(
                    "the manifest beside it cannot be read, so it is unclear how to read cells that begin with '",
                    path=printable(path),
                    hint="pass escaped_formulas=True if the file is an export of furytune, otherwise False",
                ) from error
            continue
        for entry in head.get("files", ()):
            if entry.get("name") == name:
                return entry if head.get("escaped_formulas") is True else {}
    return None
