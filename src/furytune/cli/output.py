"""What commands write: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import textwrap
import warnings
from typing import Any, TextIO

import click

__all__ = ["data", "data_json", "listen", "say", "table", "warn", "width", "wrapped"]


def data(text: str) -> None:
    """Writes data to standard output."""
    click.echo(text, color=False)


def data_json(value: Any) -> None:
    """Writes data to standard output as JSON, with attrs objects as objects."""
    click.echo(json.dumps(_plain(value), indent=1, ensure_ascii=False), color=False)


def say(text: str = "", *, style: str = "") -> None:
    """Writes something for people to standard error.

    Args:
        text: What to write.
        style: A color, which is left out where there is no terminal or ``NO_COLOR`` is set.
    """
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    shown = click.style(text, fg=style) if style and not plain else text
    try:
        click.echo(shown, err=True, color=False if plain else None)
    except (OSError, ValueError):  # work must not end when its terminal is closed
        return


def width() -> int:
    """Returns the columns of the terminal; those of a wide one in a pipe, so that nothing is cut there."""
    return max(30, shutil.get_terminal_size().columns) if _watched(sys.stdout) else 200


def wrapped(text: str, indent: int = 0) -> str:
    """Returns a text in lines that fit the terminal; in a pipe, in one line.

    Args:
        text: The text.
        indent: Columns before each line but the first.
    """
    if not _watched(sys.stderr):
        return text
    width = max(30, shutil.get_terminal_size().columns)
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False)


def warn(text: str) -> None:
    """Writes a warning to standard error."""
    say(f"warning: {text}", style="yellow")


def table(rows: list[tuple[str, str, str]], *, styles: dict[str, str] | None = None) -> None:
    """Writes rows of three cells to standard output. The last cell is wrapped to the width of the terminal.

    Args:
        rows: The rows.
        styles: Colors of the first cell, by its text.
    """
    width = shutil.get_terminal_size().columns
    first = max((len(row[0]) for row in rows), default=0)
    second = max((len(row[1]) for row in rows), default=0)
    indent = first + second + 4
    plain = bool(os.environ.get("NO_COLOR"))
    for one, two, three in rows:
        head = one.ljust(first)
        color = (styles or {}).get(one)
        head = click.style(head, fg=color) if color and not plain else head
        lines = [three]
        if _watched(sys.stdout):
            lines = textwrap.wrap(three, max(20, width - indent), break_on_hyphens=False) or [""]
        click.echo(f"{head}  {two.ljust(second)}  {lines[0]}".rstrip())
        for line in lines[1:]:
            click.echo(" " * indent + line)


def listen() -> None:
    """Shows warnings and, where there is no terminal for bars, the log on standard error."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        warn(str(message))

    warnings.showwarning = show
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("furytune")
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.WARNING if _watched(sys.stderr) else logging.INFO)


def _watched(stream: TextIO | None) -> bool:
    """Returns True if a stream is a terminal. It may be closed or missing."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


def _plain(value: Any) -> Any:
    """Returns a value as JSON."""
    import attrs  # only for --json

    if hasattr(value, "as_json"):
        return value.as_json()
    if attrs.has(type(value)):
        fields = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
        return {name: _plain(one) for name, one in fields.items() if not name.startswith("_")}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
