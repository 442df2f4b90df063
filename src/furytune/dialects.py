"""Turns a prompt into each provider's fields. No other module knows them.

The exporter writes ``row(prompt, answer)`` into the training file, and the bot sends
``request(prompt)``. A row is built from the request, so both have the same text by construction.

======================  =======================================================  =================
dialect                 row                                                      system instruction
======================  =======================================================  =================
``gemini``              ``systemInstruction``, ``contents`` (Vertex AI tuning)   a field of its own
``gemini-developer``    ``text_input``, ``output`` (AI Studio)                   before the text
``openai``              ``messages``                                             a message
``trl``                 ``prompt``, ``completion``, both lists of messages       a message
``plain``               ``input``, ``output``                                    before the text
======================  =======================================================  =================

"Before the text" means that one blank line joins the two, because the format has no field for a system instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from attrs import frozen

from furytune.errors import ConfigError
from furytune.records import Prompt

__all__ = ["DIALECTS", "Dialect", "default", "get"]

Wire = dict[str, Any]


@frozen(kw_only=True)
class Dialect:
    """One provider's wire form.

    Attributes:
        name: Key in `DIALECTS`.
        version: Raised whenever a prompt gives other bytes than before; part of the fingerprint.
        request: Body fields of a request with a prompt.
        row: Fields of one training example.
        texts: The texts of a row: everything that the model reads, in order, the answer last.
    """

    name: str
    version: int
    request: Callable[[Prompt], Wire]
    row: Callable[[Prompt, str], Wire]
    texts: Callable[[Mapping[str, Any]], tuple[str, ...]]

    @property
    def joins_system(self) -> bool:
        """True if rows have no field for the system instruction, so that it comes before the text."""
        return len(self.texts(self.row(Prompt(text="t", system="s"), "a"))) == 2


def _joined(prompt: Prompt) -> str:
    return f"{prompt.system}\n\n{prompt.text}" if prompt.system else prompt.text


def _turn(role: str, text: str) -> Wire:
    return {"role": role, "parts": [{"text": text}]}


def _message(role: str, text: str) -> Wire:
    return {"role": role, "content": text}


def _gemini(prompt: Prompt) -> Wire:
    """Returns the request fields of Gemini."""
    contents = {"contents": [_turn("user", prompt.text)]}
    if prompt.system:
        return {"systemInstruction": _turn("system", prompt.system), **contents}
    return contents


def _gemini_row(prompt: Prompt, answer: str) -> Wire:
    """Returns Gemini's training row: the request, with the answer as one more turn."""
    # The row is built from the request, so training and asking cannot differ.
    row = _gemini(prompt)
    row["contents"].append(_turn("model", answer))
    return row


def _gemini_texts(row: Mapping[str, Any]) -> tuple[str, ...]:
    turns = [row["systemInstruction"]] if "systemInstruction" in row else []
    return tuple(part["text"] for turn in [*turns, *row["contents"]] for part in turn["parts"])


def _chat(prompt: Prompt) -> list[Wire]:
    user = _message("user", prompt.text)
    return [_message("system", prompt.system), user] if prompt.system else [user]


def _contents(messages: list[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(m["content"] for m in messages)


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        d.name: d
        for d in (
            Dialect(name="gemini", version=1, request=_gemini, row=_gemini_row, texts=_gemini_texts),
            Dialect(
                name="gemini-developer",
                version=1,
                request=lambda prompt: {"contents": [_turn("user", _joined(prompt))]},
                row=lambda prompt, answer: {"text_input": _joined(prompt), "output": answer},
                texts=lambda row: (row["text_input"], row["output"]),
            ),
            Dialect(
                name="openai",
                version=1,
                request=lambda prompt: {"messages": _chat(prompt)},
                row=lambda prompt, answer: {"messages": [*_chat(prompt), _message("assistant", answer)]},
                texts=lambda row: _contents(row["messages"]),
            ),
            Dialect(
                name="trl",
                version=1,
                request=lambda prompt: {"messages": _chat(prompt)},
                row=lambda prompt, answer: {
                    "prompt": _chat(prompt),
                    "completion": [_message("assistant", answer)],
                },
                texts=lambda row: _contents([*row["prompt"], *row["completion"]]),
            ),
            Dialect(
                name="plain",
                version=1,
                request=lambda prompt: {"input": _joined(prompt)},
                row=lambda prompt, answer: {"input": _joined(prompt), "output": answer},
                texts=lambda row: (row["input"], row["output"]),
            ),
        )
    }
)
"""Every dialect by name, in the order in which `default` prefers them."""


def default(names: Collection[str]) -> str:
    """Returns the dialect of requests if the caller names none.

    Args:
        names: The dialects that a data set was written in.

    Returns:
        The first of them in the order of `DIALECTS`; "gemini" if ``names`` is empty.
    """
    return next((name for name in DIALECTS if name in names), "gemini")


def get(name: str) -> Dialect:
    """Returns the dialect with this name.

    Raises:
        ConfigError: No dialect has this name.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        raise ConfigError(
            f"no dialect is called {name!r}; choose from {', '.join(sorted(DIALECTS))}"
        ) from None
