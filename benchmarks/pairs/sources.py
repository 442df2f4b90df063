"""Reads the chat data that the pairing models are trained and measured on, as one kind of row.

Every reader takes the data folder (``FURYTUNE_DATA``) and yields `Stream` values. The data are not part of the project.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import field, frozen

_IRC = re.compile(r"^(?:\S+ \d{4}-\d\d-\d\d )?\[(\d\d):(\d\d)(?::\d\d)?\] (?:<([^>]*)>|\* (\S+))\s?(.*)$")
_GITTER = re.compile(r"^(?:\d+ )?\[(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)\] <([^>]*)> ?(.*)$")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class Row:
    """One message.

    Attributes:
        id: The message's id, as the source has it; the line number on IRC, the place in order of time on Gitter.
        author: Who wrote it; "" for the system.
        names: Names by which others may address the author.
        text: Its text.
        at: When it was sent.
        reply_to: The message that it replies to by a native reply, or "".
        system: True for joins, renames and the like.
        marks: Names of the reactions.
        files: How many files are attached.
        dialogue: Number of the dialogue that people put it in, or -1.
    """

    id: str
    author: str
    names: tuple[str, ...] = ()
    text: str = field(repr=False)
    at: datetime
    reply_to: str = ""
    system: bool = False
    marks: tuple[str, ...] = ()
    files: int = 0
    dialogue: int = -1


@frozen(kw_only=True)
class Stream:
    """The messages of one file, in order of time.

    Attributes:
        file: The file, relative to the data folder.
        kind: "discord", "forum", "irc" or "gitter".
        channel: Its name.
        rows: The messages.
        links: Pairs of child and parent by place in ``rows`` that people annotated; equal for a start.
        first: Place of the first annotated message.
    """

    file: str
    kind: str
    channel: str
    rows: tuple[Row, ...] = field(repr=False)
    links: frozenset[tuple[int, int]] = field(default=frozenset(), repr=False)
    first: int = 0


def data_folder() -> Path:
    """Returns the folder that ``FURYTUNE_DATA`` names."""
    place = os.environ.get("FURYTUNE_DATA")
    if not place:
        sys.exit("set FURYTUNE_DATA to the folder with the chat data")
    return Path(place)


def _unpacked(archive: Path) -> Iterator[tuple[str, str]]:
    """Yields the name and text of each file of an archive, by name."""
    with tarfile.open(archive, "r:xz") as packed:
        for member in sorted(packed.getmembers(), key=lambda m: m.name):
            source = packed.extractfile(member)
            if source is not None:
                yield member.name, source.read().decode("utf-8")


def _discord_rows(export: dict) -> tuple[Row, ...]:
    rows = []
    for message in export["messages"]:
        author = message.get("author") or {}
        rows.append(
            Row(
                id=message["id"],
                author=author.get("id") or author.get("name") or "?",
                names=tuple(filter(None, (author.get("nickname"), author.get("name")))),
                text=message["content"] or "",
                at=datetime.fromisoformat(message["timestamp"]),
                reply_to=(message.get("reference") or {}).get("messageId") or "",
                system=message["type"] == "System",
                marks=tuple((r["emoji"].get("code") or "") for r in message.get("reactions") or ()),
                files=len(message.get("attachments") or ()),
            )
        )
    return tuple(rows)


def discord(root: Path) -> Iterator[Stream]:
    """Yields the channels of Discord exports in JSON."""
    for path in sorted(root.glob("discord-converted/*.json.gz")):
        with gzip.open(path) as file:
            export = json.load(file)
        yield Stream(
            file=os.path.relpath(path, root),
            kind="discord",
            channel=export["channel"]["name"],
            rows=_discord_rows(export),
        )


def forum(root: Path) -> Iterator[Stream]:
    """Yields forum threads of Discord; each file of the archive is one. Needs beautifulsoup4 and lxml."""
    sys.path.insert(0, str(root / "tools"))
    from dce_html import convert  # type: ignore[import-not-found]

    for archive in sorted(root.glob("discord-*/threads.tar.xz")):
        for name, text in _unpacked(archive):
            export = convert(text)
            yield Stream(
                file=f"{os.path.relpath(archive, root)}:{name}",
                kind="forum",
                channel=Path(name).stem,
                rows=_discord_rows(export),
            )


def _irc_rows(lines: list[str]) -> tuple[Row, ...]:
    rows: list[Row] = []
    day = minute = 0
    for number, line in enumerate(lines):
        found = _IRC.match(line.rstrip("\n"))
        if found:
            now = int(found[1]) * 60 + int(found[2]) + day
            # The clock has no date, so a step back of hours is the next day.
            if rows and now < minute - 600:
                day += 1440
                now += 1440
            minute = now
            nick = (found[3] or found[4]).strip().lower()
            rows.append(
                Row(
                    id=str(number),
                    author=nick,
                    names=(nick,),
                    text=found[5],
                    at=_EPOCH + timedelta(minutes=minute),
                )
            )
        else:
            rows.append(
                Row(
                    id=str(number),
                    author="",
                    text=line.strip(),
                    at=_EPOCH + timedelta(minutes=minute),
                    system=True,
                )
            )
    return tuple(rows)


def _links(lines: list[str]) -> frozenset[tuple[int, int]]:
    found = set()
    for line in lines:
        numbers = [int(word) for word in line.split() if word != "-"]
        if numbers:
            child = max(numbers)
            found.add((child, min(numbers)))
    return frozenset(found)


def irc(root: Path, part: str) -> Iterator[Stream]:
    """Yields annotated IRC logs.

    Args:
        root: The data folder.
        part: "train", "dev", "test", "new-domains", "channel-two.dev" or "channel-two.test".
    """
    base = root / "irc-disentanglement"
    texts: dict[str, list[str]] = {}
    if part == "train":
        for name, text in _unpacked(base / "train.tar.xz"):
            texts[Path(name).name] = text.rstrip("\n").split("\n")
    else:
        folder, _, only = part.partition(".")
        for path in sorted((base / folder).glob("*.a*.txt")):
            if not only or path.name.startswith(part + "."):
                # splitlines() also cuts at characters that are part of a message.
                texts[path.name] = path.read_text("utf-8").rstrip("\n").split("\n")
    for name in sorted(texts):
        if name.endswith(".annotation.txt"):
            stem = name.removesuffix(".annotation.txt")
            rows = _irc_rows(texts[f"{stem}.ascii.txt"])
            links = frozenset((c, p) for c, p in _links(texts[name]) if c < len(rows))
            first = 0 if folder_starts_at_zero(part) else 1000
            yield Stream(
                file=f"irc-disentanglement/{part}/{stem}",
                kind="irc",
                channel=stem,
                rows=rows,
                links=links,
                first=first,
            )


def folder_starts_at_zero(part: str) -> bool:
    """Returns True if the logs of a part are annotated from their first line."""
    return part.startswith("channel-two")


def gitter(root: Path) -> Iterator[Stream]:
    """Yields Gitter rooms: hand-separated dialogues, put back into one stream by time."""
    for path in sorted(root.glob("gitter-livechat/*.txt")):
        if path.name == "SOURCE.txt":
            continue
        found: list[tuple[datetime, int, int, str, str]] = []
        dialogue = 0
        for number, line in enumerate(path.read_text("utf-8").split("\n")):
            match = _GITTER.match(line)
            if match:
                at = datetime.fromisoformat(match[1].replace(" ", "T")).replace(tzinfo=UTC)
                found.append((at, number, dialogue, match[2], match[3]))
            elif line.startswith("-----"):
                dialogue += 1
            elif found and line.strip():
                at, first, where, who, text = found[-1]
                found[-1] = (at, first, where, who, f"{text}\n{line}")
        found.sort(key=lambda item: item[:2])
        yield Stream(
            file=os.path.relpath(path, root),
            kind="gitter",
            channel=path.stem,
            rows=tuple(
                Row(id=str(i), author=who.lower(), names=(who,), text=text, at=at, dialogue=where)
                for i, (at, _, where, who, text) in enumerate(found)
            ),
        )


def windows_of(root: Path) -> dict[str, Stream]:
    """Returns every stream that windows are cut from, by file."""
    streams = [
        *discord(root),
        *forum(root),
        *irc(root, "dev"),
        *irc(root, "train"),
        *irc(root, "channel-two.dev"),
        *gitter(root),
    ]
    return {stream.file: stream for stream in streams}
