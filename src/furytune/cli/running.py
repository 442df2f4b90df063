"""What all commands share: their options, and how they end."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from furytune.cli.output import listen, say, wrapped
from furytune.errors import ConfigError, FurytuneError, ServiceError, SourceError, TuningError

if TYPE_CHECKING:
    from furytune.config import Settings

__all__ = ["PARTIAL", "as_json", "browse", "contained", "load", "settings_options", "target"]

PARTIAL: Final = 3
_UNEXPECTED, _SETTINGS, _INPUT, _SERVICE, _INTERRUPTED, _PIPE = 1, 4, 5, 6, 130, 141

_AGAIN = {
    "run": "No file is half-written. The same command starts again; grades, journal and unchanged passages are kept.",
    "build": "No file is half-written. The same command starts again; grades, journal and unchanged passages are kept.",
    "index": "The index is unchanged. The same command starts again.",
    "collect": "What was read is in the journal. The same command continues there.",
    "tune": "A job that was submitted keeps running, and costs money. `furytune resume` waits for it again.",
    "resume": "The job keeps running, and costs money. `furytune resume` waits for it again.",
    "review": "Each decision that the page showed as saved is kept. The same command continues.",
    "forget": "Some places may be done and others not. The same command finishes the work.",
}

as_json = click.option("--json", "json_", is_flag=True, help="Write the result as JSON.")


def target(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option for the settings file."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("furytune.toml"),
        envvar="FURYTUNE_CONFIG",
        show_default=True,
        help="The settings file.",
    )(command)


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for the settings file and for what replaces its values."""
    return target(
        click.option(
            "--set",
            "changes",
            multiple=True,
            metavar="KEY=VALUE",
            help="Replace a value, such as augmenter.k=8 or curators.min-confidence.least=0.8.",
        )(command)
    )


def load(config: Path, changes: Sequence[str]) -> Settings:
    """Reads the settings file.

    Raises:
        FurytuneError: It cannot be used.
    """
    from furytune.config import load_settings

    return load_settings(config, changes=changes)


def browse(address: str) -> bool:
    """Opens an address in a browser with windows, and returns whether this machine has one.

    A browser in the terminal would hide what the command says.
    """
    if sys.platform in ("win32", "darwin") or any(
        map(os.environ.get, ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    ):
        import webbrowser

        return webbrowser.open(address)
    return False


def contained(action: Callable[[], Any], name: Callable[[], str], *, show_trace: bool) -> int:
    """Runs a command and returns its exit code. Errors become one sentence on standard error.

    Args:
        action: The command.
        name: Returns its name.
        show_trace: Whether to show where an error was raised.
    """
    listen()
    try:
        code = action()
        if sys.stdout is not None:  # someone may have closed it
            sys.stdout.flush()
    except KeyboardInterrupt:
        said = wrapped(f"Interrupted. {_AGAIN.get(name(), 'The same command starts again.')}")
        say(f"\n{said}", style="yellow")
        return _INTERRUPTED
    except BrokenPipeError:
        _discard()
        return _PIPE
    except OSError as error:
        if show_trace:
            traceback.print_exc()
        _discard()
        named = f"{os.fspath(error.filename)!r}" if isinstance(error.filename, str | Path) else "the output"
        _failed(f"{named} cannot be read or written: {error.strerror or type(error).__name__}")
        return _INPUT
    except FurytuneError as error:
        if show_trace:
            traceback.print_exc()
        _failed(f"{error}")
        return _code(error)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, people get a sentence)
        if show_trace:
            traceback.print_exc()
        # The text of the error may quote a message, so only its class is shown.
        _failed(
            f"this is a bug in furytune or in a plugin ({type(error).__name__}); --traceback shows where, please report it"
        )
        return _UNEXPECTED
    return code if isinstance(code, int) else 0


def _discard() -> None:
    """Lets what Python writes at its end go nowhere, because it would raise the same error again."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(text: str) -> None:
    say(wrapped(f"error: {text}", 7), style="red")


def _code(error: FurytuneError) -> int:
    if isinstance(error, ServiceError | TuningError) or type(error).__name__.startswith(("Discord", "Forum")):
        return _SERVICE
    if isinstance(error, ConfigError):
        return _SETTINGS
    # A settings file that is not TOML is a SourceFormatError like any other damaged file.
    damaged = isinstance(error, SourceError) and str(getattr(error, "path", "")).endswith(".toml")
    return _SETTINGS if damaged else _INPUT
