"""The example bot on Slack's own library, with a server on loopback in the place of Slack."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

import furytune as ft
from furytune.answering import Answerer, AnswerSettings, audit
from furytune.testing._fakes.loopback import Loopback, Recorded, Reply
from furytune.testing.fake_chat import FakeChat

pytest.importorskip("slack_bolt", reason="pip install slack-bolt")
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import slack_bot

ASKED = {"type": "app_mention", "user": "U0ANN", "channel": "C0HELP", "ts": "1700000000.000100"}
QUESTION = "<@U0BOT> why is `a &lt; b` false? See <https://fury.gl/x|the docs>, <!here>"


def slack(asked: Recorded) -> Reply:
    if asked.path == "/auth.test":
        return Reply(200, {"ok": True, "user_id": "U0BOT", "bot_id": "B0BOT", "team_id": "T0"})
    return Reply(200, {"ok": True, "ts": "1700000001.000100"})


def posted(server: Loopback) -> list[dict]:
    found = [asked for asked in server.requests if asked.path == "/chat.postMessage"]
    return [asked.body if asked.body is not None else dict(asked.query) for asked in found]


def answers(tmp_path, answer, text: str) -> tuple[list[dict], list[str], ft.PromptContract]:
    contract = ft.PromptContract(
        template=ft.PromptTemplate("{question}"),
        normalizer=ft.Normalizer(bot_ids=["slack:U0BOT"]),
        augmenter=ft.IdentityAugmenter(),
        dialects=["openai"],
    )

    async def asks(url: str, endpoint: str) -> None:
        client = AsyncWebClient(token="xoxb-rehearsal", base_url=f"{url}/")
        app = AsyncApp(client=client, request_verification_enabled=False, signing_secret="none")
        settings = AnswerSettings(audit=tmp_path / "audit.jsonl")
        slack_bot.connect(Answerer(contract, ft.ChatService(endpoint).model("fake"), settings), app)
        body = {"type": "event_callback", "event_id": "E1", "team_id": "T0", "event": {**ASKED, "text": text}}
        await app.async_dispatch(
            AsyncBoltRequest(body=json.dumps(body), headers={"content-type": ["application/json"]})
        )
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    with Loopback(slack) as server, FakeChat(answer) as chat:
        asyncio.run(asks(server.url, chat.url))
        return posted(server), [asked.body["messages"][-1]["content"] for asked in chat.requests], contract


def test_a_mention_is_answered_in_its_thread_with_the_contracts_prompt(tmp_path):
    said, prompts, contract = answers(tmp_path, lambda _text: "Use `b > a`. <!channel>", QUESTION)
    [prompt] = prompts
    asked = ft.slack_text({**ASKED, "text": QUESTION})
    assert prompt == contract.prompt(asked).text
    assert prompt.startswith("why is `a < b` false?")
    [message] = said
    assert (message["channel"], message["thread_ts"]) == ("C0HELP", ASKED["ts"])
    assert message["markdown_text"].startswith("Use `b > a`.")
    assert "<!channel>" not in message["markdown_text"]
    assert audit(tmp_path / "audit.jsonl", contract, [asked]).proved == 1


def test_who_says_nothing_is_asked_what_they_want_to_know(tmp_path):
    said, prompts, _ = answers(tmp_path, lambda _text: "never", "<@U0BOT> ")
    assert prompts == []
    assert [message["markdown_text"] for message in said] == ["What would you like to know?"]


def test_long_answers_are_split(tmp_path):
    said, _, _ = answers(tmp_path, lambda _text: "word " * 4_000, QUESTION)
    assert [len(message["markdown_text"]) <= slack_bot.MOST for message in said] == [True, True]
