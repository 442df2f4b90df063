"""Posts become texts by rules that need nothing but the post, so a bot gets the same bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_time import grows_too_fast

from furytune import Normalizer
from furytune.pairing import forum_question, forum_text, titled
from furytune.pairing.markdown import mention

ANN, BOB = mention("ann"), mention("bob")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("@ann, can you help?", f"{ANN}, can you help?"),
        ('(@Ann) "@bob" cc:@ann.', f'({ANN}) "{BOB}" cc:{ANN}.'),
        ("thanks @ann-", f"thanks {ANN}-"),
        ("@ann[bot] did it", f"{ANN} did it"),
        ("@dave_corp", mention("dave_corp")),
        ("see https://github.com/ann and [her](https://github.com/ann/).", f"see {ANN} and [her]({ANN})."),
        ("cc\n@ann\n@bob\nthanks", f"cc\n{ANN}\n{BOB}\nthanks"),
    ],
)
def test_people_lose_their_names(body, text) -> None:
    assert forum_text(body) == text


@pytest.mark.parametrize(
    "body",
    [
        "write to ann@example.org",
        "`@ann` and ``a ` @ann``",
        "```py\n@ann\ndef f(): ...\n```",
        "~~~\n@ann",
        "- ```\n  @ann\n  ```",
        "> ```\n> @ann\n> ```\n\nnot a mention",
        "@property\ndef f(self): ...",
        "    @functools.cache\n    @ann\n    async def f(): ...",
        "use @app.route('/') or @cache(1)",
        "npm install @types/node",
        "curl -d@file and --data=@file",
        "https://medium.com/@ann/post and https://github.com/ann/repo",
        "https://github.com/features",
        "a @ b, @-x, @@ann",
    ],
)
def test_code_addresses_and_packages_stay_whole(body) -> None:
    said = forum_text(body) if not body.startswith(">") else forum_question("", body)
    assert said == body


@pytest.mark.parametrize(
    ("body", "text", "images"),
    [
        ("Hi\r\n<!-- fill in -->\r\nthere", "Hi\nthere", 0),
        ("a <!-- ``` --> b @x `c`", f"a  b {mention('x')} `c`", 0),
        ("`<!-- code -->` stays", "`<!-- code -->` stays", 0),
        ("text\n<!-- never closed\nhidden", "text", 0),
        ("a <!-- b", "a <!-- b", 0),
        ("look:\n\n![shot](https://a/b.png)\n\nred", "look:\n\n\nred", 1),
        ('<img width="5" src="x"> [![ci](x)](y)', "", 2),
        ("### Version\n\n_No response_\n\n### Steps\n\nrun it", "### Steps\n\nrun it", 0),
        ("> How?\n> Really?\n\nSo.", "So.", 0),
        ("> One?\n\nYes.\n\n> Two?\n\nNo.", "> One?\n\nYes.\n\n> Two?\n\nNo.", 0),
        ("> only a quotation", "> only a quotation", 0),
        ("Yes.\n\nOn Mon, 1 May 2024, Ann <a@b.org> wrote:\n\n> How?\n>\n> Ann\n", "Yes.", 0),
    ],
)
def test_what_is_not_text_is_removed(body, text, images) -> None:
    from furytune.pairing.markdown import read_markdown

    found = read_markdown(body, reply=True)
    assert (found.text, found.images) == (text, images)


def test_a_question_keeps_its_quotations_and_has_its_title() -> None:
    assert (
        forum_question("Why @ann?", "> Error: 5\n\nWhat is it?") == f"Why {ANN}?\n\n> Error: 5\n\nWhat is it?"
    )
    assert forum_question("Why", "") == "Why"


def test_people_have_the_same_number_in_question_and_answer() -> None:
    question, answer = forum_question("Ask @bob", "or @ann"), forum_text("@Ann: yes")
    clean = Normalizer()
    assert clean(question) == "Ask @user1\n\nor @user2"
    assert clean(answer, after=question) == "@user2: yes"


pieces = st.sampled_from(
    [
        "@ann",
        "@bob-c",
        "`",
        "```\n",
        "\n```",
        "~~~",
        "<!--",
        "-->",
        "\n",
        "\n\n",
        "> ",
        " ",
        "def f",
        "@p\n",
        "![a](b)",
    ]
)
bodies = st.lists(pieces | st.text(max_size=5), max_size=30).map("".join)


@given(bodies)
def test_any_post_gives_a_text_that_a_row_can_hold(body) -> None:
    said = forum_question("", body)
    assert "\0" not in said
    assert "\r" not in said
    assert said == said.rstrip()


@given(st.text(st.characters(exclude_characters="@<>`~[]!_#\0\r", exclude_categories=["Cs"]), max_size=200))
def test_plain_text_stays_as_it_is(body) -> None:
    if "://" not in body and not body.lstrip().startswith(">"):
        lines = body.rstrip().split("\n")
        while len(lines) > 1 and not lines[0].strip():
            lines.pop(0)
        assert forum_question("T", body) == titled("T", "\n".join(lines))


@given(st.text(st.sampled_from("ab @.,\n>()*-_#"), max_size=40))
def test_no_mention_is_left_outside_of_code(body) -> None:
    assert mention("zed") in forum_question("", f"{body}\n\n@zed was here")


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "`" * n,
        lambda n: " ".join("`" * k for k in range(1, int((2 * n) ** 0.5))),
        lambda n: "<!--" * (n // 4),
        lambda n: "a <!-- " * (n // 7),
        lambda n: "```\n" * (n // 4),
        lambda n: "@a\n" * (n // 3),
        lambda n: "![" * (n // 2),
        lambda n: "#\n" * (n // 2) + "_No response_",
        lambda n: "> " * (n // 2),
        lambda n: "@" + "a-" * (n // 2),
        lambda n: "On " * (n // 3) + "wrote:\n> x",
        lambda n: " \0" * (n // 2),
        lambda n: "https://github.com/" * (n // 19),
    ],
)
def test_a_post_of_any_form_takes_linear_time(make) -> None:
    assert not grows_too_fast(forum_text, make, (1_000, 40_000))
