"""Writes the card and the metadata into the folder of a data set, and never over a file that someone else wrote."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from furytune._storage.durable import staged
from furytune._values.shown import Shown
from furytune.errors import ConfigError, ExportError
from furytune.publishing.card import card, described, loaded
from furytune.publishing.croissant import croissant
from furytune.publishing.folder import About, find_parts
from furytune.records import Dataset

__all__ = ["Card", "write_card"]

_MARK: Final = re.compile(
    rb"\n<!-- Written by furytune, which replaces it unless it was edited: ([0-9a-f]{64}) ([0-9a-f]{64}) -->\n\Z"
)
_LICENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")


@frozen(kw_only=True, repr=False)
class Card(Shown):
    """The files that describe a folder of data sets.

    Attributes:
        readme: The data set card.
        croissant: The Croissant metadata.
        names: The names by which ``datasets.load_dataset(folder, name)`` loads the data sets; the first is the default.
    """

    readme: str
    croissant: str
    names: tuple[str, ...]


def write_card(
    where: str | os.PathLike[str] | Dataset | Iterable[Dataset],
    *,
    licence: str,
    name: str,
    about: str = "",
    language: str | Sequence[str] = (),
    tags: Sequence[str] = (),
) -> Card:
    """Writes ``README.md`` and ``croissant.json`` beside the files of data sets, for other programs and for people.

    With the card, ``datasets.load_dataset(folder, name)`` loads each data set with its splits. It says what the data are, how
    they were made and where they are from, by the counts of the manifests. Both files contain no message text, no names and
    no ids. What you write yourself is repeated: ``about`` and the permission that you gave your collector. Equal data sets
    give equal bytes. Call it again whenever the files change, such as after `furytune.forgetting.forget`.

    `datasets` reads a folder with one reader, so if JSON lines are there, the card lists only these as loadable by name. It
    then says how to load CSV files by their names.

    Args:
        where: The folder, whose data sets are all described; or one or more data sets in one folder, such as
            ``run.datasets``.
        licence: Under what terms others may use the data: an SPDX identifier such as "CC-BY-4.0", or an https address.
        name: The data set's name, in one line.
        about: What else the card should say, as Markdown.
        language: ISO 639 codes of the texts, such as "en".
        tags: Tags for the Hugging Face Hub.

    Raises:
        ConfigError: An argument is malformed, there is no data set with rows, or other programs could not find its files.
        ExportError: A README.md or croissant.json is there that was not written by this function, or was edited since;
            a data file is not the one that its manifest lists; or a file cannot be written. Nothing was written.
    """
    folder, parts = find_parts(where)
    said = About(
        name=_line("name", name),
        licence=_licence(licence),
        text=_encodable(about),
        languages=_several("language", language, _LANGUAGE),
        tags=_several("tags", tags, None),
    )
    metadata = croissant(said, parts, described(parts))
    text = card(said, parts).encode()
    mark = f"\n<!-- Written by furytune, which replaces it unless it was edited: {_sha(text)} {_sha(metadata)} -->\n"
    readme, beside = folder / "README.md", folder / "croissant.json"
    try:
        _check_own(readme, beside, metadata)
        with staged() as group:
            group.open(beside).write(metadata)
            group.open(readme, seal=True).write(text + mark.encode())
    except OSError as error:
        raise ExportError(
            f"{error.filename or folder}: cannot be written: {error.strerror or type(error).__name__}; fix the cause and "
            "call write_card again"
        ) from error
    return Card(readme=str(readme), croissant=str(beside), names=tuple(part.name for part in loaded(parts)))


def _check_own(readme: Path, beside: Path, metadata: bytes) -> None:
    """Raises ExportError if a file was not written here, or was edited since."""
    own = ""
    if os.path.lexists(readme):
        before = readme.read_bytes()
        mark = _MARK.search(before)
        if mark is None or _sha(before[: mark.start()]) != mark[1].decode():
            raise ExportError(_foreign(readme))
        own = mark[2].decode()
    # If the last call was interrupted between the two files, the newer one is there already.
    if os.path.lexists(beside) and _sha(beside.read_bytes()) not in {own, _sha(metadata)}:
        raise ExportError(_foreign(beside))


def _foreign(path: Path) -> str:
    return (
        f"{path}: was not written by write_card, or was edited since; nothing was written; move it away, and give text of "
        "your own as about="
    )


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _licence(value: str) -> str:
    address = value.startswith("https://") and value.isprintable() and " " not in value
    if not address and not _LICENCE.fullmatch(value):
        raise ConfigError(
            'licence must be an SPDX identifier such as "CC-BY-4.0" (https://spdx.org/licenses), or the https address of '
            "its text"
        )
    return value


def _line(what: str, value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ConfigError(f"{what} must be one line of printable text")
    return value.strip()


def _encodable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError("about contains a lone surrogate, which cannot be written as UTF-8") from None
    return value


def _several(what: str, value: str | Sequence[str], form: re.Pattern[str] | None) -> tuple[str, ...]:
    found = tuple(_line(what, v) for v in ((value,) if isinstance(value, str) else value))
    if form is not None and not all(map(form.fullmatch, found)):
        raise ConfigError(f'{what} must be ISO 639 codes in lower case, such as "en"')
    return found
