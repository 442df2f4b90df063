"""What a journal knows about its server and the people there."""

from __future__ import annotations

import msgspec

from furytune._storage.journal.files import Permission

__all__ = ["FORMAT", "About", "People", "Unread"]

FORMAT = "furytune-journal/1"
"""Name and version of the journal's format."""


class Unread(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A channel that the last run could not read, and why.

    Attributes:
        id: Id of the channel or thread.
        name: Its name, "" for threads, whose titles are words of people.
        reason: One of the words that `furytune.reasons` explains.
        detail: What would help, such as the permission that is missing.
    """

    id: str
    name: str
    reason: str
    detail: str = ""


# Unknown fields are an error in these files: rewriting one would drop what a newer version stored, such as a
# permission.
class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a journal says about itself.

    Attributes:
        guild: Id of the server.
        name: The server's name.
        permissions: Each statement that it was collected under.
        unread: The channels that the last run could not read.
        refresh: Number of the last full comparison.
        refreshing: True until that comparison is completed.
        cursors: For each channel, the latest archive times of the public and the private threads that were read.
        unsettled: True while logs are being written, and so after a run that was killed: people.json may lack people
            whose messages are in the logs.
        adopted: Ids of the channels whose exports were adopted.
    """

    guild: str = ""
    name: str = ""
    permissions: tuple[Permission, ...] = ()
    unread: tuple[Unread, ...] = ()
    refresh: int = 0
    refreshing: bool = False
    cursors: dict[str, tuple[str, str]] = {}
    unsettled: bool = False
    adopted: tuple[str, ...] = ()
    format: str = FORMAT


class People(msgspec.Struct, forbid_unknown_fields=True):
    """The roles of the people whose messages are in the journal.

    Attributes:
        roles: Role names by role id.
        members: Role ids by author id; someone who left has none.
    """

    roles: dict[str, str] = {}
    members: dict[str, tuple[str, ...]] = {}
