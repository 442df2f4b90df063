"""Measures how far lines are indented, and finds where the block below a line ends."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Indents", "depth"]

_BLANK = -1


def depth(line: str) -> int:
    """Returns how far a line is indented; a tab counts as four columns."""
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


class Indents:
    """The indentation of all lines of a file, measured once.

    Measuring for each question would take quadratic time for deeply nested text.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._depths = [depth(line) if line.strip() else _BLANK for line in lines]
        self._ends = [i + 1 for i in range(len(lines))]
        around: list[int] = []
        last = -1
        for i, columns in enumerate(self._depths):
            if columns == _BLANK:
                continue
            while around and self._depths[around[-1]] >= columns:
                # The block ends at its last line with text: blank lines after it belong to nothing.
                self._ends[around.pop()] = last + 1
            around.append(i)
            last = i
        for i in around:
            self._ends[i] = last + 1

    def below(self, line: int) -> int:
        """Returns the end of the block that is indented more than a line; it may contain blank lines."""
        return self._ends[line]

    def end(self, start: int, least: int) -> int:
        """Returns the end of the block from ``start`` on that is indented by at least ``least`` columns."""
        end = at = start
        while at < len(self._depths) and (self._depths[at] == _BLANK or self._depths[at] >= least):
            if self._depths[at] != _BLANK:
                end = self._ends[at]
            # Jumping over whole blocks keeps this linear for nested lists.
            at = self._ends[at]
        return end
