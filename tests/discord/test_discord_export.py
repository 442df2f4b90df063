"""Export files become messages and pairs."""

from __future__ import annotations

import collections
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from discord_exports import LAYOUTS, PAIRERS, export, message, snowflake, thread, write
from hypothesis import given
from hypothesis import strategies as st

from furytune._privacy.pseudonyms import Pseudonyms
from furytune.collectors.discord_export import DiscordExportCollector
from furytune.errors import ConfigError, ConservationError, SourceError, SourceFormatError
from furytune.pairing import Conversation, Post, ReplyPairer
from furytune.protocols import Collector
from furytune.records import Attachment, Dropped, QAPair
from furytune.report import Tally

FIXTURES = Path(__file__).parents[1] / "fixtures" / "discord"
KEY = b"a key for tests"


def run(path: Path, **settings: Any) -> tuple[list[QAPair], collections.Counter[str], Tally]:
    settings = {"pairers": PAIRERS} | settings
    tally = Tally()
    pairs = []
    reasons: collections.Counter[str] = collections.Counter()
    for item in DiscordExportCollector(path, author_key=KEY, **settings).collect():
        if isinstance(item, QAPair):
            tally.collected(item)
            pairs.append(item)
        else:
            tally.drop(item)
            reasons[item.reason] += item.count
    return pairs, reasons, tally


def total(tally: Tally) -> int:
    return tally.messages_used + tally.dropped("message")


def asked(low: int = 0) -> list[dict[str, Any]]:
    """A question, its answer and a remark, which make one pair."""
    first = message(low, "ann", f"how do I do {low}?")
    return [first, message(low + 1, "bob", f"like {low}", reply=first["id"]), message(low + 2, "cem", "nice")]


class TestMessages:
    def one(self, tmp_path: Path, **more: Any) -> Any:
        path = write(tmp_path / "x.json", export([message(0, "ann", more.pop("content", "hi"), **more)]))
        (found,) = DiscordExportCollector(path, author_key=KEY).messages()
        return found

    def test_the_public_view_shows_what_the_export_contains(self, tmp_path):
        found = self.one(
            tmp_path,
            timestampEdited="2024-03-01T13:00:00+00:00",
            attachments=[{"id": "1", "url": "u", "fileName": "f", "fileSizeBytes": 1}],
            reactions=[{"emoji": {"id": "", "name": "✅", "code": "white_check_mark"}, "count": 2}],
        )
        assert (found.id, found.content, found.type, found.channel) == (snowflake(0), "hi", "Default", "77")
        assert found.sent_at == datetime(2024, 3, 1, 12, tzinfo=UTC)
        assert found.edited_at == datetime(2024, 3, 1, 13, tzinfo=UTC)
        assert found.attachments == (Attachment(name="f", url="u", size=1),)
        assert found.reactions == (("✅", 2),)
        assert (found.author.roles, found.author.is_bot) == (("Helper",), False)
        assert (found.source.path, found.source.guild, found.source.channel) == ("x.json", "1", "77")

    def test_authors_are_pseudonyms_under_the_key(self, tmp_path):
        path = write(tmp_path / "x.json", export(asked()))
        first = [m.author.pseudonym for m in DiscordExportCollector(path, author_key=b"1").messages()]
        again = [m.author.pseudonym for m in DiscordExportCollector(path, author_key=b"1").messages()]
        other = [m.author.pseudonym for m in DiscordExportCollector(path, author_key=b"2").messages()]
        assert first == again
        assert not set(first) & set(other)
        assert len(set(first)) == 3

    def test_without_a_key_the_process_or_the_environment_has_one(self, monkeypatch):
        monkeypatch.delenv("FURYTUNE_AUTHOR_KEY", raising=False)
        assert Pseudonyms()["1"] == Pseudonyms()["1"]
        monkeypatch.setenv("FURYTUNE_AUTHOR_KEY", "k")
        assert Pseudonyms()["1"] == Pseudonyms(b"k")["1"]
        monkeypatch.setenv("FURYTUNE_AUTHOR_KEY", "")
        with pytest.raises(ConfigError, match="empty"):
            Pseudonyms()

    def test_the_key_and_the_names_are_in_no_repr(self, tmp_path):
        assert "a key for tests" not in repr(DiscordExportCollector(tmp_path, author_key=KEY))
        names = Pseudonyms(KEY)
        assert names["1234567"]
        assert "1234567" not in repr(names)

    @pytest.mark.parametrize("field", ["attachments", "mentions", "reactions", "timestampEdited"])
    def test_null_is_as_good_as_empty(self, tmp_path, field):
        assert self.one(tmp_path, **{field: None}).content == "hi"

    @pytest.mark.parametrize(
        ("content", "restored"),
        [
            ("@Bob Lee hello", "<@5> hello"),
            ("(@Bob Lee)", "(<@5>)"),
            ("@bobbys", "@bobbys"),
            ("mail a@Bob Lee", "mail a@Bob Lee"),
            ("@bobby and @Bob", "<@5> and <@6>"),
            ("`@Bob` and ```@Bob```", "`@Bob` and ```@Bob```"),
            ("<@5> already", "<@5> already"),
            ("@Twin", "<@0>"),
            ("@Nobody", "<@0>"),
        ],
    )
    def test_mentions_are_restored_where_they_are_certain(self, tmp_path, content, restored):
        mentions = [
            {"id": "5", "name": "bobby", "nickname": "Bob Lee"},
            {"id": "6", "name": "Bob", "nickname": None},
            {"id": "7", "name": "x", "nickname": "Twin"},
            {"id": "8", "name": "y", "nickname": "Twin"},
            {"name": "Nobody"},
        ]
        assert self.one(tmp_path, content=content, mentions=mentions).content == restored

    def test_a_forwarded_message_says_what_it_forwards_and_replies_to_nothing(self, tmp_path):
        found = self.one(
            tmp_path,
            content="",
            forwardedMessage={"content": "look"},
            reference={"messageId": "1", "channelId": "9"},
        )
        assert (found.content, found.reply_to) == ("look", None)

    def test_a_reference_is_a_reply_only_in_its_own_channel_or_by_type(self, tmp_path):
        assert self.one(tmp_path, reference={"messageId": "5", "channelId": "77"}).reply_to == "5"
        assert self.one(tmp_path, reference={"messageId": "5", "channelId": "9"}).reply_to is None
        assert (
            self.one(tmp_path, type="Reply", reference={"messageId": "5", "channelId": "9"}).reply_to == "5"
        )
        assert self.one(tmp_path, type="ChannelPinnedMessage", reference={"messageId": "5"}).reply_to is None

    def test_dropped_messages_are_reported_to_the_callback(self, tmp_path):
        path = write(tmp_path / "x.json", export([message(0, "ann", "a"), message(0, "ann", "a")]))
        drops: list[Dropped] = []
        assert len(list(DiscordExportCollector(path).messages(on_drop=drops.append))) == 1
        assert [(d.reason, d.count, d.ids) for d in drops] == [("duplicate", 1, (snowflake(0),))]


class TestCollect:
    def test_it_is_a_collector(self, tmp_path):
        assert isinstance(DiscordExportCollector(tmp_path), Collector)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_pairs_do_not_depend_on_the_layout(self, tmp_path, layout):
        messages = [m for i in range(0, 90, 3) for m in asked(i)]
        plain = run(write(tmp_path / "a" / "x.json", export(messages)))
        other = run(write(tmp_path / "b" / "x.json", export(messages), layout), block_size=500)
        assert plain == other
        assert (len(plain[0]), total(plain[2])) == (30, 90)

    def test_a_pair_names_time_ids_and_place(self, tmp_path):
        ((pair,), reasons, _) = run(write(tmp_path / "a" / "x.json", export(asked())).parent.parent)
        assert (pair.id, pair.group) == (f"discord:{snowflake(0)}", snowflake(0))
        assert (pair.question, pair.answer) == ("how do I do 0?", "like 0")
        assert pair.asked_at == datetime(2024, 3, 1, 12, tzinfo=UTC)
        assert pair.source.path == "a/x.json"
        assert reasons == {"no_reply": 1}

    def test_two_calls_give_the_same_stream(self, tmp_path):
        collector = DiscordExportCollector(write(tmp_path / "x.json", export(asked())), author_key=KEY)
        assert list(collector.collect()) == list(collector.collect())

    def test_system_messages_and_bots_are_counted(self, tmp_path):
        messages = [
            *asked(),
            message(5, "ann", "Joined the server.", type="GuildMemberJoin"),
            message(6, "ann", "odd", type="46"),
            message(7, "helperbot", "beep"),
        ]
        _, reasons, tally = run(write(tmp_path / "x.json", export(messages)))
        assert reasons == {"no_reply": 1, "system": 2, "bot": 1}
        assert total(tally) == 6

    def test_bots_may_be_let_in(self, tmp_path):
        first = message(0, "ann", "how?")
        path = write(tmp_path / "x.json", export([first, message(1, "bot", "so", reply=first["id"])]))
        assert run(path)[0] == []
        assert run(path, include_bots=True)[0][0].answer == "so"

    @pytest.mark.parametrize(
        "emoji", [{"name": "✅"}, {"name": "☑️"}, {"name": "✔"}, {"code": "white_check_mark"}]
    )
    def test_a_check_mark_is_a_solution_mark(self, tmp_path, emoji):
        reactions = [{"emoji": emoji, "count": 1}]
        root = thread(
            [
                message(0, "ann", "It fails."),
                message(1, "bob", "a"),
                message(2, "cem", "b", reactions=reactions),
            ]
        )
        ((pair,), _, _) = run(write(tmp_path / "x.json", root))
        assert (pair.answer, pair.method, pair.group) == ("b", "thread", "88")

    def test_direct_messages_work_as_channels(self, tmp_path):
        root = export(asked(), kind="DirectTextChat")
        root["guild"]["id"] = "0"
        assert len(run(write(tmp_path / "x.json", root))[0]) == 1

    def test_a_channel_without_ids_works(self, tmp_path):
        root = export(asked(), channel=None)
        root["guild"]["id"] = None
        ((pair,), _, _) = run(write(tmp_path / "x.json", root))
        assert (pair.source.guild, pair.source.channel) == ("", "")

    def test_a_lone_surrogate_costs_its_message_and_is_named(self, tmp_path):
        messages = [*asked(), message(5, "ann", "half \ud83d here")]
        path = write(tmp_path / "x.json", export(messages), "escaped")
        drops = [d for d in DiscordExportCollector(path).collect() if isinstance(d, Dropped)]
        (found,) = [d for d in drops if d.reason == "lone_surrogate"]
        assert (found.unit, found.ids) == ("message", (messages[3]["id"],))
        assert found.where.startswith("x.json:")
        assert len(run(path)[0]) == 1

    def test_the_pairers_can_be_chosen(self, tmp_path):
        class Threadless:
            def fits(self, place):
                return not place.is_thread

            def pair(self, posts, place):
                yield from ReplyPairer(questions_only=False).pair(posts, place)

        write(
            tmp_path / "x.json",
            export([message(0, "ann", "hello"), message(1, "bob", "hi", reply=snowflake(0))]),
        )
        write(tmp_path / "t.json", thread([message(0, "ann", "a"), message(1, "bob", "b")]))
        pairs, reasons, tally = run(tmp_path, pairers=[Threadless()])
        assert [p.answer for p in pairs] == ["hi"]
        assert reasons == {"no_pairer": 2}
        assert total(tally) == 4

    def test_a_pairer_that_loses_messages_is_found_out(self, tmp_path):
        class Lossy:
            def fits(self, place: Conversation) -> bool:
                return True

            def pair(self, posts: Any, place: Conversation) -> Any:
                for post in posts:
                    assert isinstance(post, Post)
                yield Dropped(reason="no_reply", unit="message", count=1)

        path = write(tmp_path / "x.json", export(asked()))
        with pytest.raises(ConservationError, match="3 messages went into Lossy, 1 came out"):
            run(path, pairers=[Lossy()])


class TestFiles:
    def test_nothing_to_read_is_an_error(self, tmp_path):
        with pytest.raises(SourceError, match="no such file"):
            run(tmp_path / "gone")
        with pytest.raises(SourceError, match=r"no \*\.json"):
            run(tmp_path)

    def test_overlapping_partitions_count_each_message_once(self, tmp_path):
        messages = [m for i in range(0, 60, 3) for m in asked(i)]
        whole = run(write(tmp_path / "one" / "help.json", export(messages)))
        write(tmp_path / "many" / "help.json", export(messages[:25]))
        write(tmp_path / "many" / "help [part 2].json", export(messages[20:40]))
        write(tmp_path / "many" / "help [part 10].json.gz", export(messages[40:]))
        many = run(tmp_path / "many")
        assert [(p.id, p.group, p.question, p.answer) for p in many[0]] == [
            (p.id, p.group, p.question, p.answer) for p in whole[0]
        ]
        assert many[1]["duplicate"] == 5
        assert total(many[2]) == 65

    def test_partitions_without_ids_are_joined_by_their_name(self, tmp_path):
        messages = asked()
        write(tmp_path / "help.json", export(messages[:1], channel=None))
        write(tmp_path / "help [part 2].json", export(messages[1:], channel=None))
        assert len(run(tmp_path)[0]) == 1

    def test_an_export_newest_first_gives_the_same_pairs(self, tmp_path):
        messages = [m for i in range(0, 60, 3) for m in asked(i)]
        up = run(write(tmp_path / "a" / "x.json", export(messages)))
        down = run(write(tmp_path / "b" / "x.json", export(messages[::-1])))
        assert up == down

    @pytest.mark.parametrize(("down", "up"), [("a.json", "b.json"), ("b.json", "a.json")])
    def test_a_part_exported_again_in_the_other_order_changes_no_pair(self, tmp_path, down, up):
        messages = [m for i in range(0, 60, 3) for m in asked(i)]
        alone = run(write(tmp_path / "alone" / down, export(messages[::-1])))
        write(tmp_path / "both" / down, export(messages[::-1]))
        write(tmp_path / "both" / up, export(messages[20:40]))
        both = run(tmp_path / "both")
        assert [(p.id, p.group, p.question, p.answer) for p in both[0]] == [
            (p.id, p.group, p.question, p.answer) for p in alone[0]
        ]
        assert both[1] == alone[1] + collections.Counter(duplicate=20)

    def test_long_messages_do_not_hide_that_an_export_is_newest_first(self, tmp_path):
        messages = [m for i in range(0, 30, 3) for m in asked(i)]
        for one in messages:
            one["embeds"] = [{"description": "x" * 40_000}]
        up = run(write(tmp_path / "a" / "x.json", export(messages)))
        assert run(write(tmp_path / "b" / "x.json", export(messages[::-1]))) == up
        assert len(up[0]) == 10

    @pytest.mark.parametrize("raw", [b"caf\xe9.json", b"\xf0\x9f\x98\x80.json"])
    def test_a_name_of_any_bytes_is_read_the_same_under_any_locale(self, tmp_path, raw):
        folder = tmp_path / "named"
        plain = write(folder / "x.json", export(asked()))
        try:
            os.rename(plain, os.fsencode(folder) + b"/" + raw)  # noqa: PTH104
        except OSError:
            pytest.skip("the file system takes only UTF-8 names")
        code = (
            "import sys; from furytune.collectors.discord_export import DiscordExportCollector as C\n"
            "from furytune.records import QAPair\n"
            "found = [p.source.path for p in C(sys.argv[1]).collect() if isinstance(p, QAPair)]\n"
            "sys.stdout.buffer.write(found[0].encode())"
        )
        seen = {
            subprocess.run(
                [sys.executable, "-c", code, folder],
                env={**os.environ, **extra},
                check=True,
                capture_output=True,
            ).stdout
            for extra in (
                {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
                {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
            )
        }
        assert seen == {raw.decode("utf-8", "backslashreplace").encode()}

    @pytest.mark.parametrize("on_error", ["raise", "skip"])
    def test_ids_that_are_not_snowflakes_only_equal_themselves(self, tmp_path, on_error):
        ids = ["12", "012", "\uff11\uff12", " 12", "1_2", "+12", "7" * 5000, "9" * 20, "", "0"]
        messages = [message(i, "ann", f"remark {i}", id=uid) for i, uid in enumerate(ids)]
        path = write(tmp_path / "x.json", export(messages))
        _, reasons, tally = run(path, on_error=on_error)
        assert reasons == {"no_reply": len(ids)}
        assert total(tally) == len(ids)
        twice = write(tmp_path / "y.json", export([*messages, *messages]))
        assert run(twice)[1] == {"no_reply": len(ids), "duplicate": len(ids)}
        assert [m.id for m in DiscordExportCollector(twice).messages()] == ids

    @given(seed=st.integers(0, 1000))
    def test_names_and_order_of_files_do_not_matter(self, tmp_path_factory, seed):
        folder = tmp_path_factory.mktemp("shuffled")
        rnd = random.Random(seed)
        messages = [m for i in range(0, 30, 3) for m in asked(i)]
        cuts = sorted(rnd.sample(range(1, 30), 3))
        parts = [messages[a:b] for a, b in zip([0, *cuts], [*cuts, 30], strict=True)]
        roots = [export(p) for p in parts] + [
            thread([message(0, "ann", "a?"), message(1, "bob", "b")], channel=c) for c in ("88", "89")
        ]
        rnd.shuffle(roots)
        for i, root in enumerate(roots):
            write(folder / f"{rnd.random()}" / f"{i}.json", root)
        found = run(folder)[0]
        assert [(p.group, p.question, p.answer) for p in found] == [
            *(
                (m["id"], m["content"], messages[i + 1]["content"])
                for i, m in enumerate(messages)
                if i % 3 == 0
            ),
            ("88", "a?", "b"),
            ("89", "a?", "b"),
        ]

    def test_a_thread_opened_on_a_message_asks_what_that_message_says(self, tmp_path):
        parent = message(0, "ann", "It fails.")
        starter = message(1, "bob", "", type="21", reference={"messageId": parent["id"], "channelId": "77"})
        write(tmp_path / "z.json", export([parent]))
        write(
            tmp_path / "a.json", thread([starter, message(2, "bob", "Try a."), message(3, "ann", "Thanks")])
        )
        ((pair,), reasons, tally) = run(tmp_path)
        assert (pair.question, pair.answer) == ("It fails.", "Try a.")
        assert pair.asked_at == datetime(2024, 3, 1, 12, tzinfo=UTC)
        assert pair.question_messages == (starter["id"],)
        assert reasons == {"no_reply": 1, "after_answer": 1}
        assert total(tally) == 4

    def test_without_the_parent_a_thread_has_no_question(self, tmp_path):
        """The first message may be an answer to a missing one."""
        starter = message(
            1, "ann", "", type="ThreadStarterMessage", reference={"messageId": "5", "channelId": "77"}
        )
        root = thread([starter, message(2, "bob", "Set the opacity."), message(3, "ann", "Thanks, works!")])
        (pairs, reasons, _) = run(write(tmp_path / "a.json", root))
        assert pairs == []
        assert reasons == {"thread_starter_missing": 1, "no_question_text": 2}

    def test_an_opening_of_attachments_only_is_not_answered_by_its_thanks(self, tmp_path):
        picture = message(1, "ann", "", attachments=[{"id": "1", "url": "u", "fileName": "x.png"}])
        root = thread([picture, message(2, "bob", "Set the opacity."), message(3, "ann", "Thanks, works!")])
        (pairs, reasons, _) = run(write(tmp_path / "a.json", root))
        assert pairs == []
        assert reasons["no_question_text"] == 1

    def test_a_thread_and_replies_to_its_first_message_are_one_group(self, tmp_path):
        lead, asking = message(4, "ann", "hi all"), message(5, "ann", "How do I save it?")
        reply = message(6, "bob", "Call save.", reply=asking["id"])
        write(tmp_path / "channel.json", export([lead, asking, reply]))
        starter = message(
            7,
            "ann",
            "",
            type="ThreadStarterMessage",
            reference={"messageId": asking["id"], "channelId": "77"},
        )
        opened = thread([starter, message(8, "cy", "Or dump it.")])
        opened["channel"]["id"] = asking["id"]
        write(tmp_path / "thread.json", opened)
        (pairs, _, _) = run(tmp_path)
        assert {p.method for p in pairs} == {"reply", "thread"}
        assert len({p.group for p in pairs}) == 1

    def test_an_older_message_before_the_question_moves_nothing(self, tmp_path):
        asking = message(5, "ann", "How do I save it?")
        reply = message(6, "bob", "Call save.", reply=asking["id"])
        ((short,), _, _) = run(write(tmp_path / "a.json", export([asking, reply])))
        longer = export([message(4, "ann", "hi all"), asking, reply])
        ((long,), _, _) = run(write(tmp_path / "b.json", longer))
        assert (long.id, long.group) == (short.id, short.group)
        assert long.question == "hi all\nHow do I save it?"

    @pytest.mark.parametrize("layout", ["two", "compact"])
    def test_a_later_longer_export_keeps_every_id_and_group(self, tmp_path, layout):
        messages = [m for i in range(0, 60, 3) for m in asked(i)]
        late = [
            message(500, "dan", "late", reply=messages[0]["id"]),
            message(501, "ann", "ok", reply=messages[1]["id"]),
        ]
        short = run(write(tmp_path / "a.json", export(messages), layout))[0]
        longer = run(write(tmp_path / "b.json", export([*messages, *late]), layout))[0]
        assert {(p.id, p.group, p.question, p.answer) for p in short} <= {
            (p.id, p.group, p.question, p.answer) for p in longer
        }


class TestFaults:
    def bad_type(self, tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
        messages = [m for i in range(0, 30, 3) for m in asked(i)]
        messages[5]["content"] = 5
        return write(tmp_path / "x.json", export(messages)), messages

    def test_a_misshapen_message_raises_with_its_place_but_not_its_text(self, tmp_path):
        path, messages = self.bad_type(tmp_path)
        with pytest.raises(SourceFormatError) as caught:
            run(path)
        lines = path.read_text(encoding="utf-8").split("\n")
        assert caught.value.line == next(i for i, x in enumerate(lines) if messages[5]["id"] in x)
        assert messages[5]["id"] in str(caught.value)

    def test_or_it_is_dropped_alone(self, tmp_path):
        path, messages = self.bad_type(tmp_path)
        for block in (64, 1 << 18):
            pairs, reasons, tally = run(path, on_error="skip", block_size=block)
            assert reasons["invalid_message"] == 1
            assert len(pairs) == 10
            assert total(tally) == len(messages)

    def test_a_cut_file_keeps_its_whole_messages_and_its_neighbours(self, tmp_path):
        messages = [m for i in range(0, 60, 3) for m in asked(i)]
        path = write(tmp_path / "a.json", export(messages))
        write(tmp_path / "b.json", thread([message(0, "ann", "a?"), message(1, "bob", "b")]))
        data = path.read_bytes()
        path.write_bytes(data[: data.index(b"how do I do 30?")])
        with pytest.raises(SourceFormatError):
            run(tmp_path)
        pairs, reasons, tally = run(tmp_path, on_error="skip")
        assert len(pairs) == 11
        assert reasons["truncated"] == 1
        assert total(tally) == 32
        assert tally.examples["file", "truncated"][0].startswith("a.json:")

    @pytest.mark.parametrize("on_error", ["raise", "skip"])
    def test_a_file_that_is_not_an_export_is_counted(self, tmp_path, on_error):
        write(tmp_path / "a.json", export(asked()))
        for text in ("{}", "[]", '{"messages": []}', '{"alpha": 1} x', "5", '// {"a": 1}'):
            (tmp_path / "b.json").write_text(text, encoding="utf-8")
            pairs, reasons, _ = run(tmp_path, on_error=on_error)
            assert (len(pairs), reasons["not_an_export"]) == (1, 1)

    @given(data=st.data())
    def test_flipped_bytes_end_in_pairs_or_in_one_error_type(self, tmp_path_factory, data):
        path = tmp_path_factory.mktemp("flipped") / "x.json"
        raw = bytearray(LAYOUTS[data.draw(st.sampled_from(["two", "compact"]))](export(asked())).encode())
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(raw)
        for mode in ("raise", "skip"):
            try:
                run(path, on_error=mode, block_size=data.draw(st.sampled_from([64, 1 << 18])))
            except SourceFormatError:
                assert mode == "raise"  # either outcome is right, any other error type is not
            except SourceError:
                assert mode == "skip"  # no message could be read

    def test_the_report_of_a_folder_does_not_tell_where_the_folder_is(self, tmp_path):
        found = []
        for name in ("one", "other"):
            folder = tmp_path / name
            messages = asked()
            messages[2]["content"] = 5
            path = write(folder / "sub" / "a.json", export(messages))
            write(folder / "cut.json", thread([message(0, "ann", "a?"), message(1, "bob", "b")]))
            (folder / "cut.json").write_bytes((folder / "cut.json").read_bytes()[:-200])
            (folder / "package.json").write_text("{}", encoding="utf-8")
            found.append(list(DiscordExportCollector(folder, author_key=KEY, on_error="skip").collect()))
            assert str(path) not in repr(found[-1])
        assert found[0] == found[1]
        assert {
            d.where.partition(":")[0] for d in found[0] if isinstance(d, Dropped) and d.unit == "file"
        } == {
            "88.json",
            "package.json",
        }

    def test_an_error_does_not_show_an_id_that_is_not_a_number(self, tmp_path):
        bad = message(0, "ann", "how?", id="CANARY how?") | {"content": 5}
        path = write(tmp_path / "x.json", export([*asked(), bad]))
        with pytest.raises(SourceFormatError, match="message of unknown id") as caught:
            run(path)
        assert "CANARY" not in str(caught.value)
        items = list(DiscordExportCollector(path, author_key=KEY, on_error="skip").collect())
        assert "CANARY" not in repr(items)

    @pytest.mark.parametrize(
        "text", ['{"messages": {}, "channel": {}}', '{"guild": {"id": "1"}, "chan', '{"gui', "{", ""]
    )
    def test_a_file_that_begins_like_an_export_is_a_broken_one(self, tmp_path, text):
        write(tmp_path / "b.json", export(asked()))
        (tmp_path / "a.json").write_text(text, encoding="utf-8")
        with pytest.raises(SourceFormatError, match=r"a\.json:1:.*export it again"):
            run(tmp_path)
        assert len(run(tmp_path, on_error="skip")[0]) == 1

    def test_a_single_file_of_something_else_is_an_error(self, tmp_path):
        (tmp_path / "a.json").write_text("{}", encoding="utf-8")
        with pytest.raises(SourceFormatError, match=r"a\.json:1:1: not a DiscordChatExporter export"):
            run(tmp_path / "a.json")

    def test_skipping_raises_if_no_file_can_be_read(self, tmp_path):
        for i in range(5):
            (tmp_path / f"{i}.json").write_text("{}", encoding="utf-8")
        broken = write(tmp_path / "5.json", export(asked())).read_bytes()
        (tmp_path / "5.json").write_bytes(broken[: broken.index(b"how do I")])
        collector = DiscordExportCollector(tmp_path, on_error="skip")
        with pytest.raises(SourceError, match=r"no message could be read.*0\.json:1:1.*2\.json.*and 3 more"):
            list(collector.collect())
        with pytest.raises(SourceError, match="no message could be read"):
            list(collector.messages())

    def test_an_empty_channel_beside_a_broken_file_does_not_raise(self, tmp_path):
        write(tmp_path / "a.json", export([]))
        (tmp_path / "b.json").write_text("{}", encoding="utf-8")
        assert run(tmp_path, on_error="skip")[1] == {"not_an_export": 1}

    @pytest.mark.parametrize("layout", ["two", "compact", "escaped", "crlf"])
    @pytest.mark.parametrize("place", [0, 3, 6])
    def test_a_message_over_the_limit_costs_no_other(self, tmp_path, layout, place):
        messages = [m for i in range(0, 30, 3) for m in asked(i)]
        long = message(100, "dan", "x" * 1_000_000, id=str(int(messages[place]["id"]) - 1))
        path = write(tmp_path / "x.json", export([*messages[:place], long, *messages[place:]]), layout)
        with pytest.raises(SourceFormatError, match="over 100000 bytes"):
            run(path, max_message_bytes=100_000)
        for block in (4096, 1 << 17):
            pairs, reasons, tally = run(path, max_message_bytes=100_000, on_error="skip", block_size=block)
            assert len(pairs) == 10
            assert reasons["message_too_long"] == 1
            assert not any(unit == "file" for unit, _ in tally.examples)
            assert total(tally) == 31


class TestArguments:
    @pytest.mark.parametrize(
        "settings",
        [
            {"on_error": "Skip"},
            {"window": 0},
            {"window": "many"},
            {"author_key": "abc"},
            {"pairers": ["threads"]},
            {"pairers": "threads"},
            {"pairers": [ReplyPairer]},
            {"pairers": 5},
            {"block_size": 1},
            {"max_message_bytes": None},
            {"include_bots": "no"},
        ],
    )
    def test_invalid_arguments_are_refused_with_a_sentence(self, settings):
        ((name, value),) = settings.items()
        with pytest.raises(ConfigError, match=rf"^{name} (?:is|must be) ") as caught:
            DiscordExportCollector("x", **settings)
        assert "Attribute(" not in str(caught.value)
        assert name != "author_key" or value not in str(caught.value)

    def test_several_paths_are_refused(self):
        with pytest.raises(ConfigError, match="path must be one file or folder, not a list"):
            DiscordExportCollector(["a", "b"])  # type: ignore[arg-type]


class TestFixtures:
    """Returns files with the faults that real exports have."""

    def test_the_folder_reads_as_it_should(self):
        pairs, reasons, tally = run(FIXTURES, on_error="skip")
        assert {(p.method, p.question.split("\n")[0], p.answer.split("\n")[0]) for p in pairs} == {
            ("reply", "How do I set the opacity of an actor?", "`actor.GetProperty().SetOpacity(0.5)`"),
            ("thread", "The viewer closes at once.", "Set `interactive=True`."),
        }
        assert reasons["duplicate"] == 1
        assert reasons["truncated"] == 1
        assert reasons["reply_target_missing"] == 1
        expected = sum(
            p.read_text(encoding="utf-8-sig").count('"isPinned"') for p in FIXTURES.rglob("*.json")
        )
        assert total(tally) == expected - 1  # the one that the cut file breaks off in


class TestByDefault:
    """Without `pairers`, conversations are found in whatever was written."""

    QUESTION = "How can I rotate an actor around its own axis?"
    ANSWER = "You have to call `actor.rotate(axis, angle)` before you show the scene."

    def asked(self) -> list[dict[str, Any]]:
        first = message(5, "ann", self.QUESTION)
        return [first, message(6, "bob", self.ANSWER, reply=first["id"])]

    def test_the_folder_gives_its_clear_pairs(self):
        pairs, _, tally = run(FIXTURES, on_error="skip", pairers=None)
        assert {(p.method, p.question.split("\n")[0], p.answer.split("\n")[0]) for p in pairs} >= {
            ("reply", "How do I set the opacity of an actor?", "`actor.GetProperty().SetOpacity(0.5)`"),
            ("thread", "The viewer closes at once.", "Set `interactive=True`."),
        }
        with_others = run(FIXTURES, on_error="skip")[2]
        assert total(tally) == total(with_others)

    def test_a_pair_needs_no_reply(self, tmp_path):
        first, told = self.asked()
        told |= {"type": "Default", "reference": None}
        thanks = message(7, "ann", "thanks, that works!")
        ((pair,), _, _) = run(write(tmp_path / "x.json", export([first, told, thanks])), pairers=None)
        assert (pair.question, pair.answer, pair.method) == (self.QUESTION, self.ANSWER, "link")
        assert pair.evidence == ("linked", "works_now", "thanked")

    def test_a_check_mark_decides(self, tmp_path):
        marked = message(2, "cem", "b", reactions=[{"emoji": {"name": "\u2705"}, "count": 1}])
        root = thread([message(0, "ann", "It fails."), message(1, "bob", "a"), marked])
        ((pair,), _, _) = run(write(tmp_path / "x.json", root), pairers=None)
        assert (pair.answer, pair.solved) == ("b", True)

    def test_a_longer_export_older_or_later_keeps_id_and_group(self, tmp_path):
        late = message(60, "dan", "nice", reply=self.asked()[1]["id"])
        found = [
            run(write(tmp_path / f"{n}.json", export(messages)), pairers=None)[0]
            for n, messages in enumerate(
                (
                    self.asked(),
                    [message(4, "ann", "hi all"), *self.asked()],
                    [*self.asked(), late],
                    [message(0, "cem", "back in an hour"), message(4, "ann", "hi all"), *self.asked(), late],
                )
            )
        ]
        assert {(p.id, p.group, p.answer) for pairs in found for p in pairs} == {
            (f"discord:{snowflake(5)}", snowflake(5), self.ANSWER)
        }
        assert all(found)

    def test_the_order_of_an_export_does_not_matter(self, tmp_path):
        up = run(write(tmp_path / "a" / "x.json", export(self.asked())), pairers=None)
        down = run(write(tmp_path / "b" / "x.json", export(self.asked()[::-1])), pairers=None)
        assert up == down
        assert len(up[0]) == 1


@pytest.mark.shared_data
class TestRealExports:
    def test_every_message_and_every_reply_survives(self, shared_data, tmp_path):
        folder = shared_data / "discord-converted"
        expected: dict[str, str | None] = {}
        for path in folder.glob("*.json.gz"):
            for one in json.loads(gzip.decompress(path.read_bytes()))["messages"]:
                expected[one["id"]] = (one.get("reference") or {}).get("messageId")
        found = {m.id: m.reply_to for m in DiscordExportCollector(folder).messages()}
        assert found == expected
        _, _, tally = run(folder)
        assert total(tally) == len(expected)
        copied = shutil.copytree(folder, tmp_path / "copy")
        for i, path in enumerate(sorted(copied.glob("*.gz"), reverse=True)):
            path.rename(copied / f"{i}.json.gz")
        assert {(p.id, p.answer) for p in run(copied)[0]} == {(p.id, p.answer) for p in run(folder)[0]}


def test_a_later_edited_answer_was_not_known_before_its_edit(tmp_path):
    """Discord keeps the time of sending, but the text is the edited one."""
    messages = asked()
    messages[1]["timestampEdited"] = "2026-08-05T00:00:00+00:00"
    (pair,), _, _ = run(write(tmp_path / "x.json", export(messages)))
    assert pair.answered_at == datetime(2026, 8, 5, tzinfo=UTC)
