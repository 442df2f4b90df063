"""What Prometheus can read: counts and times, never texts."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from furytune.contract import PromptContract
from furytune.records import Usage

__all__ = ["TEXT", "Metrics"]

TEXT = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The metrics of one endpoint.

    Args:
        running: Returns how many answers are under way.
        waiting: Returns how many prompts wait to be rendered.
    """

    def __init__(self, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        own = self._registry = CollectorRegistry()
        ProcessCollector(registry=own)
        self._requests = Counter("furytune_requests", "Requests.", ["route", "status"], registry=own)
        self._seconds = Histogram(
            "furytune_request_seconds", "Time of a whole request.", ["route"], buckets=_SECONDS, registry=own
        )
        self._first = Histogram(
            "furytune_first_piece_seconds",
            "Time until the model's first piece.",
            buckets=_SECONDS,
            registry=own,
        )
        self._tokens = Counter("furytune_tokens", "Tokens, as the service counts.", ["kind"], registry=own)
        self._ends = Counter("furytune_answers", "Answers by how they ended.", ["end"], registry=own)
        self._contract = Info("furytune_contract", "The contract that answers now.", registry=own)
        Gauge("furytune_answers_running", "Answers under way.", registry=own).set_function(running)
        Gauge("furytune_prompts_waiting", "Prompts that wait.", registry=own).set_function(waiting)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def first_piece(self, seconds: float) -> None:
        """Notes how long the model took to begin."""
        self._first.observe(seconds)

    def answer(self, end: str, usage: Usage | None) -> None:
        """Counts an answer."""
        self._ends.labels(end).inc()
        if usage is not None:
            self._tokens.labels("prompt").inc(usage.prompt)
            self._tokens.labels("completion").inc(usage.completion)

    def contract(self, contract: PromptContract) -> None:
        """Notes the contract that answers now."""
        self._contract.info({"fingerprint": contract.fingerprint, "snapshot": contract.snapshot})

    def text(self) -> bytes:
        """Returns all metrics."""
        return generate_latest(self._registry)
