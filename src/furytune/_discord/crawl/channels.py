"""Describes channels and threads for the journal and the report."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from furytune._discord.crawl.archived_threads import archived_at

__all__ = ["Place", "Unread", "channel_place", "is_known", "thread_place", "unread"]

Json = dict[str, Any]

# discord-api-docs, resources/channel, "Channel Types", under DiscordChatExporter's names.
_KINDS = {
    0: "GuildTextChat",
    2: "GuildVoiceChat",
    5: "GuildNews",
    10: "GuildNewsThread",
    11: "GuildPublicThread",
    12: "GuildPrivateThread",
    13: "GuildStageVoice",
    15: "GuildForum",
    16: "GuildMedia",
}


@frozen(kw_only=True)
class Place:
    """A channel, thread or forum that can be read. Its repr leaves out the name, because people write titles.

    Attributes:
        id: Its id.
        name: Its name or title.
        type: DiscordChatExporter's name for its type; the type of a thread ends in "Thread".
        parent: For a thread, the id of its channel; otherwise the id of the category, "" for none.
        category: Name of the parent.
        last_message_id: Id of the newest message that it ever had, which may be deleted; "" for none.
        archived: Whether it is an archived thread.
        archive_timestamp: For a thread, when it was last archived or opened.
        tags: Names of the tags of a forum post.
        nsfw: Whether it is marked for adults; a thread is if its channel is.
    """

    id: str
    name: str = field(repr=False)
    type: str
    parent: str = ""
    category: str = field(default="", repr=False)
    last_message_id: str = ""
    archived: bool = False
    archive_timestamp: str = ""
    tags: tuple[str, ...] = ()
    nsfw: bool = False

    @property
    def public_name(self) -> str:
        """The name as it may be stored: "" for a thread, because its title is its author's words."""
        return "" if self.type.endswith("Thread") else self.name


@frozen(kw_only=True)
class Unread:
    """A channel or thread that will not be read.

    Attributes:
        id: Its id.
        name: Its name; "" if it is hidden, and for threads.
        reason: "no_permission", "hidden", "gone", "excluded", "not_included", "no_messages" (a directory),
            "unknown_type" or "private_thread" (not wanted); or, for a channel whose messages are read,
            "private_threads" or "archived_threads" (could not be listed).
        detail: What is missing, such as "needs Read Message History".
        parent: As for a `Place`.
    """

    id: str
    name: str = field(repr=False)
    reason: str
    detail: str = ""
    parent: str = ""


def is_known(channel: Json) -> bool:
    """Returns True if the channel's type can contain messages or threads."""
    return channel["type"] in _KINDS


def channel_place(channel: Json, category: str) -> Place:
    """Returns a channel or forum as a place.

    Args:
        channel: The channel as the API returns it.
        category: Name of its category.
    """
    return Place(
        id=channel["id"],
        name=str(channel.get("name") or ""),
        type=_KINDS[channel["type"]],
        parent=channel.get("parent_id") or "",
        category=category,
        last_message_id=channel.get("last_message_id") or "",
        nsfw=bool(channel.get("nsfw")),
    )


def thread_place(thread: Json, channel: Json) -> Place:
    """Returns a thread or post as a place.

    Args:
        thread: The thread as the API returns it.
        channel: The channel or forum that it belongs to; empty if unknown.
    """
    tags = {tag["id"]: str(tag["name"]) for tag in channel.get("available_tags") or ()}
    # A thread names its tags by id; only the forum knows their names.
    applied = thread.get("applied_tags") or ()
    return Place(
        id=thread["id"],
        name=str(thread.get("name") or ""),
        type=_KINDS.get(thread["type"], ""),
        parent=thread.get("parent_id") or "",
        category=str(channel.get("name") or ""),
        last_message_id=thread.get("last_message_id") or "",
        archived=bool((thread.get("thread_metadata") or {}).get("archived")),
        archive_timestamp=archived_at(thread),
        tags=tuple(tags[number] for number in applied if number in tags),
        nsfw=bool(channel.get("nsfw")),
    )


def unread(place: Place, reason: str, detail: str) -> Unread:
    """Returns a place as one that will not be read."""
    return Unread(id=place.id, name=place.public_name, reason=reason, detail=detail, parent=place.parent)
