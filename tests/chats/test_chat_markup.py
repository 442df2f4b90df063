"""What a platform delivers becomes the same text in the collector and in a bot, and holds no ids of people."""

from __future__ import annotations

import json
import re

import pytest
from chat_exports import (
    mattermost_export,
    mattermost_post,
    slack_export,
    slack_message,
    slack_thread,
    zulip_export,
    zulip_message,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.pairing import titled

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
slack_ids = st.from_regex(r"[UW]0[A-Z0-9]{7,9}", fullmatch=True)
names = st.from_regex(r"[a-z][a-z0-9_]{2,12}", fullmatch=True)
full_names = st.from_regex(r"[A-Z][a-z]{2,9} [A-Z][a-z]{2,9}", fullmatch=True)

SLACK = st.one_of(
    words,
    st.sampled_from(["&amp;", "&lt;", "&gt;", "```", "`", "\n", "<", ">", "|", "@", "#", "<!here>", " "]),
    slack_ids.map("<@{}>".format),
    slack_ids.map("<@{}|ann>".format),
    slack_ids.map("<https://acme.slack.com/team/{}|x>".format),
    slack_ids.map("https://acme.slack.com/files/{}/F012/a.png".format),
    st.sampled_from(
        [
            "<#C012AB3CD|help>",
            "<!subteam^S012|@devs>",
            "<!date^1714550400^{date}|May>",
            "<https://a.org/b|the docs>",
        ]
    ),
)
MATTERMOST = st.one_of(
    words,
    st.sampled_from(["`", "```", "\n", "@", "~", "@all", "~town-square", " ", ".", "a@b.org", "@a/b"]),
    names.map("@{}".format),
    names.map(" @{}. ".format),
    names.map("https://chat.example.org/team/messages/@{}".format),
)
ZULIP = st.one_of(
    words,
    st.sampled_from(
        ["`", "```", "\n", "@", "#**help>a b**", "@**all**", "@*devs*", " ", "<time:2024-05-01T10:00Z>"]
    ),
    full_names.map("@**{}**".format),
    full_names.map("@_**{}|17**".format),
    st.just(
        "@_**Ann Archer|17** [said](https://z.org/#narrow/channel/1-a/topic/b/near/5):\n```quote\nher words\n```\n"
    ),
)
PLATFORMS = {
    "slack": (ft.slack_text, "text", SLACK),
    "mattermost": (ft.mattermost_text, "message", MATTERMOST),
    "zulip": (ft.zulip_text, "content", ZULIP),
}
platforms = pytest.mark.parametrize("platform", PLATFORMS)


def texts(platform):
    return st.lists(PLATFORMS[platform][2], min_size=1, max_size=8).map("".join)


@platforms
@given(data=st.data())
def test_a_text_and_the_message_around_it_are_read_alike(platform, data) -> None:
    read, key, _ = PLATFORMS[platform]
    text = data.draw(texts(platform).filter(str.strip))
    assert read(text) == read({key: text, "type": "message"})


@given(words)
def test_what_was_typed_in_slack_is_what_the_prompt_holds(typed) -> None:
    if "```" in typed or "slack.com" in typed:
        return
    escaped = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert ft.slack_text(escaped) == typed


@given(words)
def test_code_stays_as_it_is(code) -> None:
    block = "```\n" + code.replace("`", "").strip("\n") + "\n```"
    assert ft.mattermost_text(block) == block
    assert ft.zulip_text(block) == block


@given(before=words, uid=slack_ids, after=words)
def test_a_prompt_holds_no_id_of_a_slack_user(before, uid, after) -> None:
    plain = [part.replace(uid, "").replace("<", "").replace(">", "") for part in (before, after)]
    for markup in (
        f"<@{uid}>",
        f"<@{uid}|ann>",
        f"<https://acme.slack.com/team/{uid}>",
        f"https://a.slack.com/team/{uid}",
    ):
        prompt = ft.Normalizer(redact=())(ft.slack_text(f"{plain[0]} {markup} {plain[1]}"))
        assert uid not in prompt
        assert "@user1" in prompt


@given(names)
def test_a_prompt_holds_no_name_of_a_mentioned_mattermost_user(name) -> None:
    if name.rstrip("_") in ("all", "here", "channel", "user"):
        return
    prompt = ft.Normalizer()(ft.mattermost_text(f"hello @{name}, (@{name.upper()}) it is"))
    assert re.fullmatch(r"hello @user1_*, \(@user1_*\) it is", prompt)


@given(full_names)
def test_a_prompt_holds_no_name_of_a_mentioned_zulip_user(name) -> None:
    prompt = ft.Normalizer()(ft.zulip_text(f"@**{name}** and @_**{name}|17**: no"))
    assert prompt == "@user1 and @user2: no"


def exported(platform, raws, folder):
    """An export in which someone asks each of the texts, and someone else answers."""
    if platform == "slack":
        return ft.SlackExportCollector(
            slack_export(
                folder,
                [
                    message
                    for n, raw in enumerate(raws)
                    for message in slack_thread(
                        slack_message(n * 10, "U0ANN", raw), slack_message(n * 10 + 1, "U0BOB", "Call it.")
                    )
                ],
            ),
            pairers=[ft.ThreadPairer()],
        )
    if platform == "mattermost":
        answer = {"user": "bob", "message": "Call it.", "create_at": 1_800_000_000_000}
        posts = [mattermost_post(n * 10, "ann", raw, replies=[answer]) for n, raw in enumerate(raws)]
        return ft.MattermostExportCollector(mattermost_export(folder, posts), pairers=[ft.ThreadPairer()])
    messages = [
        message
        for n, raw in enumerate(raws)
        for message in (
            zulip_message(n * 2, 11, f"topic {n}", raw),
            zulip_message(n * 2 + 1, 12, f"topic {n}", "Call it."),
        )
    ]
    return ft.ZulipExportCollector(zulip_export(folder, messages), pairers=[ft.ThreadPairer()])


@platforms
@settings(max_examples=15)
@given(data=st.data())
def test_the_bot_renders_the_bytes_of_the_training_row(platform, data, tmp_path_factory) -> None:
    """Each row is what a bot sends that passes the platform's text through the public function."""
    read, key, _ = PLATFORMS[platform]
    folder = tmp_path_factory.mktemp("promise")
    raws = [
        f"How {n}? {raw}"
        for n, raw in enumerate(data.draw(st.lists(texts(platform), min_size=1, max_size=6)))
    ]
    run = ft.Pipeline(
        collector=exported(platform, raws, folder / "export"),
        template=ft.PromptTemplate("Be kind.\n\n{question}"),
        exporter=ft.JsonlExporter(folder / "rows.jsonl", dialect="gemini"),
        splitter=lambda _: "train",
    ).run()
    run.contract.save(folder / "contract.json")
    contract = ft.PromptContract.load(folder / "contract.json")

    asked = [read({key: raw}) for raw in raws]
    if platform == "zulip":
        asked = [titled(f"topic {n}", text) for n, text in enumerate(asked)]
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text("utf-8").split("\n") if line]

    assert len(rows) == len(raws)
    trained = {json.dumps(row["contents"][:1]) for row in rows}
    assert trained == {json.dumps(contract.request(text, dialect="gemini")["contents"]) for text in asked}


BOTS = [
    ("slack:U0HELPBOT5", ft.slack_text, "<@U0HELPBOT5> how do I draw?"),
    ("mattermost:helpbot", ft.mattermost_text, "@helpbot how do I draw?"),
    ("zulip:Help Bot", ft.zulip_text, "@**Help Bot** how do I draw?"),
    ("zulip:13", ft.zulip_text, "@**Help Bot|13** how do I draw?"),
]


@pytest.mark.parametrize(("bot", "read", "asked"), BOTS)
def test_the_mention_of_the_bot_is_no_part_of_the_question(bot, read, asked) -> None:
    normalizer = ft.Normalizer(bot_ids=[bot])
    assert normalizer(read(asked)) == "how do I draw?"
    assert ft.Normalizer.from_spec(normalizer.spec) == normalizer


def test_a_bot_id_without_its_platform_says_how_to_write_it() -> None:
    with pytest.raises(ConfigError, match="name the platform"):
        ft.Normalizer(bot_ids=["U0HELPBOT5"])


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("see <https://a.org/b|the docs>", "see the docs (https://a.org/b)"),
        ("see <http://a.org|a.org> and <https://a.org/b/|a.org/b>", "see a.org and a.org/b"),
        ("<https://a.org/?a=1&amp;b=2>", "https://a.org/?a=1&b=2"),
        ("<mailto:me@example.org|me@example.org>", "me@example.org"),
        ("<!here> <!channel|channel> <!subteam^S01|@devs>", "@here channel @role"),
        ("a <#C012AB3CD|> b <#C012AB3CD|help>", "a #channel b #channel"),
        ("if a &lt; b &amp;&amp; c &gt; d", "if a < b && c > d"),
        ("&amp;lt; stays escaped once", "&lt; stays escaped once"),
        ("try ```x = 1``` now", "try \n```\nx = 1\n```\nnow"),
        ("```python\nx = 1```", "```python\nx = 1\n```"),
        ("```\n  indented\n```", "```\n  indented\n```"),
        ("an open ``` fence", "an open ``` fence"),
        ("see <https://acme.slack.com/archives/C012AB3CD/p1714550400000100|this>", "see this (#channel)"),
        ("https://acme.slack.com/files/U012AB3CD/F01/a.png", "https://acme.slack.com/files/0/0/a.png"),
    ],
)
def test_slack_markup_becomes_what_people_read(raw, text) -> None:
    assert ft.slack_text(raw) == text


def test_blocks_and_attachments_speak_where_a_message_has_no_text() -> None:
    section = {
        "type": "rich_text_section",
        "elements": [
            {"type": "text", "text": "Ask "},
            {"type": "user", "user_id": "U012AB3CD"},
            {"type": "text", "text": " if 1 < 2 & "},
            {"type": "text", "text": "x", "style": {"code": True}},
            {"type": "link", "url": "https://a.org", "text": "docs"},
            {"type": "emoji", "name": "wave"},
            {"type": "unknown"},
        ],
    }
    code = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]}
    item = {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}
    ordered = {"type": "rich_text_list", "style": "ordered", "elements": [item, item]}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Title"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "a &amp; b"},
            "fields": [{"type": "mrkdwn", "text": "c"}],
        },
        {"type": "rich_text", "elements": [section, code, ordered]},
    ]
    told = ft.Normalizer()(ft.slack_text({"text": "", "blocks": blocks}))
    assert told == (
        "Title\na & b\nc\nAsk @user1 if 1 < 2 & `x`docs (https://a.org):wave:```\nx = 1\n```\n1. one\n2. one"
    )
    attachments = [
        {
            "pretext": "Look",
            "title": "A page",
            "text": "&lt;b&gt;",
            "fields": [{"title": "State", "value": "open"}],
        },
        {"fallback": "only this"},
    ]
    assert ft.slack_text({"attachments": attachments}) == "Look\nA page\n<b>\nState\nopen\nonly this"


@pytest.mark.parametrize(
    "junk", [{}, {"text": 3}, {"blocks": "x"}, {"blocks": [1, {"type": "rich_text", "elements": 7}]}]
)
def test_an_odd_message_has_no_words(junk) -> None:
    assert ft.slack_text(junk) == ""


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("@all use `@property` and @angular/core", "@all use `@property` and @angular/core"),
        ("mail me@example.org", "mail me@example.org"),
        ("in ~town-square", "in #channel"),
        ("see https://chat.example.org/spheres/pl/abcdefghijklmnopqrstuvwxyz", "see #channel"),
        ("a ~~word~~ and ~/.bashrc", "a ~~word~~ and ~/.bashrc"),
    ],
)
def test_mattermost_markup_becomes_what_people_read(raw, text) -> None:
    assert ft.mattermost_text(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("@**all** see #**help>old topic@12**", "@all see #channel"),
        ("@*devs* and @_*devs*", "@role and @role"),
        ("at <time:2024-05-01T10:00:00Z>", "at 2024-05-01 10:00 UTC"),
        ("at <time:never>", "at <time:never>"),
        ("see https://z.org/#narrow/channel/1-a/topic/b/near/5", "see #channel"),
        ("`@**Ann Archer**` is how to write it", "`@**Ann Archer**` is how to write it"),
        ("@_**A B|5** [said](https://z.org/#narrow/near/5):\n````quote\n```\nx\n```\n````\nNo.", "No."),
        ("@_**A B|5** [said](https://z.org/#narrow/near/5):\n```quote\nnever closed", "nothing"),
    ],
)
def test_zulip_markup_becomes_what_people_read(raw, text) -> None:
    read = ft.zulip_text(raw)
    assert (ft.Normalizer()(read) if read else "nothing") == text
