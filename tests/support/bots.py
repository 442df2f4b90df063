"""A Discord bot under test: the real discord.py and the real model client, against servers on loopback."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import furytune as ft
from furytune.bot import BotSettings, DiscordBot
from furytune.testing.fake_chat import FakeChat
from furytune.testing.fake_discord import FakeDiscord

SOON = 20.0


def until(condition, *, within=SOON):
    """Waits until a condition holds."""
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
    return found


def save(path, discord, *, augmenter=None, template="Question:\n{question}"):
    """Saves a contract whose normalizer knows the bot."""
    contract = ft.PromptContract(
        template=ft.PromptTemplate(template),
        augmenter=augmenter or ft.IdentityAugmenter(),
        normalizer=ft.Normalizer(bot_ids=[discord.bot.id]),
        dialects=("openai",),
    )
    contract.save(path)
    return contract


class World:
    """A Discord server, a model's server, and a contract."""

    def __init__(self, folder, answer, **discord):
        routes = {
            "POST /channels/{channel}/messages": (50, 0.5),
            "PATCH /channels/{channel}/messages/{message}": (50, 0.5),
        }
        self.folder = folder
        self.discord = FakeDiscord(start=None, tick=1, **{"routes": routes, **discord})
        self.chat = FakeChat(answer)
        self.path = folder / "fury.contract.json"
        self.contract = save(self.path, self.discord)
        self.help = self.discord.add_channel("help")

    def ask(self, text, *, who="ann", channel=None, **more):
        """Posts a question that mentions the bot."""
        return self.discord.post(channel or self.help, who, f"<@{self.discord.bot.id}> {text}", **more)

    @property
    def prompts(self):
        """The prompts at the model's server."""
        return [r.body["messages"][-1]["content"] for r in self.chat.requests]

    def said(self, channel=None):
        """What the bot said, in order of the places and their messages."""
        return [m.content for m in self.posts(channel)]

    def posts(self, channel=None):
        """The bot's messages with a text."""
        with self.discord.lock:
            places = [channel] if channel else list(self.discord.channels.values())
            found = [m for c in places for m in c.messages]
            return [m for m in found if m.author is self.discord.bot and m.content]

    def busy(self):
        """Whether an answer is under way: a placeholder or a button that stops it is there."""
        with self.discord.lock:
            return any(b["label"] == "Stop" for m in self.posts() for b in buttons(m))

    def settings(self, **more):
        """Settings for tests."""
        return BotSettings(
            **{
                "folder": self.folder / "bot",
                "endpoint": self.discord.url,
                "pace": 0.05,
                "grace": 10.0,
                **more,
            }
        )

    @contextmanager
    def bot(self, *, model=None, **settings):
        """Runs a bot in a thread."""
        bot = DiscordBot(
            self.path,
            model=model or ft.ChatService(self.chat.url).model("fake"),
            token=ft.Secret("rehearsal"),
            settings=self.settings(**settings),
        )
        before, failed = self.discord.connections.identified, []

        def run():
            try:
                asyncio.run(bot.arun())
            except BaseException as error:  # noqa: BLE001  (raised again below)
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            until(lambda: failed or self.discord.connections.identified > before)
            if failed:
                raise failed[0]
            yield bot
        finally:
            bot.stop()
            thread.join(SOON)
            assert not thread.is_alive()
        if failed:
            raise failed[0]

    def close(self):
        """Stops the servers."""
        self.chat.close()
        self.discord.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def buttons(message):
    """The buttons of a message."""
    return [b for row in (message.extra or {}).get("components", []) for b in row["components"]]


def transcript(discord):
    """What a person sees, place by place."""
    lines = []
    with discord.lock:
        for where in discord.channels.values():
            if where.messages:
                lines.append(f"# {where.name or 'direct message'}")
            for m in where.messages:
                if m.content:
                    reply = f" (to {m.reply_to.author.name})" if m.reply_to else ""
                    body = m.content.replace("\n", "\n    ")
                    lines.append(f"{m.author.name}{reply}: {body}")
                    lines += [f"    [{b['label']}]" for b in buttons(m)]
    return "\n".join(line.rstrip() for line in lines)


class Process:
    """A bot as a process, started with the command."""

    def __init__(self, world, *arguments, folder="bot"):
        self.lines = []
        source = str(Path(ft.__file__).parents[1])
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "furytune",
                "bot",
                str(world.path),
                "--endpoint",
                world.chat.url,
                "--model",
                "fake",
                "--folder",
                str(world.folder / folder),
                "--set",
                f"bot.endpoint={world.discord.url}",
                "--set",
                "bot.pace=0.05",
                *arguments,
            ],
            env={
                **os.environ,
                "DISCORD_TOKEN": "rehearsal",
                "PYTHONPATH": source,
                "PYTHONWARNINGS": "ignore",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def wait_for(self, text):
        """Waits for a line of the log."""
        until(lambda: any(text in line for line in self.lines) or self.process.poll() is not None)
        assert any(text in line for line in self.lines), self.lines

    def kill(self):
        """Ends the process at once, as the system does when memory is short."""
        self.process.kill()

    def send(self, number):
        """Sends a signal."""
        self.process.send_signal(number)

    def ended(self):
        """Waits for the end; returns the exit code."""
        code = self.process.wait(SOON)
        self._reader.join(SOON)
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.ended()
