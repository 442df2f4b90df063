"""Patterns that are compiled when they are first needed, because compiling all of them would slow down every start."""

from __future__ import annotations

import re
from functools import cached_property

from attrs import frozen

__all__ = ["Lazy"]


@frozen(eq=False)
class Lazy:
    """A regular expression that is compiled on first use.

    Attributes:
        text: The expression.
        flags: Flags of `re`.
    """

    text: str
    flags: int = 0

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern."""
        return re.compile(self.text, self.flags)

    def search(self, text: str) -> re.Match[str] | None:
        """Searches a text."""
        return self.compiled.search(text)

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        """Matches a text from a place on."""
        return self.compiled.match(text, at)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Matches a whole text."""
        return self.compiled.fullmatch(text)
