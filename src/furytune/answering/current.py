"""The contract and the model that answer now, and the switch to the next ones."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from attrs import frozen

from furytune.answering.settings import ModelSource
from furytune.contract import PromptContract
from furytune.errors import AnswerError, ConfigError
from furytune.protocols import Model

__all__ = ["Current", "Served"]


@frozen(eq=False)
class Served:
    """A contract with its model. A request keeps the one that it began with.

    Attributes:
        contract: Renders the prompts.
        model: Answers; None if only prompts are served.
    """

    contract: PromptContract
    model: Model | None

    def answering(self) -> Model:
        """Returns the model.

        Raises:
            AnswerError: Only prompts are served.
        """
        if self.model is None:
            raise AnswerError(
                "there is no model here, so prompts are all that can be had; name a model at the start"
            )
        return self.model


class Current:
    """What answers now.

    Args:
        contract: A contract, or the path of its file.
        model: A model, or a function that returns the model for a contract; None for prompts alone.

    Raises:
        ContractError: The contract cannot be loaded.
        ConfigError: The model is not a model.
    """

    def __init__(self, contract: PromptContract | str | os.PathLike[str], model: ModelSource) -> None:
        self._path = None if isinstance(contract, PromptContract) else Path(contract)
        self._model = model
        self._lock = asyncio.Lock()
        if not isinstance(contract, PromptContract):
            contract = PromptContract.load(contract)
        self.value = Served(contract, self._model_for(contract))

    async def reload(self) -> Served:
        """Reads the contract file again, and answers with it from now on. After an error, nothing has changed.

        Raises:
            ContractError: The file cannot be loaded.
            ConfigError: There is no file, or the model belongs to another form of prompts.
        """
        async with self._lock:
            self.value = await asyncio.to_thread(self._read)
            return self.value

    def _read(self) -> Served:
        if self._path is None:
            raise ConfigError("this was started with a contract and not with its file, so it cannot reload")
        contract = PromptContract.load(self._path)
        old = self.value.contract.fingerprint
        fixed = self._model is not None and isinstance(self._model, Model)
        if fixed and contract.fingerprint != old:
            raise ConfigError(
                f"the new contract has the fingerprint {contract.fingerprint[:12]}, and the model was tuned for {old[:12]}; "
                "start again with a function that returns the model for a contract, or with the model of the new one"
            )
        return Served(contract, self._model_for(contract))

    def _model_for(self, contract: PromptContract) -> Model | None:
        model = (
            self._model if self._model is None or isinstance(self._model, Model) else self._model(contract)
        )
        if model is not None and not isinstance(model, Model):
            raise ConfigError(
                "model must fit furytune.protocols.Model, or return such a model for a contract"
            )
        return model
