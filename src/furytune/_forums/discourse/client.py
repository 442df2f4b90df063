"""Reads the pages of a Discourse forum as JSON, waits as it asks, and repeats what failed for a moment.

A limit is status 429 with seconds to wait in the header ``Retry-After`` or in the body. Which limits apply is up to the forum:
by default 200 requests in a minute for an address, and 60 for all keys together.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from attrs import define, frozen

from furytune._forums.waiting import SLACK, Wait, gave_up, header_value, pause, seconds
from furytune._network.patience import Patience
from furytune._network.post import Answer, UnansweredError, get
from furytune._privacy.secret import Secret
from furytune.errors import ForumError

__all__ = ["Discourse", "NotThereError"]

_LIMITED = 30.0  # seconds, doubling, if the forum does not say how long
_SLOWER = 1.0  # seconds from one request to the next, once the forum has said that there are too many
_EPOCH = 10**9  # a reset that is larger is a moment, not a span


class NotThereError(Exception):
    """The forum says that this is not there, or is not for this reader.

    Args:
        status: 403, 404 or 410.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@frozen
class _Found:
    value: Any


@define
class Discourse:
    """A connection to a forum.

    Args:
        site: Its address, with its folder if it is in one.
        key: An API key; None to read what everyone can read.
        user: Name of the account that the key is used for; "" if the key belongs to one account.
        patience: How often and how long to try.

    Attributes:
        requests: How many requests were sent.
    """

    site: str
    key: Secret | None
    user: str
    patience: Patience
    requests: int = 0
    _step: float = 0.0
    _next: float = 0.0

    def __attrs_post_init__(self) -> None:
        self._step = 1.0 / self.patience.rate if self.patience.rate else 0.0

    def page(self, path: str, query: Sequence[tuple[str, str]], doing: str) -> Any:
        """Returns a page.

        Args:
            path: Its path, such as "/latest.json".
            query: Names and values of the query.
            doing: What is being done, for errors, such as "listing the categories".

        Raises:
            NotThereError: It is not there, or this reader may not see it.
            ForumError: The forum refused, or did not answer.
        """
        url = f"{self.site}{path}{'?' if query else ''}{urlencode(query)}"
        delays = self.patience.delays()
        limited = _LIMITED
        while True:
            found = self._try(url, doing)
            if isinstance(found, _Found):
                return found.value
            delay = next(delays, None)
            if delay is None:
                raise gave_up(found, self.patience, self.site, doing)
            if found.limited:
                self._step = max(self._step, _SLOWER)
                if found.seconds is None:
                    delay, limited = limited, limited * 2
            span = found.seconds if found.seconds is not None else delay
            pause(span, self.patience, "the forum", doing, found.why)

    def _try(self, url: str, doing: str) -> _Found | Wait:
        early = self._next - time.monotonic()
        if early > 0:
            time.sleep(early)
        self._next = time.monotonic() + self._step
        self.requests += 1
        headers = {"accept": "application/json"}
        if self.key is not None:
            headers["api-key"] = header_value(self.key)
            if self.user:
                headers["api-username"] = self.user
        try:
            with get(url, headers=headers, timeout=self.patience.timeout) as answer:
                raw = answer.whole(self.patience.largest)
        except UnansweredError as error:
            return Wait(None, error.problem)
        finally:
            headers.clear()
        return self._judged(answer, raw, doing)

    def _judged(self, answer: Answer, raw: bytes, doing: str) -> _Found | Wait:
        """Returns what an answer means."""
        status = answer.status
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            said = None
        if status == 429:
            return Wait(_asked(answer, said), "a rate limit", limited=True)
        if status >= 500:
            return Wait(None, str(status))
        # A page of a proxy with the same status is not the forum's word.
        if status in (403, 404, 410) and isinstance(said, dict) and "errors" in said:
            raise NotThereError(status)
        if status != 200:
            raise self.refused(status, doing)
        if not isinstance(said, dict):
            return Wait(None, "an answer that is not a JSON object")
        return _Found(said)

    def refused(self, status: int, doing: str) -> ForumError:
        """Returns the error for a page that the forum does not give."""
        if 300 <= status < 400:
            hint = "it sent a redirect, and no key is sent to another address; give the address that your browser shows in the end"
        elif status in (401, 403):
            hint = (
                "it may not be read with this key; make a read-only key, give user= if it is a key for all users, and check that "
                "site= is its address"
                if self.key is not None
                else "it may not be read without a key; an administrator of the forum can make one"
            )
        elif status in (404, 410):
            hint = "there is no Discourse forum at this address; give the address of its first page, with its folder"
        else:
            hint = "check site=, and run again later"
        return ForumError(f"{doing}: {self.site} refused ({status}); {hint}", status=status)


def _asked(answer: Answer, said: object) -> float | None:
    """Returns how long the forum asks to wait, None if it does not say."""
    wait = seconds(answer.header("retry-after"))
    if wait is None and isinstance(said, dict) and isinstance(said.get("extras"), dict):
        named = said["extras"].get("wait_seconds")
        wait = float(named) if isinstance(named, int | float) and 0 <= named < _EPOCH else None
    if wait is None:
        reset = seconds(answer.header("x-ratelimit-reset"))
        if reset is not None:
            wait = max(0.0, reset - time.time()) + SLACK if reset > _EPOCH else reset
    return wait
