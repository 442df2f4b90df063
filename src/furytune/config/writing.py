"""Parts as values of a settings file: texts, numbers, lists and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import Any, cast

import attrs

from furytune import plugins
from furytune._discord.journal.store import Journal
from furytune._privacy.secret import Secret
from furytune.config.arguments import Argument, arguments
from furytune.errors import ConfigError
from furytune.models.chat import ChatService, chat_model
from furytune.models.tuned import TunedModel
from furytune.tuners._jobs.service import JobService
from furytune.tuners.gemini.tuner import gemini_model

__all__ = ["UNITS", "written"]

UNITS = {"microsecond": 1, "second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6, "day": 86400 * 10**6}
"""Units of durations, in microseconds."""


def written(value: Any) -> Any:
    """Returns a part or an argument as a value of a settings file.

    Args:
        value: A part, such as a curator, or what a part was made from. Arguments with their default value are left out.

    Raises:
        ConfigError: It cannot be written, such as a function or a secret itself.
    """
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, PathLike):
        path = Path(value).as_posix()
        return f"./{path}" if path.startswith("~") else path  # the reader takes "~" for the home folder
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, Secret):
        return _secret(value)
    if isinstance(value, Journal):
        return value.path.as_posix()
    if isinstance(value, Mapping):
        return {str(name): written(item) for name, item in value.items() if item is not None}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [written(item) for item in value]
    if isinstance(value, AbstractSet):
        return sorted(map(written, value))  # in one order, so that the file is the same each time
    if isinstance(value, TunedModel):
        return _model(value)
    return _part(value)


def _duration(value: timedelta) -> str:
    """Returns a duration in the largest unit that needs no fraction, such as "7 days"."""
    amount = value // timedelta(microseconds=1)
    unit = next(unit for unit in reversed(UNITS) if amount % UNITS[unit] == 0)
    return f"{amount // UNITS[unit]} {unit}s"


def _secret(value: Secret) -> dict[str, str]:
    if not value.place:
        raise ConfigError(
            "a secret cannot be written into a settings file; use Secret.env or Secret.file, which name a place"
        )
    return dict(value.place)


def _model(value: TunedModel) -> dict[str, Any]:
    """Returns the settings of a model that was not tuned."""
    service: Any = value._backend  # noqa: SLF001  (its public face is the service that made it)
    kind = "chat" if isinstance(service, ChatService) else "gemini"
    if (
        value.contract is not None
        or value.model
        or (kind == "gemini" and not isinstance(service, JobService))
    ):
        raise ConfigError(
            "only a model of a ChatService or a base model of Gemini, without a contract, can be written into a settings "
            "file"
        )
    maker = chat_model if kind == "chat" else gemini_model
    fields = {field.name for field in attrs.fields(type(service))}
    found: dict[str, Any] = {"type": kind, "name": value.target}
    found |= _differing(service, {name: a for name, a in arguments(maker).items() if name in fields})
    options = {name: getattr(value, name) for name in ("temperature", "max_output_tokens", "thinking")}
    return found | {name: written(given) for name, given in options.items() if given not in (None, {})}


def _part(value: Any) -> dict[str, Any]:
    """Returns the table of a part: its name, and its arguments that differ from their defaults."""
    kind = type(value)
    name = plugins.name_of(kind)
    if name is None and not attrs.has(kind):
        named = getattr(value, "__name__", kind.__name__)
        raise ConfigError(
            f"{named} cannot be written into a settings file: it is not a plugin; see the page Parts of your own"
        )
    found = {} if name is None else {"type": name}
    return found | _differing(value, arguments(cast("Any", kind)))


def _differing(value: Any, known: Mapping[str, Argument]) -> dict[str, Any]:
    """Returns the arguments that a part was made with and that are not the defaults."""
    kind = type(value)
    fields = {field.alias: field for field in attrs.fields(kind)} if attrs.has(kind) else {}
    found = {}
    for name, argument in known.items():
        field = fields.get(name)
        try:
            given = getattr(value, field.name if field else name)
        except AttributeError:
            raise ConfigError(
                f"{kind.__name__} cannot be written into a settings file: it does not keep its argument {name!r}"
            ) from None
        default = argument.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            default = default.factory(value) if default.takes_self else default.factory()
        if field is not None and field.converter is not None and not argument.required:
            default = field.converter(default)
        if argument.required or given != default or type(given) is not type(default):
            if given is None:
                raise ConfigError(
                    f"{kind.__name__}({name}=None) cannot be written into a settings file: TOML has no word for None"
                )
            if isinstance(given, bytes):
                raise ConfigError(
                    f"{kind.__name__}({name}=...) cannot be written into a settings file, because it is a secret; leave it "
                    "out, and set its environment variable"
                )
            found[name] = written(given)
    return found
