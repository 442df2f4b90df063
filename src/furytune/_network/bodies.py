"""Unpacks the body of an HTTP answer up to a limit, because a small answer can unpack to any size."""

from __future__ import annotations

import zlib

__all__ = ["ACCEPTED", "Body", "BodyError"]

ACCEPTED = "gzip"
"""Value for ``Accept-Encoding``: the only encoding that `Body` unpacks."""

_GZIP = 16 + zlib.MAX_WBITS


class BodyError(Exception):
    """A body cannot be used. The caller turns this into its own error."""


class Body:
    """A body that arrives piece by piece.

    Args:
        encoding: The answer's ``Content-Encoding``; "" if it has none.
        limit: The most bytes after unpacking. Memory never contains more than this.

    Raises:
        BodyError: The encoding was not requested.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        if encoding.strip().lower() not in {"", "identity", "gzip", "x-gzip"}:
            raise BodyError("the answer has an encoding that was not requested")
        # The encoding in the header counts, not the first bytes: a body that is gzip by itself is passed on
        # as it is.
        self._zip = zlib.decompressobj(_GZIP) if "gzip" in encoding.lower() else None
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._fed = False

    def feed(self, piece: bytes) -> None:
        """Adds the next piece.

        Raises:
            BodyError: The body is larger than the limit, or its gzip data are damaged.
        """
        self._fed = self._fed or bool(piece)
        if self._zip is not None:
            try:
                # One byte more than allowed, to tell a body that just fits from one that is too large.
                piece = self._zip.decompress(piece, self._limit - self._size + 1)
            except zlib.error:
                raise BodyError("the answer's gzip data are damaged") from None
            if self._zip.unused_data:
                raise BodyError("the answer continues after its gzip data")
        self._size += len(piece)
        if self._size > self._limit:
            # The error may be kept for a while, and with it everything that it can reach.
            self._pieces.clear()
            raise BodyError(f"the answer is larger than {self._limit:,} bytes")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """Returns the body after the last piece.

        Raises:
            BodyError: The gzip data end too early.
        """
        if self._zip is not None and self._fed and not self._zip.eof:
            raise BodyError("the answer's gzip data end too early")
        return b"".join(self._pieces)
