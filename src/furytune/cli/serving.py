"""Commands that serve a contract, and prove what was served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from furytune.cli.output import data, data_json
from furytune.cli.running import PARTIAL, as_json, load, target

if TYPE_CHECKING:
    from furytune.serving import ModelSource

_file = click.Path(dir_okay=False, path_type=Path)
_existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("contract", required=False, type=_existing)
@target
@click.option("--endpoint", default="", help="The model's server, such as http://127.0.0.1:11434/v1.")
@click.option("--model", default="", help="The model's name there; by default, the contract names it.")
@click.option("--model-key", default="", metavar="VARIABLE", help="Environment variable with its key.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, help="0 for a free one.")
@click.option("--name", default="furytune", show_default=True, help="The model's name for clients.")
@click.option("--keys", type=_existing, help="File with the sha256 of a client's key in each line.")
@click.option("--admin-keys", type=_existing, help="The same for /admin/reload.")
@click.option("--new-key", is_flag=True, help="Print a new key and its sha256, and end.")
@click.option("--earlier", type=click.Choice(["refuse", "ignore"]), default="refuse", show_default=True)
@click.option("--footnotes", is_flag=True, help="End answers with their citations.")
@click.option("--audit", type=_file, help="Write digests of all prompts to this file.")
@click.option("--feedback", type=_file, help="Take feedback, and write it to this file.")
def serve(
    contract: Path | None,
    config: Path,
    endpoint: str,
    model: str,
    model_key: str,
    host: str,
    port: int,
    name: str,
    keys: Path | None,
    admin_keys: Path | None,
    new_key: bool,
    earlier: str,
    footnotes: bool,
    audit: Path | None,
    feedback: Path | None,
) -> None:
    """Answer programs that speak OpenAI's protocol, with the prompts of a contract.

    CONTRACT is a contract file; without it, the one that the settings file names. Without --endpoint, only prompts are
    served. --earlier says what happens to messages before the last one.
    """
    from furytune import serving

    if new_key:
        key, hashed = serving.new_key()
        data(f"key for the client   {key}\nhash for the server  {hashed}")
        return
    settings = serving.Settings(
        name=name,
        keys=_lines(keys),
        admin_keys=_lines(admin_keys),
        earlier="ignore" if earlier == "ignore" else "refuse",
        footnotes=footnotes,
        audit=audit,
        feedback=feedback,
    )
    serving.serve(
        contract or load(config, ()).contract,
        model=model_of(endpoint, model, model_key),
        settings=settings,
        host=host,
        port=port,
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


def model_of(endpoint: str, name: str, variable: str) -> ModelSource:
    """Returns the model behind an endpoint; if it has no name, the one that a contract names.

    Args:
        endpoint: The model's server, "" for no model.
        name: The model's name there, "" for the one that the contract names.
        variable: Environment variable with its key, "" for none.
    """
    from furytune._privacy.secret import Secret
    from furytune.errors import ConfigError
    from furytune.models import ChatService

    if not endpoint:
        return None
    service = ChatService(endpoint, api_key=Secret.env(variable) if variable else None)
    if name:
        return service.model(name)

    def named(contract):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if contract.model is None:
            raise ConfigError(
                "the contract names no model; give --model, its name on the server of --endpoint"
            )
        return service.model(contract.model.name)

    return named


def _lines(path: Path | None) -> list[str]:
    return [] if path is None else path.read_text(encoding="utf-8").split()
