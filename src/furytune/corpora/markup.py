"""Makes passages out of documentation: Markdown, reStructuredText and plain text, cut at headings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from furytune.corpora._blocks import Section, pieces, sections
from furytune.corpora._files import OnError, Unique, address, check_address, check_on_error, files_below
from furytune.errors import ConfigError, KnowledgeError, SourceFormatError
from furytune.records import Dropped, Passage

__all__ = ["markup"]

_SUFFIXES = (".md", ".rst", ".txt")
_NOT_SLUG = re.compile(r"[^\w.]+")


def markup(
    path: str | os.PathLike[str],
    *,
    suffixes: tuple[str, ...] = _SUFFIXES,
    exclude: tuple[str, ...] = (),
    max_chars: int = 2000,
    url: str = "",
    on_error: OnError = "raise",
) -> Iterator[Passage | Dropped]:
    """Reads a folder of documentation, or one file.

    Every section is a passage, and a long one several. The title is the path of headings (``Guide > Install``), the
    source ``docs/guide.md:10-42``, relative to the folder's parent. The id is the file with the headings behind it
    (``docs/guide.md#guide/install``), with ``#2``, ``#3`` where that is taken, so it stays when other
    sections change. Every line that is not blank stands in exactly one passage, as it is in the file but for line
    ends, which become LF; a heading with nothing below it goes with the next section.

    Sections are cut between paragraphs, and paragraphs of more than ``max_chars`` between lines or words. Code
    blocks are never cut: the only passages that are longer are single code blocks, with the paragraph that
    touches them.

    Args:
        path: Folder or file.
        suffixes: Which files to read: ``.md`` as Markdown (CommonMark's headings and fences), ``.rst`` as
            reStructuredText, any other as plain text without headings.
        exclude: Files to leave out, as patterns of their path below the folder: ``posts/*`` is all in a folder
            and below it, ``*/changelog.md`` a name in any folder.
        max_chars: Bound of a passage in characters, which are not tokens; an English token has about four.
        url: Pattern of the passages' addresses, with ``{path}``, ``{start}`` and ``{end}`` in it.
        on_error: What to do about a file that is not UTF-8: "raise", or "skip" it and yield a drop.

    Yields:
        Passages in order of path and line, and a `Dropped` for what was left out: ``not_utf8``, ``empty_file``,
        ``excluded``.

    Raises:
        ConfigError: An option that cannot work.
        KnowledgeError: There is no such path, or no file with one of the suffixes.
        SourceFormatError: A file is not UTF-8, with ``on_error="raise"``.
    """
    check_on_error(on_error)
    check_address(url)
    if max_chars < 200:
        raise ConfigError(f"max_chars must be 200 or more, not {max_chars}; it counts characters")
    root = Path(path).absolute()
    if not root.exists():
        raise KnowledgeError(f"{path}: no such file or folder; give a folder of documentation")
    wanted = tuple(s.lower() for s in suffixes)
    files = [root] if root.is_file() else files_below(root, lambda name: name.lower().endswith(wanted))
    if not files:
        raise KnowledgeError(
            f"{path}: no file ends in {', '.join(wanted)}; give the folder of the documentation"
        )
    kept = [f for f in files if not any(fnmatchcase(f.relative_to(root).as_posix(), e) for e in exclude)]
    return _read(root.parent, kept, len(files) - len(kept), max_chars, url, on_error)


def _read(
    parent: Path, files: list[Path], excluded: int, max_chars: int, url: str, on_error: OnError
) -> Iterator[Passage | Dropped]:
    if excluded:
        yield Dropped(reason="excluded", unit="file", count=excluded)
    unique = Unique()
    for file in files:
        name = file.relative_to(parent).as_posix()
        try:
            lines = _lines(file, name)
        except SourceFormatError as error:
            if on_error == "raise":
                raise
            yield Dropped(reason="not_utf8", unit="file", where=f"{name}:{error.line}", detail=error.problem)
            continue
        if not any(line.strip() for line in lines):
            yield Dropped(reason="empty_file", unit="file", where=name)
            continue
        for section in sections(lines, file.suffix.lower()):
            yield from _passages(section, name, max_chars, url, unique)


def _lines(file: Path, name: str) -> list[str]:
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceFormatError(
            "this is not UTF-8",
            path=name,
            line=data.count(b"\n", 0, error.start) + 1,
            hint='convert it, or give on_error="skip" to leave such files out and count them',
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _passages(section: Section, name: str, max_chars: int, url: str, unique: Unique) -> Iterator[Passage]:
    slug = "/".join(_NOT_SLUG.sub("-", heading.casefold()).strip("-") for heading in section.path)
    for piece in pieces(section, max_chars):
        start, end = piece.start + 1, piece.end
        yield Passage(
            id=unique(f"{name}#{slug}" if slug else name),
            text=piece.text,
            title=" > ".join(section.path) or name,
            source=f"{name}:{start}-{end}",
            url=address(url, name, start, end),
        )
