"""A logged-in session with Discord's REST API: discord.py for routes and limits, raw JSON for everything else.

Only ``GET`` is ever sent, and nothing but the login asks discord.py to build objects: they leave fields out and
cost ten times the time. This package is the only place that imports discord.py.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable
from types import TracebackType
from typing import Any, Literal, Self
from weakref import WeakValueDictionary

from attrs import evolve

from furytune._endpoint import checked_endpoint
from furytune._secret import Secret
from furytune.collectors._live.guard import Attempt, Guard, Refused
from furytune.collectors._live.patience import DISCORD_RATE, FIRST_TRIES, Patience
from furytune.collectors._live.quiet import Quiet
from furytune.collectors._live.running import LOG
from furytune.collectors._live.verdict import GARBLED, Verdict, verdict_of
from furytune.errors import (
    ConfigError,
    DiscordError,
    DiscordForbiddenError,
    DiscordLoginError,
    MissingExtraError,
)

__all__ = ["Session"]

Json = dict[str, Any]

_MEMBERS = 1_000
_THREADS = 100
# discord-api-docs, topics/opcodes-and-status-codes, "JSON Error Codes".
_UNKNOWN_CHANNEL = 10003
_UNKNOWN_GUILD = 10004
_UNKNOWN_MEMBER = 10007
_UNKNOWN_MESSAGE = 10008
_UNKNOWN_USER = 10013
# discord-api-docs, resources/application, "Application Flags": verified, and not yet verified.
_MESSAGE_CONTENT = 1 << 18 | 1 << 19
_SHAPE = "Discord's answer is of another shape than its reference says; see whether a newer furytune is out"
_QUOTES = frozenset("\"'`\u2018\u2019\u201c\u201d")
_WHO = {"/users/@me": "me", "/oauth2/applications/@me": "application"}


class Session:
    """What may be asked of Discord; `open` makes one, and many tasks may share it.

    Every method sends its request as often as `Patience` says and raises:
    `DiscordForbiddenError` (the bot may not read this place), `DiscordGoneError` (it is no longer there),
    `DiscordLoginError` (the token is refused) or `DiscordError` (anything else).
    What discord.py and aiohttp raise is never passed on or chained: it holds the token in its request headers,
    and messages in what could not be read.

    Attributes:
        me: The bot's user.
        application: The bot's application.
    """

    def __init__(self, client: Any, guard: Guard, quiet: Quiet, patience: Patience, endpoint: str) -> None:
        self.me: Json = {}
        self.application: Json = {}
        self._client = client
        self._guard = guard
        self._quiet = quiet
        self._patience = patience
        self._endpoint = endpoint
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._answered = False
        self._http = client.http
        self._send = client.http.request
        self._http.request = self._request

    @classmethod
    async def open(cls, token: Secret, endpoint: str = "", *, patience: Patience | None = None) -> Self:
        """Returns a session after asking who the bot is.

        Args:
            token: A bot's token.
            endpoint: Another place that speaks the API, up to and with its version, such as
                ``http://127.0.0.1:8000/api/v10``; "" is Discord.
            patience: Limits.

        Raises:
            ConfigError: The endpoint is no address, or a fork stands in the place of discord.py.
            MissingExtraError: discord.py 2.7 or later is not installed.
            DiscordLoginError: The token is refused, or is no bot's.
            DiscordError: Discord did not answer.
        """
        endpoint = checked_endpoint(endpoint)
        patience = patience or Patience()
        if not endpoint and patience.rate is None:
            patience = evolve(patience, rate=DISCORD_RATE)
        discord, guard, quiet = _vendor(), Guard(patience), Quiet()
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
        except BaseException as error:  # noqa: BLE001  (raised below without the frames that hold the token)
            problem = error.with_traceback(None)
        if problem is not None:
            await self.close()
            raise problem
        return self

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones included."""
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
            self._http.token = None
            self._quiet.remove()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def check_text(self) -> None:
        """Asks whether the bot is shown what messages say.

        Raises:
            DiscordLoginError: It is not: all texts and attachments would look empty.
        """
        await self._one(self._http.application_info())
        if not int(self.application.get("flags") or 0) & _MESSAGE_CONTENT:
            raise DiscordLoginError(
                "Discord shows a bot empty messages without the Message Content Intent; switch it on in the "
                "developer portal (page Bot), and run again"
            )

    async def guild(self, guild: str) -> Json:
        """Returns a guild with its roles.

        Raises:
            DiscordLoginError: The bot is not in it.
        """
        try:
            found = await self._one(self._http.get_guild(guild, with_counts=False), _UNKNOWN_GUILD)
        except DiscordForbiddenError:
            found = None
        if found is not None:
            return found
        raise DiscordLoginError(
            f"the bot is not in the guild {guild}, or there is none of this id; invite the bot through the "
            "developer portal (page Installation), or see the id"
        )

    async def channels(self, guild: str) -> list[Json]:
        """Returns the channels of a guild without its threads."""
        return await self._many(self._http.get_all_guild_channels(guild))

    async def active_threads(self, guild: str) -> list[Json]:
        """Returns the threads that are not archived, of all channels that the bot can see."""
        return _threads(await self._one(self._http.get_active_threads(guild)))

    async def archived(
        self, channel: str, kind: Literal["public", "private", "joined"], before: str = ""
    ) -> tuple[list[Json], bool]:
        """Returns up to 100 archived threads of a channel, and whether there are more.

        Args:
            channel: The channel.
            kind: "private" needs the permission Manage Threads; "joined" are the private ones that the bot is in.
            before: For "public" and "private" a time: the answer begins with the latest archived before it. For
                "joined" a thread id. "" begins with the first.
        """
        ask = {
            "public": self._http.get_public_archived_threads,
            "private": self._http.get_private_archived_threads,
            "joined": self._http.get_joined_private_archived_threads,
        }[kind]
        answer = await self._one(ask(channel, before or None, _THREADS))
        return _threads(answer), bool(answer and answer.get("has_more"))

    async def channel(self, channel: str) -> Json | None:
        """Returns a channel or thread, or None if there is none of this id."""
        return await self._one(self._http.get_channel(channel), _UNKNOWN_CHANNEL)

    async def member(self, guild: str, user: str) -> Json | None:
        """Returns a member of a guild, or None for somebody who left."""
        return await self._one(self._http.get_member(guild, user), _UNKNOWN_MEMBER, _UNKNOWN_USER)

    async def members(self, guild: str) -> AsyncIterator[list[Json]]:
        """Yields all members of a guild, up to 1,000 at a time.

        Raises:
            DiscordForbiddenError: The application has no server-members intent.
        """
        after = "0"
        while True:
            try:
                page = await self._many(self._http.get_members(guild, _MEMBERS, after))
            except DiscordForbiddenError as error:
                raise DiscordForbiddenError(
                    f"the members of the guild {guild} may not be listed; switch on the Server Members Intent in "
                    "the developer portal (page Bot)",
                    status=error.status,
                ) from None
            if page:
                yield page
            if len(page) < _MEMBERS:
                return
            last, after = after, max((str(member["user"]["id"]) for member in page), key=int)
            if int(after) <= int(last):
                raise DiscordError(
                    f"the members of the guild {guild} do not come in the order of their ids; report it"
                )

    async def messages(self, channel: str, *, after: str, limit: int = 100) -> list[Json]:
        """Returns the first messages of a channel after an id, oldest first.

        A channel whose history the bot may not read answers with an empty list, as if there were no messages: see
        the permission first.

        Args:
            channel: Channel or thread.
            after: Message id, or "" for the beginning.
            limit: Up to 100.
        """
        page = await self._many(self._http.logs_from(channel, limit, after=after or "0"))
        try:
            page = sorted({_id(message): message for message in page}.values(), key=_id)
        except (KeyError, TypeError, ValueError):
            raise DiscordError(_SHAPE) from None
        if page and _id(page[0]) <= int(after or "0"):
            del page  # some tools show the variables of each frame
            raise DiscordError(f"channel {channel}: asked for messages after {after}, got others; report it")
        return page

    async def message(self, channel: str, message: str) -> Json | None:
        """Returns a message, or None if there is none of this id."""
        return await self._one(self._http.get_message(channel, message), _UNKNOWN_MESSAGE)

    async def latest(self, channel: str) -> str:
        """Returns the id of a channel's newest message, "" for none."""
        page = await self._many(self._http.logs_from(channel, 1))
        return str(page[0]["id"]) if page else ""

    async def _login(self, token: Secret) -> DiscordError | None:
        """Returns why the bot could not log in; an error raised here would carry the token in its frames."""
        word = token.reveal().strip()
        if word[0] in _QUOTES or word[-1] in _QUOTES:
            return DiscordLoginError(
                "the token stands in quotes; set it without them: what reads the variable from a file does not take them off"
            )
        if not (word.isascii() and word.isprintable()) or " " in word:
            return DiscordLoginError("the token is no bot's; give it alone, without 'Bot ' before it")
        try:
            await self._client.login(word)
        except Refused as refused:
            return refused.error()
        except Exception as error:  # noqa: BLE001  (whatever discord.py makes of an answer that it has)
            if not (self.me and self.application):
                return verdict_of(error).error("logging in")
        if self.me.get("bot") is not True:
            return DiscordLoginError("the token is a person's; furytune reads with bot tokens only")
        return None

    async def _many(self, call: Awaitable[Any]) -> list[Json]:
        answer = await self._answer(call)
        if not isinstance(answer, list):
            raise DiscordError(_SHAPE)
        return answer

    async def _one(self, call: Awaitable[Any], *absent: int) -> Json | None:
        answer = await self._answer(call, *absent)
        if answer is not None and not isinstance(answer, dict):
            raise DiscordError(_SHAPE)
        return answer

    async def _answer(self, call: Awaitable[Any], *absent: int) -> Any:
        """Returns an answer, or None for a 404 with one of these codes."""
        try:
            return await call
        except Refused as refused:
            if refused.verdict.status == 404 and refused.verdict.code in absent:
                return None
            problem = refused.error()
        raise problem

    async def _request(self, route: Any, **options: Any) -> Any:
        """Does what discord.py's ``HTTPClient.request`` does, in whose place it stands: one request, with patience."""
        base = _vendor().http.Route.BASE
        path = route.url.removeprefix(base)
        route.url = (self._endpoint or base) + path
        bucket, request = f"{route.key}:{route.major_parameters}", f"{route.method} {path}"
        # discord.py loses count of a bucket that several tasks use at once, and at times wakes none of them.
        async with self._turns.setdefault(bucket, asyncio.Lock()):
            answer = await self._patiently(route, bucket, options, request)
        if isinstance(answer, Verdict):
            raise Refused(answer, request)
        if route.path in _WHO:
            setattr(self, _WHO[route.path], answer)
        return answer

    async def _patiently(self, route: Any, bucket: str, options: Json, request: str) -> Any:
        tries, delays = 1, self._patience.delays()
        while isinstance(answer := await self._once(route, bucket, options), Verdict) and answer.again:
            self._answered = self._answered or answer.status is not None
            delay = next(delays, None)
            if delay is None or (tries >= FIRST_TRIES and not self._answered):
                return answer.given_up(tries, first=not self._answered)
            tries += 1
            delay = max(delay, answer.wait)
            LOG.info("%s: %s; try %d in %.0f s", request, answer.problem, tries, delay)
            await asyncio.sleep(delay)
        self._answered = True
        return answer

    async def _once(self, route: Any, bucket: str, options: Json) -> Any:
        """Returns an answer, or the `Verdict` on what came instead."""
        import aiohttp

        try:
            async with asyncio.timeout(None) as limit:
                with self._quiet.ours():
                    answer = await self._send(
                        route,
                        timeout=aiohttp.ClientTimeout(total=None),
                        allow_redirects=False,
                        trace_request_ctx=Attempt(bucket, limit),
                        **options,
                    )
        except Refused as refused:
            return refused.verdict
        except Exception as error:  # noqa: BLE001  (each of them holds the token somewhere)
            return verdict_of(error)
        # discord.py hands over as text what is not JSON.
        return GARBLED if isinstance(answer, str) else answer


def _vendor() -> Any:
    try:
        with warnings.catch_warnings():
            # Its voice part imports a module that Python 3.13 no longer has.
            warnings.simplefilter("ignore", DeprecationWarning)
            import discord
    except ImportError as error:
        raise MissingExtraError("reading Discord", "discord") from error
    if discord.__title__ != "discord":
        raise ConfigError(
            "another library than discord.py is installed under the name discord, and one would overwrite the other; "
            "install furytune[discord] in a virtual environment of its own"
        )
    if discord.version_info[:2] < (2, 7):
        raise MissingExtraError("reading Discord through discord.py 2.7 or later", "discord")
    return discord


def _threads(answer: Json | None) -> list[Json]:
    threads = answer.get("threads") if answer else None
    if not isinstance(threads, list):
        raise DiscordError(_SHAPE)
    return threads


def _id(message: Json) -> int:
    return int(message["id"])
