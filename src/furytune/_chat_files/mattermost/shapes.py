"""The fields of Mattermost's bulk export that are read."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Line", "Post", "Reply"]


class Team(msgspec.Struct, gc=False):
    """A team."""

    name: str
    display_name: str | None = None


class ListedChannel(msgspec.Struct, gc=False):
    """A channel; "O" is open, "P" is private."""

    team: str
    name: str
    display_name: str | None = None
    type: str | None = "O"


class Membership(msgspec.Struct, gc=False):
    """A person's roles in a team."""

    roles: str | None = None


class User(msgspec.Struct, gc=False):
    """A person."""

    username: str
    nickname: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    roles: str | None = None
    teams: list[Membership] | None = None


class Bot(msgspec.Struct, gc=False):
    """A bot."""

    username: str
    display_name: str | None = None


class Reaction(msgspec.Struct, gc=False):
    """One person's reaction."""

    emoji_name: str | None = None


class Reply(msgspec.Struct):
    """A reply in a thread. A post has the same fields."""

    user: str
    create_at: int
    message: str | None = None
    type: str | None = None
    edit_at: int | None = 0
    props: dict[str, Any] | None = None
    reactions: list[Reaction] | None = None
    attachments: list[Any] | None = None
    is_pinned: bool | None = False


class Post(Reply):
    """A message of a channel with its replies. They are decoded one by one, so that a damaged one is refused alone."""

    team: str = ""
    channel: str = ""
    replies: list[msgspec.Raw] | None = None


class Line(msgspec.Struct):
    """One line of the export."""

    type: str
    team: Team | None = None
    channel: ListedChannel | None = None
    user: User | None = None
    bot: Bot | None = None
    post: Post | None = None
