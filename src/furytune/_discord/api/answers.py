"""Checks each answer of Discord before anything is changed because of it.

After a page of messages, the journal's position moves past all ids on it. A single page that belongs to another channel,
or has ids from the future, would hide every later message; a wrong list of members would hide who opted out. So an
answer is used whole or not at all.

The checks follow the promises of the API reference (discord-api-docs, ``resources/message``, ``resources/channel``,
``resources/guild``). The fields that are read have the documented shape. The items belong to what was asked for, are on
the right side of the cursor, do not exceed the limit, and come in order without duplicates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import msgspec

from furytune._privacy.ids import API_ID

__all__ = [
    "UnsoundError",
    "application",
    "archive_time",
    "archived_threads",
    "channel",
    "channels",
    "guild",
    "member",
    "members",
    "message",
    "messages",
    "threads",
    "user",
]

Json = dict[str, Any]
S = TypeVar("S")

_Snowflake = Annotated[str, msgspec.Meta(pattern=API_ID)]
_Bits = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,40}\Z")]


class UnsoundError(Exception):
    """The answer cannot be what was asked for; the session asks again.

    Args:
        problem: The end of a sentence like "the answer was not used, because ...". It quotes nothing from the answer.
    """


class _Thing(msgspec.Struct):
    id: _Snowflake


class _User(_Thing):
    bot: bool = False


# Fields that Discord leaves out in some answers have defaults; all others must be there, so that a wrong
# answer fails here and not in the middle of a write.
class _Application(msgspec.Struct):
    flags: int | None = None


class _Message(_Thing):
    """The fields of a message that place it: its channel, its type and its author."""

    channel_id: str
    type: int
    author: _Thing


class _Role(_Thing):
    name: str
    permissions: _Bits


class _Guild(_Thing):
    roles: list[_Role]
    owner_id: str | None = None


class _Overwrite(msgspec.Struct):
    """What a channel grants or denies to a role or member, as numbers of bits."""

    id: str
    allow: _Bits
    deny: _Bits


class _Tag(msgspec.Struct):
    id: str
    name: str


class _Channel(_Thing):
    """The fields of a channel that decide whether the bot may read it."""

    type: int
    guild_id: str | None = None
    parent_id: _Snowflake | None = None
    flags: int | None = None
    permission_overwrites: list[_Overwrite] | None = None
    available_tags: list[_Tag] | None = None


class _Archiving(msgspec.Struct):
    archive_timestamp: str
    archived: bool


class _Thread(_Thing):
    """The fields of a thread, with the moment when it was archived or opened."""

    type: int
    parent_id: _Snowflake
    thread_metadata: _Archiving
    guild_id: str | None = None
    applied_tags: list[str] | None = None


class _Threads(msgspec.Struct):
    threads: list[_Thread]


class _Archive(_Threads):
    has_more: bool


class _Member(msgspec.Struct):
    user: _Thing
    roles: list[str]


def user(answer: Json) -> Json:
    """Returns an account."""
    _shaped(answer, _User)
    return answer


def application(answer: Json) -> Json:
    """Returns an application."""
    _shaped(answer, _Application)
    return answer


def guild(answer: Json, *, uid: str) -> Json:
    """Returns the server that was asked for."""
    _is_asked(_shaped(answer, _Guild).id, uid)
    return answer


def channels(answer: list[Json], *, of: str) -> list[Json]:
    """Returns the channels of a server."""
    found = _shaped(answer, list[_Channel])
    _of_server(found, of)
    _all_different([item.id for item in found])
    return answer


def channel(answer: Json, *, uid: str) -> Json:
    """Returns the channel or thread that was asked for."""
    _is_asked(_shaped(answer, _Channel).id, uid)
    if "thread_metadata" in answer:
        archive_time(_shaped(answer, _Thread).thread_metadata.archive_timestamp)
    return answer


def threads(answer: Json, *, of: str) -> list[Json]:
    """Returns the active threads of a server."""
    found = _shaped(answer, _Threads).threads
    _of_server(found, of)
    _all_different([item.id for item in found])
    for item in found:
        archive_time(item.thread_metadata.archive_timestamp)
    active: list[Json] = answer["threads"]
    return active


def archived_threads(
    answer: Any, *, of: str, before: str, by_id: bool, limit: int, latest: datetime
) -> tuple[list[Json], bool]:
    """Returns archived threads of a channel, and whether there are more.

    They may be out of order: a thread that was opened and closed again since Discord sorted them has its new time.

    Args:
        answer: Discord's answer.
        of: Id of the channel.
        before: The id or archive time that all threads must be before, "" for any.
        by_id: Whether ``before`` is an id.
        limit: Most threads allowed.
        latest: The latest time that a thread can have been archived.
    """
    # The order is not checked: the caller takes the lowest time of the page, wherever it is.
    whole = _shaped(answer, _Archive)
    found = whole.threads
    _at_most(limit, found)
    if any(item.parent_id != of for item in found):
        raise UnsoundError("it contains threads of another channel")
    _all_different([item.id for item in found])
    times = [archive_time(item.thread_metadata.archive_timestamp) for item in found]
    if times and max(times) > latest:
        # A cursor from the future would hide all threads that are archived until then.
        raise UnsoundError("it contains threads that were archived in the future")
    # Private threads that the bot joined are paged by id; the other lists are paged by archive time.
    if before and by_id:
        beyond = any(int(item.id) >= int(before) for item in found)
    else:
        beyond = bool(before and times) and max(times) > archive_time(before)
    if beyond:
        raise UnsoundError("it contains threads that were not asked for")
    return answer["threads"], whole.has_more


def archive_time(text: str) -> datetime:
    """Returns when a thread was archived or opened.

    Raises:
        UnsoundError: The text is not a time.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UnsoundError("it contains a thread without its archive time") from None


def members(answer: list[Json], *, after: int, limit: int, newest: int) -> list[Json]:
    """Returns members of a server, in the order of their ids.

    Args:
        answer: Discord's answer.
        after: The id that all ids must be above.
        limit: Most members allowed.
        newest: The highest id that can exist.
    """
    found = _shaped(answer, list[_Member])
    _at_most(limit, found)
    _ascending([int(item.user.id) for item in found], after, newest)
    return answer


def member(answer: Json, *, uid: str) -> Json:
    """Returns the member that was asked for."""
    _is_asked(_shaped(answer, _Member).user.id, uid)
    return answer


def messages(answer: list[Json], *, of: str, after: int, limit: int, newest: int) -> list[Json]:
    """Returns messages of a channel, oldest first.

    Args:
        answer: Discord's answer, newest first.
        of: Id of the channel.
        after: The id that all ids must be above.
        limit: Most messages allowed.
        newest: The highest id that can exist.
    """
    found = _shaped(answer, list[_Message])
    _at_most(limit, found)
    if any(item.channel_id != of for item in found):
        raise UnsoundError("it contains messages of another channel")
    _ascending([int(item.id) for item in reversed(found)], after, newest)
    # Discord returns pages newest first, even with `after`; a log is written oldest first.
    return answer[::-1]


def message(answer: Json, *, of: str, uid: str) -> Json:
    """Returns the message that was asked for."""
    found = _shaped(answer, _Message)
    _is_asked(found.id, uid)
    _is_asked(found.channel_id, of)
    return answer


def _shaped(answer: Any, kind: type[S]) -> S:
    """Reads an answer as one of the shapes above.

    Raises:
        UnsoundError: It does not have this shape. The error quotes nothing of the answer.
    """
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError:
        # The error's own text may contain keys of the answer.
        raise UnsoundError("it does not have the shape that Discord's reference describes") from None


def _is_asked(found: str, asked: str) -> None:
    if found != asked:
        raise UnsoundError("it is about something that was not asked for")


def _of_server(found: Collection[_Channel | _Thread], server: str) -> None:
    """Checks that channels or threads do not belong to another server.

    Raises:
        UnsoundError: One of them does.
    """
    # Discord may leave the id out if the request names the server.
    if any(item.guild_id not in {None, server} for item in found):
        raise UnsoundError("it contains channels of another server")


def _at_most(limit: int, found: Sequence[Any]) -> None:
    if len(found) > limit:
        raise UnsoundError(f"it contains more than the {limit} items that were asked for")


def _all_different(ids: Collection[str]) -> None:
    if len(set(ids)) < len(ids):
        raise UnsoundError("it contains the same item twice")


def _ascending(ids: Sequence[int], after: int, newest: int) -> None:
    """Checks the order of a page, and that its ids lie in the range that was asked for.

    Args:
        ids: Ids in the order in which they should ascend.
        after: The id that all of them must be above.
        newest: The highest id that can exist by now.

    Raises:
        UnsoundError: They are out of order or out of range.
    """
    if any(first >= second for first, second in pairwise(ids)):
        raise UnsoundError("its items are out of order, or one of them is repeated")
    if ids and ids[0] <= after:
        raise UnsoundError("it contains items that were not asked for")
    # A position past all real ids would make every later run skip the channel without an error.
    if ids and ids[-1] > newest:
        raise UnsoundError("it contains ids from the future (check the clock of this machine)")
