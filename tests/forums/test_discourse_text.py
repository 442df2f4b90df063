"""Posts of Discourse become the text that posts of GitHub become, in training and in the bot."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from furytune.normalize import Normalizer
from furytune.pairing import discourse_text, forum_text
from furytune.pairing.discourse import read_discourse, unquoted


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Plain **text** with :tada: and #support.", "Plain **text** with :tada: and #support."),
        (":wave:t3: hi", ":wave: hi"),
        ('[quote="ann, post:1, topic:2, full:true"]\nWhy?\n[/quote]\n\nBecause.', "Because."),
        ('[quote="ann, post:1, topic:2"]Why?[/quote]\nBecause.', "Because."),
        (
            '[quote="Ann Smith, post:1, topic:2, username:ann"]\nA?\n[/quote]\nYes.\n[quote="ann"]\nB?\n\nC?\n[/quote]\nNo.',
            "> A?\nYes.\n> B?\n>\n> C?\nNo.",
        ),
        (
            'See:\n[quote="bob"]\n[quote="ann"]\nOld.\n[/quote]\nNew.\n[/quote]\nAnd?',
            "See:\n> > Old.\n> New.\nAnd?",
        ),
        (
            'Look:\n[quote="bob"]\n```py\n[quote]\n```\n[/quote]\nHm.',
            "Look:\n> ```py\n> [quote]\n> ```\nHm.",
        ),
        ('[quote="ann, post:1"]\nNever closed.', "Never closed."),
        ("Closed only.[/quote] Yes.", "Closed only. Yes."),
        ("[code]\nx = 1\n[/code]", "```\nx = 1\n```"),
        ("[code lang=python]\nx\n[/code]", "```python\nx\n```"),
        ("[code=python]\n```\n@ann [b]\n```\n[/code]", "````python\n```\n@ann [b]\n```\n````"),
        ('```\n[quote="ann"]\n[b]x[/b]\n[/quote]\n```', '```\n[quote="ann"]\n[b]x[/b]\n[/quote]\n```'),
        ("`[b]` is [b]bold[/b] and [i]this[/i] [spoiler]hid[/spoiler].", "`[b]` is bold and this hid."),
        ('Which?\n[poll type=regular results="always"]\n# Title\n* a\n* b\n[/poll]\nThanks.', "Which?\nThanks."),
        ('[quote="bob"]\n[poll]\n* a\n[/poll]\nSo?\n[/quote]\nYes.\n', "Yes."),
        ("[poll]\n[quote]\n[/poll]\nA\n[/quote]\nB", "A\n\nB"),
        ("A\n[quote]\n[poll]\n[/quote]\n[/poll]\nB", "A\nB"),
        ("[code]x(1)[/code] and [code]y[/code]\nB", "`x(1)` and `y`\nB"),
        ("    [code]\n    x", "    [code]\n    x"),
        ('[details="The log"]\nError 3\n[/details]', "The log\nError 3"),
        ("![shot|690x388, 50%](upload://abc.png)\nSo.", "So."),
        ("[log.txt|attachment](upload://abc.txt) (1.2 KB) is the log.", "log.txt is the log."),
        ("[img]https://a.example/b.png[/img]\nSo.", "So."),
        ("[url=https://a.example/b]here[/url]", "[here](https://a.example/b)"),
        ('On [date=2024-05-01 time=14:00:00 timezone="Europe/Berlin"].', "On 2024-05-01 14:00 Europe/Berlin."),
        ("a[0] = b[quote] and [1]", "a[0] = b and [1]"),
        ("mail ann@example.org, `@ann`, @types/node, @app.route(1)", "mail ann@example.org, `@ann`, @types/node, @app.route(1)"),
        ("@staff and @here help.", "@staff and @here help."),
        ("<!-- a [b]hint[/b] -->\nText.", "Text."),
    ],
)  # fmt: skip
def test_tags_become_markdown(raw, text) -> None:
    assert discourse_text(raw) == text
    assert discourse_text(raw.replace("\n", "\r\n")) == text


@pytest.mark.parametrize(
    "said",
    ["@ann_b.", "@ann_b, hi", "(@ann_b)", "https://discuss.example.org/u/ann_b", "https://a.example/forum/u/ann_b/summary"],
)  # fmt: skip
def test_people_lose_their_names_to_the_normaliser_only(said) -> None:
    text = discourse_text(f"Ask {said}")
    assert "ann_b" not in text
    assert "@user1" in Normalizer()(text)
    assert read_discourse(f"{said} and @Ann_B").logins == ("ann_b",)


def test_names_may_have_dots_and_dashes() -> None:
    assert read_discourse("@john.smith-2. And @j.").logins == ("john.smith-2", "j")


def test_an_opening_post_keeps_its_quotation() -> None:
    raw = '[quote="ann"]\nIt works.\n[/quote]\nIt does not.'
    assert discourse_text(raw, "Does it?") == "Does it?\n\n> It works.\nIt does not."
    assert discourse_text(raw) == "It does not."


def test_the_words_of_some_people_are_removed_with_their_quotations() -> None:
    raw = 'A\n[quote="ann, post:1"]\nSecret\n[quote="bob"]\nInner\n[/quote]\n[/quote]\nB\n[quote="bob"]\nKept\n[/quote]'
    assert unquoted(raw, "ann".__eq__) == 'A\nB\n[quote="bob"]\nKept\n[/quote]'
    assert unquoted(raw, lambda _: False) is raw
    assert unquoted('[quote="ann, post:1"] open', "ann".__eq__) == "[quote] open"
    assert unquoted('[code]\n[quote="ann"]\nSecret\n[/quote]', "ann".__eq__) == "[code]"
    code = '```\n[quote="bob"]\n```'
    assert unquoted(code, "ann".__eq__) == code


@given(st.text(st.sampled_from('ab @[]/=":`~\n>quotecdepl-!()<.'), max_size=80))
@example("[quote]\n[poll]\n[/quote]\n[/poll]")
@example("[poll]\n[code]\n[/poll]\n[/code]")
def test_any_text_is_read_and_tags_are_never_left_half(raw) -> None:
    text = discourse_text(raw)
    assert text == discourse_text(raw)
    assert discourse_text(raw.replace("\n", "\r\n")) == text


@given(st.text(st.sampled_from("ab *_#\n.,`"), max_size=80))
def test_without_tags_and_names_the_text_is_that_of_every_forum(raw) -> None:
    assert discourse_text(raw) == forum_text(raw)


def test_quotations_in_quotations_stay_short() -> None:
    text = discourse_text("x\n" + "[quote]\na\n" * 3_000 + "[/quote]\n" * 3_000)
    assert len(text) < 3_000 * 15


pieces = st.sampled_from(
    [
        "[quote]",
        '[quote="ann, post:3"]',
        "[/quote]",
        "[code]",
        "[/code]",
        "```",
        "[poll]",
        "[/poll]",
        "text",
        "",
    ]
)


@given(st.lists(pieces, max_size=14).map("\n".join))
def test_no_name_of_a_quotation_is_left_outside_of_code(raw) -> None:
    text = discourse_text(raw)
    if "```" not in raw and "[code]" not in raw:
        assert "ann" not in text
    # Whoever is quoted, what is taken out is taken out of the text that the bot would send, too.
    assert "post:3" not in unquoted(raw, "ann".__eq__) or "[code]" in raw or "```" in raw
