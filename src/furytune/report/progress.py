"""Progress bars for people, silence for everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")


class _Screen:
    """Standard error, as long as somebody looks: work must not end because its terminal was closed."""

    @property
    def encoding(self) -> str:
        return getattr(sys.stderr, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return _watched()

    def fileno(self) -> int:
        return sys.stderr.fileno()  # for the width of the terminal

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def _watched() -> bool:
    """Tells whether standard error is a terminal; it may be closed, or absent."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (OSError, ValueError):
        return False


def progress(items: Iterable[T], label: str, unit: str) -> Iterator[T]:
    """Passes items through and shows their number on standard error, if that is a terminal.

    Args:
        items: Anything to count.
        label: What is going on.
        unit: What one item is.
    """
    if not _watched():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, desc=label, unit=f" {unit}", unit_scale=True, leave=False, file=_Screen())


@contextmanager
def meter(label: str) -> Iterator[Callable[[float | None, str], None]]:
    """Shows how far something remote has come, on standard error, if that is a terminal.

    Args:
        label: What is going on.

    Yields:
        A function to call with a percentage, or None where it is unknown, and a word on the state.
    """
    if not _watched():
        yield lambda _percent, _word: None
        return
    from tqdm import tqdm

    known = "{desc}: {percentage:3.0f}%|{bar}| {elapsed} {postfix}"
    with tqdm(
        total=100, desc=label, leave=False, bar_format="{desc}: {elapsed} {postfix}", file=_Screen()
    ) as bar:

        def show(percent: float | None, word: str) -> None:
            bar.bar_format = bar.bar_format if percent is None else known
            bar.n = bar.n if percent is None else percent
            bar.set_postfix_str(word, refresh=True)

        yield show
