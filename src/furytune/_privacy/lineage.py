"""Finds the chat messages that a passage, and so a prompt, was made from, so that they can be removed later."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from furytune._privacy.ids import full_ids

__all__ = ["Row", "decode_row", "named_by", "named_messages", "names", "whole_numbers"]

# Server, channel and thread may have ids of the same form as messages, so they are removed first.
_PLACE = re.compile(r"(?:discord|slack|mattermost|zulip):[^/\s]{0,100}/[^/\s]{0,100}/")


class _Cited(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...


class Row(msgspec.Struct, gc=False):
    """What a manifest says about a row, as far as erasing needs it.

    Attributes:
        id: Id of the row.
        split: "train" or "validation".
        messages: Ids of the messages that question and answer were made from.
        quoted: Ids of messages that passages in its prompt quote.
    """

    id: str
    split: str
    messages: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()

    def holds(self) -> tuple[str, ...]:
        """Returns the ids of all messages whose words the row contains. Without any, it takes them from the id of the row."""
        return (*(self.messages or names(self.id)), *self.quoted)


decode_row = msgspec.json.Decoder(Row).decode
"""Reads a line of `furytune._storage.manifests.source_lines`."""


def names(text: str) -> list[str]:
    """Returns the ids in a text, in order."""
    return full_ids(text)


def named_by(passage: str, source: str) -> list[str]:
    """Returns the ids of the messages that a passage names, by its id or its source.

    A source of the form ``discord:GUILD/CHANNEL/MESSAGE,MESSAGE`` names messages only in its last part. The channel
    part does not count: the id of a thread is also the id of a message, but other people write in the thread too.
    """
    return names(f"{passage} {_PLACE.sub('', source)}")


def whole_numbers(ids: Iterable[str]) -> re.Pattern[bytes] | None:
    """Returns a pattern that finds any of the ids, but not inside a longer number; None without ids."""
    # The ids are digits, so they need no escaping.
    numbers = "|".join(sorted(ids))
    return re.compile(rf"(?<![0-9])(?:{numbers})(?![0-9])".encode()) if numbers else None


def named_messages(passages: Iterable[_Cited]) -> tuple[str, ...]:
    """Returns the ids of messages that passages name in their ids and sources, each once, in order."""
    found: dict[str, None] = {}
    for passage in passages:
        found.update(dict.fromkeys(named_by(passage.id, passage.source)))
    return tuple(found)
