"""The fields of Slack's export that are read."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["SlackChannel", "SlackMessage", "SlackUser"]


class Profile(msgspec.Struct, gc=False):
    """The names of a person."""

    display_name: str | None = None
    real_name: str | None = None
    name: str | None = None


class SlackUser(msgspec.Struct, gc=False):
    """A line of ``users.json``."""

    id: str
    team_id: str | None = None
    name: str | None = None
    real_name: str | None = None
    profile: Profile | None = None
    is_bot: bool | None = False
    is_owner: bool | None = False
    is_primary_owner: bool | None = False
    is_admin: bool | None = False
    is_restricted: bool | None = False
    is_ultra_restricted: bool | None = False


class SlackChannel(msgspec.Struct, gc=False):
    """A line of ``channels.json``, ``groups.json``, ``dms.json`` or ``mpims.json``; other programs may mix them."""

    id: str
    name: str | None = None
    is_private: bool | None = False
    is_im: bool | None = False
    is_mpim: bool | None = False


class Reaction(msgspec.Struct, gc=False):
    """A reaction; Slack counts more people than it lists."""

    name: str
    count: int | None = 0


class Edited(msgspec.Struct, gc=False):
    """When a message was last edited."""

    ts: str | None = None


class Comment(msgspec.Struct, gc=False):
    """A comment on a file, as exports of before 2018 have it."""

    user: str | None = None
    comment: str | None = None


class BotProfile(msgspec.Struct, gc=False):
    """The app behind a message."""

    name: str | None = None


class SlackMessage(msgspec.Struct):
    """A message. Blocks and attachments are decoded only where a message has no text."""

    ts: str
    type: str | None = "message"
    subtype: str | None = None
    user: str | None = None
    bot_id: str | None = None
    username: str | None = None
    text: str | None = None
    thread_ts: str | None = None
    edited: Edited | None = None
    reactions: list[Reaction] | None = None
    files: list[Any] | None = None
    file: Any = None
    comment: Comment | None = None
    user_profile: Profile | None = None
    bot_profile: BotProfile | None = None
    pinned_to: list[Any] | None = None
    blocks: msgspec.Raw = msgspec.Raw()
    attachments: msgspec.Raw = msgspec.Raw()
