"""How the texts of each platform are read, and how people are taken out of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from furytune.pairing.discourse import DISCOURSE, read_discourse, unquoted
from furytune.pairing.markdown import GITHUB, Markdown, Names, read_markdown, without_people

__all__ = ["Platform", "platform_of"]


class Reading(Protocol):
    """**Protocol:** reads a post."""

    def __call__(self, body: str, *, reply: bool = False) -> Markdown:
        """Returns its text; ``reply`` is True for all posts but the opening one."""
        ...


@frozen
class Platform:
    """The form of a platform's texts.

    Attributes:
        read: Reads a post.
        names: How names of accounts are written.
        unquoted: Removes the quotations of some people, if the platform says whom a quotation quotes.
    """

    read: Reading
    names: Names
    unquoted: Callable[[str, Callable[[str], bool]], str] | None = None

    def without_people(self, text: str, gone: Callable[[str], bool]) -> str:
        """Returns a text in which some people are called "ghost"."""
        return without_people(text, gone, self.names)


_PLATFORMS = {
    "github": Platform(read_markdown, GITHUB),
    "discourse": Platform(read_discourse, DISCOURSE, unquoted),
}


def platform_of(name: str) -> Platform:
    """Returns the form of a platform's texts by its name in a journal; an unknown one has Markdown as GitHub does."""
    return _PLATFORMS.get(name, _PLATFORMS["github"])
