"""What an operator decides about answers, whichever door the questions come through."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

from attrs import field, frozen

from furytune.answering.text import Hosts
from furytune.contract import PromptContract
from furytune.errors import ConfigError
from furytune.feedback import FeedbackLog
from furytune.protocols import Model

__all__ = ["AnswerSettings", "ModelSource", "one_of", "within"]

ModelSource: TypeAlias = Model | Callable[[PromptContract], Model] | None
"""A model, a function that returns the model for a contract, or None for prompts alone."""


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _hosts(values: Iterable[str]) -> tuple[str, ...]:
    Hosts.of(values)  # raises if one cannot be the name of a host
    return tuple(values)


def within(least: float, most: float) -> Any:
    """Returns a validator of numbers from ``least`` to ``most``; whole ones if ``least`` is whole."""

    def check(_: object, attribute: Any, value: float) -> None:
        number = isinstance(value, int if isinstance(least, int) else int | float)
        if isinstance(value, bool) or not number or not least <= value <= most:
            raise ConfigError(f"{attribute.name} must be a number from {least} to {most}")

    return check


def one_of(*words: str) -> Any:
    """Returns a validator of texts that are one of these words."""

    def check(_: object, attribute: Any, value: str) -> None:
        if value not in words:
            raise ConfigError(f"{attribute.name} must be one of {', '.join(words)}")

    return check


@frozen(kw_only=True)
class AnswerSettings:
    """What an operator decides about answers. The contract decides everything about prompts.

    Attributes:
        concurrent: Answers under way at once. Each has a thread. Further questions are refused.
        threads: Threads that render prompts.
        waiting: Prompts that wait to be rendered. Further questions are refused.
        timeout: Seconds for a whole answer.
        tries: How often the model is asked if its service fails in a way that may pass.
        max_answer: Most characters of an answer; a longer one ends there with the reason "length".
        clean: Whether answers are cleaned with `furytune.answering.text.safe`: of links to other hosts, mentions, HTML, and
            characters that show nothing.
        links: Hosts that answers may link to, besides those of the passages in the prompt, such as "fury.gl" or ``*.fury.gl``;
            ``*`` stands for every host.
        audit: File for a line of digests about each prompt; None for no such file. Without the line, there is no answer.
        feedback: File for what people say about answers, see `furytune.FeedbackLog`; None if no one is asked.
        keep_texts: Whether that file also has questions and answers, without which no pair can be made of them. Tell the
            people who ask.

    Raises:
        ConfigError: A value cannot be used.
    """

    concurrent: int = field(default=16, validator=within(1, 1024))
    threads: int = field(default=2, validator=within(1, 64))
    waiting: int = field(default=256, validator=within(1, 100_000))
    timeout: float = field(default=120.0, validator=within(0.01, 3600.0))
    tries: int = field(default=2, validator=within(1, 10))
    max_answer: int = field(default=200_000, validator=within(1, 10_000_000))
    clean: bool = True
    links: tuple[str, ...] = field(default=(), converter=_hosts)
    audit: Path | None = field(default=None, converter=_path)
    feedback: Path | None = field(default=None, converter=_path)
    keep_texts: bool = False

    def log(self) -> FeedbackLog | None:
        """Returns the log of feedback; None if no one is asked."""
        return None if self.feedback is None else FeedbackLog(self.feedback, keep_texts=self.keep_texts)
