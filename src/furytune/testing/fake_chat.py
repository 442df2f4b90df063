"""A fake OpenAI-compatible server on loopback, for rehearsals without a model and tests over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from furytune.testing._fakes.chat import ChatCompletions
from furytune.testing._fakes.loopback import Fault, Loopback, Mode, Recorded

__all__ = ["FakeChat", "Fault", "Recorded"]


class FakeChat:
    """A server that answers chat completions, as llama.cpp, Ollama and vLLM do.

    Args:
        answer: Returns the answer to the text of the last message.
        model: Name of its model.
        key: The key that it accepts; "" if it needs none.

    Attributes:
        requests: All requests, in order. Their repr does not show what was asked.
        faults: Faults to come, used up in order; see `fail`.

    >>> import furytune as ft
    >>> with FakeChat(lambda text: text.upper()) as server:
    ...     ft.ChatService(server.url).model("fake").generate("hello")
    'HELLO'
    """

    def __init__(self, answer: Callable[[str], str], *, model: str = "fake", key: str = "") -> None:
        self._loopback = Loopback(ChatCompletions(answer=answer, model=model, key=key))
        self.requests = self._loopback.requests
        self.faults = self._loopback.faults

    @property
    def url(self) -> str:
        """The address to pass as the endpoint, such as ``http://127.0.0.1:40000/v1``."""
        return f"{self._loopback.url}/v1"

    def fail(
        self,
        on: str = "",
        status: int = 503,
        *,
        mode: Mode = "status",
        times: int = 1,
        skip: int = 0,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the next matching requests fail.

        Args:
            on: Regular expression that is searched in "METHOD /path".
            status: HTTP status of the answer.
            mode: "status" refuses; "hang up" drops the connection before the request is carried out, "lose the
                answer" after it; "hang" never answers.
            times: How many requests fail.
            skip: How many matching requests succeed first.
            body: JSON of the answer instead of a plain error.
            headers: Further headers of the answer, such as ``{"retry-after": "7"}``.
        """
        self.faults.append(
            Fault(
                on=on,
                mode=mode,
                status=status,
                times=times,
                skip=skip,
                body=body,
                headers=dict(headers or {}),
            )
        )

    def close(self) -> None:
        """Stops the server."""
        self._loopback.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
