"""Stores the roles of all members of a server in little memory; there may be a million members."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

__all__ = ["Roster"]

Roles = tuple[str, ...]


class Roster:
    """Role ids by member id."""

    def __init__(self) -> None:
        # Discord lists members in the order of ids, and most have one of a few sets of roles.
        self._ids = array("Q")
        self._held = array("I")
        self._sets: list[Roles] = []
        self._numbers: dict[Roles, int] = {}
        self._others: dict[str, Roles] = {}

    def extend(self, members: Iterable[tuple[str, Roles]]) -> None:
        """Adds members with their roles."""
        for member, roles in members:
            uid = int(member)
            if self._ids and uid <= self._ids[-1]:
                self._others[member] = roles
                continue
            # Twelve bytes for each member; a dictionary of tuples takes more than ten times as much.
            number = self._numbers.setdefault(roles, len(self._sets))
            if number == len(self._sets):
                self._sets.append(roles)
            self._ids.append(uid)
            self._held.append(number)

    def __setitem__(self, member: str, roles: Roles) -> None:
        self._others[member] = roles

    def __contains__(self, member: str) -> bool:
        return member in self._others or self._place(member) is not None

    def __len__(self) -> int:
        return len(self._ids) + sum(self._place(member) is None for member in self._others)

    def get(self, member: str, default: Roles = ()) -> Roles:
        """Returns the roles of a member, or the default for someone who is not a member."""
        if member in self._others:
            return self._others[member]
        place = self._place(member)
        return default if place is None else self._sets[self._held[place]]

    def _place(self, member: str) -> int | None:
        """Returns a member's position in the arrays, None if it is not there."""
        uid = int(member) if member.isdecimal() else 0
        place = bisect_left(self._ids, uid)
        return place if place < len(self._ids) and self._ids[place] == uid else None
