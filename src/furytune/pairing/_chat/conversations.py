"""Groups linked posts into conversations, in one pass and bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from furytune.pairing.links import Link
from furytune.pairing.posts import Post
from furytune.pairing.signals import Signals

__all__ = ["Conversations", "Linked", "Talk"]

LONGEST = 2_000
"""Most posts of one conversation. A busy channel can link everything to everything; the next reply then opens a new one."""


class Linked(msgspec.Struct, gc=False, frozen=True):
    """A post of a conversation.

    Attributes:
        post: The post.
        parent: Place in the conversation of the post that it answers or continues, -1 for none.
        confidence: How sure the link is, between 0 and 1.
        native: True if the platform says who is answered.
        lost: Why the target of its native reply is missing, "" if it is not.
        said: What its text signals.
    """

    post: Post
    parent: int
    confidence: float
    native: bool
    lost: str
    said: Signals


Talk = list[Linked]
"""The posts of one conversation, in order of time."""


class Conversations:
    """The conversations of a channel that are still open.

    A conversation closes when its last post is ``window`` posts old, or when it has ``longest`` posts.

    Args:
        window: How many posts an open conversation waits for the next one.
        longest: Most posts of one conversation.
    """

    def __init__(self, window: int, longest: int = LONGEST) -> None:
        self._window = window
        self._longest = longest
        self._read = 0
        # From the one that was silent longest to the one that spoke last; the key is the id of its first post.
        self._open: OrderedDict[str, Talk] = OrderedDict()
        self._last: dict[str, int] = {}
        self._where: dict[str, tuple[str, int]] = {}
        # A plain dict is slow to give its first key again and again.
        self._dropped: OrderedDict[str, None] = OrderedDict()

    def left_out(self, uid: str) -> None:
        """Remembers a post that may be replied to, but is in no conversation."""
        self._read += 1
        self._dropped[uid] = None
        if len(self._dropped) > self._window:
            self._dropped.popitem(last=False)

    def add(self, post: Post, link: Link, said: Signals) -> Iterator[Talk]:
        """Adds a post and what it signals, and yields the conversations that close."""
        self._read += 1
        found = self._where.get(link.parent) if link.parent else None
        lost = ""
        if link.native and found is None:
            lost = "reply_to_dropped" if link.parent in self._dropped else "reply_target_missing"
        if found is None:
            key, parent = post.id, -1
            self._open[key] = talk = []
        else:
            key, parent = found
            talk = self._open[key]
            self._open.move_to_end(key)
        self._where[post.id] = key, len(talk)
        talk.append(Linked(post, parent, link.confidence, link.native, lost, said))
        self._last[key] = self._read
        if len(talk) >= self._longest:
            yield self._close(key)
        while self._open:
            key = next(iter(self._open))
            if self._read - self._last[key] < self._window:
                break
            yield self._close(key)

    def rest(self) -> Iterator[Talk]:
        """Closes and yields all that are open."""
        while self._open:
            yield self._close(next(iter(self._open)))

    def _close(self, key: str) -> Talk:
        talk = self._open.pop(key)
        del self._last[key]
        for linked in talk:
            self._where.pop(linked.post.id, None)
        return talk
