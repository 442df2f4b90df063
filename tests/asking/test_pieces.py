"""Answers in pieces, and answers that nobody wants any more, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

import pytest

import furytune as ft
from furytune.errors import NoTextError, ServiceError, StoppedError
from furytune.models import Stop, apieces, pieces
from furytune.records import Piece, Usage
from furytune.testing.fake_chat import FakeChat

SOON = 10.0  # seconds; what is waited for takes milliseconds


class Slow:
    """An answer whose second piece waits until the client is gone, as a model does that thinks."""

    def __init__(self):
        self.asked, self.closed = threading.Event(), threading.Event()

    def __call__(self, _text):
        try:
            yield "first"
            self.asked.set()
            while True:
                self.closed.wait(0.01)
                yield "."
        finally:
            self.closed.set()


@pytest.fixture
def slow():
    return Slow()


def model_of(server, **options):
    return ft.ChatService(server.url, timeout=SOON).model("fake", **options)


def test_the_last_piece_has_reason_and_counts():
    with FakeChat(lambda text: ["a ", text, " b"]) as server:
        *earlier, last = model_of(server).pieces("question")
        assert [piece.text for piece in earlier] == ["a ", "question", " b"]
        assert (last.text, last.finish, last.usage) == ("", "stop", Usage(3, 4))
        assert model_of(server).generate("question") == "a question b"
        assert "stream_options" not in server.requests[-1].body


def test_a_repr_of_a_piece_shows_no_text():
    with FakeChat(lambda _: "canary words") as server:
        assert "canary" not in repr(list(model_of(server).pieces("x")))


def test_stopping_ends_the_request_although_the_server_is_silent():
    with FakeChat(str.upper) as server:
        server.fail(mode="hang")
        stop, model = Stop(), model_of(server)
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(StoppedError):
            list(model.pieces("x", stop=stop))
        with pytest.raises(StoppedError):
            list(model.pieces("x", stop=stop))  # it was set before there was a connection


def test_the_server_notices_that_an_answer_was_stopped(slow):
    with FakeChat(slow) as server:
        stop = Stop()
        answer = model_of(server).pieces("x", stop=stop)
        assert next(answer).text == "first"
        stop.set()
        with pytest.raises(StoppedError):
            list(answer)
        assert slow.closed.wait(SOON)


def test_cancelling_a_task_reaches_the_model(slow):
    async def ask():
        with FakeChat(slow) as server:

            async def read():
                async for _ in apieces(model_of(server), "x"):
                    pass

            task = asyncio.create_task(read())
            await asyncio.to_thread(slow.asked.wait, SOON)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(slow.closed.wait, SOON)

    asyncio.run(ask())


def test_a_fault_that_passes_is_tried_again_and_another_is_not():
    with FakeChat(str.upper) as server:
        server.fail(status=503)
        assert "".join(p.text for p in pieces(model_of(server), "x", tries=2)) == "X"
        server.fail(status=503, times=2)
        with pytest.raises(ServiceError):
            list(pieces(model_of(server), "x", tries=2))
        asked = len(server.requests)
        server.fail(status=400)
        with pytest.raises(ServiceError):
            list(pieces(model_of(server), "x", tries=3))
        server.fail(status=429, headers={"retry-after": "3600"})
        with pytest.raises(ServiceError):
            list(pieces(model_of(server), "x", tries=3))
        assert len(server.requests) == asked + 2


def test_an_answer_that_has_begun_is_not_asked_for_again():
    def half(_text):
        yield "half"
        raise ConnectionError

    with FakeChat(half) as server:
        answer = pieces(model_of(server), "x", tries=3)
        assert next(answer).text == "half"
        with pytest.raises(ServiceError):
            list(answer)
        assert len(server.requests) == 1


def test_a_model_without_pieces_gives_one():
    class Plain:
        spec = {"name": "plain"}

        def generate(self, prompt):
            return str(prompt).upper()

    found = list(pieces(Plain(), "x"))
    assert [(piece.text, piece.finish) for piece in found] == [("X", ""), ("", "stop")]


def test_a_model_does_not_run_far_ahead_of_its_reader_and_can_still_be_stopped():
    class Endless:
        spec = {"name": "endless"}
        made, ended = 0, threading.Event()

        def generate(self, prompt):
            return "x"

        def pieces(self, prompt, *, stop=None):
            try:
                while not stop.is_set:
                    self.made += 1
                    yield Piece(text="x")
                raise StoppedError
            finally:
                self.ended.set()

    model = Endless()

    async def read():
        async with aclosing(apieces(model, "x")) as found:
            for _ in range(100):
                await anext(found)
            await asyncio.sleep(0.1)
            assert 100 <= model.made <= 200
        assert await asyncio.to_thread(model.ended.wait, SOON)

    asyncio.run(read())


def test_errors_of_a_model_arrive_where_it_was_asked():
    async def ask(server):
        return [piece async for piece in apieces(model_of(server), "x")]

    with FakeChat(lambda _: []) as server, pytest.raises(NoTextError):
        asyncio.run(ask(server))
