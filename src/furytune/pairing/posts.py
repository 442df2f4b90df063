"""Defines pairers, and the posts and conversations that they read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol, runtime_checkable

import attrs
import msgspec
from attrs import frozen

from furytune._privacy.ids import id_number, snowflake_at, snowflake_time
from furytune.pairing.asking import joined
from furytune.records import Dropped, Evidence, QAPair, Source

__all__ = [
    "LOST",
    "Conversation",
    "Pairer",
    "Post",
    "id_number",
    "parse_time",
    "sent_at",
    "snowflake_at",
    "snowflake_time",
]

_SOLVED = frozenset({"answered", "resolved", "solved"})
"""Forum tags that mark a post as answered, in lower case."""


LOST = frozenset(
    {"thread_starter_missing", "message_too_long", "opted_out", "not_opted_in", "unknown_author"}
)
"""Reasons why an opening message is missing although someone wrote it; then no other message is the question."""


class Post(msgspec.Struct, gc=False, frozen=True):
    """A message as pairing sees it. There is one for each message of an export, so it is kept small.

    Attributes:
        id: The message's id.
        speaker: Pseudonym of who wrote it.
        text: Its content; "" for a message of attachments only.
        reply_to: Id of the message it replies to.
        sent_at: When it was sent: a datetime or ISO 8601.
        solved: True if it has a mark that says "this is the solution".
        drop: Why the collector leaves it out ("bot", "system", ...), "" if it does not. Such a post is counted and can
            be the target of replies, but never enters a pair.
        path: File it was read from.
        edited_at: When its text was last changed, if it was.
        names: Names by which others may address who wrote it, such as nickname and user name.
        mentions: Whom its markup mentions: pseudonyms, or names where the export has no id.
        files: How many files, images and stickers came with it.
        roles: Names of the roles of who wrote it; None if they are not known.
    """

    id: str
    speaker: str
    text: str
    reply_to: str | None = None
    sent_at: str | datetime | None = None
    solved: bool = False
    drop: str = ""
    path: str = ""
    edited_at: str | datetime | None = None
    names: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    files: int = 0
    roles: tuple[str, ...] | None = None


@frozen(kw_only=True)
class Conversation:
    """The channel or thread that posts were written in.

    Attributes:
        guild: Server id, or "".
        channel: Channel id; for a thread, the id of the channel it belongs to. "" if unknown.
        thread: Thread or forum post id, "" in a channel.
        is_thread: True for a thread or forum post, even one whose id is unknown.
        platform: Prefix of pair ids.
        starters: Ids of messages that a thread was opened on; in Discord, such a thread has the same id.
        tags: Names of the forum tags of the thread.
        opening_missing: True if the opening message is not among the posts, because it was deleted or withheld.
        channel_name: Name of the channel, "" if unknown.
    """

    guild: str = ""
    channel: str = ""
    thread: str = ""
    is_thread: bool = False
    platform: str = "discord"
    starters: Collection[str] = frozenset()
    tags: tuple[str, ...] = ()
    opening_missing: bool = False
    channel_name: str = ""

    @property
    def source(self) -> Source:
        """The place of the posts, without the file."""
        return Source(
            guild=self.guild, channel=self.channel, thread=self.thread, channel_name=self.channel_name
        )

    @property
    def tagged_solved(self) -> bool:
        """True if a tag of the thread says that it is solved."""
        return any(tag.strip().lower() in _SOLVED for tag in self.tags)

    def pair(
        self,
        question: list[list[Post]],
        answer: list[Post],
        *,
        uid: str,
        group: str,
        method: str,
        confidence: float = 1.0,
        evidence: tuple[Evidence, ...] = (),
    ) -> QAPair:
        """Returns the pair of some turns. A line break joins the posts of a turn, and a blank line joins turns."""
        first = question[0][0]
        return QAPair(
            id=f"{self.platform}:{uid}",
            question=joined((p.text for p in turn) for turn in question),
            answer="\n".join(p.text for p in answer),
            group=group,
            asked_at=sent_at(first),
            answered_at=_complete([*(p for turn in question for p in turn), *answer]),
            method=method,
            asker=first.speaker,
            answerer=answer[0].speaker,
            answerer_roles=_shared(answer),
            question_messages=tuple(p.id for turn in question for p in turn),
            answer_messages=tuple(p.id for p in answer),
            tags=self.tags,
            solved=any(p.solved for p in answer) or self.tagged_solved,
            confidence=confidence,
            evidence=evidence,
            source=attrs.evolve(self.source, path=first.path),
        )


@runtime_checkable
class Pairer(Protocol):
    """**Protocol:** one method of finding pairs in a conversation.

    - Every post is in a pair, or counted in a `Dropped`.
    - Pairing the same posts again gives the same pairs.
    """

    def fits(self, place: Conversation) -> bool:
        """Returns True if this method is meant for such a conversation."""
        ...

    def pair(self, posts: Iterable[Post], place: Conversation) -> Iterator[QAPair | Dropped]:
        """Yields pairs, and counts of all other posts by reason.

        Args:
            posts: In order of time, each id once.
            place: The conversation that they belong to.
        """
        ...


@lru_cache(maxsize=4096)  # the posts of a conversation are compared with each other
def parse_time(text: str | None, uid: str) -> datetime | None:
    """Returns an ISO 8601 time in UTC, or the time inside the id if the text is not one, has no zone or is out of range."""
    if text:
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            # A Discord id contains the time of its creation.
            return snowflake_time(uid)
    return snowflake_time(uid)


def sent_at(post: Post) -> datetime | None:
    """Returns when a post was sent."""
    if isinstance(post.sent_at, datetime):
        return post.sent_at
    return parse_time(post.sent_at, post.id)


def _shared(answer: list[Post]) -> tuple[str, ...] | None:
    """Returns the roles that everyone who wrote a part of an answer has; None if those of one of them are not known."""
    first = answer[0].roles
    if first is None or any(post.roles is None for post in answer):
        return None
    return tuple(role for role in first if all(role in (post.roles or ()) for post in answer))


def _complete(posts: list[Post]) -> datetime | None:
    """Returns when the last word of a pair was written; an edit may add words that no one could read before."""
    last = sent_at(posts[-1])
    for post in posts:
        edit = post.edited_at
        moment = edit if isinstance(edit, datetime) else parse_time(edit, "") if edit else None
        if moment is not None and (last is None or moment > last):
            last = moment
    return last
