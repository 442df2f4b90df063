"""Says what a bot lacks on Discord, before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from furytune._discord.api.failures import verdict_of
from furytune._discord.api.log_filter import Quiet
from furytune._privacy.printable import printable
from furytune._privacy.secret import Secret
from furytune.bot.client import Client
from furytune.bot.commands import ASK, MENU
from furytune.bot.settings import BotSettings
from furytune.bot.vendor import discord
from furytune.contract import PromptContract
from furytune.errors import DiscordError, DiscordLoginError

__all__ = ["Checked", "check"]

_CONTENT = 1 << 18 | 1 << 19
_MOST = 20


@frozen(kw_only=True)
class Checked:
    """One thing that was checked.

    Attributes:
        ok: Whether it is as the bot needs it.
        what: What was found, and what to do otherwise.
    """

    ok: bool
    what: str

    def __str__(self) -> str:
        return f"{'ok      ' if self.ok else 'missing '} {self.what}"


async def check(contract: PromptContract, token: Secret, settings: BotSettings) -> list[Checked]:
    """Looks at what a bot has on Discord. It changes nothing, and does not connect to the gateway.

    Raises:
        DiscordLoginError: Discord does not accept the token.
        DiscordError: Discord refused, or did not answer.
    """
    word, quiet = token.reveal().strip(), Quiet()
    quiet.install()
    client = Client(None, None, settings)  # type: ignore[arg-type]
    problem: DiscordError
    try:
        with quiet.ours():
            try:
                await client.http.static_login(word)
                return [one async for one in _findings(client, contract, settings)]
            except discord.LoginFailure:
                problem = DiscordLoginError(
                    "Discord does not accept the token; copy it again from the developer portal (page Bot)"
                )
            except Exception as error:  # noqa: BLE001  (each of them contains the token somewhere)
                problem = verdict_of(error).error("checking the bot")
    finally:
        await client.close()
        client.http.token = None
        quiet.remove()
    raise problem


async def _findings(client: Client, contract: PromptContract, settings: BotSettings) -> Any:
    http = client.http
    me = await http.request(discord.http.Route("GET", "/users/@me"))
    yield Checked(ok=True, what=f"the token belongs to {printable(me['username'])} ({me['id']})")
    known = me["id"] in contract.normalizer.bot_ids
    yield Checked(
        ok=known,
        what="the contract removes the bot's mention from questions"
        if known
        else f"the contract keeps the bot's mention as @user1: train with Normalizer(bot_ids=[{me['id']}])",
    )
    app = await http.application_info()
    if settings.forums:
        yield Checked(
            ok=bool(int(app.get("flags") or 0) & _CONTENT),
            what="the Message Content Intent, which forums need (developer portal, page Bot)",
        )
    names = {command["name"] for command in await http.get_global_commands(app["id"])}
    missing = [name for name in (ASK, MENU) if name not in names]
    yield Checked(
        ok=True,
        what=f"the commands {', '.join(missing)} will be registered at the start"
        if missing
        else "the commands are registered",
    )
    listed = [*settings.servers]
    if not listed:
        listed = [str(one["id"]) for one in await http.get_guilds(200)]
    if not listed:
        yield Checked(ok=False, what="the bot is in no server; open its invitation link")
    for number in listed:
        guild = await client.fetch_guild(int(number), with_counts=False)
        member = await guild.fetch_member(int(me["id"]))
        for one in _server(guild, await guild.fetch_channels(), member, settings):
            yield one


def _server(guild: Any, channels: Any, me: discord.Member, settings: BotSettings) -> Iterator[Checked]:
    name = printable(guild.name)
    wanted = {"view_channel", "send_messages", "read_message_history", "add_reactions"}
    if settings.open_threads:
        wanted |= {"create_public_threads", "send_messages_in_threads"}
    lacking = 0
    asked = {*settings.channels, *settings.forums}
    for channel in channels:
        forum = isinstance(channel, discord.ForumChannel)
        if not (isinstance(channel, discord.TextChannel) or (forum and str(channel.id) in settings.forums)):
            continue
        if asked and str(channel.id) not in asked:
            continue
        may = channel.permissions_for(me)
        if not may.view_channel and str(channel.id) not in asked:
            continue
        needs = wanted - {"create_public_threads", "send_messages"} if forum else wanted
        lacks = sorted(one.replace("_", " ").title() for one in needs if not getattr(may, one))
        if lacks:
            lacking += 1
            if lacking <= _MOST:
                yield Checked(
                    ok=False, what=f"{name}, #{printable(channel.name)}: give the bot {', '.join(lacks)}"
                )
    if not lacking:
        yield Checked(ok=True, what=f"{name}: the permissions are complete")
    for number in sorted(asked - {str(channel.id) for channel in channels}) if settings.servers else []:
        yield Checked(ok=False, what=f"{name}: the bot sees no channel {number}")
    roles = {str(role.id) for role in guild.roles} | {role.name for role in guild.roles}
    for role in (*settings.consent.opt_out_roles, *settings.consent.opt_in_roles):
        if role.removeprefix("@") not in roles and role not in roles:
            yield Checked(
                ok=False,
                what=f"{name}: there is no role {printable(role)}, so no one can opt out or in by it",
            )
    if settings.helpers and settings.helpers not in roles:
        yield Checked(ok=False, what=f"{name}: there is no role {settings.helpers} for helpers")
