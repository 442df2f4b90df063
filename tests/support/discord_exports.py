"""Makes small DiscordChatExporter exports in many layouts, for the tests of the collector."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from furytune.pairing import ReplyPairer, ThreadPairer

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
START = datetime(2024, 3, 1, 12, tzinfo=UTC)

PAIRERS = (ThreadPairer(), ReplyPairer())
"""They follow threads and replies and weigh no words, so a test about reading files may say anything in its messages."""


def snowflake(minutes: float, low: int = 0) -> str:
    """Id of a message sent some minutes after START."""
    moment = START + timedelta(minutes=minutes) - EPOCH
    return str((int(moment.total_seconds() * 1000) << 22) + low)


def message(
    minutes: float, who: str, content: str, *, reply: str | None = None, low: int = 0, **more: Any
) -> dict[str, Any]:
    """A message as the exporter writes it; `who` ends with "bot" for a bot."""
    uid = str(more.pop("id", snowflake(minutes, low)))
    found: dict[str, Any] = {
        "id": uid,
        "type": "Reply" if reply is not None else "Default",
        "timestamp": (START + timedelta(minutes=minutes)).isoformat(),
        "timestampEdited": None,
        "callEndedTimestamp": None,
        "isPinned": False,
        "content": content,
        "author": {
            "id": str(1000 + zlib.crc32(who.encode())),
            "name": who,
            "discriminator": "0000",
            "nickname": who.title(),
            "color": None,
            "isBot": who.endswith("bot"),
            "roles": [{"id": "5", "name": "Helper", "color": "#fff", "position": 1}],
            "avatarUrl": "https://example.org/a.png",
        },
        "attachments": [],
        "embeds": [],
        "stickers": [],
        "reactions": [],
        "mentions": [],
    }
    if reply is not None:
        found["reference"] = {"messageId": reply or None, "channelId": "77", "guildId": "1"}
    found["inlineEmojis"] = []
    found.update(more)
    return found


def export(
    messages: list[dict[str, Any]],
    *,
    channel: str | None = "77",
    kind: str = "GuildTextChat",
    parent: str = "70",
) -> dict[str, Any]:
    """The root object of an export."""
    return {
        "guild": {"id": "1", "name": "A guild", "iconUrl": "https://example.org/i.png"},
        "channel": {
            "id": channel,
            "type": kind,
            "categoryId": parent,
            "category": "Help",
            "name": "help",
            "topic": None,
        },
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-01-01T00:00:00+00:00",
        "messages": messages,
        "messageCount": len(messages),
    }


def thread(messages: list[dict[str, Any]], *, channel: str = "88") -> dict[str, Any]:
    """The root object of a thread's own export."""
    return export(messages, channel=channel, kind="GuildPublicThread", parent="77")


LAYOUTS = {
    "two": lambda root: json.dumps(root, ensure_ascii=False, indent=2),
    "four": lambda root: json.dumps(root, ensure_ascii=False, indent=4),
    "tab": lambda root: json.dumps(root, ensure_ascii=False, indent="\t"),
    "none": lambda root: json.dumps(root, ensure_ascii=False, indent=0),
    "compact": lambda root: json.dumps(root, ensure_ascii=False, separators=(",", ":")),
    "one line": lambda root: json.dumps(root, ensure_ascii=False),
    "escaped": lambda root: json.dumps(root, ensure_ascii=True, indent=2),
    "crlf": lambda root: json.dumps(root, ensure_ascii=False, indent=2).replace("\n", "\r\n"),
    "bom": lambda root: "\ufeff" + json.dumps(root, ensure_ascii=False, indent=2),
    "sorted keys": lambda root: json.dumps(root, ensure_ascii=False, indent=2, sort_keys=True),
    "sorted compact": lambda root: json.dumps(
        root, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ),
    "messages first": lambda root: json.dumps(
        {"messages": root["messages"], **root}, ensure_ascii=False, indent=2
    ),
    "trailing space": lambda root: json.dumps(root, ensure_ascii=False, indent=2) + " \n\r\n\t",
}
"""Renderings of a root object; all are the same JSON."""


def write(path: Path, root: dict[str, Any], layout: str = "two") -> Path:
    """Writes an export; gzip if the name says so."""
    data = LAYOUTS[layout](root).encode("utf-8", "surrogatepass")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
