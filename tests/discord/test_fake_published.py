"""The fake Discord answers in the shapes that Discord publishes, for everything it can contain."""

from __future__ import annotations

import published
import pytest
from fake_help import ask, everything

from furytune.testing.fake_discord import FakeDiscord


@pytest.mark.parametrize("path", published.ANSWERS)
@pytest.mark.parametrize("content", [True, False])
def test_an_answer_is_as_published(path, content, discord):
    ids = everything(discord)
    discord.content_intent = content
    status, _, body = ask(discord, path.format_map(ids) + ("?limit=100" if "archived" in path else ""))
    assert status == 200
    assert body not in ([], {})
    assert published.mismatches(body, published.ANSWERS[path]) == []


def test_every_message_of_every_place_is_as_published(discord):
    ids = everything(discord)
    for content in (True, False):
        discord.content_intent = content
        seen = set()
        for where in list(discord.channels.values()):
            status, _, body = ask(discord, f"/channels/{where.id}/messages?limit=100")
            if status == 200:
                assert published.mismatches(body, "[MessageResponse]") == []
                assert all(m["channel_id"] == where.id for m in body)
                seen |= {m["type"] for m in body}
            else:
                assert (status, body["code"]) == (400, 50_024)
        assert seen == {0, 6, 7, 18, 19, 20, 21, 46}
        assert seen <= published.MESSAGE_TYPES
    assert ids


def test_every_channel_is_as_published_and_of_a_published_type(discord):
    everything(discord)
    for where in discord.channels.values():
        _, _, body = ask(discord, f"/channels/{where.id}")
        kind = "ThreadResponse" if where.is_thread else "GuildChannelResponse"
        assert published.mismatches(body, kind) == []
        assert body["type"] in published.CHANNEL_TYPES


def test_hidden_channels_are_as_published_and_nameless():
    with FakeDiscord(obfuscate=True) as service:
        everything(service)
        for where in service.channels.values():
            service.deny(where, "VIEW_CHANNEL")
        _, _, body = ask(service, f"/guilds/{service.guild}/channels")
        assert published.mismatches(body, "[GuildChannelResponse]") == []
        assert {c["name"] for c in body} == {"___hidden___"}
        assert all(c["flags"] & 1 << 17 for c in body)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/channels/1", 404, 10_003),
        ("/guilds/1", 404, 10_004),
        ("/guilds/{guild}/members/1", 404, 10_013),
        ("/channels/{channel}/messages/1", 404, 10_008),
        ("/channels/{channel}/messages?limit=101", 400, 50_035),
        ("/channels/{channel}/messages?after=x", 400, 50_035),
        ("/channels/{forum}/messages", 400, 50_024),
        ("/channels/{channel}/threads/archived/public?limit=1", 400, 50_035),
        ("/channels/{channel}/threads/archived/public?before=now", 400, 50_035),
        ("/guilds/{guild}/members?limit=1001", 400, 50_035),
        ("/nowhere", 404, 0),
    ],
)
def test_a_refusal_is_as_published(path, status, code, discord):
    found = ask(discord, path.format_map(everything(discord)))
    assert (found[0], found[2]["code"]) == (status, code)
    assert published.mismatches(found[2], "ErrorResponse") == []


@pytest.mark.parametrize("mode", ["local", "global", "shared"])
def test_a_rate_limit_is_told_as_published(mode, discord):
    discord.fail(mode=mode, wait=0.25)
    status, headers, body = ask(discord, "/users/@me")
    assert status == 429
    assert published.mismatches(body, "RatelimitedResponse") == []
    assert body["retry_after"] == 0.25
    assert body["global"] == (mode == "global")
    assert headers["Retry-After"] == "1"
    assert headers["X-RateLimit-Scope"] == {"local": "user"}.get(mode, mode)
    assert ("X-RateLimit-Bucket" in headers) == (mode != "global")
    assert headers["X-RateLimit-Global"] == ("true" if mode == "global" else None)
    assert headers["Via"]


def test_the_table_itself_finds_what_is_wrong():
    right = {"id": "1", "name": "n", "moderated": False, "emoji_id": None}
    assert published.mismatches(right, "ForumTagResponse") == []
    for wrong in (
        right | {"id": 1},
        right | {"name": None},
        right | {"moderated": 0},
        right | {"more": 1},
        {"id": "1"},
        [right],
        None,
    ):
        assert published.mismatches(wrong, "ForumTagResponse") != []
    assert published.mismatches(True, "integer") != []
    assert published.mismatches("2024-01-01T00:00:00", "time") != []
