"""People who opted out are in no pair of an export, and each of their messages is counted by reason."""

from __future__ import annotations

from collections import Counter

import pytest
from discord_exports import export, message, snowflake, thread, write
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

KEY = b"k"
ANN, BOB, EVE = "200000000000000001", "200000000000000002", "200000000000000003"
QUIET = {"id": "300000000000000001", "name": "quiet"}
KEEN = {"id": "300000000000000002", "name": "keen"}


def said(minutes, author, text, *, roles=(), bot=False, **more):
    found = message(minutes, "x", text, **more)
    found["author"] |= {"id": author, "name": f"n{author[-1]}", "isBot": bot, "roles": list(roles)}
    return found


def forwarded(minutes, author, of, text, **more):
    found = said(minutes, author, "", **more)
    found["reference"] = {"messageId": of, "channelId": "77", "guildId": "1"}
    found["forwardedMessage"] = {"content": text, "timestamp": None}
    return found


def two_questions(*, roles=()):
    """Ann asks and Bob answers; Bob asks and Eve answers."""
    return [
        said(0, ANN, "How do I fly?", roles=roles),
        said(1, BOB, "Flap.", reply=snowflake(0)),
        said(60, BOB, "How do I land?"),
        said(61, EVE, "Glide.", reply=snowflake(60)),
    ]


def collected(path, **consent):
    items = list(ft.DiscordExportCollector(path, author_key=KEY, consent=ft.Consent(**consent)).collect())
    drops = Counter()
    for item in items:
        if isinstance(item, Dropped):
            drops[item.reason] += item.count
    return [i.question for i in items if isinstance(i, QAPair)], dict(drops)


@pytest.mark.parametrize(
    ("consent", "left", "drops"),
    [
        ({}, ["How do I fly?", "How do I land?"], {}),
        ({"opt_out": [ANN]}, ["How do I land?"], {"opted_out": 1, "reply_to_dropped": 1}),
        ({"opt_out_roles": ["@quiet"]}, ["How do I land?"], {"opted_out": 1, "reply_to_dropped": 1}),
        ({"opt_out_roles": [QUIET["id"]]}, ["How do I land?"], {"opted_out": 1, "reply_to_dropped": 1}),
        ({"opt_out_roles": ["399999999999999999"]}, ["How do I fly?", "How do I land?"], {}),
        ({"opt_in": [BOB, EVE]}, ["How do I land?"], {"not_opted_in": 1, "reply_to_dropped": 1}),
        ({"opt_in": [ANN, BOB, EVE], "opt_out": [EVE]}, ["How do I fly?"], {"opted_out": 1, "chatter": 1}),
        ({"opt_in_roles": ["quiet"]}, [], {"not_opted_in": 3, "no_reply": 1}),
    ],
)
def test_people_who_do_not_take_part_are_withheld_and_counted(tmp_path, consent, left, drops) -> None:
    write(tmp_path / "a.json", export(two_questions(roles=[QUIET])))

    assert collected(tmp_path, **consent) == (left, drops)


def test_withheld_words_are_in_no_message_either(tmp_path) -> None:
    write(tmp_path / "a.json", export(two_questions()))
    drops = []
    collector = ft.DiscordExportCollector(tmp_path, consent=ft.Consent(opt_out=[BOB]))
    texts = [m.content for m in collector.messages(on_drop=drops.append)]

    assert texts == ["How do I fly?", "Glide."]
    assert [(d.reason, d.ids, d.where) for d in drops] == [
        ("opted_out", (snowflake(1),), "a.json"),
        ("opted_out", (snowflake(60),), "a.json"),
    ]


def test_a_role_that_no_author_has_raises_and_says_what_to_do(tmp_path) -> None:
    write(tmp_path / "a.json", export(two_questions(roles=[QUIET, KEEN])))

    with pytest.raises(ConfigError, match=r"'quite'; the known roles are 'keen', 'quiet'; .*Copy Role ID"):
        collected(tmp_path, opt_out_roles=["quite"])


def test_the_newest_export_decides_someone_s_roles(tmp_path) -> None:
    old, new = export(two_questions(roles=[QUIET])), export(two_questions(roles=[KEEN])[:1])
    old["exportedAt"], new["exportedAt"] = "2025-01-01T00:00:00+00:00", "2025-02-01T00:00:00+01:00"
    for one, other in (("a", "b"), ("b", "a")):
        folder = tmp_path / one
        write(folder / f"{one}.json", old)
        write(folder / f"{other}.json", new)
        assert collected(folder, opt_out_roles=["quiet"])[0] == ["How do I fly?", "How do I land?"]
        assert collected(folder, opt_out_roles=["keen"])[0] == ["How do I land?"]


def test_leaving_with_all_roles_does_not_revoke_an_opt_out(tmp_path) -> None:
    old, new = export(two_questions(roles=[QUIET])), export(two_questions())
    old["exportedAt"], new["exportedAt"] = "2025-01-01T00:00:00+00:00", "2025-02-01T00:00:00+00:00"
    write(tmp_path / "a.json", old)
    write(tmp_path / "b.json", new)

    assert collected(tmp_path, opt_out_roles=["quiet"])[0] == ["How do I land?"]
    assert collected(tmp_path, opt_in_roles=["quiet"])[0] == []


def test_a_copy_is_removed_with_its_original_over_several_steps(tmp_path) -> None:
    write(
        tmp_path / "a.json",
        export(
            [
                said(0, ANN, "words of Ann"),
                said(1, BOB, "words of Bob"),
                forwarded(2, BOB, snowflake(0), "words of Ann"),
                forwarded(3, EVE, snowflake(2), "words of Ann"),
                forwarded(4, EVE, snowflake(1), "words of Bob"),
                forwarded(5, EVE, "111111111111111111", "words of somebody"),
                forwarded(6, EVE, snowflake(7), "a"),
                forwarded(7, EVE, snowflake(6), "b"),
            ]
        ),
    )
    collector = ft.DiscordExportCollector(tmp_path, consent=ft.Consent(opt_out=[ANN]))
    drops = []
    texts = [m.content for m in collector.messages(on_drop=drops.append)]

    assert texts == ["words of Bob", "words of Bob", "a", "b"]
    assert Counter(d.reason for d in drops) == {"opted_out": 3, "unknown_author": 1}


@pytest.mark.parametrize("consent", [{"opt_out": [ANN]}, {"opt_in": [BOB, EVE]}])
def test_no_other_message_becomes_a_withheld_opener_s_question(tmp_path, consent) -> None:
    write(
        tmp_path / "t.json",
        thread([said(0, ANN, "How?"), said(1, BOB, "Which version?"), said(2, EVE, "The newest.")]),
    )

    assert collected(tmp_path, **consent)[0] == []


def test_the_words_of_a_withheld_opener_are_not_taken_from_the_channel(tmp_path) -> None:
    opening = said(0, ANN, "How do I fly?")
    start = said(1, ANN, "", type="ThreadStarterMessage")
    start["reference"] = {"messageId": opening["id"], "channelId": "77", "guildId": "1"}
    write(tmp_path / "c.json", export([opening]))
    write(tmp_path / "t.json", thread([start, said(2, BOB, "Flap."), said(3, EVE, "And run.")]))

    assert collected(tmp_path)[0] == ["How do I fly?"]
    assert collected(tmp_path, opt_out=[ANN])[0] == []


def test_consent_is_a_consent(tmp_path) -> None:
    with pytest.raises(ConfigError, match="consent"):
        ft.DiscordExportCollector(tmp_path, consent=[ANN])


PEOPLE = st.sampled_from([ANN, BOB, EVE])


@given(
    st.lists(st.tuples(PEOPLE, st.booleans(), st.integers(0, 12)), min_size=1, max_size=12),
    st.sets(PEOPLE, max_size=3),
)
def test_every_message_is_used_or_counted_and_no_withheld_one_is_used(tmp_path_factory, items, out) -> None:
    path = tmp_path_factory.mktemp("e")
    messages = [
        said(n, who, f"how {n}?", reply=snowflake(to) if replies and to < n else None)
        for n, (who, replies, to) in enumerate(items)
    ]
    for root, name in ((export(messages), "c.json"), (thread(messages), "t.json")):
        folder = path / name[0]
        write(folder / name, root)
        collector = ft.DiscordExportCollector(folder, author_key=KEY, consent=ft.Consent(opt_out=out))
        used, dropped = [], 0
        for item in collector.collect():
            if isinstance(item, QAPair):
                used += [*item.question_messages, *item.answer_messages]
            else:
                dropped += item.count
        assert len(used) + dropped == len(messages)
        writers = {m["id"]: m["author"]["id"] for m in messages}
        assert not {writers[uid] for uid in used} & out
