"""Requests and answers as JSON, in the shapes of OpenAI's service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from attrs import frozen

from furytune.feedback import Verdict
from furytune.records import Finish, Usage

__all__ = [
    "Chat",
    "Feedback",
    "Identity",
    "Message",
    "Question",
    "chunk",
    "completion",
    "counts",
    "encode",
    "event",
]

_FINISHES: dict[Finish, str] = {"stop": "stop", "length": "length", "filter": "content_filter"}

encode = msgspec.json.Encoder().encode
"""Encodes a value as JSON."""


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class Message(msgspec.Struct):
    """A message of a conversation."""

    role: str
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str | None:
        """The text; None if the message contains anything else, such as a picture."""
        if isinstance(self.content, str):
            return self.content
        if not self.content or any(part.type != "text" for part in self.content):
            return None
        return "".join(part.text for part in self.content)


class _Options(msgspec.Struct):
    include_usage: bool | None = None


class _Format(msgspec.Struct):
    type: str


class Chat(msgspec.Struct):
    """A request for a completion. Fields that are not listed here change nothing."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: _Options | None = None
    n: int | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    response_format: _Format | None = None
    logprobs: bool | None = None
    audio: Any = None

    @property
    def unsupported(self) -> str:
        """The first field that wants an answer in a form that the model was not tuned for; "" if there is none."""
        wanted = {
            "n": self.n not in {None, 1},
            "tools": bool(self.tools),
            "functions": bool(self.functions),
            "response_format": self.response_format is not None and self.response_format.type != "text",
            "logprobs": bool(self.logprobs),
            "audio": bool(self.audio),
        }
        return next((name for name, asked in wanted.items() if asked), "")


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """A request for a prompt."""

    question: str
    at: datetime | None = None


class Feedback(msgspec.Struct, forbid_unknown_fields=True):
    """What someone says about an answer.

    Attributes:
        request: Digest of the question.
        verdict: What they say.
        text: The correction, or a comment.
        answer: Id of the completion; without it, the last answer to the question is meant.
        by: Who says it, as the client names its users; "" if unknown.
    """

    request: str
    verdict: Verdict
    text: str | None = None
    answer: str = ""
    by: str = ""


@frozen(kw_only=True)
class Identity:
    """What an answer says about itself.

    Attributes:
        id: Id of the completion.
        created: Unix time in seconds.
        model: The model's name for clients.
        extension: The field ``furytune``.
    """

    id: str
    created: int
    model: str
    extension: Mapping[str, Any]

    def fields(self, kind: str) -> dict[str, Any]:
        """Returns the first fields of an answer."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def completion(identity: Identity, text: str, finish: Finish, usage: Usage | None) -> bytes:
    """Returns a whole answer."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISHES[finish]}
    found = {**identity.fields("chat.completion"), "choices": [choice], "furytune": identity.extension}
    return encode(found | ({"usage": _usage(usage)} if usage else {}))


def chunk(identity: Identity, delta: Mapping[str, str], finish: Finish | None = None) -> bytes:
    """Returns a piece of a stream. The first one, which has a role, carries the field ``furytune``."""
    reason = None if finish is None else _FINISHES[finish]
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    extension = {"furytune": identity.extension} if "role" in delta else {}
    return event({**identity.fields("chat.completion.chunk"), "choices": [choice], **extension})


def counts(identity: Identity, usage: Usage) -> bytes:
    """Returns the piece of a stream that says what the answer used."""
    return event({**identity.fields("chat.completion.chunk"), "choices": [], "usage": _usage(usage)})


def event(value: object) -> bytes:
    """Returns a server-sent event."""
    return b"data: " + encode(value) + b"\n\n"


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }
