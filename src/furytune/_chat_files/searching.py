"""Searches exports for messages of a person, so that they can be erased from what was made of them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from furytune._chat_files.collecting import Opened
from furytune._chat_files.files import open_exports
from furytune._chat_files.platforms import OPENERS, platform_of
from furytune._chat_files.rows import Faults
from furytune._privacy.searched import Searched
from furytune._readers.json_stream import LIMIT
from furytune.errors import SourceError
from furytune.records import Dropped

__all__ = ["search_chat"]


def search_chat(path: Path, authors: Collection[str], messages: Collection[str]) -> list[Searched] | None:
    """Searches an export of Slack, Mattermost or Zulip; returns None for any other file or folder.

    Private channels are searched too. Direct messages are not, because nothing is ever made of them.

    Args:
        path: A file or folder.
        authors: Numbers of people.
        messages: Numbers of messages.

    Raises:
        SourceError: There is no export, or a file cannot be read.
    """
    theirs: dict[str, set[str]] = {}
    named: set[str] = set()
    problems: dict[str, str] = {}
    # An archive is named as a whole, because no one deletes a single file in it.
    alone = path.is_file()

    def tell(dropped: Dropped) -> None:
        if dropped.unit in ("file", "message") and dropped.reason != "not_an_export":
            problems["" if alone else dropped.where.partition(":")[0]] = "it has malformed messages"

    with ExitStack() as stack:
        try:
            exports = open_exports(path, tell, stack)
        except SourceError:
            if path.exists():
                return None
            raise
        platform = platform_of(exports)
        if not platform:
            return None
        faults = Faults(skip=True, on_drop=tell, limit=LIMIT)
        archive = OPENERS[platform](Opened(root=path, exports=exports, private=True, faults=faults))
        for portion in archive.portions({channel.id for channel in archive.channels}):
            for _, said in portion:
                where = "" if alone else said.path
                if said.author in authors or said.words_of in authors or said.id in messages:
                    theirs.setdefault(where, set()).add(said.id)
                elif any(number in said.text for number in authors):
                    named.add(where)
    return [
        Searched(path / where, frozenset(theirs.get(where, ())), {}, where in named, problems.get(where, ""))
        for where in sorted({*theirs, *named, *problems})
    ]
