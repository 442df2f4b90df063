"""The values that a reader of a platform yields; from here on, all platforms are the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec
from attrs import field, frozen

from furytune._channels.channel import Channel
from furytune._privacy.ids import number_of

__all__ = ["Archive", "Numbers", "Person", "Place", "Said", "Thread", "is_solved", "moment"]

_SOLVED = frozenset(
    {"white_check_mark", "heavy_check_mark", "ballot_box_with_check", "check", "check_mark", "solved"}
)
"""Names of the reactions that mark a message as the solution."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TONE = re.compile(r"::skin-tone-[1-6]\Z")


class Said(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One message. Ids are numbers, see `furytune._privacy.ids.number_of`.

    Attributes:
        id: The message.
        author: Who wrote it.
        text: Its text as the contract takes it.
        at: When it was sent, in microseconds since 1970.
        edited: When its text was last changed, or 0.
        path: The file that it was read from.
        kind: The platform's type of message.
        drop: Why it cannot be used, such as "system", or "".
        bot: True if a program wrote it.
        names: Names of who wrote it, if the list of people does not have them.
        voice: The name that a webhook speaks with.
        reply_to: The message that it quotes or answers.
        words_of: Who wrote its words, if it is someone else, as in a shared message.
        files: Names of its files.
        reactions: Names of its reactions, and how many people gave each.
        solved: True if it is marked as the solution.
        pinned: True if it is pinned.
    """

    id: str
    author: str
    text: str
    at: int
    edited: int = 0
    path: str = ""
    kind: str = ""
    drop: str = ""
    bot: bool = False
    names: tuple[str, ...] = ()
    voice: str = ""
    reply_to: str = ""
    words_of: str = ""
    files: tuple[str, ...] = ()
    reactions: tuple[tuple[str, int], ...] = ()
    solved: bool = False
    pinned: bool = False


def moment(microseconds: int) -> datetime:
    """Returns a time in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def is_solved(reactions: Collection[tuple[str, int]]) -> bool:
    """Returns True if a check mark is among the reactions."""
    return any(_TONE.sub("", name) in _SOLVED for name, _ in reactions)


@frozen(kw_only=True)
class Person:
    """Who takes part in a chat.

    Attributes:
        names: Names by which others may address the person.
        bot: True for a program.
        roles: The person's roles.
    """

    names: tuple[str, ...] = field(default=(), repr=False)
    bot: bool = False
    roles: tuple[str, ...] = ()


class Place(NamedTuple):
    """Where a message was written: a channel, or a thread in it.

    Attributes:
        channel: Id of the channel.
        thread: What names the thread on the platform; "" outside of threads.
    """

    channel: str
    thread: str = ""


@frozen(kw_only=True)
class Thread:
    """A thread, or a topic.

    Attributes:
        channel: Its description.
        title: Its title, which belongs to its first message; "" without one.
        opener: Id of the message that it was opened on; "" if any message can be the first.
    """

    channel: Channel
    title: str = field(default="", repr=False)
    opener: str = ""


class Archive(Protocol):
    """**Protocol:** an export of one platform. A further platform needs this, and a function for its text."""

    @property
    def platform(self) -> str:
        """The prefix of pair ids, such as "slack"."""
        ...

    @property
    def people(self) -> Mapping[str, Person]:
        """Everyone who is listed in the export, by number."""
        ...

    @property
    def aliases(self) -> Mapping[str, str]:
        """The numbers of people by other numbers that mentions may have, such as those of their names."""
        ...

    @property
    def channels(self) -> Sequence[Channel]:
        """The channels that may be read. Direct messages are not among them."""
        ...

    def portions(self, chosen: Collection[str]) -> Iterator[Iterator[tuple[Place, Said]]]:
        """Yields the messages of the chosen channels, in portions. No channel is in two portions.

        Args:
            chosen: Ids of channels.
        """
        ...

    def thread(self, place: Place) -> Thread:
        """Returns a thread of a chosen channel, after its portion was read."""
        ...


class Numbers(dict[str, str]):
    """Maps the keys of a platform to numbers, and computes each once."""

    def __init__(self, platform: str) -> None:
        super().__init__()
        self._platform = platform

    def __missing__(self, key: str) -> str:
        found = number_of(self._platform, key)
        self[key] = found
        return found
