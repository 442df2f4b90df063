"""Which service a tuner uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from furytune.errors import ConfigError
from furytune.tuners._jobs.service import Backend

if TYPE_CHECKING:
    from furytune.tuners.gemini.tuner import GeminiTuner

__all__ = ["choose"]


def choose(tuner: GeminiTuner) -> Backend:
    """Returns the backend that a tuner's arguments ask for.

    Raises:
        ConfigError: They ask for none, or for both.
    """
    on_vertex = [
        name
        for name in ("project", "bucket", "uploaded", "credentials")
        if getattr(tuner, name) not in ("", (), None)
    ]
    kind = tuner.backend
    if kind not in {"auto", "vertex", "developer"}:
        raise ConfigError(f"backend is 'auto', 'vertex' or 'developer', not {kind!r}")
    if on_vertex and tuner.api_key is not None:
        raise ConfigError(
            f"{', '.join(on_vertex)} belong to Vertex AI, api_key to the Developer API; they cost differently, so give one"
        )
    if kind == "auto":
        if not on_vertex and tuner.api_key is None:
            raise ConfigError(
                "give project= and bucket= to tune on Vertex AI, or api_key= for a server of the Developer API"
            )
        kind = "vertex" if on_vertex else "developer"
    if kind == "vertex":
        return _vertex(tuner)
    if on_vertex or tuner.api_key is None:
        raise ConfigError("the Developer API takes api_key= and neither project nor bucket")
    from furytune.tuners.gemini._developer.backend import DeveloperBackend

    backend = DeveloperBackend(api_key=tuner.api_key, transport=tuner.transport)
    return evolve(backend, endpoint=tuner.endpoint) if tuner.endpoint else backend


def _vertex(tuner: GeminiTuner) -> Backend:
    if tuner.api_key is not None:
        raise ConfigError("Vertex AI tunes with credentials of Google Cloud, not with an API key")
    if not tuner.project:
        raise ConfigError("Vertex AI needs project=, the Google Cloud project that pays")
    from furytune.tuners.gemini._vertex.backend import VertexBackend

    return VertexBackend(
        project=tuner.project,
        location=tuner.location,
        bucket=tuner.bucket,
        prefix=tuner.prefix,
        uploaded=tuner.uploaded,
        credentials=tuner.credentials,
        endpoint=tuner.endpoint,
    )
