"""Notes which chat messages a job was trained on, because its data set may be gone when someone asks.

The note is a file ``KEY.messages`` in the ledger's folder. It has one line per row, with the ids of the row's messages.
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
    """Writes the note for a data set, unless there is one already.

    Raises:
        TuningError: The manifest cannot be read, or the folder cannot be written to.
    """
    path = _path(folder, key)
    try:
        # The first note wins: rows may have been removed from the data set since the job got them.
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
            f"{path}: could not note the messages of {dataset.manifest} ({type(error).__name__}); without the note, no one "
            "could tell later whose messages the model was trained on; check that the manifest is readable and the folder "
            "writable, and run again"
        ) from error


def rows_that_hold(folder: Path, key: str, messages: Collection[str]) -> int | None:
    """Returns how many rows of a job contain one of the messages, None if there is no note.

    Raises:
        TuningError: The note is damaged.
    """
    path = _path(folder, key)
    wanted = {uid.encode() for uid in messages}
    try:
        with path.open("rb") as lines:
            if lines.readline() != _FORMAT:
                raise TuningError(
                    f"{path}: the note is damaged; without it, no one can tell whose messages this job's model was trained "
                    "on; restore the file from a copy, or delete it and assume that the model was trained on them"
                )
            # One line for each row, with ids only: the note contains no one's words.
            return sum(not wanted.isdisjoint(line.split()) for line in lines)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TuningError(
            f"{path}: cannot be read ({error.strerror}); check the folder and run again"
        ) from error


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.messages"
