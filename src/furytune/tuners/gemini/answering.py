"""A tuned Gemini model without its tuner: the contract says where it is."""

from __future__ import annotations

import re
from typing import Any

from furytune.contract import PromptContract
from furytune.errors import ConfigError
from furytune.models import TunedModel
from furytune.tuners.gemini import models
from furytune.tuners.gemini._vertex.backend import VertexBackend

__all__ = ["tuned_gemini"]


def tuned_gemini(
    contract: PromptContract, *, credentials: Any = None, endpoint: str = "", **options: Any
) -> TunedModel:
    """Returns the tuned model on Vertex AI that a contract names. It needs no tuner and no ledger, and sends nothing.

    Args:
        contract: A contract that ``tuner.tuned(job, contract).contract`` saved.
        credentials: google-auth credentials; by default the machine's own.
        endpoint: Base address of all requests; "" is Google's.
        **options: ``temperature``, ``max_output_tokens`` or ``thinking`` of `TunedModel`.

    Raises:
        ConfigError: The contract names no model, or one of another service.
    """
    if contract.model is None:
        raise ConfigError(
            "the contract names no model; save tuner.tuned(job, contract).contract, or use GeminiTuner.tuned"
        )
    found = re.fullmatch(r"projects/([^/]+)/locations/([^/]+)/endpoints/[^/]+", contract.model.name)
    if not found:
        raise ConfigError(
            "the contract's model is not an endpoint of Vertex AI; ask it through its own service"
        )
    return TunedModel(
        target=contract.model.name,
        contract=contract,
        backend=VertexBackend(
            project=found[1], location=found[2], credentials=credentials, endpoint=endpoint
        ),
        **{"thinking": dict(models.known(contract.model.base).thinking), **options},
    )
