"""Which chat messages a job was trained on, noted beside the ledger: the data set may be gone when somebody asks.

A file ``KEY.messages`` has one line for each row, of the ids of the messages in it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from furytune._privacy.lineage import decode_row
from furytune._storage import manifests
from furytune._storage.durable import make_folder, staged
from furytune.errors import TuningError
from furytune.records import Dataset

__all__ = ["note", "rows_that_hold"]

_FORMAT = b"furytune-messages/1\n"
_BLOCK = 1 << 20


def note(folder: Path, key: str, dataset: Dataset) -> None:
    """Writes down the messages of a data set, unless that was done.

    Raises:
        TuningError: The manifest cannot be read, or the folder cannot be written to.
    """
    path = _path(folder, key)
    try:
        if path.exists():
            return
        make_folder(folder)
        with staged() as group:
            file = group.open(path)
            waiting = bytearray(_FORMAT)
            for line in manifests.source_lines(Path(dataset.manifest)):
                waiting += " ".join(decode_row(line).holds()).encode() + b"\n"
                if len(waiting) > _BLOCK:
                    file.write(waiting)
                    waiting.clear()
            file.write(waiting)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise TuningError(
            f"{path}: the messages of {dataset.manifest} cannot be noted ({type(error).__name__}), and without that nobody could "
            "tell later whose words the model holds; see to manifest and folder, and run again"
        ) from error


def rows_that_hold(folder: Path, key: str, messages: Collection[str]) -> int | None:
    """Returns how many rows of a job hold one of the messages; None if it was not noted what they hold.

    Raises:
        TuningError: The note is damaged.
    """
    path = _path(folder, key)
    wanted = {uid.encode() for uid in messages}
    try:
        with path.open("rb") as lines:
            if lines.readline() != _FORMAT:
                raise TuningError(
                    f"{path}: is not what was written; without it nobody can tell whose words the model of this job holds; "
                    "bring it back from a copy, or delete it and take the model for one that holds them"
                )
            return sum(not wanted.isdisjoint(line.split()) for line in lines)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TuningError(
            f"{path}: cannot be read ({error.strerror}); see to the folder and run again"
        ) from error


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.messages"
