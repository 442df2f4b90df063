"""Starts and stops the review page."""

from __future__ import annotations

import os
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from furytune.errors import ConfigError
from furytune.pipeline import Pipeline
from furytune.review.decision import checked_line
from furytune.review.decisions import Decisions
from furytune.review_page.desk import Desk
from furytune.review_page.guard import Guard
from furytune.review_page.http import handler

__all__ = ["ReviewPage"]

_HOST: Final = "127.0.0.1"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows, this would let another program take the port.
    allow_reuse_address = os.name != "nt"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a browser that goes away in the middle of an answer is not a fault."""


class ReviewPage:
    """A page on this machine on which a person reviews the pairs of a pipeline, with keys for everything.

    Shows each pair as the model would learn it if it is accepted, with secrets redacted, and records each decision at once.
    Use it in a ``with`` block, and open `url` in a browser::

        with ft.ReviewPage(pipeline, by="anna") as page:
            print(page.url)
            page.wait()

    Only this machine can reach the page, and only a browser that opened `url` can read it or decide.

    Args:
        pipeline: Where the pairs come from. All its steps apply; it exports and tunes nothing.
        decisions: Where decisions are recorded. None means the step `Decisions` of the pipeline.
        by: Name of the reviewer: a pseudonym, or any name.
        near: Pairs with this confidence are the most doubtful, and come first: 0.5, or the threshold of `MinConfidence`.
        port: The port; 0 chooses a free one.

    Raises:
        ConfigError: There is not exactly one file of decisions, or an argument does not fit.
        SourceError: The pairs cannot be collected, or the decisions cannot be read.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        decisions: Decisions | None = None,
        *,
        by: str = "",
        near: float = 0.5,
        port: int = 0,
    ) -> None:
        if not isinstance(pipeline, Pipeline):
            raise ConfigError(f"a review page needs a Pipeline, not a {type(pipeline).__name__}")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
            raise ConfigError("port must be a number between 0 and 65535")
        if decisions is None:
            decisions = _only(pipeline)
        decisions.since(0)  # needs one file that can be read
        self._decisions = decisions
        self._desk = Desk(pipeline, decisions, by=checked_line(by, "by"), near=near)
        try:
            self._server = _Server((_HOST, port), None)  # type: ignore[arg-type]
        except OSError as error:
            self._desk.stop()
            raise ConfigError(
                f"port {port} cannot be used ({error.strerror or type(error).__name__}); give another one, or 0"
            ) from None
        self._guard = Guard(self._server.server_port)
        self._server.RequestHandlerClass = handler(self._desk, self._guard)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="furytune-review",
            daemon=True,
        )
        self._thread.start()

    @property
    def decisions(self) -> Decisions:
        """Where decisions are recorded."""
        return self._decisions

    @property
    def url(self) -> str:
        """The address to open. It works once; ask for it again to open the page in another browser."""
        # Browsers do not send what follows "#", so the token is in no log and no referrer.
        return f"{self._guard.origin}/#{self._guard.token()}"

    def wait(self) -> None:
        """Returns when the page is closed, or when someone presses Ctrl-C."""
        try:
            while self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            pass

    def settle(self) -> None:
        """Waits until the messages around the pairs are read, which happens in the background."""
        self._desk.settle()

    def close(self) -> None:
        """Stops serving. Each decision that the page shows as saved is on disk."""
        self._guard.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._desk.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _only(pipeline: Pipeline) -> Decisions:
    found = [step for step in pipeline.curators if isinstance(step, Decisions)]
    if len(found) != 1:
        raise ConfigError(
            "the pipeline must have one step Decisions, such as curators=[Decisions('review.jsonl')]; "
            "or give decisions="
        )
    return found[0]
