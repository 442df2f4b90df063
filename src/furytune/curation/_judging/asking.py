"""Asks a model for grades: each pair once, several at a time, and never more often than allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Literal, TypeAlias

from attrs import define, field, frozen

from furytune._network.retries import delays
from furytune._values.canonical import digest, plain
from furytune.curation._judging.prompt import read, render
from furytune.curation.grades import Grade, GradeCache
from furytune.errors import NoTextError, ServiceError, TextError
from furytune.normalize import Normalizer
from furytune.protocols import Model
from furytune.records import Prompt, QAPair

__all__ = ["Asker", "Missing", "Outcome", "Question"]

Missing: TypeAlias = Literal["no_grade", "max_requests"]
Outcome: TypeAlias = "Grade | Missing"

_ANSWERS = 2  # a second answer may be a grade if the first one is not
_TRIES = 5
_PATIENCE = 120.0  # seconds that a service may ask to wait


@frozen
class Question:
    """What the model is asked about a pair.

    Attributes:
        pair: The pair.
        prompt: The prompt.
        key: Identifies pair, prompt and model.
    """

    pair: QAPair = field(repr=False)
    prompt: Prompt
    key: str


class _StoppedError(Exception):
    """Another request failed or the user interrupted, so this one is not repeated."""


class _SpentError(Exception):
    """No further request is allowed."""


@define(eq=False)
class Asker:
    """Asks a model, and remembers what it asked.

    Attributes:
        model: The model.
        project: Name and purpose of the project.
        normalizer: Removes ids of people and secrets from what is sent.
        cache: Stores each grade as soon as it is there.
        most: Most requests in the lifetime of this object; None for no limit.
        workers: Most requests at a time.
        sleep: Waits before a request is repeated; None waits until time has passed or the work has stopped.
    """

    model: Model = field(repr=False)
    project: str
    normalizer: Normalizer
    cache: GradeCache
    most: int | None
    workers: int
    sleep: Callable[[float], object] | None = field(repr=False)
    _sent: int = field(default=0, init=False)
    _ungraded: set[str] = field(factory=set, init=False, repr=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    @property
    def left(self) -> int | None:
        """How many requests are still allowed; None for no limit."""
        return None if self.most is None else self.most - self._sent

    def question(self, pair: QAPair) -> Question | None:
        """Returns what the model is asked about a pair, None if the pair has no text to ask about. Sends nothing."""
        try:
            prompt = render(pair, self.project, self.normalizer)
        except TextError:
            return None
        # The prompt contains the texts and all instructions, so a change of either asks again.
        uid = pair.id.encode("utf-8", "backslashreplace").decode("utf-8")
        return Question(pair, prompt, digest([uid, prompt.digest, plain(self.model.spec)]))

    def known(self, question: Question | None) -> Outcome | None:
        """Returns what is known without a request, None if nothing is."""
        if question is None or question.key in self._ungraded:
            return "no_grade"
        return self.cache.get(question.key)

    def outcomes(self, pairs: Sequence[QAPair]) -> list[Outcome]:
        """Returns the grade of each pair, or why it has no grade.

        Raises:
            ServiceError: The service refused, or did not answer after several tries. Grades that arrived are stored.
            CurationError: A grade cannot be stored.
        """
        questions = [self.question(pair) for pair in pairs]
        found = [self.known(question) for question in questions]
        # The first requests are taken in order, so that the limit leaves out the last pairs.
        asked = {
            n: question
            for n, question in enumerate(questions)
            if question is not None and found[n] is None and self._take()
        }
        answers = self._ask_all(asked) if asked else {}
        return [answers.get(n) or outcome or "max_requests" for n, outcome in enumerate(found)]

    def _ask_all(self, asked: dict[int, Question]) -> dict[int, Outcome]:
        stop = threading.Event()
        with ThreadPoolExecutor(min(self.workers, len(asked)), "judge") as pool:
            waiting = {n: pool.submit(self._outcome, question, stop) for n, question in asked.items()}
            try:
                wait(waiting.values(), return_when=FIRST_EXCEPTION)
            finally:
                # After an error or Ctrl-C, the requests that are under way end, and no further one is made.
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
        errors = [f.exception() for f in waiting.values() if not f.cancelled()]
        for error in errors:
            if error is not None and not isinstance(error, _StoppedError):
                raise error
        return {n: future.result() for n, future in waiting.items()}

    def _outcome(self, question: Question, stop: threading.Event) -> Outcome:
        try:
            return self._asked(question, stop)
        except _SpentError:
            return "max_requests"
        except Exception as error:
            stop.set()  # here, because this thread may begin the next question before anyone looks at the error
            error.add_note(
                f"JudgePairs stopped at the pair {question.pair.id}; all grades so far are in {self.cache.folder}, and the next "
                "run continues there"
            )
            raise

    def _asked(self, question: Question, stop: threading.Event) -> Outcome:
        for answer in range(_ANSWERS):
            if answer and not self._take():
                return "max_requests"
            grade = read(self._answer(question.prompt, stop))
            if grade is not None:
                self.cache.put(
                    question.key,
                    grade,
                    pair=question.pair,
                    prompt=question.prompt.digest,
                    model=str(self.model.spec.get("name", "")),
                )
                return grade
        self._ungraded.add(question.key)
        return "no_grade"

    def _answer(self, prompt: Prompt, stop: threading.Event) -> str:
        """Returns the model's answer, "" if it gives no text."""
        waits, sleep = delays(jitter=0.5), self.sleep or stop.wait
        for n in range(_TRIES):
            if stop.is_set():
                raise _StoppedError
            try:
                return self.model.generate(prompt)
            except NoTextError:
                return ""
            except ServiceError as error:
                if not error.transient or n == _TRIES - 1 or error.wait > _PATIENCE:
                    raise
                pause = max(next(waits), error.wait)
            if not self._take():
                raise _SpentError
            sleep(pause)
        raise AssertionError  # pragma: no cover  (the last try returns or raises)

    def _take(self) -> bool:
        """Counts one more request, if it is allowed."""
        with self._lock:
            if self.most is not None and self._sent >= self.most:
                return False
            self._sent += 1
            return True
