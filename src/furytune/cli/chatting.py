"""The command that answers on Discord."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from furytune.cli.output import data
from furytune.cli.running import PARTIAL, load, target
from furytune.cli.serving import model_of

_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)
_existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("contract", required=False, type=_existing)
@target
@click.option("--endpoint", default="", help="The model's server, such as http://127.0.0.1:11434/v1.")
@click.option("--model", default="", help="The model's name there; by default, the contract names it.")
@click.option("--model-key", default="", metavar="VARIABLE", help="Environment variable with its key.")
@click.option("--token-file", type=_existing, help="File with the bot's token, instead of DISCORD_TOKEN.")
@click.option(
    "--folder", type=_folder, default="furytune-bot", show_default=True, help="Where the bot keeps its notes."
)
@click.option(
    "--server", "servers", multiple=True, metavar="ID", help="Answer only in this server. Repeat it."
)
@click.option(
    "--channel", "channels", multiple=True, metavar="ID", help="Answer mentions only here. Repeat it."
)
@click.option("--forum", "forums", multiple=True, metavar="ID", help="Answer all new posts of this forum.")
@click.option("--threads/--no-threads", default=True, help="Answer a mention in a thread of its own.")
@click.option("--direct/--no-direct", default=True, help="Answer direct messages.")
@click.option("--per-person", default=6, show_default=True, help="Questions of a person in a minute.")
@click.option("--per-server", default=60, show_default=True, help="Questions of a server in a minute.")
@click.option("--pace", default=1.5, show_default=True, help="Seconds between two edits of an answer.")
@click.option("--opt-out-role", "opt_out_roles", multiple=True, metavar="ROLE", help="As for collecting.")
@click.option("--opt-out", "opt_out", multiple=True, metavar="ID", help="As for collecting.")
@click.option("--least-score", type=float, help="An answer on passages below it says that it is not sure.")
@click.option("--helpers", default="", metavar="ID", help="The role that such an answer names.")
@click.option("--ping-helpers", is_flag=True, help="Let the name notify its members.")
@click.option("--audit", type=_file, help="Write digests of all prompts to this file.")
@click.option("--standby", is_flag=True, help="Wait while another process uses the folder, then take over.")
@click.option("--health", type=int, metavar="PORT", help="Serve /healthz on 127.0.0.1.")
@click.option(
    "--discord", "api", default="", metavar="URL", help="Another server with Discord's API; to rehearse."
)
@click.option("--check", is_flag=True, help="Say what is missing on Discord, and end.")
@click.pass_context
def bot(
    ctx: click.Context,
    contract: Path | None,
    config: Path,
    endpoint: str,
    model: str,
    model_key: str,
    token_file: Path | None,
    folder: Path,
    servers: tuple[str, ...],
    channels: tuple[str, ...],
    forums: tuple[str, ...],
    threads: bool,
    direct: bool,
    per_person: int,
    per_server: int,
    pace: float,
    opt_out_roles: tuple[str, ...],
    opt_out: tuple[str, ...],
    least_score: float | None,
    helpers: str,
    ping_helpers: bool,
    audit: Path | None,
    standby: bool,
    health: int | None,
    api: str,
    check: bool,
) -> None:
    """Answer questions on Discord, with the prompts of a contract.

    CONTRACT is a contract file; without it, the one that the settings file names. The bot's token is in the environment
    variable DISCORD_TOKEN, or in a file.
    """
    from furytune._privacy.consent import Consent
    from furytune._privacy.secret import Secret
    from furytune.bot import BotSettings, DiscordBot, checked

    logging.getLogger("furytune").setLevel(logging.INFO)
    settings = BotSettings(
        folder=folder,
        servers=servers,
        channels=channels,
        forums=forums,
        open_threads=threads,
        direct=direct,
        per_person=per_person,
        per_server=per_server,
        pace=pace,
        consent=Consent(opt_out=opt_out, opt_out_roles=opt_out_roles),
        least_score=least_score,
        helpers=helpers,
        ping_helpers=ping_helpers,
        audit=audit,
        standby=standby,
        health=health,
        endpoint=api,
    )
    token = Secret.file(token_file) if token_file else Secret.env("DISCORD_TOKEN")
    prompts = contract or load(config, ()).contract
    if check:
        found = checked(prompts, token=token, settings=settings)
        data("\n".join(str(one) for one in found))
        if not all(one.ok for one in found):
            ctx.exit(PARTIAL)
        return
    DiscordBot(prompts, model=model_of(endpoint, model, model_key), token=token, settings=settings).run()
