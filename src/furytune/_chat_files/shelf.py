"""Sorts messages by place on disk: an export stores them by day or by number, and pairing needs one conversation at a time."""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from furytune._chat_files.said import Place, Said
from furytune.errors import SourceError

__all__ = ["Shelf"]

_BLOCK = 1 << 16


class _Entries:
    """Where the messages of one place are in the file: 20 bytes for each."""

    __slots__ = ("sizes", "starts", "times")

    def __init__(self) -> None:
        self.times = array("q")
        self.starts = array("Q")
        self.sizes = array("I")


class Shelf:
    """Keeps messages in an unnamed temporary file, and gives them back place by place, in order of time.

    Raises:
        SourceError: The temporary folder is full or cannot be used.
    """

    def __init__(self) -> None:
        self._places: dict[Place, _Entries] = {}
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Said).decode
        self._end = 0

    def __enter__(self) -> Self:
        try:
            # The file has no name, so a killed process leaves no words behind.
            self._file = tempfile.TemporaryFile()
        except OSError as error:
            raise _full(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a full disk has been reported by then
            self._file.close()

    def put(self, place: Place, said: Said) -> None:
        """Adds a message."""
        packed = self._encode(said)
        try:
            self._file.write(packed)
        except OSError as error:
            raise _full(error) from error
        entries = self._places.get(place)
        if entries is None:
            entries = self._places[place] = _Entries()
        entries.times.append(said.at)
        entries.starts.append(self._end)
        entries.sizes.append(len(packed))
        self._end += len(packed)

    def places(self) -> list[Place]:
        """Returns the places: channels first, threads by the time of their first message."""
        return sorted(
            self._places, key=lambda place: (bool(place.thread), min(self._places[place].times), place)
        )

    def messages(self, place: Place, repeated: Counter[str]) -> Iterator[Said]:
        """Yields the messages of a place in order of time, each id once in its newest state.

        Args:
            place: The place.
            repeated: Counts the other states of messages, by file.
        """
        together: dict[str, Said] = {}
        now = None
        for said in self._sorted(place):
            if said.at != now:
                yield from together.values()
                together.clear()
                now = said.at
            known = together.get(said.id)
            if known is None:
                together[said.id] = said
            # The last edit decides; of two equal states, the one that was read last, because exports are read by age.
            elif said.edited >= known.edited:
                together[said.id] = said
                repeated[known.path] += 1
            else:
                repeated[said.path] += 1
        yield from together.values()

    def _sorted(self, place: Place) -> Iterator[Said]:
        entries = self._places[place]
        times, starts, sizes = entries.times, entries.starts, entries.sizes
        order = sorted(range(len(times)), key=times.__getitem__)
        first, last = 0, 0  # the part of the file that is in memory
        block = b""
        try:
            self._file.flush()
            for at in order:
                start, end = starts[at], starts[at] + sizes[at]
                if not (first <= start and end <= last):
                    # No more than this place needs, because most threads are short.
                    wanted = max(end, min(start + _BLOCK, starts[-1] + sizes[-1]))
                    self._file.seek(start)
                    block = self._file.read(wanted - start)
                    first, last = start, start + len(block)
                yield self._decode(block[start - first : end - first])
        except OSError as error:
            raise _full(error) from error


def _full(error: OSError) -> SourceError:
    return SourceError(
        f"{tempfile.gettempdir()}: cannot store messages in the temporary folder: "
        f"{error.strerror or type(error).__name__}; free some space there, or set TMPDIR to another folder, and run again"
    )
