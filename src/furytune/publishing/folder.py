"""Finds the data sets of a folder, and what a card and Croissant metadata say about each."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import evolve, frozen

from furytune import dialects
from furytune._storage import manifests
from furytune.dataset_rows import head_of, read_rows
from furytune.errors import ConfigError, ExportError
from furytune.exporters import load_dataset
from furytune.records import DataFile, Dataset, Prompt

__all__ = ["About", "Part", "find_parts"]

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
"""A row of the data set, with any text in the place of its texts."""

# By these endings, `datasets` recognises the format of a file.
_JSON: Final = (".jsonl", ".json", ".ndjson")
_CSV: Final = (".csv",)


@frozen(kw_only=True)
class About:
    """What the publisher says about the folder.

    Attributes:
        name: The data set's name.
        licence: SPDX identifier, or the address of the licence.
        text: What else the card says, in Markdown.
        languages: ISO 639 codes.
        tags: Tags besides furytune's own.
    """

    name: str
    licence: str
    text: str = ""
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def licence_is_address(self) -> bool:
        """True if the licence is the address of its text."""
        return self.licence.startswith("https://")


@frozen(kw_only=True)
class Part:
    """One data set of the folder.

    Attributes:
        name: The name it is loaded by.
        dataset: The data set.
        head: The head of its manifest.
        csv: True if its files are CSV.
        sample: The form of a row.
    """

    name: str
    dataset: Dataset
    head: Mapping[str, Any]
    csv: bool
    sample: Mapping[str, Tree]

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The files with rows. Readers fail on a file without any."""
        return tuple(file for file in self.dataset.files if file.rows)

    @property
    def escaped(self) -> bool:
        """True if cells that look like formulas begin with one more quote."""
        return bool(self.head.get("escaped_formulas"))


def find_parts(
    where: str | os.PathLike[str] | Dataset | Iterable[Dataset],
) -> tuple[Path, tuple[Part, ...]]:
    """Returns the folder, and its data sets sorted by name.

    Args:
        where: The folder, or data sets inside one folder.

    Raises:
        ConfigError: There is no data set, they are in several folders, or a file could not be loaded by its name.
        ExportError: A file is not the one that its manifest lists.
    """
    if isinstance(where, str | os.PathLike):
        folder = Path(where)
        paths = sorted(folder.glob(f"*{manifests.SUFFIX}"))
    else:
        datasets = (where,) if isinstance(where, Dataset) else tuple(where)
        paths = sorted({Path(d.manifest) for d in datasets})
        folder = paths[0].parent if paths else Path()
        if len({path.parent.resolve() for path in paths}) > 1:
            raise ConfigError(
                "a card describes one folder, but the data sets are in several; call it for each"
            )
    if not paths:
        raise ConfigError(
            f"{folder}: contains no data set; export one first, or give the folder of its *{manifests.SUFFIX}"
        )
    parts = [_part(path) for path in paths]
    if not any(part.files for part in parts):
        raise ConfigError(f"{folder}: its data sets have no rows; export some first")
    return folder, _named(parts)


def _part(manifest: Path) -> Part:
    dataset = load_dataset(manifest)
    head = head_of(dataset)
    if "forgetting" in head:
        raise ExportError(f"{manifest}: rows are still being removed; finish it with `furytune.forget`")
    first = Path(dataset.files[0].path)
    csv = not manifests.is_json_lines(first)
    for file in dataset.files:
        _check(manifest, Path(file.path), _CSV if csv else _JSON)
    dialect = dialects.get(dataset.dialect)
    if csv:
        sample: Mapping[str, Tree] = dict.fromkeys(_columns(first), "")
    else:
        asked = not dialect.joins_system and any(row.prompt.system for row in read_rows(dataset))
        sample = dialect.row(Prompt(text="text", system="system" if asked else ""), "answer")
    return Part(name=dataset.dialect, dataset=dataset, head=head, csv=csv, sample=sample)


def _check(manifest: Path, path: Path, endings: Sequence[str]) -> None:
    name = path.name
    if path.parent != manifest.parent:
        raise ConfigError(f"{path}: is in another folder than its manifest; export both to one folder")
    if path.suffix not in endings:
        raise ConfigError(
            f"{path}: other programs know the format by the name; export to a file that ends with {endings[0]}"
        )
    if not name.isprintable() or name.startswith((".", "_")) or any(c in '*?[]\\"' for c in name):
        raise ConfigError(
            f"{path}: other programs would not find a file of this name; begin it with a letter or a digit, and use none "
            'of * ? [ ] \\ "'
        )


def _columns(path: Path) -> list[str]:
    """Returns the two names in a header, which may contain line breaks."""
    header = b""
    with path.open("rb") as lines:
        for line in lines:
            header += line
            if header.count(b'"') % 2 == 0:
                break
    return [c.replace('""', '"') for c in re.findall(r'"((?:[^"]|"")*+)"', header.decode())]


def _named(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Gives each part a name of its own: its dialect, if that is enough to tell it from the others."""

    def plain(part: Part) -> str:
        return f"{part.dataset.dialect}-csv" if part.csv else part.dataset.dialect

    def full(part: Part) -> str:
        stem = Path(part.dataset.files[0].path).stem
        return f"{plain(part)}-{re.sub(r'[^A-Za-z0-9._-]', '_', stem)}"

    often = Counter(map(plain, parts))
    names = [plain(part) if often[plain(part)] == 1 else full(part) for part in parts]
    for name, count in Counter(names).items():
        if count > 1:
            raise ConfigError(f"{count} data sets would be called {name!r}; give their files different names")
    named = [evolve(part, name=name) for part, name in zip(parts, names, strict=True)]
    return tuple(sorted(named, key=lambda part: part.name))
