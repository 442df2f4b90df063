"""What a settings file says about a program that answers: its contract, its model and its own table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import tomli_w
from attrs import field, frozen

from furytune import plugins
from furytune.answering import ModelSource
from furytune.config.document import Document, Key
from furytune.config.kinds import Part, arguments_of, make
from furytune.config.tables import NAME, TABLES, check_names, contract_path
from furytune.config.writing import written
from furytune.contract import PromptContract
from furytune.errors import ConfigError
from furytune.protocols import Model
from furytune.tuners.gemini.answering import tuned_gemini
from furytune.tuners.gemini.tuner import gemini_model

__all__ = ["ContractModel", "Deployment", "check_deployments", "deployment_to_toml", "load_deployment"]

T = TypeVar("T")

_ELSEWHERE = ("project", "location", "api_key")
"""What a contract says about a tuned Gemini model."""


@frozen(kw_only=True)
class ContractModel:
    """Makes the model that a contract names, so that a new contract can bring a new model.

    Attributes:
        type: The kind of model, such as "chat".
        given: Its arguments, without the name.
    """

    type: str
    given: Mapping[str, Any] = field(repr=False)

    def __call__(self, contract: PromptContract) -> Model:
        """Returns the model of a contract.

        Raises:
            ConfigError: The contract names no model, or one of another service.
            MissingExtraError: A package is not installed.
        """
        if contract.model is None:
            raise ConfigError(
                "the contract names no model; give --model, or name under [model]: its name on the server"
            )
        part = plugins.load("models", self.type)
        made: Model = (
            tuned_gemini(contract, **self.given)
            if part is gemini_model
            else part(name=contract.model.name, **self.given)
        )
        return made


@frozen(kw_only=True)
class Deployment(Generic[T]):
    """What a settings file says about a program that answers.

    Attributes:
        contract: File of the contract.
        model: The model; a function of the contract if the file gives no name; None for prompts alone.
        table: The program's own table, such as `Serve`.
    """

    contract: Path
    model: ModelSource = field(repr=False)
    table: T


def load_deployment(
    kind: type[T],
    path: str | os.PathLike[str] = NAME,
    *,
    changes: Iterable[str] = (),
    given: Iterable[tuple[tuple[str, ...], Any, str]] = (),
    environment: Mapping[str, str] | None = None,
    optional: bool = False,
) -> Deployment[T]:
    """Reads what a settings file says about a program that answers. The file needs no other tables.

    Args:
        kind: Class of the program's table, such as `Serve`.
        path: The file. Relative paths in it begin at its folder.
        changes: Values that replace those of the file, such as ``serve.port=9000``.
        given: Values of options, which replace all others: their key, value, and the option's name for messages.
        environment: Variables that replace values, such as ``FURYTUNE_SERVE__PORT``; None means those of the process.
        optional: Whether a file that does not exist is like an empty one.

    Raises:
        ConfigError: The file does not exist, or a key or a value in it is wrong. The message names file, line and key.
        SourceFormatError: It is not TOML.
        MissingExtraError: The model needs a package that is not installed.
    """
    place = Path(path)
    document = Document.parsed("", place) if optional and not place.exists() else Document.read(place)
    document.replace_all(changes, os.environ if environment is None else environment)
    for key, value, origin in given:
        document.put(key, value, origin)
    check_names(document)
    name = next(name for name, table in TABLES.items() if table is kind)
    return Deployment(
        contract=contract_path(document),
        model=_model(document),
        table=make(kind, _table(document, name), document, (name,)),
    )


def deployment_to_toml(deployment: Deployment[Any]) -> str:
    """Returns a deployment as the text of a settings file. `load_deployment` makes an equal one from it.

    Args:
        deployment: The deployment. Relative paths are written as they are, so save the text in the folder that they
            begin at.

    Raises:
        ConfigError: It cannot be written, such as a model that is a function, or a secret itself.
    """
    data: dict[str, Any] = {"contract": written(deployment.contract)}
    model = deployment.model
    if isinstance(model, ContractModel):
        data["model"] = {"type": model.type, **written(model.given)}
    elif model is not None:
        data["model"] = written(model)
    name = next(name for name, table in TABLES.items() if isinstance(deployment.table, table))
    data[name] = written(deployment.table)
    return tomli_w.dumps(data, multiline_strings="\\r" not in repr(data))


def check_deployments(document: Document) -> None:
    """Raises if the tables of programs that answer are wrong, without making their models.

    Raises:
        ConfigError: A key or a value is wrong.
    """
    if "model" in document.data:
        _checked_model(document)
    for name, kind in TABLES.items():
        make(kind, _table(document, name), document, (name,))


def _table(document: Document, name: str) -> Mapping[str, Any]:
    table = document.data.get(name, {})
    if not isinstance(table, dict):
        document.fail((name,), f"must be a table, such as [{name}]")
    return table


def _model(document: Document) -> ModelSource:
    if "model" not in document.data:
        return None
    named, table = _checked_model(document), document.data["model"]
    if not isinstance(named, ContractModel):
        model: Model = make(named, table, document, ("model",))
        return model
    part = plugins.load("models", named.type)
    if part is not gemini_model:
        # A wrong value should raise now, and not when the first contract names a model.
        make(part, {**table, "name": "name"}, document, ("model",))
    return named


def _checked_model(document: Document) -> Any:
    """Returns what makes the model: a part, or a `ContractModel` if the table has no name.

    Raises:
        ConfigError: A key or a value is wrong.
    """
    key: Key = ("model",)
    table = _table(document, "model")
    if "type" not in table:
        # An option or a variable may be all that there is of it.
        given = next((name for name in table if (*key, name) in document.origins), None)
        document.fail(
            (*key, given) if given else key,
            'there is no model of which this could be a setting; add a table [model] with type = "chat" and endpoint, or give '
            "--endpoint"
            if given
            else f"type is missing; known: {', '.join(plugins.names('models'))}",
        )
    part = Part("models").named(table, document, key)
    if "name" in table:
        arguments_of(part, table, document, key)
        return part
    # The name comes with each contract. Everything else is checked now.
    given = arguments_of(part, {**table, "name": "name"}, document, key)
    del given["name"]
    if part is gemini_model:
        for elsewhere in _ELSEWHERE:
            if elsewhere in given:
                document.fail(
                    (*key, elsewhere),
                    "the contract of a tuned model says this; leave it out, or give the name of a model that was not tuned",
                )
    return ContractModel(type=table["type"], given=given)
