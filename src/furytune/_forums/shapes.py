"""Threads and posts as a journal stores them."""

from __future__ import annotations

import hashlib

import msgspec

__all__ = ["ACTION", "BOT", "Category", "Entry", "Thread", "message_id"]

BOT = "Bot"
"""The kind of an account that is a program."""

ACTION = "Action"
"""The kind of what a platform notes between posts, such as that a topic was closed."""

_DIGITS = 13


class Category(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A category, and what a run did with it.

    Attributes:
        id: The platform's id.
        name: Its name.
        slug: Its name in addresses.
        answerable: Whether people can accept an answer there.
        unread: Why it is not read, a word of `furytune.reasons`; "" if it is.
        mark: Time of the newest change that was read.
        private: True if not everyone may read it.
    """

    id: str
    name: str
    slug: str = ""
    answerable: bool = False
    unread: str = ""
    mark: str = ""
    private: bool = False


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One post: the opening post, a comment, or a reply to a comment.

    Attributes:
        id: 15 digits; see `message_id`.
        created: When it was written, ISO 8601.
        body: Its Markdown.
        login: Name of the account that wrote it, "" if it is unknown.
        user: Number of that account, 0 if it is unknown.
        kind: Kind of the account, such as "User" or "Bot".
        roles: What its author is there, such as "MEMBER".
        edited: When its text was last changed.
        parent: Id of the comment that it replies to.
        accepted: True if it is the accepted answer.
        hidden: Why a moderator hid it.
        upvotes: How many people voted for it.
        gone: Why it is missing, such as "deleted" or "opted_out". Then it has no author and no text.
        shared: True if others than its author may have written it, too: it is a wiki.
    """

    id: str
    created: str
    body: str = ""
    login: str = ""
    user: int = 0
    kind: str = ""
    roles: tuple[str, ...] = ()
    edited: str = ""
    parent: str = ""
    accepted: bool = False
    hidden: str = ""
    upvotes: int = 0
    gone: str = ""
    shared: bool = False


class Thread(msgspec.Struct, frozen=True, omit_defaults=True):
    """One discussion with its posts. The id comes first, because logs find it there.

    Attributes:
        id: Its number.
        updated: When the platform says that it last changed.
        category: Id of its category.
        title: Its title; "" if the opening post is gone.
        labels: Names of its labels.
        closed: Why it was closed, such as "RESOLVED" or "DUPLICATE"; "" if it is open.
        locked: True if no one can reply any more.
        answered: True if an answer was accepted.
        poll: True if it is a poll.
        posts: The opening post, then the others in order of time.
        unread: How many comments and replies were not read, because there are too many.
    """

    id: str
    updated: str
    category: str
    title: str = ""
    labels: tuple[str, ...] = ()
    closed: str = ""
    locked: bool = False
    answered: bool = False
    poll: bool = False
    posts: tuple[Entry, ...] = ()
    unread: int = 0


def message_id(kind: int, number: int | None, name: str) -> str:
    """Returns an id of 15 digits, the form by which everything that was made from a post is found again.

    Ids of Discord with 15 digits would be from its first hours, in which there was no Discord, so they differ.

    Args:
        kind: 0 for an opening post, 1 for a comment, if the platform numbers them separately; 4 for any post of Discourse.
        number: Its number, if the platform gives it.
        name: What else identifies it.
    """
    if number is None or not 0 < number < 10**_DIGITS:
        kind += 2
        number = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big")
        number %= 10**_DIGITS
    return f"1{kind}{number:0{_DIGITS}d}"
