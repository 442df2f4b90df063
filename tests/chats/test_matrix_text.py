"""What Matrix delivers becomes the text that people read, and holds no ids of people."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_time import grows_too_fast

import furytune as ft

BOT = "@helper:example.org"
ANN = "@ann:example.org"
READ = ft.Normalizer(bot_ids=[f"matrix:{BOT}"], redact=())
REPLY = {"m.relates_to": {"m.in_reply_to": {"event_id": "$1"}}}

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
people = st.from_regex(r"@[a-z][a-z0-9_]{3,12}:[a-z]{2,8}\.example", fullmatch=True)
pieces = st.one_of(
    words,
    st.sampled_from(["`", "```", "\n", "> ", "> <@", "@", "#", "!", ":", "[", "](", "matrix:", " ", "@room"]),
    people,
    people.map("https://matrix.to/#/{}".format),
)
texts = st.lists(pieces, max_size=5).map("".join)


def message(body, html=None, mentions=None, **content):
    content = {"msgtype": "m.text", "body": body, **content}
    if html is not None:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    if mentions is not None:
        content["m.mentions"] = {"user_ids": mentions}
    return {"type": "m.room.message", "sender": ANN, "content": content}


def pill(uid, name):
    return f'<a href="https://matrix.to/#/{uid}">{escape(name)}</a>'


@given(texts)
def test_a_text_and_the_event_around_it_are_read_alike(text) -> None:
    assert ft.matrix_text(text) == ft.matrix_text(message(text))


@given(words)
def test_code_stays_as_it_is(code) -> None:
    block = f"```\n{code.replace('`', '')}\n{ANN}\n```"
    assert ft.matrix_text(message(block, pill(ANN, "ann"), [ANN])) == block


@given(before=words, uid=people, after=words)
def test_no_prompt_holds_the_id_of_a_person(before, uid, after) -> None:
    plain = [part.translate(dict.fromkeys(map(ord, "`<>[]()"))) for part in (before, after)]
    for markup in (
        uid,
        f"https://matrix.to/#/{uid}",
        f"https://matrix.to/#/{quote(uid, safe='')}",
        f"matrix:u/{uid[1:]}",
        f"[someone](https://matrix.to/#/{uid})",
    ):
        text = ft.matrix_text(f"{plain[0]} {markup} {plain[1]}")
        assert uid[1:] not in text
        assert "@user1" in ft.Normalizer(redact=())(text)


@given(
    name=st.text(st.characters(categories=["L", "N"]), min_size=4, max_size=20), uid=people, quoting=people
)
def test_no_prompt_holds_the_name_that_a_client_wrote_for_a_person(name, uid, quoting) -> None:
    asked = message(
        f"> <{quoting}> {name}, no\n\nhas {name} & co. answered?",
        f"<mx-reply><blockquote>{pill(quoting, name)}</blockquote></mx-reply>has {pill(uid, name)} &amp; co. answered?",
        [uid],
        **REPLY,
    )
    # The quoted person has the same name here, and is the bot.
    read = ft.Normalizer(bot_ids=[f"matrix:{quoting}"], redact=())
    assert uid == quoting or read(ft.matrix_text(asked)) == "has @user1 & co. answered?"


@given(texts, texts)
def test_a_quote_that_a_client_put_before_a_reply_is_removed_and_nothing_else(quoted, own) -> None:
    fallback = "\n".join(f"> {line}" for line in f"<{ANN}> {quoted}".split("\n"))
    reply = message(f"{fallback}\n\n{own}", **REPLY)
    assert ft.matrix_text(reply) == ft.matrix_text(own)


@pytest.mark.parametrize(
    "asked",
    [
        message("Fury Helper: how do I draw?", f"{pill(BOT, 'Fury Helper')}: how do I draw?", [BOT]),
        message("@helper how do I draw?", None, [BOT]),
        message("helper: how do I draw?", None, [BOT]),
        message(f"{BOT} how do I draw?"),
        message(
            f"[Fury Helper](https://matrix.to/#/{BOT}) how do I draw?", f"{pill(BOT, 'Fury Helper')} how"
        ),
        message("Fury & Co how do I draw?", f"{pill(quote(BOT), 'Fury & Co')} how do I draw?"),
    ],
)
def test_the_mention_of_the_bot_is_no_part_of_the_question(asked) -> None:
    assert READ(ft.matrix_text(asked)) == "how do I draw?"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("see #help:example.org, !abc:example.org", "see #channel, #channel"),
        ("see https://matrix.to/#/#help:example.org/$ev?via=a.org.", "see #channel."),
        (
            "[this](https://matrix.to/#/!a:example.org/$ev) and matrix:r/help:example.org",
            "#channel and #channel",
        ),
        ("@room and @click:option and me@a:b.org", "@room and @click:option and me@a:b.org"),
        (f"ask {ANN}.", "ask @user1."),
        ("ask @ann:example.org:8448: she knows", "ask @user1: she knows"),
        ("> typed by hand\nno", "> typed by hand\nno"),
        ("error: it fails", "error: it fails"),
    ],
)
def test_markup_becomes_what_people_read(raw, text) -> None:
    assert READ(ft.matrix_text(raw)) == text


def test_names_are_replaced_where_the_client_linked_them() -> None:
    asked = message(
        "I will ask Will if `Will` is willing, Will",
        f"I will ask {pill(ANN, 'Will')} if <code>Will</code> is willing, Will",
    )
    assert READ(ft.matrix_text(asked)) == "I will ask @user1 if `Will` is willing, Will"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            {
                "body": "* new",
                "m.new_content": {"body": "new", "msgtype": "m.text"},
                "m.relates_to": {"rel_type": "m.replace"},
            },
            "new",
        ),
        ({"msgtype": "m.image", "body": "a.png"}, ""),
        ({"msgtype": "m.image", "body": "a.png", "filename": "a.png"}, ""),
        ({"msgtype": "m.image", "body": "see here", "filename": "a.png"}, "see here"),
        ({"msgtype": "m.emote", "body": "waves"}, "waves"),
        ({"body": "> <@ann:example.org> all of it is quoted", **REPLY}, ""),
        ({"body": "> > quoted by hand\nno", **REPLY}, "> > quoted by hand\nno"),
        ({"body": "> * <@ann:example.org> waves\n\n> mine\nno", **REPLY}, "> mine\nno"),
        ({}, ""),
        ({"body": 3, "m.mentions": 7, "m.relates_to": "x", "formatted_body": []}, ""),
        ({"body": "a", "m.mentions": {"user_ids": [1, "", "@", None]}, "m.new_content": 3}, "a"),
    ],
)
def test_edits_files_and_odd_events(content, text) -> None:
    assert ft.matrix_text({"content": content}) == text


def test_an_event_without_content_has_no_words() -> None:
    assert ft.matrix_text({}) == ft.matrix_text({"content": []}) == ""


@pytest.mark.parametrize(
    "make",
    [
        lambda n: message("> <@a\n" + "> \n" * n, **REPLY),
        lambda n: message("Ann " * n, pill(ANN, "Ann") * n, [ANN] * n),
        lambda n: message("`x` " * n, pill(ANN, "Bob") * n),
        lambda n: message("AnnAnn" * n, pill(ANN, "Ann") * n),
    ],
    ids=["quote", "names", "code", "inside words"],
)
def test_long_events_are_read_in_linear_time(make) -> None:
    assert not grows_too_fast(ft.matrix_text, make, (500, 8_000))
