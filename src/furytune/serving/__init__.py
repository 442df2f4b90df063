"""An OpenAI-compatible endpoint whose prompts are the contract's."""

from __future__ import annotations

import os
from typing import Any

from furytune.answering import ModelSource
from furytune.contract import PromptContract
from furytune.errors import MissingExtraError
from furytune.serving.settings import Settings, new_key

__all__ = ["ModelSource", "Settings", "app", "new_key", "serve"]


def app(
    contract: PromptContract | str | os.PathLike[str],
    *,
    model: ModelSource = None,
    settings: Settings | None = None,
) -> Any:
    """Returns an ASGI application, for any ASGI server.

    Args:
        contract: A contract, or the path of its file. A file can be loaded again while the application runs.
        model: A model, such as ``ChatService(...).model(...)``, or a function that returns the model for a contract. A model
            keeps its contract's fingerprint; with a function, a reload may bring another form of prompts. None serves
            prompts alone.
        settings: What the operator decided.

    Raises:
        MissingExtraError: The extra ``serve`` is not installed.
        ContractError: The contract cannot be loaded.
        ConfigError: The model is not a model.
    """
    try:
        from furytune.serving.endpoint import Endpoint
    except ModuleNotFoundError as error:
        raise MissingExtraError("serving", "serve") from error
    return Endpoint(contract, model, settings or Settings()).app


def serve(
    contract: PromptContract | str | os.PathLike[str],
    *,
    model: ModelSource = None,
    settings: Settings | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> None:
    """Serves until SIGTERM or SIGINT; answers under way are finished first. SIGHUP loads the contract file again.

    Args:
        contract: A contract, or the path of its file.
        model: As in `app`.
        settings: What the operator decided.
        host: Address to listen on. Every address except this machine's own needs keys.
        port: Port; 0 for a free one, which the log names.

    Raises:
        ConfigError: The address needs keys, or the model is not a model.
        MissingExtraError: The extra ``serve`` is not installed.
        ContractError: The contract cannot be loaded.
    """
    try:
        from furytune.serving.runner import run
    except ModuleNotFoundError as error:
        raise MissingExtraError("serving", "serve") from error
    run(contract, model, settings or Settings(), host, port)
