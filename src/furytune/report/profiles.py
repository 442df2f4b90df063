"""What there is to learn in each channel, and how that looks as a table."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import overload

from attrs import field, frozen

from furytune._privacy.printable import one_line
from furytune._values.shown import Shown

__all__ = ["SURE", "ChannelProfile", "ChannelProfiles"]

SURE = 0.8
"""The confidence from which a pair counts as sure; the default of `MinConfidence`."""
_WORTH_ALL = 0.75
"""From this share of pairs worth training on, all pairs of a channel are."""
_FEW = 10
"""Fewer pairs worth training on change little in a model."""

_NARROWEST, _WIDEST = 40, 80
_NAME = 14
"""Least columns for a name beside the numbers."""
_LANGUAGES = 3
_HEADINGS = ("messages", "pairs", f">={SURE}", "used", "team", "worth")
_LEGEND = (
    "used: messages in pairs; team: messages of a team about its own work; worth: pairs that are probably worth "
    "training on"
)


@frozen(kw_only=True, repr=False)
class ChannelProfile(Shown):
    """What there is to learn in a channel, with its threads, or in a forum.

    Attributes:
        id: Id of the channel, "" if it is not known.
        name: Its name, "" if it is not known.
        messages: How many messages may be in pairs: people wrote them, and their authors take part.
        pairs: How many pairs were found.
        sure: How many of them have a confidence of 0.8 or more, which `MinConfidence` keeps by default.
        used: Share of the messages that are in pairs, between 0 and 1.
        team_talk: Share of the messages that were dropped as "team_talk", between 0 and 1.
        expected: Mean confidence of the pairs: the share that a maintainer would probably keep. 0 without pairs.
        languages: ISO 639-1 code and share of each language, by the questions in pairs, the most frequent first. ""
            stands for questions whose language is not clear.
    """

    id: str
    name: str = ""
    messages: int
    pairs: int = 0
    sure: int = 0
    used: float = 0.0
    team_talk: float = 0.0
    expected: float = 0.0
    languages: tuple[tuple[str, float], ...] = ()

    @property
    def advice(self) -> str:
        """What to do with the channel.

        - "take it": at least three of four pairs are probably worth training on, and these are 10 or more.
        - "take it with MinConfidence(0.8)": 10 or more pairs have at least this confidence.
        - "little to learn here": neither is the case.
        """
        if self.expected >= _WORTH_ALL and self.expected * self.pairs >= _FEW:
            return "take it"
        return f"take it with MinConfidence({SURE})" if self.sure >= _FEW else "little to learn here"


def _all(channels: Iterable[ChannelProfile]) -> tuple[ChannelProfile, ...]:
    return tuple(channels)


@frozen(repr=False)
class ChannelProfiles(Sequence[ChannelProfile], Shown):
    """The profiles of the channels of a server, the one with the most to learn first; ``print`` shows a table.

    Attributes:
        channels: One profile for each channel.
    """

    channels: tuple[ChannelProfile, ...] = field(converter=_all)

    def __len__(self) -> int:
        return len(self.channels)

    @overload
    def __getitem__(self, at: int) -> ChannelProfile: ...
    @overload
    def __getitem__(self, at: slice) -> ChannelProfiles: ...
    def __getitem__(self, at: int | slice) -> ChannelProfile | ChannelProfiles:
        return ChannelProfiles(self.channels[at]) if isinstance(at, slice) else self.channels[at]

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "channels", str(len(self))
        yield "pairs", str(sum(channel.pairs for channel in self))

    def __str__(self) -> str:
        """Returns the table, no wider than the terminal if that has 40 columns or more, and never wider than 80."""
        columns = shutil.get_terminal_size().columns
        return "\n".join(_table(self.channels, max(_NARROWEST, min(_WIDEST, columns))))


def _table(channels: Sequence[ChannelProfile], width: int) -> Iterator[str]:
    """Yields the lines of a table; in a narrow terminal, a name has a line of its own above the numbers."""
    rows = [_HEADINGS, *map(_numbers, channels)]
    names = ["channel", *map(_named, channels)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    room = width - sum(widths) - 2 * len(widths)
    beside = min(room, max(map(_columns, names))) if room >= _NAME else 0
    gap = "  " if beside else " "
    for name, row, channel in zip(names, rows, (None, *channels), strict=True):
        numbers = gap.join(cell.rjust(most) for cell, most in zip(row, widths, strict=True))
        if not beside and channel is not None:
            yield _fitted(name, width).rstrip()
        yield f"{_fitted(name, beside) if beside else ''}{gap}{numbers}"
        if channel is not None:
            yield from _wrapped(f"{channel.advice}{_spoken(channel)}", width, "  ")
    yield from _wrapped(_LEGEND, width)


def _numbers(channel: ChannelProfile) -> tuple[str, ...]:
    return (
        f"{channel.messages:,}",
        f"{channel.pairs:,}",
        f"{channel.sure:,}",
        f"{channel.used:.0%}",
        f"{channel.team_talk:.0%}",
        f"{channel.expected:.0%}" if channel.pairs else "-",
    )


def _spoken(channel: ChannelProfile) -> str:
    """Returns the languages of a channel, after its advice."""
    shown = [f"{code or 'unclear'} {share:.0%}" for code, share in channel.languages[:_LANGUAGES]]
    more = ["..."] if len(channel.languages) > _LANGUAGES else []
    return f" ({', '.join(shown + more)})" if shown else ""


def _named(channel: ChannelProfile) -> str:
    return f"#{one_line(channel.name)}" if channel.name else channel.id or "(no id)"


def _wrapped(text: str, width: int, indent: str = "") -> Iterable[str]:
    return wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _columns(text: str) -> int:
    """Returns how many columns of a terminal a text takes: Chinese, Japanese and Korean characters and emoji take two."""
    return sum(map(_breadth, text))


def _breadth(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _fitted(text: str, columns: int) -> str:
    """Returns a text that takes so many columns, cut or filled up with blanks."""
    taken = _columns(text)
    if taken > columns:
        kept, taken = "", 1
        for char in text:
            if taken + _breadth(char) > columns:
                break
            kept += char
            taken += _breadth(char)
        text = f"{kept}…"
    return text + " " * (columns - taken)
