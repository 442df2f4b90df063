"""The real client library works with the fake Discord, which shows what it does not do for a crawler."""

from __future__ import annotations

import asyncio
import logging
import warnings

import aiohttp
import pytest
from fake_help import everything

from furytune.testing.fake_discord import FakeDiscord

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of audioop, which its voice part imports
    discord_py = pytest.importorskip("discord")


@pytest.fixture
def client(monkeypatch):
    """Runs a function with a logged-in client."""

    def run(service, work):
        monkeypatch.setattr("discord.http.Route.BASE", service.url)

        async def main():
            async with discord_py.Client(intents=discord_py.Intents(guilds=True, members=True)) as opened:
                await opened.login(service.token)
                guild = await opened.fetch_guild(int(service.guild))
                return await work(opened, guild)

        return asyncio.run(main())

    return run


def test_it_logs_in_and_finds_its_application(discord, client):
    async def work(opened, guild):
        return opened.user, await opened.application_info(), guild

    user, application, guild = client(discord, work)
    assert (str(user.id), user.bot) == (discord.bot.id, True)
    assert application.flags.gateway_message_content_limited
    assert application.owner.name == "owner"
    assert (str(guild.id), guild.name) == (discord.guild, "Workshop")
    assert [r.name for r in guild.roles] == ["@everyone", "reader"]


def test_a_wrong_token_ends_the_login_at_once(discord, monkeypatch):
    monkeypatch.setattr("discord.http.Route.BASE", discord.url)

    async def work():
        async with discord_py.Client(intents=discord_py.Intents.none()) as opened:
            await opened.login("wrong")

    with pytest.raises(discord_py.LoginFailure):
        asyncio.run(work())
    assert (len(discord.requests), discord.violations) == (1, [])


def test_it_accepts_every_channel_thread_and_message(discord, client):
    everything(discord)

    async def work(_, guild):
        read = {}
        channels = await guild.fetch_channels()
        places = [c for c in channels if hasattr(c, "history")] + list(await guild.active_threads())
        for channel in channels:
            if hasattr(channel, "archived_threads"):
                places += [t async for t in channel.archived_threads(limit=None)]
            if isinstance(channel, discord_py.TextChannel) and not channel.is_news():
                places += [t async for t in channel.archived_threads(private=True, limit=None)]
        for place in places:
            read[place.id] = [m async for m in place.history(limit=None, oldest_first=True)]
        return channels, read, [m async for m in guild.fetch_members(limit=None)]

    channels, read, members = client(discord, work)
    assert {c.id for c in channels} == {c.number for c in discord.channels.values() if not c.is_thread}
    holding = {c.number: c for c in discord.channels.values() if c.kind not in {"category", "forum", "media"}}
    assert read.keys() == holding.keys()
    for number, messages in read.items():
        assert [m.id for m in messages] == holding[number].numbers
        assert [m.content for m in messages] == [m.content for m in holding[number].messages]
        assert [m.type.value for m in messages] == [m.type for m in holding[number].messages]
        assert [str(m.author.id) for m in messages] == [m.author.id for m in holding[number].messages]
    assert {m.id for m in members} == {u.number for u in discord.users.values() if u.member}
    assert discord.violations == []


def test_it_understands_the_parts_of_messages(discord, client):
    ids = everything(discord)

    async def work(opened, _):
        channel = await opened.fetch_channel(int(ids["channel"]))
        return [m async for m in channel.history(limit=None, oldest_first=True)]

    messages = client(discord, work)
    first = messages[0]
    assert (first.edited_at is not None, first.pinned, first.mention_everyone) == (True, True, False)
    assert [(str(r.emoji), r.count) for r in first.reactions] == [("\N{THUMBS UP SIGN}", 3)]
    assert str(first.thread.id) == ids["thread"] == str(first.id)
    reply = next(m for m in messages if m.type is discord_py.MessageType.reply and m.attachments)
    assert (reply.reference.resolved.id, reply.attachments[0].filename) == (first.id, "log.txt")
    assert [s.name for s in reply.stickers] == ["wave"]
    forward = next(m for m in messages if m.message_snapshots)
    assert forward.message_snapshots[0].content == "answer"
    assert forward.reference.type is discord_py.MessageReferenceType.forward
    poll = next(m.poll for m in messages if m.poll)
    assert (poll.question, [a.text for a in poll.answers]) == ("which?", ["a", "b"])
    assert next(m for m in messages if m.webhook_id and not m.application_id).author.bot
    command = next(m for m in messages if m.type is discord_py.MessageType.chat_input_command)
    assert command.interaction_metadata.user.name == "owner"
    deleted = [m.reference.resolved for m in messages if m.type is discord_py.MessageType.reply][-1]
    assert isinstance(deleted, discord_py.DeletedReferencedMessage)


@pytest.mark.parametrize("limit", [1, 3])
def test_it_never_asks_of_an_empty_bucket(limit, client):
    with FakeDiscord(routes={"/channels/{channel}/messages": (limit, 0.15)}) as service:
        (where,) = service.fill(650)

        async def work(opened, _):
            channel = await opened.fetch_channel(where.number)
            return [m.id async for m in channel.history(limit=None, oldest_first=True)]

        assert client(service, work) == where.numbers
        assert service.violations == []
        assert {asked.status for asked in service.requests} == {200}


@pytest.mark.parametrize("mode", ["local", "global", "shared"])
def test_it_waits_after_a_limit_out_of_the_blue(mode, discord, client, caplog):
    (where,) = discord.fill(250)
    discord.fail("/messages", mode=mode, skip=1, wait=0.2)

    async def work(opened, _):
        channel = await opened.fetch_channel(where.number)
        return [m.id async for m in channel.history(limit=None, oldest_first=True)]

    with caplog.at_level(logging.WARNING, "discord.http"):
        assert client(discord, work) == where.numbers
    assert discord.violations == []
    assert [a.status for a in discord.requests if "messages" in a.path] == [200, 429, 200, 200]


def history(service, where):
    async def work(opened, _):
        channel = await opened.fetch_channel(where.number)
        return [m.id async for m in channel.history(limit=None, oldest_first=True)]

    return work


def test_it_tries_again_after_502_and_gives_up_at_503(discord, client):
    (where,) = discord.fill(150)
    discord.fail("/messages", 502)
    assert client(discord, history(discord, where)) == where.numbers
    discord.fail("/messages", 503, skip=1)
    with pytest.raises(discord_py.DiscordServerError) as caught:
        client(discord, history(discord, where))
    assert caught.value.status == 503
    assert [a.status for a in discord.requests if "messages" in a.path] == [502, 200, 200, 200, 503]


def test_a_reset_is_hidden_once_and_ends_the_crawl_when_it_comes_twice(discord, client):
    (where,) = discord.fill(150)
    discord.fail("/messages", mode="reset")
    assert client(discord, history(discord, where)) == where.numbers
    discord.fail("/messages", mode="reset", times=2)
    with pytest.raises(aiohttp.ClientConnectionError):
        client(discord, history(discord, where))
    assert [a.status for a in discord.requests if "messages" in a.path] == [0, 200, 200, 0, 0]


@pytest.mark.parametrize(
    ("mode", "error"),
    [("truncate", ValueError), ("cut", aiohttp.ClientPayloadError), ("forbid", discord_py.Forbidden)],
)
def test_a_broken_body_ends_the_crawl(mode, error, discord, client):
    (where,) = discord.fill(150)
    discord.fail("/messages", mode=mode, skip=1)
    with pytest.raises(error):
        client(discord, history(discord, where))


def test_the_page_of_a_proxy_is_taken_for_an_answer(discord, client):
    (where,) = discord.fill(150)
    discord.fail("/messages", 200, mode="html", skip=1)
    with pytest.raises((TypeError, AttributeError)):
        client(discord, history(discord, where))


def test_missing_history_looks_like_an_empty_channel(discord, client):
    (where,) = discord.fill(150)
    discord.deny(where, "READ_MESSAGE_HISTORY")
    assert client(discord, history(discord, where)) == []
