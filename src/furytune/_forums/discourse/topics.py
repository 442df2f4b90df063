"""Topics and posts as Discourse's serializers write them, and as a journal stores them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from furytune._forums.shapes import ACTION, BOT, Entry, Thread, message_id

__all__ = ["Post", "Tags", "Topic", "as_thread", "tag_names"]

_LIKE = 2  # https://github.com/discourse/discourse, app/models/post_action_type.rb
_NOTED = (2, 3)  # app/models/post.rb: 1 regular, 2 moderator_action, 3 small_action, 4 whisper
_WHISPER = 4
_POSTS = 10**8
_SITES = 10**5

Tags = list[str | dict[str, Any]]
"""Names of tags; since 2026 objects that have a name."""


class Action(msgspec.Struct):
    """How many people did something with a post, such as like it."""

    id: int = 0
    count: int = 0


class Post(msgspec.Struct, kw_only=True):
    """A post."""

    id: int
    post_number: int
    created_at: str
    username: str | None = None
    user_id: int | None = None
    raw: str | None = None
    post_type: int = 1
    updated_at: str | None = None
    version: int | None = 1
    reply_to_post_number: int | None = None
    actions_summary: list[Action] | None = None
    admin: bool | None = False
    moderator: bool | None = False
    staff: bool | None = False
    group_moderator: bool | None = False
    primary_group_name: str | None = None
    hidden: bool | None = False
    deleted_at: str | None = None
    user_deleted: bool | None = False
    wiki: bool | None = False
    accepted_answer: bool | None = False
    polls: list[Any] | None = None


class Stream(msgspec.Struct, kw_only=True):
    """The first posts of a topic, and the ids of all, unless it has more than 10,000."""

    posts: list[Any] = []
    stream: list[int] | None = None


class Numbered(msgspec.Struct):
    """The answer that was accepted."""

    post_number: int | None = None


class Topic(msgspec.Struct, kw_only=True):
    """A topic."""

    id: int
    title: str
    post_stream: Stream
    category_id: int | None = None
    tags: Tags | None = None
    posts_count: int = 0
    archetype: str = "regular"
    visible: bool | None = True
    closed: bool | None = False
    archived: bool | None = False
    deleted_at: str | None = None
    last_posted_at: str | None = None
    accepted_answer: Numbered | None = None
    accepted_answers: list[Numbered] | None = None


def tag_names(tags: Tags | None) -> tuple[str, ...]:
    """Returns the names of tags."""
    names = (tag if isinstance(tag, str) else tag.get("name") for tag in tags or ())
    return tuple(name for name in names if isinstance(name, str))


def as_thread(found: Topic, posts: Sequence[Any], site: str, updated: str, unread: int) -> Thread:
    """Returns a topic as a journal stores it.

    Args:
        found: The topic.
        posts: Its posts in order, as they came. One of another form has no words here, and is counted later.
        site: Address of the forum.
        updated: When the list of topics said that it last changed.
        unread: How many posts were not read, because there are too many.
    """
    forum = int.from_bytes(hashlib.sha256(site.casefold().encode()).digest()[:8], "big") % _SITES
    read = [_post(post) for post in posts]
    ids = [_id(forum, site, post.id if post else f"{found.id}/{at}") for at, post in enumerate(read)]
    by_number = {post.post_number: uid for post, uid in zip(read, ids, strict=True) if post is not None}
    accepted = set(_accepted(found))
    entries = [
        _entry(post, uid, by_number, accepted) if post is not None else Entry(uid, "")
        for post, uid in zip(read, ids, strict=True)
    ]
    if not read or (read[0] is not None and read[0].post_number != 1):
        entries.insert(0, Entry(_id(forum, site, f"{found.id}/opening"), "", gone="deleted"))
    return Thread(
        id=str(found.id),
        updated=updated,
        category=str(found.category_id or ""),
        title="" if entries[0].gone or entries[0].hidden else found.title,
        labels=tag_names(found.tags),
        closed="CLOSED" if found.closed else "",
        locked=bool(found.closed or found.archived),
        answered=any(entry.accepted for entry in entries),
        poll=any(bool(post and post.polls) for post in read),
        posts=tuple(entries),
        unread=unread,
    )


def _post(value: Any) -> Post | None:
    """Returns a post, None if it has another form."""
    try:
        return msgspec.convert(value, Post)
    except msgspec.ValidationError:
        return None


def _accepted(found: Topic) -> Iterable[int]:
    """Yields the numbers of the accepted answers; forums of 2026 can have several."""
    for one in (found.accepted_answer, *(found.accepted_answers or ())):
        if one is not None and one.post_number is not None:
            yield one.post_number


def _entry(post: Post, uid: str, by_number: Mapping[int, str], accepted: set[int]) -> Entry:
    parent = by_number.get(post.reply_to_post_number or 0, "")
    chosen = bool(post.accepted_answer) or post.post_number in accepted
    if post.deleted_at or post.user_deleted:
        return Entry(uid, post.created_at, parent=parent, accepted=chosen, gone="deleted")
    if post.post_type in _NOTED:
        # Discourse wrote it, with the name of whom it is about.
        return Entry(uid, post.created_at, kind=ACTION)
    if post.hidden or post.post_type == _WHISPER:
        # Words that the forum does not show are not stored.
        return Entry(uid, post.created_at, parent=parent, accepted=chosen, hidden="hidden")
    user = post.user_id or 0
    edited = bool(post.version and post.version > 1)
    return Entry(
        uid,
        # A post without its Markdown was not given in full; without a time it is refused, and counted.
        post.created_at if post.raw is not None else "",
        body=post.raw or "",
        login=post.username or "",
        user=max(user, 0),
        # The accounts of Discourse itself, and of its bots, have negative numbers.
        kind=BOT if user < 0 else "",
        roles=tuple(_groups(post)),
        edited=(post.updated_at or "") if edited else "",
        parent=parent,
        accepted=chosen,
        upvotes=sum(one.count for one in post.actions_summary or () if one.id == _LIKE),
        shared=bool(post.wiki),
    )


def _groups(post: Post) -> Iterable[str]:
    """Yields the groups of an author that a post shows, by the names that Discourse gives its own."""
    if post.staff or post.admin or post.moderator:
        yield "staff"
    if post.admin:
        yield "admins"
    if post.moderator:
        yield "moderators"
    if post.group_moderator:
        yield "category_moderators"
    if post.primary_group_name and post.primary_group_name not in ("staff", "admins", "moderators"):
        yield post.primary_group_name


def _id(forum: int, site: str, post: int | str) -> str:
    # Two forums have posts with the same number, and can be in one data set.
    number = forum * _POSTS + post if isinstance(post, int) and 0 < post < _POSTS else None
    return message_id(4, number or None, f"{site.casefold()}/{post}")
