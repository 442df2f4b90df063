"""Turns a message as it is stored into the public `Message`."""

from __future__ import annotations

from typing import Any

from furytune._channels.channel import Channel
from furytune._discord.journal.messages import Poll as StoredPoll
from furytune._discord.shapes import FullMessage
from furytune._discord.text import is_solved, reply_target, text_of
from furytune._privacy.pseudonyms import Pseudonyms
from furytune.pairing.posts import parse_time
from furytune.records import Attachment, Author, Embed, Message, Poll, Source

__all__ = ["view"]


def view(
    message: FullMessage, channel: Channel, source: Source, names: Pseudonyms, roles: tuple[str, ...]
) -> Message:
    """Returns the public view of a message.

    Args:
        message: The message as stored in an export or journal.
        channel: The channel or thread that it belongs to.
        source: The file that it was read from.
        names: Pseudonyms of authors.
        roles: Names of its author's roles.
    """
    poll = message.poll
    # Files and embeds belong to the forwarded message; the message around it has none.
    shown = message if message.forwarded_message is None else message.forwarded_message
    return Message(
        id=message.id,
        author=Author(pseudonym=names[message.author.id], is_bot=message.author.is_bot, roles=roles),
        content=text_of(message),
        sent_at=parse_time(message.timestamp, message.id),
        edited_at=parse_time(message.timestamp_edited, "") if message.timestamp_edited else None,
        type=message.type,
        # A deleted target and no target look the same to a reader of the view.
        reply_to=reply_target(message, channel) or None,
        channel=channel.id,
        attachments=tuple(
            Attachment(name=a.file_name or "", url=a.url or "", size=a.file_size_bytes)
            for a in shown.attachments or message.attachments or ()
        ),
        embeds=tuple(map(_embed, shown.embeds or message.embeds or ())),
        stickers=tuple(s.name or "" for s in shown.stickers or message.stickers or ()),
        poll=None if poll is None else _poll(poll),
        solved=is_solved(message.reactions) if message.reactions else False,
        tags=channel.tags,
        reactions=tuple((r.emoji.name or r.emoji.code or "", r.count) for r in message.reactions or ()),
        pinned=message.is_pinned,
        forwarded=message.forwarded_message is not None,
        source=source,
    )


def _poll(poll: StoredPoll) -> Poll:
    return Poll(question=poll.question, answers=tuple((a.text, a.votes) for a in poll.answers))


def _embed(embed: dict[str, Any]) -> Embed:
    """Returns an embed as title, text and address; its fields become lines of the text."""
    fields = embed.get("fields")
    rows = [row for row in fields if isinstance(row, dict)] if isinstance(fields, list) else []
    parts = [embed.get("description"), *(f"{row.get('name')}: {row.get('value')}" for row in rows)]
    return Embed(
        title=str(embed.get("title") or ""),
        text="\n".join(str(part) for part in parts if part),
        url=str(embed.get("url") or ""),
    )
