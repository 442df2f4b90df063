"""Reads Markdown from its start, and says what is open at its end and where it can be cut."""

from __future__ import annotations

import re
from bisect import bisect_right

from attrs import define, field, frozen

__all__ = ["FARTHEST", "Cut", "Fence", "Reader", "State", "is_fence"]

FARTHEST = 24
"""The farthest column of a fence. One further right is text."""

_QUOTE = re.compile(r"(?: {0,3}>(?:>| ?>){0,3} ?)?")
_ITEM = re.compile(r" {0,24}(?:[-+*]|[0-9]{1,9}[.)])(?: {1,4}(?! )| )")
_FENCE = re.compile(r"( *)(`{3,}|~{3,})([^\n]*)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]|-# ")
_LOOKS_LIKE_BLOCK = re.compile(
    r"(?:#{1,6}|-#|[-+*=_]|[0-9]{1,9}[.)]|>+|`{3}|~{3}|\|)(?:[ \t\n]|\Z)|>|`{3}|~{3}|[-=_*]{3}"
)
_TICKS = re.compile(r"`+")
_TOKEN = re.compile(
    r"""
      \\[!-/:-@\[-`{-~]                                            # an escaped character
    | (?P<ticks>`+)
    | (?P<link>!?\[[^\[\]\n`]{0,300}(?:\]\([^()\s]{0,1500}(?:\)|\Z)|\]\(?\Z|\Z)  # a link, perhaps cut off at the end
      | <[^\s<>][^<>\n]{0,300}(?:>|\Z)                             # an address or a mention
      | https?://[^\s<>]+)
    | (?P<mark>\*+|_+|~~|\|\|)
    | (?P<space>[ \t\n\r]+)
    """,
    re.VERBOSE,
)
_SENTENCE = frozenset(".!?:;…。！？")


@frozen
class Fence:
    """The fence of a code block that is open.

    Attributes:
        prefix: Marks of the quote that it is in, such as "> ".
        mark: The fence itself, such as "```".
        info: What follows the fence on its line, such as "python".
        pad: Blanks before the fence, or the width of the list item's mark.
        indent: The same in the first of the parts that the block is in.
        content: Column of the text of the list item that it is in. The block ends with the item.
    """

    prefix: str
    mark: str
    info: str
    pad: int = 0
    indent: int = 0
    content: int = 0


@frozen
class State:
    """What is open at the end of a text.

    Attributes:
        fence: A code block's fence.
        ticks: The ticks of code inside a line.
        marks: Bold, italics, strikethrough and spoilers, outermost first.
        prefix: Marks of the quote that the last line is in, if the line has not ended.
        fresh: Whether the text ends with a line break.
        last: Its last character.
    """

    fence: Fence | None = None
    ticks: str = ""
    marks: tuple[str, ...] = ()
    prefix: str = ""
    fresh: bool = True
    last: str = ""

    @property
    def closing(self) -> str:
        """What closes everything."""
        if self.fence:
            return ("" if self.fresh else "\n") + self.fence.prefix + " " * self.fence.pad + self.fence.mark
        found = self.ticks + "".join(reversed(self.marks))
        # Next to the same sign, it would be another mark.
        return "" if self.last and found.startswith(self.last) else found

    def opening(self, longest: int, *, ended: bool) -> str:
        """Returns what opens everything again at the start of another text.

        Args:
            longest: Most characters of a fence's info string; a longer one is left out.
            ended: Whether the other text begins with a line of its own, and not in the middle of one.
        """
        if self.fence:
            info = self.fence.info if len(self.fence.info) <= longest else ""
            rest = "" if self.fresh else self.fence.prefix
            return f"{self.fence.prefix}{self.fence.mark}{info}\n{rest}"
        return ("" if ended else self.prefix) + "".join(self.marks) + self.ticks


@frozen
class Cut:
    """A place where a text can be cut.

    Attributes:
        at: End of the text before.
        level: 0 between paragraphs, 1 between lines, 2 between lines of a code block, 3 between sentences, 4 between words,
            5 between words in bold and the like, 6 in code inside a line.
    """

    at: int
    level: int


@define
class Reader:
    """Reads a text from its start to its end, in linear time.

    Args:
        text: The text.
        longest_fence: Longer fences are text.
        indent: Where a code block was indented that the text's first line opens again.

    Attributes:
        cuts: Where it can be cut, in order.
        whole: Links and addresses, as start and end.
    """

    text: str
    longest_fence: int
    indent: int = 0
    cuts: list[Cut] = field(factory=list, init=False)
    whole: list[tuple[int, int]] = field(factory=list, init=False)
    _fence: Fence | None = field(default=None, init=False)
    _ticks: str = field(default="", init=False)
    _marks: list[tuple[str, int]] = field(factory=list, init=False)
    _items: list[int] = field(factory=list, init=False)
    _in_paragraph: bool = field(default=False, init=False)
    _depth: int = field(default=0, init=False)
    _prefix: str = field(default="", init=False)
    _runs: dict[int, list[int]] = field(factory=dict, init=False)
    _paragraph_end: int = field(default=-1, init=False)

    def read(self) -> State:
        """Returns what is open at the end."""
        for run in _TICKS.finditer(self.text):
            self._runs.setdefault(len(run[0]), []).append(run.start())
        start = 0
        while start < len(self.text):
            end = self.text.find("\n", start) + 1 or len(self.text)
            self._line(start, end)
            start = end
        fresh = not self.text or self.text.endswith("\n")
        # Marks without anything after them are not open: closing them would show them.
        open_ = tuple(mark for mark, at in self._marks if at < len(self.text.rstrip()))
        if self._fence:
            return State(fence=self._fence, fresh=fresh)
        # Three ticks at the start of a line would be a fence.
        ticks = self._ticks if len(self._ticks) < 3 else ""
        return State(
            ticks=ticks, marks=open_, prefix="" if fresh else self._prefix, fresh=fresh, last=self.text[-1:]
        )

    def _line(self, start: int, end: int) -> None:
        quote = _QUOTE.match(self.text, start, end)
        body = quote.end() if quote else start
        prefix = self.text[start:body]
        depth = prefix.count(">")
        if self._fence is not None:
            inside = self._fence.prefix.count(">")
            if depth >= inside:
                self._in_fence(start, _after_quotes(self.text, start, body, inside), end)
                return
            self._fence = None  # the quote ended, and its code block with it
        blank = not self.text[body:end].strip()
        if depth != self._depth or blank:
            self._reset()
        self._depth, self._prefix = depth, prefix
        if blank:
            self._in_paragraph = False
            self._cut(end, 0)
            return
        content, is_item = self._contain(body, end)
        heading = _HEADING.match(self.text, content, end)
        if is_item or heading:
            self._reset()
        if self._opens(content, end, prefix, body):
            self._reset()
            self._in_paragraph = False
            return
        blanks = len(self.text[content:end]) - len(self.text[content:end].lstrip(" "))
        if blanks >= 4 and not self._in_paragraph:
            self._cut(end, 1)  # an indented code block: marks mean nothing in it
            return
        self._in_paragraph = True
        self._inline(content, end)
        if self.text[end - 1] == "\n":
            if heading:
                self._reset()
                self._in_paragraph = False
            self._cut(end, 5 if self._marks or self._ticks else 1)

    def _contain(self, body: int, end: int) -> tuple[int, bool]:
        """Returns where the content of a line begins in the list item that it is in, and whether it begins an item."""
        line = self.text[body:end]
        blanks = len(line) - len(line.lstrip(" "))
        first = item = _ITEM.match(self.text, body, end)
        fence = _FENCE.match(self.text, body, end)
        if not self._in_paragraph or item or fence or _HEADING.match(self.text, body, end):
            while self._items and self._items[-1] > blanks:
                self._items.pop()
        content = body + (self._items[-1] if self._items and blanks >= self._items[-1] else 0)
        if item is not None and blanks - (content - body) >= 4:
            first = item = None
        while item is not None and len(self._items) < 8 and item.end() - body <= FARTHEST:
            content = item.end()
            self._items.append(content - body)
            self._in_paragraph = False
            item = _ITEM.match(self.text, content, end)
        return content, first is not None

    def _reset(self) -> None:
        self._marks.clear()
        self._ticks = ""

    def _opens(self, content: int, end: int, prefix: str, body: int) -> bool:
        """Notes the fence that a line opens, if it does."""
        found = _FENCE.match(self.text, content, end)
        if found is None or len(found[2]) > self.longest_fence or len(found[1]) >= 4:
            return False
        pad = found.start(2) - body
        if pad > FARTHEST or (found[2][0] == "`" and "`" in found[3]):
            return False
        indent = self.indent if not content and self.indent else pad
        self._fence = Fence(prefix, found[2], found[3].strip(), pad, indent, content - body)
        return True

    def _in_fence(self, start: int, body: int, end: int) -> None:
        fence = self._fence
        assert fence is not None
        line = self.text[body:end]
        inner = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if inner and indent < fence.content:
            self._fence = None  # the list item ended, and its code block with it
            self._line(start, end)
        elif (
            inner
            and indent <= max(fence.content + 3, fence.indent)
            and len(inner) >= len(fence.mark)
            and not inner.strip(fence.mark[0])
        ):
            self._fence = None
            self._prefix, self._depth = self.text[start:body], fence.prefix.count(">")
            self._cut(end, 1)
        elif line.endswith("\n"):
            self.cuts.append(Cut(end, 2))

    def _cut(self, end: int, level: int) -> None:
        """Notes the end of a line that is not in a code block."""
        if self.text[end - 1] == "\n":
            self.cuts.append(Cut(end, level))

    def _inline(self, start: int, end: int) -> None:
        for token in _TOKEN.finditer(self.text, start, end):
            at = token.start()
            if token["ticks"]:
                self._tick(token["ticks"], at, token.end())
            elif token["space"] and token.end() < end:
                self._space(at, token.end())
            elif self._ticks:
                continue
            elif token["link"]:
                self.whole.append((at, token.end()))
            elif token["mark"]:
                self._mark(token["mark"], at, token.end())

    def _tick(self, ticks: str, at: int, end: int) -> None:
        if self._ticks:
            if ticks == self._ticks:
                self._ticks = ""
        elif len(ticks) <= self.longest_fence and self._closes_later(len(ticks), at):
            self._ticks = ticks if end < len(self.text) else ""

    def _closes_later(self, length: int, at: int) -> bool:
        """Returns whether ticks have a partner in their paragraph, or may get one, because it has not ended."""
        if at >= self._paragraph_end:
            found = self.text.find("\n\n", at)
            self._paragraph_end = len(self.text) + 1 if found < 0 else found
        if self._paragraph_end > len(self.text):
            return True
        runs = self._runs.get(length, [])
        after = bisect_right(runs, at)
        return after < len(runs) and runs[after] < self._paragraph_end

    def _space(self, at: int, end: int) -> None:
        before = self.text[at - 1] if at else "\\"
        if before == "\\" or _LOOKS_LIKE_BLOCK.match(self.text, end):
            return
        level = 6 if self._ticks else 5 if self._marks else 3 if before in _SENTENCE else 4
        self.cuts.append(Cut(at, level))

    def _mark(self, run: str, at: int, end: int) -> None:
        before = self.text[at - 1] if at else " "
        after = self.text[end] if end < len(self.text) else " "
        opens, closes = _flanking(run, before, after)
        left = len(run)
        known = [mark for mark, _ in self._marks]
        while left:
            size = min(2, left)
            if closes and known and run[0] == known[-1][0] and len(known[-1]) <= left:
                left -= len(known.pop())
                self._marks.pop()
            elif (
                closes
                and (found := next((m for m in (run[:size], run[:1]) if m in known), ""))
                and run[0] != "|"
            ):
                # Marks that cross others close those, too, as chat programs and CommonMark do.
                while known and known[-1] != found:
                    known.pop()
                    self._marks.pop()
                known.pop()
                self._marks.pop()
                left -= len(found)
            elif opens and left <= 3 and run[:size] not in known:
                known.append(run[:size])
                self._marks.append((run[:size], end))
                left -= size
            elif opens and left <= 3 and run[0] in "*_" and run[0] not in known:
                known.append(run[0])
                self._marks.append((run[0], end))
                left -= 1
            else:
                return


def _after_quotes(text: str, start: int, end: int, count: int) -> int:
    """Returns the end of so many marks of a quote, with the blank after the last one."""
    at = start
    for _ in range(count):
        at = text.index(">", at, end) + 1
    return at + (count > 0 and at < end and text[at] == " ")


def _flanking(run: str, before: str, after: str) -> tuple[bool, bool]:
    """Returns whether a run of marks can open and close, by CommonMark's rules."""
    blank_before, blank_after = before.isspace(), after.isspace()
    sign_before, sign_after = _sign(before), _sign(after)
    left = not blank_after and (not sign_after or blank_before or sign_before)
    right = not blank_before and (not sign_before or blank_after or sign_after)
    if run[0] == "_":
        return left and (not right or sign_before), right and (not left or sign_after)
    return left, right


def _sign(char: str) -> bool:
    return not char.isalnum() and not char.isspace()


def is_fence(text: str, at: int) -> bool:
    """Returns whether a code block's fence may begin at a position."""
    return text.startswith(("```", "~~~"), at)
