"""``python -m furytune.serving``: serves a contract with a model behind an OpenAI-compatible server."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from furytune._privacy.secret import Secret
from furytune.contract import PromptContract
from furytune.errors import ConfigError, FurytuneError
from furytune.models import ChatService, TunedModel
from furytune.serving import ModelSource, Settings, new_key, serve


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until a signal."""
    parser = argparse.ArgumentParser("python -m furytune.serving", description=__doc__)
    parser.add_argument(
        "contract", nargs="?", help="the contract file; without it, prints a new key and its hash"
    )
    parser.add_argument(
        "--endpoint", help="the model's server, such as http://127.0.0.1:11434/v1; none: prompts only"
    )
    parser.add_argument("--model", default="", help="its name on that server; none: the contract names it")
    parser.add_argument("--model-key", help="environment variable with the key for that server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--name", default="furytune", help="the model's name for clients")
    parser.add_argument("--keys", type=Path, help="file with the sha256 of a client's key in each line")
    parser.add_argument("--admin-keys", type=Path, help="the same for /admin/reload")
    parser.add_argument(
        "--earlier", choices=("refuse", "ignore"), default="refuse", help="messages before the last"
    )
    parser.add_argument("--footnotes", action="store_true", help="end answers with their citations")
    parser.add_argument("--audit", type=Path, help="file for digests of all prompts")
    parser.add_argument("--feedback", type=Path, help="file for feedback")
    given = parser.parse_args(arguments)
    if given.contract is None:
        key, hashed = new_key()
        print(f"key for the client   {key}\nhash for the server  {hashed}")  # noqa: T201
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    try:
        settings = Settings(
            name=given.name,
            keys=_lines(given.keys),
            admin_keys=_lines(given.admin_keys),
            earlier=given.earlier,
            footnotes=given.footnotes,
            audit=given.audit,
            feedback=given.feedback,
        )
        serve(given.contract, model=_model(given), settings=settings, host=given.host, port=given.port)
    except (FurytuneError, OSError) as error:
        sys.exit(str(error))


def _model(given: argparse.Namespace) -> ModelSource:
    if not given.endpoint:
        return None
    secret = Secret.env(given.model_key) if given.model_key else None
    service = ChatService(given.endpoint, api_key=secret)
    if given.model:
        return service.model(given.model)

    def named(contract: PromptContract) -> TunedModel:
        if contract.model is None:
            raise ConfigError(
                "the contract names no model; give --model, its name on the server of --endpoint"
            )
        return service.model(contract.model.name)

    return named


def _lines(path: Path | None) -> list[str]:
    return [] if path is None else path.read_text(encoding="utf-8").split()


if __name__ == "__main__":
    main()
