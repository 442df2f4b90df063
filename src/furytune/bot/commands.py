"""``/ask`` and the context menu."""

from __future__ import annotations

from furytune.bot import words
from furytune.bot.posts import LOG, Posts, RefusedError, UnreachableError, seen, stop_button, view_of
from furytune.bot.questions import Question, raw_text
from furytune.bot.runs import Runs
from furytune.bot.settings import BotSettings
from furytune.bot.vendor import app_commands, discord

__all__ = ["ASK", "MENU", "Commands"]

ASK = "ask"
MENU = "Answer this message"
_ALREADY = 40_060
_UNKNOWN = 10_062
_LONGEST = 4000


class Commands:
    """The bot's commands.

    Args:
        client: discord.py's client.
        runs: Answers questions.
        posts: Talks to Discord.
        settings: What the operator decided.
    """

    def __init__(self, client: discord.Client, runs: Runs, posts: Posts, settings: BotSettings) -> None:
        self._runs, self._posts, self._settings = runs, posts, settings
        self.tree = app_commands.CommandTree(client)
        self.tree.error(_failed)

        @self.tree.command(name=ASK, description="Ask about the project.")
        @app_commands.describe(question="What would you like to know?")
        async def ask(
            interaction: discord.Interaction, question: app_commands.Range[str, 1, _LONGEST]
        ) -> None:
            await self._ask(interaction, question)

        @self.tree.context_menu(name=MENU)
        async def menu(interaction: discord.Interaction, message: discord.Message) -> None:
            await self._menu(interaction, message)

    async def _ask(self, interaction: discord.Interaction, text: str) -> None:
        await self._take(interaction, self._question(interaction, text, None))

    async def _menu(self, interaction: discord.Interaction, message: discord.Message) -> None:
        about, consent = seen(message), self._settings.consent
        if not about.person:
            await _privately(interaction, words.NOT_A_PERSON)
            return
        roles = about.roles
        try:
            if consent.needs_roles and interaction.guild_id and not roles:
                roles = await self._posts.roles(interaction.guild_id, about.author)
            refused = consent.refusal(str(about.author), roles)
        except (RefusedError, UnreachableError):  # without knowing, the bot leaves the message alone
            refused = "unknown"
        if refused:
            await _privately(interaction, words.OPTED_OUT)
            return
        await self._take(interaction, self._question(interaction, raw_text(about), message))

    def _question(
        self, interaction: discord.Interaction, text: str, message: discord.Message | None
    ) -> Question:
        roles = [str(role.id) for role in getattr(interaction.user, "roles", [])]
        names = [role.name for role in getattr(interaction.user, "roles", [])]
        everything = {*roles, *names, *(f"@{name}" for name in names)}
        return Question(
            id=interaction.id,
            source=message.id if message else 0,
            door="menu" if message else "command",
            channel=interaction.channel_id or 0,
            server=interaction.guild_id or 0,
            author=interaction.user.id,
            text=text,
            noted=not self._settings.consent.refusal(str(interaction.user.id), everything),
        )

    async def _take(self, interaction: discord.Interaction, question: Question) -> None:
        may = interaction.app_permissions
        thread = isinstance(interaction.channel, discord.Thread)
        if not may.view_channel or not (may.send_messages_in_threads if thread else may.send_messages):
            await _privately(interaction, words.NOT_HERE)
        elif self._runs.closing:
            await _privately(interaction, words.BUSY)
        elif self._runs.refusal(question):
            await _privately(interaction, words.TOO_FAST)
        elif self._runs.fresh(question):
            entry = self._runs.claim(question)
            # The first answer is sent before any work, because Discord waits three seconds for it. Of several processes,
            # Discord lets one answer.
            try:
                sent = await interaction.response.send_message(
                    self._runs.opening(question),
                    view=view_of([stop_button(question.id, entry.mark)]),  # type: ignore[arg-type]
                    allowed_mentions=discord.AllowedMentions.none(),
                    suppress_embeds=True,
                )
            except discord.HTTPException as error:
                taken = error.code in {_ALREADY, _UNKNOWN}
                self._runs.skip(question, "elsewhere" if taken else "refused")
                if not taken:
                    LOG.warning("question %d: Discord refused the first answer (%d)", question.id, error.code)
                return
            self._runs.go_on(question, self._runs.placed(entry, question.channel, sent.message_id or 0))


async def _privately(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.send_message(
        text, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
    )


async def _failed(interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
    # discord.py would log the error with its traceback, which may quote the question.
    LOG.error("interaction %d: %s", interaction.id, type(error.__cause__ or error).__name__)
