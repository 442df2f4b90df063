"""Rate limits as the service keeps them, and what a client did against them."""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from typing import Any

from attrs import define, field

__all__ = ["Bucket", "Limits", "Refusal"]

_VIA = "1.1 google"


@define
class Bucket:
    """One route with one major parameter: so many requests within a window."""

    name: str
    remaining: int
    resets: float
    limit: int
    told: int = 0
    scope: str = "user"


@define
class Refusal:
    """A 429: how long to wait, and who is meant."""

    scope: str
    wait: float

    @property
    def body(self) -> dict[str, Any]:
        """What the service says."""
        whole = self.scope == "global"
        text = "You are being rate limited."
        if self.scope == "shared":
            text = "The resource is being rate limited."
        return {"message": text, "retry_after": round(self.wait, 3), "global": whole}

    def headers(self) -> dict[str, str]:
        """Headers of the answer besides those of the bucket."""
        found = {"Via": _VIA, "Retry-After": str(math.ceil(self.wait)), "X-RateLimit-Scope": self.scope}
        if self.scope == "global":
            found["X-RateLimit-Global"] = "true"
        return found


@define
class Limits:
    """Counts requests, refuses those beyond the limit, and notes them as violations.

    Args:
        limit: Requests of a bucket within ``window``.
        window: Seconds.
        overall: Requests of a token within one second, None for any number.
        routes: Limits of single routes, such as ``{"/channels/{channel}/messages": (5, 1.0)}``.
    """

    limit: int = 10_000
    window: float = 1.0
    overall: int | None = None
    routes: dict[str, tuple[int, float]] = field(factory=dict)
    violations: list[str] = field(factory=list)
    _buckets: dict[tuple[str, str], Bucket] = field(factory=dict)
    _recent: deque[float] = field(factory=deque)
    _stopped: float = 0.0
    _told: int = 0

    def take(self, method: str, route: str, major: str) -> tuple[Bucket, Refusal | None]:
        """Counts a request; returns its bucket, and why it is refused."""
        now = time.monotonic()
        bucket = self._bucket(method, route, major, now)
        if now < self._stopped:
            self._told += 1
            self._note(f"{method} {route} ({major}): sent while all requests were to wait", self._told)
            return bucket, Refusal("global", self._stopped - now)
        if bucket.remaining <= 0:
            bucket.told += 1
            self._note(f"{method} {route} ({major}): sent into an exhausted bucket", bucket.told)
            return bucket, Refusal(bucket.scope, bucket.resets - now)
        if self.overall is not None and self._crowded(now):
            self.stop_all(1.0)
            self._note(f"{method} {route} ({major}): more than {self.overall} requests in a second", 1)
            return bucket, Refusal("global", 1.0)
        bucket.remaining -= 1
        return bucket, None

    def exhaust(self, bucket: Bucket, scope: str, wait: float) -> Refusal:
        """Has a bucket refuse for some time, through no fault of the client."""
        if scope == "global":
            self.stop_all(wait)
        else:
            bucket.remaining, bucket.scope, bucket.told = 0, scope, 1
            bucket.resets = time.monotonic() + wait
        return Refusal(scope, wait)

    def stop_all(self, wait: float) -> None:
        """Has every request refused for some time."""
        self._stopped, self._told = time.monotonic() + wait, 1

    def headers(self, bucket: Bucket) -> dict[str, str]:
        """What every answer tells about its bucket."""
        left = max(0.0, math.ceil((bucket.resets - time.monotonic()) * 1000) / 1000)
        return {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(max(0, bucket.remaining)),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": bucket.name,
            "Via": _VIA,
        }

    def _bucket(self, method: str, route: str, major: str, now: float) -> Bucket:
        limit, window = self.routes.get(route, (self.limit, self.window))
        key = (f"{method} {route}", major)
        bucket = self._buckets.get(key)
        if bucket is None or now >= bucket.resets:
            name = hashlib.md5(key[0].encode(), usedforsecurity=False).hexdigest()
            bucket = self._buckets[key] = Bucket(name, limit, now + window, limit)
        return bucket

    def _crowded(self, now: float) -> bool:
        assert self.overall is not None
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        if len(self._recent) >= self.overall:
            return True
        self._recent.append(now)
        return False

    def _note(self, what: str, told: int) -> None:
        self.violations.append(what)
        if told > 1:
            self.violations.append(f"{what}: the {told}. 429 of one window")
