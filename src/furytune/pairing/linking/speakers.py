"""Keeps what is known about the people of a channel: their names, their last messages and whom they talk to."""

from __future__ import annotations

from furytune.pairing.linking.lexicon import bare

__all__ = ["NO_ONE", "Speaker", "Speakers"]

NO_ONE = -1
"""Stands for no person and for no message."""


class Speaker:
    """What one person did so far; messages are given by their place in the channel."""

    __slots__ = (
        "addressed_at",
        "asked_by",
        "count",
        "key",
        "known_as",
        "last",
        "names",
        "number",
        "talks_to",
    )

    def __init__(self, number: int, key: str) -> None:
        self.number = number
        self.key = key
        self.names: tuple[str, ...] = ()
        self.known_as: tuple[str, ...] = ()
        self.last = NO_ONE
        self.count = 0
        self.addressed_at = NO_ONE
        self.talks_to = NO_ONE
        self.asked_by = NO_ONE


class Speakers:
    """The people who wrote last.

    Args:
        most: How many to remember; beyond, the one who was silent longest is forgotten.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._made = 0
        self._by_key: dict[str, Speaker] = {}
        self._by_number: dict[int, Speaker] = {}
        self.by_name: dict[str, int] = {}

    def wrote(self, key: str, names: tuple[str, ...]) -> Speaker:
        """Returns who has a pseudonym, as the one who wrote last."""
        found = self._by_key.pop(key, None)
        if found is None:
            found = Speaker(self._made, key)
            self._made += 1
            self._by_number[found.number] = found
            if len(self._by_key) >= self._most:
                self._forget(next(iter(self._by_key)))
        self._by_key[key] = found
        # Compared by value, because a collector makes a new tuple for each message.
        if found.names != names:
            found.names = names
            self._name(found)
        return found

    def numbered(self, number: int) -> Speaker | None:
        """Returns a person by number, or None if forgotten."""
        return self._by_number.get(number)

    def find(self, mention: str) -> int:
        """Returns the number of who has a pseudonym or a name, or `NO_ONE`."""
        found = self._by_key.get(mention)
        return found.number if found is not None else self.by_name.get(bare(mention), NO_ONE)

    def _name(self, speaker: Speaker) -> None:
        known: list[str] = []
        for name in speaker.names:
            # Also as it is written, because a nick may end in punctuation.
            for plain in dict.fromkeys((bare(name), name.strip().lower())):
                if len(plain) > 1:
                    self.by_name[plain] = speaker.number
                    known.append(plain)
        for plain in tuple(known):
            # People shorten "John Doe" to "John", and a nick is often changed to "john_" or "john|away".
            short = plain.split(" ", 1)[0].split("|", 1)[0].rstrip("_^0123456789")
            if len(short) > 3 and self.by_name.setdefault(short, speaker.number) == speaker.number:
                known.append(short)
        speaker.known_as = tuple(dict.fromkeys((*speaker.known_as[-8:], *known)))

    def _forget(self, key: str) -> None:
        gone = self._by_key.pop(key)
        del self._by_number[gone.number]
        for name in gone.known_as:
            if self.by_name.get(name) == gone.number:
                del self.by_name[name]
