"""What a message of an export says, told in the platform's own terms."""

from __future__ import annotations

import re

from furytune.collectors._discord_json import Channel, FullMessage, Mention, Reaction, ThinMessage

__all__ = ["SAID", "STARTERS", "is_solved", "reply_target", "restore_mentions", "text_of"]

SAID = frozenset({"Default", "0", "Reply", "19", "ChatInputCommand", "20", "ContextMenuCommand", "23"})
"""Types of messages that somebody said. The exporter writes the number of a type that it has no name for."""

STARTERS = frozenset({"ThreadStarterMessage", "21"})
"""Types of the empty first message of a thread that was opened on a message of its channel."""

REPLIES = frozenset({"Reply", "19"})

_SOLVED = frozenset(
    {"\u2705", "\u2611", "\u2714", "white_check_mark", "ballot_box_with_check", "heavy_check_mark", "solved"}
)
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

    Only exact matches of a mentioned person's nickname or name; one that fits two people, or one without
    an id, becomes ``<@0>``, so that no mention keeps a name.
    """
    names: dict[str, str] = {}
    for mention in mentions:
        uid = mention.id or ""
        for name in {mention.nickname, mention.name}:
            if name:
                names[name] = uid if names.get(name, uid) == uid else ""
    if not any(name in text for name in names):
        return text
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(r"(?<![\w@<])@(" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")

    def tag(found: re.Match[str]) -> str:
        return f"<@{names[found[1]] or 0}>"

    parts = _CODE.split(text)
    return "".join(part if i % 2 else pattern.sub(tag, part) for i, part in enumerate(parts))


def text_of(message: ThinMessage | FullMessage) -> str:
    """Returns a message's content, or that of the message it forwards, with mentions restored."""
    text = message.content
    if not text and message.forwarded_message is not None:
        text = message.forwarded_message.content or ""
    if message.mentions and "@" in text:
        return restore_mentions(text, message.mentions)
    return text


def reply_target(message: ThinMessage | FullMessage, channel: Channel) -> str | None:
    """Returns the id that a message replies to; "" for a reply whose target was deleted, None if it is no reply.

    Forwarded and cross-posted messages carry a reference too, without being replies.
    """
    reference = message.reference
    if reference is None or message.forwarded_message is not None:
        return None
    if message.type in REPLIES:
        return reference.message_id or ""
    same = not reference.channel_id or reference.channel_id == channel.id
    return reference.message_id if same and message.type in SAID else None
