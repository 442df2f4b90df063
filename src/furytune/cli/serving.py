"""Commands that serve a contract, and prove what was served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from furytune.cli.deploying import deployed, model_options
from furytune.cli.output import data, data_json, say, width
from furytune.cli.running import PARTIAL, as_json, settings_options

_file = click.Path(dir_okay=False, path_type=Path)
_existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("contract", required=False, type=_existing)
@settings_options
@model_options
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="0 for a free one.  [default: 8000]")
@click.option("--name", help="The model's name for clients.  [default: furytune]")
@click.option(
    "--keys", "keys_file", type=_existing, help="File with the sha256 of a client's key in each line."
)
@click.option("--admin-keys", "admin_keys_file", type=_existing, help="The same for /admin/reload.")
@click.option("--new-key", is_flag=True, help="Print a new key and its sha256, and end.")
@click.option("--earlier", type=click.Choice(["refuse", "ignore", "join"]), help="[default: refuse]")
@click.option("--footnotes/--no-footnotes", default=None, help="End answers with their citations.")
@click.option("--audit", type=_file, help="Write digests of all prompts to this file.")
@click.option("--feedback", type=_file, help="Take feedback, and write it to this file.")
@click.option(
    "--keep-texts/--no-keep-texts",
    default=None,
    help="Store questions and answers in it, too. Tell who asks.",
)
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    contract: Path | None,
    config: Path,
    changes: tuple[str, ...],
    new_key: bool,
    **options: Any,
) -> None:
    """Answer programs that speak OpenAI's protocol, with the prompts of a contract.

    CONTRACT is a contract file; without it, the one that the settings file names. Options replace what its tables [serve] and
    [model] say. Without a model, only prompts are served. --earlier says what happens to messages before the last one.
    """
    from furytune import serving
    from furytune.config import Serve

    if new_key:
        key, hashed = serving.new_key()
        data(f"key for the client   {key}\nhash for the server  {hashed}")
        return
    found = deployed(ctx, Serve, "serve", contract, config, changes, options)
    serving.serve(
        found.contract,
        model=found.model,
        settings=found.table.settings(),
        host=found.table.host,
        port=found.table.port,
    )


@click.command()
@click.argument("log", type=_existing)
@click.argument("contract", type=_existing)
@click.option(
    "--questions",
    type=click.File(encoding="utf-8"),
    required=True,
    help='A question in each line, as a JSON text or as {"question": ...}; "-" reads them from standard input.',
)
@as_json
@click.pass_context
def audit(ctx: click.Context, log: Path, contract: Path, questions: IO[str], json_: bool) -> None:
    """Prove that the prompts of an audit LOG are those of CONTRACT.

    The log holds digests only, so give the questions that people asked. Exits with 3 if a prompt differs or a line of the log
    is damaged.
    """
    from furytune.answering import audit as audited
    from furytune.contract import PromptContract

    found = audited(log, PromptContract.load(contract), _questions(questions))
    if json_:
        data_json(found)
    else:
        data("\n".join([str(found), *(f"differs  {one}" for one in found.differing)]))
    if found.differing or found.damaged:
        ctx.exit(PARTIAL)


@click.command()
@click.argument("log", type=_existing)
@click.option("--prune", type=click.FloatRange(0), metavar="DAYS", help="First remove lines that are older.")
@as_json
@click.pass_context
def feedback(ctx: click.Context, log: Path, prune: float | None, json_: bool) -> None:
    """Say how often the answers of a feedback LOG helped, by week and by the passages in their prompts.

    Exits with 3 if a line of the log is damaged.
    """
    from furytune.feedback import FeedbackLog, count

    if prune is not None:
        say(str(FeedbackLog(log).prune(prune)))
    found = count(FeedbackLog(log))
    if json_:
        data_json(found)
    else:
        data("\n".join(found.lines(width())))
    if found.reading.damaged:
        ctx.exit(PARTIAL)


def _questions(lines: IO[str]) -> Iterator[str]:
    """Yields a question for each line.

    Raises:
        SourceError: A line is something else.
    """
    from furytune.errors import SourceError

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        question = found.get("question") if isinstance(found, dict) else found
        if not isinstance(question, str):
            raise SourceError(
                f'{lines.name}, line {number}: not a JSON text and not an object with "question"; write one question a line'
            )
        yield question
