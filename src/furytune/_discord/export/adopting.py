"""Adds DiscordChatExporter files to a journal."""

from __future__ import annotations

import heapq
import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path

import msgspec
from attrs import evolve, frozen

from furytune._channels.channel import Channel
from furytune._channels.pairing import OnDrop
from furytune._channels.selection import named
from furytune._discord.conversations import check_content
from furytune._discord.crawl.convert import kept_embed
from furytune._discord.export.files import ChannelFiles, instant, open_files
from furytune._discord.journal import messages as kept
from furytune._discord.journal.store import About, Journal
from furytune._discord.shapes import FullMessage, Member, Mention, ThinMessage
from furytune._discord.text import SAID, is_bare, restore_mentions, text_of, title_of
from furytune._privacy.ids import id_number
from furytune._privacy.printable import printable
from furytune._readers.json_stream import BLOCK, LIMIT
from furytune._storage.journal.lines import GONE, ChannelState
from furytune._values.shown import Shown
from furytune.errors import SourceError
from furytune.records import Dropped

__all__ = ["Adopted", "adopt"]

Line = tuple[int, bytes, datetime]
"""Id, line and time of the export that the line comes from."""

# Discord counts the time in its ids from the first one. The last one means a time that a file does not state.
_FIRST = datetime(2015, 1, 1, tzinfo=UTC)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)
_MILLISECOND = 1 << 22  # in an id


class _NothingNewError(Exception):
    """Cancels the rewrite of a log that would not change."""


@frozen(kw_only=True, repr=False)
class Adopted(Shown):
    """What adopting an export changed in a journal.

    Attributes:
        channels: Channels and threads in the export.
        messages: Messages that were not in the journal before.
        changed: Messages whose state in the export is newer than the one in the journal was.
        partial: Channels, by name and id, whose files may leave something out. Until the next live run reads what is
            missing, the journal has holes there.
    """

    channels: int = 0
    messages: int = 0
    changed: int = 0
    partial: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"channels  {self.channels:>9,}  in the export, threads included",
            f"messages  {self.messages:>9,}  new",
            f"          {self.changed:>9,}  in a newer state",
            *(
                f"partial   {name}: the files leave something out; the next update() will read it"
                for name in self.partial
            ),
            "Exports do not say if they were made with a filter: refresh() reads what a filter left out.",
        ]
        return "\n".join(lines)


def adopt(journal: Journal, path: str | os.PathLike[str], on_drop: OnDrop) -> Adopted:
    """Merges an export into a journal; see `furytune.collectors.journal.JournalCollector.adopt`.

    Raises:
        SourceError: There is nothing to read, all messages are empty, or the journal belongs to another server.
        SourceFormatError: A file is malformed.
    """
    channels, _ = open_files(Path(path), on_drop, skip=False, block=BLOCK, limit=LIMIT)
    if not channels:
        raise SourceError(
            f"{printable(path)}: no file is an export of DiscordChatExporter; export with `--format Json`"
        )
    guild = _guild(journal, channels, path)
    # An export without texts would only fill the journal with empty messages.
    _check_content(channels)
    with journal.writing():
        about = journal.about() if journal.there else About(guild=guild)
        adopted = tuple(sorted({*about.adopted, *(c.channel.id for c in channels)}, key=int))
        # Before the first message: if this is interrupted, the next live run still knows that erased messages
        # may be back.
        journal.save(msgspec.structs.replace(about, unsettled=True, adopted=adopted))
        forgotten = journal.forgotten()
        done = Adopted(channels=len(channels))
        for channel in channels:
            # The default binds the channel of this turn; a closure would see the last one.
            def lines(channel: ChannelFiles = channel) -> Iterator[Line]:
                exported = {file.name: instant(file.channel.exported) for file in channel.files}
                for block, name in channel.messages(FullMessage, on_drop):
                    for message in block:
                        number = id_number(message.id)
                        if number is None:
                            on_drop(Dropped(reason="no_id", unit="message", where=channel.name))
                        elif (
                            forgotten.has(message.author.id, message.id)
                            or kept.original_of(message) in forgotten.messages
                        ):
                            on_drop(Dropped(reason="forgotten", unit="message", ids=(message.id,)))
                        else:
                            line = kept.line_of(_kept(message, channel.channel))
                            yield number, kept.masked(line, forgotten), exported[name]

            new, changed, whole = _merge(journal, channel, lines(), live=bool(about.permissions))
            done = evolve(
                done,
                messages=done.messages + new,
                changed=done.changed + changed,
                partial=done.partial if whole else (*done.partial, named(channel.channel)),
            )
        return done


def _check_content(channels: list[ChannelFiles]) -> None:
    """Raises an error, before anything is written, if all messages of people are empty; stops at the first text."""
    by_people = 0
    for channel in channels:
        for block, _ in channel.messages(ThinMessage, lambda _: None):
            for message in block:
                if not message.author.is_bot and message.type in SAID:
                    by_people += 1
                    if not is_bare(message):
                        return
    check_content(by_people, by_people)


def _guild(journal: Journal, channels: list[ChannelFiles], path: str | os.PathLike[str]) -> str:
    """Returns the server of an export, after checking that all files and the journal belong to it.

    Raises:
        SourceError: A file lacks its ids, or belongs to another server.
    """
    known = journal.about().guild if journal.there else ""
    for channel in channels:
        name = f"{printable(path)}: {channel.name}"
        if id_number(channel.channel.id) is None or id_number(channel.channel.guild) is None:
            raise SourceError(
                f"{name}: the export does not contain the ids of its server and channel; export again"
            )
        known = known or channel.channel.guild
        if channel.channel.guild != known:
            raise SourceError(
                f"{name}: this is an export of server {channel.channel.guild}, but the journal belongs to server {known}; "
                "give each server a journal of its own"
            )
    return known


def _merge(
    journal: Journal, source: ChannelFiles, lines: Iterator[Line], *, live: bool
) -> tuple[int, int, bool]:
    """Merges a channel's lines into its log.

    Args:
        journal: The journal, being written to.
        source: The channel.
        lines: Its messages.
        live: Whether the journal was read live too; then its state of a message may be newer than any export.

    Returns:
        How many lines were new, how many replaced an older state, and whether nothing is missing below the newest
        message, as far as files and log show.
    """
    log = journal.log(source.channel.id)
    before = log.peek()
    # For a channel that was read live, no export is newer than the journal, unless the message itself says so
    # by its edit.
    known = instant(before.channel.exported) if before.channel and not live else _LAST
    newest = max((file.channel.exported for file in source.files), key=instant)
    # Lines out of order wait for a second merge; an export has few of them.
    late: list[Line] = []
    new = changed = top = 0

    def ascending() -> Iterator[Line]:
        nonlocal top
        for line in lines:
            if line[0] > top:
                top = line[0]
                yield line
            else:
                late.append(line)

    def merged(fresh: Iterator[Line], others: list[Line]) -> Iterator[tuple[int, bytes]]:
        nonlocal new, changed
        ours = ((uid, line, None) for uid, line in log.lines())
        # The merge is stable: if two lines have the same id, the log's own comes first.
        for uid, states in itertools.groupby(heapq.merge(ours, fresh, key=itemgetter(0)), key=itemgetter(0)):
            (_, line, exported), *others_of_it = states
            new += exported is not None
            for _, other, moment in others_of_it:
                if line != other and moment and _is_newer(other, line, moment > known):
                    line = other
                    changed += 1
            yield uid, line
        if not (new or changed or others or state != before.channel) and before.channel is not None:
            raise _NothingNewError

    channel = source.channel
    state = before.channel or ChannelState(
        id=channel.id,
        type=channel.kind,
        name="" if channel.is_thread else channel.name,
        parent=channel.parent,
    )
    if not live and instant(newest) > instant(state.exported):
        state = msgspec.structs.replace(state, exported=newest)
    with suppress(_NothingNewError):
        log.rewrite(merged(ascending(), late), before.position, state)
    if late:
        top = max(top, max(late)[0])
        with suppress(_NothingNewError):
            log.rewrite(merged(iter(sorted(late)), []), before.position, state)
    read = min(top, _whole_up_to(source))
    # Only if the channel was never read live: then live reading begins after the export.
    # A position may only cover what the files certainly contain: live reading never looks below it again.
    if before.position.read == "0" and read:
        with log:
            log.append(msgspec.structs.replace(before.position, read=str(read)))
    # Messages from the millisecond of the export itself are read again; that is not a hole.
    return new, changed, top - int(log.peek().position.read) <= _MILLISECOND


class _State(msgspec.Struct, rename="camel"):
    timestamp_edited: str | None = None


_decode_state = msgspec.json.Decoder(_State).decode


def _is_newer(line: bytes, ours: bytes, exported_later: bool) -> bool:  # noqa: FBT001
    """Returns True if an export's state of a message is newer than the log's; a tombstone is never replaced."""
    if ours.startswith(GONE):
        return False
    edit, our_edit = (instant(_decode_state(text).timestamp_edited) for text in (line, ours))
    return edit > our_edit or (edit == our_edit and exported_later)


def _whole_up_to(source: ChannelFiles) -> int:
    """Returns the id up to which an export is complete, as far as its files show.

    It is 0 if the export begins late, or if a part is missing.
    """
    parts: dict[str, set[int]] = {}
    for file in source.files:
        parts.setdefault(file.part[0], set()).add(file.part[1])
    # A missing part leaves a hole in the middle, and nothing says between which ids.
    if any(len(numbers) < max(numbers) for numbers in parts.values()):
        return 0
    reached: datetime | None = None
    for since, until in sorted(
        (_moment(f.channel.since, _FIRST), _moment(f.channel.until, _LAST)) for f in source.files
    ):
        if since > (reached or _FIRST):
            break
        reached = max(reached or _FIRST, until)
    # Messages from the last millisecond may be missing.
    return 0 if reached is None else max(0, ((reached - _FIRST) // timedelta(milliseconds=1) << 22) - 1)


def _moment(text: str, default: datetime) -> datetime:
    """Reads a time of an export's filter; the default if there is none."""
    if not text:
        return default
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return _LAST
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _writer(author: Member) -> kept.Writer:
    voice = author.is_bot and kept.voice_of(author.id, author.nickname or author.name, author.discriminator)
    return kept.Writer(author.id, author.is_bot, voice or msgspec.UNSET)


def _kept(message: FullMessage, channel: Channel) -> kept.Kept:
    """Returns a message of an export in the form that the journal stores, without names of people."""
    reference = message.reference
    return kept.Kept(
        id=message.id,
        type=message.type,
        content=_said(message),
        author=_writer(message.author),
        timestamp=message.timestamp or "",
        timestamp_edited=message.timestamp_edited,
        is_pinned=message.is_pinned,
        reference=None
        if reference is None
        else kept.Reference(message_id=reference.message_id, channel_id=reference.channel_id),
        attachments=_attachments(message),
        embeds=[kept_embed(embed) for embed in message.embeds or ()],
        stickers=_stickers(message),
        reactions=[
            # Without the id of a custom emoji, a line from an export and one from the API differ; the live
            # state then replaces it.
            kept.Reaction(kept.Emoji(r.emoji.name or r.emoji.code or ""), r.count)
            for r in message.reactions or ()
        ],
        forwarded_message=_forwarded(message.forwarded_message, message.mentions or []),
        title=title_of(message, channel) if message.type in SAID else "",
    )


def _said(message: FullMessage) -> str:
    """Returns the text that someone wrote, "" for a notice of Discord."""
    if message.type not in SAID:
        return ""  # the notice of a new thread contains its title, which is someone's words
    # `text_of` takes the forwarded text for a message without its own; here both are stored apart.
    return text_of(message) if message.forwarded_message is None else message.content


def _forwarded(forwarded: kept.Forwarded | None, mentions: list[Mention]) -> kept.Forwarded | None:
    """Returns the forwarded copy in the form that the journal stores."""
    if forwarded is None:
        return None
    return kept.Forwarded(
        content=restore_mentions(forwarded.content or "", mentions),
        timestamp=forwarded.timestamp or "",
        attachments=_attachments(forwarded),
        embeds=[kept_embed(embed) for embed in forwarded.embeds or ()],
        stickers=_stickers(forwarded),
    )


def _attachments(message: FullMessage | kept.Forwarded) -> list[kept.Attachment]:
    """Returns the references to files, without the signatures in their addresses."""
    return [
        kept.Attachment(a.id or "", (a.url or "").partition("?")[0], a.file_name or "", a.file_size_bytes)
        for a in message.attachments or ()
    ]


def _stickers(message: FullMessage | kept.Forwarded) -> list[kept.Sticker]:
    return [kept.Sticker(s.id or "", s.name or "") for s in message.stickers or ()]
