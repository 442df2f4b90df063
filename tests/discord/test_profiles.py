"""What a maintainer sees of each channel, and who answers whom."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import count
from pathlib import Path

import attrs
import journals
import pytest
from discord_exports import export, message, thread, write
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import SourceError
from furytune.report.profiles import SURE

KEY = b"a key of the tests"
ENDING = ["sphere", "mesh", "texture", "camera", "light", "window", "slider", "label", "volume", "glyph"]


def helped(start, what, asker="ann"):
    """A question, the answer to it as a native reply, and thanks."""
    question = message(start, asker, f"How do I change the colour of a {what} after I added it to the scene?")
    answer = message(
        start + 1,
        "bob",
        f"Use `{what}.colour = (1, 0, 0)` and call `scene.render()` again, it is not updated by itself.",
        reply=question["id"],
    )
    thanks = message(start + 2, asker, "That works, thank you!", reply=answer["id"])
    return [question, answer, thanks]


def folder_with(tmp_path, **channels):
    for name, root in channels.items():
        write(tmp_path / "e" / f"{name}.json", root)
    return tmp_path / "e"


def collector(folder, **options):
    return ft.DiscordExportCollector(folder, author_key=KEY, **options)


def named(root, name):
    return {**root, "channel": {**root["channel"], "name": name}}


def server(tmp_path):
    """A channel with help, a thread of it, and a channel in which a team talks."""
    help_ = [m for i, what in enumerate(ENDING) for m in helped(2000 * i, what)]
    in_thread = helped(90_000, "axis", "cid")
    team = [
        message(
            91_001, "dan", "standup in five minutes, I merged my PR and will review yours after the meeting"
        ),
        message(91_002, "eve", "ok, let's release 2.1 on Friday then, can you review my PR before that?"),
        message(91_003, "dan", "sure, I'll review it after the meeting, and let's move the milestone"),
    ]
    return folder_with(
        tmp_path,
        help=named(export(help_), "help"),
        thread=thread(in_thread),
        team=named(export(team, channel="66"), "team"),
    )


def test_a_profile_counts_what_collect_yields(tmp_path):
    source = collector(server(tmp_path))
    items = list(source.collect())
    pairs = [i for i in items if isinstance(i, ft.QAPair) and i.source.channel == "77"]

    found = source.profile()

    (profile,) = [p for p in found if p.id == "77"]
    assert profile.name == "help"
    assert profile.messages == 3 * len(ENDING) + 3
    assert profile.pairs == len(pairs) > len(ENDING) / 2
    assert profile.sure == sum(ft.MinConfidence()(p) is p for p in pairs)
    assert profile.expected == pytest.approx(sum(p.confidence for p in pairs) / len(pairs), abs=1e-4)
    used = sum(len(p.question_messages + p.answer_messages) for p in pairs)
    assert profile.used == pytest.approx(used / profile.messages, abs=1e-4)
    assert profile.languages == (("en", 1.0),)


def test_a_thread_counts_with_its_channel(tmp_path):
    folder = server(tmp_path)
    with_thread = collector(folder).profile()
    (folder / "thread.json").unlink()
    without = collector(folder).profile()
    assert [p.id for p in with_thread] == [p.id for p in without] == ["77", "66"]
    assert with_thread[0].messages == without[0].messages + 3


def test_posts_of_a_forum_without_an_export_of_its_own_have_its_name(tmp_path):
    post = thread(helped(0, "sphere"))
    post["channel"] |= {"name": "a title that ann wrote", "category": "questions"}
    (profile,) = collector(folder_with(tmp_path, post=post)).profile()
    assert (profile.id, profile.name) == ("77", "questions")


def test_exports_without_ids_are_channels_of_their_own(tmp_path):
    roots = {name: named(export(helped(0, name), channel=None), name) for name in ("a", "b")}
    found = collector(folder_with(tmp_path, **roots)).profile()
    assert {(p.id, p.name, p.messages) for p in found} == {("", "a", 3), ("", "b", 3)}


def test_the_channel_with_the_most_to_learn_is_first(tmp_path):
    found = collector(server(tmp_path)).profile()
    worth = [p.pairs * p.expected for p in found]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] > worth[-1]


def test_team_talk_is_a_share_of_the_messages(tmp_path):
    source = collector(server(tmp_path))
    dropped = sum(i.count for i in source.collect() if isinstance(i, ft.Dropped) and i.reason == "team_talk")
    (team,) = [p for p in source.profile() if p.name == "team"]
    assert dropped > 0
    assert team.team_talk == pytest.approx(dropped / team.messages, abs=1e-4)


def test_only_messages_of_people_who_take_part_count(tmp_path):
    said = [*helped(0, "sphere"), message(10, "robot", "Ping"), message(11, "eve", "Hi")]
    said.append(message(12, "ann", "", type="ChannelPinnedMessage"))
    folder = folder_with(tmp_path, help=export(said))
    eve = next(m["author"]["id"] for m in said if m["author"]["name"] == "eve")
    assert collector(folder).profile()[0].messages == 4
    assert collector(folder, consent=ft.Consent(opt_out=[eve])).profile()[0].messages == 3
    assert collector(folder, include_bots=True).profile()[0].messages == 5


def test_languages_are_shares_of_the_questions(tmp_path):
    german = message(
        9000, "cid", "Wie kann ich die Farbe von einem Netz ändern, nachdem es in der Szene ist?"
    )
    answer = message(9001, "bob", "Mit `netz.farbe = (1, 0, 0)` geht das.", reply=german["id"])
    folder = folder_with(tmp_path, help=export([*helped(0, "sphere"), german, answer]))
    (profile,) = collector(folder).profile()
    assert profile.pairs == 2
    assert dict(profile.languages) == {"en": 0.5, "de": 0.5}


def test_everything_that_is_in_no_pair_is_told(tmp_path):
    source = collector(server(tmp_path), exclude=["team"])
    told: list[ft.Dropped] = []
    source.profile(on_drop=told.append)
    expected = [i for i in source.collect() if isinstance(i, ft.Dropped)]
    assert Counter(told) == Counter(expected)
    assert told[0].reason == "excluded"


def test_a_folder_in_which_nothing_is_readable_raises(tmp_path):
    (tmp_path / "a.json").write_text('{"guild": {"id": "1"}, "messages": [')
    source = collector(tmp_path, on_error="skip")
    for act in (source.profile, lambda: list(source.links())):
        with pytest.raises(SourceError, match="no message could be read"):
            act()


def test_messages_without_content_raise_as_in_collect(tmp_path):
    source = collector(folder_with(tmp_path, help=export([message(i, "ann", "") for i in range(12)])))
    for act in (source.profile, lambda: list(source.links())):
        with pytest.raises(SourceError, match="Message Content"):
            act()


# Who answers whom -----------------------------------------------------------------------------------------------------


def test_every_message_has_a_link_in_order(tmp_path):
    source = collector(server(tmp_path))
    links = list(source.links())
    assert [link.message for link in links] == [m.id for m in source.messages()]
    assert all(isinstance(link, ft.Link) and 0 <= link.confidence <= 1 for link in links)
    position = {link.message: at for at, link in enumerate(links)}
    assert all(position[link.parent] < at for at, link in enumerate(links) if link.parent)


def test_a_native_reply_is_certain_and_a_follow_up_is_found(tmp_path):
    question, answer, _ = helped(0, "sphere")
    more = message(2, "bob", "Oh, and set it before you show the window.")
    links = {
        link.message: link
        for link in collector(folder_with(tmp_path, a=export([question, answer, more]))).links()
    }
    assert links[answer["id"]] == ft.Link(answer["id"], question["id"], 1.0, native=True)
    assert links[more["id"]].parent in (question["id"], answer["id"])
    assert not links[more["id"]].native


def test_messages_that_are_left_out_have_no_parent(tmp_path):
    question, answer, thanks = helped(0, "sphere")
    bot = message(3, "robot", "Glad it works!", reply=thanks["id"])
    pinned = message(4, "ann", "", type="ChannelPinnedMessage")
    folder = folder_with(tmp_path, a=export([question, answer, thanks, bot, pinned]))
    source = collector(folder, consent=ft.Consent(opt_out=[answer["author"]["id"]]))
    left_out = {answer["id"], bot["id"], pinned["id"]}
    links = {link.message: link for link in source.links()}
    assert len(links) == 5
    assert {uid for uid, link in links.items() if link == ft.Link(uid, "", 0.0)} == left_out
    assert links[thanks["id"]].parent == answer["id"]  # what was said natively stays said


# From a journal -------------------------------------------------------------------------------------------------------


def test_a_journal_has_the_same_profile_and_links_as_the_export_it_adopted(tmp_path):
    folder = server(tmp_path)
    journal = ft.JournalCollector(tmp_path / "j", author_key=KEY)
    journal.adopt(folder)
    exported = collector(folder)
    assert journal.profile() == exported.profile()
    assert list(journal.links()) == list(exported.links())


def test_a_journal_tells_what_is_in_no_pair(tmp_path):
    number = count(1_000_000_000_000_000_000, 1 << 22)
    folder = tmp_path / "j"
    journals.begin(folder)
    lines = [journals.message_line(str(next(number)), "10", "How do I rotate the camera?")]
    lines.append(journals.tombstone(str(next(number))))
    journals.append(folder, "77", lines, read=str(next(number)))
    journal = ft.JournalCollector(folder, author_key=KEY)
    for act in (journal.profile, lambda *, on_drop: list(journal.links(on_drop=on_drop))):
        told: list[ft.Dropped] = []
        act(on_drop=told.append)
        assert "deleted" in [d.reason for d in told]
    assert journal.profile() == ft.ChannelProfiles([ft.ChannelProfile(id="77", name="help", messages=1)])


def test_there_is_no_profile_without_a_journal(tmp_path):
    journal = ft.JournalCollector(tmp_path / "none")
    for act in (journal.profile, lambda: list(journal.links())):
        with pytest.raises(SourceError, match="there is no journal here"):
            act()


# The table ------------------------------------------------------------------------------------------------------------


def profile(**given):
    return ft.ChannelProfile(**{"id": "7", "messages": 5000, **given})


def test_sure_means_what_the_curation_step_keeps_by_default():
    assert ft.MinConfidence().least == SURE


@pytest.mark.parametrize(
    ("pairs", "sure", "expected", "advice"),
    [
        (0, 0, 0.0, "little to learn here"),
        (12, 9, 0.8, "little to learn here"),  # 9.6 pairs worth training on
        (13, 9, 0.8, "take it"),
        (500, 0, 0.76, "take it"),
        (500, 9, 0.74, "little to learn here"),
        (500, 10, 0.74, "take it with MinConfidence(0.8)"),
        (500, 400, 0.9, "take it"),
    ],
)
def test_the_advice_follows_from_the_numbers(pairs, sure, expected, advice):
    assert profile(pairs=pairs, sure=sure, expected=expected).advice == advice


def columns(line):
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line
    )


MANY = ft.ChannelProfiles(
    [
        profile(
            name="help",
            messages=1_234_567,
            pairs=98_765,
            sure=54_321,
            used=0.5,
            team_talk=0.01,
            expected=0.83,
            languages=(("en", 0.9), ("es", 0.06), ("", 0.03), ("pt", 0.01)),
        ),
        profile(name="a-very-long-name-of-a-channel-" * 3, pairs=40, sure=12, expected=0.4),
        profile(name="プログラミング質問チャンネルその一その二その三"),
        profile(id="1092461693319249983"),
        profile(id=""),
    ]
)


@pytest.mark.parametrize("width", [40, 41, 60, 79, 80, 200])
def test_the_table_fits_the_terminal(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = str(MANY).splitlines()
    assert max(map(columns, lines)) <= min(width, 80)
    text = " ".join(str(MANY).split())
    assert "1,234,567 98,765 54,321 50% 1% 83%" in text
    assert "take it (en 90%, es 6%, unclear 3%, ...)" in text
    assert "#help" in text
    assert "10924616933" in text
    assert "(no id)" in text


@pytest.mark.parametrize("width", [60, 80])
def test_the_numbers_of_a_column_end_below_each_other(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    header, *rest = str(MANY[1:]).splitlines()
    rows = [line for line in rest if line.endswith(("%", "-"))]
    assert len(rows) == len(MANY) - 1
    assert {columns(row) for row in [header, *rows]} == {len(header)}


@given(st.text(max_size=100), st.integers(1, 300))
def test_no_name_breaks_the_table(name, width):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        with_name = str(ft.ChannelProfiles([profile(name=name)])).splitlines()
        without = str(ft.ChannelProfiles([profile(name="x")])).splitlines()
    assert len(with_name) == len(without)
    assert all(line.isprintable() or "\u200d" in line for line in with_name)


def test_profiles_are_an_immutable_sequence():
    assert MANY[0].name == "help"
    assert MANY[-1].id == ""
    assert [p.name for p in MANY[:1]] == ["help"]
    assert isinstance(MANY[:1], ft.ChannelProfiles)
    assert len(list(MANY)) == len(MANY) == 5
    assert repr(MANY) == "ChannelProfiles(channels=5, pairs=98805)"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        MANY.channels = ()
    assert str(ft.ChannelProfiles([])).startswith("channel")


def test_a_notebook_shows_the_table():
    assert "&gt;=0.8" in MANY._repr_html_()


def test_the_profiles_of_the_example_say_where_the_answers_are():
    exports = Path(__file__).parents[2] / "examples" / "exports"
    found = collector(exports).profile()
    assert {"help", "questions"} <= {p.name for p in found}
