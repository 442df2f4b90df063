"""Commands for the first minutes."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import click

from furytune.cli.output import data, data_json, say, wrapped
from furytune.cli.running import as_json, target
from furytune.cli.working import written


@click.command()
@click.argument("folder", default="furytune-demo", type=click.Path(file_okay=False, path_type=Path))
def demo(folder: Path) -> None:
    """Make a data set from a small made-up community, in FOLDER. It needs no key and no account."""
    from furytune.config.demo import QUESTION, write_demo

    began = time.monotonic()
    settings = write_demo(folder)
    say(wrapped(f"1. A chat export, documentation and {settings.path} are written.") + "\n")
    results = settings.run(began=lambda step: say(f"Making the {step}", style="cyan"))
    data(str(results.run.report))
    page = written(settings, results)
    say(f"\n2. The prompt for {QUESTION!r}, as a bot would send it:\n")
    data(str(results.run.contract.prompt(QUESTION)))
    place = shlex.quote(str(folder))
    say(f"\nDone in {time.monotonic() - began:.1f} s. What you can do now:\n")
    say(f"  cd {place}")
    say("  furytune review    # correct pairs in the browser")
    say(f"  furytune run       # again, also after a change in {settings.path.name}")
    say("\nFor your own community: furytune init my-exports/ my-docs/")
    if not settings.has_knowledge:
        lacks = "With pip install 'furytune[rag]', the demo also puts passages of the documentation into the prompts."
        say(f"\n{wrapped(lacks)}")
    if page is not None:
        shown = f"To see what a model would learn, open {page} in a browser."
        say(f"\n{wrapped(shown)}")


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path), metavar="[FOLDERS]...")
@target
@click.option("--force", is_flag=True, help="Replace a settings file that exists.")
@as_json
def init(folders: tuple[Path, ...], config: Path, force: bool, json_: bool) -> None:
    """Look at exports, documentation and packages, and write a settings file for them.

    FOLDERS are what to look at; without any, everything in the folder of the settings file.
    """
    from furytune.config.drafting import draft, write_draft

    made = draft(*folders, base=config.parent)
    write_draft(made, config, replace=force)
    if json_:
        data_json({"path": config, "found": made.found, "missing": made.missing})
        return
    for line in made.found:
        say(wrapped(line, 11))
    data(str(config))
    for line in made.missing:
        say(wrapped(f"You still need {line}."), style="yellow")
    option = "" if str(config) == "furytune.toml" else f" -c {shlex.quote(str(config))}"
    say(f"Next: look at the file, then furytune run{option}")
