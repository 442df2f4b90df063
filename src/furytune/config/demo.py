"""A small made-up community, to see furytune at work without an account."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from furytune._privacy.printable import printable
from furytune._storage.durable import make_folder, write_file
from furytune.config.drafting import DEMO, draft, write_draft
from furytune.config.settings import NAME, Settings, load_settings
from furytune.errors import ConfigError

__all__ = ["QUESTION", "write_demo"]

QUESTION = "How do I place boxes side by side?"
"""A question that the demo's documentation answers."""

_BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_GUILD = {"id": "900000000000000001", "name": "Inkpot", "iconUrl": ""}


def write_demo(folder: str | os.PathLike[str]) -> Settings:
    """Writes a chat export, documentation and a settings file. The people and their project are made up.

    Args:
        folder: Where to write them. It must be missing, empty, or the folder of an earlier demo. Without the extra ``rag``,
            the settings have no retrieval.

    Raises:
        ConfigError: The folder contains something else, or cannot be written.
    """
    root = Path(folder)
    try:
        if root.exists() and any(root.iterdir()) and not (root / DEMO).exists():
            raise ConfigError(
                f"{printable(root)}: this folder is not empty; give the demo a folder of its own"
            )
        source = files("furytune.config") / "_demo"
        make_folder(root / "exports")
        make_folder(root / "docs")
        write_file(
            root / DEMO, b"Written by `furytune demo`. Delete this folder when you have seen enough.\n"
        )
        for channel, content in _exports((source / "chat.txt").read_text(encoding="utf-8")).items():
            write_file(root / "exports" / f"Inkpot - {channel}.json", content)
        for page in sorted((source / "docs").iterdir(), key=lambda one: one.name):
            write_file(root / "docs" / page.name, page.read_bytes())
    except OSError as error:
        raise ConfigError(f"{printable(root)}: cannot be written: {error.strerror}") from None
    folders = ["exports", "docs"] if find_spec("lancedb") else ["exports"]
    made = draft(*(root / name for name in folders), base=root)
    write_draft(made, root / NAME, replace=True)
    return load_settings(root / NAME, environment={})


def _exports(chat: str) -> dict[str, bytes]:
    """Returns the chat as DiscordChatExporter writes it, by channel."""
    channels: dict[str, list[dict[str, Any]]] = {}
    ids: dict[int, str] = {}
    for number, line in enumerate(chat.splitlines(), 1):
        if line.startswith("#"):
            continue
        channel, minute, author, answers, text = line.split("|", 4)
        at = _BEGAN + timedelta(minutes=int(minute))
        # As Discord's ids, these contain their time.
        ids[number] = str((int((at - _EPOCH).total_seconds() * 1000) << 22) + number)
        message: dict[str, Any] = {
            "id": ids[number],
            "type": "Reply" if answers else "Default",
            "timestamp": at.isoformat(timespec="milliseconds"),
            "timestampEdited": None,
            "isPinned": False,
            "content": text.replace("\\n", "\n"),
            "author": _author(author),
            "attachments": [],
            "embeds": [],
            "reactions": [],
            "mentions": [],
        }
        if answers:
            message["reference"] = {
                "messageId": ids[int(answers)],
                "channelId": _id(channel),
                "guildId": _GUILD["id"],
            }
        channels.setdefault(channel, []).append(message)
    return {channel: _export(channel, messages) for channel, messages in channels.items()}


def _author(name: str) -> dict[str, Any]:
    return {
        "id": _id(name),
        "name": name.lower(),
        "discriminator": "0000",
        "nickname": name,
        "isBot": False,
        "roles": [],
    }


def _id(name: str) -> str:
    """Returns a made-up id of 18 digits."""
    number = int.from_bytes(blake2b(name.encode(), digest_size=7).digest(), "big")
    return str(9 * 10**17 + number % 10**17)


def _export(channel: str, messages: list[dict[str, Any]]) -> bytes:
    content = {
        "guild": _GUILD,
        "channel": {
            "id": _id(channel),
            "type": "GuildTextChat",
            "categoryId": None,
            "category": "Community",
            "name": channel,
            "topic": None,
        },
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-03-09T08:00:00+00:00",
        "messages": messages,
        "messageCount": len(messages),
    }
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"
