"""Reads the text of a stored message, with mentions as Discord writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from furytune._channels.channel import Channel
from furytune._discord.shapes import EmbedText, FullMessage, Mention, Reaction, ThinMessage
from furytune.pairing.titles import titled

__all__ = [
    "SAID",
    "STARTERS",
    "embedded",
    "is_bare",
    "is_solved",
    "mentioned",
    "question_text",
    "reply_target",
    "restore_mentions",
    "said",
    "text_of",
    "title_of",
]

SAID = frozenset({"Default", "0", "Reply", "19", "ChatInputCommand", "20", "ContextMenuCommand", "23"})
"""Types of messages that someone wrote. The exporter writes the number of a type that it has no name for."""

STARTERS = frozenset({"ThreadStarterMessage", "21"})
"""Types of the empty first message of a thread that was opened on a message of its channel."""

REPLIES = frozenset({"Reply", "19"})

_SOLVED = frozenset(
    {"\u2705", "\u2611", "\u2714", "white_check_mark", "ballot_box_with_check", "heavy_check_mark", "solved"}
)
_LONGEST_NAME = 100  # Discord's own bound is 32
_AT = re.compile(r"(?<![\w@<])@")
_WORD = re.compile(r"\w")
_PERSON = re.compile(r"<@!?(\d{1,20})>")
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


def is_solved(reactions: list[Reaction]) -> bool:
    """Returns True if a check mark is among the reactions."""
    for reaction in reactions:
        emoji = reaction.emoji
        if emoji.code in _SOLVED or (emoji.name and emoji.name.rstrip("\ufe0f") in _SOLVED):
            return True
    return False


def restore_mentions(text: str, mentions: list[Mention]) -> str:
    """Turns the exporter's ``@Nickname`` back into ``<@id>``, outside of code.

    Only exact matches of a mentioned person's nickname or name are replaced. A name that fits two people, or whose person
    has no id, becomes ``<@0>``, so that no mention keeps a name.
    """
    names: dict[str, str] = {}
    for mention in mentions:
        uid = mention.id or ""
        for name in {mention.nickname, mention.name}:
            if name and len(name) <= _LONGEST_NAME:
                names[name] = uid if names.get(name, uid) == uid else ""
    if not names:
        return text
    longest_first = sorted({len(name) for name in names}, reverse=True)
    # Every odd part is code, because re.split also returns what the group matched.
    parts = _CODE.split(text)
    return "".join(part if i % 2 else _tagged(part, names, longest_first) for i, part in enumerate(parts))


def _tagged(text: str, names: Mapping[str, str], lengths: Sequence[int]) -> str:
    """Returns a text with ids instead of names; looks names up by length, so that many cost no more than a few."""
    done: list[str] = []
    kept_from = at = 0
    for sign in _AT.finditer(text):
        begin = sign.end()
        if begin <= at:
            continue  # inside the previous name
        for length in lengths:
            uid = names.get(text[begin : begin + length])
            if uid is not None and len(text) >= begin + length and not _WORD.match(text, begin + length):
                at = begin + length
                done += text[kept_from : sign.start()], f"<@{uid or 0}>"
                kept_from = at
                break
    return "".join([*done, text[kept_from:]])


def mentioned(text: str, mentions: Sequence[Mention], names: Mapping[str, str]) -> Iterator[str]:
    """Yields whom a message mentions: pseudonyms, or names where the export has no id.

    Args:
        text: Its content, with mentions restored.
        mentions: Its list of mentions. Discord also puts the author of the message that it replies to there.
        names: Pseudonyms by user id.
    """
    if "<@" in text:
        yield from (names[uid] for uid in _PERSON.findall(text) if uid != "0")
    for mention in mentions:
        if mention.id:
            yield names[mention.id]
        else:
            yield from filter(None, (mention.nickname, mention.name))


def embedded(embeds: Sequence[EmbedText]) -> str:
    """Returns the words of embeds: title, description and fields, one below the other."""
    lines: list[str] = []
    for embed in embeds:
        lines += filter(None, (embed.title, embed.description))
        for field in embed.fields or ():
            lines += filter(None, (field.name, field.value))
    return "\n".join(lines)


def said(message: ThinMessage | FullMessage) -> str:
    """Returns the content of a message, or of the message it forwards, as it is in the file."""
    if not message.content and message.forwarded_message is not None:
        return message.forwarded_message.content or ""
    return message.content


def text_of(message: ThinMessage | FullMessage) -> str:
    """Returns the content of a message, or of the message it forwards, with mentions restored."""
    text = said(message)
    if message.mentions and "@" in text:
        return restore_mentions(text, message.mentions)
    return text


def title_of(message: ThinMessage | FullMessage, channel: Channel) -> str:
    """Returns the title of the forum post that a message opens, "" for any other message.

    In Discord, a forum post has the id of its opening message. The message that another thread was opened on has the
    thread's id too, but it is in the thread's channel, and Discord often makes up the title of such a thread.
    """
    if message.title:
        return message.title
    return channel.name if channel.is_thread and message.id == channel.id else ""


def question_text(message: ThinMessage, channel: Channel, text: str | None = None) -> str:
    """Returns the text of a message, or the one given, preceded by the title of the forum post that it opens."""
    if text is None:
        text = text_of(message)
    title = title_of(message, channel)
    return titled(title, text) if title else text


def is_bare(message: ThinMessage | FullMessage) -> bool:
    """Returns True if a message of a person has no content of any kind, as without the Message Content intent."""
    return not (
        message.content
        or message.author.is_bot
        or message.type not in SAID
        or message.attachments
        or message.embeds
        or message.stickers
        or message.poll
        or message.forwarded_message
    )


def reply_target(message: ThinMessage | FullMessage, channel: Channel) -> str | None:
    """Returns the id that a message replies to; "" if the target was deleted, None if it is not a reply.

    Forwarded and cross-posted messages have a reference too, but are not replies.
    """
    reference = message.reference
    if reference is None or message.forwarded_message is not None:
        return None
    if message.type in REPLIES:
        return reference.message_id or ""
    same = not reference.channel_id or reference.channel_id == channel.id
    return reference.message_id if same and message.type in SAID else None
