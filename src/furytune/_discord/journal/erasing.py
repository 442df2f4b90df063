"""Removes messages from a journal, so that its files contain nothing of them."""

from __future__ import annotations

import os
from collections.abc import Collection

from furytune._discord.journal.store import Journal
from furytune._storage.durable import sweep
from furytune._storage.journal.lines import GONE
from furytune.errors import SourceError
from furytune.records import Erased

__all__ = ["JournalPlace"]


class JournalPlace:
    """A journal as one of the places that erasure searches.

    Args:
        path: Folder of the journal.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.store = Journal(path)

    def check(self) -> None:
        """Checks that the folder contains a journal that this version can change.

        Raises:
            SourceError: It contains no journal, or one of another format.
        """
        if not self.store.there:
            raise SourceError(
                f"{self.store.path}: this is not the folder of a journal; nothing was changed; name its folder"
            )
        self.store.about()

    def gone(self) -> set[str]:
        """Returns the ids of messages that were removed from the journal, or never stored."""
        return {
            str(uid)
            for log in self.store.logs().values()
            for uid, line in log.lines()
            if line.startswith(GONE)
        }

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes the messages, and the ids of the people, from every file of the journal.

        Raises:
            SourceError: The journal cannot be written. Calling again resumes.
        """
        # First mark and replace, then clean up: if this is interrupted, the next call still knows what to
        # remove.
        removed = self.store.forget(list(people), set(messages))
        self._settle()
        return Erased(kind="journal", path=str(self.store.path), removed=removed)

    def _settle(self) -> None:
        """Removes what readers no longer see but files still contain: replaced lines, torn ends, leftovers."""
        with self.store.writing():
            for log in self.store.logs().values():
                with log:  # opening a log cuts off a torn end
                    pass
                log.compact()
            sweep(self.store.path)
            sweep(self.store.path / "channels")
