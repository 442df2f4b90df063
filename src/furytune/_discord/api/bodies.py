"""Reads the body of an answer in bounded memory, before discord.py and its JSON parser see it."""

from __future__ import annotations

import re
from typing import Any

from furytune._network.bodies import Body, BodyError
from furytune._readers.json_lines import DEPTH

__all__ = ["Content", "check_json"]

VALUES = 1_000_000
"""Most values in one answer. A page of 100 messages has about 10,000; each takes up to 100 bytes in Python."""

# The closing quote is optional, so that an unclosed string is matched once, to the end of the document.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHER = bytes(set(range(256)) - set(b"[]{}"))


def check_json(body: bytes, most: int = VALUES) -> None:
    """Checks that a JSON document is not nested too deeply and has not too many values; it need not be valid.

    Args:
        body: The document.
        most: Most values allowed.

    Raises:
        BodyError: It is nested too deeply, or has too many values.
    """
    # Brackets and commas inside strings are text. The pattern is possessive, so that it takes linear time.
    outside = _STRING.sub(b"", body)
    if outside.count(b",") + outside.count(b"[") + outside.count(b"{") > most:
        raise BodyError(f"the answer contains more than {most:,} values")
    nested = outside.translate(_BRACKETS, _OTHER)
    # Counting with `replace` runs in C. A loop over the bytes in Python would take seconds for 32 MiB.
    for _ in range(DEPTH):  # each turn removes the innermost level
        nested = nested.replace(b"[]", b"")
    if b"[[" in nested:
        raise BodyError(f"the answer is nested more than {DEPTH} levels deep")


class Content:
    """Replaces an aiohttp response's ``content``, so that all code that reads the body gets a bounded one.

    aiohttp must not unpack by itself (``auto_decompress=False``), because some versions unpack any amount at once.

    Args:
        response: The response, whose body has not been read yet.
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
            BodyError: It is too large, damaged or nested too deeply, or has too many values.
        """
        async for piece in self._content.iter_any():
            self._body.feed(piece)
        found = self._body.whole()
        if self._json:
            check_json(found)
        return found
