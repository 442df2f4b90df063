"""Chooses the service that a tuner uses."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from attrs import evolve

from furytune._privacy.secret import Secret
from furytune.errors import ConfigError
from furytune.models.service import ModelService
from furytune.tuners._jobs.service import JobService

__all__ = ["GeminiService", "choose"]


class GeminiService(JobService, ModelService, Protocol):
    """**Protocol:** a service that tunes Gemini and serves what it tuned."""


def choose(
    kind: Literal["auto", "vertex", "developer"],
    *,
    api_key: Secret | None,
    transport: Literal["rest", "grpc"],
    endpoint: str,
    **on_vertex: Any,
) -> GeminiService:
    """Returns the service that a tuner's arguments ask for.

    Args:
        kind: The service that the user named, or "auto".
        api_key: Key of the Developer API.
        transport: Transport of the Developer API.
        endpoint: Address of either service, "" for Google's own.
        on_vertex: The arguments of Vertex AI, by name.

    Raises:
        ConfigError: The arguments ask for no service, or for both.
    """
    named = [
        name
        for name in ("project", "bucket", "uploaded", "credentials")
        if on_vertex[name] not in ("", (), None)
    ]
    if kind not in {"auto", "vertex", "developer"}:
        raise ConfigError(f"backend must be 'auto', 'vertex' or 'developer', not {kind!r}")
    if named and api_key is not None:
        raise ConfigError(
            f"{', '.join(f'{name}=' for name in named)} is for Vertex AI and api_key= for the Developer API; their costs "
            "differ, so choose one and give only its arguments"
        )
    if kind == "auto":
        if not named and api_key is None:
            raise ConfigError(
                "give project= and bucket= to tune on Vertex AI, or api_key= for a server of the Developer API"
            )
        kind = "vertex" if named else "developer"
    if kind == "vertex":
        if api_key is not None:
            raise ConfigError("Vertex AI tunes with credentials of Google Cloud, not with an API key")
        if not on_vertex["project"]:
            raise ConfigError("Vertex AI needs project=, the Google Cloud project that pays")
        # Each service imports its own SDK, and only one of them has to be installed.
        from furytune.tuners.gemini._vertex.backend import VertexBackend

        return VertexBackend(endpoint=endpoint, **on_vertex)
    if named or api_key is None:
        raise ConfigError("the Developer API needs api_key=, and takes neither project nor bucket")
    from furytune.tuners.gemini._developer.backend import DeveloperBackend

    backend = DeveloperBackend(api_key=api_key, transport=transport)
    return evolve(backend, endpoint=endpoint) if endpoint else backend
