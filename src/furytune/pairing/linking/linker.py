"""Finds who answers whom in a channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from attrs import field, frozen

from furytune._values.checks import at_least
from furytune.pairing.linking.channel import Channel
from furytune.pairing.linking.model import Model, shipped
from furytune.pairing.linking.speakers import NO_ONE
from furytune.pairing.links import Link
from furytune.pairing.posts import Post

__all__ = ["Linker"]

_REMEMBERED = 50_000


@frozen
class Linker:
    """Says for each message of a channel which earlier message it answers or continues, or that it starts a conversation.

    A native reply is taken as it is. For other messages, a small network compares the last messages: who addressed whom,
    who wrote when, and what the words share. A link depends on nothing that comes after its message, and is the same on
    any machine.

    Args:
        block: How many messages are compared at once. It changes speed and memory, but no link.
    """

    block: int = field(default=512, validator=at_least(1))

    def links(self, posts: Iterable[Post]) -> Iterator[tuple[Post, Link]]:
        """Yields each post with its link, in the given order.

        - A post that the collector leaves out has the parent "" and confidence 0. It is a parent only of native replies.
        - A native reply has confidence 1 if its target was among the last 50,000 posts, otherwise the confidence of the
          network that the post starts no conversation.

        Args:
            posts: The posts of one channel in order of time, each id once.
        """
        links = _Links(shipped())
        rest = iter(posts)
        while block := list(islice(rest, self.block)):
            yield from zip(block, links.of(block), strict=True)


class _Links:
    """The links of one channel."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._channel = Channel(model)
        # By id: who wrote it, and its place among the posts that may be parents.
        self._known: dict[str, tuple[str, int]] = {}
        self._ids: list[str] = []
        self._count = 0

    def of(self, posts: list[Post]) -> list[Link]:
        kept: list[Post] = []
        answered: list[str] = []
        native: list[int] = []
        known: list[bool] = []
        for post in posts:
            writer, place = self._known.get(post.reply_to or "", ("", NO_ONE))
            known.append(post.reply_to in self._known)
            if not post.drop:
                kept.append(post)
                answered.append(writer)
                native.append(place)
            self._remember(post)
        choices = self._choices(kept, answered, native)
        return [
            Link(post.id, "", 0.0) if post.drop else _link(post, *next(choices), known=is_known)
            for post, is_known in zip(posts, known, strict=True)
        ]

    def _remember(self, post: Post) -> None:
        self._known[post.id] = (post.speaker, NO_ONE if post.drop else self._count)
        self._count += not post.drop
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]

    def _choices(
        self, posts: list[Post], answered: list[str], native: list[int]
    ) -> Iterator[tuple[str, float, float]]:
        """Yields the parent, how sure it is, and how likely the message starts a conversation."""
        if not posts:
            return
        look = self._channel.look(self._channel.block(posts, answered), native)
        distances, sure, start = self._model.second_look(look.first, look.chosen, look.features)
        self._ids = [*self._ids[-self._model.width :], *(post.id for post in posts)]
        at = len(self._ids) - len(posts)
        for k, (distance, confidence, likely) in enumerate(
            zip(distances.tolist(), sure.tolist(), start.tolist(), strict=True)
        ):
            yield self._ids[at + k - distance] if distance else "", confidence, likely


def _link(post: Post, parent: str, confidence: float, start: float, *, known: bool) -> Link:
    if post.reply_to is None:
        return Link(post.id, parent, confidence)
    return Link(post.id, post.reply_to, 1.0 if known else round(1.0 - start, 4), native=True)
