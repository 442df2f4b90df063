"""A bot of your own on furytune's pieces: it answers mentions with the contract's prompts, and stays small.

python examples/bot.py fury.contract.json http://127.0.0.1:11434/v1 qwen2.5:7b

`furytune bot` does much more: streaming, threads, questions back, commands, limits, opt-out, and exactly one answer whatever dies.
"""

from __future__ import annotations

import os
import sys

import discord
import furytune as ft
from furytune.answering import Answerer
from furytune.bot import messages
from furytune.errors import EmptyTextError, FurytuneError


class Bot(discord.Client):
    """Answers who mentions it."""

    def __init__(self, answerer: Answerer) -> None:
        """Asks Discord only for what it needs; no privileged intent."""
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.answerer = answerer

    async def on_message(self, message: discord.Message) -> None:
        """Answers a question: the contract gets the raw text, as it was collected for training."""
        if message.author.bot or self.user not in message.mentions:
            return
        try:
            async with message.channel.typing():
                asked = await self.answerer.ask(message.content, answer_id=f"discord-{message.id}")
                text = "".join([piece.text async for piece in asked.pieces()])
        except EmptyTextError:
            text = "What would you like to know?"
        except FurytuneError:
            text = "I could not answer just now. Please ask again later."
        for part in messages(text):  # safe to show, at most 2,000 characters each
            await message.reply(part, mention_author=False)


if __name__ == "__main__":
    contract, endpoint, model = sys.argv[1:]
    Bot(Answerer(contract, ft.ChatService(endpoint).model(model))).run(os.environ["DISCORD_TOKEN"])
