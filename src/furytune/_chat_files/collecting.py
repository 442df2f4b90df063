"""Collects pairs from an export of any platform: the part that all collectors of exports share."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from attrs import field, frozen

from furytune import pairing
from furytune._channels.channel import Channel
from furytune._channels.pairing import OnDrop, as_pairers, conversation, methods, paired
from furytune._channels.profiles import profiles
from furytune._channels.selection import channel_names, chosen_channels
from furytune._chat_files.files import ExportFiles, open_exports
from furytune._chat_files.rows import Faults
from furytune._chat_files.said import Archive, Place, Said, Thread
from furytune._chat_files.shelf import Shelf
from furytune._chat_files.talk import Crowd, Talk
from furytune._privacy.consent import Consent
from furytune._privacy.printable import printable
from furytune._privacy.pseudonyms import Pseudonyms
from furytune._readers.limits import MAX_MESSAGE, MAX_MESSAGES, MAX_PAIR, Limits
from furytune._values.checks import at_least, bytes_or_none, of_type, one_of
from furytune._values.copies import Sayings
from furytune.errors import ConfigError, SourceError
from furytune.pairing import Conversation, Link, Pairer
from furytune.records import Dropped, Message, QAPair
from furytune.report import ChannelProfiles

__all__ = ["ChatExportCollector", "Opened", "Opener"]

_MOST_BYTES = 16 << 20
_FAILED = frozenset({"damaged", "malformed_file", "too_large", "truncated", "unreadable"})


@frozen(kw_only=True)
class Opened:
    """What an opener gets to know.

    Attributes:
        root: What the user gave to the collector.
        exports: The exports, oldest first.
        private: Whether private channels are read.
        faults: What happens to damaged parts.
    """

    root: Path
    exports: Sequence[ExportFiles]
    private: bool
    faults: Faults


class Opener(Protocol):
    """**Protocol:** opens the exports of one platform."""

    def __call__(self, opened: Opened, /) -> Archive:
        """Returns the export, with everything but its messages read.

        Raises:
            SourceError: It is not an export of the platform.
            SourceFormatError: A file that describes the export is damaged.
        """
        ...


def _as_path(path: str | os.PathLike[str]) -> Path:
    """Converts the path of an export."""
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"path must be one file or folder, not a {type(path).__name__}")
    return Path(path)


@frozen
class _Chosen:
    """A channel that can be chosen."""

    channel: Channel


@frozen
class ChatExportCollector:
    """Pairs from the export of a chat. A subclass has an opener for its platform, and describes the arguments."""

    opener: ClassVar[Opener]

    path: Path = field(converter=_as_path)
    on_error: Literal["raise", "skip"] = field(
        default="raise", kw_only=True, validator=one_of("raise", "skip")
    )
    pairers: tuple[Pairer, ...] | None = field(default=None, kw_only=True, converter=as_pairers)
    consent: Consent = field(default=Consent(), kw_only=True, validator=of_type(Consent))
    author_key: bytes | None = field(default=None, kw_only=True, repr=False, validator=bytes_or_none)
    channels: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    exclude: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    private_channels: bool = field(default=False, kw_only=True, validator=of_type(bool))
    window: int = field(default=50_000, kw_only=True, validator=at_least(2))
    include_bots: bool = field(default=False, kw_only=True, validator=of_type(bool))
    max_message_bytes: int = field(default=_MOST_BYTES, kw_only=True, validator=at_least(1024))
    max_message: int = field(default=MAX_MESSAGE, kw_only=True, validator=at_least(1))
    max_pair: int = field(default=MAX_PAIR, kw_only=True, validator=at_least(1))
    max_messages: int = field(default=MAX_MESSAGES, kw_only=True, validator=at_least(1))

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops, channel by channel, each channel before its threads.

        Raises:
            ConfigError: ``consent`` names a role that no one in the export has, or ``channels`` or ``exclude`` names a
                channel that is not in the export.
            SourceError: There is nothing to read, or no message could be read.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        drops: list[Dropped] = []
        pairers = methods(self.pairers, self.window)
        for talk, place in self._talks(drops.append):
            yield from drops
            drops.clear()
            yield from paired(talk, place, pairers, drops)
        yield from drops

    def profile(self, *, on_drop: OnDrop | None = None) -> ChannelProfiles:
        """Returns what there is to learn in each channel, the one with the most to learn first. Print it.

        Args:
            on_drop: Called for everything that is in no pair, as `collect` yields it.

        Raises:
            ConfigError: ``consent`` names a role that no one in the export has, or ``channels`` or ``exclude`` names a
                channel that is not in the export.
            SourceError: There is nothing to read, or no message could be read.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        tell = on_drop or (lambda _: None)
        pairers = methods(self.pairers, self.window)
        talks = self._talks(tell)
        return profiles(((talk, paired(talk, place, pairers, [])) for talk, place in talks), tell)

    def links(self, *, on_drop: OnDrop | None = None) -> Iterator[Link]:
        """Yields which message each message answers, channel by channel.

        A message of a bot, of the system, or of someone who does not take part has a link without a parent.

        Args:
            on_drop: Called for everything that has no link; see `messages`.

        Raises:
            ConfigError: ``consent`` names a role that no one in the export has, or ``channels`` or ``exclude`` names a
                channel that is not in the export.
            SourceError: There is nothing to read, or no message could be read.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        for talk, _ in self._talks(on_drop or (lambda _: None)):
            yield from (link for _, link in pairing.Linker().links(talk))

    def messages(self, *, on_drop: OnDrop | None = None) -> Iterator[Message]:
        """Yields every message, including those of bots and the system, each id once.

        Args:
            on_drop: Called for everything that is left out: duplicates, channels that are not read, messages whose
                authors do not take part, and with ``on_error="skip"`` malformed parts.

        Raises:
            ConfigError: ``consent`` names a role that no one in the export has, or ``channels`` or ``exclude`` names a
                channel that is not in the export.
            SourceError: There is nothing to read, or no message could be read.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        tell = on_drop or (lambda _: None)

        def withheld(said: Said, why: str) -> None:
            tell(Dropped(reason=why, unit="message", ids=(said.id,), where=said.path))

        for talk, _ in self._talks(tell):
            yield from talk.views(withheld)

    def _talks(self, on_drop: OnDrop) -> Iterator[tuple[Talk, Conversation]]:
        """Yields the channels and threads; each must be read before the next."""
        failed: list[Dropped] = []

        def tell(dropped: Dropped) -> None:
            if dropped.unit == "file" and dropped.reason in _FAILED and len(failed) < 4:
                failed.append(dropped)
            on_drop(dropped)

        limits = Limits(message=self.max_message, pair=self.max_pair, messages=self.max_messages)
        read, sayings = 0, Sayings()
        with ExitStack() as stack:
            exports = open_exports(self.path, tell, stack)
            faults = Faults(self.on_error == "skip", tell, self.max_message_bytes)
            archive = type(self).opener(
                Opened(root=self.path, exports=exports, private=self.private_channels, faults=faults)
            )
            crowd = Crowd.of(archive, self.consent, Pseudonyms(self.author_key))
            found = [_Chosen(channel) for channel in archive.channels]
            chosen = {
                one.channel.id: one.channel
                for one in chosen_channels(found, self.channels, self.exclude, tell)
            }
            for portion in archive.portions(chosen.keys()):
                with Shelf() as shelf:
                    for place, said in portion:
                        shelf.put(place, said)
                        read += 1
                    for thread, messages, first in _rooms(archive, shelf, chosen, tell):
                        missing = bool(thread.opener) and first.id != thread.opener
                        yield (
                            Talk(
                                thread,
                                messages,
                                first.path,
                                crowd,
                                limits,
                                include_bots=self.include_bots,
                                sayings=sayings,
                            ),
                            conversation(thread.channel, archive.platform, opening_missing=missing),
                        )
        if not read and failed:
            reasons = "; ".join(f"{drop.where}: {drop.detail or drop.reason}" for drop in failed[:3])
            more = "; and more" if len(failed) > 3 else ""
            raise SourceError(
                f"{printable(self.path)}: no message could be read ({reasons}{more}); export again, or unpack the archive"
            )


def _rooms(
    archive: Archive, shelf: Shelf, chosen: dict[str, Channel], on_drop: OnDrop
) -> Iterator[tuple[Thread, Iterator[Said], Said]]:
    """Yields each channel and thread with its messages, and its first message.

    An export that was made before the first reply has the opening message of a thread outside of it. Such a message
    belongs to the thread.
    """
    places = shelf.places()
    # There can be a hundred thousand threads, so only their ids are kept.
    openers = {archive.thread(place).opener: place for place in places if place.thread}
    openers.pop("", None)
    moved: dict[Place, list[Said]] = {}
    for place in places:
        repeated = Counter[str]()
        messages = shelf.messages(place, repeated)
        if not place.thread:
            thread = Thread(channel=chosen[place.channel])
            messages = _without(messages, openers, moved) if openers else messages
        else:
            thread = archive.thread(place)
            messages = _opened(moved.pop(place), messages, repeated) if place in moved else messages
        first = next(messages, None)
        if first is not None:
            yield thread, itertools.chain([first], messages), first
        for where, count in sorted(repeated.items()):
            on_drop(Dropped(reason="duplicate", unit="message", count=count, where=where))


def _without(
    messages: Iterator[Said], openers: dict[str, Place], moved: dict[Place, list[Said]]
) -> Iterator[Said]:
    for said in messages:
        place = openers.get(said.id)
        if place is None:
            yield said
        else:
            moved.setdefault(place, []).append(said)


def _opened(opening: list[Said], messages: Iterator[Said], repeated: Counter[str]) -> Iterator[Said]:
    first = next(messages, None)
    if first is None or first.id != opening[0].id:
        yield opening[0]
    else:
        repeated[opening[0].path] += 1
    if first is not None:
        yield from itertools.chain([first], messages)
