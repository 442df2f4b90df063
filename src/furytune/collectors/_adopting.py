"""Takes DiscordChatExporter files into a journal."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import msgspec
from attrs import evolve, frozen

from furytune.collectors._discord_files import ChannelFiles, find_files, in_channels, open_file
from furytune.collectors._discord_json import Forwarded, FullMessage
from furytune.collectors._discord_pairs import OnDrop
from furytune.collectors._discord_text import text_of
from furytune.collectors._json_stream import BLOCK, LIMIT
from furytune.collectors._names import printable
from furytune.errors import SourceError
from furytune.journal import messages as kept
from furytune.journal._lines import ChannelState
from furytune.journal.store import About, Journal
from furytune.pairing.posts import id_number
from furytune.records import Dropped

__all__ = ["Adopted", "adopt"]

Line = tuple[int, bytes]


@frozen(kw_only=True)
class Adopted:
    """What was taken into a journal.

    Attributes:
        channels: Channels and threads that were in the export.
        messages: Messages that the journal did not hold before.
    """

    channels: int = 0
    messages: int = 0


def adopt(journal: Journal, path: str | os.PathLike[str], on_drop: OnDrop) -> Adopted:
    """Merges an export into a journal; see `furytune.collectors.journal.JournalCollector.adopt`."""
    files = [
        open_file(file, name, skip=False, block=BLOCK, limit=LIMIT) for file, name in find_files(Path(path))
    ]
    channels = in_channels(files)
    guild = _guild(journal, channels, path)
    with journal.writing():
        if not journal.there:
            journal.save(About(guild=guild))
        forgotten = journal.forgotten()
        done = Adopted(channels=len(channels))
        for channel in channels:

            def lines(channel: ChannelFiles = channel) -> Iterator[Line]:
                for block, _ in channel.messages(FullMessage, on_drop):
                    for message in block:
                        number = id_number(message.id)
                        if number is None:
                            on_drop(Dropped(reason="no_id", unit="message", where=channel.name))
                        elif forgotten.has(message.author.id, message.id):
                            on_drop(Dropped(reason="forgotten", unit="message", ids=(message.id,)))
                        else:
                            yield number, kept.line_of(_kept(message))

            done = evolve(done, messages=done.messages + _merge(journal, channel, lines()))
        return done


def _guild(journal: Journal, channels: list[ChannelFiles], path: str | os.PathLike[str]) -> str:
    known = journal.about().guild if journal.there else ""
    for channel in channels:
        name = f"{printable(path)}: {channel.name}"
        if id_number(channel.channel.id) is None or id_number(channel.channel.guild) is None:
            raise SourceError(
                f"{name}: the export does not say the ids of its server and channel; export again"
            )
        known = known or channel.channel.guild
        if channel.channel.guild != known:
            raise SourceError(
                f"{name}: an export of server {channel.channel.guild}, but this journal is of server {known}; "
                "give each server a journal of its own"
            )
    return known


def _merge(journal: Journal, source: ChannelFiles, lines: Iterator[Line]) -> int:
    """Merges a channel's lines into its log; returns how many were new."""
    log = journal.log(source.channel.id)
    before = log.peek()
    late: list[Line] = []
    new = top = 0

    def ascending() -> Iterator[Line]:
        nonlocal top
        for line in lines:
            if line[0] > top:
                top = line[0]
                yield line
            else:
                late.append(line)

    def merged(fresh: Iterator[Line]) -> Iterator[Line]:
        nonlocal new
        last = 0
        # Of two lines with one id the log's own comes first, and stays.
        for uid, line, ours in heapq.merge(
            ((uid, line, True) for uid, line in log.lines()),
            ((uid, line, False) for uid, line in fresh),
            key=itemgetter(0),
        ):
            if uid != last:
                new += not ours
                yield uid, line
            last = uid

    channel = source.channel
    state = before.channel or ChannelState(channel.id, channel.kind, channel.name, channel.parent)
    log.rewrite(merged(ascending()), before.position, state)
    if late:
        log.rewrite(merged(iter(sorted(late))), before.position, state)
    position = before.position
    if position.read == "0":
        position = msgspec.structs.replace(position, read=str(top))
        with log:
            log.append(position)
    return new


def _kept(message: FullMessage) -> kept.Kept:
    reference, forwarded = message.reference, message.forwarded_message
    return kept.Kept(
        id=message.id,
        type=message.type,
        content=text_of(message) if forwarded is None else message.content,
        author=kept.Writer(message.author.id, message.author.is_bot),
        timestamp=message.timestamp or "",
        timestamp_edited=message.timestamp_edited,
        is_pinned=message.is_pinned,
        reference=None
        if reference is None
        else kept.Reference(message_id=reference.message_id, channel_id=reference.channel_id),
        attachments=[
            kept.Attachment(a.id or "", (a.url or "").partition("?")[0], a.file_name or "", a.file_size_bytes)
            for a in message.attachments or ()
        ],
        embeds=message.embeds or [],
        stickers=[kept.Sticker(s.id or "", s.name or "") for s in message.stickers or ()],
        reactions=[
            kept.Reaction(kept.Emoji(r.emoji.name or r.emoji.code or ""), r.count)
            for r in message.reactions or ()
        ],
        forwarded_message=_forwarded(forwarded),
    )


def _forwarded(forwarded: Forwarded | None) -> kept.Forwarded | None:
    return None if forwarded is None else kept.Forwarded(content=forwarded.content or "")
