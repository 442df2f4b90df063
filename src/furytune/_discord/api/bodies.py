"""Reads the body of an answer in bounded memory, before discord.py and its JSON parser get to see it."""

from __future__ import annotations

import re
from typing import Any

from furytune._network.bodies import Body, BodyError
from furytune._readers.json_lines import DEPTH

__all__ = ["Content", "check_json"]

VALUES = 1_000_000
"""Most values in one answer. A page of 100 messages holds about 10,000; what Python makes of one takes up to 100 bytes."""

# The closing quote is optional so that a string without one is matched to its end, once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHER = bytes(set(range(256)) - set(b"[]{}"))


def check_json(body: bytes, most: int = VALUES) -> None:
    """Checks that a JSON document is neither nested too deeply nor made of too many values; it need not be valid.

    Args:
        body: The document.
        most: Most values in it.

    Raises:
        BodyError: It is one or the other.
    """
    outside = _STRING.sub(b"", body)
    if outside.count(b",") + outside.count(b"[") + outside.count(b"{") > most:
        raise BodyError(f"the answer holds more than {most:,} values")
    nested = outside.translate(_BRACKETS, _OTHER)
    for _ in range(DEPTH):  # each turn takes off the innermost level
        nested = nested.replace(b"[]", b"")
    if b"[[" in nested:
        raise BodyError(f"the answer nests more than {DEPTH} levels")


class Content:
    """Takes the place of an aiohttp response's ``content``, so that all who read the body read a bounded one.

    aiohttp must not unpack by itself (``auto_decompress=False``): by version, it unpacks any amount at a time.

    Args:
        response: The response; nothing of its body has been read yet.
        limit: Most bytes of the body, unpacked.
    """

    def __init__(self, response: Any, limit: int) -> None:
        self._content = response.content
        self._json = "json" in response.headers.get("Content-Type", "")
        self._body = Body(response.headers.get("Content-Encoding", ""), limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def read(self, _count: int = -1) -> bytes:
        """Returns the whole body.

        Raises:
            BodyError: It is too large, damaged, nested too deeply, or holds too many values.
        """
        async for piece in self._content.iter_any():
            self._body.feed(piece)
        found = self._body.whole()
        if self._json:
            check_json(found)
        return found
