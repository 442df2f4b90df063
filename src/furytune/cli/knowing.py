"""Commands that show something and change nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from furytune.cli.output import data, data_json, say, table
from furytune.cli.running import as_json, settings_options, target

_asked = click.argument("question", metavar="QUESTION")
_contract = click.option(
    "--contract",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A contract file. Without it, the one that the settings file names.",
)


def _loaded(contract: Path | None, config: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Returns the contract that a command is about."""
    from furytune.contract import PromptContract
    from furytune.errors import ConfigError

    if contract is None:
        from furytune.config import load_settings

        contract = load_settings(config).contract
        if not contract.exists():
            raise ConfigError(f"{contract}: there is no contract yet; `furytune run` writes it")
    return PromptContract.load(contract)


def _text(question: str) -> str:
    return sys.stdin.read().rstrip("\r\n") if question == "-" else question


@click.command()
@_asked
@_contract
@target
@as_json
@click.option("--dialect", default="", help="Form of the request with --json, such as openai.")
def prompt(question: str, contract: Path | None, config: Path, json_: bool, dialect: str) -> None:
    """Print the prompt for a question, byte for byte as the bot sends it.

    QUESTION "-" reads the question from standard input. With --json, print the body of the request.
    """
    made = _loaded(contract, config)
    if json_:
        data_json(made.request(_text(question), dialect=dialect))
    else:
        data(str(made.prompt(_text(question))))


@click.command()
@_asked
@_contract
@target
@as_json
def explain(question: str, contract: Path | None, config: Path, json_: bool) -> None:
    """Print the passages for a question with their scores, what was left out, and the prompt.

    QUESTION "-" reads the question from standard input.
    """
    found = _loaded(contract, config).explain(_text(question))
    if json_:
        data_json(found)
    else:
        data(str(found))


@click.command()
@settings_options
@as_json
def doctor(config: Path, changes: tuple[str, ...], json_: bool) -> int:
    """Check packages, files, folders, secrets, disk and clock. No secret is shown."""
    from furytune.config.health import examine

    found = examine(config, changes=changes)
    if json_:
        data_json(found)
    else:
        table(
            [(one.state, one.subject, one.said) for one in found],
            styles={"ok": "green", "note": "yellow", "problem": "red"},
        )
    problems = sum(one.state == "problem" for one in found)
    say(f"{problems} problems" if problems != 1 else "1 problem", style="red" if problems else "green")
    return 4 if problems else 0


@click.command()
@as_json
def plugins(json_: bool) -> None:
    """List the parts that a settings file can name as type, and the packages that they are from."""
    from importlib.metadata import entry_points
    from typing import get_args

    from furytune.plugins import Role

    rows = []
    for role in get_args(Role):
        for entry in sorted(entry_points(group=f"furytune.{role}"), key=lambda e: e.name):
            source = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
            rows.append((role, entry.name, source, entry.value))
    unique = sorted(set(rows))
    if json_:
        data_json([dict(zip(("role", "type", "package", "value"), row, strict=True)) for row in unique])
    else:
        table([(role, name, source) for role, name, source, _ in unique])


@click.command()
def schema() -> None:
    """Print the JSON schema of the settings file, with the parts that are installed here."""
    from furytune.config import schema as made

    data_json(made())
