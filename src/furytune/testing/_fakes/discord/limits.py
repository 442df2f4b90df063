"""Applies rate limits as Discord does, and notes the requests that broke them.

Source: Discord's documentation, topic "Rate Limits".
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from attrs import define, field, frozen

__all__ = ["Bucket", "Limits", "Refusal", "Scope"]

Scope = Literal["user", "global", "shared"]

_GRACE = 0.05
"""Seconds in which a request and a refusal may cross on the wire."""


@define
class Bucket:
    """The limit of one route with one major parameter.

    Attributes:
        name: Name in the headers; the same for all major parameters.
        limit: Requests allowed within a window.
        remaining: Requests left in the window.
        resets: When the window ends, in seconds of the monotonic clock.
        stopped: Until when it refuses for another reason than its limit.
        scope: The scope of that reason.
        since: When it began to refuse for that reason.
        refused: Number of 429s within the window.
    """

    name: str
    limit: int
    remaining: int
    resets: float
    stopped: float = 0.0
    scope: Scope = "user"
    since: float = 0.0
    refused: int = 0


@frozen
class Refusal:
    """A 429, with its scope and the seconds to wait."""

    scope: Scope
    wait: float

    @property
    def body(self) -> dict[str, Any]:
        """JSON of the answer."""
        what = "The resource is" if self.scope == "shared" else "You are"
        return {
            "message": f"{what} being rate limited.",
            "retry_after": math.ceil(self.wait * 1000) / 1000,
            "global": self.scope == "global",
        }

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer, in addition to the bucket's."""
        found = {"Retry-After": str(math.ceil(self.wait)), "X-RateLimit-Scope": self.scope}
        return found | {"X-RateLimit-Global": "true"} if self.scope == "global" else found


@define
class Limits:
    """Counts requests, refuses those beyond the limit, and notes what a client should not have sent.

    Args:
        limit: Requests that a bucket allows within ``window``.
        window: Length of the window in seconds.
        overall: Requests that a token may make within one second, None for any number.
        routes: Limit and window of single routes.
        skew: Seconds by which the service's clock is ahead.
        clock: Returns the seconds that windows are measured in.
    """

    limit: int = 10_000
    window: float = 1.0
    overall: int | None = None
    routes: dict[str, tuple[int, float]] = field(factory=dict)
    skew: float = 0.0
    clock: Callable[[], float] = time.monotonic
    violations: list[str] = field(factory=list)
    _buckets: dict[tuple[str, str], Bucket] = field(factory=dict)
    _recent: deque[float] = field(factory=deque)
    _everything: Bucket = field(factory=lambda: Bucket("", 0, 0, 0.0))

    def take(self, what: str, route: str, major: str, arrived: float) -> tuple[Bucket, Refusal | None]:
        """Counts a request; returns its bucket, and the refusal if there is one."""
        now = self.clock()
        bucket = self._bucket(route, major, now)
        for stop, scope in ((self._everything, "all requests were"), (bucket, "its bucket was")):
            if now < stop.stopped:
                # A request that was on its way when the limit was set is not the client's fault.
                if arrived > stop.since + _GRACE:
                    self._note(f"{what}: sent while {scope} to wait", stop)
                return bucket, Refusal(stop.scope, stop.stopped - now)
        if bucket.remaining <= 0:
            self._note(f"{what}: sent into an exhausted bucket", bucket)
            return bucket, Refusal("user", bucket.resets - now)
        if self.overall is not None and self._crowded(now):
            self._note(f"{what}: more than {self.overall} requests in a second", self._everything)
            return bucket, self.stop(bucket, "global", 1.0)
        bucket.remaining -= 1
        return bucket, None

    def stop(self, bucket: Bucket, scope: Scope, wait: float) -> Refusal:
        """Makes a bucket refuse for some seconds; for the scope "global", all buckets."""
        stopped = self._everything if scope == "global" else bucket
        stopped.since = self.clock()
        stopped.stopped, stopped.scope, stopped.refused = stopped.since + wait, scope, 1
        # A client may also learn from the bucket's headers, so they must agree with the refusal.
        if scope == "user":
            bucket.remaining, bucket.resets = 0, bucket.stopped
        return Refusal(scope, wait)

    def headers(self, bucket: Bucket) -> dict[str, str]:
        """Returns the headers of every answer about its bucket."""
        left = max(0, math.ceil((bucket.resets - self.clock()) * 1000)) / 1000
        return {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(max(0, bucket.remaining)),
            "X-RateLimit-Reset": f"{time.time() + self.skew + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": bucket.name,
        }

    def _bucket(self, route: str, major: str, now: float) -> Bucket:
        """Returns the bucket of a route, filled again if its window is over."""
        limit, window = self.routes.get(route, (self.limit, self.window))
        bucket = self._buckets.get((route, major))
        if bucket is None:
            # Discord's bucket names are hashes too, and are the same for all channels of a route.
            name = hashlib.md5(route.encode(), usedforsecurity=False).hexdigest()
            bucket = self._buckets[route, major] = Bucket(name, limit, limit, now + window)
        if now >= bucket.resets:
            bucket.remaining, bucket.resets, bucket.refused = limit, now + window, 0
        return bucket

    def _crowded(self, now: float) -> bool:
        """Counts a request of the last second; returns whether there are too many."""
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        self._recent.append(now)
        return self.overall is not None and len(self._recent) > self.overall

    def _note(self, what: str, bucket: Bucket) -> None:
        """Notes what a client should not have sent."""
        bucket.refused += 1
        again = f" (429 number {bucket.refused} of its window)" if bucket.refused > 1 else ""
        self.violations.append(what + again)
