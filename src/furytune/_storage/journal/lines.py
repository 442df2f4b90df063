"""The lines of a log: messages, tombstones, and the commits that make them count.

A page of lines counts once the commit line after it is on disk. That line contains the position that the page leads to,
and a checksum over the page and itself, so data and position never disagree. The next run ignores everything after the
last sound commit, as if it had never been read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec

__all__ = [
    "COMMIT",
    "GONE",
    "ChannelState",
    "Commit",
    "Position",
    "commit_line",
    "gone_line",
    "id_of",
    "parse_commit",
    "parse_gone",
]

# The first bytes of a line say what it is, so most lines need not be parsed.
MESSAGE = b'{"id":"'
GONE = b'{"gone":"'
COMMIT = b'{"commit":'
_CRC = b',"crc":'

_encode = msgspec.json.Encoder().encode


class ChannelState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a log knows about its channel.

    Attributes:
        id: Channel or thread id.
        type: DiscordChatExporter's name for its type, such as "GuildTextChat".
        name: Its name; "" for a thread, because a title is its author's words. The title of a forum post is in the line
            of its opening message.
        parent: For a thread, the id of its channel; otherwise the id of the category, or "".
        tags: Names of its forum tags.
        gone: True if it was deleted.
        exported: Time of the newest adopted export; "" without one, and once the channel was read live.
    """

    id: str
    type: str
    name: str = ""
    parent: str = ""
    tags: tuple[str, ...] = ()
    gone: bool = False
    exported: str = ""


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a channel was read and compared.

    Attributes:
        read: Every message up to this id is in the log.
        until: Last id of the read in progress, "" for none. It is fixed when the read begins, so an
            interrupted read ends where it would have ended.
        checked: For a comparison in progress, the id up to which it is done.
        check_until: Last id of that comparison, "" for none.
        checking: Number of the full comparison that is in progress here, or that a later one replaced.
        refreshed: Number of the last full comparison that was completed here.
    """

    read: str = "0"
    until: str = ""
    checked: str = ""
    check_until: str = ""
    checking: int = 0
    refreshed: int = 0


class Commit(msgspec.Struct, frozen=True):
    """The contents of a commit line.

    Attributes:
        position: The position that the page leads to.
        channel: What is known about the channel.
        size: Bytes of the page before the line.
        plain: True if the page contains only messages, and none with an id that the log already contains.
        top: Highest message id in the log so far, 0 for none.
        dead: How many lines of the log a later line has replaced.
    """

    position: Position = Position()
    channel: ChannelState | None = None
    size: int = 0
    plain: bool = True
    top: int = 0
    dead: int = 0


# Unknown fields are ignored, so that an older version can read a commit with more fields in it.
class _Sealed(msgspec.Struct):
    commit: Commit
    crc: int


class _Gone(msgspec.Struct):
    gone: str
    why: str


_decode_commit = msgspec.json.Decoder(_Sealed).decode
_decode_gone = msgspec.json.Decoder(_Gone).decode


def commit_line(page: Iterable[bytes], commit: Commit) -> bytes:
    """Returns the line that makes a page count.

    Args:
        page: The page's lines, each with its line break.
        commit: The contents of the line.
    """
    body = _encode(commit)
    crc = 0
    for line in page:
        crc = zlib.crc32(line, crc)
    # The checksum comes last, so it can be cut off the line before the rest is checked.
    return b"%b%b%b%d}\n" % (COMMIT, body, _CRC, zlib.crc32(body, crc))


def parse_commit(line: bytes, page: bytes) -> Commit | None:
    """Returns the commit of the page before a line, or None if the line or the page is damaged."""
    try:
        sealed = _decode_commit(line)
    except msgspec.DecodeError:
        return None
    body = line[len(COMMIT) : line.rindex(_CRC)]
    # The checksum covers page and commit together, so a commit never fits another page.
    sound = line.endswith(b"}\n") and sealed.commit.size == len(page)
    return sealed.commit if sound and zlib.crc32(body, zlib.crc32(page)) == sealed.crc else None


def size_said(line: bytes) -> int | None:
    """Returns how long the page before a commit line should be, or None if the line is damaged."""
    try:
        return _decode_commit(line).commit.size
    except msgspec.DecodeError:
        return None


def gone_line(uid: str, why: str) -> bytes:
    """Returns the tombstone that takes the place of a message.

    Args:
        uid: The message's id.
        why: "deleted", "opted_out", "not_opted_in" or "forgotten".
    """
    return _encode(_Gone(uid, why)) + b"\n"


def parse_gone(line: bytes) -> str:
    """Returns why the message of a tombstone is gone."""
    return _decode_gone(line).why


def id_of(line: bytes) -> int:
    """Returns the message id that a line is about."""
    # Called for every line, so it finds the id without parsing JSON.
    start = len(GONE if line.startswith(GONE) else MESSAGE)
    return int(line[start : line.index(b'"', start)])
