"""Stores grades on disk, so that no pair is paid for twice."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from attrs import field, frozen

from furytune._storage.durable import is_leftover, make_folder, sweep, sync_folders, write_file
from furytune._storage.system import system_errors_as
from furytune.errors import ConfigError, CurationError
from furytune.records import Erased, QAPair

__all__ = ["Grade", "GradeCache"]

Grade: TypeAlias = Literal["good", "usable", "poor"]
"""How much a pair is worth, best first."""

# Digits of the key that name the folder. Writing a file lists its folder, so folders must stay small.
_SHARD = 2
_LATER = "grades that were stored stay"


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    """A file of the cache. It contains no text of a message."""

    format: Literal[1]
    pair: str
    messages: list[str]
    model: str
    prompt: str
    grade: Grade


@frozen
class GradeCache:
    """Grades that a model gave, one small file each.

    A file contains ids, digests and the grade, and no text. Each file is complete even after a crash, and several
    processes may use one cache. To remove what concerns a person, give it to ``furytune.forget(places=[...])``.

    Args:
        folder: The folder. It is created with the first grade. You can delete it; then the pairs are judged again.
    """

    folder: Path = field(converter=Path)

    def get(self, key: str) -> Grade | None:
        """Returns a grade, None if it is not stored or its file is damaged.

        Raises:
            CurationError: The file cannot be read.
        """
        with self._explained():
            try:
                data = self._path(key).read_bytes()
            except FileNotFoundError:
                return None
        stored = _decoded(data)
        return stored.grade if stored else None

    def put(self, key: str, grade: Grade, *, pair: QAPair, prompt: str, model: str) -> None:
        """Stores a grade durably.

        Args:
            key: Names the file: hex digits that depend on pair, prompt and model.
            grade: The grade.
            pair: The pair; its id and the ids of its messages are stored.
            prompt: Digest of the prompt.
            model: Name of the model, for people to read.

        Raises:
            CurationError: The file cannot be written.
        """
        content = {
            "format": 1,
            "pair": pair.id.encode("utf-8", "backslashreplace").decode("utf-8"),
            "messages": [*pair.question_messages, *pair.answer_messages],
            "model": model,
            "prompt": prompt,
            "grade": grade,
        }
        path = self._path(key)
        with self._explained():
            make_folder(path.parent)
            write_file(path, json.dumps(content, indent=1).encode() + b"\n")

    def check(self) -> None:
        """Checks that the folder exists and can be changed. Changes nothing.

        Raises:
            ConfigError: It does not exist, or may not be changed.
        """
        if not self.folder.is_dir():
            raise ConfigError(f"{self.folder}: this folder of grades does not exist; nothing was changed")
        for folder in (self.folder, *self._shards()):
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise ConfigError(
                    f"{folder}: may not be changed; nothing was changed; give yourself the permission to write there"
                )

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes the grades of all pairs that contain one of the messages, and files that cannot be read.

        Args:
            messages: Ids of chat messages.
            people: Ids of people; a grade is removed if the id of its pair contains one.

        Raises:
            CurationError: A file cannot be read or removed. Call it again to continue.
        """
        wanted = frozenset(messages)
        removed: list[Path] = []
        left = 0
        with self._explained():
            for folder in self._shards():
                sweep(folder)
                for path in self._files(folder):
                    stored = _decoded(path.read_bytes())
                    if (
                        stored
                        and wanted.isdisjoint(stored.messages)
                        and not any(p in stored.pair for p in people)
                    ):
                        left += 1
                    else:
                        path.unlink(missing_ok=True)
                        removed.append(path)
            sync_folders(removed)
        return Erased(kind="grades", path=str(self.folder), removed=len(removed), left=left)

    def _path(self, key: str) -> Path:
        return self.folder / key[:_SHARD] / f"{key[_SHARD:]}.json"

    def _shards(self) -> Iterator[Path]:
        yield from (
            path for path in sorted(self.folder.iterdir()) if len(path.name) == _SHARD and path.is_dir()
        )

    @staticmethod
    def _files(folder: Path) -> Iterator[Path]:
        yield from (path for path in sorted(folder.glob("*.json")) if not is_leftover(path.name))

    def _explained(self) -> AbstractContextManager[None]:
        return system_errors_as(CurationError, self.folder, _LATER)


def _decoded(data: bytes) -> _Stored | None:
    try:
        return msgspec.json.decode(data, type=_Stored)
    except (msgspec.DecodeError, RecursionError):
        return None
