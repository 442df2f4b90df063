"""Progress bars on a terminal. Anywhere else nothing, or a line now and then in the log of "furytune" at level INFO."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

_EVERY = 5.0  # seconds between two lines in a log
_log = logging.getLogger(__name__)


class _Screen:
    """Standard error without its errors, because work must not end when its terminal is closed."""

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
    """Returns True if standard error is a terminal. It may be closed or missing."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (OSError, ValueError):
        return False


def _wide() -> bool:
    """Returns True if the terminal knows its width. One that does not says 0, and a bar of that width is empty."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (AttributeError, OSError, ValueError):
        return False


def progress(items: Iterable[T], label: str, unit: str) -> Iterator[T]:
    """Passes items through and shows their number on standard error, if that is a terminal, or else in the log.

    Args:
        items: The items to count. For a list, the time that is left is shown too.
        label: What the program is doing.
        unit: Name of one item.
    """
    if not _watched():
        yield from _logged(items, label, unit) if _log.isEnabledFor(logging.INFO) else items
        return
    from tqdm import tqdm  # only here, because most runs in scripts have no terminal

    yield from tqdm(
        items,
        desc=label,
        unit=f" {unit}",
        unit_scale=not isinstance(items, Sized),
        leave=False,
        file=_Screen(),
        dynamic_ncols=_wide(),
    )


def _logged(items: Iterable[T], label: str, unit: str) -> Iterator[T]:
    """Passes items through and writes their number and rate into the log, every few seconds and at the end."""
    began = told = time.monotonic()
    number = 0
    for number, item in enumerate(items, 1):
        yield item
        if time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            rate = number / max(told - began, 1e-6)
            left = f", {(len(items) - number) / rate:,.0f} s left" if isinstance(items, Sized) else ""
            _log.info("%s: %s %ss, %s a second%s", label, f"{number:,}", unit, f"{rate:,.1f}", left)
    _log.info("%s: %s %ss in %.1f s", label, f"{number:,}", unit, time.monotonic() - began)


@contextmanager
def meter(label: str) -> Iterator[Callable[[float | None, str], None]]:
    """Shows the progress of a remote job on standard error, if that is a terminal.

    Args:
        label: What the program is doing.

    Yields:
        A function that takes a percentage (None if it is unknown) and the state in a word.
    """
    if not _watched():
        yield lambda _percent, _word: None
        return
    from tqdm import tqdm

    known = "{desc}: {percentage:3.0f}%|{bar}| {elapsed} {postfix}"
    with tqdm(
        total=100,
        desc=label,
        leave=False,
        bar_format="{desc}: {elapsed} {postfix}",
        file=_Screen(),
        dynamic_ncols=_wide(),
    ) as bar:

        def show(percent: float | None, word: str) -> None:
            bar.bar_format = bar.bar_format if percent is None else known
            # A bar without a percentage would stay at 0 % and look stuck, so it appears with the first one.
            bar.n = bar.n if percent is None else percent
            bar.set_postfix_str(word, refresh=True)

        yield show
