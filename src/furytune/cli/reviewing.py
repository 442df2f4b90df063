"""The command that opens the review page."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from pathlib import Path

import click

from furytune.cli.output import data, say, wrapped
from furytune.cli.running import browse, load, settings_options

_DONE = {"accept": "accepted", "correct": "corrected", "drop": "dropped", "merge": "merged", "undo": "undone"}


@click.command()
@settings_options
@click.option("--by", default="", help="Your name in the file of decisions; a pseudonym is fine.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port. Without it, a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open nothing.")
def review(config: Path, changes: tuple[str, ...], by: str, port: int, no_browser: bool) -> None:
    """Accept, correct and drop pairs in the browser, until you press Ctrl-C.

    The address works once, and only on this machine. The decisions are kept in the file that the settings name under the
    [[curators]] of type "decisions"; the next run applies them.
    """
    settings = load(config, changes)
    say("Collecting the pairs", style="cyan")
    with settings.review(by=by, port=port) as page:
        # From now on, the page tells the reviewer what happens.
        logging.getLogger("furytune").setLevel(logging.WARNING)
        before = page.decisions.revision
        address = page.url
        data(address)
        say(
            wrapped(
                "Open this address in a browser, unless it is open already. Press Ctrl-C when you are done."
            )
        )
        if not no_browser and sys.stdout.isatty():
            browse(address)
        page.wait()
    counts = Counter(_DONE[one.verdict] for one in page.decisions.since(before))
    if not counts:
        say("\nNothing was decided.")
        return
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    (path,) = page.decisions.path
    say(wrapped(f"\n{told}. The decisions are in {path}; `furytune run` applies them."))
