"""The endpoints of Discord's API v10 that a crawler uses, for a server in memory."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from attrs import frozen

from furytune.testing._fakes.discord import payloads
from furytune.testing._fakes.discord.messages import encode, message_bytes
from furytune.testing._fakes.discord.model import PERMISSIONS, Channel, Message, permissions
from furytune.testing._fakes.discord.world import World

__all__ = ["Answer", "ApiError", "Service", "problem"]

_UNKNOWN = {"channel": 10_003, "guild": 10_004, "member": 10_007, "message": 10_008}
_THREADED = ("text", "announcement", "forum", "media")

Query = Mapping[str, str]


@frozen
class Answer:
    """Status and body of an answer."""

    status: int
    body: bytes


class ApiError(Exception):
    """A refusal, with the body that the service sends."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.answer = Answer(status, encode({"message": message, "code": code, **more}))


def problem(status: int) -> Answer:
    """Returns a refusal without more details than its status."""
    return Answer(status, encode({"message": f"{status}: {HTTPStatus(status).phrase}", "code": 0}))


def _unknown(what: str) -> ApiError:
    return ApiError(404, _UNKNOWN[what], f"Unknown {what.title()}")


def _no_access() -> ApiError:
    return ApiError(403, 50_001, "Missing Access")


def _wrong_kind() -> ApiError:
    return ApiError(400, 50_024, "Cannot execute action on this channel type")


def _invalid(name: str, code: str, message: str) -> ApiError:
    errors = {name: {"_errors": [{"code": code, "message": message}]}}
    return ApiError(400, 50_035, "Invalid Form Body", errors=errors)


def _limit(query: Query, most: int, default: int, least: int = 1) -> int:
    """Returns the number of items that were asked for, within the route's bounds."""
    text = query.get("limit", str(default))
    if not re.fullmatch(r"-?\d+", text):
        raise _invalid("limit", "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.')
    if int(text) < least:
        raise _invalid("limit", "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
    if int(text) > most:
        raise _invalid("limit", "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
    return int(text)


def _snowflake(query: Query, name: str) -> int | None:
    """Returns an id from the query, None without one."""
    text = query.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,20}", text):
        raise _invalid(name, "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
    return int(text)


class Service:
    """Answers requests about a Discord server.

    Args:
        world: The server.
        obfuscate: Whether channels that the bot may not view are listed without a name instead of being left
            out.
    """

    def __init__(self, world: World, *, obfuscate: bool = False) -> None:
        self.world = world
        self.obfuscate = obfuscate
        one = r"(?P<{}>[^/]+)"
        self._routes: list[tuple[str, str, re.Pattern[str], Callable[..., bytes]]] = []
        for route, answer in (
            ("/users/@me", self._me),
            ("/applications/@me", self._application),
            ("/oauth2/applications/@me", self._application),
            ("/gateway/bot", self._gateway),
            ("/users/@me/guilds", self._guilds),
            ("/guilds/{guild}", self._guild),
            ("/guilds/{guild}/channels", self._channels),
            ("/guilds/{guild}/roles", self._roles),
            ("/guilds/{guild}/threads/active", self._active),
            ("/guilds/{guild}/members", self._members),
            ("/guilds/{guild}/members/{member}", self._member),
            ("/channels/{channel}", self._channel),
            ("/channels/{channel}/threads/archived/public", self._archived_public),
            ("/channels/{channel}/threads/archived/private", self._archived_private),
            ("/channels/{channel}/users/@me/threads/archived/private", self._archived_joined),
            ("/channels/{channel}/messages", self._messages),
            ("/channels/{channel}/messages/{message}", self._message),
        ):
            pattern = re.compile(re.sub(r"\{(\w+)\}", lambda m: one.format(m[1]), route) + "$")
            major = "channel" if "{channel}" in route else "guild" if "{guild}" in route else ""
            self._routes.append((route, major, pattern, answer))

    def route(self, path: str) -> tuple[str, str, Callable[[Query], Answer]] | None:
        """Returns the route of a path, its major parameter and the function that answers it."""
        for route, major, pattern, answer in self._routes:
            found = pattern.match(path)
            if found:
                values = found.groupdict()
                return route, values.get(major, ""), self._bound(answer, values)
        return None

    def _bound(self, answer: Callable[..., bytes], values: dict[str, str]) -> Callable[[Query], Answer]:
        """Returns a function that answers one request, with the ids from its path."""

        def run(query: Query) -> Answer:
            # A request sees the world at one moment, even if a test edits it meanwhile.
            with self.world.lock:
                try:
                    for name, text in values.items():
                        if not text.isdigit():
                            raise _invalid(
                                f"{name}_id", "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.'
                            )
                    numbers = {name: int(text) for name, text in values.items()}
                    if numbers.pop("guild", self.world.guild_number) != self.world.guild_number:
                        raise _unknown("guild")
                    return Answer(200, answer(query, **numbers))
                except ApiError as refusal:
                    return refusal.answer

        return run

    def _me(self, _query: Query) -> bytes:
        return encode(payloads.myself(self.world.bot))

    def _guilds(self, _query: Query) -> bytes:
        """Lists the servers of the bot, with few of their fields."""
        w = self.world
        listed: dict[str, Any] = {
            "id": w.guild,
            "name": w.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "features": [],
        }
        return encode([listed | {"permissions": str(w.everyone.permissions)}])

    def _gateway(self, _query: Query) -> bytes:
        """Returns where the gateway is, and how often the bot may identify itself."""
        starts = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}
        return encode({"url": self.world.gateway, "shards": 1, "session_start_limit": starts})

    def _application(self, _query: Query) -> bytes:
        """Returns the bot's application."""
        w = self.world
        made = payloads.application(w.bot, w.owner, content=w.content_intent, members=w.members_intent)
        return encode(made)

    def _guild(self, query: Query) -> bytes:
        """Returns the server."""
        w = self.world
        count = sum(u.member for u in w.users.values()) if query.get("with_counts") in {"1", "true"} else None
        return encode(payloads.guild(w.guild_number, w.name, w.owner, list(w.roles.values()), counts=count))

    def _roles(self, _query: Query) -> bytes:
        return encode([payloads.role(r) for r in self.world.roles.values()])

    def _channels(self, _query: Query) -> bytes:
        """Lists the channels. With ``obfuscate``, hidden ones are in the list without their names."""
        listed = []
        for where in self.world.channels.values():
            if not where.is_thread and where.kind != "dm":
                if self._lists(where):
                    listed.append(payloads.channel(where, self.world.guild))
                elif self.obfuscate:
                    listed.append(payloads.obfuscated(where, self.world.guild))
        return encode(listed)

    def _lists(self, where: Channel) -> bool:
        """Returns True if the bot sees a channel; a category is visible if one of its channels is."""
        if where.kind == "category":
            inside = (c for c in self.world.channels.values() if c.parent is where)
            return any(map(self._sees, inside)) or self._sees(where)
        return self._sees(where)

    def _threads(self, found: list[Channel], *, has_more: bool) -> bytes:
        """Returns threads, and in which of them the bot is."""
        w = self.world
        return encode(
            {
                "threads": [payloads.channel(t, w.guild) for t in found],
                "members": [payloads.thread_member(t, w.bot) for t in found if t.joined],
                "has_more": has_more,
            }
        )

    def _active(self, _query: Query) -> bytes:
        found = [t for t in self.world.channels.values() if t.is_thread and not t.archived and self._sees(t)]
        return self._threads(sorted(found, key=lambda t: -t.number), has_more=False)

    def _archived(self, channel: int, query: Query, kind: str, *, joined: bool = False) -> bytes:
        """Lists archived threads; joined ones by id, others by the moment of archiving."""
        parent = self._place(channel)
        if parent.kind not in _THREADED:
            raise _wrong_kind()
        if not self._may(parent, "READ_MESSAGE_HISTORY"):
            raise _no_access()
        if kind == "private" and not joined and not self._may(parent, "MANAGE_THREADS"):
            raise _no_access()
        found = [t for t in self.world.channels.values() if t.parent is parent and t.is_thread and t.archived]
        found = [t for t in found if (t.kind == "private_thread") == (kind == "private")]
        if joined:
            found = [t for t in found if t.joined]
            before = _snowflake(query, "before")
            found = sorted((t for t in found if before is None or t.number < before), key=lambda t: -t.number)
        else:
            found = sorted(found, key=lambda t: (-t.archived_at, -t.number))
            if "before" in query:
                moment = _moment(query["before"])
                # Strictly before: threads of the same moment beyond a page cannot be listed at all.
                found = [t for t in found if t.archived_at < moment]
        # Two is the least that Discord accepts here.
        limit = _limit(query, 100, 50, least=2)
        return self._threads(found[:limit], has_more=len(found) > limit)

    def _archived_public(self, query: Query, channel: int) -> bytes:
        return self._archived(channel, query, "public")

    def _archived_private(self, query: Query, channel: int) -> bytes:
        return self._archived(channel, query, "private")

    def _archived_joined(self, query: Query, channel: int) -> bytes:
        return self._archived(channel, query, "private", joined=True)

    def _members(self, query: Query) -> bytes:
        """Lists the members in the order of their ids, if the bot has the intent."""
        if not self.world.members_intent:
            raise _no_access()
        limit, after = _limit(query, 1000, 1), _snowflake(query, "after") or 0
        found = sorted(
            (u for u in self.world.users.values() if u.member and u.number > after), key=lambda u: u.number
        )
        return encode([payloads.member(u) for u in found[:limit]])

    def _member(self, _query: Query, member: int) -> bytes:
        """Returns a member. Discord tells someone who left from someone who never existed."""
        who = self.world.users.get(member)
        if who is None or not who.member:
            raise _unknown("member") if who else ApiError(404, 10_013, "Unknown User")
        return encode(payloads.member(who))

    def _channel(self, _query: Query, channel: int) -> bytes:
        """Returns a channel or thread that the bot sees."""
        where = self._place(channel)
        found = payloads.channel(where, self.world.guild)
        if where.is_thread and where.joined:
            found["member"] = payloads.thread_member(where, self.world.bot)
        return encode(found)

    def _messages(self, query: Query, channel: int) -> bytes:
        """Returns messages, newest first. Without Read Message History, Discord returns none instead of an error."""
        where = self._place(channel)
        if where.kind in {"category", "forum", "media"}:
            raise _wrong_kind()
        self._connects(where)
        low, high = self._page(where.numbers, query)
        if not self._may(where, "READ_MESSAGE_HISTORY"):
            return b"[]"
        return b"[" + b",".join(map(self._render, where.messages[low:high][::-1])) + b"]"

    def _page(self, numbers: list[int], query: Query) -> tuple[int, int]:
        """Returns the range of a page among a channel's messages."""
        limit, end = _limit(query, 100, 50), len(numbers)
        around, before, after = (_snowflake(query, name) for name in ("around", "before", "after"))
        if around is not None:
            low = max(0, bisect_left(numbers, around) - limit // 2)
            return low, min(end, low + limit)
        if before is not None:
            high = bisect_left(numbers, before)
            return max(0, high - limit), high
        if after is not None:
            low = bisect_right(numbers, after)
            return low, min(end, low + limit)
        return max(0, end - limit), end

    def _message(self, _query: Query, channel: int, message: int) -> bytes:
        """Returns one message."""
        where = self._place(channel)
        self._connects(where)
        if not self._may(where, "READ_MESSAGE_HISTORY"):
            raise _no_access()
        at = bisect_left(where.numbers, message)
        if at == len(where.numbers) or where.numbers[at] != message:
            raise _unknown("message")
        return self._render(where.messages[at])

    def _connects(self, where: Channel) -> None:
        if where.kind in {"voice", "stage"} and not self._may(where, "CONNECT"):
            raise _no_access()

    def _render(self, message: Message) -> bytes:
        w = self.world
        return message_bytes(message, w.guild, reader=w.bot, content=w.content_intent, remember=w.remember)

    def _may(self, where: Channel, permission: str) -> bool:
        """Returns whether the bot has a permission in a channel."""
        return bool(
            permissions(self.world.bot, where, self.world.everyone, self.world.owner)
            & PERMISSIONS[permission]
        )

    def _sees(self, where: Channel) -> bool:
        """Returns whether the bot sees a channel or thread."""
        if not self._may(where, "VIEW_CHANNEL"):
            return False
        return where.kind != "private_thread" or where.joined or self._may(where, "MANAGE_THREADS")

    def _place(self, channel: int) -> Channel:
        """Returns a channel, or refuses as Discord does."""
        where = self.world.channels.get(channel)
        if where is None:
            raise _unknown("channel")
        if not self._sees(where):
            raise _no_access()
        return where


def _moment(text: str) -> int:
    """Returns a time of the query in milliseconds since 1970."""
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise _invalid(
            "before", "DATE_TIME_TYPE_PARSE", f"Could not parse {text}. Should be ISO8601."
        ) from None
