"""Streams the typed elements of one array inside a JSON object, in any layout and in bounded memory.

`msgspec` decodes blocks of complete elements in place. The end of an element is guessed and then proved: the bytes from the
array's ``[`` to a candidate ``}``, closed by a ``]``, are valid JSON only if the candidate ends an element, because the
parser state after a JSON prefix is unique. A block that does not decode is read again, element by element, with the standard
library's decoder, which reports the place of an error and lets the reader skip a bad element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from furytune._readers.bytes import ByteSource
from furytune._readers.json_text import Bad, Malformed, MoreNeededError, Text

__all__ = ["BLOCK", "LIMIT", "ObjectArray"]

T = TypeVar("T")

BLOCK = 1 << 18
"""Bytes decoded at a time."""
LIMIT = 64 << 20
"""Maximum bytes of a single element, and of the text before or after the array."""

_GUESSES = 4
_NEAR = 1 << 16
_NEXT = re.compile(r'[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"[^"\\\x00-\x1f]*"')
_SECOND = re.compile(
    rb'[ \t\n\r]*:[ \t\n\r]*"[^"\\\x00-\x1f]{0,64}"[ \t\n\r]*,[ \t\n\r]*("[^"\\\x00-\x1f]*")'
)
_ANY_CUT = re.compile(
    rb'\}[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"id"[ \t\n\r]*:[ \t\n\r]*"\d+"[ \t\n\r]*,[ \t\n\r]*"type"'
)


class ObjectArray(Generic[T]):
    """Reads the elements of an array that is a member of a JSON object.

    Args:
        source: Source of the bytes.
        key: Name of the member with the array.
        kind: Type of an element.
        block: Bytes decoded at a time.
        limit: Maximum bytes of one element, and of the members before or after the array.
        skip: Whether to continue after a malformed element, if the next one can be found, instead of raising.
    """

    def __init__(
        self,
        source: ByteSource,
        key: str,
        kind: type[T],
        *,
        block: int = BLOCK,
        limit: int = LIMIT,
        skip: bool = False,
    ) -> None:
        self.members: dict[str, Any] = {}
        """Other members of the object: those before the array after `open`, all after `blocks`."""
        self.count = 0
        """Elements seen so far, including bad ones."""
        self._source = source
        self._key = key
        self._kind = kind
        self._decode: Callable[[memoryview], list[T]] = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]
        self._block = block
        self._limit = limit
        self._skip = skip
        # One buffer for the whole file: new ones for each block would cost more than decoding them.
        self._buf = bytearray(block * 2)
        self._start = 0
        self._have = 0
        self._base = 0
        self._eof = False
        self._comma = False
        self._closed = False
        self._cut: tuple[bytes, int, re.Pattern[bytes] | None] | None = None

    # ------------------------------------------------------------------ bytes

    def _fill(self, want: int) -> None:
        """Makes ``want`` bytes available after the start, or fewer at the end of the file."""
        if self._start:
            left = self._have - self._start
            self._buf[:left] = self._buf[self._start : self._have]
            self._base += self._start
            self._start, self._have = 0, left
        if len(self._buf) < want + 1:
            self._buf.extend(bytes(want + 1 - len(self._buf)))
        with memoryview(self._buf) as view:
            while self._have < want and not self._eof:
                got = self._source.readinto(view[self._have :])
                self._eof = not got
                self._have += got

    def _grow(self) -> None:
        """Makes more bytes available for a value that is longer than the buffer.

        Raises:
            Malformed: The value is longer than the limit.
        """
        have = self._have - self._start
        if have >= self._limit:
            raise Malformed(f"a single value is over {self._limit} bytes", self._base + self._start)
        # Doubling keeps the total work linear, although a long value is scanned again after each step.
        self._fill(min(max(have * 2, self._block), self._limit))

    @property
    def end(self) -> int:
        """Byte offset of the end of the text read so far."""
        return self._base + self._have

    def _text(self, skip: int = 0) -> Text:
        start = self._start + skip
        return Text(bytes(self._buf[start : self._have]), self._base + start, last=self._eof)

    # ------------------------------------------------------------------ around the array

    def open(self) -> None:
        """Reads up to the array.

        Raises:
            Malformed: The text is not a JSON object with such an array.
        """
        self._fill(min(self._block, 1 << 16))
        self._start = self._source.text_start(bytes(self._buf[: min(4, self._have)]))
        while True:
            text = self._text()
            try:
                at = text.expect("{", 0) + 1
                found = self._read_members(text, at, first=True)
            except MoreNeededError:
                self._grow()
                continue
            if found is None:
                raise Malformed(f"no {self._key!r} array in the file", text.base)
            self._start += text.size(0, found)
            return

    def _read_members(self, text: Text, at: int, *, first: bool) -> int | None:
        """Reads members up to the array (returns its place) or to the end of the file (returns None)."""
        members: dict[str, Any] = {}
        while True:
            at = text.expect('"}' if first else ",}", at)
            if text.text[at] == "}":
                end = text.space(at + 1)
                # Only the end of the file proves that nothing follows the object.
                if not text.last:
                    raise MoreNeededError
                if end < len(text.text):
                    raise text.fail("text after the end of the JSON object", end)
                self._accept(members, text, end)
                return None
            if not first:
                at = text.expect('"', at + 1)
            first = False
            name, after = text.value(at)
            begin = text.space(text.expect(":", after) + 1)
            # A member of the same name inside another value was skipped with that value, so this one belongs
            # to the root.
            if name == self._key:
                if self._closed:
                    raise text.fail(f"a second {self._key!r} member", at)
                begin = text.expect("[", begin)
                self._accept(members, text, begin)
                return begin
            members[name], at = text.value(begin)

    def _accept(self, members: dict[str, Any], text: Text, end: int) -> None:
        """Stores members of the object, after checking that they are UTF-8.

        Raises:
            Malformed: They contain bytes that are not UTF-8.
        """
        broken = text.not_utf8(0, end)
        if broken is not None:
            raise Malformed("bytes that are not UTF-8", broken)
        self.members.update(members)

    def _read_tail(self) -> None:
        """Reads the members after the array, to the end of the file."""
        while True:
            text = self._text()
            try:
                self._read_members(text, 0, first=False)
            except MoreNeededError:
                self._grow()
                continue
            return

    # ------------------------------------------------------------------ the array

    def blocks(self) -> Iterator[list[T] | Bad]:
        """Yields lists of elements, and elements that cannot be used, in order.

        Raises:
            Malformed: The text ends early, or is not valid JSON.
        """
        while not self._closed:
            self._fill(self._block)
            if self._cut is None:
                self._learn()
            done = self._try_end() if self._eof else self._try_cut()
            if done is None:
                yield from self._one_by_one()
            else:
                self.count += len(done)
                yield done
        self._read_tail()

    def _learn(self) -> None:
        """Learns from the first element what separates two elements."""
        text = self._text(1)
        try:
            begin = text.space(0)
            _, end = text.value(begin)
        except (MoreNeededError, Malformed):
            return
        # Exporters write every element in the same form, so the bytes between the first two also separate all
        # others.
        following = _NEXT.match(text.text, end)
        if following is None or text.text[end - 1] != "}":
            return
        indent = len(text.text[: end - 1].rstrip(" \t\n\r"))
        mark = text.text[indent : following.end()].encode("utf-8", "surrogateescape")
        comma = mark.index(b",", end - indent)
        pattern = None
        if b"\n" not in mark:  # elsewhere the line break proves that the mark is not inside a string
            second = _SECOND.match(
                text.text[following.end() : following.end() + 400].encode("utf-8", "surrogateescape")
            )
            tail = (
                _SECOND.pattern.replace(b'("[^"\\\\\\x00-\\x1f]*")', re.escape(second[1])) if second else b""
            )
            pattern = re.compile(re.escape(mark) + tail)
        self._cut = (mark, comma, pattern)

    def _candidates(self) -> list[int]:
        """Returns the places of the last commas that may separate two elements, last first."""
        if self._cut is None:
            return []
        mark, comma, pattern = self._cut
        if pattern is not None:
            # A regular expression cannot search backwards, so only the end of the buffer is searched.
            low = max(self._start, self._have - _NEAR)
            found = [m.start() + comma for m in pattern.finditer(self._buf, low, self._have)]
            # The last of them makes the largest block. If it was inside a string, decoding fails and the one
            # before is tried.
            return found[: -_GUESSES - 1 : -1]
        places: list[int] = []
        end = self._have
        while len(places) < _GUESSES and (at := self._buf.rfind(mark, self._start, end)) >= 0:
            places.append(at + comma)
            end = at + len(mark) - 1
        return places

    def _try_cut(self) -> list[T] | None:
        """Decodes as many whole elements as the buffer holds; returns None if that fails."""
        buf, start = self._buf, self._start
        for comma in self._candidates():
            # The comma becomes "]" in place, because copying the block would double the memory and time.
            buf[comma] = 0x5D
            try:
                with memoryview(buf) as view, view[start : comma + 1] as part:
                    done = self._decode(part)
                    str(part, "utf-8")  # the decoder does not look into strings that it skips
            # A message in this block is bad. Trying another cut would not help; the exact reader finds out
            # which one.
            except (msgspec.ValidationError, RecursionError, UnicodeDecodeError):
                buf[comma] = 0x2C
                return None
            except msgspec.DecodeError:
                buf[comma] = 0x2C
                continue
            self._resume(comma)
            return done
        return None

    def _try_end(self) -> list[T] | None:
        """Decodes the last elements, up to the end of the array; returns None if that fails."""
        end = self._have
        for _ in range(2):
            # At the end of the file, the last bracket closes the array, unless another member with an array
            # follows.
            end = self._buf.rfind(b"]", self._start, end)
            if end < 0:
                return None
            try:
                with memoryview(self._buf) as view, view[self._start : end + 1] as part:
                    done = self._decode(part)
                    str(part, "utf-8")
            except (msgspec.ValidationError, RecursionError, UnicodeDecodeError):
                return None
            except msgspec.DecodeError:
                continue
            # A comma before the end of the array is not JSON; the slow path reports it.
            if self._comma and not done:
                return None
            self._start = end + 1
            self._closed = True
            return done
        return None

    def _resume(self, comma: int) -> None:
        """Makes the comma the opening bracket of the next block."""
        self._buf[comma] = 0x5B
        self._start = comma
        self._comma = True

    # ------------------------------------------------------------------ slow and exact

    def _one_by_one(self) -> Iterator[list[T] | Bad]:
        """Reads elements one by one, to find the one that is bad and say where."""
        text = self._text(1)
        good: list[T] = []
        at = done = 0  # characters; `done` is the last comma between two elements
        try:
            while True:
                begin = text.space(at)
                if text.text[begin : begin + 1] == "]" and not self._comma and not at:
                    self._close(text, begin)
                    break
                value, end = text.value(begin)
                after = text.expect(",]", end)
                self.count += 1
                item = self._convert(text, begin, end, value)
                if isinstance(item, Bad):
                    if good:
                        yield good
                        good = []
                    yield item
                else:
                    good.append(item)
                if text.text[after] == "]":
                    self._close(text, after)
                    break
                at = done = after + 1
        except MoreNeededError:
            pass
        except Malformed as error:
            if good:
                yield good
            if not self._skip:
                raise
            yield self._step_over(error, text.base + text.size(0, at))
            return
        if good:
            yield good
        if self._closed:
            return
        if done:
            self._resume(self._start + text.size(0, done))
        elif self._skip and self._have - self._start >= self._limit:
            yield self._pass_over_long()
        else:
            self._grow()

    def _pass_over_long(self) -> Bad:
        """Drops an element over the limit and continues at the next one, if there is one."""
        begin = self._base + self._start + 1
        error = Malformed(f"a single message is over {self._limit} bytes", begin)
        found = self._step_over(error, begin)
        return Bad("message_too_long", begin, "", found.detail)

    def _close(self, text: Text, bracket: int) -> None:
        self._start += 1 + text.size(0, bracket + 1)
        self._closed = True

    def _convert(self, text: Text, begin: int, end: int, value: Any) -> T | Bad:
        """Returns an element as the wanted type, or what is wrong with it.

        Args:
            text: The buffer.
            begin: First character of the element.
            end: Character after it.
            value: The element as the standard library decoded it.
        """
        own = value.get("id") if isinstance(value, dict) else None
        name = own if isinstance(own, str) and own.isascii() else ""
        broken = text.not_utf8(begin, end)
        if broken is not None:
            return Bad("invalid_utf8", broken, name, "bytes that are not UTF-8")
        offset = text.base + text.size(0, begin)
        try:
            item = msgspec.convert(value, self._kind)
            # Encoding finds lone surrogates, which the standard library's decoder accepts.
            msgspec.json.encode(item)
        except msgspec.ValidationError as error:
            return Bad("invalid_message", offset, name, str(error))
        except UnicodeEncodeError:
            return Bad("lone_surrogate", offset, name, "half of a surrogate pair: not a character")
        return item

    def _step_over(self, error: Malformed, begin: int) -> Bad:
        """Drops the malformed element and continues at the next one, if there is one.

        If the separator between elements is known, the search for it begins at the start of the element: an element that
        is never closed swallows all others, so the error appears only at the end of the file.
        """
        # With a learned mark, searching from the element's beginning is safe. Without one, the search must
        # not find the same place again.
        at = error.offset if self._cut is None else begin
        self._start = max(self._start, at - self._base)
        while True:
            cut = self._find_cut()
            if cut is not None:
                self._resume(cut)
                self.count += 1
                return Bad("malformed_json", error.offset, "", error.problem)
            if self._eof:
                raise error
            # The mark may begin at the end of this buffer, so its last bytes are searched again.
            self._start = max(self._start, self._have - _NEAR)
            self._fill(self._have - self._start + self._block)

    def _find_cut(self) -> int | None:
        """Returns the place of the next comma between two elements, None if it is not in the buffer."""
        if self._cut is not None:
            mark, comma, pattern = self._cut
            if pattern is None:
                at = self._buf.find(mark, self._start, self._have)
                return None if at < 0 else at + comma
            found = pattern.search(self._buf, self._start, self._have)
            return None if found is None else found.start() + comma
        found = _ANY_CUT.search(self._buf, self._start, self._have)
        return None if found is None else self._buf.index(b",", found.start())
