"""Records every step of a run on disk before the step is taken.

Each run has one JSON file, which is replaced as a whole and synced (see `furytune._storage.durable`). An edited file is
refused, because a wrong name in it could start, or hide, a job that costs money.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from attrs import asdict, frozen

from furytune._storage.durable import make_folder, write_file
from furytune._storage.locks import lock_file
from furytune._values.canonical import Json, digest
from furytune.errors import TuningError

__all__ = ["Entry", "Ledger", "Step"]

Step: TypeAlias = Literal["PLANNED", "UPLOADED", "SUBMITTING", "SUBMITTED", "ENDED"]

_FORMAT = "furytune-tuning/1"


@frozen(kw_only=True)
class Entry:
    """The record of one run.

    Attributes:
        key: Label or id of the remote job.
        run: The key that the caller gave.
        step: The last step that was recorded.
        at: When it was recorded, in seconds since 1970.
        backend: "vertex" or "developer".
        place: Where the job runs: project and location, or host.
        manifest: Path of the data set's manifest.
        fingerprint: Fingerprint of the contract.
        files: sha256 of each data file.
        settings: The settings of the job.
        train: URI of the training rows, once uploaded.
        validation: URI of the validation rows, or "".
        name: The service's name for the job, from SUBMITTED on.
        state: The last known state of the job.
        model: The tuned model, once there is one.
        endpoint: The endpoint of the tuned model, once there is one.
    """

    key: str
    run: str
    step: Step
    at: float
    backend: str
    place: str
    manifest: str
    fingerprint: str
    files: tuple[str, ...] = ()
    settings: Mapping[str, Json]
    train: str = ""
    validation: str = ""
    name: str = ""
    state: str = ""
    model: str = ""
    endpoint: str = ""


@frozen
class Ledger:
    """The records of all runs, in one folder.

    Args:
        folder: The folder; created on the first write.
    """

    folder: Path

    def path(self, key: str) -> Path:
        """Returns the path of a key's entry."""
        return self.folder / f"{key}.json"

    def read(self, key: str) -> Entry | None:
        """Returns the entry of a key, None if it has none.

        Raises:
            TuningError: The file is damaged, was edited, or cannot be read.
        """
        path = self.path(key)
        try:
            content = json.loads(path.read_bytes().decode("utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TuningError(
                f"{path}: cannot be read ({error.strerror}); this file says whether a job was already started, so nothing "
                "was sent; check the permissions and run again"
            ) from error
        except (ValueError, RecursionError) as error:
            raise _refused(path, type(error).__name__) from None
        entry = _entry(content)
        # A record that was copied under another name would tie a run to a foreign job.
        if entry is None or entry.key != key:
            raise _refused(path, "its contents have changed since it was written")
        return entry

    def write(self, entry: Entry) -> None:
        """Writes an entry so that it survives a crash.

        Raises:
            TuningError: The folder cannot be written to.
        """
        content: dict[str, Any] = {"format": _FORMAT, **asdict(entry)}
        content["files"] = list(entry.files)
        # The seal is a plain digest: it detects edits and damage, and is not meant to stop an attacker.
        content["seal"] = digest({k: v for k, v in content.items() if k != "seal"})
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
        path = self.path(entry.key)
        try:
            make_folder(self.folder)
            write_file(path, text.encode("utf-8") + b"\n")
        except OSError as error:
            raise TuningError(
                f"{path}: cannot be written ({error.strerror}); without it a job could be started twice, so nothing "
                "more is sent; check the folder and run again"
            ) from error

    def entries(self) -> Iterator[Entry]:
        """Yields all entries, sorted by file name.

        Raises:
            TuningError: An entry is damaged, was edited, or cannot be read.
        """
        try:
            # Unlike glob, iterdir raises for a folder that cannot be read instead of treating it as empty.
            found = [path for path in self.folder.iterdir() if path.suffix == ".json"]
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise TuningError(
                f"{self.folder}: cannot be read ({error.strerror}); check the permissions of the folder and run again"
            ) from error
        for path in sorted(found):
            entry = self.read(path.stem)
            if entry is not None:
                yield entry

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Keeps other processes on this machine from submitting the same run at the same time.

        Raises:
            TuningError: Another process is submitting it, or the ledger cannot be written.
        """
        path = self.folder / f"{key}.lock"
        try:
            make_folder(self.folder)
            lock = lock_file(path)
            # Entered by hand, so that errors of taking the lock are not mixed up with those of the block.
            lock.__enter__()
        except BlockingIOError as error:
            raise TuningError(
                f"another process is submitting this run ({path} is {error.strerror}); wait for it, then run again to "
                "follow its job"
            ) from None
        except OSError as error:
            raise TuningError(
                f"{path}: cannot be created ({error.strerror}); nothing was sent; check the folder and run again"
            ) from error
        with ExitStack() as stack:
            stack.push(lock)
            yield


def _entry(content: Any) -> Entry | None:
    """Returns the entry in a file, None if the file is not as it was written."""
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        return None
    seal = content.pop("seal", None)
    try:
        if digest({"format": _FORMAT, **content}) != seal or content["step"] not in get_args(Step):
            return None
        content["files"] = tuple(content["files"])
        return Entry(**content)
    except (TypeError, ValueError, KeyError):
        return None


def _refused(path: Path, why: str) -> TuningError:
    """Returns the error for a record that cannot be trusted."""
    return TuningError(
        f"{path}: the record of this run is damaged or was edited ({why}); look for the job at the service by its label "
        f"furytune_key={path.stem}, remove this file, and run again: if there is a job, it is found by its label"
    )
