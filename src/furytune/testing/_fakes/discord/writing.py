"""The endpoints of Discord's API v10 that change something: messages, threads, reactions, commands, interactions."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from furytune.testing._fakes.discord import payloads
from furytune.testing._fakes.discord.interactions import Interaction, People
from furytune.testing._fakes.discord.messages import command, encode, message_bytes, reaction, reference
from furytune.testing._fakes.discord.model import Channel, Message
from furytune.testing._fakes.discord.service import Answer, ApiError, Query, Service

__all__ = ["LIMITS", "Writing"]

LIMITS = {
    "POST /channels/{channel}/messages": (5, 5.0),
    "PATCH /channels/{channel}/messages/{message}": (5, 5.0),
    "DELETE /channels/{channel}/messages/{message}": (5, 1.0),
    "POST /channels/{channel}/typing": (5, 5.0),
    "PUT /channels/{channel}/messages/{message}/reactions/{emoji}/@me": (1, 0.25),
}
"""Limits of routes and their windows in seconds, as bots see them on the real service."""

_LONGEST = 2000
_CHANNEL_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _FORM = 4, 5, 6, 7, 9
_EPHEMERAL, _LOADING = 1 << 6, 1 << 7
_PATIENCE = 3.0  # seconds for the first answer to an interaction
_LASTS = 900.0  # seconds in which an interaction can be answered
_NONCES = 120.0  # seconds in which a nonce is unique
_PINGS = re.compile(r"<@!?(\d+)>")
_ROLE_PINGS = re.compile(r"<@&(\d+)>")

Run = Callable[[Query], Answer]


def _invalid(name: str, code: str, message: str) -> ApiError:
    errors = {name: {"_errors": [{"code": code, "message": message}]}}
    return ApiError(400, 50_035, "Invalid Form Body", errors=errors)


class Writing(Service):
    """Answers requests that read and change a Discord server.

    Args:
        world: The server.
        violations: Notes what a bot should not do.
        obfuscate: As in `Service`.
    """

    def __init__(self, world: People, violations: list[str], *, obfuscate: bool = False) -> None:
        super().__init__(world, obfuscate=obfuscate)
        self.people, self._violations = world, violations
        self._nonces: dict[tuple[int, str], tuple[float, Message]] = {}
        self._writes: list[tuple[str, str, re.Pattern[str], Callable[..., Any]]] = []
        for method, route, answer in (
            ("POST", "/channels/{channel}/messages", self._post),
            ("PATCH", "/channels/{channel}/messages/{message}", self._edit),
            ("DELETE", "/channels/{channel}/messages/{message}", self._delete),
            ("POST", "/channels/{channel}/typing", self._type),
            ("POST", "/channels/{channel}/messages/{message}/threads", self._start_thread),
            ("PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me", self._react),
            ("DELETE", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me", self._unreact),
            ("GET", "/applications/{application}/commands", self._commands),
            ("PUT", "/applications/{application}/commands", self._register),
            ("POST", "/interactions/{interaction}/{token}/callback", self._callback),
            ("POST", "/webhooks/{application}/{token}", self._follow_up),
            ("GET", "/webhooks/{application}/{token}/messages/{which}", self._read_response),
            ("PATCH", "/webhooks/{application}/{token}/messages/{which}", self._edit_response),
            ("DELETE", "/webhooks/{application}/{token}/messages/{which}", self._delete_response),
        ):
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route) + "$")
            self._writes.append((method, route, pattern, answer))

    def write(self, method: str, path: str, body: Any) -> tuple[str, str, Run] | None:
        """Returns the route of a request, its major parameter and the function that answers it."""
        for verb, route, pattern, answer in self._writes:
            found = pattern.match(path)
            if found and verb == method:
                values = {name: unquote(text) for name, text in found.groupdict().items()}
                return f"{verb} {route}", values.get("channel", ""), self._run(answer, values, body)
        return None

    def _run(self, answer: Callable[..., Any], values: dict[str, str], body: Any) -> Run:
        def run(query: Query) -> Answer:
            with self.world.lock:
                try:
                    given: dict[str, Any] = dict(values)
                    for name in ("channel", "message", "interaction", "application"):
                        if name in given and not given[name].isdigit():
                            raise _invalid(
                                f"{name}_id", "NUMBER_TYPE_COERCE", f'Value "{given[name]}" is not snowflake.'
                            )
                    for name in ("channel", "message"):
                        if name in given:
                            given[name] = int(given[name])
                    found = answer(query, body or {}, **given)
                except ApiError as refusal:
                    return refusal.answer
                return Answer(204, b"") if found is None else Answer(200, found)

        return run

    # Messages

    def _must(self, where: Channel, *permissions: str) -> None:
        if not all(self._may(where, p) for p in permissions):
            raise ApiError(403, 50_013, "Missing Permissions")

    def _checked(self, body: dict[str, Any], *, empty: bool = False) -> str:
        """Returns the text of a message to post, or refuses it."""
        content = str(body.get("content") or "").strip()  # as Discord does
        if len(content) > _LONGEST:
            raise _invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {_LONGEST} or fewer in length.")
        if not content.strip() and not body.get("components") and not empty:
            raise ApiError(400, 50_006, "Cannot send an empty message")
        return content

    def _post(self, _query: Query, body: dict[str, Any], *, channel: int) -> bytes:
        where = self._place(channel)
        if where.kind in {"category", "forum", "media"}:
            raise ApiError(400, 50_008, "Cannot send messages in a non-text channel")
        self._must(where, "SEND_MESSAGES_IN_THREADS" if where.is_thread else "SEND_MESSAGES")
        if where.archived and where.locked:
            raise ApiError(400, 50_083, "Thread is archived")
        content = self._checked(body)
        nonce = str(body.get("nonce") or "")
        if len(nonce) > 25:
            raise _invalid("nonce", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        if nonce and body.get("enforce_nonce"):
            made, known = self._nonces.get((channel, nonce), (0.0, None))
            if known is not None and time.monotonic() - made < _NONCES and not known.deleted:
                return self._render(known)
        to = self._referenced(where, body.get("message_reference"))
        if where.archived:
            where.archived = False
        message = self._add(where, content, body, reply_to=to)
        if nonce:
            self._nonces[channel, nonce] = (time.monotonic(), message)
        return self._render(message)

    def _referenced(self, where: Channel, about: Any) -> Message | None:
        if not about:
            return None
        number = int(about["message_id"])
        found = next((m for m in where.messages if m.number == number), None)
        if found is None and about.get("fail_if_not_exists", True):
            raise _invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        if found is not None:
            self._must(where, "READ_MESSAGE_HISTORY")
        return found

    def _add(
        self,
        where: Channel,
        content: str,
        body: dict[str, Any],
        *,
        reply_to: Message | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Message:
        w = self.world
        message = Message(w._number(), where, w.bot, content, reply_to=reply_to)  # noqa: SLF001
        more: dict[str, Any] = dict(extra or {})
        if body.get("components"):
            more["components"] = body["components"]
        if body.get("flags"):
            more["flags"] = body["flags"]
        if reply_to is not None:
            message.type = 19
            more |= reference(reply_to, w.guild)
        if extra:
            message.type = 20
        found = (w.users.get(int(n)) for n in _PINGS.findall(content))
        message.mentions = tuple(dict.fromkeys(u for u in found if u is not None))
        message.extra = more or None
        self._ping(message, body, reply_to)
        w._append(where, message)  # noqa: SLF001
        return message

    def _ping(self, message: Message, body: dict[str, Any], reply_to: Message | None) -> None:
        """Notes whom a message notifies."""
        allowed = body.get("allowed_mentions")
        parse = ["users", "roles", "everyone"] if allowed is None else allowed.get("parse", [])
        allowed = allowed or {}
        pings = self.people.pings
        if "everyone" in parse and re.search("@(everyone|here)", message.content):
            pings.append((message, "everyone"))
        for kind, pattern in (("users", _PINGS), ("roles", _ROLE_PINGS)):
            for number in pattern.findall(message.content):
                if kind in parse or number in map(str, allowed.get(kind, [])):
                    pings.append((message, number))
        replied = allowed.get("replied_user", body.get("allowed_mentions") is None)
        if reply_to is not None and replied:
            pings.append((message, reply_to.author.id))

    def _own(self, where: Channel, message: int) -> Message:
        at = bisect_left(where.numbers, message)
        if at == len(where.numbers) or where.numbers[at] != message:
            raise ApiError(404, 10_008, "Unknown Message")
        return where.messages[at]

    def _edit(self, _query: Query, body: dict[str, Any], *, channel: int, message: int) -> bytes:
        found = self._own(self._place(channel), message)
        if found.author is not self.world.bot:
            raise ApiError(403, 50_005, "Cannot edit a message authored by another user")
        self._change(found, body)
        return self._render(found)

    def _change(self, found: Message, body: dict[str, Any]) -> None:
        extra = dict(found.extra or {})
        if "components" in body:
            extra["components"] = body["components"] or []
        if "flags" in body:
            extra["flags"] = body["flags"] or 0
        if "content" in body:
            content = self._checked(body, empty=bool(extra.get("components")))
        else:
            content = found.content
        found.extra = extra or None
        self.world.edit(found, content)

    def _delete(self, _query: Query, _body: Any, *, channel: int, message: int) -> None:
        where = self._place(channel)
        found = self._own(where, message)
        if found.author is not self.world.bot:
            self._must(where, "MANAGE_MESSAGES")
        self.world.delete(found)

    def _type(self, _query: Query, _body: Any, *, channel: int) -> None:
        where = self._place(channel)
        self._must(where, "SEND_MESSAGES_IN_THREADS" if where.is_thread else "SEND_MESSAGES")

    def _start_thread(self, _query: Query, body: dict[str, Any], *, channel: int, message: int) -> bytes:
        where = self._place(channel)
        if where.kind not in {"text", "announcement"}:
            raise ApiError(400, 50_024, "Cannot execute action on this channel type")
        self._must(where, "CREATE_PUBLIC_THREADS")
        starter = self._own(where, message)
        if starter.thread is not None:
            raise ApiError(400, 160_004, "A thread has already been created for this message")
        name = str(body.get("name") or "")
        if not 1 <= len(name) <= 100:
            raise _invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        thread = self.world.add_thread(where, name, author=self.world.bot, starter=starter, joined=True)
        self.world.tell("MESSAGE_UPDATE", starter)
        return encode(
            payloads.channel(thread, self.world.guild)
            | {"member": payloads.thread_member(thread, self.world.bot)}
        )

    def _react(self, _query: Query, _body: Any, *, channel: int, message: int, emoji: str) -> None:
        where = self._place(channel)
        self._must(where, "ADD_REACTIONS", "READ_MESSAGE_HISTORY")
        found = self._own(where, message)
        self._count(found, emoji, 1)
        self.world.tell("MESSAGE_REACTION_ADD", (found, self.world.bot, emoji))

    def _unreact(self, _query: Query, _body: Any, *, channel: int, message: int, emoji: str) -> None:
        self._count(self._own(self._place(channel), message), emoji, -1)

    def _count(self, found: Message, emoji: str, step: int) -> None:
        extra = dict(found.extra or {})
        rest = [r for r in extra.get("reactions", []) if r["emoji"]["name"] != emoji]
        count = sum(r["count"] for r in extra.get("reactions", []) if r["emoji"]["name"] == emoji) + step
        found.extra = extra | {"reactions": [*rest, *([reaction(emoji, count)] if count > 0 else [])]}
        found.core = b""

    # Commands and interactions

    def _commands(self, _query: Query, _body: Any, *, application: str) -> bytes:
        return encode(self.people.commands)

    def _register(self, _query: Query, body: Any, *, application: str) -> bytes:
        kept = {(c["name"], c.get("type", 1)): c["id"] for c in self.people.commands}
        self.people.commands = [
            {"type": 1, "description": "", "version": "1", "default_member_permissions": None}
            | {k: v for k, v in c.items() if v is not None or k == "default_member_permissions"}
            | {
                "id": kept.get((c["name"], c.get("type", 1))) or str(self.world._number()),  # noqa: SLF001
                "application_id": application,
            }
            for c in body
        ]
        return encode(self.people.commands)

    def _interaction(self, token: str) -> Interaction:
        found = self.people.interactions.get(token)
        if found is None:
            raise ApiError(404, 10_062, "Unknown interaction")
        return found

    def _callback(self, query: Query, body: dict[str, Any], *, interaction: str, token: str) -> bytes | None:
        found = self._interaction(token)
        waited = time.monotonic() - found.at
        if found.id != interaction or waited > _PATIENCE:
            self._violations.append(f"the interaction was answered after {waited:.1f} s")
            raise ApiError(404, 10_062, "Unknown interaction")
        if found.answer is not None:
            raise ApiError(400, 40_060, "Interaction has already been acknowledged.")
        kind, data = body["type"], body.get("data") or {}
        if kind == _FORM:
            found.form = data
        elif kind == _UPDATE and found.message is not None:
            self._change(found.message, data)
        elif kind in {_CHANNEL_MESSAGE, _DEFERRED}:
            self._respond(found, data, waits=kind == _DEFERRED)
        elif kind != _DEFERRED_UPDATE:
            raise _invalid("type", "BASE_TYPE_CHOICES", "Value must be one of the known types.")
        found.answer = body
        if query.get("with_response") not in {"1", "true"}:
            return None
        about = {"id": found.id, "type": found.kind}
        callback: dict[str, Any] = {"interaction": about}
        if found.response is not None:
            import msgspec

            about |= {"response_message_id": found.response.id}
            callback["resource"] = {"type": kind, "message": msgspec.Raw(self._render(found.response))}
        return encode(callback)

    def _respond(self, found: Interaction, data: dict[str, Any], *, waits: bool) -> None:
        if int(data.get("flags") or 0) & _EPHEMERAL:
            found.private.append("" if waits else self._checked(data))
            return
        extra = command(
            found.number, self.world.bot, found.data.get("name", ""), found.user, self.world.guild
        )
        content = "" if waits else self._checked(data)
        body = data | {"flags": int(data.get("flags") or 0) | (_LOADING if waits else 0)}
        found.response = self._add(found.channel, content, body, extra=extra)

    def _open(self, token: str) -> Interaction:
        found = self._interaction(token)
        if found.answer is None or time.monotonic() - found.at > _LASTS:
            raise ApiError(404, 10_015, "Unknown Webhook")
        return found

    def _follow_up(self, _query: Query, body: dict[str, Any], *, application: str, token: str) -> bytes:
        found = self._open(token)
        content = self._checked(body)
        if int(body.get("flags") or 0) & _EPHEMERAL:
            found.private.append(content)
            shown = Message(self.world._number(), found.channel, self.world.bot, content)  # noqa: SLF001
            return message_bytes(shown, self.world.guild, reader=self.world.bot, content=True, remember=False)
        extra = command(
            found.number, self.world.bot, found.data.get("name", ""), found.user, self.world.guild
        )
        return self._render(self._add(found.channel, content, body, extra=extra))

    def _response(self, token: str, which: str) -> Message:
        found = self._open(token)
        if which == "@original" and found.response is not None:
            return found.response
        if which.isdigit():
            return self._own(found.channel, int(which))
        raise ApiError(404, 10_008, "Unknown Message")

    def _read_response(self, _query: Query, _body: Any, *, application: str, token: str, which: str) -> bytes:
        return self._render(self._response(token, which))

    def _edit_response(
        self,
        _query: Query,
        body: dict[str, Any],
        *,
        application: str,
        token: str,
        which: str,
    ) -> bytes:
        found = self._open(token)
        if which == "@original" and found.response is None and found.private:
            found.private[0] = self._checked(body)
            shown = Message(found.number, found.channel, self.world.bot, found.private[0])
            return message_bytes(shown, self.world.guild, reader=self.world.bot, content=True, remember=False)
        message = self._response(token, which)
        self._change(message, body)
        return self._render(message)

    def _delete_response(
        self, _query: Query, _body: Any, *, application: str, token: str, which: str
    ) -> None:
        self.world.delete(self._response(token, which))
