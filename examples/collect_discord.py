"""From a Discord server to training data, with a bot's token.

Without arguments this is a rehearsal: the server runs on this machine and speaks Discord's API, so you need no account
and no token. With the id of your server it reads that one, with the token in DISCORD_TOKEN;
docs/collecting-discord-live.md explains how to create the bot. Run it again as often as you like: it reads what is new,
and what was recently edited or deleted.

    python examples/collect_discord.py
    python examples/collect_discord.py --guild ID --permission "Discord granted us ... on ..." --out collected/
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import furytune as ft
from furytune.testing.fake_discord import FakeDiscord


def pipeline(collector: ft.Collector, folder: Path) -> ft.Pipeline:
    """Returns a pipeline that turns a server's questions and answers into training data."""
    return ft.Pipeline(
        collector=collector,
        curators=[ft.Deduplicate(), ft.RedactSecrets()],
        template=ft.PromptTemplate("You are this community's helper.\n\nQuestion:\n{question}"),
        exporter=[ft.JsonlExporter(folder / "train.jsonl"), ft.CsvExporter(folder / "train.csv")],
    )


def made_up_server() -> FakeDiscord:
    """Returns a small server with a channel, a forum with posts, and a channel that the bot may not read."""
    server = FakeDiscord(token="rehearsal")
    help_channel = server.add_channel("help")
    forum = server.add_channel("questions", "forum", tags=["solved"])
    server.deny(server.add_channel("staff"), "READ_MESSAGE_HISTORY")
    for shape in ["sphere", "cube", "cone", "arrow"]:
        asked = server.post(help_channel, "ann", f"How do I draw a {shape}?")
        server.post(help_channel, "bob", f"Call `actor.{shape}` and add it to the scene.", reply_to=asked)
        post = server.add_thread(
            forum, shape, author="cyd", content=f"Can a {shape} be red?", tags=["solved"], archived=True
        )
        server.post(post, "bob", f"Yes: `actor.{shape}(..., colors=(1, 0, 0))`.")
    return server


def main() -> None:
    """Collects, then prints the reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--guild", help="id of your server")
    parser.add_argument("--permission", help="who permitted this and what for; required with --guild")
    parser.add_argument(
        "--opt-out-role",
        action="append",
        default=[],
        help="role of people who do not take part; can be repeated",
    )
    parser.add_argument(
        "--refresh", action="store_true", help="compare everything with Discord, not only the last week"
    )
    parser.add_argument("--out", type=Path, help="folder for the journal and the data sets")
    options = parser.parse_args()
    if options.guild and not options.permission:
        parser.error("pass --permission to say who permitted this collection; see docs/policy.md")

    folder = options.out or Path(tempfile.mkdtemp(prefix="furytune-"))
    folder.mkdir(parents=True, exist_ok=True)
    server = None if options.guild else made_up_server()
    if server is not None:
        os.environ["DISCORD_TOKEN"] = server.token
    try:
        collector = ft.DiscordCollector(
            guild=server.guild if server else options.guild,
            token=ft.Secret.env("DISCORD_TOKEN"),
            permission=options.permission or "A rehearsal: no real person's messages are read.",
            consent=ft.Consent(opt_out_roles=options.opt_out_role),
            journal=folder / "discord-journal",
            endpoint=server.url if server else "",
        )
        print(collector.refresh() if options.refresh else collector.update(), end="\n\n")
        # The journal is up to date: nothing below asks Discord for anything.
        print(pipeline(collector.journal, folder).run().report)
    except ft.FurytuneError as error:
        raise SystemExit(f"{error}") from None
    finally:
        if server is not None:
            server.close()


if __name__ == "__main__":
    main()
