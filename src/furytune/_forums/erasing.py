"""A forum's journal as one of the places that erasure searches."""

from __future__ import annotations

import os
from collections.abc import Collection

from furytune._forums.journal import ForumJournal
from furytune.errors import SourceError
from furytune.records import Erased

__all__ = ["ForumPlace"]


class ForumPlace:
    """Removes posts from a journal, so that its files contain nothing of them.

    Args:
        path: Folder of the journal.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.store = ForumJournal(path)

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
        """Returns the ids of posts that were removed from the journal, or never stored."""
        return self.store.gone()

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes the posts, and the names of the people, from every file of the journal.

        Raises:
            SourceError: The journal cannot be written. Calling again resumes.
        """
        removed = self.store.forget(list(people), set(messages))
        return Erased(kind="journal", path=str(self.store.path), removed=removed)
