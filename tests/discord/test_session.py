"""A session respects Discord's limits, retries, and explains in its own words what went wrong."""

from __future__ import annotations

import asyncio
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from session_help import opened, whole, within

from furytune import Secret
from furytune._discord.api.pacing import DISCORD_RATE, InvalidAnswers, Pace
from furytune.collectors.discord import Patience
from furytune.errors import (
    ConfigError,
    DiscordError,
    DiscordForbiddenError,
    DiscordGoneError,
    DiscordLoginError,
)
from furytune.testing.fake_discord import FakeDiscord

NOBODY = "1191168900000000000"


def paths(service):
    return [asked.path for asked in service.requests]


def test_opening_asks_who_the_bot_is_and_nothing_else(discord):
    async def work(session):
        return session.me, session.application, session.requests

    me, application, requests = within(discord, work)
    assert me["id"] == discord.bot.id
    assert application["bot"]["id"] == discord.bot.id
    assert requests == 2
    assert paths(discord) == ["/users/@me", "/oauth2/applications/@me"]


def test_pages_come_oldest_first_with_every_message_once(discord):
    channel = discord.add_channel("help")
    made = [discord.post(channel, "asker", str(n)).id for n in range(250)]

    async def work(session):
        return await whole(session, channel.id), await session.latest(channel.id)

    found, latest = within(discord, work)
    assert [message["id"] for message in found] == made
    assert latest == made[-1]


def test_missing_things_are_none_or_empty(discord):
    channel = discord.add_channel("help")

    async def work(session):
        assert await session.latest(channel.id) == ""
        assert await session.messages(channel.id, after="") == []
        assert await session.message(channel.id, NOBODY) is None
        assert await session.channel(NOBODY) is None
        assert await session.member(discord.guild, NOBODY) is None
        assert (await session.member(discord.guild, discord.bot.id))["user"]["id"] == discord.bot.id
        assert (await session.channel(channel.id))["name"] == "help"
        with pytest.raises(DiscordGoneError, match=NOBODY):
            await session.messages(NOBODY, after="")
        with pytest.raises(DiscordGoneError, match=NOBODY):
            await session.message(NOBODY, NOBODY)

    within(discord, work)


def test_a_closed_channel_is_forbidden_and_the_error_names_it(discord):
    channel = discord.add_channel("staff")
    discord.deny(channel, "VIEW_CHANNEL")

    async def work(session):
        await session.messages(channel.id, after="")

    with pytest.raises(DiscordForbiddenError, match=f"{channel.id}.*50001") as caught:
        within(discord, work)
    assert caught.value.status == 403


def test_a_guild_without_the_bot_is_an_error_that_says_how_to_invite_it(discord):
    async def work(session):
        assert (await session.guild(discord.guild))["roles"]
        await session.guild(NOBODY)

    with pytest.raises(DiscordLoginError, match=rf"{NOBODY}.*invite"):
        within(discord, work)


def test_members_come_in_pages(discord):
    for n in range(1_001):
        discord.add_member(f"m{n}")

    async def work(session):
        return [member["user"]["id"] async for page in session.members(discord.guild) for member in page]

    found = within(discord, work)
    assert sorted(found) == sorted(user.id for user in discord.users.values())
    assert len(found) == len(set(found))


def test_listing_members_without_the_intent_names_the_switch(discord):
    discord.members_intent = False

    async def work(session):
        async for _ in session.members(discord.guild):
            pass

    with pytest.raises(DiscordForbiddenError, match="Server Members Intent"):
        within(discord, work)


def test_the_content_intent_is_requested_again(discord):
    async def work(session):
        await session.check_text()
        discord.content_intent = False
        with pytest.raises(DiscordLoginError, match="Message Content Intent"):
            await session.check_text()

    within(discord, work)


def test_an_endpoint_of_ones_own_leaves_discord_py_as_it_was(discord):
    from discord.http import Route

    before = Route.BASE

    async def work(session):
        assert session.requests == 2
        assert before == Route.BASE

    within(discord, work)
    assert "discord.com" in Route.BASE


def test_an_endpoint_must_not_carry_the_token_in_the_clear():
    with pytest.raises(ConfigError, match="https"):
        asyncio.run(opened(SimpleNamespace(url="http://example.org/api/v10"), Secret("word")))


# What goes wrong once or twice.


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502},
        {"status": 503},
        {"status": 504},
        {"status": 529},
        {"mode": "reset"},
        {"mode": "cut"},
        {"mode": "truncate"},
        {"mode": "html", "status": 200},
        {"mode": "html", "status": 502},
        {"mode": "hang"},
        {"mode": "slow", "wait": 5.0},
    ],
    ids=str,
)
def test_a_failure_that_passes_changes_nothing_but_the_number_of_requests(discord, fault):
    channel = discord.add_channel("help")
    made = [discord.post(channel, "asker", str(n)).id for n in range(150)]
    discord.fail(on="/messages", times=2, skip=1, **fault)

    async def work(session):
        return await whole(session, channel.id), session.requests

    found, requests = within(discord, work, timeout=0.3)
    assert [message["id"] for message in found] == made
    assert requests == 2 + 3 + 2 == len(discord.requests)


@pytest.mark.parametrize("path", ["/users/@me", "/oauth2/applications/@me"])
@pytest.mark.parametrize("mode", ["status", "reset", "truncate"])
def test_logging_in_is_as_patient(discord, path, mode):
    discord.fail(on=path, times=2, mode=mode)

    async def work(session):
        return session.me["id"]

    assert within(discord, work) == discord.bot.id


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 500}, {"mode": "reset"}, {"mode": "truncate"}])
def test_patience_ends_after_so_many_tries(discord, fault):
    channel = discord.add_channel("help")
    discord.fail(on="/messages", times=1_000, **fault)

    async def work(session):
        with pytest.raises(
            DiscordError, match=rf"{channel.id}/messages.*in 4 tries; nothing .* is lost"
        ) as caught:
            await session.latest(channel.id)
        return caught.value, session.requests

    error, requests = within(discord, work, tries=4)
    # aiohttp itself repeats a request once whose connection broke.
    assert requests == len(discord.requests) == 2 + (8 if fault.get("mode") == "reset" else 4)
    assert error.status == fault.get("status")
    assert type(error) is DiscordError


def test_an_unreachable_server_raises_and_says_so():
    with FakeDiscord() as service:
        url = service.url
    with pytest.raises(DiscordError, match="connection failed") as caught:
        asyncio.run(opened(SimpleNamespace(url=url), Secret("word"), tries=2))
    assert caught.value.status is None


def test_a_proxy_s_page_is_not_taken_for_a_closed_channel(discord):
    channel = discord.add_channel("help")
    for status in (403, 404):
        discord.fail(on="/messages", mode="html", status=status)

        async def work(session):
            await session.latest(channel.id)

        with pytest.raises(DiscordError, match="proxy") as caught:
            within(discord, work)
        assert type(caught.value) is DiscordError
        assert caught.value.status == status


def test_waits_double_up_to_a_most_and_vary():
    patience = Patience(tries=8, first=1.0, most=10.0)
    runs = [list(patience.delays()) for _ in range(20)]
    for delays in runs:
        for delay, most in zip(delays, (1, 2, 4, 8, 10, 10, 10), strict=True):
            assert most / 2 <= delay <= most
    assert len({tuple(delays) for delays in runs}) > 1


# The token.


@pytest.mark.parametrize("word", ["Bot abc", "a\nb", "ü", "a b"])
def test_what_cannot_be_a_bot_token_is_not_sent(discord, word):
    discord.token = word
    with pytest.raises(DiscordLoginError, match="'Bot '"):
        asyncio.run(opened(discord, Secret(word)))
    assert discord.requests == []


def test_a_refused_token_is_sent_once(discord):
    with pytest.raises(DiscordLoginError, match="refuses the token") as caught:
        asyncio.run(opened(discord, Secret("wrong")))
    assert caught.value.status == 401
    assert paths(discord) == ["/users/@me"]


def test_the_token_of_a_person_is_refused(discord):
    discord.bot.bot = False

    async def work(session):
        raise AssertionError

    with pytest.raises(DiscordLoginError, match="only accepts bot tokens"):
        within(discord, work)


def test_a_redirection_is_not_followed(discord):
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", discord.url + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with pytest.raises(DiscordError, match="302"):
            asyncio.run(
                opened(SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}"), Secret(discord.token))
            )
        server.shutdown()
        thread.join()
    assert discord.requests == []


def test_nothing_is_sent_after_a_401_while_tasks_wait_for_a_channel(discord):
    channel = discord.add_channel("help")
    discord.fail(on="/messages", status=401, times=1)

    async def work(session):
        waiting = (session.latest(channel.id) for _ in range(30))
        return await asyncio.gather(*waiting, return_exceptions=True)

    outcomes = within(discord, work)
    assert all(isinstance(outcome, DiscordLoginError) for outcome in outcomes)
    assert len(paths(discord)) == 2 + 1
    assert discord.violations == []


def test_nothing_is_sent_after_a_401_while_tasks_wait_for_their_turn(discord):
    channels = [discord.add_channel(f"c{n}") for n in range(4)]
    discord.fail(on="/messages", status=401, times=1)

    async def work(session):
        waiting = (session.latest(channel.id) for channel in channels)
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(DiscordLoginError):
            await session.guild(discord.guild)
        return outcomes

    outcomes = within(discord, work, rate=4.0, burst=1)
    assert all(isinstance(outcome, DiscordLoginError) for outcome in outcomes)
    assert len(paths(discord)) == 2 + 1


# Limits.


async def everything(session, channels):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(whole(session, channel.id)) for channel in channels]
    return [[message["id"] for message in task.result()] for task in tasks]


def filled(service, channels, messages):
    made = [service.add_channel(f"c{n}") for n in range(channels)]
    return made, [[service.post(channel, "asker", "x").id for _ in range(messages)] for channel in made]


@pytest.mark.parametrize("limit", [1, 3])
def test_many_small_buckets_cause_no_request_too_many(limit):
    with FakeDiscord(routes={"/channels/{channel}/messages": (limit, 0.2)}) as service:
        channels, made = filled(service, 12, 350)
        assert within(service, lambda session: everything(session, channels)) == made
        assert service.violations == []
        assert {asked.status for asked in service.requests} == {200}


def test_tasks_that_share_a_small_bucket_send_no_request_too_many():
    with FakeDiscord(routes={"/channels/{channel}/messages": (3, 0.2)}) as service:
        channels, made = filled(service, 2, 150)

        def work(session):
            return everything(session, channels * 4)

        assert within(service, work) == made * 4
        assert service.violations == []
        assert {asked.status for asked in service.requests} == {200}


def test_the_limit_of_all_routes_together_is_kept_before_it_is_met():
    """Half the rate, so that a busy machine that sends requests late and together breaks no limit."""
    assert DISCORD_RATE + Patience().burst < 50
    with FakeDiscord(overall=50) as service:
        channels, made = filled(service, 60, 1)
        found = within(
            service,
            lambda session: everything(session, channels),
            rate=DISCORD_RATE / 2,
            burst=Patience().burst,
        )
        assert found == made
        assert service.violations == []
        assert {asked.status for asked in service.requests} == {200}


@pytest.mark.parametrize("mode", ["local", "shared", "global"])
def test_a_429_is_waited_for_by_all_whom_it_concerns(mode):
    with FakeDiscord() as service:
        channels, made = filled(service, 8, 150)
        service.fail(on="/messages", mode=mode, skip=5, wait=0.8)
        found = within(service, lambda session: everything(session, channels), rate=25.0, burst=1)
        assert found == made
        assert service.violations == []
        refused = sum(asked.status == 429 for asked in service.requests)
        # Those of other channels may have been on their way, of each one.
        assert refused == 1 or (mode == "global" and refused <= len(channels))


def test_the_page_that_empties_a_bucket_is_used_even_before_a_long_wait():
    with FakeDiscord(routes={"/channels/{channel}/messages": (1, 900.0)}) as service:
        channels, made = filled(service, 2, 1)

        async def work(session):
            page = await session.messages(channels[0].id, after="")
            sent = session.requests
            with pytest.raises(DiscordError, match=r"wait (899|900) s.*nothing .* is lost"):
                await session.messages(channels[0].id, after=page[-1]["id"])
            assert session.requests == sent
            return [message["id"] for message in page]

        assert within(service, work) == made[0]
        assert service.violations == []


@pytest.mark.parametrize("mode", ["local", "shared", "global"])
def test_a_wait_that_is_too_long_ends_the_session(discord, mode):
    channel = discord.add_channel("help")
    discord.fail(on="/messages", mode=mode, wait=500.0)

    async def work(session):
        with pytest.raises(DiscordError, match=r"wait 500 s.*nothing .* is lost"):
            await session.latest(channel.id)
        with pytest.raises(DiscordError, match="500 s"):
            await session.guild(discord.guild)

    within(discord, work)
    assert len(discord.requests) == 3


def test_a_banned_address_makes_no_further_request(discord):
    channel = discord.add_channel("help")
    discord.fail(on="/messages", mode="html", status=429)

    async def work(session):
        for _ in range(3):
            with pytest.raises(DiscordError, match="bans an address"):
                await session.latest(channel.id)

    within(discord, work)
    assert len(discord.requests) == 3


def test_a_session_ends_long_before_invalid_answers_ban_the_address(discord):
    channel = discord.add_channel("staff")
    discord.deny(channel, "VIEW_CHANNEL")

    async def work(session):
        kinds = []
        for _ in range(7):
            with pytest.raises(DiscordError) as caught:
                await session.latest(channel.id)
            kinds.append(type(caught.value))
        return kinds

    kinds = within(discord, work, invalid=5)
    assert kinds == [DiscordForbiddenError] * 4 + [DiscordError] * 3
    assert sum(asked.status == 403 for asked in discord.requests) == 5
    assert Patience().invalid <= 10_000 / 5


def test_a_429_that_others_brought_about_is_not_counted(discord):
    channel = discord.add_channel("help")

    async def work(session):
        for _ in range(4):
            discord.fail(on="/messages", mode="shared", wait=0.01)
            assert await session.latest(channel.id) == ""

    within(discord, work, invalid=2)
    assert sum(asked.status == 429 for asked in discord.requests) == 4


def test_invalid_answers_are_forgotten_after_ten_minutes():
    count = InvalidAnswers(3)
    assert [count.add(now) for now in (0.0, 1.0, 599.0, 1200.0, 1201.0)] == [False, False, True, False, False]


def test_in_no_second_more_requests_go_out_than_the_bot_is_allowed():
    patience = Patience()
    assert DISCORD_RATE + patience.burst < 50


def test_turns_are_taken_in_steps_after_a_first_few():
    async def run():
        pace = Pace(rate=200.0, burst=3)
        loop = asyncio.get_running_loop()
        begin, times = loop.time(), []

        async def one():
            await pace.wait("a")
            times.append(loop.time() - begin)

        await asyncio.gather(*(one() for _ in range(20)))
        return times

    times = sorted(asyncio.run(run()))
    for n, time in enumerate(times):  # never earlier; how much later is the machine's affair
        assert time >= (n - 2) / 200.0 - 0.001


def test_waiting_for_a_bucket_is_not_taken_for_a_slow_answer():
    with FakeDiscord(routes={"/channels/{channel}/messages": (1, 0.6)}) as service:
        channels, made = filled(service, 1, 150)
        assert within(service, lambda session: everything(session, channels), timeout=0.3) == made
        assert len(service.requests) == 2 + 3
        assert service.violations == []


# Its place in the process.


def test_a_bot_of_ones_own_logs_on_while_a_session_is_open(discord, caplog):
    caplog.set_level(logging.DEBUG)

    async def work(session):
        logging.getLogger("discord.http").debug("of another bot")
        await session.guild(discord.guild)

    within(discord, work)
    assert [r.getMessage() for r in caplog.records if r.name == "discord.http"] == ["of another bot"]


@pytest.mark.parametrize("token", ["rehearsal", "wrong"])
def test_a_session_leaves_the_loggers_as_they_were(discord, token):
    names = ("discord", "discord.http", "discord.client", "aiohttp.client")
    before = {name: list(logging.getLogger(name).filters) for name in names}

    async def work():
        async with await opened(discord, Secret(token)):
            assert logging.getLogger("discord.http").filters != before["discord.http"]

    try:
        asyncio.run(work())
    except DiscordLoginError:
        assert token == "wrong"
    assert {name: list(logging.getLogger(name).filters) for name in names} == before


def test_two_sessions_do_not_disturb_each_other(discord):
    channels, made = filled(discord, 2, 150)

    async def work(first):
        async with await opened(discord, Secret("rehearsal")) as second:
            both = await asyncio.gather(whole(first, channels[0].id), whole(second, channels[1].id))
            assert first.requests == second.requests == 2 + 3
            return [[message["id"] for message in found] for found in both]

    assert within(discord, work) == made


def test_a_cancelled_request_leaves_the_session_usable(discord):
    channel = discord.add_channel("help")
    discord.fail(on="/messages", mode="hang")

    async def work(session):
        task = asyncio.create_task(session.latest(channel.id))
        while not any("/messages" in path for path in paths(discord)):  # noqa: ASYNC110  (set by a thread)
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await session.latest(channel.id) == ""

    within(discord, work)


def test_only_discord_has_a_global_limit_until_another_endpoint_says_so():
    with FakeDiscord() as service:

        async def pace_of(endpoint, **limits):
            options = {"rate": None, **limits}
            session = await opened(SimpleNamespace(url=endpoint), Secret(service.token), **options)
            async with session:
                before = session._guard._pace._step
                service.fail(mode="global", wait=0.01)
                await session.check_text()
                return before, session._guard._pace._step

        assert asyncio.run(pace_of(service.url)) == (0.0, 1 / DISCORD_RATE)
        assert asyncio.run(pace_of(service.url, rate=500.0)) == (1 / 500, 1 / 500)
