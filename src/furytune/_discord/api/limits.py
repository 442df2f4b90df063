"""Guards every request that discord.py really sends.

discord.py keeps the limits of each route. But it learns the limit of all routes together only by exceeding it, keeps
sending after a 401, mistakes a banned address for a busy route, waits up to 25 s after an answer 500 with no way to
limit that, and reads bodies of any size. aiohttp calls its trace signals for every single request, including
discord.py's own retries, and an exception in one of them ends the request.
"""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import define, evolve

from furytune._discord.api.background import LOG
from furytune._discord.api.bodies import Content
from furytune._discord.api.failures import (
    BANNED,
    REFUSED_TOKEN,
    TOO_MANY_INVALID,
    Verdict,
    told_to_wait,
)
from furytune._discord.api.pacing import InvalidAnswers, Pace
from furytune._network.bodies import ACCEPTED, BodyError
from furytune._network.patience import Patience
from furytune.errors import DiscordError

__all__ = ["Attempt", "Guard", "Refused"]

_MARGIN = 0.05

_TOLD = 5.0  # waits longer than this many seconds are logged


class Refused(Exception):  # noqa: N818  (never seen outside)
    """Ends a request from inside; it never leaves the session.

    Args:
        verdict: The reason.
        request: Method and path.
    """

    def __init__(self, verdict: Verdict, request: str = "") -> None:
        super().__init__(verdict.problem)
        self.verdict = verdict
        self.request = request

    def error(self) -> DiscordError:
        """Returns the error for the caller of the session."""
        return self.verdict.error(self.request)


@define
class Attempt:
    """The state of one request, passed along with it.

    Attributes:
        bucket: Route and major parameter.
        limit: The time limit; starts when the request is sent, and ends when its answer is read.
        sent: How often the request was sent.
    """

    bucket: str
    limit: asyncio.Timeout
    sent: int = 0


class Guard:
    """Counts, paces and, if necessary, ends the requests of one session.

    Args:
        patience: The limits.

    Attributes:
        requests: How many requests were sent.
        stopped: Why no further request may be sent, or None.
        ahead: Seconds by which Discord's clock is ahead of this machine's, by the ``Date`` of the first answer; 0 before
            that.
    """

    def __init__(self, patience: Patience) -> None:
        self.requests = 0
        self.stopped: Verdict | None = None
        self.ahead = 0.0
        self._timed = False
        self._patience = patience
        self._pace = Pace(patience.rate, patience.burst)
        self._invalid = InvalidAnswers(patience.invalid)

    def trace(self) -> Any:
        """Returns aiohttp's ``TraceConfig`` that calls this guard."""
        import aiohttp

        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._on_start)
        trace.on_request_headers_sent.append(self._on_sending)
        trace.on_request_end.append(self._on_answer)
        trace.on_response_chunk_received.append(self._on_read)
        return trace

    def check(self) -> None:
        """Checks that another request may be made.

        Raises:
            Refused: No further request may be made.
        """
        if self.stopped is not None:
            raise Refused(self.stopped)

    def _stop(self, verdict: Verdict) -> None:
        """Ends this request and all later ones of the session."""
        # The first reason stays: later requests fail only because of it, and would hide the cause.
        self.stopped = self.stopped or verdict
        self.check()

    async def _on_start(self, _session: Any, context: Any, params: Any) -> None:
        """Runs before a request is sent: waits for its turn, and starts its time limit."""
        attempt: Attempt = context.trace_request_ctx
        self.check()
        # aiohttp also offers brotli and zstd if they are installed; the guard can only unpack some encodings
        # in bounded memory.
        params.headers["Accept-Encoding"] = ACCEPTED
        await self._pace.wait(attempt.bucket)
        attempt.sent = 0
        # The time starts after the pacing, so that a long queue does not look like a slow answer.
        attempt.limit.reschedule(asyncio.get_running_loop().time() + self._patience.timeout)

    async def _on_sending(self, _session: Any, context: Any, _params: Any) -> None:
        """Runs when the headers go out, also for a request that aiohttp repeats by itself."""
        attempt: Attempt = context.trace_request_ctx
        if attempt.sent:  # aiohttp repeats a request once by itself if the connection broke
            await self._pace.wait(attempt.bucket)
        # Check just before the first byte: the token may have been refused while this request was connecting.
        self.check()
        attempt.sent += 1
        self.requests += 1

    async def _on_read(self, _session: Any, context: Any, _params: Any) -> None:
        """Runs for each piece of an answer that arrives."""
        # Lift the limit: from here on, discord.py may wait for its bucket to refill, and that is not a slow answer.
        attempt: Attempt = context.trace_request_ctx
        if not attempt.limit.expired():
            attempt.limit.reschedule(None)

    async def _on_answer(self, _session: Any, context: Any, params: Any) -> None:
        """Runs when the headers of an answer are there, before discord.py sees it."""
        response = params.response
        try:
            self._judge(response.status, response.headers, context.trace_request_ctx.bucket)
            response.content = Content(response, self._patience.largest)
        except (Refused, BodyError):
            response.close()
            raise

    def _judge(self, status: int, headers: Any, bucket: str) -> None:
        """Decides what an answer means for this request and for those that follow.

        Args:
            status: The answer's HTTP status.
            headers: Its headers.
            bucket: The bucket of the request, for limits that are not global.

        Raises:
            Refused: The answer must not be used, or no further request may be made.
        """
        now = asyncio.get_running_loop().time()
        self._compare_clocks(headers)
        if status == 401:
            self._stop(REFUSED_TOKEN)
        # Discord's API sets Via and answers in JSON. Anything else comes from Cloudflare, where each further
        # request makes the ban longer.
        if status == 429 and (not headers.get("Via") or "json" not in headers.get("Content-Type", "")):
            self._stop(BANNED)
        # Discord does not count answers of a shared limit towards the ban, see "Invalid Request Limit" in its
        # reference.
        shared = headers.get("X-RateLimit-Scope") == "shared"
        if status in {403, 429} and not shared and self._invalid.add(now):
            self._stop(evolve(TOO_MANY_INVALID, status=status))
        wait = _seconds(headers, "Retry-After")
        if status == 429:
            if _is_global(headers):
                self._pace.slow()
            self._hold("" if _is_global(headers) else bucket, wait)
        elif status >= 500:
            # After an error of the server, all requests wait: the whole service may be overloaded.
            self._hold("", 0.0 if wait <= self._patience.longest_wait else wait)
            raise Refused(Verdict(problem=f"Discord answered {status}", status=status, again=True, wait=wait))
        elif headers.get("X-RateLimit-Remaining") == "0":
            # This answer is good, so it is used; only the next request has to wait.
            reset = _seconds(headers, "X-RateLimit-Reset-After")
            if reset > self._patience.longest_wait:
                self.stopped = self.stopped or told_to_wait(reset)
            elif reset > 0:
                # discord.py waits exactly as long as the header says, but the header is rounded.
                self._keep_quiet(bucket, reset + _MARGIN)

    def _compare_clocks(self, headers: Any) -> None:
        """Notes how far Discord's clock is ahead, from the first answer that has a date."""
        # The first answer is enough, and comparing each answer would let a slow one move the clock.
        if self._timed:
            return
        try:
            self.ahead = parsedate_to_datetime(headers.get("Date", "")).timestamp() - time.time()
        except (ValueError, OverflowError):  # without a date, rely on this machine's clock
            return
        self._timed = True

    def _hold(self, bucket: str, seconds: float) -> None:
        """Holds requests back, or ends the session if the wait is longer than its patience."""
        if seconds > self._patience.longest_wait:
            self._stop(told_to_wait(seconds))
        self._keep_quiet(bucket, seconds)

    def _keep_quiet(self, bucket: str, seconds: float) -> None:
        """Holds requests back for some seconds, and logs longer waits."""
        if seconds > _TOLD:
            of_bucket = f" of {bucket}" if bucket else ""
            LOG.info("Discord asks to wait %.0f s before the next request%s", seconds, of_bucket)
        if seconds > 0:
            self._pace.hold(bucket, seconds)


def _is_global(headers: Any) -> bool:
    return "X-RateLimit-Global" in headers or headers.get("X-RateLimit-Scope") == "global"


def _seconds(headers: Any, name: str) -> float:
    """Returns a header that counts seconds; 0 if it is missing or not a number."""
    try:
        return max(0.0, float(headers.get(name, "0")))
    except ValueError:
        return 0.0
