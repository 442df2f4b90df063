"""Compares collecting from a fake Discord with discord.py's own history loop; each case has its own process.

usage: python benchmarks/discord_live.py [--messages 20000] [--repeats 3] [--large 200000]

The fake server runs in another process (``python -m furytune.testing.fake_discord``). "loop" logs in with discord.py,
lists the channels and runs ``async for message in channel.history(limit=None, oldest_first=True)`` over one after
another; it stores nothing. "update" is `DiscordCollector.update`: it surveys the server, reads all pages and writes a
journal to disk. "pairs" then reads the journal with `JournalCollector.collect`; "export" reads the same messages from
DiscordChatExporter files. Times are measured inside the process, without imports; peak memory is that of the whole
process. The limit of 44 requests a second that furytune keeps on Discord is switched off; otherwise we would only
measure the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from furytune import DiscordCollector, JournalCollector, Secret
from furytune._discord.journal.store import Journal
from furytune.collectors.discord import Patience
from furytune.collectors.discord_export import DiscordExportCollector
from furytune.records import QAPair

Counts = dict[str, float]

TOKEN = "rehearsal"
GONE = b'{"gone"'


def _loop(url: str, guild: str, _folder: Path) -> Counts:
    import discord

    discord.http.Route.BASE = url

    async def read() -> int:
        client = discord.Client(intents=discord.Intents.none())
        await client.login(TOKEN)
        found = 0
        for channel in await (await client.fetch_guild(int(guild))).fetch_channels():
            async for _ in channel.history(limit=None, oldest_first=True):
                found += 1
        await client.close()
        return found

    return {"messages": asyncio.run(read())}


def _collector(url: str, guild: str, folder: Path) -> DiscordCollector:
    patience = Patience(rate=1e6)
    return DiscordCollector(
        guild=guild,
        token=Secret(TOKEN),
        permission="a benchmark",
        journal=folder,
        endpoint=url,
        patience=patience,
    )


def _update(url: str, guild: str, folder: Path) -> Counts:
    done = _collector(url, guild, folder).update()
    return {"messages": done.new, "requests": done.requests}


def _again(url: str, guild: str, folder: Path) -> Counts:
    done = _collector(url, guild, folder).update()
    return {"messages": done.new, "requests": done.requests}


def _pairs(collector: JournalCollector | DiscordExportCollector) -> Counts:
    messages = pairs = 0
    for item in collector.collect():
        if isinstance(item, QAPair):
            pairs += 1
            messages += len(item.question_messages) + len(item.answer_messages)
        elif item.unit == "message":
            messages += item.count
    return {"messages": messages, "pairs": pairs}


CASES: dict[str, Callable[[str, str, Path], Counts]] = {
    "loop": _loop,
    "update": _update,
    "again": _again,
    "pairs": lambda _url, _guild, folder: _pairs(JournalCollector(folder)),
    "files": lambda _url, _guild, folder: _files(folder),
    "export": lambda _url, _guild, folder: _pairs(DiscordExportCollector(folder.with_name("files"))),
}


def _run_one(case: str, url: str, guild: str, folder: Path) -> None:
    import aiohttp  # noqa: F401

    import discord  # noqa: F401

    start = time.perf_counter()
    counts = CASES[case](url, guild, folder)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak} | counts))


@contextmanager
def _served(messages: int, channels: int, latency: float) -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-m", "furytune.testing.fake_discord", "--limit", "1000000"]
    command += ["--messages", str(messages), "--channels", str(channels), "--latency", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.stdout.readline().strip()
        process.communicate("")


def _files(folder: Path) -> Counts:
    """Writes a journal's messages as DiscordChatExporter would, including the fields that a journal lacks."""
    target = folder.with_name("files")
    target.mkdir()
    journal = Journal(folder)
    for uid, log in journal.logs().items():
        state = log.peek().channel
        assert state is not None
        said = [json.loads(line) for _, line in log.lines() if not line.startswith(GONE)]
        for message in said:
            name = f"member{message['author']['id'][-2:]}"
            message["author"] |= {
                "name": name,
                "nickname": name,
                "color": None,
                "roles": [],
                "avatarUrl": "https://x/",
            }
            message |= {"callEndedTimestamp": None, "isPinned": False, "inlineEmojis": [], "mentions": []}
            for empty in ("attachments", "embeds", "stickers", "reactions"):
                message.setdefault(empty, [])
        channel = {
            "id": uid,
            "type": state.type,
            "categoryId": state.parent,
            "name": state.name,
            "topic": None,
        }
        root = {
            "guild": {"id": journal.about().guild, "name": "Workshop", "iconUrl": ""},
            "channel": channel,
            "dateRange": {"after": None, "before": None},
            "messages": said,
            "messageCount": len(said),
        }
        (target / f"{uid}.json").write_text(json.dumps(root, indent=2), encoding="utf-8")
    return {}


def _once(case: str, url: str, guild: str, folder: Path) -> Counts:
    command = [
        sys.executable,
        __file__,
        "--case",
        case,
        "--url",
        url,
        "--guild",
        guild,
        "--journal",
        str(folder),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def _compare(messages: int, channels: int, latency: float, repeats: int, *, loop: bool = True) -> None:
    runs: dict[str, list[Counts]] = {case: [] for case in CASES if loop or case != "loop"}
    del runs["files"]
    with _served(messages, channels, latency) as (url, guild):
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch) / "journal"
                for case, found in runs.items():
                    if case == "export":  # also in a new process, so that its memory does not count
                        _once("files", url, guild, folder)
                    found.append(_once(case, url, guild, folder))
    for case, found in runs.items():
        read = {run["messages"] for run in found}
        if read != {0 if case == "again" else messages}:
            raise SystemExit(f"{case} read {read} messages, not {messages}")
    if runs["pairs"][0]["pairs"] != runs["export"][0]["pairs"]:
        raise SystemExit("the journal and the export make different pairs")
    print(f"\n{messages:,} messages, {channels} channels, {latency * 1000:.0f} ms, median of {repeats}")
    bases = {"update": "loop", "pairs": "export"}
    medians = {case: statistics.median(run["seconds"] for run in found) for case, found in runs.items()}
    for case, found in runs.items():
        line = f"{case:<8}{medians[case]:8.2f} s {messages / medians[case]:10,.0f} messages/s"
        line += f"  peak {max(run['peak'] for run in found):5.0f} MB"
        if bases.get(case, case) in medians and case in bases:
            line += f"  {medians[bases[case]] / medians[case]:5.2f}x {bases[case]}"
        if "requests" in found[0]:
            line += f"  {found[0]['requests']:.0f} requests"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--large", type=int, default=200_000, help="messages of the run that measures memory; 0 skips it"
    )
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--guild", help=argparse.SUPPRESS)
    parser.add_argument("--journal", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        _run_one(args.case, args.url, args.guild, args.journal)
        return
    for channels in (1, 10):
        for latency in (0.0, 0.05):
            _compare(args.messages, channels, latency, args.repeats)
    if args.large:
        _compare(args.large, 10, 0.0, 1, loop=False)


if __name__ == "__main__":
    main()
