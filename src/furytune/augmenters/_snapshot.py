"""A frozen set of passages: its bytes, its identity, and a copy of it that opens without LanceDB.

The bytes are one line of canonical JSON for each passage, in ascending order of id; the identity is their
sha256. `keep` puts them into the table's folder, so that a bot need not import a database, which takes more than a
second, to read a few thousand texts. The copy is believed only if its bytes have the identity it
states and if it names the very manifest that makes up the table's version; in any other case LanceDB is asked.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen

from furytune._canonical import Json, canonical_json
from furytune._durable import write_file
from furytune.records import Passage

__all__ = ["EPOCH", "FORMAT", "MICROSECOND", "Loaded", "digest_of", "keep", "micros", "recall", "recorded"]

FORMAT = "1"
"""Raised whenever older code would read table or copy wrongly."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_FOLDER = "_furytune"
# Lance counts its manifests down, so that the newest comes first in a listing.
_MANIFEST = re.compile(r"(\d{20})\.manifest")
_LAST = 2**64 - 1
_HINT = "latest_version_hint.json"
_HEAD = 1000


@frozen(kw_only=True)
class Loaded:
    """One version of a table, read and checked.

    Attributes:
        version: Its number.
        passages: In ascending order of id.
        snapshot: Identity of the passages.
    """

    version: int
    passages: tuple[Passage, ...]
    snapshot: str


def micros(date: datetime) -> int:
    """Returns microseconds since 1970, without the rounding of floats."""
    return (date - EPOCH) // MICROSECOND


def digest_of(passages: Iterable[Passage]) -> str:
    """Returns the identity of passages that are in ascending order of id, as ``sha256:`` and 64 hex digits."""
    state = hashlib.sha256()
    for line in _lines(passages):
        state.update(line)
    return f"sha256:{state.hexdigest()}"


def _lines(passages: Iterable[Passage]) -> Iterable[bytes]:
    for p in passages:
        date = None if p.date is None else micros(p.date)
        yield canonical_json([p.id, p.text, p.title, p.source, p.url, date]) + b"\n"


def keep(table: Path, state: Loaded) -> None:
    """Writes the copy of a version, and deletes those whose version is gone.

    Args:
        table: Folder of the table.
        state: What the version holds.
    """
    manifests = _manifests(table)
    manifest = manifests.get(state.version)
    if manifest is None:
        return
    header: Json = {
        "furytune_index": FORMAT,
        "version": state.version,
        "manifest": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "snapshot": state.snapshot,
    }
    folder = table / _FOLDER
    folder.mkdir(exist_ok=True)
    write_file(
        folder / f"{state.version}.jsonl", b"".join([canonical_json(header), b"\n", *_lines(state.passages)])
    )
    for copy in folder.glob("*.jsonl"):
        if copy.stem.isdecimal() and int(copy.stem) not in manifests:
            copy.unlink(missing_ok=True)


def recall(table: Path, version: int | None) -> Loaded | None:
    """Returns a version from its copy, or None where LanceDB has to be asked.

    Args:
        table: Folder of the table.
        version: Which; None is the newest.
    """
    manifests = _manifests(table)
    version = max(manifests, default=0) if version is None else version
    if version not in manifests:
        return None
    try:
        head, _, body = (table / _FOLDER / f"{version}.jsonl").read_bytes().partition(b"\n")
        manifest = hashlib.sha256(manifests[version].read_bytes()).hexdigest()
        snapshot = f"sha256:{hashlib.sha256(body).hexdigest()}"
        expected = {"furytune_index": FORMAT, "version": version, "manifest": manifest, "snapshot": snapshot}
        if json.loads(head) != expected:
            return None
        passages = _passages([json.loads(line) for line in body.splitlines()])
    except (OSError, ValueError):
        return None
    return Loaded(version=version, passages=passages, snapshot=snapshot)


def recorded(table: Path, limit: int) -> dict[int, str]:
    """Returns the snapshot that the copy of each version states, newest first; nothing for versions without one.

    The statement is checked against the version's manifest, but not against the passages.

    Args:
        table: Folder of the table.
        limit: How many versions to look at.
    """
    manifests = _manifests(table)
    found = {}
    for version in sorted(manifests, reverse=True)[:limit]:
        try:
            with (table / _FOLDER / f"{version}.jsonl").open("rb") as file:
                head = json.loads(file.readline(_HEAD))
            manifest = hashlib.sha256(manifests[version].read_bytes()).hexdigest()
        except (OSError, ValueError):
            continue
        known = {"furytune_index": FORMAT, "version": version, "manifest": manifest}
        if isinstance(head, dict) and isinstance(head.get("snapshot"), str):
            snapshot = head.pop("snapshot")
            if head == known:
                found[version] = snapshot
    return found


def _passages(rows: Sequence[Sequence[object]]) -> tuple[Passage, ...]:
    found = []
    for id_, text, title, source, url, date in rows:
        when = EPOCH + date * MICROSECOND if isinstance(date, int) else None
        found.append(
            Passage(
                id=str(id_), text=str(text), title=str(title), source=str(source), url=str(url), date=when
            )
        )
    return tuple(found)


def _manifests(table: Path) -> dict[int, Path]:
    """Returns the manifest of each version; nothing at all if the folder holds what is not known here."""
    try:
        names = [p for p in (table / "_versions").iterdir() if p.name != _HINT]
    except OSError:
        return {}
    matches = [(_MANIFEST.fullmatch(p.name), p) for p in names]
    if not all(match for match, _ in matches):
        return {}
    return {_LAST - int(match[1]): p for match, p in matches if match}
