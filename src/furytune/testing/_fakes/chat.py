"""An OpenAI-compatible service: chat completions, whole or as a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import define, field

from furytune.testing._fakes.loopback import Recorded, Reply

__all__ = ["ChatCompletions"]

Json = Any

_USED = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def _refused(status: int, message: str, code: str) -> Reply:
    kind = "authentication_error" if status == 401 else "invalid_request_error"
    return Reply(status, {"error": {"message": message, "type": kind, "code": code}})


@define
class ChatCompletions:
    """Answers requests as a server such as llama.cpp or vLLM does.

    Args:
        answer: Returns the answer to the text of the last message, or an iterable of its pieces, which a stream sends
            as they come.
        model: The only model that the server knows.
        key: The only key that the server accepts; "" if it needs none.
    """

    answer: Callable[[str], str | Iterable[str]] = field(repr=False)
    model: str
    key: str = field(default="", repr=False)

    def __call__(self, request: Recorded) -> Reply:
        """Answers one request."""
        given = request.headers.get("authorization", "")
        if self.key and given != f"Bearer {self.key}":
            return _refused(401, f"Incorrect API key provided: {given}.", "invalid_api_key")
        if request.line == "GET /v1/models":
            return Reply(200, {"object": "list", "data": [{"id": self.model, "object": "model"}]})
        if request.line != "POST /v1/chat/completions":
            return Reply(404, {"detail": "Not Found"})
        body = request.body
        messages = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(messages, list) or not messages:
            return _refused(400, "'messages' is a required property", "invalid_request")
        if body.get("model") != self.model:
            return _refused(404, f"The model {body.get('model')} does not exist.", "model_not_found")
        answer = self.answer(messages[-1]["content"])
        if body.get("stream"):
            pieces = _halves(answer) if isinstance(answer, str) else answer
            return Reply(200, None, _events(pieces), {"content-type": "text/event-stream"})
        return Reply(200, self._whole(answer if isinstance(answer, str) else "".join(answer)))

    def _whole(self, text: str) -> Json:
        message = {"role": "assistant", "content": text}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": _USED,
        }


def _halves(text: str) -> list[str]:
    half = len(text) // 2
    return [piece for piece in (text[:half], text[half:]) if piece]


def _events(pieces: Iterable[str]) -> Iterator[bytes]:
    """Yields a role, the pieces, the end, and counts without a choice, as OpenAI's service does."""
    yield _event(_delta({"role": "assistant", "content": ""}))
    for piece in pieces:
        yield _event(_delta({"content": piece}))
    yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _event({"choices": [], "usage": _USED})
    yield b"data: [DONE]\n\n"


def _delta(delta: Json) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def _event(value: Json) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
