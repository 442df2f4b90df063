"""The example bot on matrix-nio, with a homeserver on loopback."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from homeserver import BOT, ROOM, TOKEN, Homeserver, event, invited, joined

import furytune as ft
from furytune.answering import Answerer, AnswerSettings, audit
from furytune.testing.fake_chat import FakeChat

pytest.importorskip("nio", reason="pip install matrix-nio")
pytest.importorskip("markdown_it", reason="pip install markdown-it-py")
import nio

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import matrix_bot

PILL = f'<a href="https://matrix.to/#/{BOT}">Fury Helper</a>'
MENTION = {
    "format": "org.matrix.custom.html",
    "formatted_body": f"{PILL}: why is <code>a &lt; b</code> false?",
    "m.mentions": {"user_ids": [BOT]},
}
QUESTION = "Fury Helper: why is `a < b` false?"
EMPTY = joined()


def answers(
    tmp_path, *batches, answer=lambda _text: "Use `b > a`.", token=TOKEN, prepare=lambda _: None, bots=1
):
    """Runs the bot until the homeserver ends it; returns the homeserver, the prompts, the contract and the last words."""
    contract = ft.PromptContract(
        template=ft.PromptTemplate("{question}"),
        normalizer=ft.Normalizer(bot_ids=[f"matrix:{BOT}"]),
        augmenter=ft.IdentityAugmenter(),
        dialects=["openai"],
    )

    async def runs(url: str, endpoint: str) -> str:
        client = nio.AsyncClient(url)
        client.access_token = token
        settings = AnswerSettings(audit=tmp_path / "audit.jsonl")
        try:
            with pytest.raises(SystemExit) as ended:
                await matrix_bot.Bot(
                    Answerer(contract, ft.ChatService(endpoint).model("fake"), settings), client
                ).run()
        finally:
            await client.close()
        return str(ended.value)

    async def all_run(url: str, endpoint: str) -> list[str]:
        return await asyncio.gather(*(runs(url, endpoint) for _ in range(bots)))

    with Homeserver(*batches) as server, FakeChat(answer) as chat:
        prepare(server)
        words = asyncio.run(all_run(server.url, chat.url))
        prompts = [asked.body["messages"][-1]["content"] for asked in chat.requests]
        return server, prompts, contract, words


def said(server: Homeserver) -> list[dict]:
    return [content for _, content in server.sent.values()]


def test_a_mention_is_answered_in_its_thread_with_the_contracts_prompt(tmp_path):
    asked = event(QUESTION, **MENTION)
    server, prompts, contract, _ = answers(
        tmp_path, EMPTY, joined(asked), answer=lambda _text: "Use `b > a`. @room <b>"
    )
    assert prompts == ["why is `a < b` false?"] == [contract.prompt(ft.matrix_text(asked)).text]
    [(room, content)] = server.sent.values()
    assert room == ROOM
    assert content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$event-1",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$event-1"},
    }
    assert (content["msgtype"], content["m.mentions"]) == ("m.notice", {})
    assert content["body"].startswith("Use `b > a`.")
    assert content["formatted_body"].startswith("<p>Use <code>b &gt; a</code>.")
    assert "@room" not in json.dumps(content)
    assert "<b>" not in content["formatted_body"]
    assert audit(tmp_path / "audit.jsonl", contract, [ft.matrix_text(asked)]).proved == 1


def test_a_mention_in_a_thread_is_answered_in_that_thread(tmp_path):
    thread = {"rel_type": "m.thread", "event_id": "$root"}
    server, _, _, _ = answers(tmp_path, EMPTY, joined(event(QUESTION, **MENTION, **{"m.relates_to": thread})))
    [content] = said(server)
    assert content["m.relates_to"]["event_id"] == "$root"
    assert content["m.relates_to"]["m.in_reply_to"] == {"event_id": "$event-1"}


def test_a_direct_room_needs_no_mention(tmp_path):
    server, prompts, _, _ = answers(tmp_path, EMPTY, joined(event("why?"), members=2))
    assert prompts == ["why?"]
    assert len(said(server)) == 1


EDIT = {"m.relates_to": {"rel_type": "m.replace", "event_id": "$x"}, "m.new_content": {"body": "why?"}}
OLD = {**event(QUESTION, **MENTION), "origin_server_ts": 1}


@pytest.mark.parametrize(
    "batches",
    [
        [joined(event(QUESTION, **MENTION))],
        [EMPTY, joined(OLD)],
        [EMPTY, joined(event(QUESTION, sender=BOT, **MENTION))],
        [EMPTY, joined(event(QUESTION, **{**MENTION, "msgtype": "m.notice"}))],
        [EMPTY, joined(event(QUESTION, **MENTION, **EDIT))],
        [EMPTY, joined(event("people talk"))],
        [EMPTY, joined(event(f"{BOT} is named, not mentioned", **{"m.mentions": {}}))],
        [EMPTY, joined(event("odd", **{"m.mentions": {"user_ids": BOT}, "m.relates_to": []}))],
        [EMPTY, joined(event(QUESTION, **MENTION), encrypted=True)],
    ],
    ids=["first sync", "history", "own", "notice", "edit", "talk", "named", "odd", "encrypted"],
)
def test_what_is_no_question_to_the_bot_gets_no_answer(tmp_path, batches):
    server, prompts, _, _ = answers(tmp_path, *batches)
    assert (said(server), prompts) == ([], [])


def test_a_question_that_is_delivered_twice_is_answered_once(tmp_path):
    again = joined(event(QUESTION, **MENTION))
    server, prompts, _, _ = answers(tmp_path, EMPTY, again, again)
    assert (len(said(server)), len(prompts)) == (1, 1)


def test_an_answer_whose_receipt_was_lost_is_shown_once(tmp_path):
    server, _, _, _ = answers(
        tmp_path,
        EMPTY,
        joined(event(QUESTION, **MENTION)),
        prepare=lambda server: server.fail("PUT .*/send/", mode="lose the answer"),
    )
    assert sum(asked.method == "PUT" for asked in server.requests) == 2
    assert len(said(server)) == 1


def test_two_processes_with_one_token_show_one_answer(tmp_path):
    server, prompts, _, _ = answers(tmp_path, EMPTY, joined(event(QUESTION, **MENTION)), bots=2)
    assert (len(prompts), len(said(server))) == (2, 1)


def test_who_says_nothing_is_asked_what_they_want_to_know(tmp_path):
    server, prompts, _, _ = answers(
        tmp_path, EMPTY, joined(event("Fury Helper", **{**MENTION, "formatted_body": PILL}))
    )
    assert prompts == []
    assert [content["body"] for content in said(server)] == ["What would you like to know?"]


@pytest.mark.parametrize("word", ["word ", "😀 ", '"<&> ', "> - "])
def test_long_answers_are_split_into_events_that_a_homeserver_takes(tmp_path, word):
    server, _, _, _ = answers(
        tmp_path, EMPTY, joined(event(QUESTION, **MENTION)), answer=lambda _text: word * (20_000 // len(word))
    )
    assert len(said(server)) > 1
    assert all(len(json.dumps(content, ensure_ascii=False).encode()) < 60_000 for content in said(server))


def test_only_people_of_its_homeserver_can_invite_it(tmp_path):
    server, _, _, _ = answers(
        tmp_path,
        invited("!waiting:example.org", "@ann:example.org"),
        invited("!near:example.org", "@ann:example.org"),
        invited("!far:example.com", "@eve:example.com"),
    )
    assert server.joins == ["!waiting:example.org", "!near:example.org"]


def test_an_encrypted_direct_room_is_told_once_that_it_cannot_be_read(tmp_path):
    secret = {
        **event(""),
        "type": "m.room.encrypted",
        "content": {
            "algorithm": "m.megolm.v1.aes-sha2",
            "ciphertext": "x",
            "device_id": "D",
            "sender_key": "k",
            "session_id": "s",
        },
    }
    batch = joined(secret, {**secret, "event_id": "$event-2"}, members=2, encrypted=True)
    server, prompts, _, _ = answers(tmp_path, EMPTY, batch)
    assert prompts == []
    assert [content["body"] for content in said(server)] == [matrix_bot.ENCRYPTED]


def test_a_wrong_token_is_named_and_not_shown(tmp_path):
    *_, words = answers(tmp_path, token="syt_wrong")
    assert "MATRIX_TOKEN" in words[0]
    assert "syt_wrong" not in words[0]
