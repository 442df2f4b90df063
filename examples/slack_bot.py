"""A bot on Slack: it answers who mentions it, with the contract's prompts.

python examples/slack_bot.py fury.contract.json http://127.0.0.1:11434/v1 qwen2.5:7b

It needs ``pip install slack-bolt aiohttp`` and, in the environment, SLACK_BOT_TOKEN (xoxb-...) and SLACK_APP_TOKEN (xapp-...)
of an app with Socket Mode, the event ``app_mention`` and the scopes ``app_mentions:read`` and ``chat:write``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

import furytune as ft
from furytune.answering import Answerer, cited
from furytune.answering.text import split
from furytune.errors import EmptyTextError, FurytuneError

MOST = 12_000  # characters that Slack takes as Markdown in one message


def connect(answerer: Answerer, app: AsyncApp) -> None:
    """Lets an app answer mentions, in a thread on each question."""

    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: Any) -> None:
        where = event.get("thread_ts") or event["ts"]
        try:
            # The function that the collector of Slack's exports calls for every message.
            asked = await answerer.ask(
                ft.slack_text(event), answer_id=f"slack-{event['channel']}-{event['ts']}"
            )
            text = "".join([piece.text async for piece in asked.pieces()])
            links = [
                f"[{source.label}]({source.url})" for source in cited(asked.prompt.passages) if source.url
            ]
            text += f"\n\nSources: {', '.join(links)}" if links else ""
        except EmptyTextError:
            text = "What would you like to know?"
        except FurytuneError:
            text = "I could not answer just now. Please ask again later."
        for part in split(text, MOST):
            await say(markdown_text=part, thread_ts=where)


async def main(contract: str, endpoint: str, model: str) -> None:
    """Answers until the process ends."""
    app = AsyncApp(token=os.environ["SLACK_BOT_TOKEN"])
    connect(Answerer(contract, ft.ChatService(endpoint).model(model)), app)
    await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
