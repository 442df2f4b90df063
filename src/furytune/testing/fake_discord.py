"""A Discord of our own on loopback: for rehearsals without an account, and for tests with the real client."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from furytune.testing._discord_limits import Limits
from furytune.testing._discord_model import Channel, Message, Role, User
from furytune.testing._discord_server import Asked, DiscordFault, Mode, Server
from furytune.testing._discord_service import Service
from furytune.testing._discord_world import World

__all__ = ["Asked", "Channel", "DiscordFault", "FakeDiscord", "Message", "Role", "User"]


class FakeDiscord(World):
    """A server that behaves like Discord's REST API v10, for one guild and one bot.

    Args:
        token: The only one that is accepted.
        latency: Seconds before each answer.
        limit: Requests of a bucket (route and major parameter) within ``window``.
        window: Seconds.
        overall: Requests of the bot in one second, None for any number; the real service allows 50.
        routes: Limit and window of single routes, such as ``{"/channels/{channel}/messages": (5, 1.0)}``.
        obfuscate: Whether channels that the bot may not view are listed, without their names.
        **world: See ``furytune.testing._discord_world.World``: ``start``, ``tick`` and ``name``.

    Attributes:
        url: What to give as the endpoint, such as ``http://127.0.0.1:40000/api/v10``.
        requests: What was asked, in order.
        violations: What a client did against the limits, or with a token after it was refused.
        faults: What shall go wrong; see `fail`.
    """

    def __init__(
        self,
        *,
        token: str = "rehearsal",  # noqa: S107  (a stand-in)
        latency: float = 0.0,
        limit: int = 10_000,
        window: float = 1.0,
        overall: int | None = None,
        routes: dict[str, tuple[int, float]] | None = None,
        obfuscate: bool = False,
        **world: Any,
    ) -> None:
        super().__init__(**world)
        self.token = token
        self.limits = Limits(limit=limit, window=window, overall=overall, routes=dict(routes or {}))
        self.service = Service(self, obfuscate=obfuscate)
        self._server = Server(self.service, self.limits, token, latency)
        self._server.violations = self.violations = self.limits.violations
        self.requests = self._server.requests
        self.faults = self._server.faults
        self._server.open()
        self.url = self._server.url

    def fail(
        self,
        on: str = "",
        status: int = 503,
        *,
        times: int = 1,
        skip: int = 0,
        mode: Mode = "status",
        wait: float = 0.1,
    ) -> None:
        """Has the next matching requests go wrong.

        Args:
            on: Regular expression, searched in "METHOD /path".
            status: HTTP status of a refusal, or of the page of a proxy.
            times: How many requests it strikes.
            skip: How many matching requests pass before.
            mode: "status"; "local", "global" or "shared" for a 429 of that scope; "reset" by TCP; "truncate"
                for half of the JSON; "cut" for a connection that closes within the body; "slow" for a body
                that takes ``wait`` seconds; "html" for the page of a proxy; "forbid" for a 403; "hang" without
                an answer.
            wait: Seconds of a 429 or of a slow body.
        """
        self.faults.append(DiscordFault(on=on, mode=mode, status=status, times=times, skip=skip, wait=wait))

    def on_request(self, callback: Callable[[Asked], None]) -> None:
        """Has a function called before each answer, with the request; it may edit the guild."""
        self._server.hooks.append(callback)

    def close(self) -> None:
        """Stops the server."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
