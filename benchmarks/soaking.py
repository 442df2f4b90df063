"""Keeps `furytune serve` busy for a long time, and samples what it holds; see serving.py --soak.

The server is the command itself with a contract with retrieval, keys, audit log and feedback. The model is a fake one in this
process. The load: prompts, whole and streamed answers, clients that leave in the middle of one, feedback, readings of the
metrics, a client that asks more than it may, and every few seconds a switch to another contract by SIGHUP.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import furytune as ft
from furytune.serving import new_key
from furytune.testing.fake_chat import FakeChat

PER_MINUTE = 1000
POLITE, GREEDY = 4, 30.0  # clients within the limit, and requests per second of the one beyond it
RELOAD, SAMPLE = 5.0, 5.0  # seconds
WARM = 0.2  # the share of the run in which caches fill
QUESTIONS = [
    f"How do I {verb} {thing}?"
    for verb in ("dump", "load", "indent", "sort")
    for thing in ("keys", "text", "floats")
]


def soak(seconds: float, rate: float) -> None:
    with tempfile.TemporaryDirectory() as name, FakeChat(answer) as model:
        folder = Path(name)
        keys = [new_key() for _ in range(POLITE + 1)]
        (folder / "keys").write_text("\n".join(hashed for _, hashed in keys))
        contracts = made(folder)
        shutil.copy(contracts[0], folder / "bot.contract.json")
        process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    __file__,
                    "serve",
                    str(folder / "bot.contract.json"),
                    "--endpoint",
                    model.url,
                ),
                *("--keys", str(folder / "keys"), "--audit", str(folder / "audit.jsonl"), "--port", "0"),
                *("--feedback", str(folder / "feedback.jsonl"), "--set", f"serve.per_minute={PER_MINUTE}"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            port = started(process)
            load = Load(port, [key for key, _ in keys], rate)
            asyncio.run(load.run(process.pid, contracts, folder / "bot.contract.json", seconds, model))
        finally:
            process.terminate()
            process.wait()
        print(
            f"ended with {process.returncode}; audit log: {(folder / 'audit.jsonl').stat().st_size / 1e6:.1f} MB"
        )


def answer(_prompt: str) -> Iterator[str]:
    for number in range(5):
        time.sleep(0.004)
        yield f"piece {number}. "


def made(folder: Path) -> list[Path]:
    """Makes two contracts of different forms with different indexes. Both name their model."""
    found = []
    for number, package in enumerate(("json", "logging")):
        ft.build_index(folder / f"{package}.lance", ft.python_package(package))
        contract = ft.PromptContract(
            template=ft.PromptTemplate(f"Form {number}.\n\n{{context}}\n\nQuestion:\n{{question}}"),
            augmenter=ft.RagAugmenter(folder / f"{package}.lance", k=4),
            dialects=["openai"],
            model=ft.contract.ModelName(name="fake"),
        )
        contract.save(folder / f"{package}.contract.json")
        found.append(folder / f"{package}.contract.json")
    return found


def started(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        if match := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            # Someone must read the rest, or the server would block.
            import threading

            threading.Thread(target=process.stderr.read, daemon=True).start()
            return int(match[1])
    sys.exit("the server did not start")


class Load:
    def __init__(self, port: int, keys: list[str], rate: float) -> None:
        self.port, self.keys, self.rate = port, keys, rate
        self.done: Counter[str] = Counter()
        self.forms: Counter[str] = Counter()
        self.samples: list[tuple[float, int, int, int, int]] = []

    async def run(self, pid: int, contracts: list[Path], path: Path, seconds: float, model: FakeChat) -> None:
        begun = time.monotonic()
        self.end = begun + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(POLITE):
                group.create_task(self.client(self.keys[number], self.rate / POLITE))
            group.create_task(self.client(self.keys[-1], GREEDY, greedy=True))
            group.create_task(self.reload(pid, contracts, path))
            group.create_task(self.watch(pid, begun, model))
        self.report(seconds)

    async def client(self, key: str, rate: float, *, greedy: bool = False) -> None:
        rng, running = random.Random(rate), set()
        kinds = ["prompt"] if greedy else ["prompt"] * 4 + ["stream"] * 3 + ["whole", "leave", "feedback"]
        due = time.monotonic()
        while due < self.end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self.once(rng.choice(kinds), key, rng.choice(QUESTIONS)))
            running.add(task)
            task.add_done_callback(running.discard)
            due += 1 / rate
        await asyncio.gather(*running)

    async def once(self, kind: str, key: str, question: str) -> None:
        messages = [{"role": "user", "content": question}]
        path, body = {
            "prompt": ("/prompt", {"question": question}),
            "feedback": ("/feedback", {"request": "0" * 64, "verdict": "helped"}),
            "whole": ("/v1/chat/completions", {"model": "furytune", "messages": messages}),
        }.get(kind, ("/v1/chat/completions", {"model": "furytune", "messages": messages, "stream": True}))
        status, whole = await asked(
            self.port, "POST", path, key, json.dumps(body).encode(), leave=kind == "leave"
        )
        if kind == "stream" and status == 200 and not whole.rstrip().endswith((b"[DONE]", b"0")):
            self.done["stream cut off"] += 1
        self.done[f"{kind} {status}"] += 1
        if found := re.search(rb"x-furytune-fingerprint: (\w{8})", whole):
            self.forms[found[1].decode()] += 1

    async def reload(self, pid: int, contracts: list[Path], path: Path) -> None:
        number = 0
        while time.monotonic() < self.end - RELOAD:
            await asyncio.sleep(RELOAD)
            number += 1
            new = path.with_suffix(".new")
            shutil.copy(contracts[number % len(contracts)], new)
            new.replace(path)
            os.kill(pid, signal.SIGHUP)
            self.done["reloads"] += 1

    async def watch(self, pid: int, begun: float, model: FakeChat) -> None:
        while time.monotonic() < self.end:
            await asyncio.sleep(SAMPLE)
            model.requests.clear()  # they are this process's memory, which is not measured
            _, whole = await asked(self.port, "GET", "/soak", self.keys[0], b"")
            tasks = int(re.search(rb"tasks=(\d+)", whole)[1])
            await asked(self.port, "GET", "/metrics", self.keys[0], b"")
            rss, files, threads = held(pid)
            self.samples.append((time.monotonic() - begun, rss, files, threads, tasks))
            if len(self.samples) % 6 == 1:
                print(
                    f"{self.samples[-1][0]:6.0f} s  RSS {rss / 1024:6.1f} MiB  files {files:3}  threads {threads:3}  tasks {tasks:3}",
                    flush=True,
                )

    def report(self, seconds: float) -> None:
        warm = [one for one in self.samples if one[0] >= seconds * WARM]
        asked_for = sum(count for name, count in self.done.items() if name != "reloads")
        print(f"\n{asked_for} requests, {asked_for / seconds:.0f}/s: {dict(sorted(self.done.items()))}")
        print(f"forms of prompts: {dict(self.forms)}")
        for index, name in enumerate(("RSS KiB", "files", "threads", "tasks"), 1):
            values = [one[index] for one in warm]
            slope = statistics.linear_regression([one[0] / 60 for one in warm], values).slope
            third = max(1, len(values) // 3)
            first, last = statistics.median(values[:third]), statistics.median(values[-third:])
            print(
                f"{name:<8} after warm-up: {slope:+9.2f} a minute, median of the first third {first:,.0f}, of the last {last:,.0f}, "
                f"most {max(values):,}"
            )


def held(pid: int) -> tuple[int, int, int]:
    """Returns the resident memory of a process in KiB, its open files, and its threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    rss, threads = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "Threads"))
    return rss, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()), threads


async def asked(
    port: int, method: str, path: str, key: str, body: bytes, *, leave: bool = False
) -> tuple[int, bytes]:
    """Asks on a connection of its own; leaves with the first piece of the answer if told to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    try:
        status = int((await reader.readline()).split()[1])
        whole = await (reader.readuntil(b"data:") if leave and status == 200 else reader.read())
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return status, whole


def watched(command: list[str]) -> int:
    """Runs the command with one more route, which counts tasks."""
    from furytune.cli import main
    from furytune.serving import runner

    class Watched(runner.Endpoint):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            inner = self.app

            async def app(scope, receive, send):
                if scope.get("path") != "/soak":
                    await inner(scope, receive, send)
                    return
                body = b"tasks=%d" % len(asyncio.all_tasks())
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": body})

            self.app = app

    runner.Endpoint = Watched
    return main(command)


if __name__ == "__main__":
    sys.exit(watched(sys.argv[1:]))
