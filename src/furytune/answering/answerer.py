"""Takes questions, whichever door they come through: renders the contract's prompt, notes it, and asks the model."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
from attrs import frozen

from furytune.answering.audit import Entry, Status, note, request_digest
from furytune.answering.current import Current, Served
from furytune.answering.limits import Answers
from furytune.answering.rendering import Renderer
from furytune.answering.settings import AnswerSettings, ModelSource
from furytune.contract import PromptContract
from furytune.models import apieces
from furytune.records import Piece, Prompt

__all__ = ["Answerer", "Asked"]

LOG = logging.getLogger("furytune.answering")
"""Gets kinds of errors, fingerprints and paths. Never a text."""


class Answerer:
    """Answers questions with the contract's prompts.

    Args:
        contract: A contract, or the path of its file, which can then be loaded again.
        model: A model, a function that returns the model for a contract, or None for prompts alone.
        settings: What the operator decided.

    Raises:
        ContractError: The contract cannot be loaded.
        ConfigError: The model is not a model.
    """

    def __init__(
        self,
        contract: PromptContract | str | os.PathLike[str],
        model: ModelSource,
        settings: AnswerSettings | None = None,
    ) -> None:
        self.settings = settings or AnswerSettings()
        self._current = Current(contract, model)
        self._renderer = Renderer(self.settings.threads, self.settings.waiting)
        self._pool = Answers(self.settings.concurrent)

    @property
    def current(self) -> Served:
        """The contract and the model that answer now."""
        return self._current.value

    @property
    def running(self) -> int:
        """How many answers are under way."""
        return self._pool.running

    @property
    def waiting(self) -> int:
        """How many prompts wait to be rendered."""
        return self._renderer.waiting

    async def reload(self) -> Served:
        """Loads the contract file again; answers under way keep the old contract.

        Raises:
            ContractError: The file cannot be loaded; nothing has changed.
            ConfigError: There is no file, or the model belongs to another form of prompts; nothing has changed.
        """
        served = await self._current.reload()
        LOG.info(
            "answering with the contract %s on %s",
            served.contract.fingerprint[:12],
            served.contract.snapshot[:19],
        )
        return served

    async def ask(self, question: str, *, answer_id: str = "", at: datetime | None = None) -> Asked:
        """Renders the prompt of a question that the model will answer, and notes it.

        Args:
            question: The question as the contract takes it: raw, as it was collected for training.
            answer_id: Id of the answer; a random one by default.
            at: The moment of the question; by default now.

        Raises:
            BusyError: Too much is under way.
            EmptyTextError: There is no question.
            TextError: The question contains a damaged character.
            QuestionTooLongError: The question does not fit into a prompt.
            AnswerError: There is no model, or the audit log cannot be written.
            TimeoutError: The prompt took too long.
        """
        served = self.current
        served.answering()
        self._pool.check()  # before the work on the prompt; the pool refuses, too, if another question was faster
        return await self._asked(served, question, answer_id or f"answer-{uuid4().hex}", at, "asked")

    async def render(self, question: str, *, at: datetime | None = None) -> Asked:
        """Renders a prompt that is not sent to the model, and notes it.

        Raises:
            FurytuneError: As `ask`, but no model is needed.
        """
        return await self._asked(self.current, question, f"prompt-{uuid4().hex}", at, "prompt")

    async def _asked(
        self, served: Served, question: str, id_: str, at: datetime | None, status: Status
    ) -> Asked:
        at = at or datetime.now(UTC)
        async with asyncio.timeout(self.settings.timeout):
            prompt = await self._renderer.render(served.contract, question, at)
        entry = Entry(
            id=id_,
            time=at,
            request=request_digest(question),
            prompt=prompt.digest,
            fingerprint=served.contract.fingerprint,
            snapshot=served.contract.snapshot,
            status=status,
        )
        asked = Asked(served=served, prompt=prompt, entry=entry, settings=self.settings, pool=self._pool)
        asked.note(status)
        return asked

    def close(self) -> None:
        """Ends the threads, without waiting for them."""
        self._renderer.close()
        self._pool.shutdown(wait=False, cancel_futures=True)


@frozen(kw_only=True, eq=False)
class Asked:
    """A question with its prompt.

    Attributes:
        served: The contract and the model that it began with.
        prompt: The contract's prompt.
        entry: What the audit log says about it: id, moment and digests.
        settings: What the operator decided.
        pool: Where the model works.
    """

    served: Served
    prompt: Prompt
    entry: Entry
    settings: AnswerSettings
    pool: Executor

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Yields the model's answer in pieces, up to the most characters. Closing it stops the model.

        Raises:
            NoTextError: The model gave no text.
            ServiceError: The model's service refused or did not answer.
            BusyError: Too many answers are under way.
        """
        left, last = self.settings.max_answer, Piece(finish="stop")
        answer = apieces(self.served.answering(), self.prompt, pool=self.pool, tries=self.settings.tries)
        async with aclosing(answer) as pieces:
            async for piece in pieces:
                text = piece.text[:left]
                left -= len(text)
                if text:
                    yield Piece(text=text)
                if piece.finish:
                    last = Piece(finish=piece.finish, usage=piece.usage)
                if len(text) < len(piece.text):
                    last = Piece(finish="length")
                    break
        yield last

    def note(self, status: Status) -> None:
        """Writes a line of the audit log, if there is one.

        Raises:
            AnswerError: It cannot be written.
        """
        if self.settings.audit is not None:
            note(self.settings.audit, msgspec.structs.replace(self.entry, status=status))
