"""Makes small exports of Slack, Mattermost and Zulip for tests."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from furytune.pairing import ReplyPairer, ThreadPairer

EXAMPLES = Path(__file__).parents[2] / "examples" / "chats"
PAIRERS = (ThreadPairer(), ReplyPairer())
"""They weigh no words, so a test about reading files may say anything in its messages."""


def put(path: Path, value: Any) -> Path:
    """Writes JSON, or text as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    path.write_bytes(data)
    return path


def zipped(folder: Path, to: Path, *, top: str = "") -> Path:
    """Packs a folder as its platform does."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, top + file.relative_to(folder).as_posix())
    return to


def tarred(folder: Path, to: Path) -> Path:
    with tarfile.open(to, "w:gz") as archive:
        archive.add(folder, arcname="zulip-export-x")
    return to


# Slack --------------------------------------------------------------------------------------------------------------

START = 1_714_550_400


def ts(second: float) -> str:
    return f"{START + second:.6f}"


def slack_message(second: float, user: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": user, "text": text, "ts": ts(second), **more}


def slack_thread(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    root = messages[0]
    return [{**one, "thread_ts": root["ts"]} for one in messages]


def slack_user(uid: str, name: str = "", **more: Any) -> dict[str, Any]:
    return {"id": uid, "team_id": "T0", "name": name or uid.lower(), "profile": {"real_name": name}, **more}


def slack_export(
    folder: Path, messages: Any, *, users: Any = (), channel: str = "help", day: str = "2024-05-01"
) -> Path:
    """One channel with one day."""
    put(folder / "channels.json", [{"id": f"C0{channel.upper()}", "name": channel}])
    put(folder / "users.json", [slack_user("U0ANN"), slack_user("U0BOB", is_admin=True), *users])
    put(folder / channel / f"{day}.json", messages)
    return folder


# Mattermost ---------------------------------------------------------------------------------------------------------


def mattermost_post(second: float, user: str, message: str, **more: Any) -> dict[str, Any]:
    return {
        "team": "spheres",
        "channel": "help",
        "user": user,
        "message": message,
        "create_at": int((START + second) * 1000),
        **more,
    }


def mattermost_export(folder: Path, posts: Any, *, more: Any = ()) -> Path:
    lines: list[Any] = [
        {"type": "version", "version": 1},
        {"type": "team", "team": {"name": "spheres", "display_name": "Sphere Makers"}},
        {
            "type": "channel",
            "channel": {"team": "spheres", "name": "help", "display_name": "Help", "type": "O"},
        },
        {"type": "user", "user": {"username": "ann", "roles": "system_user"}},
        {"type": "user", "user": {"username": "bob", "roles": "system_user system_admin"}},
        *more,
        *(post if isinstance(post, bytes) else {"type": "post", "post": post} for post in posts),
    ]
    data = b"".join(
        (line if isinstance(line, bytes) else json.dumps(line, separators=(",", ":")).encode()) + b"\n"
        for line in lines
    )
    return put(folder / "import.jsonl", data).parent


# Zulip --------------------------------------------------------------------------------------------------------------


def zulip_message(number: int, sender: int, topic: str, content: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "sender": sender,
        "recipient": 31,
        "subject": topic,
        "content": content,
        "date_sent": START + number * 1.0,
        **more,
    }


def zulip_export(folder: Path, messages: Any, **more: Any) -> Path:
    realm = {
        "zerver_realm": [{"id": 2, "string_id": "spheres"}],
        "zerver_userprofile": [
            {"id": 11, "full_name": "Ann Archer", "role": 400},
            {"id": 12, "full_name": "Bob Baker", "role": 200},
            {"id": 13, "full_name": "Help Bot", "is_bot": True},
        ],
        "zerver_stream": [{"id": 21, "name": "help"}],
        "zerver_recipient": [{"id": 31, "type": 2, "type_id": 21}, {"id": 33, "type": 1, "type_id": 11}],
        **more,
    }
    put(folder / "realm.json", realm)
    put(
        folder / "messages-000001.json",
        messages if isinstance(messages, bytes) else {"zerver_message": messages},
    )
    return folder
