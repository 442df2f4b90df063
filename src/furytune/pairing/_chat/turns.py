"""Groups the posts of a conversation into turns."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from furytune.pairing._chat.conversations import Linked, Talk
from furytune.pairing.posts import sent_at
from furytune.pairing.signals import Signals, signals

__all__ = ["Turn", "asks", "turns_of"]

_PAUSE = timedelta(hours=1)


class Turn(msgspec.Struct, gc=False):
    """Adjacent posts of one speaker that belong together.

    Attributes:
        posts: The posts.
        parent: Place of the turn that it answers or continues, -1 for a start.
        confidence: How sure that link is, between 0 and 1.
        native: True if the platform says who is answered.
        said: What its text signals.
    """

    posts: list[Linked]
    parent: int
    confidence: float
    native: bool
    said: Signals

    @property
    def speaker(self) -> str:
        """Who wrote it."""
        return self.posts[0].post.speaker

    @property
    def marked(self) -> bool:
        """True if one of its posts has a solution mark."""
        return any(linked.post.solved for linked in self.posts)

    @property
    def text(self) -> str:
        """Its posts, joined by line breaks."""
        if len(self.posts) == 1:
            return self.posts[0].post.text
        return "\n".join(linked.post.text for linked in self.posts)


def asks(said: Signals) -> bool:
    """Returns True if a text may be a question. This is generous; the model decides."""
    return said.asks or said.asks_without_mark or said.reports_trouble or said.seeks_help


def turns_of(talk: Talk) -> list[Turn]:
    """Returns the turns of a conversation, in order.

    A post continues the turn before it if the same person wrote it within an hour and it does not reply to someone else.
    Who asked and then tells the solution begins a new turn: that is an answer, not more of the question.
    """
    groups: list[list[int]] = []
    turn_of: list[int] = []
    read = [signals(linked.post.text) for linked in talk]
    asking = False
    for i, linked in enumerate(talk):
        solves = asking and read[i].solution_by_asker and not read[i].asks
        if not groups or solves or not _continues(talk, groups[-1], linked):
            groups.append([])
            asking = False
        asking = asking or asks(read[i])
        groups[-1].append(i)
        turn_of.append(len(groups) - 1)
    turns = []
    for number, group in enumerate(groups):
        posts = [talk[i] for i in group]
        outside = [p for p in posts if p.parent >= 0 and turn_of[p.parent] != number]
        # A native reply says whom the turn answers, even if it is not the first of its posts.
        link = next((p for p in outside if p.native), outside[0] if outside else None)
        turn = Turn(
            posts,
            -1 if link is None else turn_of[link.parent],
            posts[0].confidence if link is None else link.confidence,
            link is not None and link.native,
            read[group[0]],
        )
        if len(group) > 1:
            turn.said = signals(turn.text)
        turns.append(turn)
    return turns


def _continues(talk: Talk, group: list[int], linked: Linked) -> bool:
    last = talk[group[-1]]
    if last.post.speaker != linked.post.speaker:
        return False
    if linked.native and linked.parent >= 0 and linked.parent not in group:
        # Several messages in reply to the same one are still one turn.
        return any(talk[i].parent == linked.parent for i in group)
    before, now = sent_at(last.post), sent_at(linked.post)
    return before is None or now is None or now - before <= _PAUSE
