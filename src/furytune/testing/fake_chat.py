"""A fake OpenAI-compatible server on loopback, for rehearsals without a model and tests over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from furytune.testing._fakes.chat import ChatCompletions
from furytune.testing._fakes.loopback import Fault, Recorded, Rehearsal

__all__ = ["FakeChat", "Fault", "Recorded"]


class FakeChat(Rehearsal):
    """A server that answers chat completions, as llama.cpp, Ollama and vLLM do.

    Args:
        answer: Returns the answer to the text of the last message, or an iterable of its pieces. A stream sends these as
            they come. If the client disconnects meanwhile, a generator is closed.
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

    def __init__(
        self, answer: Callable[[str], str | Iterable[str]], *, model: str = "fake", key: str = ""
    ) -> None:
        super().__init__(ChatCompletions(answer=answer, model=model, key=key))

    @property
    def url(self) -> str:
        """The address to pass as the endpoint, such as ``http://127.0.0.1:40000/v1``."""
        return f"{super().url}/v1"
