"""Discussions as GitHub's API returns them, and as a journal stores them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from furytune._forums.shapes import Entry, Thread, message_id

__all__ = ["Comment", "Comments", "Discussion", "PageInfo", "Replies", "as_thread"]


class Actor(msgspec.Struct, rename={"kind": "__typename", "number": "databaseId"}):
    """Who wrote something."""

    login: str = ""
    kind: str = ""
    number: int | None = None


class PageInfo(msgspec.Struct, rename="camel"):
    """Whether there is more, and where."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Comment(msgspec.Struct, rename="camel", kw_only=True):
    """A comment, or a reply to one."""

    body: str
    created_at: str
    id: str = ""
    database_id: int | None = None
    author: Actor | None = None
    author_association: str = "NONE"
    last_edited_at: str | None = None
    upvote_count: int = 0
    is_answer: bool = False
    is_minimized: bool = False
    minimized_reason: str | None = None
    deleted_at: str | None = None
    replies: Replies | None = None


class Replies(msgspec.Struct, rename="camel"):
    """A page of replies."""

    nodes: list[Comment | None] = []
    page_info: PageInfo = msgspec.field(default_factory=PageInfo)
    total_count: int = 0


class Comments(Replies):
    """A page of comments."""


class _Category(msgspec.Struct, rename="camel"):
    id: str = ""
    name: str = ""
    slug: str = ""
    is_answerable: bool = True


class _Label(msgspec.Struct):
    name: str


class _Labels(msgspec.Struct):
    nodes: list[_Label | None] = []


class _Named(msgspec.Struct):
    id: str = ""


class Discussion(Comment, kw_only=True):
    """A discussion."""

    number: int
    title: str
    updated_at: str = ""
    closed: bool = False
    state_reason: str | None = None
    locked: bool = False
    is_answered: bool | None = None
    poll: dict[str, Any] | None = None
    answer: _Named | None = None
    category: _Category = msgspec.field(default_factory=_Category)
    labels: _Labels | None = None
    comments: Comments = msgspec.field(default_factory=Comments)


def as_thread(found: Discussion, place: str) -> Thread:
    """Returns a discussion as a journal stores it.

    Args:
        found: With all its pages.
        place: The repository, for posts that have no id of their own.
    """
    where = f"{place}#{found.number}"
    opening = _entry(found, 0, where)
    said = list(_comments(found, where))
    # An answer to an older comment can be newer than the next comment.
    said.sort(key=lambda entry: entry.created)
    return Thread(
        id=str(found.number),
        updated=found.updated_at,
        category=found.category.id or found.category.name,
        title="" if opening.gone else found.title,
        labels=tuple(label.name for label in (found.labels.nodes if found.labels else ()) if label),
        closed=(found.state_reason or "RESOLVED") if found.closed else "",
        locked=found.locked,
        answered=bool(found.is_answered) or any(entry.accepted for entry in said),
        poll=found.poll is not None,
        posts=(opening, *said),
        unread=_unread(found),
    )


def _comments(found: Discussion, where: str) -> Iterator[Entry]:
    chosen = found.answer.id if found.answer is not None else ""
    for number, comment in enumerate(found.comments.nodes):
        if comment is None:
            continue
        parent = _entry(comment, 1, f"{where}/{number}", chosen=chosen)
        yield parent
        for place, reply in enumerate(comment.replies.nodes if comment.replies is not None else ()):
            if reply is not None:
                yield _entry(reply, 1, f"{where}/{number}/{place}", parent=parent.id, chosen=chosen)


def _entry(found: Comment, kind: int, place: str, *, parent: str = "", chosen: str = "") -> Entry:
    uid = message_id(kind, found.database_id, found.id or place)
    accepted = found.is_answer or bool(chosen and found.id == chosen)
    if found.deleted_at is not None:
        # GitHub keeps the place of a deleted comment that has replies.
        return Entry(uid, found.created_at, parent=parent, accepted=accepted, gone="deleted")
    author = found.author or Actor()
    association = found.author_association
    return Entry(
        uid,
        found.created_at,
        body=found.body,
        login=author.login,
        user=author.number or 0,
        kind=author.kind,
        roles=() if association == "NONE" else (association,),
        edited=found.last_edited_at or "",
        parent=parent,
        accepted=accepted,
        hidden=(found.minimized_reason or "hidden") if found.is_minimized else "",
        upvotes=found.upvote_count,
    )


def _unread(found: Discussion) -> int:
    """Returns how many comments and replies the platform counts, and did not give."""
    pages: list[Replies] = [found.comments]
    pages += [node.replies for node in found.comments.nodes if node is not None and node.replies is not None]
    return sum(max(0, page.total_count - len(page.nodes)) for page in pages)
