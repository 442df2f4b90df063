"""What one thing to look for is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import frozen

from furytune._privacy.redaction.lazy import Lazy

__all__ = ["PLACEHOLDERS", "Shape", "before", "line_around"]

PLACEHOLDERS: Final = {
    "secrets": "[secret]",
    "emails": "[e-mail]",
    "ips": "[ip]",
    "phones": "[phone]",
    "accounts": "[account]",
    "addresses": "[address]",
    "birthdates": "[birthdate]",
    "names": "[name]",
    "devices": "[device]",
}
"""Maps each kind to what is put in place of a span, in the order in which kinds are listed."""


@frozen(eq=False)
class Shape:
    """One thing to look for.

    Attributes:
        kind: Its kind, a key of `PLACEHOLDERS`.
        pattern: What is replaced. A group named ``keep`` stays in front of the placeholder.
        hints: Lower-case literals. Every match contains one of them, or one of the words, if there are any.
        words: Lower-case words. Every match contains one of them between characters that are not letters.
        check: Says whether a match is meant, if the pattern alone cannot tell. It may look at the text around it.
        core: A piece of every match that is faster to find than the whole, for shapes with common hints.
        each: Pieces of the match that are replaced, instead of the whole.
        digit: Whether every match contains an ASCII digit.
        long: Whether every match contains 12 letters and digits in a row that are not all small letters.
    """

    kind: str
    pattern: Lazy
    hints: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    check: Callable[[re.Match[str]], bool] | None = None
    core: Lazy | None = None
    each: Lazy | None = None
    digit: bool = False
    long: bool = False

    def replace(self, text: str) -> tuple[str, int]:
        """Returns the text with placeholders, and the number of spans replaced."""
        # The pattern may be tried at each word; the core is rare and fast to find.
        if self.core is not None and not self.core.search(text):
            return text, 0
        mark = PLACEHOLDERS[self.kind]
        pattern = self.pattern.compiled
        kept = "keep" in pattern.groupindex
        count = 0

        def put(match: re.Match[str]) -> str:
            nonlocal count
            if self.check is not None and not self.check(match):
                return match[0]
            keep = match["keep"] if kept else ""
            if self.each is None:
                count += 1
                return keep + mark
            clean, n = self.each.compiled.subn(mark, match[0][len(keep) :])
            count += n
            return keep + clean

        return pattern.sub(put, text), count


def before(match: re.Match[str], most: int) -> str:
    """Returns the text in front of a match, in its line, at most so many characters."""
    start = match.start()
    return match.string[max(0, start - most) : start].rpartition("\n")[2]


def line_around(match: re.Match[str], most: int) -> str:
    """Returns the line that a match is in, at most so many characters on each side of it."""
    end = match.end()
    return before(match, most) + match[0] + match.string[end : end + most].partition("\n")[0]
