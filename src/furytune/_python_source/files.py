"""Shared by all corpora: options, unique names, URLs, and files that cannot be used."""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import quote

from furytune.errors import ConfigError, SourceFormatError
from furytune.records import Dropped

__all__ = [
    "OnError",
    "UnfitError",
    "Unique",
    "address",
    "check_address",
    "check_on_error",
    "excluded",
    "text_of",
]

OnError = Literal["raise", "skip"]
_SLOTS = ("path", "page", "start", "end", "revision", "anchor")
_SLOT = re.compile(r"\{([^{}]*)\}")
_UNQUOTED = "/:@!$&'()*+,;=~"
_LOOKED_AT = 8000  # bytes; git reads the same number to decide whether a file is text


class UnfitError(SourceFormatError):
    """A file cannot be used; raised, or counted under its reason."""

    def __init__(
        self, reason: str, problem: str, *, path: str, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(
            problem,
            path=path,
            line=line,
            column=column,
            hint=('pass on_error="skip" to leave such files out and count them'),
        )
        self.reason = reason

    def dropped(self) -> Dropped:
        """Returns the drop for a report."""
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return Dropped(reason=self.reason, unit="file", where=where, detail=self.problem)


def check_on_error(on_error: str) -> None:
    """Raises ConfigError unless the value is "raise" or "skip"."""
    if on_error not in ("raise", "skip"):
        raise ConfigError(f"on_error must be 'raise' or 'skip', not {on_error!r}")


def check_address(url: str, slots: tuple[str, ...] = _SLOTS) -> None:
    """Raises ConfigError for a pattern with a slot that `address` does not fill."""
    for slot in _SLOT.findall(url):
        if slot not in slots:
            raise ConfigError(
                f"url contains {{{slot}}}; it may contain only {', '.join(f'{{{s}}}' for s in slots)}"
            )


def address(url: str, **values: str | int) -> str:
    """Fills values into a pattern in one pass, quoted for URLs. An empty fragment is removed with its ``#``."""
    # In one pass: a value may itself contain braces.
    return _SLOT.sub(lambda m: quote(str(values.get(m[1], "")), _UNQUOTED), url).removesuffix("#")


def excluded(path: str, patterns: tuple[str, ...]) -> bool:
    """Returns whether the user excluded a path below the source."""
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def text_of(data: bytes, path: str) -> str:
    """Decodes UTF-8, with or without a byte order mark; every line end becomes LF.

    Raises:
        UnfitError: ``binary`` or ``not_utf8``.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnfitError("not_utf8", "the file is not UTF-8", path=path, line=line) from error
    if b"\0" in data[:_LOOKED_AT]:
        raise UnfitError("binary", "the file is not text: it contains NUL bytes", path=path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Unique:
    """Makes unique ids. The first use of a name is unchanged; later uses get a digest of their text as a suffix.

    So an insertion elsewhere never renames them. Uses with equal name and text are numbered.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, name: str, text: str) -> str:
        """Returns the name, or a new name made from it."""
        if name in self._given:
            # A number would change when a section is inserted before; a digest of the text does not.
            name = f"{name}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        count = self._given[name] = self._given.get(name, 0) + 1
        # No heading or symbol ends like this: slugs have no "#", and file names that do have a suffix after it.
        return name if count == 1 else f"{name}#{count}"
