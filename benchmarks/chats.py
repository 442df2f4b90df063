"""Compares reading exports of Slack, Mattermost and Zulip with reading one of Discord; each case has its own process.

usage: python benchmarks/chats.py [--messages 100000] [--repeats 3]

All exports hold the same texts by the same people at the same times. In Slack and Mattermost, replies are threads; in Zulip, a
topic has twenty messages. "messages" reads, "pairs" is the whole collector with the pairers that follow threads and
replies, "default" that with `ChatPairer`. Times are processor time inside the process, without imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import generate_export


def _seconds(message: dict[str, Any]) -> float:
    return datetime.fromisoformat(message["timestamp"]).timestamp()


def _discord(count: int, path: Path) -> None:
    generate_export.write(count, path.with_suffix(".json"))


def _slack(count: int, folder: Path) -> None:
    days: dict[str, list[dict[str, Any]]] = {}
    people: dict[str, str] = {}
    roots: dict[str, str] = {}
    for message in generate_export.messages(count, seed=1):
        author, stamp = message["author"], f"{_seconds(message):.6f}"
        uid = people.setdefault(author["id"], f"U{len(people):08}")
        text = message["content"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        target = message.get("reference", {}).get("messageId", "")
        root = roots.get(target, "")
        roots[message["id"]] = root or stamp
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": message["content"]}]}
        one = {
            "client_msg_id": message["id"],
            "type": "message",
            "text": text,
            "user": uid,
            "ts": stamp,
            "blocks": [{"type": "rich_text", "block_id": "x", "elements": [section]}],
            "team": "T00000001",
            "user_team": "T00000001",
            "user_profile": {
                "real_name": author["name"],
                "display_name": author["name"],
                "team": "T00000001",
            },
            **({"thread_ts": root, "parent_user_id": uid} if root else {}),
        }
        days.setdefault(message["timestamp"][:10], []).append(one)
    (folder / "help").mkdir(parents=True)
    users = [{"id": uid, "team_id": "T00000001", "name": uid.lower()} for uid in people.values()]
    (folder / "users.json").write_text(json.dumps(users))
    (folder / "channels.json").write_text(json.dumps([{"id": "C00000001", "name": "help"}]))
    for day, rows in days.items():
        (folder / "help" / f"{day}.json").write_text(json.dumps(rows, indent=4))
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.json")):
            archive.write(file, file.relative_to(folder).as_posix())


def _mattermost(count: int, folder: Path) -> None:
    folder.mkdir()
    posts: dict[str, dict[str, Any]] = {}
    roots: dict[str, str] = {}
    people: dict[str, None] = {}
    for message in generate_export.messages(count, seed=1):
        user = message["author"]["name"]
        people[user] = None
        common = {
            "user": user,
            "type": "",
            "message": message["content"],
            "props": {},
            "create_at": int(_seconds(message) * 1000),
            "edit_at": 0,
            "reactions": [],
        }
        root = roots.get(message.get("reference", {}).get("messageId", ""), "")
        roots[message["id"]] = root or message["id"]
        if root:
            posts[root]["replies"].append(common)
        else:
            posts[message["id"]] = {
                "team": "spheres",
                "channel": "help",
                **common,
                "replies": [],
                "attachments": [],
            }
    with (folder / "import.jsonl").open("w") as file:
        lines: Iterator[dict[str, Any]] = iter(
            [
                {"type": "version", "version": 1},
                {"type": "channel", "channel": {"team": "spheres", "name": "help", "type": "O"}},
                *({"type": "user", "user": {"username": name}} for name in people),
                *({"type": "post", "post": post} for post in posts.values()),
            ]
        )
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def _zulip(count: int, folder: Path) -> None:
    folder.mkdir()
    people: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    for number, message in enumerate(generate_export.messages(count, seed=1), 1):
        uid = people.setdefault(message["author"]["id"], len(people) + 10)
        rows.append(
            {
                "id": number,
                "sender": uid,
                "recipient": 1,
                "subject": f"topic {number // 20}",
                "content": message["content"],
                "rendered_content": f"<p>{message['content']}</p>",
                "rendered_content_version": 1,
                "date_sent": _seconds(message),
                "last_edit_time": None,
                "edit_history": None,
                "sending_client": 1,
                "has_attachment": False,
                "has_image": False,
                "has_link": False,
            }
        )
    realm = {
        "zerver_realm": [{"id": 1, "string_id": "spheres"}],
        "zerver_stream": [{"id": 1, "name": "help"}],
        "zerver_recipient": [{"id": 1, "type": 2, "type_id": 1}],
        "zerver_userprofile": [{"id": uid, "full_name": f"Person {uid}"} for uid in people.values()],
        "zerver_reaction": [{"message": 1, "emoji_name": "tada"}],
    }
    (folder / "realm.json").write_text(json.dumps(realm))
    for start in range(0, len(rows), 1000):
        part = {"zerver_message": rows[start : start + 1000], "zerver_usermessage": []}
        (folder / f"messages-{start // 1000 + 1:06}.json").write_text(json.dumps(part, indent=4))


def _collector(platform: str, path: Path, work: str) -> Any:
    import furytune as ft

    kinds = {
        "discord": ft.DiscordExportCollector,
        "slack": ft.SlackExportCollector,
        "slack.zip": ft.SlackExportCollector,
        "mattermost": ft.MattermostExportCollector,
        "zulip": ft.ZulipExportCollector,
    }
    pairers = None if work == "default" else [ft.ThreadPairer(), ft.ReplyPairer(questions_only=False)]
    return kinds[platform](path, pairers=pairers)


def _run_one(platform: str, path: Path, work: str) -> None:
    from furytune.records import QAPair

    collector = _collector(platform, path, work)
    start = time.process_time()
    if work == "messages":
        count = sum(1 for _ in collector.messages())
    else:
        count = sum(
            len(item.question_messages) + len(item.answer_messages)
            if isinstance(item, QAPair)
            else item.count * (item.unit == "message")
            for item in collector.collect()
        )
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "count": count}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", nargs="*", default=["messages", "pairs", "default"])
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        _run_one(args.case[0], Path(args.case[1]), args.case[2])
        return
    if args.make:
        for make in (_discord, _slack, _mattermost, _zulip):
            make(args.messages, args.make / make.__name__.removeprefix("_"))
        return
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        # In a process of its own, because the peak of memory passes on to children.
        subprocess.run(
            [sys.executable, __file__, "--messages", str(args.messages), "--make", folder], check=True
        )
        paths = {
            "discord": top / "discord.json",
            "slack": top / "slack",
            "slack.zip": top / "slack.zip",
            "mattermost": top / "mattermost",
            "zulip": top / "zulip",
        }
        for work in args.work:
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in paths}
            for _ in range(args.repeats):
                for name, path in paths.items():
                    command = [sys.executable, __file__, "--case", name, str(path), work]
                    out = subprocess.run(command, check=True, capture_output=True)
                    runs[name].append(json.loads(out.stdout))
            counts = {run["count"] for found in runs.values() for run in found}
            if len(counts) != 1:
                raise SystemExit(f"the cases disagree: {counts} messages")
            base = statistics.median(run["seconds"] for run in runs["discord"])
            print(f"\n{work}: {counts.pop():,.0f} messages, median of {args.repeats}")
            for name, found in runs.items():
                seconds = statistics.median(run["seconds"] for run in found)
                peak = max(run["peak"] for run in found)
                rate = args.messages / seconds
                print(
                    f"{name:<12} {rate:10,.0f} messages/s  {seconds / base:5.2f} of Discord's time  peak {peak:5.0f} MB"
                )


if __name__ == "__main__":
    main()
