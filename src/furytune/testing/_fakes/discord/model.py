"""The people, channels and messages of a Discord server that exists only in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import define, field

__all__ = [
    "EPOCH",
    "KINDS",
    "PERMISSIONS",
    "Channel",
    "Message",
    "Role",
    "User",
    "iso",
    "made",
    "permissions",
    "snowflake",
]

EPOCH = 1_420_070_400_000
"""Milliseconds of 2015-01-01, from which Discord counts time."""

KINDS = {
    "text": 0,
    "dm": 1,
    "voice": 2,
    "category": 4,
    "announcement": 5,
    "announcement_thread": 10,
    "public_thread": 11,
    "private_thread": 12,
    "stage": 13,
    "forum": 15,
    "media": 16,
}

PERMISSIONS = {
    "ADMINISTRATOR": 1 << 3,
    "MANAGE_CHANNELS": 1 << 4,
    "ADD_REACTIONS": 1 << 6,
    "VIEW_CHANNEL": 1 << 10,
    "SEND_MESSAGES": 1 << 11,
    "MANAGE_MESSAGES": 1 << 13,
    "READ_MESSAGE_HISTORY": 1 << 16,
    "MENTION_EVERYONE": 1 << 17,
    "CONNECT": 1 << 20,
    "MANAGE_THREADS": 1 << 34,
    "CREATE_PUBLIC_THREADS": 1 << 35,
    "SEND_MESSAGES_IN_THREADS": 1 << 38,
}


def snowflake(milliseconds: int, increment: int = 0) -> int:
    """Returns an id made at a time in milliseconds since 1970."""
    return (milliseconds - EPOCH) << 22 | increment


def made(number: int) -> int:
    """Returns the milliseconds since 1970 at which an id was made."""
    return (number >> 22) + EPOCH


def iso(milliseconds: int) -> str:
    """Returns a time as Discord writes it: with an offset, and with microseconds unless they are 0."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


@define(eq=False, slots=True)
class Role:
    """A role of the server. The role "@everyone" has the guild's id.

    Attributes:
        number: The snowflake, as a number.
        name: Its name.
        permissions: Its permissions, as bits.
        position: Its place in the list of roles.
    """

    number: int
    name: str
    permissions: int = 0
    position: int = 0

    @property
    def id(self) -> str:
        """The snowflake."""
        return str(self.number)


@define(eq=False, slots=True)
class User:
    """An account; a member of the server while ``member`` is true.

    Attributes:
        number: The snowflake, as a number.
        name: Its name.
        bot: Whether it is a bot.
        roles: Its roles.
        member: Whether it is in the server now.
        joined: When it joined, in milliseconds since 1970.
        webhook: Whether it is a webhook, which is never a member.
        json: Its payload, once it was made.
    """

    number: int
    name: str
    bot: bool = False
    roles: list[Role] = field(factory=list)
    member: bool = True
    joined: int = 0
    webhook: bool = False
    json: bytes = b""

    @property
    def id(self) -> str:
        """The snowflake."""
        return str(self.number)


@define(eq=False, slots=True)
class Message:
    """A message; ``extra`` contains rare fields under their names in the payload.

    Attributes:
        number: The snowflake, as a number.
        channel: Where it was posted.
        author: Who wrote it.
        content: Its text.
        type: Discord's number of its type.
        edited: When it was last edited, in milliseconds since 1970; None if never.
        pinned: Whether it is pinned.
        mentions: Accounts that its text mentions.
        reply_to: The message that it replies to.
        thread: The thread that was started on it.
        deleted: Whether it was deleted; replies still point to it.
        extra: Further fields of the payload.
        core: Its payload, once it was made.
    """

    number: int
    channel: Channel = field(repr=False)
    author: User
    content: str = field(repr=False)
    type: int = 0
    edited: int | None = None
    pinned: bool = False
    mentions: tuple[User, ...] = ()
    reply_to: Message | None = field(default=None, repr=False)
    thread: Channel | None = field(default=None, repr=False)
    deleted: bool = False
    extra: dict[str, Any] | None = field(default=None, repr=False)
    core: bytes = field(default=b"", repr=False)

    @property
    def id(self) -> str:
        """The snowflake."""
        return str(self.number)


@define(eq=False, slots=True)
class Channel:
    """A channel, category or thread, with its messages in order of their ids.

    Attributes:
        number: The snowflake, as a number.
        name: Its name or title.
        kind: A key of `KINDS`.
        parent: Its category, or the channel of a thread.
        position: Its place in the list of channels.
        topic: Its topic.
        nsfw: Whether it is marked as for adults.
        tags: Ids of a forum's tags, by name.
        overwrites: Kind, granted bits and denied bits, by the number of a role or account.
        owner: Who opened the thread.
        applied: Ids of the thread's tags.
        archived: Whether the thread is archived.
        archived_at: When it was last archived or opened, in milliseconds since 1970.
        locked: Whether only moderators may open it again.
        joined: Whether the bot is in the thread.
        sent: How many messages were ever posted.
        starters: Messages that Discord does not count: the opening of a thread.
        last: Id of the newest message ever posted, even if it was deleted.
        numbers: Ids of the messages, ascending.
        messages: The messages, in the same order.
    """

    number: int
    name: str
    kind: str
    parent: Channel | None = field(default=None, repr=False)
    position: int = 0
    topic: str | None = None
    nsfw: bool = False
    tags: dict[str, int] = field(factory=dict)
    overwrites: dict[int, tuple[int, int, int]] = field(factory=dict)
    owner: User | None = None
    applied: list[int] = field(factory=list)
    archived: bool = False
    archived_at: int = 0
    locked: bool = False
    joined: bool = False
    sent: int = 0
    starters: int = 0
    last: int | None = None
    numbers: list[int] = field(factory=list, repr=False)
    messages: list[Message] = field(factory=list, repr=False)

    @property
    def id(self) -> str:
        """The snowflake."""
        return str(self.number)

    @property
    def is_thread(self) -> bool:
        """Whether this is a thread."""
        return self.kind.endswith("_thread")


def permissions(who: User, channel: Channel, everyone: Role, owner: User) -> int:
    """Returns the permissions of a member in a channel.

    Source: Discord's documentation, topic "Permissions": the guild's roles, then the channel's overwrites for
    everyone, for the member's roles together, and for the member. A thread has those of its channel.
    """
    if channel.kind == "dm":
        return ~0
    if channel.is_thread and channel.parent is not None:
        return permissions(who, channel.parent, everyone, owner)
    bits = everyone.permissions
    for role in who.roles:
        bits |= role.permissions
    if who is owner or bits & PERMISSIONS["ADMINISTRATOR"]:
        return ~0
    # Written apart from the crawler's own code for permissions, so that one error is not in both.
    for group in ([everyone.number], [r.number for r in who.roles], [who.number]):
        found = [channel.overwrites[n] for n in group if n in channel.overwrites]
        for _, _, deny in found:
            bits &= ~deny
        for _, allow, _ in found:
            bits |= allow
    return bits
