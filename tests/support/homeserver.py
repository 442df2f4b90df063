"""A homeserver of Matrix on loopback: one account, a script of what it receives, and the messages that it sent."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote

from furytune.testing._fakes.loopback import Recorded, Rehearsal, Reply

BOT = "@helper:example.org"
TOKEN = "syt_rehearsal"
ROOM = "!help:example.org"

Batch = dict[str, Any]


class Homeserver(Rehearsal):
    """Delivers one batch for each sync, and then no longer accepts the token, which ends a client's loop.

    Args:
        batches: What each sync delivers, made by `joined` or `invited`; the first is what there was before the client came.

    Attributes:
        sent: Room and content of each message, by transaction; the same transaction counts once.
        joins: Rooms that were joined.
    """

    def __init__(self, *batches: Batch) -> None:
        super().__init__(self._answer)
        self._batches = batches
        self.sent: dict[str, tuple[str, dict[str, Any]]] = {}
        self.joins: list[str] = []

    def _answer(self, asked: Recorded) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _unknown()
        version, _, path = asked.path.removeprefix("/_matrix/client/").partition("/")
        parts = [unquote(part) for part in path.split("/")]
        if version not in ("r0", "v3"):
            return Reply(404, {"errcode": "M_UNRECOGNIZED", "error": "unknown version"})
        match parts:
            case ["account", "whoami"]:
                return Reply(200, {"user_id": BOT, "device_id": "DEVICE"})
            case ["sync"]:
                number = int(asked.query.get("since", "s0")[1:])
                if number == len(self._batches):
                    return _unknown()
                return Reply(200, {"next_batch": f"s{number + 1}", "rooms": self._batches[number]})
            case ["rooms", room, "send", "m.room.message", transaction]:
                self.sent.setdefault(transaction, (room, asked.body))
                return Reply(200, {"event_id": f"$answer-{len(self.sent)}"})
            case ["join", room] | ["rooms", room, "join"]:
                self.joins.append(room)
                return Reply(200, {"room_id": room})
        return Reply(404, {"errcode": "M_UNRECOGNIZED", "error": "unknown path"})


def _unknown() -> Reply:
    return Reply(
        401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Unrecognised access token", "soft_logout": False}
    )


def event(body: str, number: int = 1, *, sender: str = "@ann:example.org", **content: Any) -> dict[str, Any]:
    """A message that will be sent in an hour, so after every client's start."""
    return {
        "type": "m.room.message",
        "event_id": f"$event-{number}",
        "sender": sender,
        "origin_server_ts": int(time.time() * 1000) + 3_600_000,
        "content": {"msgtype": "m.text", "body": body, **content},
    }


def joined(*events: dict[str, Any], members: int = 3, encrypted: bool = False, room: str = ROOM) -> Batch:
    """A batch with messages of a room that the account is in."""
    state = [
        {
            "type": "m.room.encryption",
            "state_key": "",
            "event_id": "$encryption",
            "sender": "@ann:example.org",
            "origin_server_ts": 1,
            "content": {"algorithm": "m.megolm.v1.aes-sha2"},
        }
    ]
    return {
        "join": {
            room: {
                "summary": {
                    "m.heroes": [],
                    "m.joined_member_count": members,
                    "m.invited_member_count": 0,
                },
                "state": {"events": state if encrypted else []},
                "timeline": {"events": list(events), "limited": False, "prev_batch": "p"},
                "ephemeral": {"events": []},
                "account_data": {"events": []},
            }
        },
        "invite": {},
        "leave": {},
    }


def invited(room: str, sender: str) -> Batch:
    """A batch with an invitation."""
    member = {
        "type": "m.room.member",
        "state_key": BOT,
        "sender": sender,
        "content": {"membership": "invite", "is_direct": True},
    }
    return {"join": {}, "invite": {room: {"invite_state": {"events": [member]}}}, "leave": {}}
