"""A settings file as read: its values, where each of them is written, and what replaces some of them."""

from __future__ import annotations

import os
import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from attrs import define, field

from furytune._privacy.printable import one_line, printable
from furytune.errors import ConfigError, SourceFormatError

__all__ = ["PREFIX", "Document", "Key"]

Key: TypeAlias = tuple[str | int, ...]
"""The way to a value, such as ``("curators", 0, "least")``."""

PREFIX = "FURYTUNE_"
"""Environment variables that begin with this, and contain "__", replace values."""

_BAD_TOML = re.compile(r"^(.*?) ?\((?:at line (\d+), column (\d+)|at end of document)\)$", re.DOTALL)


@define
class Document:
    """A settings file.

    Attributes:
        path: The file.
        text: Its text.
        data: Its values.
        origins: What gave each value that is not from the file, such as "--set".
    """

    path: Path
    text: str
    data: dict[str, Any]
    origins: dict[Key, str] = field(factory=dict)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Document:
        """Reads a file.

        Raises:
            ConfigError: The file cannot be read, or is not UTF-8.
            SourceFormatError: It is not TOML.
        """
        place = Path(path)
        try:
            raw = place.read_bytes()
        except FileNotFoundError:
            raise ConfigError(
                f"{printable(place)}: this file does not exist; `furytune init` writes one, and --config names another"
            ) from None
        except OSError as error:
            raise ConfigError(f"{printable(place)}: cannot be read: {error.strerror}") from None
        try:
            # Editors on Windows write a byte order mark, which TOML does not know.
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise SourceFormatError(
                "this line is not UTF-8", path=printable(place), line=line, hint="save the file as UTF-8"
            ) from None
        return cls.parsed(text, place)

    @classmethod
    def parsed(cls, text: str, path: Path) -> Document:
        """Parses a text.

        Args:
            text: TOML.
            path: The file that it is from, for messages and as the base of relative paths.

        Raises:
            SourceFormatError: It is not TOML.
        """
        try:
            return cls(path, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            found = _BAD_TOML.match(str(error))
            last = text.count("\n") + 1
            raise SourceFormatError(
                f"this is not TOML: {found[1] if found else 'it cannot be parsed'}",
                path=printable(path),
                line=int(found[2]) if found and found[2] else last,
                column=int(found[3]) if found and found[3] else None,
            ) from None
        except RecursionError:
            raise SourceFormatError("this TOML is nested too deeply", path=printable(path)) from None

    @property
    def base(self) -> Path:
        """The folder that relative paths begin at."""
        return self.path.parent

    def fail(self, key: Key, problem: str) -> NoReturn:
        """Raises an error that names file, line and key.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"{self.where(key)}: {f'{self.named(key)}: ' if key else ''}{problem}")

    def named(self, key: Key) -> str:
        """Returns the way to a value as people write it, such as ``curators.min-confidence.least``."""
        here: Any = self.data
        names = []
        for step in key:
            here = here[step] if _holds(here, (step,)) else None
            kind = here.get("type") if isinstance(here, dict) and isinstance(step, int) else None
            names.append(one_line(kind if isinstance(kind, str) else str(step)))
        return ".".join(names)

    def where(self, key: Key) -> str:
        """Returns what gave a value: the file with the line, a variable or an option."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.origins:
                return self.origins[key[:length]]
        line = self.line(key)
        return printable(self.path) + (f":{line}" if line else "")

    def line(self, key: Key) -> int | None:
        """Returns the line where a value begins, counted from 1; None if it is not in the file.

        The parser gives no lines. But the first lines of the file either parse, or end within a value; and once they
        contain the key, more lines contain it too. So the line is found by bisection.
        """
        while key and not _holds(self.data, key):
            key = key[:-1]
        if not key or any(key[:length] in self.origins for length in range(1, len(key) + 1)):
            return None
        lines = self.text.split("\n")

        def known(count: int) -> bool:
            """Returns True if so many lines contain the key, or would if the value that they end within were complete."""
            for end in range(count, len(lines)):
                with suppress(tomllib.TOMLDecodeError):
                    return _holds(tomllib.loads("\n".join([*lines[:end], ""])), key)
            return True

        return bisect_left(range(len(lines) + 1), 1, key=known)

    def replace(self, way: str, text: str, origin: str) -> None:
        """Replaces a value.

        Args:
            way: Its key, such as ``curators.min-confidence.least``. An entry of a list is named by its ``type`` or its
                place, from 0.
            text: The new value as TOML. Anything that is not TOML is a text.
            origin: What says so, for messages.

        Raises:
            ConfigError: The key does not lead anywhere.
        """
        *before, last = way.split(".")
        here: Any = self.data
        key: Key = ()
        for name in before:
            step = _step(here, name)
            if step is None and isinstance(here, dict):
                here[name] = {}
                step = (name,)
            elif step is None:
                raise ConfigError(f"{origin}: {way}: {_nothing_called(name, here)}")
            for part in step:
                here, key = here[part], (*key, part)
        if not last or not isinstance(here, dict):
            raise ConfigError(f"{origin}: {way}: this is not the name of a value")
        name = next((known for known in here if _same(known, last)), last)
        here[name] = _value(text)
        self.origins[*key, name] = origin

    def put(self, key: tuple[str, ...], value: Any, origin: str) -> None:
        """Replaces a value, or adds it.

        Args:
            key: The way to it, through tables alone.
            value: The new value.
            origin: What says so, for messages.

        Raises:
            ConfigError: The way leads through something else than tables.
        """
        here: Any = self.data
        for name in key[:-1]:
            here = here.setdefault(name, {})
            if not isinstance(here, dict):
                raise ConfigError(f"{origin}: {'.'.join(key)}: {name} is not a table")
        here[key[-1]] = value
        self.origins[key] = origin

    def replace_all(self, changes: Iterable[str], environment: Mapping[str, str]) -> None:
        """Replaces what the environment and then what the command line says.

        Args:
            changes: Texts such as ``augmenter.k=8``.
            environment: Variables such as ``FURYTUNE_AUGMENTER__K``: "__" stands for the dot, "_" for "-" and "_".

        Raises:
            ConfigError: A change has no "=", or its key does not lead anywhere.
        """
        for variable, text in sorted(environment.items()):
            if variable.startswith(PREFIX) and "__" in variable:
                way = variable.removeprefix(PREFIX).lower().replace("__", ".")
                self.replace(way, text, f"the variable {variable}")
        for change in changes:
            way, equals, text = change.partition("=")
            if not equals:
                raise ConfigError(f"--set {way}: give a key and a value, such as --set augmenter.k=8")
            self.replace(way.strip(), text.strip(), f"--set {way.strip()}")


def _holds(data: Any, key: Key) -> bool:
    for step in key:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _same(one: str, other: str) -> bool:
    return one.replace("-", "_") == other.replace("-", "_")


def _step(here: Any, name: str) -> Key | None:
    """Returns the way from a table or a list to what a name means there; None if it means nothing."""
    if isinstance(here, list):
        if name.isdecimal():
            return (int(name),) if int(name) < len(here) else None
        types = [entry.get("type") if isinstance(entry, dict) else None for entry in here]
        return next(
            ((i,) for i, kind in enumerate(types) if isinstance(kind, str) and _same(kind, name)), None
        )
    if isinstance(here, dict):
        found = next(((known,) for known in here if _same(known, name)), None)
        # The part of a table may be named too, as in a list of parts.
        own = found is None and isinstance(here.get("type"), str) and _same(here["type"], name)
        return () if own else found
    return None


def _nothing_called(name: str, here: Any) -> str:
    if not isinstance(here, list):
        return "this is not a table"
    kinds = ", ".join(str(entry.get("type")) for entry in here if isinstance(entry, dict))
    return f"no entry has the type {name!r}; there is {kinds or 'nothing'}"


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
