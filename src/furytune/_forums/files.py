"""Reads discussions that were saved as JSON, page after page, as ``gh api graphql --paginate`` prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from attrs import frozen

from furytune._forums.github.discussions import Discussion, as_thread
from furytune._forums.shapes import Category, Thread
from furytune._privacy.printable import printable
from furytune._readers.bytes import ByteSource
from furytune._readers.json_stream import LIMIT
from furytune._readers.json_text import Malformed, MoreNeededError, Text
from furytune._storage.folders import list_files
from furytune.errors import SourceError, SourceFormatError
from furytune.records import Dropped

__all__ = ["ForumFile", "Saved", "forum_files"]

_BLOCK = 1 << 18
_QUERY = "save them with the query of the page GitHub Discussions of the documentation"


@frozen
class Saved:
    """A discussion of a file.

    Attributes:
        thread: The discussion.
        category: Its category.
        site: Its repository, "" if the file does not say.
    """

    thread: Thread
    category: Category
    site: str


@frozen
class ForumFile:
    """A file with discussions.

    Attributes:
        path: Where it is, without links.
        name: Its name in errors and drops.
    """

    path: Path
    name: str

    def saved(self, on_drop: Callable[[Dropped], None], *, skip: bool) -> Iterator[Saved]:
        """Yields the discussions of the file.

        Args:
            on_drop: Called for each discussion that cannot be read, if they are skipped.
            skip: Whether to skip them instead of raising.

        Raises:
            SourceError: The file cannot be read.
            SourceFormatError: It is malformed.
        """
        number = 0
        with ByteSource(self.path, self.name) as source:
            try:
                for value in _values(source):
                    for node, site in _discussions(value, self.name):
                        number += 1
                        try:
                            yield _saved(node, site)
                        except msgspec.ValidationError as error:
                            self._refused(f"discussion {number}", str(error), on_drop, skip=skip)
            except Malformed as error:
                if not skip:
                    raise SourceFormatError(
                        f"byte {error.offset}: {error.problem}", path=self.name, hint=_QUERY
                    ) from None
                reason = "truncated" if error.truncated else "malformed_file"
                on_drop(
                    Dropped(
                        reason=reason,
                        unit="file",
                        where=self.name,
                        detail=f"byte {error.offset}: {error.problem}",
                    )
                )
            if source.broken:
                if not skip:
                    raise SourceFormatError(source.broken, path=self.name, hint="save it again")
                on_drop(Dropped(reason="damaged", unit="file", where=self.name, detail=source.broken))

    def _refused(self, place: str, problem: str, on_drop: Callable[[Dropped], None], *, skip: bool) -> None:
        if not skip:
            raise SourceFormatError(
                f"{place}: not a discussion as GitHub's API writes it ({problem})",
                path=self.name,
                hint=f'{_QUERY}, or read the others with on_error="skip"',
            )
        on_drop(
            Dropped(reason="invalid_message", unit="message", where=f"{self.name}, {place}", detail=problem)
        )


def forum_files(path: Path, on_drop: Callable[[Dropped], None]) -> list[ForumFile]:
    """Returns the files with discussions: one file, or the ``*.json`` and ``*.json.gz`` of a folder.

    Raises:
        SourceError: There is no such file.
    """
    try:
        if not path.is_dir():
            return [ForumFile(path.resolve(strict=True), printable(path.name))]
        listing = list_files(path, wanted=lambda name: name.lower().endswith((".json", ".json.gz")))
    except OSError as error:
        raise SourceError(
            f"{printable(path)}: cannot be read: {error.strerror}; name a journal, or a file with discussions"
        ) from error
    for dropped in listing.dropped:
        on_drop(dropped)
    if not listing.files:
        raise SourceError(
            f"{printable(path)}: there is no journal and no JSON file here; collect with GitHubDiscussionsCollector, or {_QUERY}"
        )
    return [ForumFile(file.real, file.name) for file in listing.files]


def _saved(node: object, site: str) -> Saved:
    found = msgspec.convert(node, Discussion)
    thread = as_thread(found, site)
    category = found.category
    return Saved(
        thread,
        Category(thread.category, category.name or "(none)", category.slug, category.is_answerable),
        site,
    )


def _discussions(value: Any, name: str) -> Iterator[tuple[Any, str]]:
    """Yields the discussions of one page, and their repository.

    Raises:
        SourceFormatError: It is something else.
    """
    if not isinstance(value, dict):
        raise SourceFormatError("this is JSON, but no page of discussions", path=name, hint=_QUERY)
    if value.get("errors") and not value.get("data"):
        raise SourceFormatError(
            "GitHub answered with an error instead of discussions", path=name, hint="save them again"
        )
    value = value.get("data", value)
    site = ""
    if isinstance(value, dict) and isinstance(value.get("repository"), dict):
        value = value["repository"]
        owner = value.get("nameWithOwner")
        site = owner if isinstance(owner, str) else ""
    if isinstance(value, dict):
        single = value.get("discussion")
        value = value.get("discussions", single if isinstance(single, dict) else value)
    if isinstance(value, dict) and "number" in value:
        yield _flat(value), site
        return
    if isinstance(value, dict) and isinstance(value.get("edges"), list) and "nodes" not in value:
        value = {"nodes": [edge.get("node") if isinstance(edge, dict) else None for edge in value["edges"]]}
    nodes = value.get("nodes") if isinstance(value, dict) else value
    if not isinstance(nodes, list):
        raise SourceFormatError("this is JSON, but no page of discussions", path=name, hint=_QUERY)
    yield from ((_flat(node), site) for node in nodes if node is not None)


def _flat(node: Any) -> Any:
    """Returns a discussion whose connections have nodes, also if the query asked for edges."""
    if isinstance(node, dict):
        for key in ("comments", "replies"):
            inner = node.get(key)
            if isinstance(inner, dict):
                edges = inner.get("edges")
                if isinstance(edges, list) and "nodes" not in inner:
                    inner["nodes"] = [edge.get("node") if isinstance(edge, dict) else None for edge in edges]
                if isinstance(inner.get("nodes"), list):
                    inner["nodes"] = [_flat(one) for one in inner["nodes"]]
    return node


def _values(source: ByteSource) -> Iterator[Any]:
    """Yields the JSON values of a file, one after the other, or those of one array (``--slurp``).

    Raises:
        Malformed: It is not JSON, or one value is too large.
    """
    buffer, base, more, last = bytearray(), 0, _BLOCK, False
    in_array = False
    while True:
        have, room = len(buffer), bytearray(more)
        with memoryview(room) as view:
            while have < len(buffer) + more and not last:
                got = source.readinto(view[have - len(buffer) :])
                last, have = not got, have + got
        buffer += room[: have - len(buffer)]
        text = Text(bytes(buffer), base, last=last)
        at = 0
        try:
            while (start := text.space(at)) < len(text.text):
                sign = text.text[start]
                if (sign == "[" and not in_array) or (sign in ",]" and in_array):
                    in_array = sign != "]"
                    at = start + 1
                    continue
                value, end = text.value(start)
                if (place := text.not_utf8(start, end)) is not None:
                    raise Malformed("the text is not UTF-8", place)
                yield value
                at = end
        except MoreNeededError:
            if len(buffer) >= LIMIT:
                raise Malformed(f"a single value is over {LIMIT} bytes", base) from None
            # Doubling keeps the work linear, although a long page is parsed again each time.
            more = max(_BLOCK, len(buffer))
        else:
            more = _BLOCK
        if last:
            return
        used = text.size(0, at)
        del buffer[:used]
        base += used
