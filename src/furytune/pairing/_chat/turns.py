"""Groups the posts of a conversation into turns."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

import msgspec

from furytune.pairing._chat.conversations import Linked, Talk
from furytune.pairing.posts import sent_at
from furytune.pairing.signals import Signals, signals

__all__ = ["Turn", "answers_another", "asks", "turns_of"]

_PAUSE = timedelta(hours=1)
_LATER = timedelta(minutes=10)


class Turn(msgspec.Struct, gc=False):
    """Adjacent posts of one speaker that belong together.

    Attributes:
        posts: The posts.
        speaker: Who wrote it.
        parent: Place of the turn that it answers or continues, -1 for a start.
        confidence: How sure that link is, between 0 and 1.
        native: True if the platform says who is answered.
        said: What its text signals.
        marked: True if one of its posts has a solution mark.
        held: How sure it is that its posts belong together, between 0 and 1.
    """

    posts: list[Linked]
    speaker: str
    parent: int
    confidence: float
    native: bool
    said: Signals
    marked: bool
    held: float = 1.0

    @property
    def text(self) -> str:
        """Its posts, joined by line breaks."""
        if len(self.posts) == 1:
            return self.posts[0].post.text
        return "\n".join(linked.post.text for linked in self.posts)


def asks(said: Signals) -> bool:
    """Returns True if a text may be a question. This is generous; the model decides."""
    return said.asks or said.asks_without_mark or said.reports_trouble or said.seeks_help


def answers_another(turns: Sequence[Turn], place: int, asker: str) -> bool:
    """Returns True if a turn answers a question of someone other than this asker."""
    turn = turns[place]
    if turn.parent < 0:
        return False
    other = turns[turn.parent]
    return other.speaker not in (asker, turn.speaker) and asks(other.said)


def turns_of(talk: Talk) -> list[Turn]:
    """Returns the turns of a conversation, in order.

    A post continues the turn before it if the same person wrote it within an hour and it does not reply to someone else.
    Who asked and then tells the solution begins a new turn: that is an answer, not more of the question. So does who
    answered and asks something a while later.
    """
    groups: list[Talk] = []
    turn_of: list[int] = []
    asking = False
    begin = 0
    answered: set[int] = set()
    for i, linked in enumerate(talk):
        said = linked.said
        solves = asking and said.solution_by_asker and not said.asks
        asks_anew = 0 <= talk[begin].parent < begin and _asks_anew(talk[i - 1], linked, said)
        if not i or solves or asks_anew or not _continues(talk[i - 1], linked, begin, answered):
            groups.append([])
            begin = i
            answered = set()
            asking = False
        asking = asking or asks(said)
        groups[-1].append(linked)
        answered.add(linked.parent)
        turn_of.append(len(groups) - 1)
    turns = []
    for number, posts in enumerate(groups):
        outside = [p for p in posts if p.parent >= 0 and turn_of[p.parent] != number]
        # A native reply says whom the turn answers, even if it is not the first of its posts.
        link = next((p for p in outside if p.native), outside[0] if outside else None)
        turn = Turn(
            posts,
            posts[0].post.speaker,
            -1 if link is None else turn_of[link.parent],
            posts[0].confidence if link is None else link.confidence,
            link is not None and link.native,
            posts[0].said,
            posts[0].post.solved,
            min([p.confidence for p in posts[1:] if not p.native], default=1.0),
        )
        if len(posts) > 1:
            turn.said = signals(turn.text)
            turn.marked = any(linked.post.solved for linked in posts)
        turns.append(turn)
    return turns


def _asks_anew(last: Linked, linked: Linked, said: Signals) -> bool:
    """Returns whether a post asks something of its own, after an answer by the same person. Asking back comes at once."""
    before, now = sent_at(last.post), sent_at(linked.post)
    if before is None or now is None or now - before <= _LATER:
        return False
    return asks(said) and not said.asks_back


def _continues(last: Linked, linked: Linked, begin: int, answered: AbstractSet[int]) -> bool:
    """Returns whether a post continues the turn of the post before it, which begins at a place and answers some others."""
    if last.post.speaker != linked.post.speaker or (last.lost and not linked.lost):
        # What answers a missing message says nothing about what comes next.
        return False
    if linked.native and 0 <= linked.parent < begin:
        # Several messages in reply to the same one are still one turn.
        return linked.parent in answered
    before, now = sent_at(last.post), sent_at(linked.post)
    return before is None or now is None or now - before <= _PAUSE
