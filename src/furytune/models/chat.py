"""Models behind an OpenAI-compatible endpoint, such as llama.cpp, Ollama, vLLM or OpenAI itself.

A request is one POST, so the standard library sends it. The package ``openai`` would bring a dozen other packages for it, and
repeats requests on its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

import msgspec
from attrs import field, frozen

from furytune._network.endpoint import checked_endpoint
from furytune._network.post import Answer, UnansweredError, post
from furytune._privacy.secret import Secret
from furytune._values.canonical import Json
from furytune._values.checks import of_type
from furytune.contract import PromptContract
from furytune.errors import ConfigError, NoTextError, ServiceError, TuningError, TuningUnavailableError
from furytune.models.service import Call
from furytune.models.tuned import TunedModel
from furytune.records import Finish, Piece, Usage

__all__ = ["ChatService", "chat_model"]

_LIMIT = 8 << 20  # bytes of an answer
_OWN = frozenset({"messages", "model", "stream", "temperature", "max_tokens"})
_HINTS = {
    400: "the server cannot use the request, and `error.said` says why; check the model's name, its settings, and the "
    "length of its context",
    401: "the server did not accept the key; check api_key=",
    403: "the key may not use this model; check api_key= and the model's name",
    404: "the server does not know this address or this model; the endpoint usually ends with /v1",
    413: "the request is too long for the server",
    429: "too many requests, or the account has no credit left",
}
_REDIRECTED = "the server names another address; give that one as the endpoint"
_UNKNOWN = "the answer is not that of a chat completion; check the endpoint, which usually ends with /v1"
# The words of the protocol for the end of an answer; anything else could be text.
_ENDS = {"stop", "length", "content_filter", "tool_calls"}
_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "filter"}


class _Said(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Said
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _Used(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _PieceChoice(msgspec.Struct):
    delta: _Said = msgspec.field(default_factory=_Said)
    finish_reason: str | None = None


class _Piece(msgspec.Struct):
    choices: list[_PieceChoice]
    usage: _Used | None = None


def _endpoint(value: str) -> str:
    found = checked_endpoint(value)
    if not found:
        raise ConfigError("ChatService needs an endpoint, such as http://127.0.0.1:8080/v1")
    return found


def _secret(value: Secret | str | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value


def _seconds(_: object, __: object, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError("timeout must be a number of seconds above 0")


@frozen
class ChatService:
    """An OpenAI-compatible endpoint, such as llama.cpp, Ollama, vLLM or OpenAI itself.

    Requests are not repeated: `ServiceError.transient` says whether asking again can help.

    Args:
        endpoint: Address up to ``/chat/completions``, such as "http://127.0.0.1:8080/v1". Plain http only on this machine.
        api_key: The key, if the server needs one; `Secret.env` names the environment variable that contains it.
        timeout: Seconds to wait for an answer.

    Raises:
        ConfigError: The endpoint is not an address, or would send the key over a network unencrypted.

    >>> service = ChatService("http://127.0.0.1:8080/v1", api_key=Secret.env("MODEL_KEY"))
    >>> service.model("qwen2.5-7b-instruct", temperature=0.0).spec["name"]
    'qwen2.5-7b-instruct'
    """

    endpoint: str = field(converter=_endpoint)
    api_key: Secret | None = field(
        default=None, converter=_secret, validator=of_type(Secret, type(None)), kw_only=True
    )
    timeout: float = field(default=120.0, validator=_seconds, kw_only=True)

    @property
    def dialect(self) -> str:
        """Dialect of the requests."""
        return "openai"

    @property
    def access(self) -> str:
        """A sentence that says that the server decides who may use a model."""
        return "an OpenAI-compatible server keeps no permissions for a model: the keys that it accepts decide"

    def model(self, name: str, contract: PromptContract | None = None, **options: Any) -> TunedModel:
        """Returns a model of the server. Sends nothing.

        Args:
            name: Name under which the server knows it.
            contract: Renders the prompts of `TunedModel.ask`.
            **options: ``temperature``, ``max_output_tokens`` or ``thinking`` of `TunedModel`. ``thinking`` contains further
                fields of the request, such as ``{"reasoning_effort": "low"}``.
        """
        return TunedModel(target=name, contract=contract, backend=self, **options)

    def generate(self, call: Call) -> str:
        """Returns the model's text.

        Raises:
            NoTextError: The model gave no text.
            ServiceError: The server refused, or did not answer.
        """
        with self._asked(call, stream=False) as answer:
            raw = answer.whole(_LIMIT)
        choice: _Choice = _decoded(raw, _Completion).choices[0]
        if not choice.message.content:
            raise _no_text(choice.finish_reason)
        return choice.message.content

    def stream(self, call: Call) -> Iterator[str]:
        """Yields the model's text in pieces; errors as in `generate`, perhaps after some pieces."""
        return (piece.text for piece in self._pieces(call, {}) if piece.text)

    def pieces(self, call: Call) -> Iterator[Piece]:
        """Yields the answer in pieces, and at the end why it ended and what it used; errors as in `stream`.

        The request asks the server to count (``stream_options``), and the answer works without counts, too.
        """
        return self._pieces(call, {"stream_options": {"include_usage": True}})

    def _pieces(self, call: Call, options: Mapping[str, Any]) -> Iterator[Piece]:
        said, end, used = False, "", None
        with self._asked(call, stream=True, options=options) as answer:
            for line in answer.lines(_LIMIT):
                if not line.startswith(b"data:"):
                    continue
                data = line.removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    end = end or "stop"
                    break
                piece: _Piece = _decoded(data, _Piece, some=False)
                used = piece.usage or used
                # The last piece may contain only counts of tokens.
                for choice in piece.choices[:1]:
                    end = choice.finish_reason or end
                    if choice.delta.content:
                        said = True
                        yield Piece(text=choice.delta.content)
        if not end:
            raise ServiceError("reading the model's answer", status="(it was cut off)")
        if not said:
            raise _no_text(end)
        counted = Usage(used.prompt_tokens, used.completion_tokens) if used else None
        yield Piece(finish=_FINISHES.get(end, "stop"), usage=counted)

    def delete(self, model: str, endpoint: str) -> None:  # noqa: ARG002
        """Raises `TuningUnavailableError`: the protocol cannot delete models."""
        raise TuningUnavailableError(
            "an OpenAI-compatible server cannot delete models; remove it on the server"
        )

    @contextmanager
    def _asked(
        self, call: Call, *, stream: bool, options: Mapping[str, Any] = MappingProxyType({})
    ) -> Iterator[Answer]:
        key = self._key()
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream" if stream else "application/json",
        }
        if key:
            headers["authorization"] = f"Bearer {key}"
        doing, problem = "asking the model", ""
        try:
            with post(
                f"{self.endpoint}/chat/completions",
                _body(call, stream=stream, options=options),
                headers=headers,
                timeout=self.timeout,
                stream=stream,
                stop=call.stop,
            ) as answer:
                if answer.status != 200:
                    raise _refusal(doing, answer, key)
                yield answer
        except UnansweredError as error:
            problem = error.problem
        if problem:
            raise ServiceError(doing, status=f"({problem})", hint="check that the server is running")

    def _key(self) -> str:
        if self.api_key is None:
            return ""
        key = self.api_key.reveal().strip()
        if not (key.isascii() and key.isprintable()):
            # http.client would quote the whole header in its error.
            raise ConfigError(
                "the key contains characters that a key cannot have; copy it again into api_key="
            )
        return key


def chat_model(
    name: str,
    endpoint: str,
    *,
    api_key: Secret | None = None,
    timeout: float = 120.0,
    temperature: float | None = None,
    max_output_tokens: int | None = None,
    thinking: Mapping[str, Json] | None = None,
) -> TunedModel:
    """Returns a model behind an OpenAI-compatible endpoint, in one step, as a settings file names it.

    Args:
        name: Name under which the server knows the model.
        endpoint: Address up to ``/chat/completions``, such as "http://127.0.0.1:8080/v1".
        api_key: The key, if the server needs one.
        timeout: Seconds to wait for an answer.
        temperature: Sent only if given.
        max_output_tokens: Sent only if given.
        thinking: Further fields of the request, such as ``{"reasoning_effort": "low"}``.

    Raises:
        ConfigError: The endpoint is not an address, or would send the key over a network unencrypted.
    """
    return ChatService(endpoint, api_key=api_key, timeout=timeout).model(
        name, temperature=temperature, max_output_tokens=max_output_tokens, thinking=thinking or {}
    )


def _body(call: Call, *, stream: bool, options: Mapping[str, Any]) -> bytes:
    if taken := sorted(_OWN & call.thinking.keys()):
        raise TuningError(
            f"thinking= must not contain {', '.join(taken)}; these fields have arguments of their own"
        )
    body: dict[str, Any] = {
        "model": call.target,
        **call.fields,
        **options,
        **call.thinking,
        "stream": stream,
    }
    body |= {} if call.temperature is None else {"temperature": call.temperature}
    body |= {} if call.max_output_tokens is None else {"max_tokens": call.max_output_tokens}
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError):
        raise TuningError("thinking= and the settings of the model must be JSON values") from None


def _refusal(doing: str, answer: Answer, key: str) -> ServiceError:
    try:
        found = json.loads(answer.whole(1 << 16))
        error = found.get("error", found)
        said = str(error.get("message", "") if isinstance(error, dict) else error)
    except (ValueError, AttributeError, RecursionError, UnansweredError):
        said = ""
    status, wait = answer.status, _wait(answer.header("retry-after"))
    hints = [_REDIRECTED if 300 <= status < 400 else _HINTS.get(status, "")]
    hints += [f"the server asks to wait {wait:.0f} s"] if wait else []
    return ServiceError(
        doing,
        code=status,
        hint="; ".join(filter(None, hints)),
        said=said.replace(key, "[key]") if key else said,
        wait=wait,
    )


def _wait(header: str) -> float:
    """Returns the seconds of a Retry-After header, which contains a number or a date; 0.0 if it is neither."""
    try:
        return max(0.0, float(header)) if float(header) < float("inf") else 0.0
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or a date without a time zone
        return 0.0


def _decoded(raw: bytes, kind: type[Any], *, some: bool = True) -> Any:
    try:
        found = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError):
        found = None
    if found is None or (some and not found.choices):
        raise ServiceError("reading the model's answer", code=200, hint=_UNKNOWN)
    return found


def _no_text(reason: str | None) -> NoTextError:
    shown = reason if reason in _ENDS else "no reason"
    return NoTextError(
        f"the model gave no text ({shown}); rephrase the question, or raise max_output_tokens if it only thought"
    )
