"""The bot's own words never become training answers, unless a person confirmed them: through whichever door they come."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import discord_exports as exports
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.feedback import BotWords, FeedbackLog
from furytune.testing.conformance import check_curator
from furytune.testing.memory import pair

ANN = "111111111111111111"
TOLD = "Set the opacity of the actor to a number below one, and call `render` again afterwards."
OWN = "I had the same last week: it was the driver of my old graphics card, and an update helped."


def collected(*messages, **more):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "help.json")
        path.write_text(json.dumps(exports.export(list(messages))))
        return list(ft.DiscordExportCollector(path, pairers=exports.PAIRERS, **more).collect())


def answers(items):
    return [item.answer for item in items if isinstance(item, ft.QAPair)]


QUESTION = exports.message(0, "ann", "How do I make a sphere transparent?")
BOT = exports.message(1, "furybot", TOLD, reply=QUESTION["id"])


def reply(text, minutes=5, **more):
    return exports.message(minutes, "bob", text, reply=QUESTION["id"], **more)


@pytest.mark.parametrize(
    "copy",
    [
        TOLD,
        TOLD.upper(),
        f"> {TOLD}",
        f"The bot says:\n```\n{TOLD}\n```",
        f"**{TOLD[:40]}**\n{TOLD[40:]}",
        TOLD.replace("below one", "below 1"),
        TOLD[:50],
        f"{TOLD} No, that is wrong, you need something else: set alpha in the shader, and look at the depth peeling.",
    ],
)
def test_a_persons_copy_of_the_bots_answer_is_dropped_and_counted(copy):
    items = collected(QUESTION, BOT, reply(copy))
    assert answers(items) == []
    [drop] = [i for i in items if isinstance(i, ft.Dropped) and i.reason == "bot_words"]
    assert (drop.count, drop.unit) == (2, "message")


def test_what_a_person_says_is_theirs():
    assert answers(collected(QUESTION, BOT, reply(OWN))) == [OWN]
    # The bot may have learned it from them.
    later = exports.message(60, "furybot", TOLD, reply=QUESTION["id"])
    assert answers(collected(QUESTION, reply(TOLD), later)) == [TOLD]
    assert answers(collected(QUESTION, BOT, reply(TOLD), include_bots=True)) != []


def test_an_embed_is_recognised_whatever_stands_above_it():
    for content in ("", "Here is what I found:"):
        embed = exports.message(
            1, "furybot", content, reply=QUESTION["id"], embeds=[{"title": "Answer", "description": TOLD}]
        )
        assert answers(collected(QUESTION, embed, reply(TOLD))) == []
        # A person's message can be an embed too, such as the preview of a link to the bot's message.
        quoted = reply("", embeds=[{"title": "", "description": TOLD}])
        assert answers(collected(QUESTION, embed, quoted)) == []


def test_a_bot_stays_a_bot_however_often_it_is_renamed():
    def said(minutes, name):
        found = exports.message(minutes, "furybot", TOLD, reply=QUESTION["id"], low=minutes)
        found["author"] |= {"name": name, "nickname": name, "discriminator": "4242"}
        return found

    told = [said(n, f"name{n}") for n in range(1, 7)]
    assert answers(collected(QUESTION, *told)) == []


def test_a_bridge_that_repeats_the_bot_is_recognised():
    def bridged(minutes, name, text, to=None):
        found = exports.message(minutes, "bridgebot", text, reply=to, low=minutes)
        found["author"] |= {"name": name, "nickname": name}
        return found

    names = [bridged(n, f"irc{n}", f"Hello from number {n}") for n in range(2, 5)]
    assert answers(collected(QUESTION, BOT, *names, bridged(9, "irc9", TOLD, QUESTION["id"]))) == []
    assert answers(collected(QUESTION, BOT, *names, bridged(9, "irc9", OWN, QUESTION["id"]))) == [OWN]


words = st.text(st.sampled_from("abcdefgh ijkl,mnop.qrstuvwxyz\n`*>ßé你好"), min_size=1, max_size=160)
wrapped = st.sampled_from(["{}", "> {}", "```\n{}\n```", "The bot says: {}", "{} I think so too.", "**{}**"])
turns = st.one_of(
    st.tuples(st.just("bot"), words),
    st.tuples(st.just("own"), words),
    st.tuples(st.just("copy"), st.tuples(st.integers(0, 5), wrapped)),
)


def spelled(text):
    return "".join(filter(str.isalnum, text.casefold()))


@settings(max_examples=60)
@given(st.lists(turns, min_size=1, max_size=8), st.sets(st.integers(0, 7)))
def test_no_word_of_the_bot_is_in_any_row_unless_a_person_confirmed_it(history, confirmed):
    messages, told, own = [], [], []
    for n, (kind, what) in enumerate(history):
        asked = exports.message(10 * n, "ann", f"How do I do thing number {n}?", low=n)
        if kind == "bot":
            said = exports.message(10 * n + 1, "furybot", what, reply=asked["id"], low=n)
            told.append((asked, said, n in confirmed))
        elif kind == "own":
            said = exports.message(10 * n + 1, "bob", what, reply=asked["id"], low=n)
            own.append(what)
        else:
            at, form = what
            said = exports.message(
                10 * n + 1,
                "bob",
                form.format(told[at % len(told)][1]["content"] if told else "x"),
                reply=asked["id"],
                low=n,
            )
        messages += [asked, said]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "help.json").write_text(json.dumps(exports.export(messages)))
        log = FeedbackLog(Path(folder) / "log")
        for asked, said, good in told:
            log.exchange(said["id"], asked["id"], asker=ANN, told=said["content"])
            log.note(said["id"], asked["id"], "helped" if good else "did_not_help", by=ANN)
        export = ft.DiscordExportCollector(Path(folder) / "help.json", pairers=exports.PAIRERS)
        # A table with all old answers, of which no one knows any more who gave them.
        table = [
            pair(m["content"], s["content"], id=f"t{i}")
            for i, (m, s) in enumerate(zip(messages[::2], messages[1::2], strict=True))
            if s["content"].strip()
        ]
        step = BotWords(log, chat=export).start()
        rows = [*export.collect(), *map(step, table), *ft.FeedbackCollector(log, chat=export).collect()]
    allowed = {spelled(said["content"]) for _, said, good in told if good}
    earlier = set(map(spelled, own))
    for row in rows:
        if not isinstance(row, ft.QAPair):
            continue
        for _, said, _ in told:
            text = spelled(said["content"])
            if text in allowed | earlier or not text:
                continue
            assert spelled(row.answer) != text
            assert len(text) < 32 or text not in spelled(row.answer)


def test_the_step_finds_old_answers_in_a_table_by_their_sketch_alone(tmp_path):
    log = FeedbackLog(tmp_path / "log")
    log.exchange("1", "q", asker=ANN, told=TOLD)
    log.exchange("2", "q", asker=ANN, told="Another answer that the bot gave, and which the asker confirmed.")
    log.note("2", "q", "helped", by=ANN)
    assert TOLD.encode() not in log.path.read_bytes()
    given_ = [
        pair("How?", TOLD, id="a"),
        pair("How?", "Another answer that the bot gave, and which the asker confirmed.", id="b"),
        pair("How?", OWN, id="c"),
        pair("How?", TOLD, id="d", evidence=("reviewed",)),
        pair("How?", TOLD, id="e", answered_at=datetime(2020, 1, 1, tzinfo=UTC)),
    ]
    step = BotWords(tmp_path / "log")
    check_curator(step, given_)
    start = step.start()
    assert [p.id for p in map(start, given_) if isinstance(p, ft.QAPair)] == ["b", "c", "d", "e"]
    # Collected with include_bots, the bot's own message has the moment at which it was said.
    [exchange, *_] = log.lines()
    own = pair("How?", TOLD, id="f", answered_at=exchange.time)
    assert start(own).reason == "bot_words"
    log.note("2", "q", "did_not_help", by=ANN)
    assert [p.id for p in map(step.start(), given_) if isinstance(p, ft.QAPair)] == ["c", "d", "e"]
    with pytest.raises(ConfigError, match="log= or chat="):
        BotWords()


def test_a_confirmed_answer_is_learned_but_never_becomes_a_passage(tmp_path):
    log = FeedbackLog(tmp_path / "log", keep_texts=True)
    for n in (1, 2):
        log.exchange(str(n), "q", asker=ANN, asked="How do I do it?", told=TOLD)
    log.note("1", "q", "helped", by=ANN)
    log.note("2", "q", "corrected", OWN, by=ANN, role="helper")
    first, second = ft.chat(ft.FeedbackCollector(log).collect())
    assert first.reason == "bot_words"
    assert OWN in second.text
