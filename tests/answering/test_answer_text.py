"""Answers are split into messages that can be read by themselves, and cleaned of what a model must not put there."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from linear_time import grows_too_fast
from markdown_it import MarkdownIt

from furytune.answering.text import Safety, joined, safe, split
from furytune.errors import ConfigError

# An independent reader of Markdown. Chat programs know no HTML.
COMMONMARK = MarkdownIt("commonmark").enable("strikethrough").disable(["html_block", "html_inline"])

SIGNS = [
    *(
        "```",
        "````",
        "~~~",
        "`",
        "``",
        "*",
        "**",
        "***",
        "_",
        "__",
        "~~",
        "||",
        "\\",
        "[",
        "]",
        "(",
        ")",
        "<",
    ),
    *(
        "\n",
        "\n\n",
        " ",
        "a",
        "word",
        "x" * 30,
        "é",
        "字",
        "👨‍👩‍👧",
        "🏳️‍🌈",
        "\u0301",
        "> ",
        ">",
        "# ",
        "\n```py\n",
        "\n> ```py\n> ",
    ),
    *(
        "[a](https://fury.gl/z)",
        "https://fury.gl",
        "https://evil.dev/x",
        "<https://fury.gl>",
        "evil.com",
        "www.",
    ),
    *("@everyone", "<@123>", "](", "]:", ":", "//", "https:", "@", "&colon;", "javascript:x"),
    *("\u200b", "\u200d", "\u202e", "\ufe0f", "\r", "\ud800", "\U000e0041"),
]
LISTS = ["- ", "1. ", "    "]
hostile = st.lists(st.sampled_from(SIGNS), max_size=120).map("".join)
with_lists = st.lists(st.sampled_from([*SIGNS, *LISTS]), max_size=120).map("".join)

words = st.lists(
    st.sampled_from(["see", "the", "box", "of", "actor", "and", "draw", "it", "blue", "é", "字"]), min_size=1, max_size=30
).map(" ".join)


def styled(mark):
    return words.map(lambda text: f"{mark}{text}{mark}")


inline = st.lists(
    st.one_of(
        words, *map(styled, ["**", "*", "`", "~~", "***"]), words.map(lambda t: f"[{t}](https://fury.gl/a)")
    ),
    min_size=1,
    max_size=6,
).map(" ".join)
code = st.builds(
    lambda mark, info, lines: f"{mark}{info}\n" + "".join(f"{line}\n" for line in lines) + mark,
    st.sampled_from(["```", "````", "~~~"]),
    st.sampled_from(["", "python", "c++"]),
    st.lists(st.sampled_from(["x = 1", "    if x:", "", "# a **b**", "y" * 40]), min_size=1, max_size=20),
)
item = st.builds("{}{}".format, st.sampled_from(["- ", "1. "]), inline)
quote = inline.map(lambda text: f"> {text}")
quoted_code = code.map(lambda text: "\n".join(f"> {line}" for line in text.split("\n")))
document = st.lists(st.one_of(inline, code, item, quote, quoted_code), min_size=1, max_size=10).map(
    "\n\n".join
)
lengths = st.sampled_from([100, 120, 150, 200, 400, 2000])


UNSEEN = regex.compile(r"[\s\p{Cc}\p{Cf}]")


def styles(text):
    """The characters that a reader sees, each with its styles, without blanks."""
    seen = []
    for token in COMMONMARK.parse(text):
        if token.type in {"fence", "code_block"}:
            seen += [(c, "block") for c in token.content if not c.isspace()]
        open_ = []
        for child in token.children or ():
            if child.nesting > 0:
                open_.append(child.tag)
            elif child.nesting < 0:
                open_.remove(child.tag)
            else:
                style = "code" if child.type == "code_inline" else "-".join(sorted(set(open_) - {"a"}))
                seen += [(c, style) for c in child.content if not c.isspace()]
    return seen


def closed(text):
    """Whether nothing in a text reaches beyond its end."""
    tokens = COMMONMARK.parse(text + "\n\nAFTER")
    return [t.type for t in tokens[-3:]] == ["paragraph_open", "inline", "paragraph_close"] and tokens[
        -2
    ].content == "AFTER"


@given(with_lists, lengths)
def test_parts_are_within_the_limit_and_make_the_text_again(text, most):
    parts = split(text, most)
    assert all(0 < len(part) <= most and part.strip() for part in parts)
    assert joined(parts) == text if parts else not UNSEEN.sub("", text)
    assert not UNSEEN.sub("", "".join(part.before + part.after for part in parts))


@given(hostile, lengths)
def test_every_part_is_closed(text, most):
    assert all(closed(part) for part in split(text, most))


@given(document, lengths)
def test_readers_see_every_character_in_its_style(text, most):
    parts = split(text, most)
    assert all(closed(part) for part in parts)
    assert [seen for part in parts for seen in styles(part)] == styles(text)


@given(with_lists, st.integers(0, 400), lengths)
def test_parts_before_the_last_stay_when_the_answer_grows(text, at, most):
    early, late = split(text[:at], most), split(text, most)
    assert early[:-1] == late[: len(early[:-1])]


@given(
    st.lists(
        st.sampled_from(["👨‍👩‍👧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "e\u0301", "🇫🇷", "각", "👍🏽", "नि"]), min_size=60, max_size=200
    ).map("".join)
)
def test_no_character_is_taken_apart(text):
    assert [c for part in split(text, 100) for c in regex.findall(r"\X", part)] == regex.findall(r"\X", text)


def test_a_link_that_fits_is_not_cut():
    link = "[the guide](https://fury.gl/" + "a" * 60 + ")"
    for before in range(60, 100):
        parts = split("b" * before + " " + link + " and " + "https://fury.gl/" + "c" * 70, 110)
        assert sum(link in part for part in parts) == 1
        assert sum("https://fury.gl/" + "c" * 70 in part for part in parts) == 1


def test_a_block_is_opened_again_with_its_language():
    text = "So:\n```python\n" + "print('a')\n" * 40 + "```\nDone."
    first, *middle, last = split(text, 200)
    assert first.endswith("\n```")
    assert all(part.startswith("```python\nprint") and part.endswith("\n```") for part in middle)
    assert last.startswith("```python\n")
    assert last.endswith("```\nDone.")


def test_an_answer_that_just_fits_is_one_part():
    assert split("a" * 2000) == ["a" * 2000]
    assert [len(part) for part in split("😀" * 2001)] == [2000, 1]  # Discord counts code points
    assert split(" \n\t\u200b ") == []


def test_a_limit_that_is_too_small_is_refused():
    with pytest.raises(ConfigError, match="at least 100"):
        split("a", 50)


HOSTILE = {
    "fences": lambda n: "```\nx\n" * (n // 6),
    "one line": lambda n: "a" * n,
    "brackets": lambda n: "[" * n,
    "ticks": lambda n: " ".join("`" * k for k in range(1, int((2 * n) ** 0.5))),
    "stars": lambda n: "*a " * (n // 3),
    "blanks": lambda n: " " * n + "x",
    "quotes": lambda n: "> " * (n // 2),
    "angles": lambda n: "<a" * (n // 2),
    "joined ticks": lambda n: "`\u200b" * (n // 2),
    "addresses": lambda n: "http://" * (n // 7),
    "dots": lambda n: "a." * (n // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_take_linear_time(name):
    def work(text):
        split(text)
        safe(text)
        cleaning = Safety()
        for at in range(0, len(text), 7):
            cleaning.feed(text[at : at + 7])

    assert grows_too_fast(work, HOSTILE[name], (1_000, 40_000)) == ""


@given(with_lists, st.lists(st.integers(1, 9), min_size=1))
def test_a_stream_is_cleaned_like_the_whole(text, sizes):
    work, found, at = Safety(["fury.gl"]), [], 0
    while at < len(text):
        size = sizes[len(found) % len(sizes)]
        found.append(work.feed(text[at : at + size]))
        at += size
    assert "".join(found) + work.end() == safe(text, ["fury.gl"])


@given(with_lists)
def test_cleaning_again_changes_nothing_and_adds_little(text):
    once = safe(text, ["fury.gl"])
    assert safe(once, ["fury.gl"]) == once
    assert len(once) <= 2 * len(text)


DISCORD_CODE = re.compile(
    r"```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n][\s\S]*?\n*```|(`+)(?:[\s\S]*?[^`])\1(?!`)", re.IGNORECASE
)


def hosts_of(text):
    """Where a browser or Discord would lead from a text, each by its own rules of what is code."""
    found = []
    for token in COMMONMARK.parse(text):
        for child in token.children or ():
            target = str(child.attrs.get("href") or child.attrs.get("src") or "")
            found += [target] if target else []
            if child.type == "text":
                found += re.findall(r"https?://[^\s<]+", child.content, re.IGNORECASE)
    found += re.findall(r"https?://[^\s<]+", DISCORD_CODE.sub(" ", text), re.IGNORECASE)
    return found


@given(hostile)
def test_no_link_leads_to_another_host(text):
    for target in hosts_of(safe(text, ["fury.gl"])):
        assert re.match(r"https?://fury\.gl\.*(?:[/?#]|\Z)", target, re.IGNORECASE), target


@given(hostile)
def test_no_mention_is_left(text):
    shown = DISCORD_CODE.sub(" ", safe(text))
    assert not re.search(r"@everyone|@here|<@[!&]?[0-9]+>|<#[0-9]+>|</[\w -]+:[0-9]+>", shown)


@given(document)
def test_a_document_without_links_stays(text):
    assert safe(text, ["fury.gl"]) == text or "~~~" in text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[docs](https://fury.gl/a)", "[docs](https://fury.gl/a)"),
        ("[https://fury.gl](https://evil.dev)", "[https://fury.gl/] (https[:]//evil[.]dev)"),
        ("![](https://evil.dev/?q=secret)", "![] (https[:]//evil[.]dev/?q=secret)"),
        ("https://fury.gl@evil.dev", "https[:]//fury[.]gl@evil.dev"),
        ("https://fury.gl\\@evil.dev", "https[:]//fury[.]gl\\@evil.dev"),
        ("https://fury.gl.evil.dev", "https[:]//fury[.]gl[.]evil[.]dev"),
        ("https://fury.gl。evil.dev", "https://fury.gl/。evil.dev"),
        ("https://xn--fry-hoa.gl", "https[:]//xn--fry-hoa[.]gl"),
        ("https://fürу.gl", "https[:]//fürу.gl"),
        ("https://fury.gl:8080/a", "https[:]//fury[.]gl:8080/a"),
        ("ht\u200btps://evil.dev", "https[:]//evil[.]dev"),
        ("[a](javascript:alert(1))", "[a] (javascript[:]alert(1))"),
        ("[a](https&#58;//evil.dev)", "[a] (https＆#58;//evil.dev)"),
        ("[a]: //evil.dev", "[a] : //evil.dev"),
        ('<img src="https://evil.dev">', '‹img src="https[:]//evil[.]dev">'),
        ("discord.gg/abc", "discord[.]gg/abc"),
        ("ab\u202edc\U000e0041", "abdc"),
        ("<@1> <@&2> <#3> </a:4> @here", "<＠1> <＠&2> <＃3> <／a:4> ＠here"),
        ("`https://evil.dev`", "`https://evil.dev`"),
        ("```\nhttps://evil.dev @everyone\u200b\n```", "```\nhttps://evil.dev @everyone\u200b\n```"),
        ("numpy.array([1]) and a_b.py, 1: x", "numpy.array([1]) and a_b.py, 1: x"),
        ("<:fury:123456789012345678> <t:1700000000:R>", "<:fury:123456789012345678> <t:1700000000:R>"),
        ("👨‍👩‍👧 می‌خواهم", "👨‍👩‍👧 می‌خواهم"),
    ],
)
def test_what_people_see(said, shown):
    assert safe(said, ["fury.gl"]) == shown


def test_hosts_are_names():
    assert safe("https://a.fury.gl/x", ["*.fury.gl"]) == "https://a.fury.gl/x"
    assert safe("https://fury.gl/x", ["*.fury.gl"]) == "https[:]//fury[.]gl/x"
    for wrong in (["https://fury.gl"], "fury.gl", [""], ["*"], [3]):
        with pytest.raises(ConfigError):
            safe("a", wrong)


def test_what_is_certain_is_not_held_back():
    work = Safety(["fury.gl"])
    shown = [work.feed(piece) for piece in ["Draw a ", "bo", "x with htt", "ps://evil.", "dev now", ".\n"]]
    assert shown == ["Draw a ", "", "box with ", "", "https[:]//evil[.]dev ", "now.\n"]
    assert all(a or b for a, b in pairwise(shown))
