"""Runs a bot until it is told to stop: one process for each folder, with the signals of an operating system."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from furytune._discord.api.failures import verdict_of
from furytune._discord.api.log_filter import Quiet
from furytune._network.retries import delays
from furytune._privacy.secret import Secret
from furytune._storage.durable import make_folder
from furytune._storage.locks import lock_file
from furytune._storage.system import system_errors_as
from furytune.answering import Answerer, ModelSource
from furytune.bot.client import Client
from furytune.bot.health import health
from furytune.bot.ledger import Ledger
from furytune.bot.posts import LOG
from furytune.bot.settings import BotSettings
from furytune.bot.vendor import discord
from furytune.contract import PromptContract
from furytune.errors import AnswerError, ConfigError, DiscordError, DiscordLoginError, FurytuneError

__all__ = ["Running"]

_PAUSE = 0.5  # seconds between two looks at the lock
_DISALLOWED = (
    "Discord does not give the bot the text of messages; switch on the Message Content Intent in the developer portal "
    "(page Bot), or leave out the forums, which need it"
)
_REFUSED = "Discord does not accept the token; copy it again from the developer portal (page Bot)"


class Running:
    """A bot as a process.

    Args:
        contract: A contract, or the path of its file.
        model: As for `furytune.serving.app`.
        token: The bot's token.
        settings: What the operator decided.
    """

    def __init__(
        self,
        contract: PromptContract | str | Path,
        model: ModelSource,
        token: Secret,
        settings: BotSettings,
    ) -> None:
        if model is None:
            raise ConfigError(
                "a bot needs a model; give --endpoint and --model, or a table [model] in the settings file"
            )
        self._answerer = Answerer(contract, model, settings)
        self._token, self._settings = token, settings
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Ends the bot after the answers under way. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def reload(self) -> None:
        """Loads the contract file again. If that fails, the old contract stays."""
        try:
            await self._answerer.reload()
        except FurytuneError as error:
            LOG.error("the contract was not loaded, and the old one stays: %s", error)

    async def run(self) -> None:
        """Answers until `stop`.

        Raises:
            ConfigError: Another process uses the folder.
            DiscordLoginError: Discord does not accept the token, or an intent is missing.
            DiscordError: Discord ended the connection for good.
            AnswerError: The notes cannot be written.
        """
        self._loop = asyncio.get_running_loop()
        self._token.reveal()  # if there is no token, say so before anything else
        quiet = Quiet()
        quiet.install()
        try:
            with quiet.ours():
                async with self._alone() as mine:
                    if mine:
                        with Ledger(self._settings.folder / "questions.jsonl") as ledger:
                            await self._serve(ledger)
        finally:
            quiet.remove()
            self._answerer.close()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[bool]:
        """Keeps other processes out of the folder; a standby waits for its turn. Yields False if it was stopped before."""
        folder = self._settings.folder
        with system_errors_as(AnswerError, folder, "the bot does not start without its folder"):
            make_folder(folder, mode=0o700)
        said = False
        while True:
            lock = lock_file(folder / "bot.lock")
            try:
                lock.__enter__()
            except BlockingIOError as error:
                if not self._settings.standby:
                    raise ConfigError(
                        f"{folder}: another bot works with this folder ({error.strerror}); stop it, give this one another "
                        "folder, or start it as a standby, which takes over"
                    ) from None
                if not said:
                    LOG.info("waiting as a standby")
                    said = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _PAUSE)
                if self._stop.is_set():
                    yield False
                    return
                continue
            try:
                yield True
            finally:
                lock.__exit__(None, None, None)
            return

    async def _serve(self, ledger: Ledger) -> None:
        settings = self._settings
        client = Client(self._answerer, ledger, settings, guild_ready_timeout=0.5)
        stopping = asyncio.ensure_future(self._stop.wait())
        serving = asyncio.ensure_future(self._connect(client))
        try:
            async with health(settings.health, lambda: client.online):
                await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
                if not serving.done():
                    LOG.info("stopping; %d answers are under way", client.runs.running)
                    await client.runs.close(settings.grace)
        finally:
            stopping.cancel()
            serving.cancel()
            with suppress(asyncio.CancelledError, FurytuneError):
                await serving
            await client.close()
            client.http.token = None
        if serving.done() and not serving.cancelled() and (error := serving.exception()) is not None:
            raise error

    async def _connect(self, client: Client) -> None:
        """Logs in and stays connected."""
        problem: FurytuneError
        word, pauses = self._token.reveal().strip(), delays(jitter=0.5)
        while True:
            try:
                await client.login(word)
                break
            except discord.LoginFailure:
                problem = DiscordLoginError(_REFUSED)
            except Exception as error:  # noqa: BLE001  (each of them contains the token somewhere)
                verdict = verdict_of(error)
                if verdict.again:
                    pause = next(pauses)
                    LOG.warning("Discord did not answer the login; the next try is in %.0f s", pause)
                    await asyncio.sleep(pause)
                    continue
                problem = verdict.error("logging in")
            raise problem from None
        try:
            await client.connect(reconnect=True)
        except discord.PrivilegedIntentsRequired:
            problem = DiscordLoginError(_DISALLOWED)
        except discord.ConnectionClosed as error:
            problem = (
                DiscordLoginError(_REFUSED)
                if error.code == 4004
                else DiscordError(
                    f"Discord ended the connection for good (code {error.code}); see its list of close codes"
                )
            )
        else:
            return
        raise problem from None

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Lets SIGTERM and SIGINT end the bot, and SIGHUP load the contract again, while the block runs."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        tasks: set[asyncio.Future[None]] = set()

        def reload() -> None:
            task = asyncio.ensure_future(self.reload())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        handlers: dict[Any, Any] = {signal.SIGTERM: self._stop.set, signal.SIGINT: self._stop.set}
        if hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = reload
        for number, handler in handlers.items():
            try:
                loop.add_signal_handler(number, handler)
            except NotImplementedError:  # pragma: no cover  (Windows)
                signal.signal(number, lambda *_: self.stop())
        try:
            yield
        finally:
            for number in handlers:
                with suppress(NotImplementedError):
                    loop.remove_signal_handler(number)
