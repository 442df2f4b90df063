"""Asks models of the Developer API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from furytune.errors import NoTextError, TuningError
from furytune.models.service import Call
from furytune.tuners.gemini._developer.clients import Clients, model_name
from furytune.tuners.gemini._developer.jobs import word_of
from furytune.tuners.gemini._developer.limits import DIALECT
from furytune.tuners.gemini._developer.sdk import ask

__all__ = ["generate", "stream"]

_GOES_ON = {"FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED", "STOP"}


def generate(clients: Clients, call: Call) -> str:
    """Returns the model's text.

    Raises:
        NoTextError: The model gave no text.
        TuningError: The SDK cannot send the request.
        ServiceError: The service refused, or did not answer.
    """
    request = _request(clients, call)
    return _text_of(
        ask("asking the model", lambda: clients.answers.generate_content(request, **clients.once))
    )


def stream(clients: Clients, call: Call) -> Iterator[str]:
    """Yields the model's text in pieces; errors as in `generate`."""
    request, listen = _request(clients, call), clients.answers.stream_generate_content
    pieces = ask("asking the model", lambda: iter(listen(request, **clients.once)))
    try:
        while (piece := ask("reading the model's answer", lambda: next(pieces, None))) is not None:
            if text := _text_of(piece, partly=True):
                yield text
    finally:
        # Free the connection, even if the caller stops early or an error ends the stream.
        pieces.cancel()


def _request(clients: Clients, call: Call) -> Any:
    """Builds the request.

    Raises:
        TuningError: The SDK cannot send a field.
    """
    if call.thinking:
        raise TuningError(
            f"google-generativeai cannot send the thinkingConfig given for {call.target}; leave it out, or ask through Vertex"
        )
    config: dict[str, Any] = {"temperature": call.temperature, "maxOutputTokens": call.max_output_tokens}
    config = {name: value for name, value in config.items() if value is not None}
    body = {
        "model": model_name(call.target),
        **call.fields,
        **({"generationConfig": config} if config else {}),
    }
    try:
        return clients.sdk.protos.GenerateContentRequest.from_json(json.dumps(body))
    except Exception as error:  # noqa: BLE001  (its message may quote the prompt)
        problem = type(error).__name__
    raise TuningError(
        f"google-generativeai cannot send these fields ({problem}); use the dialect {DIALECT!r}"
    )


def _text_of(response: Any, *, partly: bool = False) -> str:
    """Returns the text of an answer.

    Args:
        response: ``GenerateContentResponse``.
        partly: Whether it is a piece of a stream, which may have no text.

    Raises:
        NoTextError: There is no text; the message contains the service's reason.
    """
    # The SDK's own accessor raises for an empty answer, without the reason why it is empty.
    raw = type(response).pb(response)
    text = "".join(part.text for candidate in raw.candidates[:1] for part in candidate.content.parts)
    if raw.candidates:
        reason = word_of(raw.candidates[0], "finish_reason")
    else:
        reason = word_of(raw.prompt_feedback, "block_reason")
    if text or (partly and reason in _GOES_ON):
        return text
    raise NoTextError(
        f"the model gave no text ({reason}); rephrase the question, or check the service's safety settings"
    )
