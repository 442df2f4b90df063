"""What commands that answer share: the model's options, and options that replace a table of the settings file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from furytune.config import Deployment

__all__ = ["deployed", "model_options"]

T = TypeVar("T")

_MODEL = {"endpoint": "endpoint", "model": "name", "model_key": "api_key"}


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for a model behind an OpenAI-compatible endpoint."""
    for option in (
        click.option("--model-key", metavar="VARIABLE", help="Environment variable with its key."),
        click.option("--model", help="The model's name there; by default, the contract names it."),
        click.option("--endpoint", help="The model's server, such as http://127.0.0.1:11434/v1."),
    ):
        command = option(command)
    return command


def deployed(
    ctx: click.Context,
    kind: type[T],
    name: str,
    contract: Path | None,
    config: Path,
    changes: Sequence[str],
    options: Mapping[str, Any],
) -> Deployment[T]:
    """Returns what a settings file says about a program that answers, with the options in its place.

    Args:
        ctx: The command's context.
        kind: Class of the program's table.
        name: Name of the table.
        contract: The contract that was given.
        config: The settings file. If a contract is given and no settings file, there need not be one.
        changes: Values of ``--set``.
        options: Options by name. Those of `model_options` belong to the model, all others to the table; None means that
            the option was not given.

    Raises:
        FurytuneError: It cannot be used.
    """
    from furytune.config import load_deployment

    named = ctx.get_parameter_source("config") is not click.core.ParameterSource.DEFAULT
    given = [(("contract",), str(contract.absolute()), "CONTRACT")] if contract is not None else []
    return load_deployment(
        kind,
        config,
        changes=changes,
        given=[*given, *_given(name, options)],
        optional=contract is not None and not named,
    )


def _given(table: str, options: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Yields key, value and name of each option that was given."""
    if options["endpoint"] is not None:
        # An address on the command line is another model than the one of the file, and its settings would not fit.
        yield ("model",), {"type": "chat"}, "--endpoint"
    for name, value in options.items():
        origin = f"--{name.removesuffix('_file').replace('_', '-')}"
        key = ("model", _MODEL[name]) if name in _MODEL else (table, name)
        if isinstance(value, Path):
            # Paths of the command line begin at the current folder, and those of the file at its own.
            yield key, str(value.absolute()), origin
        elif value is not None:
            yield key, {"env": value} if name == "model_key" else value, origin
