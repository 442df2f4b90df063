"""Finds the folders that a Python needs, which are all that the sandbox shows of the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from furytune.errors import ConfigError

__all__ = ["Interpreter", "arguments", "find_interpreter", "homes", "readable_folder"]

_ASK: Final = "import json, sys; print(json.dumps([sys.version_info[:2], sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]))"
_OLDEST: Final = (3, 8)
_WAIT: Final = 30
# The loader's cache, the choices of Debian's alternatives, fonts and the time zone: nothing that is secret.
_ETC: Final = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")


@frozen
class Interpreter:
    """A Python that runs answers.

    Attributes:
        executable: Its path.
        folders: What it needs, besides ``/usr``.
    """

    executable: str
    folders: tuple[str, ...]


def find_interpreter(python: str | os.PathLike[str] | None) -> Interpreter:
    """Returns the interpreter of a path, which is an executable or the folder of a virtual environment.

    Raises:
        ConfigError: There is no Python, it is too old, or it lies where the sandbox would have to show a home.
    """
    path = Path(sys.executable if python is None else python).expanduser().absolute()
    if path.is_dir():
        path /= "bin/python"
    try:
        done = subprocess.run(  # noqa: S603  (the interpreter that the caller chose)
            [str(path), "-I", "-c", _ASK],
            capture_output=True,
            timeout=_WAIT,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        version, *prefixes = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ConfigError(
            f"{path}: is not a Python that runs ({type(error).__name__}); give python= an interpreter, or the folder of a "
            "virtual environment, that this user may run"
        ) from None
    if tuple(version) < _OLDEST:
        raise ConfigError(f"{path}: is Python {version[0]}.{version[1]}; give python= a Python 3.8 or later")
    folders = {readable_folder(f) for prefix in prefixes for f in (prefix, os.path.realpath(prefix))}
    # A link to the interpreter may lie in a home, where it cannot be shown.
    places = [p for p in (path, path.resolve()) if any(p.is_relative_to(f) for f in ("/usr", *folders))]
    if not places:
        raise ConfigError(
            f"{path}: lies outside of the folders that it names as its own; give python= another Python"
        )
    return Interpreter(
        str(places[0]), tuple(sorted(f for f in folders if not Path(f).is_relative_to("/usr")))
    )


def homes() -> tuple[Path, ...]:
    """Returns the home folders of this user: the one in the environment, and the one in the user database."""
    import pwd

    found = {Path("~").expanduser()} if "HOME" in os.environ else set()
    with suppress(KeyError):
        found.add(Path(pwd.getpwuid(os.getuid()).pw_dir))
    return tuple(sorted({home.resolve() for home in found if home.is_absolute()} - {Path("/")}))


def readable_folder(folder: str | os.PathLike[str]) -> str:
    """Returns the full path of a folder that the sandbox may show.

    Raises:
        ConfigError: It does not exist, or a home or the whole disk would be visible in it.
    """
    path = Path(folder).expanduser().absolute()
    if not path.is_dir():
        raise ConfigError(f"{path}: is not a folder, so the sandbox cannot show it")
    real = path.resolve()
    hidden = (Path("/"), *(Path(p) for p in ("/proc", "/sys", "/dev", "/run", "/etc", "/var", "/tmp")))  # noqa: S108
    if real in hidden or any(home.is_relative_to(real) for home in homes()):
        raise ConfigError(
            f"{path}: the sandbox would show all of it, and it may hold secrets; give a folder of its own, such as a virtual "
            "environment"
        )
    return str(path)


def arguments(interpreter: Interpreter, readable: tuple[str, ...], disk: int) -> list[str]:
    """Returns the mounts of the sandbox as arguments of bwrap."""
    size = ["--size", str(disk), "--tmpfs"]
    found = ["--ro-bind", "/usr", "/usr", *size, "/tmp"]  # noqa: S108  (of the sandbox)
    for top in ("bin", "lib", "lib32", "lib64", "libx32", "sbin"):
        place = Path("/", top)
        if place.is_symlink():
            found += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            found += ["--ro-bind", str(place), str(place)]
    for name in _ETC:
        found += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for folder in sorted({*interpreter.folders, *readable}):
        found += ["--ro-bind", folder, folder]
    found += ["--proc", "/proc", "--dev", "/dev", *size, "/dev/shm"]  # noqa: S108  (of the sandbox)
    # bwrap makes the root and /dev from memory without a limit, so nothing may be written there.
    return [*found, "--remount-ro", "/dev", "--remount-ro", "/"]
