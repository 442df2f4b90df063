"""Splits an answer into messages that a chat program takes, each of which can be read by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from furytune.answering.text.graphemes import blank, whole_before
from furytune.answering.text.marks import FARTHEST, Reader, is_fence
from furytune.errors import ConfigError

__all__ = ["Part", "joined", "split"]

_LEAST = 100
_NEAR = 200
_SPECIAL = frozenset("`*_~|>")
_TOUCHY = frozenset("`*_~|\\[]()<>")


class Part(str):
    """A message of an answer: a text that also knows what was added to it.

    Attributes:
        opening: What was added at its start, to open again what the part before closed.
        closing: What was added at its end, to close what is open.
        before: Blanks of the answer before the part, which are not in it.
        after: The same after it; only the last part can have them.
    """

    __slots__ = ("after", "before", "closing", "opening")

    opening: str
    closing: str
    before: str
    after: str

    def __new__(  # noqa: D102
        cls, body: str, *, opening: str = "", closing: str = "", before: str = "", after: str = ""
    ) -> Self:
        part = super().__new__(cls, f"{opening}{body}{closing}")
        part.opening, part.closing, part.before, part.after = opening, closing, before, after
        return part

    @property
    def body(self) -> str:
        """What the part contains of the answer."""
        return self[len(self.opening) : len(self) - len(self.closing)]


def joined(parts: Iterable[Part]) -> str:
    """Returns the text that `split` split: what each part contains of it, with the blanks between them."""
    return "".join(f"{part.before}{part.body}{part.after}" for part in parts)


def split(text: str, most: int = 2000) -> list[Part]:
    r"""Splits an answer into parts for a chat program.

    A part ends between paragraphs if possible, otherwise between lines, sentences or words. A code block that must be cut
    is closed, and opened again in the next part with its language; so are bold, italics, strikethrough, spoilers, code
    inside a line, and the marks of a quote. Links, addresses and what people see as one character are not cut unless one
    alone is longer than a part. Blanks at a cut are left out, because chat programs leave them out.

    While an answer grows, its parts stay as they are, except for the last one, so a bot only has to edit its last message.

    Args:
        text: The answer, in Markdown.
        most: Most characters of a part, as Discord counts them: code points, which is what ``len`` counts.

    Returns:
        The parts, each with something to see; none for a blank text. `joined` makes the text out of them again.

    Raises:
        ConfigError: ``most`` is less than 100.

    Example:
        >>> split("Try this:\n```python\n" + "x = 1\n" * 20 + "```\n", most=100)[1][:16]
        '```python\nx = 1\n'
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < _LEAST:
        raise ConfigError(f"most must be a number of at least {_LEAST} characters")
    parts: list[Part] = []
    opening, start, indent = "", 0, 0
    while True:
        begin = start if _in_code(opening) else _skipped(text, start, touching=bool(opening))
        if begin >= len(text):
            break
        end = _end(text, begin, opening, indent, most)
        body = text[begin:end]
        state = Reader(opening + body, most // 8, indent).read()
        closing = state.closing
        parts.append(Part(body, opening=opening, closing=closing, before=text[start:begin]))
        ended = "\n" in text[end : _skipped(text, end, touching=True)]
        opening, start = state.opening(most // 8, ended=ended), end
        indent = state.fence.indent if state.fence else 0
    if parts and start < len(text):
        last = parts[-1]
        parts[-1] = Part(
            last.body, opening=last.opening, closing=last.closing, before=last.before, after=text[start:]
        )
    return parts


def _in_code(opening: str) -> bool:
    return "\n" in opening


def _skipped(text: str, start: int, *, touching: bool) -> int:
    """Returns where the next part begins: after blanks, because a part must not consist of them."""
    begin = start
    while begin < len(text) and blank(text[begin]):
        begin += 1
    line = text.rfind("\n", start, begin) + 1
    if line and begin - line >= 4 and not touching and begin < len(text) and is_fence(text, begin):
        return line  # without its indentation, this fence would not fit the one that ends the block
    return begin


def _end(text: str, begin: int, opening: str, indent: int, most: int) -> int:
    """Returns where a part ends. It looks at nothing that is beyond the part, so appended text changes nothing."""
    last = _fitting(text, begin, opening, most)
    if last >= len(text):
        return len(text)
    reader = Reader(opening + text[begin:last], most // 8, indent)
    reader.read()
    shift = begin - len(opening)
    half = begin + (last - begin) // 2
    best: dict[int, int] = {}
    late: dict[int, int] = {}
    for cut in reader.cuts:
        at = cut.at + shift
        if begin < at <= last:
            best[cut.level] = at
            if at >= half:
                late[cut.level] = at
    for found in (late, best):
        for level in sorted(found):
            at = found[level] if level == 2 else _without_blanks(text, begin, found[level])
            if at > begin:
                return at
    return _anywhere(text, begin, last, [(a + shift, b + shift) for a, b in reader.whole])


def _without_blanks(text: str, begin: int, end: int) -> int:
    while end > begin and blank(text[end - 1]) and text[end - 1].isspace():
        end -= 1
    return end


def _anywhere(text: str, begin: int, last: int, whole: list[tuple[int, int]]) -> int:
    """Returns the last place where no character is cut: outside of links, otherwise inside of one."""
    inside = 0
    # Only the last link can reach beyond the places that are tried.
    if whole and whole[-1][1] >= last and whole[-1][0] > begin:
        return _without_blanks(text, begin, whole[-1][0]) if whole[-1][0] - begin > 1 else last
    for at in range(last, max(begin, last - _NEAR), -1):
        if not whole_before(text, at) or blank(text[at - 1]) or (at < len(text) and text[at] in "\r\n"):
            continue
        inside = inside or at
        if text[at - 1] not in _TOUCHY and text[at] not in _TOUCHY:
            return at
    return inside or last


def _fitting(text: str, begin: int, opening: str, most: int) -> int:
    """Returns how far a part can reach at most, with room to close all that may be open in it.

    The room depends on the marks that it contains and only grows, so a text that does not fit never fits after it grew.
    """
    room = most - len(opening)
    window = opening + text[begin : begin + room]
    if not _SPECIAL.intersection(window):
        return min(len(text), begin + room)
    longest, run, seen, column, farthest = 0, 0, set[str](), 0, 0
    before = ""
    for position, char in enumerate(window):
        if char in _SPECIAL:
            seen.add(char)
            run = run + 1 if char == before else 1
            if char in "`~":
                longest = max(longest, min(run, most // 8))
                if run == 3:
                    # The fence that closes a block stands below the one that opened it.
                    farthest = max(farthest, min(column - 2, FARTHEST))
        before = char
        column = 0 if char == "\n" else column + 1
        need = (
            (longest + 1 + farthest if longest >= 3 else longest)
            + 3 * ("*" in seen)
            + 3 * ("_" in seen)
            + 2 * ("~" in seen)
            + 2 * ("|" in seen)
        )
        if position + 1 + need > most and position >= len(opening):
            return begin + max(1, position - len(opening))
    return begin + len(window) - len(opening)
