"""The fields of Zulip's export that are read."""

from __future__ import annotations

import msgspec

__all__ = ["Realm", "RealmUser", "ZulipMessage"]


class Organisation(msgspec.Struct, gc=False):
    """The organisation."""

    id: int = 0
    string_id: str | None = None


class RealmUser(msgspec.Struct, gc=False):
    """A person. Those of other organisations, such as Zulip's own bots, have fewer fields."""

    id: int
    full_name: str | None = None
    email: str | None = None
    is_bot: bool | None = False
    role: int | None = 400


class Stream(msgspec.Struct, gc=False):
    """A channel."""

    id: int
    name: str
    invite_only: bool | None = False


class Recipient(msgspec.Struct, gc=False):
    """Where messages go: 1 to a person, 2 to a channel, 3 to several people."""

    id: int
    type: int
    type_id: int


class Reaction(msgspec.Struct, gc=False):
    """One person's reaction."""

    message: int
    emoji_name: str | None = None


class Realm(msgspec.Struct):
    """The file ``realm.json``."""

    zerver_realm: list[Organisation]
    zerver_stream: list[Stream]
    zerver_recipient: list[Recipient]
    zerver_userprofile: list[RealmUser]
    zerver_userprofile_crossrealm: list[RealmUser] = []
    zerver_userprofile_mirrordummy: list[RealmUser] = []
    zerver_reaction: list[Reaction] = []


class Reactions(msgspec.Struct):
    """The reactions in a file of messages, where old exports have them."""

    zerver_reaction: list[Reaction] = []


class ZulipMessage(msgspec.Struct, gc=False):
    """A message."""

    id: int
    sender: int
    recipient: int
    content: str
    date_sent: float
    subject: str | None = ""
    last_edit_time: float | None = None
