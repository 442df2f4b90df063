"""Writes training rows, validation rows and manifest as one group of files, in one pass and constant memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
from array import array
from collections import Counter
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
from attrs import define, field, frozen

from furytune._storage import manifests
from furytune._storage.durable import StagedFile, StagedGroup, staged
from furytune.errors import ConfigError, ExportError
from furytune.exporters._writing.manifest import encode_sources, head_lines, source_ids
from furytune.records import DataFile, Dataset, Split, TrainingRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from furytune.protocols import ContractIdentity
    from furytune.report import Tally

__all__ = ["Layout", "data_path", "default_validation"]

_FIRST = 64
_ROWS = 1024
_BYTES = 1 << 20
_COPY = 1 << 20
_WAIT = 10.0


@frozen(kw_only=True)
class Layout:
    """Describes the files of an exporter.

    Attributes:
        train: File of the training rows.
        validation: File of the validation rows.
        dialect: Name of the rows' dialect.
        encode: Returns the bytes of some rows; raises UnicodeEncodeError for text that UTF-8 cannot encode.
        header: Bytes at the beginning of each file.
        escaped_formulas: Whether cells that look like formulas are escaped.
    """

    train: Path
    validation: Path
    dialect: str
    encode: Callable[[list[TrainingRow]], bytes]
    header: bytes = b""
    escaped_formulas: bool = False

    def write(
        self, rows: Iterable[TrainingRow], *, contract: ContractIdentity, tally: Tally | None
    ) -> Dataset:
        """Writes everything, or nothing.

        Raises:
            ExportError: Nothing was written, unless the message says that a rename failed half-way.
        """
        with staged() as group:
            dataset = self.stage(rows, contract=contract, tally=tally, group=group)
            with _reported(
                self.train,
                "some files may be new; `load_dataset` refuses the data set unless its manifest fits all its files",
            ):
                group.commit()
        return dataset

    def stage(
        self,
        rows: Iterable[TrainingRow],
        *,
        contract: ContractIdentity,
        tally: Tally | None,
        group: StagedGroup,
    ) -> Dataset:
        """Writes everything to temporary files, which appear when the group is committed.

        Raises:
            ExportError: A row is invalid, or a file cannot be written. The caller must discard the group.
        """
        manifest = manifests.manifest_path(self.train)
        _lock(group, manifest)
        with _spool(self.train.parent) as spool:
            run = _Run(layout=self, group=group, spool=spool)
            run.open("train")
            run.take(rows)
            run.refuse_twins()
            # A validation file of an earlier run beside a new training file would be taken for its other
            # half.
            self._drop_stale(run, manifest)
            files = run.data_files()
            head = head_lines(
                files=files,
                folder=manifest.parent,
                dialect=self.dialect,
                escaped_formulas=self.escaped_formulas,
                fingerprint=contract.fingerprint,
                snapshot=contract.snapshot,
                form=contract.form,
                counts=tally.counts.as_json() if tally is not None else {},
                provenance=tally.provenance if tally is not None else (),
            )
            with _reported(manifest):
                _write_manifest(group.open(manifest, seal=True), head, spool)
        return Dataset(
            files=files,
            manifest=str(manifest),
            dialect=self.dialect,
            fingerprint=contract.fingerprint,
            snapshot=contract.snapshot,
        )

    def _drop_stale(self, run: _Run, manifest: Path) -> None:
        """Removes the validation file of an earlier run if this run has no validation rows.

        Raises:
            ExportError: The file was not written by an earlier export.
        """
        if "validation" in run.sinks or not os.path.lexists(self.validation):
            return
        try:
            listed = {str(f["name"]) for f in manifests.read_head(manifest)["files"]}
        except (OSError, ValueError, KeyError, TypeError):
            listed = set()
        if Path(os.path.relpath(self.validation, manifest.parent)).as_posix() not in listed:
            raise ExportError(
                f"{self.validation}: this file has the name of the validation file, but this run has no validation "
                "rows, and no earlier export is known to have written it; move it away, or give another `validation=`"
            )
        with _reported(self.validation):
            run.group.remove(self.validation)


@define
class _Sink:
    """A data file that is being written.

    Attributes:
        file: The temporary file.
        path: Where it will appear.
        rows: Rows written so far.
        state: sha256 of the bytes so far.
    """

    file: StagedFile
    path: Path
    rows: int = 0
    state: hashlib._Hash = field(factory=hashlib.sha256)

    def write(self, data: bytes, rows: int) -> None:
        with _reported(self.path):
            self.file.write(data)
        self.state.update(data)
        self.rows += rows


@define
class _Run:
    """An export in progress.

    Attributes:
        layout: The exporter's files.
        group: The files that appear together.
        spool: The sources of the rows, until the manifest is written.
        sinks: The data files by split.
        hashes: Hashes of all ids, in 256 parts.
        encoder: Encodes sources.
    """

    layout: Layout
    group: StagedGroup
    spool: IO[bytes]
    sinks: dict[Split, _Sink] = field(factory=dict)
    # Hashes of the ids find duplicates with 8 bytes per row. Small arrays keep the check of each one small.
    hashes: list[array[int]] = field(factory=lambda: [array("q") for _ in range(256)])
    encoder: msgspec.json.Encoder = field(factory=msgspec.json.Encoder)

    def open(self, split: Split) -> _Sink:
        """Opens the file of a split, with its header."""
        path = self.layout.train if split == "train" else self.layout.validation
        with _reported(path):
            sink = self.sinks[split] = _Sink(self.group.open(path), path)
        sink.write(self.layout.header, 0)
        return sink

    def take(self, rows: Iterable[TrainingRow]) -> None:
        """Writes all rows, in batches of about 1 MiB."""
        left = iter(rows)
        # The first batch is small, because nothing is known yet about the size of a row.
        count = _FIRST
        while batch := list(islice(left, count)):
            self._check(batch)
            size = self._flush(batch)
            count = max(1, min(_ROWS, 2 * count, _BYTES * len(batch) // size))

    def _check(self, batch: list[TrainingRow]) -> None:
        """Refuses empty texts, and collects the hashes of ids."""
        for row in batch:
            prompt, answer = row.prompt.text, row.answer
            if not prompt or not answer or prompt.isspace() or answer.isspace():
                which = "prompt" if not prompt or prompt.isspace() else "answer"
                raise ExportError(
                    f"row {row.id!a}: its {which} is empty; nothing was written; drop the pair and export again"
                )
        hashes = self.hashes
        for digest in map(hash, [row.id for row in batch]):
            hashes[digest & 255].append(digest)

    def _flush(self, batch: list[TrainingRow]) -> int:
        """Writes a batch and returns how many bytes it took.

        Raises:
            ExportError: A row has an unknown split, or text that UTF-8 cannot encode.
        """
        parts: dict[Split, list[TrainingRow]] = {"train": [], "validation": []}
        for row in batch:
            try:
                parts[row.split].append(row)
            except KeyError:
                raise ExportError(
                    f"row {row.id!a}: its split is neither train nor validation; nothing was written; check the splitter"
                ) from None
        size = sum(self._put(split, part) for split, part in parts.items())
        try:
            lines = encode_sources(batch, self.encoder)
        except UnicodeEncodeError as error:
            raise _unwritable(batch) from error
        with _reported(self.layout.train):
            self.spool.write(lines.replace(b"\n", b",\n"))
        return size + len(lines)

    def _put(self, split: Split, rows: list[TrainingRow]) -> int:
        """Writes the rows of one split and returns how many bytes they took."""
        if not rows:
            return 0
        sink = self.sinks.get(split) or self.open(split)
        try:
            data = self.layout.encode(rows)
        except UnicodeEncodeError as error:
            raise _unwritable(rows) from error
        sink.write(data, len(rows))
        return len(data)

    def refuse_twins(self) -> None:
        """Raises ExportError if two rows have one id."""
        # Two ids can have the same hash, so equal hashes only point to ids to compare in a second pass.
        suspects: set[int] = set()
        for part in self.hashes:
            if len(set(part)) != len(part):
                suspects.update(h for h, n in Counter(part).items() if n > 1)
        if not suspects:
            return
        met: set[str] = set()
        with _reported(self.layout.train):
            self.spool.seek(0)
        for name in source_ids(self.spool):
            if hash(name) in suspects:
                if name in met:
                    raise ExportError(
                        f"row id {name!a} occurs twice; nothing was written; give every pair its own id"
                    )
                met.add(name)

    def data_files(self) -> tuple[DataFile, ...]:
        """Returns the files as the manifest lists them."""
        return tuple(
            DataFile(
                path=str(sink.path),
                split=split,
                rows=sink.rows,
                size=sink.file.size,
                sha256=sink.state.hexdigest(),
            )
            for split, sink in self.sinks.items()
        )


def data_path(value: str | os.PathLike[str]) -> Path:
    """Returns the path of a data file.

    Raises:
        ConfigError: The path names no file, or a compressed one.
    """
    path = Path(value)
    if not path.name or path.suffix.lower() in {".gz", ".bz2", ".xz", ".zst"}:
        raise ConfigError(f"{path}: give the path of an uncompressed file to write")
    return path


def default_validation(train: Path) -> Path:
    """Returns the file for validation rows: ``train.jsonl`` -> ``train.validation.jsonl``."""
    return train.with_name(f"{train.stem}.validation{train.suffix}")


def _lock(group: StagedGroup, manifest: Path) -> None:
    """Keeps other runs from writing the same data set until this run ends.

    Raises:
        ExportError: Another run holds the lock, or the folder cannot be written.
    """
    try:
        group.lock(manifest.with_name(f".{manifest.name}.lock"), wait=_WAIT)
    except BlockingIOError as error:
        raise ExportError(
            f"{manifest}: another run is writing this data set ({error.strerror}); nothing was written; wait for it to "
            "finish, or export to another path"
        ) from None
    except OSError as error:
        raise ExportError(
            f"{manifest.parent}: cannot be written: {error.strerror or type(error).__name__}; nothing was written; "
            "check the folder and export again"
        ) from error


@contextmanager
def _spool(folder: Path) -> Iterator[IO[bytes]]:
    """Opens an unnamed file beside the data, for the sources that follow the manifest's head."""
    with _reported(folder):
        spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closed below)
    try:
        yield spool
    finally:
        with suppress(OSError):  # a full disk has been reported by then
            spool.close()


@contextmanager
def _reported(path: Path, consequence: str = "nothing was written") -> Iterator[None]:
    """Turns an OSError into an ExportError that says what happened to the data set."""
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written: {error.strerror or type(error).__name__}; {consequence}; "
            "fix the cause and export again"
        ) from error


def _unwritable(rows: list[TrainingRow]) -> ExportError:
    """Returns the error for the first row that contains a lone surrogate."""
    for row in rows:
        places = {
            "prompt": row.prompt.text,
            "system instruction": row.prompt.system,
            "answer": row.answer,
            "id, group or source": "".join(
                (
                    row.id,
                    row.group,
                    row.source.path,
                    row.source.guild,
                    row.source.channel,
                    row.source.thread,
                    *row.messages,
                )
            ),
        }
        for place, text in places.items():
            try:
                text.encode()
            except UnicodeEncodeError:
                return ExportError(
                    f"row {row.id!a}: its {place} contains a lone surrogate, which cannot be written as UTF-8; "
                    "nothing was written; drop or repair the pair, and export again"
                )
    return ExportError(  # pragma: no cover  (an exporter's encode refused text that UTF-8 can encode)
        "a row contains a lone surrogate, which cannot be written as UTF-8; nothing was written; drop or repair "
        "its pair, and export again"
    )


def _write_manifest(file: StagedFile, head: bytes, spool: IO[bytes]) -> None:
    """Writes the head, then the sources, without copying them into memory."""
    file.write(head)
    spool.flush()
    left = spool.seek(0, os.SEEK_END)
    spool.seek(0)
    # The last two bytes are a comma and a line break.
    while left > 2:
        block = spool.read(min(_COPY, left - 2))
        file.write(block)
        left -= len(block)
    # A line break follows the last entry, but no comma.
    file.write(b"\n]\n}\n" if left else b"]\n}\n")
