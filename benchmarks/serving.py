"""How many prompts an endpoint serves, and how fast, against an empty Starlette route in the same run.

python benchmarks/serving.py [--seconds 4] [--rate 1000] [--index]
python benchmarks/serving.py --soak 600 [--rate 60]

Each server is one uvicorn process with one worker, and this process is the client. "closed": 100 connections ask again as
soon as they have an answer. "open": requests start at a fixed rate on 100 connections, and a time counts from the moment at
which the request was due, so that a server which falls behind looks slow. With --index, passages come from a LanceDB index
of Python's package json; otherwise the contract has none.

With --soak, the command `furytune serve` is kept busy for so many seconds, and its memory, files, threads and tasks are
sampled; see soaking.py.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import furytune as ft

CONNECTIONS = 100
BODY = b'{"question": "How do I dump an object as JSON text?"}'
HEAD = (
    b"POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rate", type=int)
    parser.add_argument("--soak", type=float, metavar="SECONDS")
    parser.add_argument("--index", action="store_true")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(*given.serve)
        return
    if given.soak:
        from soaking import soak

        soak(given.soak, given.rate or 60)
        return
    rate = given.rate or 1000
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        contract = made(Path(folder), index=given.index)
        found = {}
        for kind in ("empty", "prompt"):
            with listening() as listener:
                process = subprocess.Popen(
                    [sys.executable, __file__, "--serve", kind, str(contract), str(listener.fileno())],
                    pass_fds=[listener.fileno()],
                )
                try:
                    port = listener.getsockname()[1]
                    closed = asyncio.run(closed_loop(port, given.seconds))
                    opened = asyncio.run(open_loop(port, given.seconds, rate))
                finally:
                    process.terminate()
                    process.wait()
            found[kind] = closed[0]
            print(
                f"{kind:<8}closed {closed[0]:7,.0f}/s  p50 {closed[1]:6.1f} ms  p99 {closed[2]:6.1f} ms   "
                f"open at {rate:,}/s: {opened[0]:7,.0f}/s  p50 {opened[1]:6.1f} ms  p99 {opened[2]:6.1f} ms"
            )
    print(f"prompt / empty: {found['prompt'] / found['empty']:.2f}")
    print(f"load after: {os.getloadavg()[0]:.1f}")


def made(folder: Path, *, index: bool) -> Path:
    template = "Context:\n{context}\n\nQuestion:\n{question}" if index else "Question:\n{question}"
    if index:
        ft.build_index(folder / "made.lance", ft.python_package("json"))
    contract = ft.PromptContract(
        template=ft.PromptTemplate(template),
        augmenter=ft.RagAugmenter(folder / "made.lance", k=4) if index else ft.IdentityAugmenter(),
    )
    contract.save(folder / "bot.contract.json")
    return folder / "bot.contract.json"


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS * 2)


def serve(kind: str, contract: str, fd: str) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    from furytune.serving import Settings, app

    async def empty(request):
        await request.body()
        return Response(b"{}", media_type="application/json")

    if kind == "empty":
        served = Starlette(routes=[Route("/prompt", empty, methods=["POST"])])
    else:
        served = app(contract, settings=Settings(per_minute=0, waiting=1000))
    uvicorn.run(served, fd=int(fd), log_level="warning", access_log=False)


async def closed_loop(port: int, seconds: float) -> tuple[float, float, float]:
    times: list[float] = []

    async def client() -> None:
        reader, writer = await connected(port)
        while time.perf_counter() < end:
            begun = time.perf_counter()
            await ask(reader, writer)
            times.append(time.perf_counter() - begun)
        writer.close()

    await warm(port)
    start = time.perf_counter()
    end = start + seconds
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return figures(times, time.perf_counter() - start)


async def open_loop(port: int, seconds: float, rate: int) -> tuple[float, float, float]:
    times: list[float] = []

    async def client(number: int) -> None:
        reader, writer = await connected(port)
        due = start + number / rate
        while due < start + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await ask(reader, writer)
            times.append(time.perf_counter() - due)
            due += CONNECTIONS / rate
        writer.close()

    await warm(port)
    start = time.perf_counter() + 0.3
    await asyncio.gather(*(client(n) for n in range(CONNECTIONS)))
    return figures(times, time.perf_counter() - start)


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def warm(port: int) -> None:
    reader, writer = await connected(port)
    for _ in range(20):
        await ask(reader, writer)
    writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + BODY)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    size = head.lower().partition(b"content-length: ")[2]
    await reader.readexactly(int(size.partition(b"\r\n")[0]))


def figures(times: list[float], seconds: float) -> tuple[float, float, float]:
    times.sort()
    return len(times) / seconds, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        pass
    else:  # the client should cost as little as possible, because it has the same processors
        uvloop.install()
    main()
