"""What an operator decides about an endpoint."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import Any, Literal

from attrs import field, frozen

from furytune.answering import AnswerSettings, one_of, within
from furytune.errors import ConfigError

__all__ = ["LOOPBACK", "Settings", "new_key"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine itself."""

_HASH = re.compile(r"[0-9a-f]{64}")


def new_key() -> tuple[str, str]:
    """Returns a new random API key, and its sha256 for `Settings`. Give the key to the client, and store only the hash."""
    key = f"ft-{secrets.token_urlsafe(32)}"
    return key, hashlib.sha256(key.encode()).hexdigest()


def _hashes(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise ConfigError("keys and admin_keys are lists of hashes, such as [HASH]")
    found = tuple(values)
    # The message does not repeat the value, because it may be the key itself.
    if not all(isinstance(value, str) and _HASH.fullmatch(value) for value in found):
        raise ConfigError(
            "keys and admin_keys contain the sha256 of each key as 64 hex digits, never a key itself; "
            "new_key() makes both, and if you stored a key there, replace it with a new one"
        )
    return found


def _printable(_: object, attribute: Any, value: str) -> None:
    if not (isinstance(value, str) and value and value.isprintable()):
        raise ConfigError(f"{attribute.name} must be a printable text")


@frozen(kw_only=True)
class Settings(AnswerSettings):
    """What an operator decides about an endpoint, besides what `furytune.answering.AnswerSettings` has.

    Attributes:
        name: The model's name for clients. A request for another model is refused.
        keys: sha256 of each API key, as 64 hex digits; see `new_key`. Without keys, everyone who reaches the port may ask,
            and requests must address this machine by a name of ``hosts``.
        admin_keys: sha256 of each key for ``/admin/reload``. Without any, the route refuses everyone.
        hosts: Host names that a request may address if there are no keys. A web page that leads its own name to this
            machine cannot ask then.
        earlier: What happens to messages before the last one, system messages included: "refuse" the request, "ignore"
            them, or "join" what the user said before if the assistant only asked back; see `furytune.pairing.last_question`.
            Nothing else of them gets into a prompt, because the model was not trained on it.
        footnotes: Whether an answer ends with its citations as footnotes. They are always in the field ``furytune``.
        max_body: Most bytes of a request.
        body_timeout: Seconds for a request to arrive.
        per_minute: Requests of a key in a minute, or of an address if there are no keys; 0 for no limit.
        grace: Seconds for answers under way after a request to stop.

    Raises:
        ConfigError: A value cannot be used.
    """

    name: str = field(default="furytune", validator=_printable)
    keys: tuple[str, ...] = field(default=(), converter=_hashes, repr=False)
    admin_keys: tuple[str, ...] = field(default=(), converter=_hashes, repr=False)
    hosts: tuple[str, ...] = field(default=LOOPBACK, converter=tuple)
    earlier: Literal["refuse", "ignore", "join"] = field(
        default="refuse", validator=one_of("refuse", "ignore", "join")
    )
    footnotes: bool = False
    max_body: int = field(default=1 << 20, validator=within(1 << 10, 1 << 26))
    body_timeout: float = field(default=10.0, validator=within(0.01, 600.0))
    per_minute: int = field(default=60, validator=within(0, 1_000_000))
    grace: float = field(default=30.0, validator=within(0.0, 3600.0))
