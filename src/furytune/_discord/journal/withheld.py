"""The messages that a journal withholds for their authors, in little memory: they may be most of a server."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

__all__ = ["Withheld"]


class Withheld:
    """Reasons by message id, in eight bytes per message.

    Args:
        items: Ids and reasons.
    """

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._ids: dict[str, array[int]] = {}
        for uid, why in items:
            self._ids.setdefault(why, array("Q")).append(int(uid))
        for why, ids in self._ids.items():
            self._ids[why] = array("Q", sorted(ids))

    def get(self, message: str, default: str) -> str:
        """Returns why a message is withheld, or the default if it is not."""
        uid = int(message) if message.isdecimal() else 0
        # There are few reasons, so a binary search for each is cheap.
        for why, ids in self._ids.items():
            place = bisect_left(ids, uid)
            if place < len(ids) and ids[place] == uid:
                return why
        return default
