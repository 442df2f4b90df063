"""Turns documentation into passages: Markdown, reStructuredText, notebooks, HTML, examples and plain text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from attrs import evolve

from furytune._python_source.files import (
    OnError,
    UnfitError,
    check_address,
    check_on_error,
    excluded,
    text_of,
)
from furytune._python_source.opening import open_tree
from furytune._python_source.trees import Entry, Tree
from furytune.corpora._text.blocks import Document
from furytune.corpora._text.cells import notebook, script
from furytune.corpora._text.front_matter import front_matter
from furytune.corpora._text.html import html, html_ready
from furytune.corpora._text.markdown import markdown, plain
from furytune.corpora._text.mdx import mdx
from furytune.corpora._text.passages import Making, passages_of
from furytune.corpora._text.rst import rst
from furytune.corpora._text.sizes import MAX_TOKENS, Sizes
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped, Passage

__all__ = ["markup"]

_SUFFIXES = (".md", ".markdown", ".mdx", ".rst", ".txt", ".ipynb")
_FORMATS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "mdx",
    ".rst": "rst",
    ".ipynb": "notebook",
    ".html": "html",
    ".htm": "html",
    ".py": "example",
}
_PLAIN = {"rst": rst, "text": plain}
_KNOWN = frozenset((*_FORMATS.values(), "text"))


def markup(
    source: str | os.PathLike[str],
    *,
    revision: str = "",
    folder: str = "",
    suffixes: tuple[str, ...] | Mapping[str, str] = _SUFFIXES,
    exclude: tuple[str, ...] = (),
    max_tokens: int = MAX_TOKENS,
    encoding: str = "",
    max_bytes: int = 16 << 20,
    url: str = "",
    on_error: OnError = "skip",
) -> Iterator[Passage | Dropped]:
    """Turns documentation into passages.

    Every section becomes a passage, and a long section becomes several. The title is the path of headings
    (``Guide > Install``); the source is ``docs/guide.md:10-42``, plus ``@v1.0`` if the revision is known. The id is the
    file and the headings (``docs/guide.md#guide/install``). If that id is taken, a digest of the passage's text is added,
    so an id does not change when other sections do. A heading without text is joined with the next section.

    A section is split between paragraphs, and a paragraph of more than ``max_tokens`` between lines or words. Code blocks,
    directives, admonitions and tables are split only if one of them is too long by itself: code between lines, at the
    start of a statement if possible. The text is that of the file, without what a reader of the page does not see: roles
    and links become their text; comments, targets, images and lists of contents are left out and counted.

    Args:
        source: Folder, file, archive (sdist, wheel, ``.zip``, ``.tar.*``; read in memory), or git checkout.
        revision: Tag, commit or branch of the git repository that contains ``source``. Files are read from git's objects;
            the working tree does not matter. For a folder without git, furytune trusts what you pass.
        folder: Read only this folder below the source, such as ``docs/source``. The default is all but hidden folders.
        suffixes: Which files to read: ``.md`` as Markdown (CommonMark's headings and fences, MyST's and MkDocs's
            directives), ``.rst`` as reStructuredText, ``.ipynb`` as notebook, ``.html`` and ``.htm`` as HTML (extra
            ``html``), ``.py`` as an example with prose in comments, all others as plain text without headings. A mapping
            chooses the format: ``{".txt": "rst"}``, with "markdown", "rst", "notebook", "html", "example" or "text".
        exclude: Files to leave out, as patterns of their path below the source: ``posts/*`` means everything in a folder
            and below it, ``*/changelog.md`` a name in any folder.
        max_tokens: Maximum size of a passage in tokens: estimated as three bytes of UTF-8 each, or counted.
        encoding: Name of a tiktoken vocabulary to count tokens exactly (extra ``tokens``).
        max_bytes: Larger files are left out without being read.
        url: Pattern for the passages' URLs, with ``{path}``, ``{start}``, ``{end}``, ``{revision}``, ``{page}`` (the path
            below the source) and, for HTML, ``{anchor}``. For notebooks, start and end count cells.
        on_error: What to do with a file that cannot be used: "skip" it and yield a drop, or "raise".

    Yields:
        Passages in order of path and line, and a `Dropped` for everything that was left out. Files: ``not_utf8``,
        ``binary``, ``not_notebook``, ``too_deep``, ``too_large``, ``unreadable``, ``empty_file``, ``excluded``, ``link``,
        ``bad_name``. Parts of files (unit "record"): ``toctree``, ``include``, ``autodoc``, ``image``, ``raw``,
        ``metadata``, ``comment``, ``target``, ``option``, ``front_matter``, ``output``, ``raw_cell``, ``navigation``. The
        reason ``cut_code_block`` counts parts of code blocks that were too long to stay whole; no code is lost.

    Raises:
        ConfigError: An option is not valid, or git is needed and not installed.
        KnowledgeError: The source, revision or folder does not exist, or no file has one of the suffixes.
        MissingExtraError: A package for reading HTML or counting tokens is needed and not installed.
        SourceFormatError: A file cannot be used, with ``on_error="raise"``.
    """
    check_on_error(on_error)
    check_address(url)
    sizes = Sizes(max_tokens, encoding)
    formats = _formats(suffixes)
    tree = open_tree(
        source,
        wanted=lambda name: name.lower().endswith(tuple(formats)),
        revision=revision,
        folder=folder,
        max_bytes=max_bytes,
    )
    making = Making(sizes=sizes, url=url, revision=tree.revision)
    if not tree.entries and all(drop.reason == "other_suffix" for drop in tree.dropped):
        there = ", ".join(f"{drop.where} ({drop.count})" for drop in tree.dropped[:10]) or "no file"
        raise KnowledgeError(
            f"{source}: no file ends in {', '.join(formats)} (found: {there});"
            " pass the folder of the documentation, or other suffixes"
        )
    if any(_format(e, formats) == "html" for e in tree.entries):
        # Before the first passage: a missing package should not be noticed after an hour of reading.
        html_ready()
    return _read(tree, formats, exclude, making, on_error)


def _formats(suffixes: tuple[str, ...] | Mapping[str, str]) -> dict[str, str]:
    """Returns the format for each suffix, in lower case.

    Raises:
        ConfigError: A suffix lacks its period, or a format is unknown.
    """
    if isinstance(suffixes, Mapping):
        formats = {s.lower(): f for s, f in suffixes.items()}
    else:
        formats = {s.lower(): _FORMATS.get(s.lower(), "text") for s in suffixes}
    if not formats or not all(s.startswith(".") for s in formats) or not _KNOWN.issuperset(formats.values()):
        raise ConfigError(
            "suffixes must be file suffixes with their period, such as ('.md', '.rst'), or a mapping of them to"
            f" {', '.join(sorted(_KNOWN))}"
        )
    return formats


def _format(entry: Entry, formats: Mapping[str, str]) -> str:
    """Returns the format of a file, by its longest suffix that is known."""
    name = entry.name.lower()
    # The longest suffix wins, so that ".md.txt" can have a format of its own.
    return formats[max((s for s in formats if name.endswith(s)), key=len)]


def _read(
    tree: Tree, formats: Mapping[str, str], exclude: tuple[str, ...], making: Making, on_error: OnError
) -> Iterator[Passage | Dropped]:
    """Yields the passages and drops of all files."""
    yield from tree.dropped
    left_out = 0
    for entry in tree.entries:
        if excluded(entry.below, exclude):
            left_out += 1
            continue
        try:
            document = _document(entry, _format(entry, formats))
        except UnfitError as error:
            if on_error == "raise":
                raise
            yield error.dropped()
            continue
        if document is None:
            yield Dropped(reason="empty_file", unit="file", where=entry.name)
        else:
            yield from passages_of(document, entry.name, entry.below, making)
    if left_out:
        yield Dropped(reason="excluded", unit="file", count=left_out)


def _document(entry: Entry, form: str) -> Document | None:
    """Reads a file; returns None if it is empty.

    Raises:
        UnfitError: The file cannot be used in its format.
    """
    text = text_of(entry.read(), entry.name)
    if not text.strip():
        return None
    try:
        if form == "notebook":
            return notebook(text, entry.name)
        if form == "example":
            return script(text)
        lines = text.split("\n")
        if form in ("markdown", "mdx"):
            return markdown(lines) if form == "markdown" else mdx(lines)
        start, title = front_matter(lines)
        # Blanked instead of removed, so that line numbers stay those of the file.
        lines[:start] = [""] * start
        document = html("\n".join(lines), entry.name) if form == "html" else _PLAIN[form](lines)
        if start:
            document.dropped["front_matter"] += 1
        return document if document.headings or not title else evolve(document, title=title)
    except RecursionError as error:
        raise UnfitError("too_deep", "the file is nested too deeply", path=entry.name) from error
