"""Commands about data sets that were written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from furytune.cli.output import data, data_json
from furytune.cli.running import as_json

if TYPE_CHECKING:
    from furytune.records import Dataset

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@as_json
def diff(old: Path, new: Path, json_: bool) -> None:
    """Count the rows that are new, gone, edited, rendered differently or moved from data set OLD to data set NEW.

    Both are manifests, such as train.jsonl.manifest.json, or data files beside their manifest. With --json, list the ids.
    """
    from furytune.report.diffing import diff_datasets

    found = diff_datasets(_loaded(old), _loaded(new))
    if json_:
        data_json(found)
    else:
        data(str(found))


@click.command()
@click.argument("dataset", type=_FILE)
@click.option("--package", required=True, help="Name of the Python package that the answers are about.")
@click.option(
    "--path", type=click.Path(exists=True, path_type=Path), help="Its next release: a folder or an archive."
)
@click.option("--revision", default="", help="Tag, commit or branch, if the folder is in a git repository.")
@click.option(
    "--before", type=click.Path(exists=True, path_type=Path), help="An earlier release, to compare with."
)
@click.option("--before-revision", default="", help="Tag, commit or branch of the earlier release.")
@as_json
def recheck(
    dataset: Path,
    package: str,
    path: Path | None,
    revision: str,
    before: Path | None,
    before_revision: str,
    json_: bool,
) -> None:
    """List the rows of DATASET whose code does not work with a release. Changes nothing, and runs no code.

    DATASET is a manifest, or a data file beside its manifest. Without --path, the installed package is checked.
    """
    from furytune.curation.code import CheckCode
    from furytune.rechecking import recheck as checked

    earlier = before or (path if before_revision else None)
    found = checked(
        _loaded(dataset),
        check=CheckCode(package, path=path, revision=revision),
        before=CheckCode(package, path=earlier, revision=before_revision) if earlier else None,
    )
    if json_:
        data_json(found)
    else:
        data(str(found))


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--licence",
    required=True,
    help='Terms for others: an SPDX identifier, such as "CC-BY-4.0", or an address.',
)
@click.option("--name", required=True, help="Name of the data set.")
@click.option("--about", type=_FILE, help="A Markdown file with what else the card should say.")
@click.option("--language", multiple=True, help='Language of the texts, such as "en".')
@click.option("--tag", multiple=True, help="A tag for the Hugging Face Hub.")
@as_json
def card(
    folder: Path,
    licence: str,
    name: str,
    about: Path | None,
    language: tuple[str, ...],
    tag: tuple[str, ...],
    json_: bool,
) -> None:
    """Write README.md and croissant.json about the data sets in FOLDER, for datasets and the Hugging Face Hub.

    A README.md that furytune did not write is never replaced.
    """
    from furytune.publishing import write_card

    text = about.read_text(encoding="utf-8", errors="surrogateescape") if about is not None else ""
    made = write_card(folder, licence=licence, name=name, about=text, language=language, tags=tag)
    if json_:
        data_json(made)
    else:
        data(f"{made.readme}\n{made.croissant}")


def _loaded(path: Path) -> Dataset:
    """Returns a data set by its manifest, or by a data file beside its manifest."""
    from furytune._storage.manifests import manifest_path
    from furytune.exporters import load_dataset

    beside = manifest_path(path)
    return load_dataset(beside if beside.exists() else path)
