"""Makes passages from a document, and reports what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import field, frozen

from furytune._python_source.files import Unique, address
from furytune.corpora._text.blocks import Document, Piece, Section, pieces, sections
from furytune.corpora._text.sizes import Sizes
from furytune.errors import ConfigError
from furytune.records import Dropped, Passage

__all__ = ["Making", "cut_code_note", "passages_of"]

_NOT_SLUG = re.compile(r"[^\w.]+")


@frozen(kw_only=True)
class Making:
    """The settings that all passages of a corpus share.

    Raises:
        ConfigError: The URL pattern needs a revision that is not known.
    """

    sizes: Sizes
    url: str
    revision: str
    unique: Unique = field(factory=Unique, init=False)

    def __attrs_post_init__(self) -> None:
        if "{revision}" in self.url and not self.revision:
            raise ConfigError(
                "url contains {revision}, but the revision is not known; pass revision=, or write it into url"
            )

    def passage(
        self,
        name: str,
        *,
        title: str,
        text: str,
        file: str,
        where: str,
        start: int | str,
        end: int | str,
        anchor: str = "",
        page: str = "",
    ) -> Passage:
        """Makes a passage; ``where`` is its place in the file, such as "10-42".

        Args:
            name: The id, unless another passage has it.
            title: What a reader sees as its heading.
            text: Its text.
            file: Path of the file.
            where: Its place in the file, such as ":10-42".
            start: First line or cell, for the address.
            end: Last line or cell.
            anchor: Anchor on an HTML page.
            page: Path below the source.
        """
        at = f"@{self.revision}" if self.revision else ""
        return Passage(
            id=self.unique(name, text),
            text=text,
            title=title,
            source=f"{file}{where}{at}",
            url=address(
                self.url, path=file, start=start, end=end, revision=self.revision, anchor=anchor, page=page
            ),
        )


def passages_of(document: Document, name: str, below: str, making: Making) -> Iterator[Passage | Dropped]:
    """Yields the passages of a file, then its drops; ``below`` is its path below the source.

    Args:
        document: The file.
        name: Its path, for citations.
        below: Its path below the source, for addresses.
        making: Makes the passages.
    """
    cut = 0
    for section in sections(document):
        for piece in pieces(section, making.sizes):
            yield _passage(section, piece, name, below, making)
            cut += piece.cut
    for reason, count in sorted(document.dropped.items()):
        yield Dropped(reason=reason, unit="record", count=count, where=name)
    if cut:
        yield cut_code_note(cut, name)


def cut_code_note(count: int, name: str) -> Dropped:
    """Returns the drop that counts parts of code blocks that had to be split; no code is lost."""
    return Dropped(
        reason="cut_code_block",
        unit="record",
        count=count,
        where=name,
        detail="parts of code blocks over max_tokens, split between lines; all parts are passages",
    )


def _passage(section: Section, piece: Piece, name: str, below: str, making: Making) -> Passage:
    """Makes the passage of a piece, with its id, title and citation."""
    document = section.document
    start, end = piece.start, piece.end - 1
    # A citation should not begin or end with blank lines.
    while start < end and not document.lines[start].strip():
        start += 1
    while end > start and not document.lines[end].strip():
        end -= 1
    first, last = (document.origin[start], document.origin[end]) if document.origin else (start + 1, end + 1)
    path = section.path
    # The id is made of headings instead of line numbers, so text inserted above does not change it.
    slug = "/".join(_NOT_SLUG.sub("-", heading.casefold()).strip("-") for heading in path)
    where = f":{first}-{last}"
    if document.unit == "anchor":
        where = f"#{section.anchor}" if section.anchor else ""
    elif document.unit:
        where = f":{document.unit} {first}" + (f"-{last}" if last > first else "")
    return making.passage(
        f"{name}#{slug}" if slug else name,
        title=" > ".join(path) or name,
        text=piece.text,
        file=name,
        where=where,
        start="" if document.unit == "anchor" else first,
        end="" if document.unit == "anchor" else last,
        anchor=section.anchor,
        page=below,
    )
