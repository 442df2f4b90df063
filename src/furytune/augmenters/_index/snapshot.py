"""The identity of a set of passages, and a copy of it that can be read without LanceDB.

The copy contains one line of canonical JSON per passage, in ascending order of id; the identity is the sha256 of these
lines. `keep` writes the copy into the table's folder, so that a bot need not import LanceDB, which takes more than a second,
to read a few thousand texts. The copy is used only if its bytes have the identity that it states, and if it names the
current manifest of the table's version. Otherwise the table is read with LanceDB.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen

from furytune._storage.durable import write_file
from furytune._values.canonical import Json, canonical_json, digest
from furytune.augmenters._search.vectors import digest_vectors, numpy
from furytune.records import Passage

__all__ = [
    "EPOCH",
    "FOLDER",
    "FORMAT",
    "MICROSECOND",
    "Loaded",
    "Vectors",
    "blob",
    "digest_of",
    "keep",
    "manifests",
    "mark",
    "marked",
    "micros",
    "recall",
    "recorded",
]

FORMAT = "1"
"""Increased when older code would misread the table or the copy."""

FOLDER = "_furytune"
"""Where the copies are, in the folder of the table."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Lance counts its manifests down, so that the newest comes first in a listing.
_MANIFEST = re.compile(r"(\d{20})\.manifest")
_LAST = 2**64 - 1
_HINT = "latest_version_hint.json"
_HEAD = 100_000


@frozen(kw_only=True)
class Vectors:
    """The vectors of passages.

    Attributes:
        embedder: Identity of the model that made them.
        numbers: One row of whole numbers per passage, see `furytune.augmenters._search.vectors.whole`.
        digest: Identity of the numbers.
    """

    embedder: Mapping[str, Json]
    numbers: Any = field(repr=False, eq=False)
    digest: str

    @classmethod
    def of(cls, embedder: Mapping[str, Json], numbers: Any) -> Vectors:
        """Returns vectors with their identity."""
        return cls(embedder=dict(embedder), numbers=numbers, digest=digest_vectors(numbers))


@frozen(kw_only=True)
class Loaded:
    """One version of a table, read and checked.

    Attributes:
        version: Its number.
        passages: In ascending order of id.
        snapshot: Identity of the passages.
        vectors: The vectors of the passages; None if they do not exist or were not requested.
    """

    version: int
    passages: tuple[Passage, ...]
    snapshot: str
    vectors: Vectors | None = None

    @property
    def identity(self) -> str:
        """Identity of the passages, and of the vectors if they were read."""
        return identity(self.snapshot, self.vectors.digest if self.vectors else "")


def identity(snapshot: str, vectors: str) -> str:
    """Returns the identity of passages and vectors together; without vectors, that of the passages."""
    return f"sha256:{digest([snapshot, vectors])}" if vectors else snapshot


def micros(date: datetime) -> int:
    """Returns microseconds since 1970, without the rounding of floats."""
    return (date - EPOCH) // MICROSECOND


def digest_of(passages: Iterable[Passage]) -> str:
    """Returns the identity of passages in ascending order of id: ``sha256:`` and 64 hex digits."""
    state = hashlib.sha256()
    for line in _lines(passages):
        state.update(line)
    return f"sha256:{state.hexdigest()}"


def _lines(passages: Iterable[Passage]) -> Iterable[bytes]:
    """Yields one line of canonical JSON for each passage; the digest and the copy are made of them."""
    for p in passages:
        date = None if p.date is None else micros(p.date)
        yield canonical_json([p.id, p.text, p.title, p.source, p.url, date]) + b"\n"


def keep(table: Path, state: Loaded, blobs: Mapping[str, bytes]) -> None:
    """Writes the copy of a version, and deletes copies of versions that no longer exist.

    Args:
        table: Folder of the table.
        state: The content of the version.
        blobs: Additional files for the copy, by suffix; each contains its own checksum.
    """
    known = manifests(table)
    manifest = known.get(state.version)
    if manifest is None:
        return
    folder = table / FOLDER
    folder.mkdir(exist_ok=True)
    header = _header(state.version, manifest, state.snapshot)
    if state.vectors is not None:
        header["vectors"] = {
            "embedder": state.vectors.embedder,
            "dimension": state.vectors.numbers.shape[1],
            "digest": state.vectors.digest,
        }
        blobs = {**blobs, "vectors": state.vectors.numbers.astype("<i2").tobytes()}
    for ending, content in blobs.items():
        # The passages come last: only with them is the copy complete, so a killed writer leaves none that
        # looks complete.
        write_file(folder / f"{state.version}.{ending}", content)
    write_file(
        folder / f"{state.version}.jsonl", b"".join([canonical_json(header), b"\n", *_lines(state.passages)])
    )
    for copy in folder.iterdir():
        # Copies contain people's words, so they must not outlive their version.
        if copy.stem.isdecimal() and int(copy.stem) not in known:
            copy.unlink(missing_ok=True)


def _header(version: int, manifest: Path, snapshot: str) -> dict[str, Json]:
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    return {"furytune_index": FORMAT, "version": version, "manifest": sha256, "snapshot": snapshot}


def blob(table: Path, version: int, ending: str) -> bytes:
    """Returns an additional file from the copy of a version; b"" if it is missing."""
    try:
        return (table / FOLDER / f"{version}.{ending}").read_bytes()
    except OSError:
        return b""


def recall(table: Path, version: int | None, *, vectors: bool = False) -> Loaded | None:
    """Returns a version from its copy, or None if LanceDB must read it.

    Args:
        table: Folder of the table.
        version: Number of the version; None means the newest.
        vectors: Whether to read the vectors too.
    """
    # LanceDB takes long to import; a bot that reads the copy starts at once.
    known = manifests(table)
    version = max(known, default=0) if version is None else version
    if version not in known:
        return None
    try:
        head, _, body = (table / FOLDER / f"{version}.jsonl").read_bytes().partition(b"\n")
        snapshot = f"sha256:{hashlib.sha256(body).hexdigest()}"
        found = json.loads(head)
        stated = found.pop("vectors", None)
        # The digest of the manifest ties the copy to this table, the snapshot to its own bytes.
        if found != _header(version, known[version], snapshot):
            return None
        passages = _passages([json.loads(line) for line in body.splitlines()])
        held = _vectors(table, version, stated, len(passages)) if vectors and stated else None
    # Any damage only means that LanceDB reads the version instead.
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Loaded(version=version, passages=passages, snapshot=snapshot, vectors=held)


def _vectors(table: Path, version: int, stated: Mapping[str, Any], count: int) -> Vectors:
    """Reads the vectors of a copy.

    Raises:
        ValueError: They do not match their digest.
    """
    raw = (table / FOLDER / f"{version}.vectors").read_bytes()
    numbers = numpy().frombuffer(raw, "<i2").reshape(count, int(stated["dimension"]))
    found = Vectors.of(stated["embedder"], numbers)
    if found.digest != stated["digest"]:
        raise ValueError("the vectors do not match their digest")
    return found


def recorded(table: Path, limit: int) -> dict[int, tuple[str, str]]:
    """Returns the identities that the copies of versions state, newest first, skipping versions without a copy.

    They are checked against the version's manifest, but not against the passages.

    Args:
        table: Folder of the table.
        limit: Maximum number of versions to read.

    Returns:
        For each version, the identity of its passages, and that of passages and vectors together.
    """
    known = manifests(table)
    found = {}
    for version in sorted(known, reverse=True)[:limit]:
        try:
            with (table / FOLDER / f"{version}.jsonl").open("rb") as file:
                head = json.loads(file.readline(_HEAD))
            stated = head.pop("vectors", None) or {"digest": ""}
            snapshot = head["snapshot"]
            if isinstance(snapshot, str) and head == _header(version, known[version], snapshot):
                found[version] = (snapshot, identity(snapshot, str(stated["digest"])))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def mark(table: Path, version: int, use: str) -> None:
    """Records that a version is used now, so that the next clean-up keeps it. Does nothing in a read-only folder.

    Args:
        table: Folder of the table.
        version: Number of the version.
        use: "opened" by an augmenter, or "loaded" with a contract.
    """
    with suppress(OSError):
        (table / FOLDER / f"{version}.{use}").touch()


def marked(table: Path, version: int, use: str) -> float:
    """Returns when a version was last used, in seconds since 1970; 0 if that was not recorded."""
    try:
        return (table / FOLDER / f"{version}.{use}").stat().st_mtime
    except OSError:
        return 0.0


def _passages(rows: Sequence[Sequence[object]]) -> tuple[Passage, ...]:
    """Builds passages from the lines of a copy."""
    found = []
    for id_, text, title, source, url, date in rows:
        when = EPOCH + date * MICROSECOND if isinstance(date, int) else None
        found.append(
            Passage(
                id=str(id_), text=str(text), title=str(title), source=str(source), url=str(url), date=when
            )
        )
    return tuple(found)


def manifests(table: Path) -> dict[int, Path]:
    """Returns the manifest of each version; an empty result if the folder contains unknown files."""
    try:
        names = [p for p in (table / "_versions").iterdir() if p.name != _HINT]
    except OSError:
        return {}
    matches = [(_MANIFEST.fullmatch(p.name), p) for p in names]
    # Another naming scheme, as of another version of Lance, would make the numbers wrong.
    if not all(match for match, _ in matches):
        return {}
    return {_LAST - int(match[1]): p for match, p in matches if match}
