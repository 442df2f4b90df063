"""Decides which requests may read or change anything: only those of the one page that got the token.

The rules, and whom they keep out:

- ``Host`` must name this address, or a site whose name an attacker points to 127.0.0.1 could read everything.
- ``Origin`` and ``Sec-Fetch-Site``, where a browser sends them, must name this page, and a POST must have an ``Origin``,
  or any other site could decide in the reviewer's name.
- A cookie proves that the browser has exchanged a token. A token works once, and scripts cannot read the cookie.
- Browsers send a cookie to every port of a machine, so another person's server on it could get the cookie. So the page's
  script also sends a key, which the browser keeps for this port alone.
"""

from __future__ import annotations

import secrets
import threading
from email.message import Message
from http.cookies import CookieError, SimpleCookie
from typing import Final

__all__ = ["KEY", "Guard", "RefusedError"]

KEY: Final = "X-Furytune-Key"
"""The header with the key of a session."""


class RefusedError(Exception):
    """A request that gets no answer.

    Args:
        status: Status of HTTP.
        problem: What is wrong, and what to do.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


class Guard:
    """Knows the address, the tokens and the sessions of one server.

    Args:
        port: The port on which it listens.
    """

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.origin = f"http://{self.host}"
        # Cookies do not know ports, so two servers would overwrite each other's.
        self._cookie = f"furytune_review_{port}"
        self._lock = threading.Lock()
        self._token = ""
        self._sessions: dict[str, str] = {}
        self._closed = False

    def close(self) -> None:
        """Refuses everything from now on, also on connections that are still open."""
        self._closed = True

    def token(self) -> str:
        """Returns a token that was not exchanged yet."""
        with self._lock:
            self._token = self._token or secrets.token_urlsafe(32)
            return self._token

    def exchange(self, token: str) -> tuple[str, str]:
        """Returns the header ``Set-Cookie`` and the key of a new session.

        Raises:
            RefusedError: The token is wrong, or was exchanged before.
        """
        with self._lock:
            if not self._token or not secrets.compare_digest(token.encode(), self._token.encode()):
                raise RefusedError(
                    403, "this address was used already, or is wrong; open the one that is printed now"
                )
            self._token = ""
            session, key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
            self._sessions[session] = key
        return f"{self._cookie}={session}; HttpOnly; SameSite=Strict; Path=/", key

    def check(self, headers: Message, *, posted: bool) -> None:
        """Checks that a request comes from this page, or from no page.

        Raises:
            RefusedError: It does not.
        """
        if self._closed:
            raise RefusedError(503, "the review page was closed")
        if headers.get_all("Host", []) != [self.host]:
            raise RefusedError(421, f"this server answers only as {self.host}")
        origins = headers.get_all("Origin", [])
        if (posted or origins) and origins != [self.origin]:
            raise RefusedError(403, "only the review page itself may ask this")

    def check_session(self, headers: Message) -> None:
        """Checks that the page's own script asks, in a browser that exchanged a token.

        Raises:
            RefusedError: It does not.
        """
        if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise RefusedError(403, "only the review page itself may ask this")
        try:
            cookies = SimpleCookie("; ".join(headers.get_all("Cookie", [])))
        except CookieError:
            cookies = SimpleCookie()
        shown = cookies[self._cookie].value if self._cookie in cookies else ""
        told = f"{shown} {headers.get(KEY, '')}".encode("utf-8", "replace")
        with self._lock:
            known = [secrets.compare_digest(told, " ".join(one).encode()) for one in self._sessions.items()]
        if not any(known):
            raise RefusedError(401, "this browser has no session; open the address that is printed now")
