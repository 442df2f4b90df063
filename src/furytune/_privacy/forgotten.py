"""Who and what must never be collected again."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection

import msgspec

__all__ = ["Forgotten"]


class Forgotten(msgspec.Struct, forbid_unknown_fields=True):
    """Who and what must never be collected again. People are stored as keyed hashes.

    Attributes:
        salt: Random key of the hashes, in hexadecimal digits.
        people: Hashes of the ids of people.
        messages: Ids of messages; they contain no words, so they need no hash.
    """

    salt: str = ""
    people: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()

    def has(self, author: str, message: str) -> bool:
        """Returns True if the message, or everything by its author, must be forgotten."""
        return message in self.messages or (bool(self.people) and self._mark(author) in self.people)

    def add(self, authors: Collection[str], messages: Collection[str]) -> Forgotten:
        """Returns a copy that includes these too."""
        made = Forgotten(self.salt or secrets.token_hex(16))
        made.people = self.people.union(map(made._mark, authors))
        made.messages = self.messages.union(messages)
        return made

    def _mark(self, author: str) -> str:
        # The key is random for each journal, so the hashes of two journals cannot be compared.
        return hmac.digest(self.salt.encode(), author.encode(), "sha256").hex()
