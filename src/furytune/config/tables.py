"""The keys of a settings file that are not arguments of `Pipeline`, and the tables of programs that answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from furytune import serving
from furytune._privacy.printable import printable
from furytune.answering import within
from furytune.config.arguments import arguments, summary
from furytune.config.document import Document
from furytune.config.kinds import nearest
from furytune.errors import ConfigError
from furytune.pipeline import Pipeline
from furytune.serving.settings import LOOPBACK

__all__ = ["NAME", "OWN", "TABLES", "Serve", "check_names", "contract_path"]

NAME = "furytune.toml"
"""The name of a settings file that commands look for."""


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


@frozen(kw_only=True)
class Serve(serving.Settings):
    """What the command ``furytune serve`` needs besides contract and model.

    Attributes:
        host: Address to listen on. Every address except this machine's own needs keys.
        port: Port; 0 for a free one, which the log names.
        keys_file: File with the sha256 of a client's key in each line, besides those of ``keys``.
        admin_keys_file: The same for ``/admin/reload``.

    Raises:
        ConfigError: A value cannot be used.
    """

    host: str = field(default="127.0.0.1", validator=attrs.validators.instance_of(str))
    port: int = field(default=8000, validator=within(0, 65535))
    keys_file: Path | None = field(default=None, converter=_path)
    admin_keys_file: Path | None = field(default=None, converter=_path)

    @property
    def local(self) -> bool:
        """True if only this machine can reach the address."""
        return self.host in LOOPBACK

    def settings(self) -> serving.Settings:
        """Returns the settings of the endpoint, with the keys of the files.

        Raises:
            ConfigError: A file cannot be read, or contains something else.
        """
        given = {one.name: getattr(self, one.name) for one in attrs.fields(serving.Settings) if one.init}
        given["keys"] += _hashes(self.keys_file)
        given["admin_keys"] += _hashes(self.admin_keys_file)
        return serving.Settings(**given)


TABLES: Mapping[str, type[Any]] = {"serve": Serve}
"""The tables of programs that answer, and the class of each."""

OWN: Mapping[str, str] = {
    "contract": "File of the prompt contract, which a run writes and the bot reads.",
    "knowledge": "What the index of the augmenter is made from.",
    "without_retrieval": "A second data set of the same pairs, without passages in its prompts.",
    "report": "File of the HTML report, which a run writes for people.",
    "title": "Heading of the HTML report, such as the name of the community.",
    "model": "The model that answers. Without a name, the contract names it.",
} | {name: summary(kind) for name, kind in TABLES.items()}
"""The keys of a settings file that are not arguments of `Pipeline`."""


def check_names(document: Document) -> None:
    """Raises if a settings file has a key that does not exist.

    Raises:
        ConfigError: It has.
    """
    known = arguments(Pipeline)
    for name in document.data:
        if name not in known and name not in OWN:
            document.fail((name,), f"there is no such key; {nearest(name, [*known, *OWN])}")


def contract_path(document: Document) -> Path:
    """Returns the contract file that a settings file names.

    Raises:
        ConfigError: It is not the path of a file.
    """
    contract = document.data.get("contract", f"{document.path.stem}.contract.json")
    if not isinstance(contract, str) or not contract:
        document.fail(("contract",), "must be the path of a file")
    return document.base / contract


def _hashes(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        found = path.read_text(encoding="utf-8-sig").split()
    except OSError as error:
        raise ConfigError(
            f"{printable(path)}: cannot be read ({error.strerror}); `furytune serve --new-key` makes keys"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{printable(path)}: not a text file with the sha256 of a key in each line"
        ) from None
    if not found:
        # Without keys, everyone may ask, which is not what someone wants who names a file.
        raise ConfigError(f"{printable(path)}: this file is empty; put the sha256 of a key into each line")
    try:
        return serving.Settings(keys=found).keys
    except ConfigError as error:
        raise ConfigError(f"{printable(path)}: {error}") from None
