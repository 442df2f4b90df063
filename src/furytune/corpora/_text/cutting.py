"""Splits text that is too long for one passage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from furytune.corpora._text.sizes import Beside, Sizes

__all__ = ["cut_code", "cut_prose"]

Part = tuple[int, int, str]


def cut_prose(lines: Sequence[str], sizes: Sizes | Beside) -> Iterator[Part]:
    """Splits a paragraph between lines, and a line that is too long between words.

    Yields:
        First line, line after the last, and text.
    """
    first, held = 0, ""
    for i, line in enumerate(lines):
        if held and not sizes.fits(f"{held}\n{line}"):
            yield first, i, held
            held = ""
        if not held:
            first = i
        *parts, rest = _cut_line(line, sizes)
        for part in parts:
            yield i, i + 1, part
        # The end of a long line may share a part with the next lines.
        held = f"{held}\n{rest}" if held else rest
    if held:
        yield first, len(lines), held


def cut_code(lines: Sequence[str], sizes: Sizes | Beside) -> Iterator[Part]:
    """Splits code between lines: best where a statement follows a blank line, otherwise where a statement begins.

    Yields:
        First line, line after the last, and text.
    """
    # The first line is left out, because it may be the head of a class, and everything below it is indented.
    outer = min((_depth(line) for line in lines[1:] if line.strip()), default=0)
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        end = _reach(lines, start, sizes)
        if end == start:
            for part in _cut_line(lines[start], sizes):
                yield start, start + 1, part
            start += 1
            continue
        if end < len(lines):
            end = _border(lines, start, end, outer)
        yield start, end, "\n".join(lines[start:end]).rstrip()
        start = end


def _reach(lines: Sequence[str], start: int, sizes: Sizes | Beside) -> int:
    """Returns how many lines from ``start`` on fit."""
    # Doubling and halving, because counting the tokens of ever longer texts line by line takes quadratic time.
    step, end = 1, start
    while step:
        reached = min(end + step, len(lines))
        if reached > end and sizes.fits("\n".join(lines[start:reached])):
            end, step = reached, step * 2
        else:
            step = step // 2 if step > 1 else 0
    return end


def _border(lines: Sequence[str], start: int, end: int, outer: int) -> int:
    """Returns the best place to split in the second half of the lines that fit."""

    # Only in the second half, so that a good place near the beginning does not make tiny passages.
    def rank(i: int) -> tuple[int, int]:
        begins = bool(lines[i].strip()) and _depth(lines[i]) <= outer
        return (2 * begins + (not lines[i - 1].strip()), i)

    return max(range(start + (end - start) // 2 + 1, end + 1), key=rank, default=end)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _cut_line(line: str, sizes: Sizes | Beside) -> list[str]:
    """Splits a line into parts that fit, between words if possible."""
    # Halving takes few calls of `fits`, which may count tokens.
    waiting, parts = [line], list[str]()
    while waiting:
        text = waiting.pop()
        if len(text) < 2 or sizes.fits(text):
            parts.append(text)
            continue
        middle = len(text) // 2
        after, before = text.find(" ", middle), text.rfind(" ", 1, middle)
        at = min((p for p in (after, before) if p > 0), key=lambda p: abs(p - middle), default=middle)
        # The left half is on top, so the parts come out in order.
        waiting += [text[at:].lstrip(" ") or " ", text[:at]]
    return [p for p in parts if p.strip()] or [line]
