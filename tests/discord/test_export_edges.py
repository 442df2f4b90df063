"""Real folders of exports have several states, media, forum posts, huge and empty messages, and many channels."""

from __future__ import annotations

import collections
import random
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from discord_exports import LAYOUTS, PAIRERS, START, export, message, snowflake, thread, write
from hypothesis import given
from hypothesis import strategies as st

from furytune import Pipeline
from furytune._discord.shapes import Mention
from furytune._discord.text import restore_mentions
from furytune.collectors.discord_export import DiscordExportCollector
from furytune.errors import ConfigError, SourceError, SourceFormatError
from furytune.pairing import Conversation, Post, ReplyPairer, ThreadPairer, titled
from furytune.records import Dropped, QAPair
from furytune.report import Report, Tally

KEY = b"a key for tests"
CHECK = [{"emoji": {"name": "\u2705", "code": "white_check_mark"}, "count": 1}]


def run(path: Path, **settings: Any) -> tuple[list[QAPair], list[Dropped]]:
    settings = {"pairers": PAIRERS} | settings
    items = list(DiscordExportCollector(path, author_key=KEY, **settings).collect())
    return [i for i in items if isinstance(i, QAPair)], [i for i in items if isinstance(i, Dropped)]


def counts(drops: list[Dropped], unit: str = "message") -> collections.Counter[str]:
    found: collections.Counter[str] = collections.Counter()
    for drop in drops:
        if drop.unit == unit:
            found[drop.reason] += drop.count
    return found


def total(pairs: list[QAPair], drops: list[Dropped]) -> int:
    used = sum(len(p.question_messages) + len(p.answer_messages) for p in pairs)
    return used + sum(counts(drops).values())


def at(day: float) -> str:
    return (START + timedelta(days=day)).isoformat()


def made(messages: list[dict[str, Any]], day: float | None, **more: Any) -> dict[str, Any]:
    root = export(messages, **more)
    root["exportedAt"] = None if day is None else at(day)
    return root


def asked(content: str = "How do I do it?", answer: str = "like so", **more: Any) -> list[dict[str, Any]]:
    first = message(0, "ann", content)
    return [first, message(1, "bob", answer, reply=first["id"], **more)]


class TestNewestState:
    @pytest.mark.parametrize(
        ("old", "new"), [("a.json", "b.json"), ("b.json", "a.json"), ("a.json", "z.json.gz")]
    )
    def test_the_newer_export_counts_whatever_the_file_names(self, tmp_path, old, new):
        write(tmp_path / old, made(asked(answer="the old way"), 1))
        write(tmp_path / new, made(asked(answer="the new way", timestampEdited=at(2), reactions=CHECK), 3))
        ((pair,), drops) = run(tmp_path)
        assert (pair.answer, pair.solved, pair.source.path) == ("the new way", True, new)
        assert [(d.reason, d.count, d.where) for d in drops] == [("duplicate", 2, old)]

    def test_reactions_that_came_without_an_edit_count_too(self, tmp_path):
        write(tmp_path / "a.json", made(asked(), 1))
        write(tmp_path / "b.json", made(asked(reactions=CHECK), 2))
        write(tmp_path / "c.json", made(asked(), 0))
        assert run(tmp_path)[0][0].solved

    def test_a_mark_that_was_taken_back_is_gone(self, tmp_path):
        write(tmp_path / "a.json", made(asked(reactions=CHECK), 1))
        write(tmp_path / "b.json", made(asked(), 2))
        assert not run(tmp_path)[0][0].solved

    def test_where_exports_do_not_say_when_they_were_made_the_edit_decides(self, tmp_path):
        write(tmp_path / "b.json", made(asked(answer="new", timestampEdited=at(2)), None))
        write(tmp_path / "a.json", made(asked(answer="old"), None))
        write(tmp_path / "c.json", made(asked(answer="older"), 1))
        assert run(tmp_path)[0][0].answer == "new"

    def test_moments_are_compared_not_their_spelling(self, tmp_path):
        """10 o'clock in Tokyo is before 9 o'clock in New York, though it is the greater text."""
        old, new = made(asked(answer="old"), 1), made(asked(answer="new"), 1)
        old["exportedAt"], new["exportedAt"] = "2024-05-01T10:00:00+09:00", "2024-05-01T09:00:00-04:00"
        write(tmp_path / "a.json", old)
        write(tmp_path / "b.json", new)
        assert run(tmp_path)[0][0].answer == "new"

    def test_the_name_of_the_newest_export_is_the_channels(self, tmp_path):
        for name, day, title in (("a.json", 1, "The old title"), ("b.json", 2, "The new title")):
            root = made([message(0, "ann", "It fails."), message(1, "bob", "So.")], day, channel=snowflake(0))
            root["channel"] |= {"type": "GuildPublicThread", "name": title}
            write(tmp_path / name, root)
        assert run(tmp_path)[0][0].question == "The new title\n\nIt fails."

    @given(seed=st.integers(0, 10_000))
    def test_any_folder_of_exports_gives_each_messages_newest_state_once(self, tmp_path_factory, seed):
        """Each file is the channel on one day, whole or in part, in either direction, under any name."""
        rnd = random.Random(seed)
        folder = tmp_path_factory.mktemp("states")
        texts = {i: {0: f"m{i} on day 0"} for i in range(12)}
        for _ in range(rnd.randint(0, 20)):
            i, day = rnd.randrange(12), rnd.randint(1, 9)
            texts[i][day] = f"m{i} on day {day}"
        newest: dict[int, tuple[int, str]] = {}
        read = 0
        for number in range(rnd.randint(1, 5)):
            day = rnd.randint(0, 9)
            low = rnd.randint(0, 11)
            shown = range(low, rnd.randint(low + 1, 12))
            messages = []
            for i in shown:
                edit = max(d for d in texts[i] if d <= day)
                newest[i] = max(newest.get(i, (-1, "")), (edit, texts[i][edit]))
                stamp = at(edit - 0.5) if edit else None
                messages.append(message(i, "ann", texts[i][edit], timestampEdited=stamp))
            read += len(messages)
            root = made(messages[:: rnd.choice([1, -1])], day)
            write(folder / f"{rnd.random()}" / f"{number}.json", root, rnd.choice(["two", "compact"]))
        repeated: list[Dropped] = []
        found = list(DiscordExportCollector(folder, author_key=KEY).messages(on_drop=repeated.append))
        assert [m.content for m in found] == [newest[i][1] for i in sorted(newest)]
        assert len(found) + counts(repeated)["duplicate"] == read


class TestOtherFiles:
    @pytest.mark.parametrize("folder", ["help.json_Files", "help.HTML_files", "deep/help.csv_Files/more"])
    def test_a_media_folder_is_never_searched_for_exports(self, tmp_path, folder):
        write(tmp_path / "help.json", export(asked()))
        for name, text in (
            ("settings-1A2B.json", '{"alpha": 1}'),
            ("broken.json", '{"guild'),
            ("e.json", ""),
        ):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text(text, encoding="utf-8")
        write(tmp_path / folder / "forwarded.json", export(asked("Somebody's attached export?")))
        pairs, drops = run(tmp_path)
        assert [p.question for p in pairs] == ["How do I do it?"]
        (drop,) = [d for d in drops if d.unit == "file"]
        assert (drop.reason, drop.count, drop.where) == ("not_an_export", 4, folder.removesuffix("/more"))

    def test_a_folder_of_media_only_is_an_error(self, tmp_path):
        write(tmp_path / "a.json_Files" / "x.json", export(asked()))
        with pytest.raises(SourceError, match="only media folders inside"):
            run(tmp_path)

    def test_an_empty_export_beside_its_media_does_not_raise(self, tmp_path):
        write(tmp_path / "a.json", export([]))
        write(tmp_path / "a.json_Files" / "x.json", export(asked()))
        pairs, drops = run(tmp_path)
        assert pairs == []
        assert [(d.reason, d.unit) for d in drops] == [("not_an_export", "file")]

    def test_a_folder_without_any_export_is_an_error_that_names_the_files(self, tmp_path):
        (tmp_path / "package.json").write_text("{}", encoding="utf-8")
        with pytest.raises(SourceError, match=r"no message could be read.*package\.json"):
            run(tmp_path)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
    @pytest.mark.parametrize("layout", ["two", "compact", "escaped"])
    def test_an_export_in_utf_16_or_32_with_its_mark_is_read(self, tmp_path, encoding, layout):
        messages = [*asked("Wie setze ich die Opazität? \U0001f600", "so"), message(9, "cem", "später")]
        plain = run(write(tmp_path / "a" / "x.json", export(messages), layout))
        mark = "" if encoding in {"utf-16", "utf-32"} else "\ufeff"
        data = (mark + LAYOUTS[layout](export(messages))).encode(encoding)
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "x.json").write_bytes(data)
        for block in (64, 1 << 18):
            assert run(tmp_path / "b" / "x.json", block_size=block) == plain

    def test_utf_16_that_breaks_off_keeps_what_is_before(self, tmp_path):
        messages = [m for i in range(40) for m in asked_at(i * 10)]
        data = LAYOUTS["two"](export(messages)).encode("utf-16")
        (tmp_path / "x.json").write_bytes(data[: len(data) // 2 // 2 * 2 + 1])
        pairs, drops = run(tmp_path, on_error="skip")
        assert len(pairs) > 10
        assert counts(drops, "file") == {"truncated": 1}

    def test_an_invalid_byte_order_mark_only_fails_its_own_file(self, tmp_path):
        write(tmp_path / "good.json", export(asked()))
        data = LAYOUTS["two"](export(asked())).encode()
        (tmp_path / "bad.json").write_bytes(b"\xff\xfe" + data)
        with pytest.raises(
            SourceFormatError, match=r"bad\.json:1:1: begins with the byte order mark of UTF-16, but"
        ):
            run(tmp_path)
        pairs, drops = run(tmp_path, on_error="skip")
        assert len(pairs) == 1
        assert counts(drops, "file") == {"malformed_file": 1}


def asked_at(minutes: float) -> list[dict[str, Any]]:
    first = message(minutes, "ann", f"How do I do {minutes}?")
    return [first, message(minutes + 1, "bob", f"like {minutes}", reply=first["id"])]


class TestTitles:
    def post(self, title: str, body: str, kind: str = "GuildPublicThread", **more: Any) -> dict[str, Any]:
        root = export(
            [message(0, "ann", body, **more), message(1, "bob", "Like so.")], channel=snowflake(0), kind=kind
        )
        root["channel"]["name"] = title
        return root

    def test_the_title_of_a_forum_post_opens_its_question(self, tmp_path):
        path = write(tmp_path / "x.json", self.post("How do I draw a sphere?", "I use 0.12."))
        ((pair,), drops) = run(path)
        assert (
            pair.question
            == "How do I draw a sphere?\n\nI use 0.12."
            == titled("How do I draw a sphere?", "I use 0.12.")
        )
        assert drops == []
        assert [m.content for m in DiscordExportCollector(path).messages()] == ["I use 0.12.", "Like so."]

    def test_a_post_of_a_picture_asks_what_its_title_asks(self, tmp_path):
        picture = [{"id": "1", "url": "u", "fileName": "x.png"}]
        ((pair,), _) = run(write(tmp_path / "x.json", self.post("Why is it black?", "", attachments=picture)))
        assert (pair.question, pair.answer) == ("Why is it black?", "Like so.")

    @pytest.mark.parametrize("kind", ["GuildPublicThread", "GuildPrivateThread"])
    def test_the_title_of_a_thread_in_a_channel_is_not_part_of_its_question(self, tmp_path, kind):
        """Discord makes the title from the message the thread was opened on, and the opening message has another id."""
        root = self.post("How do I draw", "How do I draw a sphere?", kind)
        root["channel"]["id"] = snowflake(-1)
        assert run(write(tmp_path / "x.json", root))[0][0].question == "How do I draw a sphere?"

    def test_a_channel_is_not_a_post(self, tmp_path):
        first = message(0, "ann", "How?")
        root = export([first, message(1, "bob", "So.", reply=first["id"])], channel=first["id"])
        assert run(write(tmp_path / "x.json", root))[0][0].question == "How?"

    @pytest.mark.parametrize(
        ("title", "body", "question"),
        [
            ("How do I do it?", "how do  I do\nit? I tried x.", "how do  I do\nit? I tried x."),
            ("How do I do it...", "How do I do it in 0.12?", "How do I do it in 0.12?"),
            ("How do I do i\u2026", "How do I do it", "How do I do it"),
            (" Two\nlines ", "body", "Two lines\n\nbody"),
            ("Title", "  \n", "Title"),
            ("Title", "body <@5> with `code`\n", "Title\n\nbody <@5> with `code`\n"),
            ("", "body", "body"),
            ("???", "body", "body"),
            ("It works not", "It works", "It works not\n\nIt works"),
        ],
    )
    def test_a_body_that_begins_with_the_title_does_not_get_it_twice(self, title, body, question):
        assert titled(title, body) == question

    @given(st.text(), st.text())
    def test_no_word_of_title_or_body_is_lost(self, title, body):
        """The question has every word of the body, and of the title unless the body begins with it."""
        found = titled(title, body)
        assert not body.strip() or found.endswith(body)
        plain = " ".join(found.casefold().split())
        start = " ".join(title.casefold().split()).rstrip(" .,:;!?-\u2026\uff1f\uff01\u3002")
        assert plain.startswith(start)

    def test_the_bot_asks_what_training_asked(self, tmp_path):
        """A bot that asks with title and body gets the prompt of the pair."""
        write(
            tmp_path / "x.json",
            self.post("How do I draw it, <:fury:5>?", "I use <@7>'s 0.12. @Bo", mentions=[]),
        )
        pipeline = Pipeline(collector=DiscordExportCollector(tmp_path, author_key=KEY))
        (row,) = pipeline.rows()
        live = pipeline.contract.prompt(titled("How do I draw it, <:fury:5>?", "I use <@7>'s 0.12. @Bo"))
        assert row.prompt.text == live.text


class TestBounds:
    def test_a_message_over_64_kib_is_counted_and_in_no_pair(self, tmp_path):
        fits, over = "How? " + "x" * (65_536 - 5), "How? " + "x" * (65_536 - 4)
        for text, expected in ((fits, 1), (over, 0)):
            pairs, drops = run(write(tmp_path / "x.json", export(asked(text))))
            assert len(pairs) == expected
            assert total(pairs, drops) == 2
        assert counts(drops) == {"message_too_long": 1, "reply_to_dropped": 1}
        assert len(run(tmp_path, max_message=65_537)[0]) == 1

    def test_the_bound_is_in_bytes_as_they_are_written(self, tmp_path):
        path = write(tmp_path / "x.json", export(asked("How? " + "\U0001f600" * 24)))
        assert counts(run(path, max_message=100)[1])["message_too_long"] == 1
        assert run(path, max_message=101)[1] == []

    def test_a_forwarded_message_is_bounded_like_any_other(self, tmp_path):
        first = message(0, "ann", "", forwardedMessage={"content": "How? " + "x" * 70_000})
        root = export([first, message(1, "bob", "so", reply=first["id"])])
        assert counts(run(write(tmp_path / "x.json", root))[1])["message_too_long"] == 1

    def test_a_thread_whose_opening_is_too_long_has_no_question(self, tmp_path):
        root = thread([message(0, "ann", "x" * 70_000), message(1, "bob", "a"), message(2, "ann", "b")])
        pairs, drops = run(write(tmp_path / "x.json", root))
        assert pairs == []
        assert counts(drops) == {"message_too_long": 1, "no_question_text": 2}

    def test_a_pair_over_its_bound_is_counted_by_its_messages(self, tmp_path):
        messages = [message(i / 10, "ann", f"How? {i} " + "x" * 60_000) for i in range(5)]
        messages.append(message(9, "bob", "so", reply=messages[-1]["id"]))
        path = write(tmp_path / "x.json", export(messages))
        pairs, drops = run(path)
        assert (pairs, counts(drops)) == ([], {"pair_too_long": 6})
        assert (drops[0].where, drops[0].ids) == ("77", tuple(m["id"] for m in messages))
        assert len(run(path, max_pair=400_000)[0]) == 1

    @pytest.mark.parametrize("kind", ["thread", "channel"])
    def test_a_question_of_more_than_fifty_messages_is_a_conversation(self, tmp_path, kind):
        def path(count: int) -> Path:
            messages = [message(i / 100, "ann", f"How? {i}") for i in range(count)]
            messages.append(message(count, "bob", "so", reply=messages[0]["id"]))
            return write(
                tmp_path / f"{count}.json", thread(messages) if kind == "thread" else export(messages)
            )

        assert len(run(path(50))[0]) == 1
        pairs, drops = run(path(51))
        assert (pairs, counts(drops)) == ([], {"too_many_messages": 52})
        assert len(run(path(51), max_messages=51)[0]) == 1

    def test_so_is_an_answer(self, tmp_path):
        messages = [message(0, "ann", "How?"), *(message(1 + i / 100, "bob", f"{i}") for i in range(51))]
        pairs, drops = run(write(tmp_path / "x.json", thread(messages)))
        assert (pairs, counts(drops)) == ([], {"too_many_messages": 52})

    @pytest.mark.parametrize("shape", ["thread of two", "thread of none", "chain", "star", "one speaker"])
    def test_ten_times_as_many_messages_cost_ten_times_as_much(self, shape):
        """Counts executed lines of Python. The window grows with the thread, so that it cannot hide quadratic time."""
        small, large = (steps(shape, count) for count in (2_000, 20_000))
        assert large < 12 * small

    @pytest.mark.parametrize(
        "settings", [{"max_message": 0}, {"max_pair": "big"}, {"max_messages": True}, {"max_messages": -1}]
    )
    def test_a_bound_is_a_number(self, settings):
        ((name, _),) = settings.items()
        with pytest.raises(ConfigError, match=rf"^{name} must be a whole number, at least 1"):
            DiscordExportCollector("x", **settings)

    @given(st.data())
    def test_many_names_are_restored_as_few_are(self, data):
        """The reference: at each "@", the longest known name that no word character follows."""
        name = st.text("ab @", min_size=1, max_size=4)
        people = data.draw(st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), name), max_size=6))
        text = data.draw(st.text("@ab .<", max_size=30))
        known: dict[str, set[str]] = {}
        for uid, shown in people:
            known.setdefault(shown, set()).add(uid)
        expected, i = "", 0
        while i < len(text):
            before = text[i - 1] if i else " "
            fits = [
                n
                for n in known
                if text[i] == "@"
                and not (before.isalnum() or before in "_@<")
                and text.startswith(n, i + 1)
                and not text[i + 1 + len(n) : i + 2 + len(n)].isalnum()
            ]
            best = max(fits, key=len, default="")
            ids = known.get(best, set())
            if best:
                expected += f"<@{next(iter(ids)) if len(ids) == 1 else 0}>"  # 0: the name fits two people
            else:
                expected += text[i]
            i += 1 + len(best) if best else 1
        found = restore_mentions(text, [Mention(id=uid, name=shown) for uid, shown in people])
        assert found == expected


def steps(shape: str, count: int) -> int:
    """Returns how many lines of the library a pairer runs for a conversation of some shape."""
    done = 0

    def tracer(frame: Any, event: str, _: Any) -> Any:
        nonlocal done
        done += event == "line"
        return tracer if "furytune" in frame.f_code.co_filename else None

    ids = [snowflake(i / 1000) for i in range(count)]
    speaker = {
        "thread of two": lambda i: f"s{i % 2}",
        "thread of none": lambda i: "opener" if not i else f"s{i % 2}",
        "chain": lambda i: f"s{i % 2}",
        "star": lambda i: "opener" if not i else f"s{i % 50}",
        "one speaker": lambda _: "s",
    }[shape]
    target = {"chain": lambda i: ids[i - 1] if i else None, "star": lambda i: ids[0] if i else None}
    posts = [
        Post(uid, speaker(i), f"How {i}?", target.get(shape, lambda _: None)(i), None)
        for i, uid in enumerate(ids)
    ]
    if shape == "thread of none":
        posts[0] = msgspec.structs.replace(posts[0], drop="thread_starter_missing")
    pairer = ThreadPairer(window=count) if "thread" in shape else ReplyPairer(window=count)
    sys.settrace(tracer)
    try:
        for _ in pairer.pair(posts, Conversation(thread="1", is_thread="thread" in shape)):
            pass
    finally:
        sys.settrace(None)
    return done


class TestNoContent:
    def bare(self, count: int, **more: Any) -> list[dict[str, Any]]:
        return [message(i, f"member{i % 3}", "", **more) for i in range(count)]

    def test_an_export_of_empty_messages_ends_in_one_sentence(self, tmp_path):
        write(tmp_path / "x.json", export([*self.bare(30), message(40, "helperbot", "I can be read.")]))
        with pytest.raises(
            SourceError, match="all 30 messages that people wrote are empty; .*Message Content intent"
        ):
            run(tmp_path)

    def test_a_channel_of_pictures_is_not_an_export_without_content(self, tmp_path):
        picture = {"attachments": [{"id": "1", "url": "u", "fileName": "x.png"}]}
        sticker = {"stickers": [{"id": "1", "name": "wave"}]}
        embed = {"embeds": [{"title": "t"}]}
        for more in (picture, sticker, embed, {"forwardedMessage": {"content": ""}}):
            pairs, drops = run(write(tmp_path / "x.json", export(self.bare(30, **more))))
            assert (pairs, counts(drops, "channel")) == ([], {})

    def test_a_few_empty_messages_prove_nothing(self, tmp_path):
        _, drops = run(write(tmp_path / "x.json", export(self.bare(9))))
        assert counts(drops) == {"empty": 9}
        assert counts(drops, "channel") == {}

    def test_a_channel_that_is_mostly_empty_is_named_in_the_report(self, tmp_path):
        write(tmp_path / "x.json", export([*self.bare(30), *asked_at(100)]))
        pairs, drops = run(tmp_path)
        assert len(pairs) == 1
        tally = Tally()
        for drop in drops:
            tally.drop(drop)
        report = str(Report(counts=tally.counts))
        assert (
            "#help (77): no_content (30 of 32 messages that people wrote are empty; this is what a bot reads"
            in report
        )

    def test_system_messages_are_not_peoples(self, tmp_path):
        joined = [message(i, "ann", "", type="GuildMemberJoin") for i in range(30)]
        assert counts(run(write(tmp_path / "x.json", export(joined)))[1]) == {"system": 30}


class TestChosenChannels:
    @pytest.fixture
    def folder(self, tmp_path):
        def one(uid: str, name: str, parent: str, category: str, kind: str = "GuildTextChat") -> None:
            root = export(asked(f"How do I {name or uid}?"), channel=uid, kind=kind, parent=parent)
            root["channel"] |= {"name": name, "category": category}
            write(tmp_path / f"{uid}.json", root)

        one("77", "help", "70", "Support")
        one("78", "Off-Topic", "71", "Social")
        one("88", "a title that somebody wrote", "77", "help", "GuildPublicThread")
        one("89", "another title", "79", "questions", "GuildPublicThread")
        return tmp_path

    @pytest.mark.parametrize(
        ("settings", "read"),
        [
            ({}, {"77", "78", "88", "89"}),
            ({"channels": "help"}, {"77", "88"}),
            ({"channels": ["#HELP"]}, {"77", "88"}),
            ({"channels": [77]}, {"77", "88"}),
            ({"channels": ["support"]}, {"77", "88"}),
            ({"channels": ["70"], "exclude": ["88"]}, {"77"}),
            ({"channels": ["questions"]}, {"89"}),
            ({"channels": ["79", "off-topic"]}, {"78", "89"}),
            ({"exclude": ["off-topic", "Questions"]}, {"77", "88"}),
            ({"channels": ["help"], "exclude": ["help"]}, set()),
        ],
    )
    def test_channels_are_chosen_by_name_id_or_category_with_their_threads(self, folder, settings, read):
        pairs, drops = run(folder, **settings)
        assert {p.source.thread or p.source.channel for p in pairs} == read
        left = counts(drops, "channel")
        assert sum(left.values()) == 4 - len(read)
        assert set(left) <= {"excluded", "not_included"}
        found = DiscordExportCollector(folder, **settings).messages()
        assert {m.channel for m in found} == read

    def test_drops_name_the_channel_and_no_title(self, folder):
        _, drops = run(folder, channels=["off-topic"])
        assert [d.where for d in drops if d.unit == "channel"] == ["#help (77)", "88", "89"]
        assert "title" not in repr(drops)

    @pytest.mark.parametrize("argument", ["channels", "exclude"])
    @pytest.mark.parametrize("name", ["helo", "999", "a title that somebody wrote", "555555555555555555"])
    def test_an_unknown_name_is_an_error_that_lists_what_is_there(self, folder, argument, name):
        with pytest.raises(ConfigError, match=f"{argument}: no channel is named") as caught:
            run(folder, **{argument: [name]})
        listed = str(caught.value).partition("there are")[2]
        assert "'help'" in listed
        assert "'Off-Topic'" in listed
        assert "'questions'" in listed
        assert "title" not in listed

    @pytest.mark.parametrize("value", [[None], 5.5, [""], ["#"], {"a": 1}, [True]])
    def test_an_argument_that_is_not_a_name_is_refused(self, value):
        with pytest.raises(ConfigError, match="channels must be ids or names"):
            DiscordExportCollector("x", channels=value)
