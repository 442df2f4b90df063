"""A Discord of our own on loopback: for rehearsals without an account, and for tests with the real client."""

from __future__ import annotations

import argparse
import gc
import random
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from furytune.testing._fakes.discord.limits import Limits
from furytune.testing._fakes.discord.messages import message_bytes
from furytune.testing._fakes.discord.model import Channel, Message, Role, User
from furytune.testing._fakes.discord.server import Asked, DiscordFault, Mode, Server
from furytune.testing._fakes.discord.service import Service
from furytune.testing._fakes.discord.world import World

__all__ = ["Asked", "Channel", "DiscordFault", "FakeDiscord", "Message", "Role", "User"]

_TEXT = (
    "the build fails when I run it on the new server and the log says nothing useful about what went wrong "
    "you need to install the package first then restart the service and check its status please try again "
    "with version two of the library because version one had a bug in parsing of dates thanks that worked"
)


class FakeDiscord(World):
    """A server that behaves like Discord's REST API v10, for one guild and one bot.

    Args:
        token: The only one that is accepted.
        latency: Seconds before each answer.
        limit: Requests of a bucket (route and major parameter) within ``window``.
        window: Seconds.
        overall: Requests of the bot in one second, None for any number; the real service allows 50.
        routes: Limit and window of single routes, such as ``{"/channels/{channel}/messages": (5, 1.0)}``.
        skew: Seconds by which the service's clock is ahead.
        obfuscate: Whether channels that the bot may not view are listed, without their names, instead of not
            at all. The gateway does the former, REST the latter.
        **world: See ``furytune.testing._fakes.discord.world.World``: ``start``, ``tick`` and ``name``.

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
        skew: float = 0.0,
        obfuscate: bool = False,
        **world: Any,
    ) -> None:
        super().__init__(**world)
        self.token = token
        self.limits = Limits(
            limit=limit, window=window, overall=overall, routes=dict(routes or {}), skew=skew
        )
        self.service = Service(self, obfuscate=obfuscate)
        self._server = Server(self.service, self.limits, token, latency)
        self.violations = self.limits.violations
        self.requests = self._server.requests
        self.faults = self._server.faults
        self._server.open()
        self.url = self._server.url

    @property
    def invalid(self) -> int:
        """How many answers count towards the ban of an address.

        These are 401, 403, and 429 of the bot's own limits; the real service bans at 10,000 in ten minutes.
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
        """Has a function called before each answer, with the request.

        It may edit the guild: post, delete, deny. What it raises is raised by `close`.
        """
        self._server.hooks.append(callback)

    def fill(self, messages: int, channels: int = 1, *, seed: int = 0) -> list[Channel]:
        """Makes text channels full of plausible messages, the same for the same arguments.

        Args:
            messages: In all.
            channels: Among which they are shared evenly.
            seed: Of their texts, authors and replies; a quarter answers another message.

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
        """Makes the JSON of all messages beforehand, so that a page takes a fifth of the time."""
        with self.lock:
            for where in self.channels.values():
                for message in where.messages:
                    message_bytes(
                        message, self.guild, reader=self.bot, content=self.content_intent, remember=True
                    )

    def close(self) -> None:
        """Stops the server.

        Raises:
            Exception: What a function of `on_request` raised.
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
    """Serves a guild full of messages until its standard input ends; prints its URL, then the guild's id.

    Args:
        arguments: Of the command line; see ``python -m furytune.testing.fake_discord --help``.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m furytune.testing.fake_discord", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="how many messages")
    parser.add_argument("--channels", type=int, default=1, help="text channels that share them")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--token", default="rehearsal", help="the token that is accepted")
    parser.add_argument("--limit", type=int, default=10_000, help="requests of a bucket within the window")
    parser.add_argument("--window", type=float, default=1.0, help="seconds of the window")
    parser.add_argument("--overall", type=int, default=None, help="requests of the bot within a second")
    parser.add_argument("--prepare", action="store_true", help="make all JSON beforehand (1 kB a message)")
    asked = vars(parser.parse_args(arguments))
    messages, channels, prepare = asked.pop("messages"), asked.pop("channels"), asked.pop("prepare")
    with FakeDiscord(tick=1, **asked) as service:
        service.remember = prepare
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
