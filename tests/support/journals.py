"""Writes and reads the files of a journal: the one module of the helpers that knows the private parts it is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from furytune._discord.journal.store import About, Journal
from furytune._storage.journal.lines import ChannelState, Position, gone_line
from furytune._storage.journal.log import Log

__all__ = [
    "append",
    "authored",
    "begin",
    "is_begun",
    "lines_of",
    "log_file",
    "message_line",
    "open_to_write",
    "position_of",
    "read_log",
    "replace",
    "server_of",
    "states",
    "tombstone",
    "unsettled",
    "write_pages",
    "writing",
]


def begin(folder: Path, guild: str = "1") -> None:
    """Makes an empty journal of a server."""
    journal = Journal(folder)
    with journal.writing():
        journal.save(About(guild=guild))


def writing(folder: Path) -> AbstractContextManager[None]:
    """Holds the journal's lock, as a run does while it writes."""
    return Journal(folder).writing()


def message_line(uid: str, author: str, content: str, **fields: Any) -> bytes:
    """The line of a message, with further fields under the names that DiscordChatExporter uses."""
    message = {"id": uid, "type": "Default", "content": content, "author": {"id": author}, **fields}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def tombstone(uid: str, why: str = "deleted") -> bytes:
    """The line in the place of a message that is gone."""
    return gone_line(uid, why)


def append(
    folder: Path,
    channel: str,
    lines: Iterable[bytes] = (),
    *,
    changed: Iterable[bytes] = (),
    kind: str = "GuildTextChat",
    name: str = "help",
    read: str = "0",
) -> None:
    """Writes a page of new lines, and lines that replace older ones, to the log of a channel."""
    journal = Journal(folder)
    with journal.writing(), journal.log(channel) as log:
        log.append(
            Position(read=read), lines=lines, changed=changed, channel=ChannelState(channel, kind, name=name)
        )


def replace(folder: Path, channel: str, changed: Iterable[bytes]) -> None:
    """Writes lines that replace older ones, as a run does that is interrupted before it removes the older ones."""
    with Journal(folder).log(channel) as log:
        log.append(log.position, changed=changed)


def open_to_write(file: Path) -> None:
    """Opens a log as a run does before it writes, which removes what a killed run left behind the last whole page."""
    with Log(file):
        pass


def write_pages(file: Path, pages: Iterable[Iterable[bytes]], *, read: str) -> None:
    """Writes pages of lines to a log in one go; the channel was read up to a message."""
    with Log(file) as log:
        for page in pages:
            log.append(Position(read=read), lines=page)


def read_log(file: Path) -> tuple[dict[int, bytes], str]:
    """The lines of a log by message id, and the message up to which the channel was read."""
    log = Log(file)
    return dict(log.lines()), log.peek().position.read


def log_file(folder: Path, channel: str) -> Path:
    """The file of a channel's log."""
    return Journal(folder).log(channel).path


def lines_of(folder: Path) -> dict[str, dict[int, bytes]]:
    """By channel, the newest line of each message and tombstone, in ascending order of the ids."""
    return {uid: dict(log.lines()) for uid, log in Journal(folder).logs().items()}


def states(folder: Path) -> dict[str, ChannelState | None]:
    """By channel, what the journal knows about it."""
    return {uid: log.peek().channel for uid, log in Journal(folder).logs().items()}


def position_of(folder: Path, channel: str) -> Position:
    """How far a channel was read and compared."""
    return Journal(folder).log(channel).peek().position


def is_begun(folder: Path) -> bool:
    """Whether the folder contains a journal."""
    return Journal(folder).there


def server_of(folder: Path) -> str:
    """The id of the server that the journal was read from."""
    return Journal(folder).about().guild


def unsettled(folder: Path) -> bool:
    """Whether a run began and did not end."""
    return Journal(folder).about().unsettled


def authored(folder: Path, *authors: str) -> set[str]:
    """Ids of the messages of these people, and of the forwards of them."""
    return Journal(folder).messages_by(authors)
