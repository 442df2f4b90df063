"""The fake Discord behaves as documented (pages, permissions, limits), and misbehaves on request."""

from __future__ import annotations

import contextlib
import errno
import gc
import http.client
import socket
import subprocess
import sys
import threading
import time
import urllib.error

import pytest
from fake_help import ask

from furytune.testing.fake_discord import FakeDiscord


def ids(service, path):
    status, _, body = ask(service, path)
    assert status == 200
    return [int(item["id"]) for item in body]


def threads(service, path):
    return [t["name"] for t in ask(service, path)[2]["threads"]]


@pytest.mark.parametrize("limit", [1, 4, 9, 100])
def test_a_page_is_what_its_definition_says(limit, discord):
    where = discord.add_channel("long")
    for i in range(20):
        message = discord.post(where, "alice", str(i))
        if i % 7 == 3:
            discord.delete(message)
    path = f"/channels/{where.id}/messages?limit={limit}"
    everything = list(where.numbers)
    assert ids(discord, path)[::-1] == everything[-limit:]
    for cursor in sorted({n + d for n in everything for d in (-1, 0, 1)} | {0}):
        older, newer = [n for n in everything if n < cursor], [n for n in everything if n > cursor]
        assert ids(discord, f"{path}&after={cursor}")[::-1] == newer[:limit]
        assert ids(discord, f"{path}&before={cursor}")[::-1] == older[-limit:]
        around = ids(discord, f"{path}&around={cursor}")[::-1]
        assert cursor in around or cursor not in everything
        assert around == [n for n in everything if around and around[0] <= n <= around[-1]]
        assert len(around) <= limit


def test_ids_ascend_and_tell_the_time(discord):
    where = discord.add_channel("help")
    discord.now = 1_700_000_000_000
    made = [discord.post(where, discord.owner, "x").number for _ in range(5)]
    assert made == sorted(set(made))
    assert [(n >> 22) + 1_420_070_400_000 for n in made] == [
        1_700_000_000_000 + 1000 * i for i in range(1, 6)
    ]
    discord.tick = 0
    still = [discord.post(where, discord.owner, "x").number for _ in range(3)]
    assert [n - still[0] for n in still] == [0, 1, 2]


def test_without_history_the_list_is_empty_and_nothing_is_refused(discord):
    where = discord.add_channel("help")
    message = discord.post(where, "alice", "x")
    discord.deny(where, "READ_MESSAGE_HISTORY")
    assert ids(discord, f"/channels/{where.id}/messages") == []
    assert ask(discord, f"/channels/{where.id}/messages/{message.id}")[2]["code"] == 50_001
    assert ask(discord, f"/channels/{where.id}/threads/archived/public")[0] == 403
    discord.allow(where, "READ_MESSAGE_HISTORY")
    assert ids(discord, f"/channels/{where.id}/messages") == [message.number]


def test_hidden_channels_are_not_listed_and_refused_on_request(discord):
    category = discord.add_channel("all", "category")
    where = discord.add_channel("secret", category=category)
    other = discord.add_channel("open")
    discord.add_thread(where, "inside", content="x")
    discord.deny(where, "VIEW_CHANNEL")
    discord.deny(category, "VIEW_CHANNEL")
    assert ids(discord, f"/guilds/{discord.guild}/channels") == [other.number]
    assert threads(discord, f"/guilds/{discord.guild}/threads/active") == []
    for path in ("", "/messages", "/threads/archived/public"):
        status, _, body = ask(discord, f"/channels/{where.id}{path}")
        assert (status, body) == (403, {"message": "Missing Access", "code": 50_001})
    discord.allow(where, "VIEW_CHANNEL")
    seen = [category.number, where.number, other.number]
    assert ids(discord, f"/guilds/{discord.guild}/channels") == seen  # a category is seen with its channel


def test_voice_needs_the_permission_to_connect(discord):
    voice = discord.add_channel("voice", "voice")
    message = discord.post(voice, "alice", "x")
    assert ids(discord, f"/channels/{voice.id}/messages") == [message.number]
    discord.deny(voice, "CONNECT")
    assert ask(discord, f"/channels/{voice.id}/messages")[0] == 403


def test_overwrites_of_everyone_roles_and_the_member_apply_in_this_order(discord):
    where = discord.add_channel("help")
    role = discord.bot.roles[0]
    path = f"/channels/{where.id}"
    discord.overwrite(where, discord.everyone, deny=["VIEW_CHANNEL"])
    assert ask(discord, path)[0] == 403
    discord.overwrite(where, role, allow=["VIEW_CHANNEL"])
    assert ask(discord, path)[0] == 200
    discord.overwrite(where, discord.bot, deny=["VIEW_CHANNEL"])
    assert ask(discord, path)[0] == 403
    role.permissions |= 1 << 3
    assert ask(discord, path)[0] == 200  # an administrator is bound by no overwrite


def test_private_threads_are_for_members_and_those_who_manage_threads(discord):
    where = discord.add_channel("help")
    discord.add_thread(where, "mine", private=True, joined=True)
    theirs = discord.add_thread(where, "theirs", private=True)
    discord.add_thread(where, "mine, closed", private=True, joined=True, archived=True)
    discord.add_thread(where, "theirs, closed", private=True, archived=True)
    active, archived = (
        f"/guilds/{discord.guild}/threads/active",
        f"/channels/{where.id}/threads/archived/private",
    )
    joined = f"/channels/{where.id}/users/@me/threads/archived/private"
    assert threads(discord, active) == ["theirs", "mine"]
    assert threads(discord, archived) == ["theirs, closed", "mine, closed"]
    discord.deny(where, "MANAGE_THREADS")
    assert threads(discord, active) == ["mine"]
    assert ask(discord, archived)[0] == 403
    assert threads(discord, joined) == ["mine, closed"]
    assert ask(discord, f"/channels/{theirs.id}/messages")[0] == 403


def test_archived_threads_come_in_pages_by_the_time_of_their_archiving(discord):
    where = discord.add_channel("help")
    made = [discord.add_thread(where, str(i), archived=True) for i in range(7)]
    discord.post(made[2], "bob", "opens it for a moment")
    path, before, seen = f"/channels/{where.id}/threads/archived/public?limit=3", "", []
    while True:
        body = ask(discord, path + before)[2]
        seen += [t["name"] for t in body["threads"]]
        if not body["has_more"]:
            break
        before = "&before=" + body["threads"][-1]["thread_metadata"]["archive_timestamp"].replace("+", "%2B")
    assert seen == ["2", "6", "5", "4", "3", "1", "0"]
    for limit in (6, 7, 8):
        body = ask(discord, f"/channels/{where.id}/threads/archived/public?limit={limit}")[2]
        assert body["has_more"] == (limit < 7)
    discord.archive(made[0], archived=False)
    assert threads(discord, f"/guilds/{discord.guild}/threads/active") == ["0"]


def test_a_thread_shares_the_id_of_what_started_it(discord):
    where, forum = discord.add_channel("help"), discord.add_channel("forum", "forum")
    message = discord.post(where, "alice", "why?")
    thread = discord.add_thread(where, "why", starter=message)
    post = discord.add_thread(forum, "how", content="how?", tags=["bug"])
    assert thread.id == message.id
    assert ids(discord, f"/channels/{post.id}/messages") == [post.number]
    first = ask(discord, f"/channels/{thread.id}/messages")[2][0]
    assert (first["type"], first["content"], first["embeds"], first["attachments"]) == (21, "", [], [])
    assert first["referenced_message"]["content"] == "why?"
    assert first["message_reference"]["channel_id"] == where.id
    assert ask(discord, f"/channels/{where.id}/messages/{message.id}")[2]["thread"]["name"] == "why"
    discord.post(thread, "bob", "because")
    about = ask(discord, f"/channels/{thread.id}")[2]
    assert (about["message_count"], about["total_message_sent"]) == (1, 1)
    discord.post(post, "bob", "so")
    about = ask(discord, f"/channels/{post.id}")[2]
    assert (about["message_count"], about["total_message_sent"]) == (1, 1)
    assert about["applied_tags"] == [str(forum.tags["bug"])]
    assert ask(discord, f"/channels/{forum.id}")[2]["last_message_id"] == post.id


def test_deleting_leaves_nothing_but_the_last_id(discord):
    where = discord.add_channel("help")
    kept, gone = discord.post(where, "alice", "kept"), discord.post(where, "alice", "gone")
    answer = discord.post(where, "bob", "answer", reply_to=gone)
    discord.delete(gone)
    assert ids(discord, f"/channels/{where.id}/messages") == [answer.number, kept.number]
    assert ask(discord, f"/channels/{where.id}/messages/{answer.id}")[2]["referenced_message"] is None
    discord.delete(answer)
    assert ask(discord, f"/channels/{where.id}")[2]["last_message_id"] == answer.id
    thread = discord.add_thread(where, "t", content="x")
    discord.delete_channel(where)
    for channel in (where, thread):
        assert ask(discord, f"/channels/{channel.id}")[2]["code"] == 10_003


def test_edits_reach_answers_but_no_forwards(discord):
    where = discord.add_channel("help")
    message = discord.post(where, "alice", "before")
    discord.post(where, "bob", "re", reply_to=message)
    discord.post(where, "bob", forward_of=message)
    path = f"/channels/{where.id}/messages"
    ask(discord, path)
    discord.edit(message, "after")
    forward, answer, edited = ask(discord, path)[2]
    assert edited["content"] == answer["referenced_message"]["content"] == "after"
    assert edited["edited_timestamp"] is not None
    assert forward["message_snapshots"][0]["message"]["content"] == "before"
    assert (forward["content"], forward["message_reference"]["type"]) == ("", 1)
    discord.edit(message, "silently", silently=True)
    again = ask(discord, f"{path}/{message.id}")[2]
    assert (again["content"], again["edited_timestamp"]) == ("silently", edited["edited_timestamp"])


def test_reactions_can_be_changed(discord):
    where = discord.add_channel("help")
    message = discord.post(where, "alice", "text")
    path, counts = f"/channels/{where.id}/messages/{message.id}", []
    for emoji, count in (("a", 1), ("b", 2), ("a", 3), ("b", 0), ("a", 0)):
        discord.react(message, emoji, count)
        counts.append({r["emoji"]["name"]: r["count"] for r in ask(discord, path)[2].get("reactions", [])})
    assert counts == [{"a": 1}, {"a": 1, "b": 2}, {"a": 3, "b": 2}, {"a": 3}, {}]


def test_without_the_content_intent_only_the_bot_s_own_text_is_shown(discord):
    where = discord.add_channel("help")
    message = discord.post(where, "alice", "text", attachments=["a"], embeds=["e"], poll=("q", ["a"]))
    discord.post(where, "bob", "re", reply_to=message)
    discord.post(where, "bob", forward_of=message)
    discord.post(where, discord.bot, "own")
    discord.post(where, "alice", f"<@{discord.bot.id}> please")
    discord.content_intent = False
    assert ask(discord, "/applications/@me")[2]["flags"] & (1 << 18 | 1 << 19) == 0
    mention, own, forward, answer, first = ask(discord, f"/channels/{where.id}/messages")[2]
    assert [mention["content"], own["content"]] == [f"<@{discord.bot.id}> please", "own"]
    for hidden in (first, answer, answer["referenced_message"], forward["message_snapshots"][0]["message"]):
        assert (hidden["content"], hidden["attachments"], hidden["embeds"]) == ("", [], [])
        assert "poll" not in hidden


def test_members_are_listed_in_pages_with_the_intent_only(discord):
    for i in range(5):
        discord.add_member(f"m{i}")
    discord.leave(gone := discord.add_member("gone"))
    seen, after = [], 0
    while page := ask(discord, f"/guilds/{discord.guild}/members?limit=3&after={after}")[2]:
        seen += [m["user"]["username"] for m in page]
        after = page[-1]["user"]["id"]
    assert seen == ["owner", "furytune", "m0", "m1", "m2", "m3", "m4"]
    assert ask(discord, f"/guilds/{discord.guild}/members/{gone.id}")[2]["code"] == 10_007
    assert ask(discord, "/applications/@me")[2]["flags"] & (1 << 14 | 1 << 15)
    discord.members_intent = False
    assert ask(discord, "/applications/@me")[2]["flags"] & (1 << 14 | 1 << 15) == 0
    assert ask(discord, f"/guilds/{discord.guild}/members?limit=3")[0] == 403
    assert ask(discord, f"/guilds/{discord.guild}/members/{discord.bot.id}")[0] == 200


def test_a_wrong_token_is_refused_and_its_second_use_noted(discord):
    for _ in range(2):
        status, _, body = ask(discord, "/users/@me", token="wrong")
        assert (status, body) == (401, {"message": "401: Unauthorized", "code": 0})
    assert len(discord.violations) == 1
    assert ask(discord, "/users/@me")[0] == 200
    assert len(discord.violations) == 1


class Clock:
    """A clock whose time passes only on request."""

    def __init__(self, service):
        self.now = 1000.0
        service.limits.clock = lambda: self.now


def test_a_bucket_empties_is_announced_and_refills():
    with FakeDiscord(routes={"/channels/{channel}/messages": (2, 3.0)}) as service:
        clock = Clock(service)
        one, two = service.add_channel("one"), service.add_channel("two")
        path = f"/channels/{one.id}/messages"
        left = [ask(service, path)[1]["X-RateLimit-Remaining"] for _ in range(2)]
        assert left == ["1", "0"]
        assert service.violations == []
        clock.now += 1
        status, headers, body = ask(service, path)
        assert (status, headers["X-RateLimit-Scope"], len(service.violations)) == (429, "user", 1)
        assert (headers["Retry-After"], headers["X-RateLimit-Reset-After"]) == ("2", "2.000")
        assert ask(service, path)[0] == 429
        assert "429 number 2" in service.violations[1]
        status, other, _ = ask(service, f"/channels/{two.id}/messages")
        assert (status, other["X-RateLimit-Bucket"]) == (200, headers["X-RateLimit-Bucket"])
        clock.now += body["retry_after"]
        assert [ask(service, path)[0] for _ in range(3)] == [200, 200, 429]
        assert len(service.violations) == 3
        assert "number" not in service.violations[2]


def test_requests_in_flight_at_a_limit_do_not_count_against_the_client():
    with FakeDiscord(latency=0.2) as service:
        service.fail(mode="local", wait=5)
        senders = [threading.Thread(target=ask, args=(service, "/users/@me")) for _ in range(4)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert [asked.status for asked in service.requests] == [429] * 4
        assert service.violations == []


def test_all_requests_together_have_a_limit_if_asked_for():
    with FakeDiscord(overall=3) as service:
        clock = Clock(service)
        assert [ask(service, "/users/@me")[0] for _ in range(4)] == [200, 200, 200, 429]
        assert len(service.violations) == 1
        assert ask(service, f"/guilds/{service.guild}")[2]["global"] is True
        assert len(service.violations) == 1  # what is on its way is forgiven for a moment
        clock.now += 0.5
        assert ask(service, f"/guilds/{service.guild}")[0] == 429
        assert len(service.violations) == 2
        clock.now += 0.5
        assert ask(service, f"/guilds/{service.guild}")[0] == 200


@pytest.mark.parametrize("mode", ["local", "global", "shared"])
def test_a_sudden_limit_is_the_client_s_fault_only_if_it_does_not_wait(mode, discord):
    clock = Clock(discord)
    discord.fail(mode=mode, wait=0.3)
    assert ask(discord, "/users/@me")[2]["retry_after"] == 0.3
    assert discord.violations == []
    clock.now += 0.1
    assert ask(discord, "/users/@me")[2]["retry_after"] == 0.2
    assert len(discord.violations) == 1
    clock.now += 0.2
    assert ask(discord, "/users/@me")[0] == 200
    assert len(discord.violations) == 1


def test_what_counts_towards_a_ban_is_counted(discord):
    where = discord.add_channel("help")
    discord.deny(where, "VIEW_CHANNEL")
    ask(discord, f"/channels/{where.id}")
    ask(discord, "/users/@me", token="wrong")
    ask(discord, "/channels/1")
    discord.fail("guilds", mode="shared")
    ask(discord, f"/guilds/{discord.guild}")
    assert discord.invalid == 2
    discord.fail("users", mode="local")
    ask(discord, "/users/@me")
    assert discord.invalid == 3
    assert [asked.scope for asked in discord.requests] == ["", "", "", "shared", "user"]


def test_a_clock_that_is_wrong_is_wrong_in_absolute_times_only():
    with FakeDiscord(skew=3600, window=2.0) as service:
        headers = ask(service, "/users/@me")[1]
        assert float(headers["X-RateLimit-Reset"]) - time.time() > 3500
        assert float(headers["X-RateLimit-Reset-After"]) <= 2.0


@pytest.mark.parametrize("kind", ["chat", "public_thread"])
def test_there_are_no_other_kinds_of_channels(kind, discord):
    with pytest.raises(ValueError, match=kind):
        discord.add_channel("x", kind)


def test_faults_strike_what_they_name_as_often_as_they_say(discord):
    discord.fail("GET /users/@me$", 502, times=2, skip=1)
    discord.fail("/guilds/", mode="forbid")
    assert [ask(discord, "/users/@me")[0] for _ in range(4)] == [200, 502, 502, 200]
    assert ask(discord, f"/guilds/{discord.guild}")[2]["code"] == 50_001
    assert [asked.status for asked in discord.requests] == [200, 502, 502, 200, 403]
    assert {asked.path for asked in discord.requests} == {"/users/@me", f"/guilds/{discord.guild}"}


def raw(service):
    """Returns the answer to one request over its own connection."""
    host = service.url.split("/")[2]
    with contextlib.closing(http.client.HTTPConnection(host, timeout=5)) as line:
        line.request("GET", "/api/v10/users/@me", headers={"Authorization": "Bot rehearsal"})
        answer = line.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()


def test_connections_and_bodies_break_as_asked(discord):
    whole = raw(discord)[2]
    discord.fail(mode="reset")
    with pytest.raises(ConnectionResetError) as caught:
        raw(discord)
    assert caught.value.errno == errno.ECONNRESET  # and not merely an early end
    discord.fail(mode="truncate")
    assert raw(discord) == (200, "application/json", whole[: len(whole) // 2])
    discord.fail(mode="cut")
    with pytest.raises(http.client.IncompleteRead):
        raw(discord)
    discord.fail(mode="html", status=502)
    status, kind, body = raw(discord)
    assert (status, kind, body[:9]) == (502, "text/html; charset=UTF-8", b"<!DOCTYPE")
    discord.fail(mode="slow", wait=0.2)
    began = time.monotonic()
    assert raw(discord)[2] == whole
    assert time.monotonic() - began > 0.15
    assert [asked.status for asked in discord.requests] == [200, 0, 200, 200, 502, 200]


def test_what_hangs_is_let_go_at_the_end():
    with FakeDiscord() as service:
        service.fail(mode="hang")
        ended = []

        def hang():
            with pytest.raises((OSError, http.client.HTTPException, urllib.error.URLError)):
                raw(service)
            ended.append(True)

        thread = threading.Thread(target=hang)
        thread.start()
        while not service.requests:
            time.sleep(0.001)
        assert not ended
    thread.join(5)
    assert ended


def test_the_guild_can_be_edited_in_the_middle_of_a_crawl(discord):
    where = discord.add_channel("help")
    first = discord.post(where, "alice", "first")

    def meddle(asked):
        if "/messages" in asked.path:
            discord.post(where, "bob", f"before answer {len(where.numbers)}")

    discord.on_request(meddle)
    ask(discord, "/users/@me")
    assert len(ids(discord, f"/channels/{where.id}/messages")) == 2
    assert len(ids(discord, f"/channels/{where.id}/messages?after={first.id}")) == 2


def test_what_a_hook_raises_is_not_lost():
    def wrong(asked):
        raise AssertionError(asked.path)

    service = FakeDiscord()
    service.on_request(wrong)
    assert ask(service, "/users/@me")[0] == 500
    with pytest.raises(AssertionError, match="/users/@me"):
        service.close()


def test_many_threads_may_edit_while_it_is_read(discord):
    where = discord.add_channel("help")

    def write(name):
        for i in range(100):
            discord.react(discord.post(where, name, str(i)), "x", 2)

    writers = [threading.Thread(target=write, args=(f"w{i}",)) for i in range(4)]
    for writer in writers:
        writer.start()
    seen, after = [], 0
    while any(w.is_alive() for w in writers) or after < where.numbers[-1]:
        page = ids(discord, f"/channels/{where.id}/messages?limit=100&after={after}")[::-1]
        seen += page
        after = seen[-1] if seen else 0
    assert seen == where.numbers
    assert len(seen) == 400


def test_it_runs_as_a_process_of_its_own_until_its_input_ends():
    command = [sys.executable, "-m", "furytune.testing.fake_discord", "--messages", "150", "--channels", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        class There:
            url = process.stdout.readline().strip()

        guild = process.stdout.readline().strip()
        channels = ids(There, f"/guilds/{guild}/channels")
        assert [len(ids(There, f"/channels/{c}/messages?limit=100")) for c in channels] == [75, 75]
        process.stdin.close()
        assert process.wait(10) == 0
        assert process.stdout.read() == ""


def test_filling_is_the_same_every_time():
    def told():
        with FakeDiscord(tick=1) as service:
            (where,) = service.fill(120)
            return ask(service, f"/channels/{where.id}/messages?limit=100")[2]

    assert told() == told()


def test_preparing_changes_no_answer(discord):
    (where,) = discord.fill(120)
    paths = [f"/channels/{where.id}/messages?limit=100", f"/channels/{where.id}/messages?limit=30&after=0"]
    discord.remember = False
    before = [ask(discord, path)[2] for path in paths]
    discord.prepare()
    assert [ask(discord, path)[2] for path in paths] == before


def test_what_connects_while_it_closes_is_closed_too():
    for _ in range(60):
        closing = threading.Event()
        with FakeDiscord() as service:
            place = ("127.0.0.1", int(service.url.split(":")[2].split("/")[0]))

            def connect(place=place, closing=closing) -> None:
                while not closing.is_set():
                    with contextlib.suppress(OSError), socket.create_connection(place, timeout=1):
                        time.sleep(0.0005)

            clients = [threading.Thread(target=connect) for _ in range(3)]
            for client in clients:
                client.start()
            time.sleep(0.01)
        closing.set()
        for client in clients:
            client.join()
    gc.collect()  # what is still open warns, and a warning fails the test
