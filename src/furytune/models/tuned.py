"""A model that answers: the tuned one, or the base model it is compared with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime

import attrs
from attrs import field, frozen

from furytune import dialects
from furytune._network.stop import Stop
from furytune._values.canonical import Json
from furytune.contract import PromptContract
from furytune.errors import ConfigError, NoTextError, StoppedError, TuningError, TuningUnavailableError
from furytune.models.service import Call, ModelService, Permission, Role, Sharing, Telling
from furytune.records import Piece, Prompt

__all__ = ["TunedModel"]


@frozen(kw_only=True)
class TunedModel:
    """Asks a model through the prompt contract it was trained with.

    `GeminiTuner.tuned` returns it for a tuned model, `GeminiTuner.base_model` for a model that was not tuned.

    Attributes:
        target: An endpoint, or the name of a model. It also says at which location the model is called.
        model: Resource of the tuned model; "" for a base model.
        contract: Renders the prompts; None if only `generate` is used.
        temperature: Sent only if given: some models refuse it, and tuned models work best without it.
        max_output_tokens: Sent only if given.
        thinking: How the model thinks, in the service's own fields: ``thinkingConfig`` of Gemini, fields of the request for
            `ChatService`. By default the lowest known setting of the model; {} sends none.
    """

    target: str
    model: str = ""
    contract: PromptContract | None = field(default=None, repr=False)
    temperature: float | None = None
    max_output_tokens: int | None = None
    thinking: Mapping[str, Json] = field(factory=dict)
    _backend: ModelService = field(repr=False)

    def __attrs_post_init__(self) -> None:
        # A model only answers well in the form that it was trained on, so another dialect is refused at once.
        if self.contract is not None and self._backend.dialect not in self.contract.dialects:
            known = ", ".join(self.contract.dialects) or "none"
            raise ConfigError(
                f"the contract does not have the dialect {self._backend.dialect!r} (it has {known}), so its rows had another "
                f"shape; export with JsonlExporter(..., dialect={self._backend.dialect!r})"
            )

    @property
    def spec(self) -> Mapping[str, Json]:
        """The model's "name", the dialect of its requests, and each setting that is sent."""
        settings: dict[str, Json] = {
            "model": self.model,
            "temperature": self.temperature,
            "max_output_tokens": self.max_output_tokens,
            "thinking": dict(self.thinking),
        }
        sent = {name: value for name, value in settings.items() if value not in (None, "", {})}
        return {"name": self.target, "dialect": self._backend.dialect, **sent}

    def ask(self, question: str, *, at: datetime | None = None) -> str:
        """Renders the prompt for a question as in training, and returns the answer.

        Args:
            question: The question as the user wrote it.
            at: When it was asked; None means now.

        Raises:
            ServiceError: The service refused or did not answer; ``transient`` says whether asking again can
                help.
            NoTextError: The model gave no text.
            TextError: The question is empty (`EmptyTextError`) or damaged.
            QuestionTooLongError: It exceeds the token budget.
        """
        return self.generate(self._render(question, at))

    async def aask(self, question: str, *, at: datetime | None = None) -> str:
        """Does what `ask` does, without blocking the event loop."""
        # The SDKs have no common asynchronous interface; a thread does not block the bot's event loop.
        return await asyncio.to_thread(self.ask, question, at=at)

    def generate(self, prompt: Prompt | str) -> str:
        """Returns the answer to a prompt that is already rendered.

        Args:
            prompt: A prompt from ``contract.prompt``. A plain text is sent unchanged, without a system instruction.

        Raises:
            ServiceError: The service refused or did not answer.
            NoTextError: The model gave no text.
        """
        return self._backend.generate(self._call(prompt))

    async def agenerate(self, prompt: Prompt | str) -> str:
        """Does what `generate` does, without blocking the event loop."""
        return await asyncio.to_thread(self.generate, prompt)

    def stream(self, prompt: Prompt | str) -> Iterator[str]:
        """Yields the answer to a rendered prompt in pieces, as they arrive.

        Raises:
            ServiceError: The service refused or did not answer, perhaps after some pieces arrived.
        """
        return self._backend.stream(self._call(prompt))

    def pieces(self, prompt: Prompt | str, *, stop: Stop | None = None) -> Iterator[Piece]:
        """Yields the answer to a rendered prompt as it arrives, and at the end why it ended and what it used.

        Args:
            prompt: A prompt from ``contract.prompt``. A plain text is sent unchanged, without a system instruction.
            stop: Ends the answer when another thread sets it. `ChatService` closes the connection at once. Gemini's SDKs
                cannot be interrupted: there, the answer ends before its next piece.

        Raises:
            ServiceError: The service refused or did not answer, perhaps after some pieces arrived.
            NoTextError: The model gave no text.
            StoppedError: ``stop`` was set.
        """
        stop = stop or Stop()
        call = attrs.evolve(self._call(prompt), stop=stop)
        service: object = self._backend
        pieces = service.pieces(call) if isinstance(service, Telling) else _told(self._backend.stream(call))
        try:
            for piece in pieces:
                if stop.is_set:
                    break
                yield piece
        except TuningError:
            # An answer that is cut off because it is no longer wanted is not a fault of the service.
            if not stop.is_set:
                raise
        if stop.is_set:
            raise StoppedError("the answer was stopped before its end")

    def share(self, grantee: str = "everyone", role: Role = "reader") -> Permission:
        """Lets someone use the model.

        Args:
            grantee: "everyone", "user:MAIL" or "group:MAIL".
            role: "reader" may ask; "writer" may also change the model.

        Raises:
            TuningUnavailableError: The service has no such permissions; the message says how access works there.
            TuningError: This is a base model.
            ConfigError: The grantee is malformed.
        """
        kind, _, mail = grantee.partition(":")
        if not (grantee == "everyone" or (kind in {"user", "group"} and "@" in mail)):
            raise ConfigError("the grantee must be 'everyone', 'user:MAIL' or 'group:MAIL'")
        return self._sharing().share(self._own(), grantee, role)

    def permissions(self) -> tuple[Permission, ...]:
        """Lists who may use the model.

        Raises:
            TuningUnavailableError: The service keeps no such list.
        """
        return self._sharing().permissions(self._own())

    def revoke(self, permission: Permission) -> None:
        """Revokes a permission.

        Raises:
            TuningUnavailableError: The service has no such permissions.
        """
        self._sharing().revoke(permission.name)

    def transfer(self, mail: str) -> None:
        """Makes someone else the owner.

        Raises:
            TuningUnavailableError: The service cannot transfer models.
        """
        self._sharing().transfer(self._own(), mail)

    def delete(self) -> None:
        """Deletes the tuned model for good.

        Raises:
            ServiceError: The service refused.
        """
        self._backend.delete(self._own(), self.target)

    def _sharing(self) -> Sharing:
        """Returns the service as one that shares models.

        Raises:
            TuningUnavailableError: The service shares nothing by model.
            TuningError: It is a base model.
        """
        self._own()  # of a base model there is nothing to share, whatever the service offers
        service: object = self._backend
        if not isinstance(service, Sharing):
            raise TuningUnavailableError(self._backend.access)
        return service

    def _own(self) -> str:
        """Returns the name of the tuned model.

        Raises:
            TuningError: It is a base model.
        """
        if not self.model:
            raise TuningError(
                f"{self.target} is a base model of the service; you can only share and delete models that you tuned"
            )
        return self.model

    def _render(self, question: str, at: datetime | None) -> Prompt:
        """Renders a question with the contract.

        Raises:
            ConfigError: There is no contract.
        """
        if self.contract is None:
            raise ConfigError(
                "asking a question needs a contract; give base_model() the bot's contract, or use generate()"
            )
        return self.contract.prompt(question, at=at)

    def _call(self, prompt: Prompt | str) -> Call:
        """Returns the request for a prompt."""
        rendered = prompt if isinstance(prompt, Prompt) else Prompt(text=prompt)
        return Call(
            target=self.target,
            fields=dialects.get(self._backend.dialect).request(rendered),
            temperature=self.temperature,
            max_output_tokens=self.max_output_tokens,
            thinking=self.thinking,
        )


def _told(texts: Iterator[str]) -> Iterator[Piece]:
    """Yields the pieces of a service that does not say why an answer ended."""
    said = False
    for text in texts:
        said = said or bool(text.strip())
        yield Piece(text=text)
    if not said:
        raise NoTextError("the model gave no text; ask again, or rephrase the question")
    yield Piece(finish="stop")
