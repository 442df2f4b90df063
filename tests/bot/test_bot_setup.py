"""The command's options and its check, and an example."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import pytest
from bots import World, until
from click.testing import CliRunner

import furytune as ft
from furytune.answering import Answerer
from furytune.bot import BotSettings, DiscordBot, checked
from furytune.cli.chatting import bot
from furytune.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCORD_TOKEN", "rehearsal")
    with World(tmp_path, lambda _text: "Yes.") as made:
        yield made


def check(world, *options):
    arguments = [str(world.path), "--check", "--set", f"bot.endpoint={world.discord.url}", *options]
    return CliRunner().invoke(bot, arguments)


def test_the_check_says_that_all_is_well(world):
    found = check(world)
    assert found.exit_code == 0
    assert found.output.splitlines() == [
        f"ok       the token belongs to furytune ({world.discord.bot.id})",
        "ok       the contract removes the bot's mention from questions",
        "ok       the commands ask, Answer this message will be registered at the start",
        "ok       Workshop: the permissions are complete",
    ]
    assert world.discord.connections.identified == 0
    assert {r.method for r in world.discord.requests} == {"GET"}


def test_the_check_says_what_is_missing(world):
    forum = world.discord.add_channel("questions", "forum")
    world.discord.content_intent = False
    world.discord.deny(world.help, "CREATE_PUBLIC_THREADS", "ADD_REACTIONS")
    ft.PromptContract(
        template=ft.PromptTemplate("{question}"), augmenter=ft.IdentityAugmenter(), dialects=("openai",)
    ).save(world.path)
    found = check(
        world, "--forum", forum.id, "--channel", world.help.id, "--helpers", "7",
        "--set", 'bot.consent.opt_out_roles=["no-training"]',
    )  # fmt: skip
    assert found.exit_code == 3
    missing = [line for line in found.output.splitlines() if line.startswith("missing")]
    me = world.discord.bot.id
    assert missing == [
        f"missing  the contract keeps the bot's mention as @user1: train with Normalizer(bot_ids=[{me}])",
        "missing  the Message Content Intent, which forums need (developer portal, page Bot)",
        "missing  Workshop, #help: give the bot Add Reactions, Create Public Threads",
        "missing  Workshop: there is no role no-training, so no one can opt out or in by it",
        "missing  Workshop: there is no role 7 for helpers",
    ]


def test_a_token_in_a_file_and_a_table_in_the_settings_file(world, monkeypatch):
    monkeypatch.delenv("DISCORD_TOKEN")
    Path("token").write_text("rehearsal\n")
    Path("furytune.toml").write_text(
        f'contract = "{world.path.name}"\n[bot]\nendpoint = "{world.discord.url}"\ntoken = {{ file = "token" }}\n'
    )
    found = CliRunner().invoke(bot, ["--check"])
    assert (found.exit_code, found.output.count("ok  ")) == (0, 4)
    found = CliRunner().invoke(bot, ["--check", "--token-file", "token"])
    assert found.exit_code == 0


def test_a_refused_token_is_not_quoted(world):
    with pytest.raises(ft.errors.DiscordLoginError, match="does not accept the token") as caught:
        checked(world.path, token=ft.Secret("hush-hush"), settings=BotSettings(endpoint=world.discord.url))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [{"servers": ["x"]}, {"helpers": "@helpers"}, {"links": "fury.gl"}, {"health": 0}, {"consent": 3}],
)
def test_wrong_settings_are_errors(settings):
    with pytest.raises(ConfigError):
        BotSettings(**settings)


def test_without_a_token_it_says_where_the_token_belongs(world, monkeypatch):
    monkeypatch.delenv("DISCORD_TOKEN")
    model = ft.ChatService(world.chat.url).model("fake")
    for start in (DiscordBot(world.path, model=model).run, lambda: checked(world.path)):
        with pytest.raises(ConfigError, match="DISCORD_TOKEN"):
            start()
    assert world.discord.requests == []


def test_a_bot_needs_a_model(world):
    with pytest.raises(ConfigError, match="needs a model"):
        DiscordBot(world.path, model=None)


def test_the_example_answers(world, monkeypatch):
    import asyncio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import discord
    source = EXAMPLES / "bot.py"
    assert len(source.read_text().splitlines()) <= 60
    spec = importlib.util.spec_from_file_location("example_bot", source)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr("discord.http.Route.BASE", world.discord.url)
    monkeypatch.setattr(
        "discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY", __import__("yarl").URL(world.discord.gateway)
    )

    async def main():
        answerer = Answerer(world.path, ft.ChatService(world.chat.url).model("fake"))
        client = example.Bot(answerer)
        task = asyncio.ensure_future(client.start("rehearsal"))
        try:
            await asyncio.to_thread(until, lambda: world.discord.connections.identified)
            world.ask("why?")
            await asyncio.to_thread(until, lambda: world.said() == ["Yes."])
        finally:
            await client.close()
            await asyncio.gather(task, return_exceptions=True)
            answerer.close()

    asyncio.run(main())
    assert discord.version_info
    assert world.prompts == ["Question:\nwhy?"]
