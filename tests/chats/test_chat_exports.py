"""Exports of Slack, Mattermost and Zulip are read completely, or what is left out is counted with its reason."""

from __future__ import annotations

import json
import shutil
import tracemalloc
import zipfile
from collections import Counter
from contextlib import suppress

import pytest
from chat_exports import (
    EXAMPLES,
    PAIRERS,
    mattermost_export,
    mattermost_post,
    put,
    slack_export,
    slack_message,
    slack_thread,
    slack_user,
    tarred,
    ts,
    zipped,
    zulip_export,
    zulip_message,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError, SourceError, SourceFormatError
from furytune.records import QAPair

COLLECTORS = {
    "slack": ft.SlackExportCollector,
    "mattermost": ft.MattermostExportCollector,
    "zulip": ft.ZulipExportCollector,
}
platforms = pytest.mark.parametrize("platform", COLLECTORS)
SECRETS = ("lunch", "next week")  # words of the direct message and of the private channel


def pairs_of(collector):
    return [item for item in collector.collect() if isinstance(item, QAPair)]


def dropped(collector, unit="message"):
    counts = Counter()
    for item in collector.collect():
        if not isinstance(item, QAPair) and item.unit == unit:
            counts[item.reason] += item.count
    return dict(counts)


def example(platform, **more):
    return COLLECTORS[platform](EXAMPLES / platform, author_key=b"k", **more)


@platforms
def test_the_examples_give_their_pairs(platform) -> None:
    pairs = {pair.question_messages[0]: pair for pair in pairs_of(example(platform))}
    sphere = next(pair for pair in pairs.values() if "sphere" in pair.answer)
    formats = next(pair for pair in pairs.values() if "GLTF" in pair.answer)
    assert all(pair.id.startswith(f"{platform}:") for pair in pairs.values())
    assert sphere.method == "thread"
    assert {"thread", "solution_mark", "works_now"} <= set(sphere.evidence)
    assert sphere.solved
    assert sphere.answerer_roles == ("admin",)
    assert "```" in sphere.answer
    assert sphere.asked_at.isoformat(" ", "minutes") == "2024-05-01 08:00+00:00"
    assert formats.answerer == sphere.answerer
    assert formats.method == ("thread" if platform == "zulip" else "link")


@platforms
def test_direct_messages_are_never_read_and_private_channels_only_on_request(platform) -> None:
    for private in (False, True):
        collector = example(platform, private_channels=private, include_bots=True)
        words = "\n".join(message.content for message in collector.messages())
        assert "lunch" not in words
        assert ("next week" in words) is private
        reasons = dropped(collector, "channel")
        assert reasons["direct_messages"] >= 1
        assert ("private_channel" in reasons) is not private


@platforms
def test_every_message_is_in_a_pair_or_counted(platform) -> None:
    collector = example(platform)
    items = list(collector.collect())
    used = sum(len(i.question_messages) + len(i.answer_messages) for i in items if isinstance(i, QAPair))
    left = sum(i.count for i in items if not isinstance(i, QAPair) and i.unit == "message")
    seen = list(collector.messages())
    assert used + left == len(seen) == len({message.id for message in seen})
    assert {link.message for link in collector.links()} == {message.id for message in seen}


@platforms
def test_a_profile_names_the_channels(platform) -> None:
    found = example(platform).profile()
    help_channel = next(one for one in found if one.name == "help")
    assert help_channel.pairs == len(pairs_of(example(platform, channels="help")))
    assert str(found).startswith("channel")


@platforms
def test_an_archive_gives_the_pairs_of_the_folder(platform, tmp_path) -> None:
    packed = zipped(
        EXAMPLES / platform, tmp_path / "export.zip", top="" if platform == "mattermost" else "Acme export/"
    )
    collector = COLLECTORS[platform](packed, author_key=b"k")
    assert [pair.id for pair in pairs_of(collector)] == [pair.id for pair in pairs_of(example(platform))]
    assert dropped(collector) == dropped(example(platform))


def test_the_tar_archive_that_zulip_makes_is_read(tmp_path) -> None:
    packed = tarred(EXAMPLES / "zulip", tmp_path / "zulip-export.tar.gz")
    assert [p.id for p in pairs_of(ft.ZulipExportCollector(packed))] == [
        p.id for p in pairs_of(example("zulip"))
    ]
    packed.write_bytes(packed.read_bytes()[:400])
    with pytest.raises(SourceFormatError, match="damaged"):
        list(ft.ZulipExportCollector(packed).collect())


@platforms
def test_two_archives_of_one_community_are_merged(platform, tmp_path) -> None:
    for name in ("2024-05.zip", "2024-06.zip"):
        zipped(EXAMPLES / platform, tmp_path / name)
    collector = COLLECTORS[platform](tmp_path, author_key=b"k")
    assert [pair.id for pair in pairs_of(collector)] == [pair.id for pair in pairs_of(example(platform))]
    twice = dropped(collector).pop("duplicate")
    assert twice == len(list(example(platform).messages()))


@platforms
@pytest.mark.parametrize("key", ["channels", "exclude"])
def test_channels_are_chosen_by_name(platform, key) -> None:
    names = {pair.source.channel_name for pair in pairs_of(example(platform, **{key: "#Help"}))}
    assert names == ({"help"} if key == "channels" else set())
    with pytest.raises(ConfigError, match="no channel is named 'nowhere'"):
        list(example(platform, **{key: "nowhere"}).collect())


def test_a_channel_is_chosen_by_its_id() -> None:
    assert pairs_of(example("slack", channels="C0HELP0001"))
    assert pairs_of(example("mattermost", channels="spheres:help"))
    assert pairs_of(example("zulip", channels=21))
    # A private channel that was not asked for cannot be chosen.
    with pytest.raises(ConfigError):
        list(example("slack", channels="team").collect())


PEOPLE = {"slack": "slack:U0BOB00002", "mattermost": "mattermost:bob", "zulip": "zulip:12"}


@platforms
def test_people_opt_out_by_id_and_by_role(platform) -> None:
    for rules in (ft.Consent(opt_out=[PEOPLE[platform]]), ft.Consent(opt_out_roles=["admin"])):
        collector = example(platform, consent=rules)
        assert not pairs_of(collector)
        assert dropped(collector)["opted_out"] >= 2
        assert not any("opacity = 0.5" in message.content for message in collector.messages())
    only_guests = example(platform, consent=ft.Consent(opt_in_roles=["guest"]))
    assert dropped(only_guests)["not_opted_in"] >= 3
    with pytest.raises(ConfigError, match="no role is named 'helper'; the known roles are 'admin'"):
        list(example(platform, consent=ft.Consent(opt_out_roles=["helper"])).collect())


def test_the_words_of_someone_else_in_a_shared_message_need_their_consent(tmp_path) -> None:
    shared = slack_message(1, "U0BOB", "", attachments=[{"author_id": "U0CAT", "text": "Cat's words"}])
    slack_export(tmp_path, [slack_message(0, "U0ANN", "How?"), shared], users=[slack_user("U0CAT")])
    free = ft.SlackExportCollector(tmp_path)
    assert [m.content for m in free.messages()] == ["How?", "Cat's words"]
    bound = ft.SlackExportCollector(tmp_path, consent=ft.Consent(opt_out=["slack:U0CAT"]))
    assert [m.content for m in bound.messages()] == ["How?"]


def test_consent_names_the_form_of_an_id() -> None:
    with pytest.raises(ConfigError, match="slack:U012AB3CD"):
        ft.Consent(opt_out=["U0BOB00002"])


# Threads ------------------------------------------------------------------------------------------------------------


def test_a_slack_thread_that_goes_on_for_days_is_one_conversation(tmp_path) -> None:
    root = slack_message(0, "U0ANN", "How do I do it?")
    slack_export(tmp_path, [{**root, "thread_ts": root["ts"]}, slack_message(5, "U0BOB", "Something else")])
    later = slack_message(90_000, "U0BOB", "Like this.", thread_ts=root["ts"], subtype="thread_broadcast")
    put(tmp_path / "help" / "2024-05-02.json", [later])
    (pair,) = pairs_of(ft.SlackExportCollector(tmp_path, pairers=PAIRERS))
    assert (pair.question, pair.answer, pair.group) == ("How do I do it?", "Like this.", pair.source.thread)
    assert pair.source.path == "help/2024-05-01.json"


def test_an_opening_message_from_before_the_first_reply_belongs_to_the_thread(tmp_path) -> None:
    root = slack_message(0, "U0ANN", "How do I do it?")
    reply = slack_message(5, "U0BOB", "Like this.", thread_ts=root["ts"])
    slack_export(tmp_path / "a", [root])
    slack_export(tmp_path / "b", [reply])
    collector = ft.SlackExportCollector(tmp_path, pairers=PAIRERS)
    assert [(p.question, p.answer) for p in pairs_of(collector)] == [("How do I do it?", "Like this.")]
    slack_export(tmp_path / "b", [{**root, "thread_ts": root["ts"]}, reply])
    assert [(p.question, p.answer) for p in pairs_of(collector)] == [("How do I do it?", "Like this.")]
    assert dropped(collector) == {"duplicate": 1}


def test_a_thread_without_its_opening_message_has_no_question(tmp_path) -> None:
    slack_export(
        tmp_path,
        slack_thread({"ts": ts(0)}, slack_message(1, "U0ANN", "a?"), slack_message(2, "U0BOB", "b"))[1:],
    )
    collector = ft.SlackExportCollector(tmp_path)
    assert not pairs_of(collector)
    assert dropped(collector) == {"no_question_text": 2}


def test_the_last_edit_of_a_message_counts_whichever_file_it_is_in(tmp_path) -> None:
    for name, text, edit in (("a", "newest", 9), ("b", "older", 5)):
        edited = {"edited": {"user": "U0ANN", "ts": ts(edit)}}
        slack_export(tmp_path / name, [slack_message(0, "U0ANN", text, **edited)])
    assert [m.content for m in ft.SlackExportCollector(tmp_path).messages()] == ["newest"]


def test_a_resolved_topic_and_the_topic_before_are_one_and_solved(tmp_path) -> None:
    zulip_export(
        tmp_path,
        [
            zulip_message(1, 11, "Spheres", "How do I draw one?"),
            zulip_message(2, 12, "\u2714 spheres", "Call `sphere()`."),
            zulip_message(3, 11, "other", "What else?"),
            zulip_message(4, 12, "other", "Nothing."),
        ],
    )
    first, second = pairs_of(ft.ZulipExportCollector(tmp_path, pairers=PAIRERS))
    assert (first.question, first.solved, first.tags) == (
        "Spheres\n\nHow do I draw one?",
        True,
        ("resolved",),
    )
    assert (second.question, second.solved) == ("other\n\nWhat else?", False)


def test_the_title_of_a_topic_belongs_to_its_first_person_even_after_a_bot(tmp_path) -> None:
    chat = [zulip_message(1, 13, "spheres", "beep"), zulip_message(2, 11, "spheres", "How do I draw one?")]
    zulip_export(tmp_path, [*chat, zulip_message(3, 12, "spheres", "Call `sphere()`.")])
    (pair,) = pairs_of(ft.ZulipExportCollector(tmp_path, pairers=PAIRERS))
    assert pair.question == "spheres\n\nHow do I draw one?"
    withheld = ft.ZulipExportCollector(tmp_path, consent=ft.Consent(opt_out=["zulip:11"]), pairers=PAIRERS)
    assert "spheres" not in "".join(p.question for p in pairs_of(withheld))


@pytest.mark.parametrize(
    ("mark", "reason"), [("is_private", "private_channel"), ("is_im", "direct_messages")]
)
def test_a_list_that_mixes_all_channels_opens_only_the_public_ones(mark, reason, tmp_path) -> None:
    slack_export(tmp_path, GOOD)
    mixed = [{"id": "C0HELP", "name": "help"}, {"id": "C0STAFF", "name": "staff", mark: True}]
    put(tmp_path / "channels.json", mixed)
    put(tmp_path / "staff" / "2024-05-01.json", [slack_message(0, "U0ANN", "not for you")])
    collector = ft.SlackExportCollector(tmp_path)
    assert dropped(collector, "channel") == {reason: 1}
    assert "not for you" not in [m.content for m in collector.messages()]


def test_a_quote_in_zulip_is_a_reply_without_the_quoted_words(tmp_path) -> None:
    quote = "@_**Ann Archer|11** [said](https://z.org/#narrow/channel/21-help/topic/x/near/1):\n```quote\nHow?\n```\nSo."
    zulip_export(tmp_path, [zulip_message(1, 11, "", "How?"), zulip_message(2, 12, "", quote)])
    (pair,) = pairs_of(ft.ZulipExportCollector(tmp_path, pairers=PAIRERS))
    assert (pair.question, pair.answer, pair.method) == ("How?", "So.", "reply")


def test_a_bridge_speaks_for_people_and_a_bot_does_not(tmp_path) -> None:
    def bridged(n, name, text):
        message = slack_message(n, "", text, subtype="bot_message", bot_id="B0BRIDGE", username=name)
        return {key: value for key, value in message.items() if key != "user"}

    chat = [bridged(n, name, f"I am {name}") for n, name in enumerate(("anna", "ben", "carl"))]
    slack_export(tmp_path, [*chat, bridged(9, "anna", "How do I do it?"), bridged(10, "ben", "Like this.")])
    reasons = dropped(ft.SlackExportCollector(tmp_path))
    assert reasons["bot"] == 2  # only the third name shows that it is a bridge
    authors = {m.author.pseudonym for m in ft.SlackExportCollector(tmp_path, author_key=b"k").messages()}
    assert len(authors) == 1


# Damage -------------------------------------------------------------------------------------------------------------

GOOD = [slack_message(0, "U0ANN", "How do I do it?"), slack_message(1, "U0BOB", "Like this.")]


def day(*rows: str) -> bytes:
    return ("[\n" + ",\n".join(rows) + "\n]").encode("utf-8", "surrogatepass")


BAD_ROWS = [
    ('{"ts": 5, "text": "x"}', "invalid_message"),
    ('{"text": "no time"}', "invalid_message"),
    ('{"ts": "soon", "text": "x"}', "invalid_message"),
    ('{"ts": "1714550402.0", "text": ["x"]}', "invalid_message"),
    ('"a text"', "invalid_message"),
    ('{"ts": "1714550402.0", "text": "\\ud800"}', "lone_surrogate"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS)
def test_a_damaged_slack_message_is_refused_and_its_neighbours_survive(row, reason, tmp_path) -> None:
    slack_export(tmp_path, [])
    put(tmp_path / "help" / "2024-05-01.json", day(json.dumps(GOOD[0]), row, json.dumps(GOOD[1])))
    skipping = ft.SlackExportCollector(tmp_path, on_error="skip")
    assert [m.content for m in skipping.messages()] == ["How do I do it?", "Like this."]
    assert dropped(skipping)[reason] == 1
    if reason != "lone_surrogate":
        with pytest.raises(SourceFormatError, match=r"2024-05-01\.json"):
            list(ft.SlackExportCollector(tmp_path).collect())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (day(json.dumps(GOOD[0]))[:-20], "truncated"),
        (b'{"ok": false}', "malformed_file"),
        (b"\xff\xfe[", "malformed_file"),
        (b"", "truncated"),
    ],
)
def test_a_damaged_file_is_counted_and_the_others_survive(data, reason, tmp_path) -> None:
    slack_export(tmp_path, GOOD)
    put(tmp_path / "help" / "2024-05-02.json", data)
    skipping = ft.SlackExportCollector(tmp_path, on_error="skip")
    assert [m.content for m in skipping.messages()] == ["How do I do it?", "Like this."]
    assert dropped(skipping, "file") == {reason: 1}
    with pytest.raises(SourceFormatError) as error:
        list(ft.SlackExportCollector(tmp_path).collect())
    assert error.value.line == 1 or data.startswith(b"[\n")
    assert "on_error='skip'" in str(error.value)


def test_an_export_without_a_readable_message_raises_even_if_faults_are_skipped(tmp_path) -> None:
    slack_export(tmp_path, [])
    put(tmp_path / "help" / "2024-05-01.json", b"{}")
    with pytest.raises(SourceError, match="no message could be read"):
        list(ft.SlackExportCollector(tmp_path, on_error="skip").collect())


@settings(max_examples=40)
@given(at=st.integers(0, 2_000), junk=st.binary(min_size=1, max_size=4))
def test_no_damage_to_a_day_ends_in_another_error(at, junk, tmp_path_factory) -> None:
    folder = slack_export(tmp_path_factory.mktemp("damage"), GOOD * 6)
    file = folder / "help" / "2024-05-01.json"
    data = bytearray(file.read_bytes())
    data[at % len(data) : at % len(data)] = junk
    file.write_bytes(data)
    for on_error in ("raise", "skip"):
        with suppress(SourceFormatError, SourceError):
            list(ft.SlackExportCollector(folder, on_error=on_error).collect())
    shutil.rmtree(folder)


LINES = [
    (b"{not json", "malformed_json"),
    (b'{"type":"post","post":{"team":"spheres","channel":"help","user":"ann"}}', "invalid_message"),
    (
        b'{"type":"post","post":{"team":"spheres","channel":"help","user":"ann","message":"\\ud800","create_at":1}}',
        "lone_surrogate",
    ),
    (
        b'{"type":"post","post":{"team":"spheres","channel":"help","user":"ann","message":"x","create_at":-1}}',
        "invalid_message",
    ),
    (
        b'{"type":"post","post":{"team":"spheres","channel":"help","user":"\xff","message":"x","create_at":1}}',
        "invalid_utf8",
    ),
    (b'{"x":' + b"[" * 1_500, "malformed_json"),
    (b'{"x":"' + b"y" * 3_000 + b'"}', "message_too_long"),
]


@pytest.mark.parametrize(("line", "reason"), LINES)
@pytest.mark.parametrize("first", [True, False])
def test_a_damaged_line_is_refused_and_its_neighbours_survive(line, reason, first, tmp_path) -> None:
    posts = [mattermost_post(0, "ann", "How do I do it?"), mattermost_post(1, "bob", "Like this.")]
    posts.insert(0 if first else 1, line)
    mattermost_export(tmp_path, posts)
    limit = {"max_message_bytes": 2_000}
    skipping = ft.MattermostExportCollector(tmp_path, on_error="skip", **limit)
    assert [m.content for m in skipping.messages()] == ["How do I do it?", "Like this."]
    assert dropped(skipping)[reason] == 1
    if reason != "lone_surrogate":
        with pytest.raises(SourceFormatError) as error:
            list(ft.MattermostExportCollector(tmp_path, **limit).collect())
        assert error.value.line == (6 if first else 7)


def test_a_damaged_reply_is_refused_alone(tmp_path) -> None:
    replies = [{"user": "bob"}, {"user": "bob", "message": "Like this.", "create_at": 1_714_550_401_000}]
    mattermost_export(tmp_path, [mattermost_post(0, "ann", "How do I do it?", replies=replies)])
    collector = ft.MattermostExportCollector(tmp_path, on_error="skip", pairers=PAIRERS)
    (pair,) = pairs_of(collector)
    assert (pair.answer, dropped(collector)) == ("Like this.", {"invalid_message": 1})


def test_a_damaged_zulip_message_is_refused_and_its_neighbours_survive(tmp_path) -> None:
    rows = [zulip_message(1, 11, "t", "How?"), {"id": 2}, zulip_message(3, 12, "t", "So.", date_sent=1e300)]
    rows.append(zulip_message(4, 12, "t", "Like this."))
    zulip_export(tmp_path, rows)
    skipping = ft.ZulipExportCollector(tmp_path, on_error="skip")
    assert [m.content for m in skipping.messages()] == ["How?", "Like this."]
    assert dropped(skipping)["invalid_message"] == 2
    with pytest.raises(SourceFormatError, match="messages-000001"):
        list(ft.ZulipExportCollector(tmp_path).collect())
    put(tmp_path / "realm.json", b'{"zerver_realm": [')
    with pytest.raises(SourceFormatError, match=r"realm\.json"):
        list(ft.ZulipExportCollector(tmp_path, on_error="skip").collect())


# Strangers' archives and folders ------------------------------------------------------------------------------------


@platforms
def test_another_folder_is_refused_with_what_to_do(platform, tmp_path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        list(COLLECTORS[platform](tmp_path / "missing").collect())
    with pytest.raises(SourceError, match="inside"):
        list(COLLECTORS[platform](tmp_path).collect())
    put(tmp_path / "a.json", {"a": 1})
    with pytest.raises(SourceError, match="so this is not"):
        list(COLLECTORS[platform](tmp_path).collect())
    with pytest.raises(SourceFormatError, match="not a zip file"):
        list(COLLECTORS[platform](put(tmp_path / "a.zip", b"PK\x03\x04 no")).collect())


def test_a_zip_bomb_is_refused(tmp_path) -> None:
    slack_export(tmp_path / "x", GOOD)
    put(tmp_path / "x" / "help" / "2024-05-02.json", b"[" + b" " * (40 << 20) + b"]")
    packed = zipped(tmp_path / "x", tmp_path / "bomb.zip")
    with pytest.raises(SourceFormatError, match="expands to over"):
        list(ft.SlackExportCollector(packed).collect())
    collector = ft.SlackExportCollector(packed, on_error="skip")
    assert dropped(collector, "file") == {"too_large": 1}


def test_paths_out_of_an_archive_and_damaged_members_are_counted(tmp_path) -> None:
    slack_export(tmp_path / "x", GOOD)
    packed = zipped(tmp_path / "x", tmp_path / "a.zip")
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("../help/2024-05-03.json", "[]")
    assert dropped(ft.SlackExportCollector(packed), "file") == {"path_outside": 1}
    data = packed.read_bytes()
    at = data.index(b"2024-05-01.json") + len(b"2024-05-01.json") + 4
    packed.write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
    with pytest.raises(SourceFormatError, match="damaged"):
        list(ft.SlackExportCollector(packed).collect())


def test_a_link_out_of_the_folder_is_not_read(tmp_path) -> None:
    slack_export(tmp_path / "x", GOOD)
    outside = put(tmp_path / "elsewhere.json", [slack_message(7, "U0ANN", "outside")])
    (tmp_path / "x" / "help" / "2024-05-09.json").symlink_to(outside)
    collector = ft.SlackExportCollector(tmp_path / "x")
    assert dropped(collector, "file") == {"link_outside": 1}
    assert "outside" not in [m.content for m in collector.messages()]


def test_a_folder_that_no_list_names_is_not_read(tmp_path) -> None:
    slack_export(tmp_path, GOOD)
    put(tmp_path / "unlisted" / "2024-05-01.json", [slack_message(0, "U0ANN", "who knows who may read this")])
    collector = ft.SlackExportCollector(tmp_path)
    assert dropped(collector, "channel") == {"unknown_type": 1}
    assert len(list(collector.messages())) == 2


def test_millions_of_damaged_rows_do_not_make_millions_of_drops(tmp_path) -> None:
    slack_export(tmp_path, [*GOOD, *({"text": "x"} for _ in range(300))])
    items = [
        i for i in ft.SlackExportCollector(tmp_path, on_error="skip").collect() if not isinstance(i, QAPair)
    ]
    assert sum(i.count for i in items if i.reason == "invalid_message") == 300
    assert len(items) < 30


@platforms
def test_no_repr_and_no_drop_holds_words_or_ids_of_people(platform) -> None:
    told = repr(list(example(platform).collect())[1:]).replace("question=", "").replace("answer=", "")
    told += repr(example(platform))
    for secret in (*SECRETS, "U0ANN00001", "U0BOB00002", "Ann Archer", "Bob Baker", "Good morning"):
        assert secret not in told


# Laws ---------------------------------------------------------------------------------------------------------------

rows = st.lists(
    st.tuples(
        st.integers(0, 12),  # when, so that some messages are repeated
        st.sampled_from(["U0ANN", "U0BOB", "U0CAT", "USLACKBOT"]),
        st.sampled_from(["How do I do it?", "Like this, with `x = 1`.", "", "thanks"]),
        st.none() | st.integers(0, 12),  # the message whose thread it is in
        st.sampled_from([None, None, None, "channel_join", "thread_broadcast", "bot_message", "tombstone"]),
    ),
    max_size=30,
)


@settings(max_examples=40)
@given(days=st.lists(rows, min_size=1, max_size=3), out=st.sampled_from([(), ("slack:U0ANN",)]))
def test_whatever_the_messages_each_is_used_or_counted_once(days, out, tmp_path_factory) -> None:
    folder = slack_export(tmp_path_factory.mktemp("law"), [])
    said = []
    for number, day_rows in enumerate(days, 1):
        messages = [
            slack_message(at, who, text, subtype=kind, **({} if root is None else {"thread_ts": ts(root)}))
            for at, who, text, root, kind in day_rows
        ]
        said += messages
        put(folder / "help" / f"2024-05-0{number}.json", messages)
    collector = ft.SlackExportCollector(folder, consent=ft.Consent(opt_out=out))
    items = list(collector.collect())
    used = [uid for i in items if isinstance(i, QAPair) for uid in (*i.question_messages, *i.answer_messages)]
    left = sum(i.count for i in items if not isinstance(i, QAPair) and i.unit == "message")
    assert len(used) == len(set(used))
    assert len(used) + left == len(said)
    assert [i.id for i in collector.collect() if isinstance(i, QAPair)] == [
        i.id for i in items if isinstance(i, QAPair)
    ]
    shutil.rmtree(folder)


def test_memory_does_not_grow_with_the_texts(tmp_path) -> None:
    def peak(days: int) -> int:
        folder = slack_export(tmp_path / str(days), [])
        for number in range(days):
            start = number * 86_400
            messages = [
                slack_message(start + n, "U0ANN", "word " * 1_000, thread_ts=ts(n)) for n in range(20)
            ]
            put(folder / "help" / f"20{number // 12 + 10}-{number % 12 + 1:02}-01.json", messages)
        tracemalloc.start()
        try:
            assert sum(1 for _ in ft.SlackExportCollector(folder).messages()) == days * 20
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what is imported and compiled on first use
    # 1,600 more messages have 8 MB of text.
    assert peak(90) - peak(10) < 1_000_000
