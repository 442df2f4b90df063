"""What the corpora have in common: options, unique names, addresses, and files that cannot be used."""

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
_LOOKED_AT = 8000  # bytes; git judges by as many whether a file is text


class UnfitError(SourceFormatError):
    """A file that cannot be used; raised, or counted under its reason."""

    def __init__(
        self, reason: str, problem: str, *, path: str, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(
            problem,
            path=path,
            line=line,
            column=column,
            hint=('give on_error="skip" to leave such files out and count them'),
        )
        self.reason = reason

    def dropped(self) -> Dropped:
        """Returns the entry of a report."""
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return Dropped(reason=self.reason, unit="file", where=where, detail=self.problem)


def check_on_error(on_error: str) -> None:
    """Refuses anything but the two choices."""
    if on_error not in ("raise", "skip"):
        raise ConfigError(f"on_error must be 'raise' or 'skip', not {on_error!r}")


def check_address(url: str, slots: tuple[str, ...] = _SLOTS) -> None:
    """Refuses a pattern with a slot that `address` does not fill."""
    for slot in _SLOT.findall(url):
        if slot not in slots:
            raise ConfigError(f"url holds {{{slot}}}; it can hold {', '.join(f'{{{s}}}' for s in slots)}")


def address(url: str, **values: str | int) -> str:
    """Fills values into a pattern, in one pass, quoted as URLs need it. An empty fragment goes with its ``#``."""
    return _SLOT.sub(lambda m: quote(str(values.get(m[1], "")), _UNQUOTED), url).removesuffix("#")


def excluded(path: str, patterns: tuple[str, ...]) -> bool:
    """Tells whether a path below the source is one that the user wants left out."""
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
        raise UnfitError("not_utf8", "this is not UTF-8", path=path, line=line) from error
    if b"\0" in data[:_LOOKED_AT]:
        raise UnfitError("binary", "this is not text, for it holds NUL", path=path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Unique:
    """Gives ids out. The first use of a name has it plain, others have a digest of their text behind it.

    So what is inserted elsewhere never renames them. What is equal in name and text is numbered.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, name: str, text: str) -> str:
        """Returns the name, or one made of it that is new."""
        if name in self._given:
            name = f"{name}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        count = self._given[name] = self._given.get(name, 0) + 1
        # No heading and no symbol ends so: slugs hold no "#", and names of files that do have their suffix behind it.
        return name if count == 1 else f"{name}#{count}"
