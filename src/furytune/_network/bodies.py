"""Unpacks the body of an HTTP answer up to a limit: a small answer can unpack to any size."""

from __future__ import annotations

import zlib

__all__ = ["ACCEPTED", "Body", "BodyError"]

ACCEPTED = "gzip"
"""What to ask for in ``Accept-Encoding``: the one encoding that `Body` unpacks."""

_GZIP = 16 + zlib.MAX_WBITS


class BodyError(Exception):
    """A body that cannot be used; whoever reads one turns this into an error of their own."""


class Body:
    """A body that arrives piece by piece.

    Args:
        encoding: The answer's ``Content-Encoding``, "" for none.
        limit: Most bytes of it, unpacked. No more than this is ever held in memory.

    Raises:
        BodyError: The encoding is not one that was asked for.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        if encoding.strip().lower() not in {"", "identity", "gzip", "x-gzip"}:
            raise BodyError("the answer is packed in a way that was not asked for")
        self._zip = zlib.decompressobj(_GZIP) if "gzip" in encoding.lower() else None
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._fed = False

    def feed(self, piece: bytes) -> None:
        """Adds what came in.

        Raises:
            BodyError: The body is larger than the limit, or its gzip data are damaged.
        """
        self._fed = self._fed or bool(piece)
        if self._zip is not None:
            try:
                # One byte more than there is room for tells a body that just fits from one that does not.
                piece = self._zip.decompress(piece, self._limit - self._size + 1)
            except zlib.error:
                raise BodyError("the answer's gzip data are damaged") from None
            if self._zip.unused_data:
                raise BodyError("the answer goes on after its gzip data")
        self._size += len(piece)
        if self._size > self._limit:
            self._pieces.clear()
            raise BodyError(f"the answer is larger than {self._limit:,} bytes")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """Returns the body, once all of it was fed.

        Raises:
            BodyError: Its gzip data end early.
        """
        if self._zip is not None and self._fed and not self._zip.eof:
            raise BodyError("the answer's gzip data end early")
        return b"".join(self._pieces)
