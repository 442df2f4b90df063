"""The gateway: tells a bot over a websocket what happens, and resumes a connection that broke.

Source: Discord's documentation, topics "Gateway" and "Gateway Events".
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import msgspec
from attrs import define, field

from furytune.testing._fakes.discord import payloads
from furytune.testing._fakes.discord.interactions import Interaction, People
from furytune.testing._fakes.discord.messages import encode, message_bytes
from furytune.testing._fakes.discord.model import PERMISSIONS, Channel, Message, iso, permissions

__all__ = ["Gateway", "Session"]

_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID, _HELLO, _ACK = 0, 1, 2, 6, 7, 9, 10, 11
_GUILDS, _MEMBERS, _GUILD_MESSAGES, _REACTIONS = 1 << 0, 1 << 1, 1 << 9, 1 << 10
_DIRECT, _DIRECT_REACTIONS, _CONTENT = 1 << 12, 1 << 13, 1 << 15
_KEPT = 1000


@define(eq=False)
class Session:
    """What a bot is told, in order, also while its connection is broken.

    Attributes:
        id: Its id, with which a bot resumes it.
        intents: What the bot wants to be told.
        sequence: Number of the last event.
        events: The last events, with their numbers.
        socket: The connection, None while there is none.
    """

    id: str
    intents: int
    sequence: int = 0
    events: list[tuple[int, str]] = field(factory=list, repr=False)
    socket: Any = field(default=None, repr=False)


class Gateway:
    """Serves the websocket of a Discord server.

    Args:
        world: The server.
        token: The only token that is accepted.
        heartbeat: Seconds between two heartbeats.

    Attributes:
        sessions: All sessions that can be resumed, by id.
        identified: How often a bot began a session.
        resumed: How often a bot resumed one.
        closed: While true, it refuses connections.
        deaf: While true, it neither reads nor sends, although connections stay open.
    """

    def __init__(self, world: People, token: str, heartbeat: float) -> None:
        self._world, self._token, self._heartbeat = world, token, heartbeat
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sockets: dict[Any, Any] = {}
        self.sessions: dict[str, Session] = {}
        self.identified = self.resumed = 0
        self.closed = self.deaf = False
        world.listeners.append(self._heard)

    def open(self, url: str) -> None:
        """Begins to serve, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._world.gateway = url

    async def close(self) -> None:
        """Ends all connections."""
        for socket in list(self._sockets):
            await socket.close(code=1001)

    def drop(self) -> None:
        """Breaks all connections, as a network does."""
        self._soon(lambda: [transport.abort() for transport in self._sockets.values()])

    def forget(self) -> None:
        """Forgets all sessions and breaks their connections, so that none can be resumed."""

        def run() -> None:
            self.sessions.clear()
            for transport in self._sockets.values():
                transport.abort()

        self._soon(run)

    def ask_to_reconnect(self) -> None:
        """Asks all bots to connect again and resume, as before a restart of the gateway."""
        self._tell_all({"op": _RECONNECT, "d": None})

    def invalidate(self) -> None:
        """Says that all sessions are lost, so that bots begin new ones."""
        self._soon(self.sessions.clear)
        self._tell_all({"op": _INVALID, "d": False})

    def _tell_all(self, payload: dict[str, Any]) -> None:
        def run() -> None:
            for socket in list(self._sockets):
                _keep(asyncio.ensure_future(_send(socket, encode(payload).decode())))

        self._soon(run)

    def _soon(self, work: Any) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    async def serve(self, request: Any) -> Any:
        """Serves one connection until its end."""
        from aiohttp import WSMsgType, web

        if self.closed:
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=4096)
        await socket.prepare(request)
        self._sockets[socket] = request.transport
        mine: Session | None = None
        try:
            hello = {
                "op": _HELLO,
                "s": None,
                "t": None,
                "d": {"heartbeat_interval": round(self._heartbeat * 1000)},
            }
            await _send(socket, encode(hello).decode())
            async for frame in socket:
                if self.deaf or frame.type is not WSMsgType.TEXT:
                    continue
                said = msgspec.json.decode(frame.data)
                if said["op"] == _HEARTBEAT:
                    await _send(socket, encode({"op": _ACK}).decode())
                elif said["op"] in {_IDENTIFY, _RESUME}:
                    mine = await self._begin(socket, said["op"], said["d"])
        finally:
            self._sockets.pop(socket, None)
            if mine is not None and mine.socket is socket:
                mine.socket = None
        return socket

    async def _begin(self, socket: Any, op: int, said: dict[str, Any]) -> Session | None:
        """Begins or resumes a session."""
        if said["token"] != self._token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return None
        if op == _RESUME:
            session = self.sessions.get(said["session_id"])
            if session is None:
                await _send(socket, encode({"op": _INVALID, "d": False}).decode())
                return None
            self.resumed += 1
            session.socket = None
            for number, text in list(session.events):
                if number > said["seq"]:
                    await _send(socket, text)
            session.socket = socket
            self._event(session, "RESUMED", {})
            return session
        wanted, world = said["intents"], self._world
        if (wanted & _CONTENT and not world.content_intent) or (
            wanted & _MEMBERS and not world.members_intent
        ):
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return None
        self.identified += 1
        session = Session(secrets.token_hex(8), wanted, socket=socket)
        with world.lock:
            self.sessions[session.id] = session
            app = payloads.application(
                world.bot, world.owner, content=world.content_intent, members=world.members_intent
            )
            ready = {
                "v": 10,
                "user": payloads.myself(world.bot),
                "guilds": [{"id": world.guild, "unavailable": True}],
                "session_id": session.id,
                "session_type": "normal",
                "resume_gateway_url": world.gateway,
                "shard": [0, 1],
                "application": {"id": app["id"], "flags": app["flags"]},
                "private_channels": [],
            }
            self._event(session, "READY", ready)
            self._event(session, "GUILD_CREATE", self._guild())
        return session

    def _guild(self) -> dict[str, Any]:
        w = self._world
        places = [c for c in w.channels.values() if c.kind != "dm"]
        threads = [
            payloads.channel(c, w.guild) for c in places if c.is_thread and self._sees(c) and not c.archived
        ]
        return payloads.guild(w.guild_number, w.name, w.owner, list(w.roles.values()), counts=None) | {
            "joined_at": iso(w.bot.joined),
            "large": False,
            "unavailable": False,
            "member_count": sum(u.member for u in w.users.values()),
            "voice_states": [],
            "members": [payloads.member(w.bot)],
            "channels": [payloads.channel(c, w.guild) for c in places if not c.is_thread],
            "threads": threads,
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _sees(self, where: Channel) -> bool:
        w = self._world
        return bool(permissions(w.bot, where, w.everyone, w.owner) & PERMISSIONS["VIEW_CHANNEL"])

    def _heard(self, event: str, about: Any) -> None:
        """Tells every session what happened; called while the world is locked."""
        for session in list(self.sessions.values()):
            payload = self._payload(session, event, about)
            if payload is not None:
                self._event(session, event, payload)

    def _payload(self, session: Session, event: str, about: Any) -> Any:
        """Returns an event as a session gets it, None if it does not."""
        w = self._world
        if event == "INTERACTION_CREATE":
            assert isinstance(about, Interaction)
            return w.interaction_payload(about)
        if event == "THREAD_CREATE":
            wanted = session.intents & _GUILDS and self._sees(about)
            return payloads.channel(about, w.guild) | {"newly_created": True} if wanted else None
        if event.startswith("MESSAGE_REACTION"):
            message, who, emoji = about
            return self._reaction(session, message, who, emoji)
        message = about
        direct = message.channel.kind == "dm"
        if not session.intents & (_DIRECT if direct else _GUILD_MESSAGES) or not self._sees(message.channel):
            return None
        where = {"channel_id": message.channel.id} | ({} if direct else {"guild_id": w.guild})
        if event == "MESSAGE_DELETE":
            return {"id": message.id} | where
        content = bool(session.intents & _CONTENT) or direct
        shown = message_bytes(message, w.guild, reader=w.bot, content=content, remember=False)
        payload = msgspec.json.decode(shown) | where
        nonce = getattr(message, "nonce", "")
        if nonce:
            payload["nonce"] = nonce
        if not direct and not message.author.webhook:
            payload["member"] = {k: v for k, v in payloads.member(message.author).items() if k != "user"}
        return payload

    def _reaction(self, session: Session, message: Message, who: Any, emoji: str) -> Any:
        direct = message.channel.kind == "dm"
        if not session.intents & (_DIRECT_REACTIONS if direct else _REACTIONS):
            return None
        payload = {
            "user_id": who.id,
            "type": 0,
            "message_id": message.id,
            "message_author_id": message.author.id,
            "emoji": {"id": None, "name": emoji},
            "channel_id": message.channel.id,
            "burst": False,
        }
        return (
            payload if direct else payload | {"guild_id": self._world.guild, "member": payloads.member(who)}
        )

    def _event(self, session: Session, event: str, payload: Any) -> None:
        """Puts an event at the end of a session, and sends it."""
        # The caller may be in any thread. Its lock makes the order of the numbers that of the events.
        with self._world.lock:
            session.sequence += 1
            text = encode({"op": _DISPATCH, "s": session.sequence, "t": event, "d": payload}).decode()
            session.events.append((session.sequence, text))
            del session.events[:-_KEPT]
            self._soon(lambda: self._push(session, text))

    def _push(self, session: Session, text: str) -> None:
        if session.socket is not None and not self.deaf:
            _keep(asyncio.ensure_future(_send(session.socket, text)))


_TASKS: set[asyncio.Future[None]] = set()


def _keep(task: asyncio.Future[None]) -> None:
    """Keeps a task from being collected before its end."""
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


async def _send(socket: Any, text: str) -> None:
    try:
        await socket.send_str(text)
    except (ConnectionError, RuntimeError):  # the connection broke, and a resumed one gets the event again
        return
