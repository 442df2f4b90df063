"""Commands that read, build and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from furytune.cli.output import data, data_json, say, wrapped
from furytune.cli.running import PARTIAL, as_json, browse, load, settings_options
from furytune.errors import MissingExtraError

if TYPE_CHECKING:
    from furytune.config import Settings
    from furytune.config.settings import Results
    from furytune.report.diffing import DatasetDiff

_dry = click.option(
    "--dry-run", is_flag=True, help="Count what would be kept and dropped, and write nothing."
)
_open = click.option("--open", "open_", is_flag=True, help="Open the HTML report in the browser.")


@click.command()
@settings_options
@_dry
@_open
@as_json
@click.option("--yes", is_flag=True, help="Tune without asking, if the settings have a tuner.")
def run(config: Path, changes: tuple[str, ...], dry_run: bool, open_: bool, json_: bool, yes: bool) -> int:
    """Do the whole way: build the index, write data sets, contract and HTML report, and say what changed.

    With a [tuner] in the settings, say what it costs, ask, and start the job.
    """
    settings = load(config, changes)
    code = _build(settings, dry_run=dry_run, browser=open_, json_=json_)
    if settings.pipeline.tuner is None or dry_run:
        return code
    from furytune.cli.tuning import started

    started(settings, yes=yes)
    return code


@click.command()
@settings_options
@_dry
@_open
@as_json
def build(config: Path, changes: tuple[str, ...], dry_run: bool, open_: bool, json_: bool) -> int:
    """Build the index, write data sets, contract and HTML report, and say what changed. Never tune."""
    return _build(load(config, changes), dry_run=dry_run, browser=open_, json_=json_)


def _build(settings: Settings, *, dry_run: bool, browser: bool, json_: bool) -> int:
    if dry_run:
        report = settings.rehearse()
        if json_:
            data_json({"counts": report.counts, "complete": report.complete})
        else:
            data(str(report))
        say("Nothing was written.")
        return _ended(complete=report.complete)
    results = settings.run(began=lambda step: say(f"Making the {step}", style="cyan"))
    changed = results.changes()
    if not json_:
        _show(settings, results)
    page = written(settings, results)
    if json_:
        data_json(_result(settings, results, changed, page))
    else:
        if page is not None:
            data(f"report               {page}")
        if changed is not None:
            data(f"\n{_summary(changed)}")
    if browser and page is not None and not browse(page.resolve().as_uri()):
        say("There is no browser here that could be opened.", style="yellow")
    look = f"open {page} in a browser, " if page is not None else ""
    say(
        wrapped(
            f"Next: {look}correct pairs with `furytune review`, and try "
            '`furytune prompt "a question of your users"`.'
        )
    )
    return _ended(complete=results.complete)


def _show(settings: Settings, results: Results) -> None:
    if results.index is not None:
        data(f"{results.index}\n")
    data(str(results.run.report))
    if results.plain is not None:
        data(f"\nwithout retrieval\n{_files(results)}")
    data(f"contract             {settings.contract}")


def _files(results: Results) -> str:
    assert results.plain is not None
    files = [file for dataset in results.plain.datasets for file in dataset.files]
    return "\n".join(f"{file.split:<10}{file.rows:>9}  {file.path}" for file in files)


def _summary(changed: DatasetDiff) -> str:
    if not changed:
        return "Nothing changed since the last run."
    counts = f"{len(changed.new):,} new, {len(changed.gone):,} gone, {len(changed.edited):,} edited"
    others = {"with another prompt": changed.rerendered, "in the other split": changed.moved}
    more = "".join(f", {len(ids):,} {said}" for said, ids in others.items() if ids)
    return f"{counts}{more} since the last run."


def written(settings: Settings, results: Results) -> Path | None:
    """Writes the HTML report, if the settings want one. Without its package, says what to install."""
    try:
        return settings.write_report(results)
    except MissingExtraError as error:
        say(wrapped(f"{settings.report} was not written: {error}"), style="yellow")
        return None


def _result(
    settings: Settings, results: Results, changed: DatasetDiff | None, page: Path | None
) -> dict[str, object]:
    plain = results.plain
    return {
        "changes": changed,
        "complete": results.complete,
        "contract": {"path": settings.contract, "fingerprint": results.run.contract.fingerprint},
        "counts": results.run.report.counts,
        "datasets": results.run.datasets,
        "index": results.index,
        "report": page,
        "without_retrieval": None if plain is None else plain.datasets,
    }


def _ended(*, complete: bool) -> int:
    if complete:
        return 0
    say("Partly done: something could not be read; the report says what, and why.", style="yellow")
    return PARTIAL


@click.command()
@settings_options
@as_json
def index(config: Path, changes: tuple[str, ...], json_: bool) -> None:
    """Build the index from the [[knowledge]] of the settings. Unchanged passages are not analysed again."""
    report = load(config, changes).build_index()
    if json_:
        data_json(report)
    else:
        data(str(report))


@click.command()
@settings_options
@as_json
@click.option("--everything", is_flag=True, help="Compare messages of any age, not only recent ones.")
def collect(config: Path, changes: tuple[str, ...], json_: bool, everything: bool) -> int:
    """Read what is new, edited or deleted on Discord, GitHub or Discourse into the journal."""
    updates = load(config, changes).collect(everything=everything)
    if json_:
        data_json(updates)
    else:
        data("\n\n".join(map(str, updates)))
    return _ended(complete=not any(update.unread for update in updates))


@click.command()
@settings_options
@click.option(
    "--author",
    help="User id of the person on Discord, an id with its platform, such as slack:U012AB3CD, or the account on GitHub or Discourse.",
)
@click.option("--message", help="Id of a message or post, to remove only that.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def forget(
    config: Path,
    changes: tuple[str, ...],
    author: str | None,
    message: str | None,
    yes: bool,
    json_: bool,
) -> None:
    """Remove a person's words, or one message, from all places that the settings name.

    Rows, passages and messages are removed for good. Export files are searched and not changed.
    """
    if (author is None) == (message is None):
        raise click.UsageError("give either --author or --message")
    settings = load(config, changes)
    if not yes:
        click.confirm("This removes messages, rows and passages for good. Continue?", abort=True, err=True)
    done = settings.forget(author=author, message=message)
    if json_:
        data_json(done)
    else:
        data(str(done))
