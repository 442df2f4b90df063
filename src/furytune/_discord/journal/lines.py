"""The lines of a log: messages, what is gone, and the commits that make them count.

A page of lines counts once the commit line after it is on disk. That line holds the position that the page leads to,
and a checksum over the page and itself, so data and position are never apart: what stands behind the last sound
commit was never read, as far as the next run is concerned.
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

MESSAGE = b'{"id":"'
GONE = b'{"gone":"'
COMMIT = b'{"commit":'
_CRC = b',"crc":'

_encode = msgspec.json.Encoder().encode


class ChannelState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a log knows of its channel.

    Attributes:
        id: Channel or thread id.
        type: DiscordChatExporter's name for its type, such as "GuildTextChat".
        name: Its name; "" for a thread, whose title is the words of whoever opened it. A forum post's is in the line of
            its opening message.
        parent: For a thread, the id of its channel; else that of the category, or "".
        tags: Names of the forum tags it carries.
        gone: True if it was deleted.
        exported: Moment of the newest export that was adopted, "" if none was, or once the channel was read live.
    """

    id: str
    type: str
    name: str = ""
    parent: str = ""
    tags: tuple[str, ...] = ()
    gone: bool = False
    exported: str = ""


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a channel was read.

    Attributes:
        read: Every message up to this id is in the log.
        until: Bound of the reading that is going on; "" if none is. It is fixed when the reading begins, so one that
            was interrupted ends where it would have ended.
        checked: Of a comparison that is going on: up to this id it is done.
        check_until: Bound of that comparison; "" if none is going on.
        checking: Number of the comparison of everything that is going on, or was left off for a later one.
        refreshed: Number of the last one that came to its end here.
    """

    read: str = "0"
    until: str = ""
    checked: str = ""
    check_until: str = ""
    checking: int = 0
    refreshed: int = 0


class Commit(msgspec.Struct, frozen=True):
    """What stands in a commit line.

    Attributes:
        position: Where the page leads to.
        channel: What is known of the channel.
        size: Bytes of the page before the line.
        plain: True if the page holds messages only, none of which the log named before.
        top: Highest message id of the log so far, 0 for none.
        dead: Lines of the log that a later line has replaced.
    """

    position: Position = Position()
    channel: ChannelState | None = None
    size: int = 0
    plain: bool = True
    top: int = 0
    dead: int = 0


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
        commit: What the line shall say.
    """
    body = _encode(commit)
    crc = 0
    for line in page:
        crc = zlib.crc32(line, crc)
    return b"%b%b%b%d}\n" % (COMMIT, body, _CRC, zlib.crc32(body, crc))


def parse_commit(line: bytes, page: bytes) -> Commit | None:
    """Returns what a commit line says of the page before it, None if one of them is damaged."""
    try:
        sealed = _decode_commit(line)
    except msgspec.DecodeError:
        return None
    body = line[len(COMMIT) : line.rindex(_CRC)]
    sound = line.endswith(b"}\n") and sealed.commit.size == len(page)
    return sealed.commit if sound and zlib.crc32(body, zlib.crc32(page)) == sealed.crc else None


def size_said(line: bytes) -> int | None:
    """Returns how long the page before a commit line should be, None if the line is damaged."""
    try:
        return _decode_commit(line).commit.size
    except msgspec.DecodeError:
        return None


def gone_line(uid: str, why: str) -> bytes:
    """Returns the line that stands where a message stood, or would have stood.

    Args:
        uid: Its id.
        why: "deleted", "opted_out", "not_opted_in" or "forgotten".
    """
    return _encode(_Gone(uid, why)) + b"\n"


def parse_gone(line: bytes) -> str:
    """Returns why the message of such a line is gone."""
    return _decode_gone(line).why


def id_of(line: bytes) -> int:
    """Returns the message id that a line is about."""
    start = len(GONE if line.startswith(GONE) else MESSAGE)
    return int(line[start : line.index(b'"', start)])
