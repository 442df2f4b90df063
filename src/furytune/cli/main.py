"""The list of commands. A command's module is imported when the command is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from furytune.cli.running import contained

__all__ = ["run"]

_COMMANDS = {
    "demo": ("starting", "Make a data set from a small made-up community."),
    "init": ("starting", "Look at what is here and write a settings file."),
    "doctor": ("knowing", "Check this machine and the settings file."),
    "run": ("working", "Do the whole way: index, data set, contract, report, and tuning if wanted."),
    "build": ("working", "Like run, but never tune."),
    "review": ("reviewing", "Accept, correct and drop pairs in the browser."),
    "collect": ("working", "Read what is new on Discord into the journal."),
    "index": ("working", "Build the index of the documentation."),
    "prompt": ("knowing", "Print the prompt for a question."),
    "explain": ("knowing", "Print why a prompt contains its passages."),
    "estimate": ("tuning", "Say what tuning would cost, and send nothing."),
    "tune": ("tuning", "Start the tuning job of the last data set."),
    "jobs": ("tuning", "List the tuning jobs."),
    "resume": ("tuning", "Wait for a tuning job again."),
    "serve": ("serving", "Answer programs that speak OpenAI's protocol."),
    "audit": ("serving", "Prove that served prompts are the contract's."),
    "feedback": ("serving", "Say how often answers helped, and which passages did."),
    "diff": ("comparing", "Say what changed from one data set to another."),
    "recheck": ("comparing", "Say which answers the next release breaks."),
    "card": ("comparing", "Describe data sets for the Hugging Face Hub."),
    "forget": ("working", "Remove a person's words from all places."),
    "plugins": ("knowing", "List all parts that settings can name."),
    "schema": ("knowing", "Print the JSON schema of the settings file."),
}


_NAME = "furytune.command"


class _Commands(click.Group):
    """A group that knows its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"furytune.cli.{_COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], _COMMANDS, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"there is no command {args[0]!r}{meant}")
        ctx.meta[_NAME] = args[0] if args else ""
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        trace = ctx.params.get("trace", False) or bool(os.environ.get("FURYTUNE_TRACEBACK"))
        invoke = super().invoke
        return contained(lambda: invoke(ctx), lambda: ctx.meta.get(_NAME, ""), show_trace=trace)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `furytune demo`, then `furytune init`. Exit codes: 0 done, 1 a bug, 2 wrong usage, 3 partly done, "
    "4 settings, 5 input, 6 service, 130 interrupted.",
)
@click.option("--traceback", "trace", is_flag=True, help="Show where an error was raised.")
@click.version_option(package_name="furytune", message="furytune %(version)s")
def commands(trace: bool) -> None:
    """From a community's chat history to a data set for fine-tuning, and a prompt contract for the bot."""


def run(arguments: list[str]) -> int:
    """Runs a command and returns its exit code.

    Args:
        arguments: What follows the name of the program.
    """
    for stream in (sys.stdout, sys.stderr):
        # Data have the same bytes on every machine, and no character of a message is an error.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", newline="\n", errors="backslashreplace")
    # The option may stand anywhere, because people add it to the line that failed.
    if "--traceback" in arguments:
        arguments = ["--traceback", *(one for one in arguments if one != "--traceback")]
    try:
        code = commands.main(arguments, prog_name="furytune", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        sys.stderr.write("\nStopped. Nothing was done.\n")
        return 130
    return code if isinstance(code, int) else 0
