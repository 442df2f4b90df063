"""The bot on Discord: hears what happens, and hands it on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from furytune.answering import Answerer
from furytune.bot.commands import Commands
from furytune.bot.feedback import Feedback
from furytune.bot.ledger import Ledger, moment
from furytune.bot.posts import LOG, Posts, seen, stopped_by
from furytune.bot.questions import question_in
from furytune.bot.recovery import Place, Recovery
from furytune.bot.runs import Runs
from furytune.bot.settings import BotSettings
from furytune.bot.vendor import discord, webhooks

__all__ = ["Client", "intents_for"]

_EDITABLE = 60.0  # seconds in which an edited question is answered again
_SWEEP = 60.0  # seconds between two looks for answers that Discord did not take
_DISCORD = "wss://gateway.discord.gg"


def intents_for(settings: BotSettings) -> discord.Intents:
    """Returns what the bot wants to be told: only what its settings need."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = True
    intents.dm_messages = settings.direct
    intents.guild_reactions = settings.feedback is not None
    intents.dm_reactions = settings.direct and settings.feedback is not None
    # Posts in a forum do not mention the bot, so their text needs the privileged intent.
    intents.message_content = bool(settings.forums)
    return intents


class Client(discord.Client):
    """discord.py's client with the bot's rules.

    Args:
        answerer: Renders prompts and asks the model.
        ledger: Notes what was taken.
        settings: What the operator decided.
        options: Further options of discord.py's client.

    Attributes:
        posts: Talks to Discord.
        runs: The answers under way.
        online: Whether the bot hears what happens.
    """

    def __init__(self, answerer: Answerer, ledger: Ledger, settings: BotSettings, **options: Any) -> None:
        super().__init__(
            intents=intents_for(settings),
            # It keeps no messages in memory.
            max_messages=None,
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            **options,
        )
        self._settings, self._answerer = settings, answerer
        self.online = False
        self.posts = Posts(self)
        self._feedback = Feedback(ledger, settings)
        self.runs = Runs(answerer, ledger, self.posts, self._feedback, settings)
        self._recovery = Recovery(self.runs, ledger, self.posts, settings)
        self._commands = Commands(self, self.runs, self.posts, settings)
        self._work: set[asyncio.Task[None]] = set()
        if settings.endpoint:
            self._redirect(settings.endpoint)

    def _redirect(self, endpoint: str) -> None:
        """Sends everything to another server that speaks Discord's API."""
        http, base = self.http, discord.http.Route.BASE
        request, connect = http.request, http.ws_connect

        async def to_endpoint(route: Any, **options: Any) -> Any:
            route.url = endpoint + route.url.removeprefix(base).removeprefix(endpoint)
            return await request(route, **options)

        async def to_gateway(url: str, **options: Any) -> Any:
            if url.startswith(_DISCORD):
                found = await request_gateway()
                url = found + url.removeprefix(_DISCORD)
            return await connect(url, **options)

        async def request_gateway() -> str:
            found = await http.request(discord.http.Route("GET", "/gateway/bot"))
            return str(found["url"]).rstrip("/")

        class Adapter(webhooks.AsyncWebhookAdapter):
            async def request(self, route: Any, *given: Any, **options: Any) -> Any:
                route.url = endpoint + route.url.removeprefix(base).removeprefix(endpoint)
                return await super().request(route, *given, **options)

        http.request = to_endpoint  # type: ignore[method-assign]
        http.ws_connect = to_gateway  # type: ignore[method-assign]
        webhooks.async_context.set(Adapter())  # type: ignore[no-untyped-call]

    # What happens on Discord

    async def on_message(self, message: discord.Message) -> None:
        """Answers a question."""
        question = question_in(seen(message), self.posts.me, self._settings)
        if question is not None:
            await self.runs.take(question)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Answers an edited question again, for a minute."""
        if time.time() - moment(payload.message_id) > _EDITABLE:
            return
        message = seen(payload.message)
        question = question_in(message, self.posts.me, self._settings)
        if question is not None and message.edited and not await self.runs.edited(question):
            await self.runs.take(question)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Deletes the answers of a deleted question."""
        await self.runs.deleted(payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Deletes the answers of deleted questions."""
        for message in payload.message_ids:
            await self.runs.deleted(message)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Stops an answer, or notes what someone says about one."""
        kinds = (discord.InteractionType.component, discord.InteractionType.modal_submit)
        if interaction.type not in kinds or await self._feedback.pressed(interaction):
            return
        data: Any = interaction.data or {}
        number = stopped_by(str(data.get("custom_id", "")))
        if number:
            self.runs.stop(number, interaction.user.id)
            await interaction.response.defer()

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Notes what a reaction says about an answer."""
        await self._feedback.reacted(payload, self.posts.me)

    async def on_ready(self) -> None:
        """Catches up after the start, and after each interruption that could not be resumed."""
        self.online = True
        LOG.info("connected as %d to %d servers", self.posts.me, len(self.guilds))
        if str(self.posts.me) not in self._answerer.current.contract.normalizer.bot_ids:
            LOG.warning(
                "the contract keeps the bot's mention in questions as @user1; train with Normalizer(bot_ids=[%d])",
                self.posts.me,
            )
        self._start(self._recovery.recover(list(self._places())))

    async def on_disconnect(self) -> None:
        """Notes an interruption."""
        self.online = False
        LOG.info("disconnected")

    async def on_resumed(self) -> None:
        """Notes the end of an interruption in which nothing was missed."""
        self.online = True
        LOG.info("resumed")

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Logs which event failed, without its content."""
        import sys

        LOG.error("%s: %s", event_method, type(sys.exception()).__name__)

    async def setup_hook(self) -> None:
        """Registers the commands, and begins to look after answers that Discord did not take."""
        try:
            await self._commands.tree.sync()
        except discord.HTTPException as error:
            LOG.error("the commands could not be registered (%d); /ask may be missing", error.status)
        self._start(self._sweep())

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            if self.is_ready():
                await self._recovery.complete()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            LOG.error("catching up: %s", type(task.exception()).__name__)

    def _places(self) -> Iterator[Place]:
        """Yields the channels and threads in which a question may have been missed."""
        for guild in self.guilds:
            if self._settings.servers and str(guild.id) not in self._settings.servers:
                continue
            places: list[discord.TextChannel | discord.VoiceChannel | discord.Thread] = []
            places += [*guild.text_channels, *guild.voice_channels, *guild.threads]
            for channel in places:
                if channel.last_message_id and channel.permissions_for(guild.me).read_message_history:
                    yield Place(channel.id, channel.last_message_id)

    async def close(self) -> None:
        """Ends the connection."""
        for task in list(self._work):
            task.cancel()
        await super().close()
