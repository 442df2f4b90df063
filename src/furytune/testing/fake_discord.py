"""A fake Discord on loopback, for rehearsals without an account and tests with the real client."""

from __future__ import annotations

import argparse
import gc
import random
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from furytune.testing._fakes.discord.gateway import Gateway
from furytune.testing._fakes.discord.interactions import Interaction, People
from furytune.testing._fakes.discord.limits import Limits
from furytune.testing._fakes.discord.messages import message_bytes
from furytune.testing._fakes.discord.model import Channel, Message, Role, User
from furytune.testing._fakes.discord.server import Asked, DiscordFault, Mode, Server
from furytune.testing._fakes.discord.writing import LIMITS, Writing

__all__ = ["Asked", "Channel", "DiscordFault", "FakeDiscord", "Interaction", "Message", "Role", "User"]

_TEXT = (
    "the build fails when I run it on the new server and the log says nothing useful about what went wrong "
    "you need to install the package first then restart the service and check its status please try again "
    "with version two of the library because version one had a bug in parsing of dates thanks that worked"
)


class FakeDiscord(People):
    """A server that behaves like Discord's REST API v10 and its gateway, for one Discord server (guild) and one bot.

    Args:
        token: The only token that is accepted.
        latency: Seconds before each answer.
        limit: Requests that a bucket (route and major parameter) allows within ``window``.
        window: Length of the window in seconds.
        overall: Requests that the bot may make in one second, None for any number; the real service allows 50.
        routes: Limit and window of single routes, such as ``{"/channels/{channel}/messages": (5, 1.0)}``.
        skew: Seconds by which the service's clock is ahead.
        heartbeat: Seconds between two heartbeats of the gateway.
        obfuscate: Whether channels that the bot may not view are listed without their names, as the gateway
            does, instead of being left out, as REST does.
        **world: See ``furytune.testing._fakes.discord.world.World``: ``start``, ``tick`` and ``name``.

    Attributes:
        url: The address to pass as the endpoint, such as ``http://127.0.0.1:40000/api/v10``.
        requests: All requests, in order.
        violations: Requests that broke a limit, or used a token again after it was refused.
        faults: Faults to come; see `fail`.
        connections: The gateway, whose connections can be dropped.
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
        skew: float = 0.0,
        heartbeat: float = 41.25,
        obfuscate: bool = False,
        **world: Any,
    ) -> None:
        super().__init__(**world)
        self.token = token
        self.limits = Limits(
            limit=limit, window=window, overall=overall, routes=LIMITS | (routes or {}), skew=skew
        )
        self.service = Writing(self, self.limits.violations, obfuscate=obfuscate)
        self.connections = Gateway(self, token, heartbeat)
        self._server = Server(self.service, self.connections, self.limits, token, latency)
        self.violations = self.limits.violations
        self.requests = self._server.requests
        self.faults = self._server.faults
        self._server.open()
        self.url = self._server.url

    @property
    def invalid(self) -> int:
        """How many answers count towards the ban of an IP address.

        These are 401, 403, and 429 for the bot's own limits. The real service bans at 10,000 in ten minutes.
        """
        return sum(a.status in {401, 403, 429} and a.scope != "shared" for a in self.requests)

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
        """Makes the next matching requests fail.

        Args:
            on: Regular expression that is searched in "METHOD /path".
            status: HTTP status for the modes "status" and "html".
            times: How many requests fail.
            skip: How many matching requests succeed first.
            mode: "status" refuses; "local", "global" or "shared" answers with a 429 of that scope; "reset"
                resets the TCP connection; "truncate" sends half of the JSON; "cut" closes the connection in
                the middle of the body; "slow" takes ``wait`` seconds to send the body; "html" sends the error
                page of a proxy; "forbid" answers 403; "hang" never answers.
            wait: Seconds to wait after a 429, or to send a slow body.
        """
        self.faults.append(DiscordFault(on=on, mode=mode, status=status, times=times, skip=skip, wait=wait))

    def on_request(self, callback: Callable[[Asked], None]) -> None:
        """Registers a function that is called with each request before it is answered.

        It may edit the server: post, delete, deny. If it raises, `close` raises the exception.
        """
        self._server.hooks.append(callback)

    def fill(self, messages: int, channels: int = 1, *, seed: int = 0) -> list[Channel]:
        """Makes text channels with plausible messages; the same arguments give the same messages.

        Args:
            messages: Number of messages in all channels together.
            channels: Number of channels; they share the messages evenly.
            seed: Seed of texts, authors and replies; a quarter of the messages reply to another.

        Returns:
            The channels.
        """
        chance = random.Random(seed)  # noqa: S311  (made-up text)
        words = _TEXT.split()
        with self.lock:
            made = [self.add_channel(f"channel-{i}") for i in range(channels)]
            people = [self.add_member(f"member{i}") for i in range(50)]
            for i in range(messages):
                where = made[i % channels]
                text = " ".join(chance.choices(words, k=chance.randint(3, 25)))
                recent = where.messages[-8:] if chance.randrange(4) == 0 else []
                to = chance.choice(recent) if recent else None
                self.post(where, chance.choice(people), f"{text} {i}", reply_to=to)
        return made

    def prepare(self) -> None:
        """Makes the JSON of all messages in advance, so that a page takes a fifth of the time."""
        with self.lock:
            for where in self.channels.values():
                for message in where.messages:
                    message_bytes(
                        message, self.guild, reader=self.bot, content=self.content_intent, remember=True
                    )

    def close(self) -> None:
        """Stops the server.

        Raises:
            Exception: The exception of a function that was registered with `on_request`.
        """
        self._server.close()
        if self._server.errors:
            raise self._server.errors[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except Exception:
            if error is None:
                raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves a Discord server full of messages until standard input ends; prints its URL, then the guild's id.

    Args:
        arguments: Command line arguments; see ``python -m furytune.testing.fake_discord --help``.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m furytune.testing.fake_discord", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="number of messages")
    parser.add_argument("--channels", type=int, default=1, help="number of text channels that share them")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--token", default="rehearsal", help="the only token that is accepted")
    parser.add_argument(
        "--limit", type=int, default=10_000, help="requests that a bucket allows within the window"
    )
    parser.add_argument("--window", type=float, default=1.0, help="length of the window in seconds")
    parser.add_argument(
        "--overall", type=int, default=None, help="requests that the bot may make in a second"
    )
    parser.add_argument("--prepare", action="store_true", help="make all JSON in advance (1 kB per message)")
    asked = vars(parser.parse_args(arguments))
    messages, channels, prepare = asked.pop("messages"), asked.pop("channels"), asked.pop("prepare")
    with FakeDiscord(tick=1, **asked) as service:
        service.remember = prepare
        # Millions of objects that never become garbage would make each collection slow.
        gc.disable()
        service.fill(messages, channels)
        if prepare:
            service.prepare()
        gc.freeze()
        gc.enable()
        print(service.url, service.guild, sep="\n", flush=True)  # noqa: T201  (its answer)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
