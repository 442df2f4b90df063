"""Counts what each person does in a channel: who usually asks, and who usually helps."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from furytune.pairing._chat.turns import asks
from furytune.pairing.signals import Signals

__all__ = ["People", "Person"]

_FEW = 4  # posts; a habit that is seen less often says little


class Person(msgspec.Struct, gc=False):
    """What someone has done in a channel so far.

    Attributes:
        posts: How many posts they have written.
        asked: In how many of them they asked.
        told: In how many of them they told what to do, or how it is.
        thanked: In how many of them they thanked.
    """

    posts: int = 0
    asked: int = 0
    told: int = 0
    thanked: int = 0

    @property
    def habits(self) -> tuple[float, float, float]:
        """The share of posts in which they asked, told and thanked; of a newcomer, what is usual."""
        count = self.posts + _FEW
        return (self.asked + 1) / count, (self.told + 1) / count, (self.thanked + 0.25) / count


class People(defaultdict[str, Person]):
    """Everyone who wrote in a channel, by speaker."""

    def __init__(self) -> None:
        super().__init__(Person)

    def heard(self, speaker: str, said: Signals) -> None:
        """Notes a post."""
        person = self[speaker]
        person.posts += 1
        person.asked += asks(said)
        person.told += said.tells_what_to_do or said.states_how_it_is or said.code
        person.thanked += said.thanks
