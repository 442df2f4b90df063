"""An impossible page changes nothing, and the next run reads everything."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
import tracemalloc
from contextlib import suppress
from datetime import timedelta

import pytest
from crawl_help import collector, said
from proxy import Proxy
from session_help import within

from furytune._network.bodies import Body, BodyError
from furytune.errors import DiscordError

HUGE = 2**64 + 2**70


def is_page(path):
    return "/messages?" in path


def future():
    return ((int(time.time() * 1000) + 10 * 86_400_000) - 1_420_070_400_000) << 22


def beyond(page):
    return [{**m, "id": str(HUGE - n)} for n, m in enumerate(page)]


def later(page):
    return [{**m, "id": str(future() - n)} for n, m in enumerate(page)]


def of_another_channel(page):
    return [{**m, "id": str(int(m["id"]) + (1 << 40)), "channel_id": "123456789012345678"} for m in page]


def out_of_order(page):
    return [page[-1], *page[1:-1], page[0]]


def without_an_id(page):
    return [{k: v for k, v in page[0].items() if k != "id"}, *page[1:]]


@pytest.mark.parametrize("wrong", [beyond, later, of_another_channel, out_of_order, without_an_id])
def test_a_wrong_page_moves_no_position_past_later_messages(discord, tmp_path, wrong):
    room = discord.add_channel("talk")
    first = [discord.post(room, "ann", f"first {n}") for n in range(6)]

    def change(path, answer):
        if is_page(path):
            answer.body = json.dumps(wrong(json.loads(answer.body))).encode()

    with Proxy(discord, change) as proxy, suppress(DiscordError):
        # That it is refused is one right way, to leave out what is wrong is another.
        collector(proxy, tmp_path / "journal", recheck=timedelta(0)).update()
    second = [discord.post(room, "ann", f"second {n}") for n in range(4)]
    # Without a second look at older messages, which would find them by chance.
    collector(discord, tmp_path / "journal", recheck=timedelta(0)).update()
    assert said(tmp_path / "journal") == {
        **{m.id: f"first {n}" for n, m in enumerate(first)},
        **{m.id: f"second {n}" for n, m in enumerate(second)},
    }


def test_one_wrong_page_is_asked_for_again(discord, tmp_path):
    room = discord.add_channel("talk")
    messages = [discord.post(room, "ann", f"{n}") for n in range(6)]
    left = [1]

    def change(path, answer):
        if is_page(path) and left:
            left.pop()
            answer.body = json.dumps(beyond(json.loads(answer.body))).encode()

    with Proxy(discord, change) as proxy:
        assert collector(proxy, tmp_path / "journal").update().new == 6
    assert said(tmp_path / "journal").keys() == {m.id for m in messages}


def test_an_answer_that_unpacks_to_hundreds_of_megabytes_is_not_unpacked(discord, tmp_path):
    discord.post(discord.add_channel("talk"), "ann", "hello")
    bomb = gzip.compress(b"[" + b" " * (200 << 20) + b"]", compresslevel=1)

    def change(path, answer):
        if is_page(path):
            answer.body, answer.headers["Content-Encoding"] = bomb, "gzip"

    with Proxy(discord, change) as proxy:
        tracemalloc.start()
        try:
            with suppress(DiscordError):
                collector(proxy, tmp_path / "journal").update()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 128 << 20
    collector(discord, tmp_path / "journal").update()
    assert list(said(tmp_path / "journal").values()) == ["hello"]


def test_a_wait_that_a_good_answer_asks_for_is_logged(discord, caplog):
    caplog.set_level(logging.INFO, "furytune.discord")
    room = discord.add_channel("talk")
    discord.post(room, "ann", "hello")

    def change(path, answer):
        if is_page(path):
            answer.headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "6.0"}
            answer.headers |= {"X-RateLimit-Limit": "5", "X-RateLimit-Bucket": "abc"}

    async def work(session):
        with suppress(TimeoutError):  # discord.py waits at once, and this test need not
            await asyncio.wait_for(session.messages(room.id, after=""), 1.0)

    with Proxy(discord, change) as proxy:
        within(proxy, work)
    assert any("asks to wait 6 s" in r.getMessage() for r in caplog.records)


class TestBody:
    def fed(self, data, encoding, limit, step=7):
        body = Body(encoding, limit)
        for at in range(0, len(data), step):
            body.feed(data[at : at + step])
        return body.whole()

    @pytest.mark.parametrize("encoding", ["", "gzip", "identity"])
    def test_what_fits_is_whole_and_one_byte_more_is_refused(self, encoding):
        data = bytes(range(256)) * 4
        sent = gzip.compress(data) if encoding == "gzip" else data
        assert self.fed(sent, encoding, 1024) == data
        with pytest.raises(BodyError, match="larger than 1,023 bytes"):
            self.fed(sent, encoding, 1023)

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda z: z[:-4], "end too early"),
            (lambda z: z + b"more", "continues after"),
            (lambda z: z[:12] + b"\xff" * 8 + z[20:], "damaged"),
            (lambda _: b"plain", "damaged"),
        ],
    )
    def test_damaged_gzip_is_refused(self, change, why):
        with pytest.raises(BodyError, match=why):
            self.fed(change(gzip.compress(bytes(range(256)))), "gzip", 10_000, step=10_000)

    def test_an_encoding_that_was_not_asked_for_is_refused(self):
        with pytest.raises(BodyError, match="not requested"):
            Body("br", 1024)
