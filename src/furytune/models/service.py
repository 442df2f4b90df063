"""The protocols of a service that hosts models, and the values it exchanges with a `TunedModel`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

from attrs import field, frozen

from furytune._network.stop import Stop
from furytune._values.canonical import Json
from furytune.records import Piece

__all__ = ["Call", "ModelService", "Permission", "Role", "Sharing", "Telling"]

Role = Literal["reader", "writer", "owner"]


@frozen(kw_only=True)
class Call:
    """A request to a model.

    Attributes:
        target: Endpoint of a tuned model, or name of a base model.
        fields: What a dialect rendered as a request, sent unchanged.
        temperature: Sampling temperature; None sends none.
        max_output_tokens: Most tokens of the answer; None sends no limit.
        thinking: How the model thinks, in the service's own fields; {} sends none.
        stop: Ends the answer when it is set.
    """

    target: str
    fields: Mapping[str, Any] = field(repr=False)
    temperature: float | None = None
    max_output_tokens: int | None = None
    thinking: Mapping[str, Json] = field(factory=dict)
    stop: Stop = field(factory=Stop, repr=False, eq=False)


@frozen(kw_only=True)
class Permission:
    """A permission to use a tuned model.

    Attributes:
        name: The service's name for the permission.
        grantee: "everyone", "user:MAIL" or "group:MAIL".
        role: What they may do.
    """

    name: str
    grantee: str
    role: str


@runtime_checkable
class ModelService(Protocol):
    """**Protocol:** a service that answers with a model. Every method may raise `ServiceError`."""

    @property
    def dialect(self) -> str:
        """Dialect of its requests, a key of `furytune.dialects.DIALECTS`."""
        ...

    @property
    def access(self) -> str:
        """A sentence that says how to give access to a model, for a service without `Sharing`."""
        ...

    def generate(self, call: Call) -> str:
        """Returns the model's text."""
        ...

    def stream(self, call: Call) -> Iterator[str]:
        """Yields the model's text in pieces."""
        ...

    def delete(self, model: str, endpoint: str) -> None:
        """Deletes a tuned model and what serves it."""
        ...


@runtime_checkable
class Telling(Protocol):
    """**Protocol:** a service that says why an answer ended and what it used. Without it, an answer just ends."""

    def pieces(self, call: Call) -> Iterator[Piece]:
        """Yields the answer in pieces; the last one says why it ended."""
        ...


@runtime_checkable
class Sharing(Protocol):
    """**Protocol:** a service that keeps, for each model, a list of who may use it."""

    def share(self, model: str, grantee: str, role: Role) -> Permission:
        """Lets someone use a model.

        Args:
            model: Resource of the tuned model.
            grantee: "everyone", "user:MAIL" or "group:MAIL".
            role: What they may do.

        Raises:
            TuningError: The service cannot share models; the message says what it offers.
        """
        ...

    def permissions(self, model: str) -> tuple[Permission, ...]:
        """Lists who may use a model."""
        ...

    def revoke(self, permission: str) -> None:
        """Revokes a permission, by `Permission.name`."""
        ...

    def transfer(self, model: str, mail: str) -> None:
        """Makes someone else the owner."""
        ...
