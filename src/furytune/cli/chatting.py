"""The command that answers on Discord."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click

from furytune.cli.deploying import deployed, model_options
from furytune.cli.output import data
from furytune.cli.running import PARTIAL, settings_options

_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)
_existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("contract", required=False, type=_existing)
@settings_options
@model_options
@click.option("--token-file", type=_existing, help="File with the bot's token, instead of DISCORD_TOKEN.")
@click.option("--folder", type=_folder, help="Where the bot keeps its notes.  [default: furytune-bot]")
@click.option(
    "--server", "servers", multiple=True, metavar="ID", help="Answer only in this server. Repeat it."
)
@click.option(
    "--channel", "channels", multiple=True, metavar="ID", help="Answer mentions only here. Repeat it."
)
@click.option("--forum", "forums", multiple=True, metavar="ID", help="Answer all new posts of this forum.")
@click.option(
    "--threads/--no-threads", "open_threads", default=None, help="Answer a mention in a thread of its own."
)
@click.option("--direct/--no-direct", default=None, help="Answer direct messages.")
@click.option(
    "--earlier",
    type=click.Choice(["ignore", "join"]),
    help="If the bot only asked back, join what the person said before.  [default: join]",
)
@click.option("--per-person", type=int, help="Questions of a person in a minute.  [default: 6]")
@click.option("--per-server", type=int, help="Questions of a server in a minute.  [default: 60]")
@click.option("--least-score", type=float, help="An answer on passages below it says that it is not sure.")
@click.option("--helpers", metavar="ID", help="The role that such an answer names.")
@click.option("--ping-helpers/--no-ping-helpers", default=None, help="Let the name notify its members.")
@click.option("--audit", type=_file, help="Write digests of all prompts to this file.")
@click.option("--standby/--no-standby", default=None, help="Wait for another process, then take over.")
@click.option("--health", type=int, metavar="PORT", help="Serve /healthz on 127.0.0.1.")
@click.option("--check", is_flag=True, help="Say what is missing on Discord, and end.")
@click.pass_context
def bot(
    ctx: click.Context,
    /,
    contract: Path | None,
    config: Path,
    changes: tuple[str, ...],
    check: bool,
    token_file: Path | None,
    **options: Any,
) -> None:
    """Answer questions on Discord, with the prompts of a contract.

    CONTRACT is a contract file; without it, the one that the settings file names. Options replace what its tables [bot] and
    [model] say. The bot's token is in the environment variable DISCORD_TOKEN, or in a file.
    """
    from furytune.bot import DiscordBot, checked
    from furytune.config import Bot

    for name in ("servers", "channels", "forums"):
        options[name] = [*options[name]] or None
    if token_file is not None:
        options["token"] = {"file": str(token_file.absolute())}
    found = deployed(ctx, Bot, "bot", contract, config, changes, options)
    if check:
        findings = checked(found.contract, token=found.table.token, settings=found.table.settings())
        data("\n".join(map(str, findings)))
        if not all(one.ok for one in findings):
            ctx.exit(PARTIAL)
        return
    # Who runs a bot in a terminal wants to see that it is connected.
    logging.getLogger("furytune").setLevel(logging.INFO)
    made = DiscordBot(
        found.contract, model=found.model, token=found.table.token, settings=found.table.settings()
    )
    made.run()
