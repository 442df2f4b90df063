"""A Discord bot whose prompts are the contract's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from furytune._privacy.secret import Secret
from furytune.answering import ModelSource
from furytune.answering.text import safe
from furytune.bot import rendering
from furytune.bot.settings import BotSettings
from furytune.contract import PromptContract

if TYPE_CHECKING:
    from furytune.bot.checking import Checked

__all__ = ["BotSettings", "DiscordBot", "checked", "messages"]


class DiscordBot:
    """A bot that answers on Discord: on mention, in forums, by ``/ask``, by a message's menu, and in direct messages.

    Args:
        contract: A contract, or the path of its file. A file can be loaded again while the bot runs.
        model: A model, such as ``ChatService(...).model(...)``, or a function that returns the model for a contract.
        token: The bot's token, such as ``Secret.env("DISCORD_TOKEN")``.
        settings: What the operator decided.

    Raises:
        MissingExtraError: The extra ``discord`` is not installed.
        ContractError: The contract cannot be loaded.
        ConfigError: The model is not a model.
    """

    def __init__(
        self,
        contract: PromptContract | str | os.PathLike[str],
        *,
        model: ModelSource,
        token: Secret | None = None,
        settings: BotSettings | None = None,
    ) -> None:
        _needs_discord()
        from furytune.bot.running import Running

        given = contract if isinstance(contract, PromptContract) else Path(contract)
        self._running = Running(given, model, token or Secret.env("DISCORD_TOKEN"), settings or BotSettings())

    def run(self) -> None:
        """Answers until SIGTERM or SIGINT; answers under way are finished first. SIGHUP loads the contract file again.

        Raises:
            ConfigError: Another process uses the folder.
            DiscordLoginError: Discord does not accept the token, or an intent is missing.
            DiscordError: Discord ended the connection for good.
            AnswerError: The notes cannot be written.
        """

        async def main() -> None:
            with self._running.signals():
                await self._running.run()

        asyncio.run(main())

    async def arun(self) -> None:
        """Does what `run` does, without signals, until `stop`."""
        await self._running.run()

    async def reload(self) -> None:
        """Loads the contract file again; answers under way keep the old contract. If that fails, the old one stays."""
        await self._running.reload()

    def stop(self) -> None:
        """Ends the bot after the answers under way. May be called from any thread."""
        self._running.stop()


def messages(text: str, *, hosts: Iterable[str] = ()) -> list[str]:
    """Returns a model's answer as messages that are safe to post, each with at most 2,000 characters.

    Args:
        text: The answer.
        hosts: Hosts that links may lead to.
    """
    return rendering.pages(safe(text, hosts))


def checked(
    contract: PromptContract | str | os.PathLike[str],
    *,
    token: Secret | None = None,
    settings: BotSettings | None = None,
) -> list[Checked]:
    """Says what a bot has and lacks on Discord, without starting it. It changes nothing.

    Args:
        contract: The contract, or the path of its file.
        token: As for `DiscordBot`.
        settings: As for `DiscordBot`.

    Raises:
        MissingExtraError: The extra ``discord`` is not installed.
        DiscordLoginError: Discord does not accept the token.
        DiscordError: Discord refused, or did not answer.
        ContractError: The contract cannot be loaded.
    """
    _needs_discord()
    from furytune.bot.checking import check

    if not isinstance(contract, PromptContract):
        contract = PromptContract.load(contract)
    return asyncio.run(check(contract, token or Secret.env("DISCORD_TOKEN"), settings or BotSettings()))


def _needs_discord() -> None:
    """Imports discord.py.

    Raises:
        MissingExtraError: It is not installed, or too old.
    """
    from furytune._discord.api.session import vendor

    vendor("a Discord bot")
