"""Values that no output shows."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from furytune._privacy.printable import printable
from furytune.errors import ConfigError

__all__ = ["Secret"]

# Keys and tokens are long and mix upper and lower case. If someone passes one as a name, no error may quote it.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,23}|[A-Z_][A-Z0-9_]{0,99}")


class Secret:
    """A key or token that no repr, string, pickle or copy reveals. Two secrets are never equal.

    Prefer `Secret.env` and `Secret.file`: they store only the name of a variable or a file, and read it at the moment of
    use.

    Args:
        value: The secret itself.

    Raises:
        ConfigError: The value is not a string, or is empty.

    >>> Secret("hush")
    Secret(...)
    >>> Secret.env("GEMINI_API_KEY")
    Secret.env('GEMINI_API_KEY')
    """

    __slots__ = ("_file", "_value", "_variable")

    def __init__(self, value: str, *, _variable: str = "", _file: Path | None = None) -> None:
        if not (_variable or _file) and (not isinstance(value, str) or not value.strip()):
            raise ConfigError("a secret must be a string that is not empty")
        self._value = value
        self._variable = _variable
        self._file = _file

    @classmethod
    def env(cls, name: str) -> Secret:
        """Returns a secret that reads an environment variable at the moment of use.

        Args:
            name: Name of the variable.

        Raises:
            ConfigError: It is not a name of a variable, but perhaps the secret itself.
        """
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise ConfigError(
                'Secret.env takes the name of an environment variable, such as "DISCORD_TOKEN", not its value; if you passed '
                "a secret, replace it with a new one"
            )
        # The value is read at each use, so that a renewed token works without a restart, and no copy of it
        # stays in memory.
        return cls("", _variable=name)

    @classmethod
    def file(cls, path: str | os.PathLike[str]) -> Secret:
        """Returns a secret that reads a file at the moment of use, without the white space at both ends.

        Args:
            path: The file. It should be readable for you alone.
        """
        return cls("", _file=Path(path))

    @property
    def place(self) -> Mapping[str, str]:
        """Names the place of the secret, "env" with a variable or "file" with a path. Empty for a secret itself."""
        if self._file is not None:
            return {"file": self._file.as_posix()}
        return {"env": self._variable} if self._variable else {}

    def reveal(self) -> str:
        """Returns the secret itself. Call it at the last moment, and do not store the result.

        Raises:
            ConfigError: The environment variable is not set, or the file cannot be read or is empty.
        """
        if self._file is not None:
            return _read(self._file)
        if not self._variable:
            return self._value
        value = os.environ.get(self._variable, "")
        if not value.strip():
            raise ConfigError(
                f"the environment variable {self._variable} is not set; set it to the token or key, and run again"
            )
        return value

    def __repr__(self) -> str:
        if self._file is not None:
            return f"Secret.file({self._file.as_posix()!r})"
        return f"Secret.env({self._variable!r})" if self._variable else "Secret(...)"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        # pickle and copy both end here.
        raise TypeError("a secret cannot be pickled or copied; use Secret.env where it is needed")


def _read(path: Path) -> str:
    """Returns the secret in a file.

    Raises:
        ConfigError: The file cannot be read or is empty.
    """
    try:
        value = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise ConfigError(
            f"{printable(path)}: cannot be read ({error.strerror}); put the token or key into this file, and run again"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{printable(path)}: not a text file with a token or key") from None
    if not value:
        raise ConfigError(
            f"{printable(path)}: this file is empty; put the token or key into it, and run again"
        )
    return value
