"""A logged-in session with Discord's REST API: discord.py for routes and limits, raw JSON for everything else.

It only ever sends ``GET``. Only the login lets discord.py build objects, because they leave fields out and take ten
times as long. This package is the only place that imports discord.py.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from weakref import WeakValueDictionary

from attrs import evolve

from furytune._discord.api import answers
from furytune._discord.api.background import LOG
from furytune._discord.api.clock import MOST_AHEAD, Clock
from furytune._discord.api.failures import GARBLED, Verdict, WrongAnswerError, unusable, verdict_of
from furytune._discord.api.limits import Attempt, Guard, Refused
from furytune._discord.api.log_filter import Quiet
from furytune._discord.api.pacing import DISCORD_RATE, FIRST_TRIES
from furytune._network.endpoint import checked_endpoint
from furytune._network.patience import Patience
from furytune._privacy.secret import Secret
from furytune.errors import (
    ConfigError,
    DiscordError,
    DiscordForbiddenError,
    DiscordLoginError,
    MissingExtraError,
)

__all__ = ["Session", "vendor"]

T = TypeVar("T")
Json = dict[str, Any]

_MEMBERS = 1_000
_THREADS = 100
# discord-api-docs, topics/opcodes-and-status-codes, "JSON Error Codes".
_UNKNOWN_CHANNEL = 10003
_UNKNOWN_GUILD = 10004
_UNKNOWN_MEMBER = 10007
_UNKNOWN_MESSAGE = 10008
_UNKNOWN_USER = 10013
# discord-api-docs, resources/application, "Application Flags": for verified bots, and for those not yet verified.
_MESSAGE_CONTENT = 1 << 18 | 1 << 19
_QUOTES = frozenset("\"'`\u2018\u2019\u201c\u201d")
_WHO = {
    "/users/@me": ("me", answers.user),
    "/oauth2/applications/@me": ("application", answers.application),
}


class Session:
    """A session with Discord; `open` creates one, and many tasks may share it.

    Every method retries its request as `Patience` says, until it gets an answer that can be correct (see
    `furytune._discord.api.answers`). Otherwise it raises `DiscordForbiddenError` (the bot may not read this place),
    `DiscordGoneError` (the place no longer exists), `DiscordLoginError` (the token is refused), `WrongAnswerError` (no
    answer could be correct) or `DiscordError` (anything else).

    Errors of discord.py and aiohttp are never passed on or chained, because their request headers contain the token, and
    their unreadable bodies contain messages.

    Attributes:
        me: The bot's user.
        application: The bot's application.
        clock: Discord's time.
    """

    def __init__(self, client: Any, guard: Guard, quiet: Quiet, patience: Patience, endpoint: str) -> None:
        self.me: Json = {}
        self.application: Json = {}
        self.clock = Clock()
        self._client = client
        self._guard = guard
        self._quiet = quiet
        self._patience = patience
        self._endpoint = endpoint
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._answered = False
        self._check: ContextVar[Callable[[Any], Any]] = ContextVar("check")
        self._http = client.http
        # Replacing this one method keeps discord.py's routes and buckets, and puts every request through the
        # checks here.
        self._send = client.http.request
        self._http.request = self._request

    @classmethod
    async def open(cls, token: Secret, endpoint: str = "", *, patience: Patience | None = None) -> Self:
        """Logs in, and returns the session.

        Args:
            token: A bot's token.
            endpoint: Address of another server that speaks the API, up to and including its version, such as
                ``http://127.0.0.1:8000/api/v10``; "" is Discord.
            patience: Limits of the session.

        Raises:
            ConfigError: The endpoint is not an address, or a fork is installed instead of discord.py.
            MissingExtraError: discord.py 2.7 or later is not installed.
            DiscordLoginError: The token is refused, or is not a bot's.
            DiscordError: Discord did not answer, or this machine's clock is far behind Discord's.
        """
        endpoint = checked_endpoint(endpoint)
        patience = patience or Patience()
        # Only Discord itself is known to have this global limit; a server in a test has none.
        if not endpoint and patience.rate is None:
            patience = evolve(patience, rate=DISCORD_RATE)
        discord, guard, quiet = vendor(), Guard(patience), Quiet()
        quiet.install()
        try:
            with quiet.ours():
                client = discord.Client(
                    intents=discord.Intents.none(),
                    http_trace=guard.trace(),
                    max_ratelimit_timeout=patience.longest_wait,
                )
        except BaseException:
            quiet.remove()
            raise
        self = cls(client, guard, quiet, patience, endpoint)
        try:
            problem: BaseException | None = await self._login(token)
        except BaseException as error:  # noqa: BLE001  (raised below, without the frames that contain the token)
            problem = error.with_traceback(None)
        if problem is not None:
            await self.close()
            raise problem
        return self

    @property
    def requests(self) -> int:
        """How many requests were sent, including retries."""
        return self._guard.requests

    @property
    def stopped(self) -> bool:
        """True once no further request can be made."""
        return self._guard.stopped is not None

    async def close(self) -> None:
        """Closes all connections."""
        try:
            with self._quiet.ours():
                await self._client.close()
        finally:
            # The client may live on in a traceback, so it must not keep the token.
            self._http.token = None
            self._quiet.remove()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def check_text(self) -> None:
        """Checks that the bot may see the content of messages.

        Raises:
            DiscordLoginError: It may not; all texts and attachments would look empty.
        """
        await self._ask(self._http.application_info(), answers.application)
        if not int(self.application.get("flags") or 0) & _MESSAGE_CONTENT:
            raise DiscordLoginError(
                "without the Message Content Intent Discord shows a bot empty messages; switch it on in the "
                "developer portal (page Bot), and run again"
            )

    async def guild(self, guild: str) -> Json:
        """Returns a server with its roles.

        Raises:
            DiscordLoginError: The bot is not on the server.
        """
        call = self._http.get_guild(guild, with_counts=False)
        try:
            found = await self._ask(call, partial(answers.guild, uid=guild), _UNKNOWN_GUILD)
        except DiscordForbiddenError:
            # Discord answers 403 for a server that the bot is not in, whatever its permissions are.
            found = None
        if found is not None:
            return found
        raise DiscordLoginError(
            f"the bot is not in the server {guild}, or no server has this id; invite the bot through the "
            "developer portal (page Installation), or check the id"
        )

    async def channels(self, guild: str) -> list[Json]:
        """Returns the channels of a server without its threads."""
        return await self._must(self._http.get_all_guild_channels(guild), partial(answers.channels, of=guild))

    async def active_threads(self, guild: str) -> list[Json]:
        """Returns the threads that are not archived, from all channels that the bot can see."""
        return await self._must(self._http.get_active_threads(guild), partial(answers.threads, of=guild))

    async def archived(
        self, channel: str, kind: Literal["public", "private", "joined"], before: str = ""
    ) -> tuple[list[Json], bool]:
        """Returns up to 100 archived threads of a channel, and whether there are more.

        Args:
            channel: The channel.
            kind: "private" needs the permission Manage Threads; "joined" lists the private threads that the bot is in.
            before: For "public" and "private", a time: the answer begins with the last thread archived before it. For
                "joined", a thread id. "" begins with the first thread.
        """
        ask = {
            "public": self._http.get_public_archived_threads,
            "private": self._http.get_private_archived_threads,
            "joined": self._http.get_joined_private_archived_threads,
        }[kind]
        check = partial(
            answers.archived_threads,
            of=channel,
            before=before,
            by_id=kind == "joined",
            limit=_THREADS,
            latest=self.clock.latest(),
        )
        return await self._must(ask(channel, before or None, _THREADS), check)

    async def channel(self, channel: str) -> Json | None:
        """Returns a channel or thread, or None if no channel has this id."""
        check = partial(answers.channel, uid=channel)
        return await self._ask(self._http.get_channel(channel), check, _UNKNOWN_CHANNEL)

    async def member(self, guild: str, user: str) -> Json | None:
        """Returns a member of a server, or None for someone who left."""
        check = partial(answers.member, uid=user)
        return await self._ask(self._http.get_member(guild, user), check, _UNKNOWN_MEMBER, _UNKNOWN_USER)

    async def members(self, guild: str) -> AsyncIterator[list[Json]]:
        """Yields all members of a server in the order of their ids, up to 1,000 at a time.

        Raises:
            DiscordForbiddenError: The application does not have the server-members intent.
            WrongAnswerError: The list cannot be complete, because the bot itself is missing.
        """
        after, seen = 0, False
        while True:
            check = partial(answers.members, after=after, limit=_MEMBERS, newest=self.clock.newest())
            try:
                page = await self._must(self._http.get_members(guild, _MEMBERS, str(after)), check)
            except DiscordForbiddenError as error:
                raise DiscordForbiddenError(
                    f"the bot may not list the members of the server {guild}; switch on the Server Members Intent in "
                    "the developer portal (page Bot)",
                    status=error.status,
                ) from None
            if page:
                yield page
                after = int(page[-1]["user"]["id"])
                seen = seen or any(member["user"]["id"] == self.me["id"] for member in page)
            # A page with fewer entries than asked for is the last one.
            if len(page) < _MEMBERS:
                break
        # The bot itself is always a member, so a list without it is incomplete, and no one may be treated as
        # having left.
        if not seen:
            raise WrongAnswerError(
                f"the list of members of the server {guild} does not contain the bot itself"
            )

    async def messages(self, channel: str, *, after: str, limit: int = 100) -> list[Json]:
        """Returns the first messages of a channel after an id, oldest first.

        Check the permission first: for a channel whose history the bot may not read, Discord returns an empty list, as
        if there were no messages.

        Args:
            channel: Channel or thread.
            after: Message id, or "" for the beginning.
            limit: Up to 100.
        """
        # Without `after`, Discord would return the newest messages; with "0" it returns the oldest.
        call = self._http.logs_from(channel, limit, after=after or "0")
        return await self._must(call, self._page_of(channel, int(after or "0"), limit))

    async def message(self, channel: str, message: str) -> Json | None:
        """Returns a message, or None if no message has this id."""
        check = partial(answers.message, of=channel, uid=message)
        return await self._ask(self._http.get_message(channel, message), check, _UNKNOWN_MESSAGE)

    async def latest(self, channel: str) -> str:
        """Returns the id of a channel's newest message, "" for none."""
        page = await self._must(self._http.logs_from(channel, 1), self._page_of(channel, 0, 1))
        return str(page[0]["id"]) if page else ""

    def _page_of(self, channel: str, after: int, limit: int) -> Callable[[Any], list[Json]]:
        newest = self.clock.newest()
        return partial(answers.messages, of=channel, after=after, limit=limit, newest=newest)

    async def _login(self, token: Secret) -> DiscordError | None:
        """Returns why the bot could not log in; an error raised here would have the token in its frames."""
        word = token.reveal().strip()
        if word[0] in _QUOTES or word[-1] in _QUOTES:
            return DiscordLoginError(
                "the token is in quotes; set it without them, because your shell or .env reader does not remove them"
            )
        if not (word.isascii() and word.isprintable()) or " " in word:
            return DiscordLoginError(
                "this is not a bot's token; give the token alone, without 'Bot ' before it"
            )
        try:
            await self._client.login(word)
        except Refused as refused:
            return refused.error()
        except Exception as error:  # noqa: BLE001  (discord.py may fail in any way on an answer that it got)
            # discord.py also reads fields that furytune does not need. If both answers were sound, its error
            # does not matter.
            if not (self.me and self.application):
                return verdict_of(error).error("logging in")
        self.clock = Clock(self._guard.ahead)
        if self._guard.ahead > MOST_AHEAD.total_seconds():
            return DiscordError(
                "the clock of this machine is more than a day behind Discord's; correct it, and run again"
            )
        if self.me.get("bot") is not True:
            return DiscordLoginError("this is a person's token; furytune only accepts bot tokens")
        return None

    async def _must(self, call: Awaitable[Any], check: Callable[[Any], T]) -> T:
        """Returns the checked answer to a request for which no absence is expected."""
        found = await self._ask(call, check)
        assert found is not None
        return found

    async def _ask(self, call: Awaitable[Any], check: Callable[[Any], T], *absent: int) -> T | None:
        """Returns the checked answer, or None for a 404 with one of these codes."""
        problem: DiscordError | None = None
        token = self._check.set(check)
        try:
            found: T = await call
        except Refused as refused:
            if refused.verdict.status == 404 and refused.verdict.code in absent:
                return None
            problem = refused.error()
        finally:
            # discord.py passes no arguments of ours through, so the check travels in a context variable.
            self._check.reset(token)
        if problem is not None:
            raise problem
        return found

    async def _request(self, route: Any, **options: Any) -> Any:
        """Replaces discord.py's ``HTTPClient.request``: makes one request, with retries.

        Raises:
            Refused: The request failed for good.
        """
        base = vendor().http.Route.BASE
        path = route.url.removeprefix(base)
        route.url = (self._endpoint or base) + path
        bucket, request = f"{route.key}:{route.major_parameters}", f"{route.method} {path}"
        name, check = _WHO.get(route.path) or ("", self._check.get())
        # One task at a time: discord.py miscounts a bucket that several tasks share, and sometimes wakes none of them.
        async with self._turns.setdefault(bucket, asyncio.Lock()):
            answer = await self._patiently(route, bucket, options, request, check)
        if isinstance(answer, Verdict):
            raise Refused(answer, request)
        if name:
            setattr(self, name, answer)
        return answer

    async def _patiently(
        self, route: Any, bucket: str, options: Json, request: str, check: Callable[[Any], Any]
    ) -> Any:
        """Repeats a request until it is answered or given up; returns the answer or the last `Verdict`.

        Args:
            route: discord.py's route, with the address of the endpoint.
            bucket: The bucket that the request counts towards.
            options: discord.py's arguments for the request.
            request: Method and path, for the log.
            check: Reads the answer.
        """
        tries, delays = 1, self._patience.delays()
        while isinstance(answer := await self._once(route, bucket, options, check), Verdict) and answer.again:
            self._answered = self._answered or answer.status is not None
            delay = next(delays, None)
            if delay is None or (tries >= FIRST_TRIES and not self._answered):
                return answer.given_up(tries, first=not self._answered)
            tries += 1
            # The server's own wait counts if it is longer than ours.
            delay = max(delay, answer.wait)
            LOG.info("%s: %s; try %d in %.0f s", request, answer.problem, tries, delay)
            await asyncio.sleep(delay)
        self._answered = True
        return answer

    async def _once(self, route: Any, bucket: str, options: Json, check: Callable[[Any], Any]) -> Any:
        """Returns the checked answer, or the `Verdict` on a failure."""
        import aiohttp

        try:
            # The guard sets the time limit once the request is really sent; aiohttp's own would include the
            # waiting.
            async with asyncio.timeout(None) as limit:
                with self._quiet.ours():
                    answer = await self._send(
                        route,
                        timeout=aiohttp.ClientTimeout(total=None),
                        # A redirect would send the token to another host.
                        allow_redirects=False,
                        auto_decompress=False,  # the guard unpacks, up to a limit
                        trace_request_ctx=Attempt(bucket, limit),
                        **options,
                    )
        except Refused as refused:
            return refused.verdict
        except Exception as error:  # noqa: BLE001  (each of them contains the token somewhere)
            return verdict_of(error)
        if isinstance(answer, str):  # discord.py returns what is not JSON as text
            return GARBLED
        try:
            return check(answer)
        except answers.UnsoundError as error:
            return unusable(str(error))


def vendor(what: str = "reading Discord") -> Any:
    """Imports discord.py, and checks that it is the package and version that this module replaces a method of.

    Args:
        what: What needs it, for the error message.

    Raises:
        MissingExtraError: It is not installed, or too old.
        ConfigError: Another package uses its name.
    """
    try:
        with warnings.catch_warnings():
            # Its voice part imports a module that was removed in Python 3.13.
            warnings.simplefilter("ignore", DeprecationWarning)
            import discord
    except ImportError as error:
        raise MissingExtraError(what, "discord") from error
    if not hasattr(discord, "__title__"):  # not a package, but a folder of this name beside the program
        raise MissingExtraError(what, "discord")
    if discord.__title__ != "discord":
        raise ConfigError(
            "the installed package discord is not discord.py, and both use the same folder; "
            "install furytune[discord] in its own virtual environment"
        )
    if discord.version_info[:2] < (2, 7):
        raise MissingExtraError(f"{what} through discord.py 2.7 or later", "discord")
    return discord
