"""What a journal knows about its server and the people there."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec

from furytune._discord.journal.messages import without_embeds
from furytune._privacy.ids import FULL_ID
from furytune.errors import SourceFormatError

__all__ = ["FORMAT", "About", "Forgotten", "People", "Permission", "Unread", "decoded"]

T = TypeVar("T")

# A mention, or an id by itself, as in a link to a profile.
_PERSON = re.compile(rf"<@!?(?P<mentioned>[0-9]+)>|(?<![0-9])(?P<id>{FULL_ID})(?![0-9])".encode())

FORMAT = "furytune-journal/1"
"""Name and version of the journal's format."""


class Permission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who permitted the collection, in the words of the user, and since when."""

    statement: str
    since: str


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

    def masked(self, line: bytes) -> bytes:
        """Returns a line of a log with 0 for the ids of the people, and without embeds that name one of the messages."""
        # The pattern runs over the bytes of the JSON; ids are digits, so escapes cannot hide one.
        line = _PERSON.sub(self._mask, line) if self.people else line
        return without_embeds(line, self.messages) if self.messages else line

    def _mask(self, found: re.Match[bytes]) -> bytes:
        """Returns the replacement for one id, or the id itself if its owner is not forgotten."""
        if not self.has(found[found.lastgroup or 0].decode(), ""):
            return found[0]
        # A valid mention stays a mention, so that the text reads the same without the person.
        return b"<@0>" if found["mentioned"] else b"0"

    def _mark(self, author: str) -> str:
        # The key is random for each journal, so the hashes of two journals cannot be compared.
        return hmac.digest(self.salt.encode(), author.encode(), "sha256").hex()


def decoded(data: bytes, kind: type[T], path: str, form: str = "") -> T:
    """Decodes one of the journal's own files.

    Args:
        data: The contents of the file.
        kind: `About`, `People`, `Forgotten`, or what another kind of journal has instead.
        path: The file's name.
        form: The format that the file must name; "" for a file that names none.

    Raises:
        SourceFormatError: Another version of furytune wrote it.
        msgspec.DecodeError: It is damaged.
        UnicodeDecodeError: It is damaged.
    """
    # The format comes first: the fields of another format would only give a confusing error.
    said = msgspec.json.decode(data, type=dict[str, Any])
    if form and said.get("format") != form:
        other = f"the format {said['format']!r}" if "format" in said else "no format"
        raise SourceFormatError(
            f"the journal has {other}, but this version reads {form!r} here",
            path=path,
            hint="use the version of furytune that wrote it",
        )
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        if "unknown field" not in str(error):
            raise
        raise SourceFormatError(
            f"this file of the journal contains more than this version knows ({error}), which would be lost",
            path=path,
            hint="use the version of furytune that wrote it, or a newer one",
        ) from None
