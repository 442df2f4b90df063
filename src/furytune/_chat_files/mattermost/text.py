"""Reads the text of Mattermost's messages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from furytune._chat_files.markup import CHANNEL, attached, outside_code, person
from furytune._privacy.ids import number_of

__all__ = ["mattermost_text"]

_EVERYONE = frozenset({"all", "channel", "here"})
_LINK = re.compile(
    r"https?://[^\s<>()/]{1,253}(?:/[\w.-]{1,64}){0,2}"
    r"/(?:pl/[a-z0-9]{26}(?![a-z0-9])|messages/@(?P<user>[A-Za-z0-9][A-Za-z0-9._-]{0,63}))"
)
_MENTION = re.compile(r"(?<![\w@/.`])@([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_PLACE = re.compile(r"(?<![\w~/])~([a-z0-9][a-z0-9_-]{1,63})(?![\w~])")


def mattermost_text(message: str | Mapping[str, object]) -> str:
    """Turns what Mattermost delivers into the text that a prompt contract takes.

    `MattermostExportCollector` calls it for every message, so a bot must call it too:
    ``contract.request(mattermost_text(post))``. Code stays as it is. Mattermost mentions people by user name, so every ``@name``
    outside of code counts as a person.

    ========================================= =======================================================
    ``@ann``, links to conversations with her ``<@NUMBER>``, which the contract turns into ``@user1``
    ``@all``, ``@channel``, ``@here``         stay
    ``~town-square``, links to messages       ``#channel``
    ========================================= =======================================================

    Args:
        message: The text of a message, or a whole post. If that has no text, its attachments are read.
    """
    if isinstance(message, str):
        return outside_code(message, _plain)
    text = message.get("message")
    if isinstance(text, str) and text.strip():
        return outside_code(text, _plain)
    props = message.get("props")
    return attached(props.get("attachments"), mattermost_text) if isinstance(props, dict) else ""


def _plain(text: str) -> str:
    if "://" in text:
        text = _LINK.sub(lambda link: _person(link["user"])[0] if link["user"] else CHANNEL, text)
    if "@" in text:
        text = _MENTION.sub(_mention, text)
    return _PLACE.sub(CHANNEL, text) if "~" in text else text


def _person(name: str) -> tuple[str, str]:
    """Returns the mention for a name, and the full stops at its end, which belong to the sentence."""
    bare = name.rstrip("._-")
    return person(number_of("mattermost", bare.lower())), name[len(bare) :]


def _mention(found: re.Match[str]) -> str:
    after = found.string[found.end() : found.end() + 1]
    # "@scope/package" and "@a@b" are something else.
    if found[1].rstrip("._-").lower() in _EVERYONE or after in ("/", "@"):
        return found[0]
    mention, rest = _person(found[1])
    return mention + rest
