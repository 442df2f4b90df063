"""Removes the versions of an index that nothing needs any more.

LanceDB's own clean-up looks only at age and stops at the first tag, so furytune removes each version itself, in three steps.
First its manifest moves out of the table, which hides the version at once. Then the files that only this manifest names are
deleted, and then the manifest. After a crash, the next clean-up continues. A file that no manifest names is never deleted,
because another process may be about to write a version with it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from furytune.augmenters._index import snapshot as _snapshot
from furytune.augmenters._index import tables
from furytune.augmenters._index.settings import place_of
from furytune.contract import file as _contract_file
from furytune.errors import ConfigError, KnowledgeError

__all__ = ["LOADED", "RECENT", "CleanedIndex", "KeptVersion", "clean_index", "drop_versions", "finish"]

RECENT = timedelta(days=1)
"""How long a version stays after it was last opened: long enough for a run to end and save its contract."""

LOADED = timedelta(days=90)
"""How long a version stays after a contract was last loaded with it: a bot may run for weeks before it loads again."""

_GONE = re.compile(r"dropped-(\d+)\.manifest")


@frozen(kw_only=True)
class KeptVersion:
    """A version that stays.

    Attributes:
        version: Its number.
        reasons: Why it stays: ``newest``, ``previous`` (a process may be opening it), ``opened`` (within the given time),
            ``loaded`` (a contract that names it, within 90 days), ``tag NAME``, or ``contract FILE``.
    """

    version: int
    reasons: tuple[str, ...]


@frozen(kw_only=True)
class CleanedIndex:
    """The result of cleaning an index.

    Attributes:
        path: Folder of the table, absolute.
        kept: The versions that stay, newest first.
        dropped: Numbers of the versions that were removed, ascending.
        freed: How many bytes were freed.
        untagged: Names of the tags that were removed.
        obstacle: Why some versions could not be removed; "" if everything was.
    """

    path: str
    kept: tuple[KeptVersion, ...]
    dropped: tuple[int, ...] = ()
    freed: int = 0
    untagged: tuple[str, ...] = ()
    obstacle: str = ""

    def __str__(self) -> str:
        return "\n".join([self.path, *self.lines()])

    def lines(self) -> list[str]:
        """Returns what to print below a heading."""
        lines = []
        if self.dropped:
            lines.append(
                f"  dropped {len(self.dropped):>7}  {'version' + 's' * (len(self.dropped) > 1):<8} {self.freed:,} bytes"
            )
        lines += [f"  kept {v.version:>10}  version  {', '.join(v.reasons)}" for v in self.kept]
        lines += [f"  tag removed: {name}" for name in self.untagged]
        return [*lines, *[f"  {self.obstacle}"] * bool(self.obstacle)]


def clean_index(
    path: str | os.PathLike[str],
    *,
    contracts: Iterable[str | os.PathLike[str]] = (),
    tags: bool = True,
    recent: timedelta = RECENT,
) -> CleanedIndex:
    """Removes the versions of an index that nothing needs any more, as `build_index` does by default.

    These stay: the newest version and the one before it; versions with a tag, such as `PromptContract.save` sets; versions
    that an augmenter opened in the last day, or a contract was loaded with in the last 90 days, if they could write to
    the folder; and the versions that the given contracts name.

    Args:
        path: Folder of the table.
        contracts: Contract files whose versions stay, even without a tag. Name the contracts that could not set a tag
            because the index folder was read-only.
        tags: Whether furytune's tags and loaded contracts keep their versions. With False, pass all contracts in use:
            furytune's tags on other versions are removed. Tags with other names always count.
        recent: How long an opened version stays.

    Returns:
        What was kept and why, and what was removed.

    Raises:
        ConfigError: An argument is not valid, or a contract belongs to another index.
        ContractError: A contract file cannot be read.
        SnapshotError: The passages of a contract are already missing. Nothing was removed.
        KnowledgeError: The index is missing or cannot be read.
        MissingExtraError: LanceDB is not installed.
    """
    place = tables.check_path(path)
    if isinstance(contracts, (str, bytes, os.PathLike)):
        raise ConfigError("contracts= takes a list of contract files")
    files = list(contracts)
    if not isinstance(recent, timedelta) or recent < timedelta(0):
        raise ConfigError("recent= takes a timedelta of at least 0")
    if not tags and not files:
        raise ConfigError(
            "tags=False without contracts= would remove the version of every contract; list the contract files in use"
        )
    tables.newest(place)
    needed: dict[int, list[str]] = {}
    for file in files:
        needed.setdefault(_version_of(place, Path(file)), []).append(f"contract {Path(file).name}")
    return drop_versions(place, needed=needed, tags=tags, recent=recent)


def drop_versions(
    path: str,
    *,
    needed: Mapping[int, Sequence[str]] | None = None,
    tags: bool = True,
    recent: timedelta = RECENT,
) -> CleanedIndex:
    """Removes all versions except those that something may need.

    Args:
        path: Folder of an index, as `tables.check_path` returns it.
        needed: Reasons for other versions to stay, by number.
        tags: Whether furytune's tags and loaded contracts count.
        recent: How long an opened version stays.

    Raises:
        KnowledgeError: The index cannot be read.
    """
    table, place = tables.open_index(path), Path(path)
    newest = int(table.version)
    try:
        held = _tagged(table)
        manifests = _snapshot.manifests(place)
        # Nothing is removed unless every file is understood: a wrong guess would destroy another version.
        if newest not in manifests or _shared(place):
            kept = (KeptVersion(version=newest, reasons=("newest",)),)
            why = (
                "no version was removed: the folder contains branches, links, or manifests of an unknown form"
            )
            return CleanedIndex(path=path, kept=kept, obstacle=why)
        uses = {"opened": recent, **({"loaded": LOADED} if tags else {})}
        reasons = _reasons(place, manifests, newest, uses)
        for number, why_needed in (needed or {}).items():
            reasons.setdefault(number, []).extend(why_needed)
        untagged = [] if tags else [n for n, v in held.items() if tables.is_ours(n) and v not in reasons]
        for name in untagged:
            table.tags.delete(name)
        for name, number in sorted(held.items()):
            if name not in untagged:
                reasons.setdefault(number, []).append(f"tag {name}")
        gone = [n for n in sorted(manifests) if n not in reasons and _hide(place, manifests[n], n)]
        # Hidden first and then checked again: a contract saved in between is noticed, and its version comes back.
        gone = [n for n in gone if not _tagged_meanwhile(table, place, manifests[n], n)]
        freed = finish(place)
    except (OSError, RuntimeError, ValueError) as error:
        raise KnowledgeError(
            f"{path}: could not remove versions ({type(error).__name__}); check the permissions of the folder,"
            " and call clean_index(path) again"
        ) from error
    # Another process may have removed some of them too, or made a new one.
    left = sorted(manifests.keys() & _snapshot.manifests(place).keys(), reverse=True)
    return CleanedIndex(
        path=path,
        kept=tuple(KeptVersion(version=n, reasons=tuple(reasons.get(n, ["in use"]))) for n in left),
        dropped=tuple(gone),
        freed=freed,
        untagged=tuple(sorted(untagged)),
        obstacle=""
        if all(n in reasons for n in left)
        else "a version is in use, or the folder cannot be written to; call clean_index(path) again later",
    )


def _version_of(path: str, file: Path) -> int:
    """Returns the version that contains the passages of a contract.

    Raises:
        ConfigError: The contract belongs to another index.
        SnapshotError: No version has its passages.
    """
    content = _contract_file.read(file)
    there, version, snapshot = place_of(content["location"], file.parent)
    if os.path.realpath(there) != os.path.realpath(path):
        raise ConfigError(
            f"{file}: this contract belongs to another index, {there}; pass contracts of {path}"
        )
    vectors = content["form"]["augmenter"].get("embedder") is not None
    return tables.find(path, version, snapshot, vectors=vectors).version


def _reasons(
    place: Path, manifests: Mapping[int, Path], newest: int, uses: Mapping[str, timedelta]
) -> dict[int, list[str]]:
    """Returns the versions to keep without looking at contracts or tags, with the reasons.

    Args:
        place: The table.
        manifests: The manifest of each version.
        newest: The newest version when the table was opened.
        uses: For each kind of use, how long it keeps a version.
    """
    found: dict[int, list[str]] = {newest: ["newest"]}
    # A process may just be reading it, and a build that went wrong can be undone.
    found |= {n: ["previous"] for n in sorted(n for n in manifests if n < newest)[-1:]}
    found |= {n: ["newest"] for n in manifests if n > newest}  # written since the table was opened
    now = time.time()
    for number in manifests:
        for use, age in uses.items():
            if _snapshot.marked(place, number, use) > now - age.total_seconds():
                found.setdefault(number, []).append(use)
    return found


def _tagged(table: Any) -> dict[str, int]:
    return {name: int(held["version"]) for name, held in table.tags.list().items()}


def _shared(place: Path) -> bool:
    """Returns whether LanceDB branches, or another folder, share the files."""
    refs = place / "_refs"
    if (place / "tree").exists() or (refs.is_dir() and any(p.name != "tags" for p in refs.iterdir())):
        return True
    return any(
        (place / name).is_symlink() for name in ("_versions", "_transactions", "data", _snapshot.FOLDER)
    )


def _hide(place: Path, manifest: Path, number: int) -> bool:
    """Hides a version; returns False if another process did, or has the file open."""
    (place / _snapshot.FOLDER).mkdir(exist_ok=True)
    try:
        # A rename is atomic: a reader sees the version whole or not at all.
        manifest.rename(_hidden(place, number))
    except (FileNotFoundError, PermissionError):
        return False
    return True


def _hidden(place: Path, number: int) -> Path:
    return place / _snapshot.FOLDER / f"dropped-{number}.manifest"


def _tagged_meanwhile(table: Any, place: Path, manifest: Path, number: int) -> bool:
    """Restores a hidden version if a contract that names it was saved just now.

    Args:
        table: The opened table.
        place: Its folder.
        manifest: Where the manifest was.
        number: The version.
    """
    if number not in _tagged(table).values():
        return False
    with suppress(FileNotFoundError):
        _hidden(place, number).rename(manifest)
    return True


def finish(place: Path) -> int:
    """Deletes files that only hidden manifests name, including those hidden by a killed process; returns the bytes."""
    folder = place / _snapshot.FOLDER
    if not folder.is_dir():
        return 0
    hidden = {int(m[1]): p for p in folder.iterdir() if (m := _GONE.fullmatch(p.name))}
    if not hidden:
        return 0
    named = b"".join(p.read_bytes() for p in hidden.values())
    still = b"".join(p.read_bytes() for p in _snapshot.manifests(place).values())
    files = [p for name in ("data", "_transactions") for p in _files(place / name)]
    # Only files that a hidden version names: one that no version names may belong to a writer that is still
    # at work.
    unused = [p for p in files if p.name.encode() in named and p.name.encode() not in still]
    copies = [p for p in _files(folder) if p.name.partition(".")[0] in map(str, hidden)]
    freed = sum(map(_remove, [*unused, *copies]))
    # The hidden manifest stays until its files are gone, so that the next call still knows them.
    return freed + sum(_remove(p) for p in hidden.values() if not any(f.exists() for f in unused))


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.is_file()] if folder.is_dir() else []


def _remove(path: Path) -> int:
    """Deletes a file and returns its size, 0 if that is not possible now."""
    # Another process may remove the file too, or read it (on Windows); the next clean-up continues.
    with suppress(OSError):
        size = path.stat().st_size
        path.unlink()
        return size
    return 0
