"""Finds pairs in threads and forum posts: one thread, one question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import field, frozen

from furytune._values.checks import at_least
from furytune.errors import ConservationError
from furytune.pairing._drops import Drops
from furytune.pairing._turns import opened_by, split, turns
from furytune.pairing.posts import LOST, Conversation, Post
from furytune.records import Dropped, QAPair

__all__ = ["ThreadPairer"]


@frozen
class ThreadPairer:
    """One pair from each thread: what the opener asked, and the turn that answers it.

    Consecutive messages of one person form a turn. The answer is the first turn by someone else, unless it only asks
    back and the opener then wrote again. A solution mark on a message makes its turn the answer. The question is
    everything the opener wrote before the answer.

    A thread has no question if its opening message is missing, withheld or too long, or if it has no text and someone
    else wrote the next message. Such a thread is dropped as "no_question_text".

    Args:
        window: Most messages of a thread that are used; later ones are counted as "after_window".
    """

    window: int = field(default=50_000, validator=at_least(2))

    def fits(self, place: Conversation) -> bool:
        """Returns True for threads and forum posts."""
        return place.is_thread

    def pair(self, posts: Iterable[Post], place: Conversation) -> Iterator[QAPair | Dropped]:
        """Yields at most one pair, then counts of all other posts.

        Raises:
            ConservationError: A post was lost; this is a bug.
        """
        drops = Drops()
        kept: list[Post] = []
        read = 0
        opening_lost = place.opening_missing
        for post in posts:
            read += 1
            # The first message may be there and still be unusable, for example withheld.
            opening_lost = opening_lost or (read == 1 and post.drop in LOST)
            if post.drop:
                drops.add(post.drop, post.id)
            elif len(kept) < self.window:
                kept.append(post)
            else:
                drops.add("after_window", post.id)
        first = kept[0].id if kept else ""
        # Without its opening message, a thread has answers and no question.
        opener = "" if opening_lost or not kept else kept[0].speaker
        found = split(opened_by(opener, turns(kept, drops), drops), drops)
        used = 0
        if found is not None:
            question, answer = found
            pair = place.pair(
                question, answer, uid=question[0][0].id, group=place.thread or first, method="thread"
            )
            used = len(pair.question_messages) + len(pair.answer_messages)
            yield pair
        # A bug that loses messages must not silently shrink a data set.
        if used + drops.total != read:
            raise ConservationError(
                f"thread {place.thread}: {read} messages in, {used} used, {drops.total} dropped"
            )
        yield from drops.items(where=place.thread)
