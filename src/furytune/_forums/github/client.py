"""Sends queries to GitHub, waits as it asks, and repeats what failed for a moment.

The rules are those of GitHub's documentation, "Rate limits and query limits for the GraphQL API": a primary limit answers with
status 200 and no points left until a time, a secondary one with 200, 403 or 429, and perhaps with seconds to wait.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from furytune._forums.waiting import SLACK, Wait, gave_up, header_value, pause, seconds
from furytune._network.patience import Patience
from furytune._network.post import Answer, UnansweredError, post
from furytune._privacy.secret import Secret
from furytune.errors import ForumError

__all__ = ["ENDPOINT", "CursorError", "GitHub", "Result", "TooMuchError"]

ENDPOINT = "https://api.github.com/graphql"

_WORD = re.compile(r"[A-Za-z_]{1,60}")
_SECONDARY = 60.0  # seconds, doubling, if GitHub does not say how long


class TooMuchError(Exception):
    """GitHub gave up on a query, perhaps because it asks for too much. A smaller one may work."""


class CursorError(Exception):
    """GitHub no longer knows the place where a page ended. Begin again with the first page."""


@frozen
class Result:
    """The answer to a query.

    Attributes:
        data: What was found.
        errors: The kind of each error, such as "NOT_FOUND", with the alias that it is about.
    """

    data: Mapping[str, Any] = field(repr=False)
    errors: tuple[tuple[str, str], ...] = ()

    def has(self, kind: str) -> bool:
        """Returns True if an error of this kind is among the errors."""
        return any(found == kind for found, _ in self.errors)


@define
class GitHub:
    """A connection to GitHub's GraphQL API.

    Args:
        token: The token.
        endpoint: Address of the API.
        patience: How often and how long to try.

    Attributes:
        requests: How many requests were sent.
        points: How many points they cost.
    """

    token: Secret
    endpoint: str
    patience: Patience
    requests: int = 0
    points: int = 0
    _until: float = 0.0

    def ask(self, query: str, variables: Mapping[str, Any], doing: str) -> Result:
        """Sends a query, as often as it takes.

        Args:
            query: The query.
            variables: Its variables.
            doing: What is being done, for errors, such as "listing the categories".

        Raises:
            TooMuchError: GitHub answered three times that it could not finish.
            CursorError: A cursor among the variables is not valid any more.
            ForumError: GitHub refused, or did not answer.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        delays = self.patience.delays()
        secondary, unfinished = _SECONDARY, 0
        while True:
            self._hold(doing)
            found = self._try(body, doing)
            if isinstance(found, Result):
                return found
            if found.why in ("502", "504") and not found.limited:
                unfinished += 1
                if unfinished == 3:
                    raise TooMuchError
            delay = next(delays, None)
            if delay is None:
                raise gave_up(found, self.patience, "GitHub", doing)
            if found.limited and found.seconds is None:
                delay, secondary = secondary, secondary * 2
            pause(
                found.seconds if found.seconds is not None else delay,
                self.patience,
                "GitHub",
                doing,
                found.why,
            )

    def _try(self, body: bytes, doing: str) -> Result | Wait:
        self.requests += 1
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "authorization": f"bearer {header_value(self.token)}",
        }
        try:
            with post(self.endpoint, body, headers=headers, timeout=self.patience.timeout) as answer:
                raw = answer.whole(self.patience.largest)
        except UnansweredError as error:
            return Wait(None, error.problem)
        finally:
            headers.clear()
        return self._judged(answer, raw, doing)

    def _judged(self, answer: Answer, raw: bytes, doing: str) -> Result | Wait:
        """Returns what an answer means."""
        status = answer.status
        wait = seconds(answer.header("retry-after"))
        reset = seconds(answer.header("x-ratelimit-reset"))
        empty = answer.header("x-ratelimit-remaining") == "0"
        until = None if reset is None else max(0.0, reset - time.time()) + SLACK
        if status == 429 or (status in (200, 403) and wait is not None):
            return Wait(wait if wait is not None else until if empty else None, "a rate limit", limited=True)
        if status == 403 and empty:
            return Wait(until, "a rate limit", limited=True)
        if status == 403 and b"secondary rate limit" in raw:
            return Wait(None, "a rate limit", limited=True)
        if status >= 500:
            return Wait(None, str(status))
        if status != 200:
            raise _refused(status, doing)
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            return Wait(None, "an answer that is not JSON")
        if not isinstance(said, dict):
            return Wait(None, "an answer that is not an object")
        errors = tuple(_errors(said.get("errors")))
        if any(kind == "RATE_LIMITED" for kind, _ in errors):
            return Wait(until, "a rate limit", limited=True)
        if errors and b"secondary rate limit" in raw:
            return Wait(until if empty else None, "a rate limit", limited=True)
        if any(kind == "INVALID_CURSOR_ARGUMENTS" for kind, _ in errors):
            raise CursorError
        data = said.get("data")
        if not isinstance(data, dict):
            if any(kind in ("TIMEOUT", "") for kind, _ in errors) and b"omething went wrong" in raw:
                return Wait(None, "502")
            raise _invalid(errors, doing)
        self._counted(data.get("rateLimit"), empty=empty, until=until)
        return Result(data, errors)

    def _counted(self, limit: object, *, empty: bool, until: float | None) -> None:
        """Notes the points of a query; the next one waits if none are left."""
        if isinstance(limit, dict) and isinstance(limit.get("cost"), int):
            self.points += limit["cost"]
        if empty and until is not None:
            self._until = time.monotonic() + until

    def _hold(self, doing: str) -> None:
        left = self._until - time.monotonic()
        self._until = 0.0
        if left > 0:
            pause(left, self.patience, "GitHub", doing, "a rate limit")


def _errors(errors: object) -> list[tuple[str, str]]:
    """Returns kind and alias of each error. The messages are not used, because they quote what was asked."""
    found = []
    for error in errors if isinstance(errors, list) else ():
        said = error if isinstance(error, dict) else {}
        extensions = said.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        kind = said.get("type") or code
        path = said.get("path")
        alias = path[1] if isinstance(path, list) and len(path) > 1 else ""
        word = kind if isinstance(kind, str) and _WORD.fullmatch(kind) else ""
        message = said.get("message")
        if not word and isinstance(message, str) and "valid cursor" in message:
            word = "INVALID_CURSOR_ARGUMENTS"
        found.append((word, alias if isinstance(alias, str) else ""))
    return found


def _refused(status: int, doing: str) -> ForumError:
    hint = {
        401: "GitHub did not accept the token; make a new one, and set it where token= reads it",
        403: "the token may not read this; give it read access to Discussions, and check the organisation's single sign-on",
        404: "there is no GraphQL API at this endpoint; on GitHub Enterprise it ends with /api/graphql",
    }.get(status, "check endpoint=, and run again later")
    return ForumError(f"{doing}: GitHub refused ({status}); {hint}", status=status)


def _invalid(errors: tuple[tuple[str, str], ...], doing: str) -> ForumError:
    kinds = ", ".join(sorted({kind for kind, _ in errors} - {""})) or "no reason given"
    hint = (
        "give the token read access to Discussions"
        if any(kind in ("INSUFFICIENT_SCOPES", "FORBIDDEN") for kind, _ in errors)
        else "if this is GitHub Enterprise, its version may be too old for discussions"
    )
    return ForumError(f"{doing}: GitHub could not answer ({kinds}); {hint}")
