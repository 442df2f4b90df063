"""An adopted export is as good as having read it live, and live collection continues from there."""

from __future__ import annotations

import functools
import json
import re
from datetime import UTC, datetime, timedelta

import crawl_help
import journals
import pytest
from attrs import evolve
from crawl_help import KEY

from furytune import Consent, DiscordExportCollector, JournalCollector, QAPair, forget
from furytune.errors import SourceError

# What is in an old export is not compared with Discord in every run.
collector = functools.partial(crawl_help.collector, recheck=timedelta(days=7))
KINDS = {"text": "GuildTextChat", "public_thread": "GuildPublicThread"}


def moment(message):
    return (int(message.id) >> 22) + 1_420_070_400_000


def stamp(milliseconds):
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def exported(service, channel, target, first=0, last=None, *, reverse=False, name="", until=None):
    """Writes some messages of a channel as DiscordChatExporter does with a date filter."""
    chosen = channel.messages[first:last]
    found = []
    for m in chosen:
        one = {
            "id": m.id,
            "type": "Reply" if m.reply_to else "Default",
            "timestamp": stamp(moment(m)),
            "timestampEdited": None,
            "isPinned": False,
            "content": m.content,
            "author": {
                "id": m.author.id,
                "name": m.author.name,
                "discriminator": "0000" if m.author.webhook else "1234" if m.author.bot else "0",
                "isBot": m.author.bot or m.author.webhook,
                "roles": [],
            },
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [],
            "mentions": [],
        }
        if m.reply_to:
            one["reference"] = {"messageId": m.reply_to.id, "channelId": channel.id, "guildId": service.guild}
        snapshots = (m.extra or {}).get("message_snapshots")
        if snapshots:
            about = m.extra["message_reference"]
            one["reference"] = {"messageId": about["message_id"], "channelId": about["channel_id"]}
            one["forwardedMessage"] = {"content": snapshots[0]["message"]["content"]}
        found.append(one)
    end = channel.messages[last] if last is not None else None
    root = {
        "guild": {"id": service.guild, "name": "Workshop", "iconUrl": ""},
        "channel": {
            "id": channel.id,
            "type": KINDS[channel.kind],
            "categoryId": channel.parent.id if channel.parent else None,
            "name": channel.name,
        },
        "dateRange": {
            "after": stamp(moment(channel.messages[first])) if first else None,
            "before": stamp(moment(end)) if end else None,
        },
        "exportedAt": stamp(until or service.now),
        "messages": found[::-1] if reverse else found,
        "messageCount": len(found),
    }
    target.mkdir(exist_ok=True)
    (target / f"{channel.id}{name}.json").write_text(json.dumps(root, indent=2), encoding="utf-8")


def pairs(folder):
    return list(JournalCollector(folder, author_key=KEY).collect())


def only_pairs(folder):
    return [item for item in pairs(folder) if isinstance(item, QAPair)]


def room_of(service, number=230):
    room = service.add_channel("help")
    for i in range(number):
        to = room.messages[-1] if i % 2 else None
        service.post(
            room, f"member{i % 5}", f"So you do {i}." if to else f"How do I do number {i}?", reply_to=to
        )
    return room


# Which stretches of 230 messages each export holds. Discord gives a hundred at a time.
SHAPES = {
    "whole": [(0, None)],
    "the older part": [(0, 130)],
    "overlapping": [(0, 130), (90, None)],
    "one after the other": [(0, 130), (130, None)],
    "the newer part only": [(130, None)],
    "a gap between": [(0, 50), (130, 210)],
    "the middle": [(50, 130)],
}


@pytest.mark.parametrize(
    ("shape", "reverse"), [*((shape, False) for shape in SHAPES), ("whole", True), ("overlapping", True)]
)
def test_adopting_and_going_on_gives_what_reading_alone_gives(discord, tmp_path, shape, reverse):
    room = room_of(discord)
    for n, (first, last) in enumerate(SHAPES[shape]):
        exported(discord, room, tmp_path / "files", first, last, reverse=reverse, name=f" {n}")
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    for i in range(30):
        discord.post(room, "member1", f"news {i}")
    collector(discord, tmp_path / "j").update()
    collector(discord, tmp_path / "alone").update()
    assert pairs(tmp_path / "j") == pairs(tmp_path / "alone")
    collector(discord, tmp_path / "j").refresh()
    logs = [journals.lines_of(tmp_path / name)[room.id] for name in ("j", "alone")]
    assert list(logs[0].items()) == list(logs[1].items())


@pytest.mark.parametrize("shape", SHAPES)
def test_channels_that_may_have_holes_are_named(discord, tmp_path, shape):
    room = room_of(discord)
    for n, (first, last) in enumerate(SHAPES[shape]):
        exported(discord, room, tmp_path / "files", first, last, name=f" {n}")
    adopted = JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    holes = shape in {"the newer part only", "a gap between", "the middle"}
    assert adopted.partial == ((f"#help ({room.id})",) if holes else ())
    assert (f"#help ({room.id})" in str(adopted)) == holes
    assert "refresh()" in str(adopted)


@pytest.mark.parametrize("parts", [[2], [1, 3], [2, 3]])
def test_a_part_that_is_missing_is_read_from_discord(discord, tmp_path, parts):
    room = room_of(discord)
    bounds = {1: (0, 75), 2: (75, 150), 3: (150, None)}
    for part in parts:
        name = f" [part {part}]" if part > 1 else ""
        exported(discord, room, tmp_path / "files", *bounds[part], name=name)
        file = tmp_path / "files" / f"{room.id}{name}.json"
        root = json.loads(file.read_text())
        file.write_text(json.dumps({**root, "dateRange": {"after": None, "before": None}}))
    adopted = JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    assert adopted.partial == (f"#help ({room.id})",)
    collector(discord, tmp_path / "j").update()
    collector(discord, tmp_path / "alone").update()
    assert pairs(tmp_path / "j") == pairs(tmp_path / "alone")
    assert JournalCollector(tmp_path / "j").adopt(tmp_path / "files").partial == ()


def test_a_refresh_reads_what_an_export_silently_left_out(discord, tmp_path):
    room = room_of(discord)
    exported(discord, room, tmp_path / "files")
    file = next((tmp_path / "files").iterdir())
    root = json.loads(file.read_text())
    file.write_text(json.dumps({**root, "messages": root["messages"][::7], "messageCount": 33}))
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    collector(discord, tmp_path / "j").refresh()
    assert len(list(JournalCollector(tmp_path / "j").messages())) == 230


def test_a_manifest_lists_adopted_channels_without_a_permission(discord, tmp_path):
    room = room_of(discord, 20)
    exported(discord, room, tmp_path / "files")
    other = discord.add_channel("other")
    discord.post(other, "ann", "hello")
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    told = JournalCollector(tmp_path / "j").provenance
    assert (told["permission"], told["adopted"]) == ([], [room.id])
    collector(discord, tmp_path / "j").update()
    told = JournalCollector(tmp_path / "j").provenance
    assert [given["statement"] for given in told["permission"]] == ["a rehearsal"]
    assert told["adopted"] == [room.id]


def test_an_adopted_export_does_not_mention_forgotten_people(discord, tmp_path):
    ann = discord.add_member("ann")
    room = discord.add_channel("help")
    discord.post(room, ann, "the word")
    collector(discord, tmp_path / "j").update()
    discord.post(room, "bob", f"thanks <@{ann.id}>")
    exported(discord, room, tmp_path / "files")
    forget(author=ann.id, journal=tmp_path / "j")
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    assert crawl_help.words(tmp_path / "j").count(ann.id.encode()) == 0
    assert b"thanks <@0>" in crawl_help.words(tmp_path / "j")


def test_a_whole_export_spares_the_requests_for_its_messages(discord, tmp_path):
    room = room_of(discord)
    exported(discord, room, tmp_path / "files")
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    discord.post(room, "member1", "news")
    before = len(discord.requests)
    assert collector(discord, tmp_path / "j").update().new == 1
    asked = [r for r in discord.requests[before:] if re.search(r"/messages$", r.path)]
    assert len(asked) == 1


def test_adopting_twice_changes_no_byte(discord, tmp_path):
    room = room_of(discord)
    exported(discord, room, tmp_path / "files", reverse=True)
    adopted = JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    assert (adopted.channels, adopted.messages) == (1, 230)
    before = journals.log_file(tmp_path / "j", room.id).read_bytes()
    assert JournalCollector(tmp_path / "j").adopt(tmp_path / "files").messages == 0
    assert journals.log_file(tmp_path / "j", room.id).read_bytes() == before


def test_what_was_deleted_live_does_not_come_back_with_an_old_export(discord, tmp_path):
    room = room_of(discord, 20)
    exported(discord, room, tmp_path / "files")
    collector(discord, tmp_path / "j").update()
    discord.delete(room.messages[4])
    collector(discord, tmp_path / "j", recheck=timedelta(days=30_000)).update()
    assert JournalCollector(tmp_path / "j").adopt(tmp_path / "files").messages == 0
    assert "How do I do number 4?" not in {m.content for m in JournalCollector(tmp_path / "j").messages()}


def test_forgotten_people_and_copies_of_their_messages_are_not_adopted(discord, tmp_path):
    ann = discord.add_member("ann")
    room = discord.add_channel("help")
    word = discord.post(room, ann, "the word")
    collector(discord, tmp_path / "j").update()
    discord.post(room, "bob", forward_of=word)
    exported(discord, room, tmp_path / "files")
    forget(author=ann.id, journal=tmp_path / "j")
    drops = []
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files", on_drop=drops.append)
    assert sum(drop.count for drop in drops if drop.reason == "forgotten") == 2
    for path in (tmp_path / "j").rglob("*.json*"):
        assert b"the word" not in path.read_bytes()


def test_the_next_run_removes_opted_out_people_known_only_from_an_export(discord, tmp_path):
    room = room_of(discord, 20)
    exported(discord, room, tmp_path / "files")
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    one = next(u for u in discord.users.values() if u.name == "member1")
    consent = Consent(opt_in=[u.id for u in discord.users.values() if u is not one])
    done = collector(discord, tmp_path / "j", consent=consent).update()
    assert done.removed == 4
    names = {m.author.pseudonym for m in JournalCollector(tmp_path / "j", author_key=KEY).messages()}
    assert len(names) == 4


def test_of_an_embed_the_same_is_kept_as_live(discord, tmp_path):
    room = room_of(discord, 3)
    exported(discord, room, tmp_path / "files")
    file = next((tmp_path / "files").iterdir())
    root = json.loads(file.read_text())
    root["messages"][0]["embeds"] = [
        {
            "title": "A page",
            "url": "https://example.org",
            "description": None,
            "author": {"name": "somebody", "url": None},
            "footer": {"text": "by somebody"},
            "fields": [{"name": "n", "value": "v", "isInline": False}],
        }
    ]
    file.write_text(json.dumps(root))
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    assert b"somebody" not in journals.log_file(tmp_path / "j", room.id).read_bytes()
    embed = next(iter(JournalCollector(tmp_path / "j").messages())).embeds[0]
    assert (embed.title, embed.text, embed.url) == ("A page", "n: v", "https://example.org")


def test_an_export_of_another_server_changes_nothing(discord, tmp_path):
    room = room_of(discord, 5)
    collector(discord, tmp_path / "j").update()
    exported(discord, room, tmp_path / "files")
    file = next((tmp_path / "files").iterdir())
    file.write_text(file.read_text().replace(discord.guild, "613425648685547541"))
    before = {p: p.read_bytes() for p in (tmp_path / "j").rglob("*") if p.is_file()}
    with pytest.raises(SourceError, match="give each server a journal of its own"):
        JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    assert {p: p.read_bytes() for p in (tmp_path / "j").rglob("*") if p.is_file()} == before


def test_people_behind_a_bridge_are_told_apart_without_their_names(discord, tmp_path):
    room = discord.add_channel("help")
    bridge = discord.post(room, "bridge", "Connected.", webhook=True).author
    for name, text in [
        ("ann-of-matrix", "Hello from Matrix."),
        ("bob-of-irc", "How do I make a sphere transparent?"),
        ("ann-of-matrix", "Use `opacity=0.5` in `actor.sphere`."),
        ("bob-of-irc", "Thanks, that works now!"),
    ]:
        discord.post(room, name, text, webhook=bridge)
    robot = discord.bot
    for name in ("Robot", "Robot 2", "Robot 3", "Robot 4"):  # A bot stays a bot however often it is renamed.
        discord.post(room, evolve(robot, name=name, json=b""), "Why is it so?", command="ask")
    crawl_help.collector(discord, tmp_path / "live").update()
    exported(discord, room, tmp_path / "files")
    JournalCollector(tmp_path / "adopted").adopt(tmp_path / "files")

    (pair,) = only_pairs(tmp_path / "live")
    assert (pair.question, pair.answer) == (
        "How do I make a sphere transparent?",
        "Use `opacity=0.5` in `actor.sphere`.",
    )
    assert pair.asker != pair.answerer
    assert only_pairs(tmp_path / "adopted") == [pair]
    found = DiscordExportCollector(tmp_path / "files", author_key=KEY).collect()
    (read,) = (item for item in found if isinstance(item, QAPair))
    assert evolve(read, source=pair.source) == pair
    stored = b"".join(p.read_bytes() for p in (tmp_path / "live").rglob("*") if p.is_file())
    assert b"sphere" in stored
    assert b"-of-" not in stored
