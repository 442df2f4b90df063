"""The model that was tuned on the prompts of a contract."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from furytune.errors import ConfigError

__all__ = ["ModelName"]


def _line(_: object, attribute: Any, value: Any) -> None:
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigError(f"{attribute.name} of a model must be a printable text")


@frozen(kw_only=True)
class ModelName:
    """The model that was tuned on the prompts of a contract, so that a bot needs neither tuner nor ledger.

    It shapes no prompt, so it is not part of the fingerprint.

    Attributes:
        name: What its service calls it: an endpoint on Vertex AI, or a name on an OpenAI-compatible server.
        base: The model that it was made from; "" if unknown.
        job: The service's name for the tuning job; "" if unknown.

    Raises:
        ConfigError: A name is not printable, or ``name`` is empty.
    """

    name: str = field(validator=_line)
    base: str = field(default="", validator=_line)
    job: str = field(default="", validator=_line)

    def __attrs_post_init__(self) -> None:
        if self.name == "":
            raise ConfigError("a model must have the name that its service knows")
