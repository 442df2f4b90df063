"""Progress bars for people, silence for everything else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], label: str, unit: str) -> Iterator[T]:
    """Passes items through and shows their number on standard error, if that is a terminal.

    Args:
        items: Anything to count.
        label: What is going on.
        unit: What one item is.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, desc=label, unit=f" {unit}", unit_scale=True, leave=False)
