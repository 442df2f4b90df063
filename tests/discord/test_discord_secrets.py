"""Neither the token nor any message gets into a log, an error or a warning."""

from __future__ import annotations

import asyncio
import logging
import traceback
import warnings

import pytest
from session_help import opened

from furytune import Secret
from furytune._discord.crawl.survey import survey
from furytune.errors import DiscordError, DiscordLoginError, FurytuneError
from furytune.testing.fake_discord import FakeDiscord

TOKEN = "canary-token-7Qx"
SECRET = Secret(TOKEN)
TEXT = "canary text 9Zk"
TITLE = "canary title 4Wm"


class Kept(logging.Handler):
    """Keeps every record as text: the message, its arguments and its exception."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []
        self.formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")

    def emit(self, record):
        self.lines.append(f"{self.format(record)} {record.args!r} {record.exc_info!r}")


@pytest.fixture
def written():
    """Collects all logs, at DEBUG, and all warnings while a test runs."""
    kept, root = Kept(), logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield kept.lines
        kept.lines += [str(warning) for warning in warned]
    root.setLevel(level)
    root.removeHandler(kept)


@pytest.fixture
def service():
    with FakeDiscord(token=TOKEN) as service:
        channel = service.add_channel("help")
        for _ in range(150):
            service.post(channel, "asker", TEXT)
        service.add_thread(channel, TITLE, content=TEXT)
        service.add_thread(channel, TITLE, content=TEXT, archived=True)
        yield service


def shown(error):
    """Returns everything a program could print of an error: its chain, attributes and the variables of its frames."""
    texts, rest, seen = [], [error], set()
    while rest:
        error = rest.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        texts += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        texts += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        rest += [e for e in (error.__cause__, error.__context__, *error.args) if isinstance(e, BaseException)]
    return "\n".join(texts)


async def crawl(service, secret=SECRET, **patience):
    """Calls everything a session can do, in several tasks."""
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 0.0  # in debug mode asyncio now logs every step, and what each task returns
    options = {"tries": 3, "timeout": 0.3, **patience}
    async with await opened(service, secret, **options) as session:

        async def end_of_page(channel, after):
            page = await session.messages(channel, after=after)
            assert not page or any(message["content"] == TEXT for message in page)
            return page[-1]["id"] if page else ""

        async def read(channel):
            last = ""
            while end := await end_of_page(channel, last):
                last = end
            if last:
                await session.message(channel, last)
                await session.latest(channel)

        found = await survey(session, service.guild)
        await asyncio.gather(*(read(place.id) for place in found.places))
        async for _ in session.members(service.guild):
            pass


def outcome(work):
    """Returns the text of the error that a run ends with, "" for none."""
    try:
        asyncio.run(work, debug=True)
    except FurytuneError as error:
        return shown(error)
    return ""


def leaks(lines, error):
    return [
        line
        for line in (*lines, *error.splitlines())
        if any(c in line for c in (TOKEN, TEXT, TITLE, "canary"))
    ]


def test_a_crawl_that_succeeds_leaves_no_trace(service, written):
    assert outcome(crawl(service)) == ""
    assert leaks(written, "") == []
    assert any("took" in line for line in written)  # asyncio did log its steps


def test_without_the_filter_the_log_would_contain_messages(service, written, monkeypatch):
    """Shows that the test above can fail."""
    monkeypatch.setattr("furytune._discord.api.log_filter.Quiet.install", lambda self: None)
    assert outcome(crawl(service)) == ""
    assert any(TEXT in line for line in written)


FAULTS = [
    {"status": 400},
    {"status": 401},
    {"status": 403},
    {"status": 404},
    {"status": 500},
    {"status": 503},
    {"mode": "local", "wait": 500.0},
    {"mode": "shared", "wait": 500.0},
    {"mode": "global", "wait": 500.0},
    {"mode": "reset"},
    {"mode": "truncate"},
    {"mode": "cut"},
    {"mode": "slow", "wait": 5.0},
    {"mode": "html", "status": 200},
    {"mode": "html", "status": 302},
    {"mode": "html", "status": 403},
    {"mode": "html", "status": 429},
    {"mode": "hang"},
    {"mode": "forbid"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("on", ["/users/@me$", "/messages", "/threads"])
def test_a_crawl_that_fails_leaves_no_trace(service, written, fault, on):
    service.fail(on=on, times=1_000, **fault)
    error = outcome(crawl(service))
    assert leaks(written, error) == []
    assert error


@pytest.mark.parametrize("token", ["canary wrong", "canary-wrong", "Bot canary", "canary\n1"])
def test_a_token_that_is_refused_leaves_no_trace(service, written, token):
    error = outcome(crawl(service, Secret(token)))
    assert "DiscordLoginError" in error
    assert leaks(written, error) == []


def test_an_answer_of_another_order_leaves_no_trace(service, written, monkeypatch):
    """A server that ignores the cursor returns the same page again."""
    monkeypatch.setattr("furytune.testing._fakes.discord.service._snowflake", lambda query, name: None)
    error = outcome(crawl(service))
    assert "not asked for" in error
    assert leaks(written, error) == []


def test_an_unreachable_server_leaves_no_trace(written):
    with FakeDiscord(token=TOKEN) as service:
        pass
    error = outcome(crawl(service))
    assert "connection failed" in error
    assert leaks(written, error) == []


def test_being_cancelled_while_logging_in_leaves_no_trace(service, written):
    service.fail(on="/users/@me", mode="hang")

    async def run():
        task = asyncio.create_task(crawl(service, timeout=60.0))
        while not service.requests:  # noqa: ASYNC110  (set by a thread)
            await asyncio.sleep(0.01)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return shown(error)
        raise AssertionError

    error = asyncio.run(run(), debug=True)
    assert leaks(written, error) == []


def test_a_session_and_its_parts_show_nothing(service):
    async def run():
        async with await opened(service) as session:
            return repr(session), str(session), repr(vars(session))

    assert not any("canary" in text for text in asyncio.run(run()))


def test_no_error_of_the_vendor_is_passed_on(service):
    """Such an error contains the request with its headers, and the body of the answer."""

    async def run():
        async with await opened(service, tries=1) as session:
            for mode, status in (
                ("reset", 0),
                ("truncate", 0),
                ("status", 503),
                ("forbid", 0),
                ("html", 404),
            ):
                service.fail(on="messages", mode=mode, status=status, times=2 if mode == "reset" else 1)
                with pytest.raises(DiscordError) as caught:
                    await session.latest(next(iter(service.channels.values())).id)
                assert caught.value.__cause__ is None
                assert caught.value.__context__ is None

    asyncio.run(run())
    with pytest.raises(DiscordLoginError) as caught:
        asyncio.run(opened(service, Secret("canary-wrong")))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
