"""Reads the text of Zulip's messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from furytune._chat_files.markup import CHANNEL, ROLE, outside_code, person
from furytune._privacy.ids import number_of

__all__ = ["quoted_message", "zulip_text"]

_EVERYONE = frozenset({"all", "everyone", "channel", "stream", "topic"})
_PERSON = re.compile(r"@_?\*\*(?:([^*|\n]{1,100})(?:\|([0-9]{1,12}))?|\|([0-9]{1,12}))\*\*")
_GROUP = re.compile(r"@_?\*[^*\n]{1,100}\*")
_PLACE = re.compile(r"#\*\*[^*\n]{1,200}\*\*")
_LINK = re.compile(
    r"https?://[^\s<>()/]{1,253}/#(?:(?P<place>narrow/)|user/(?P<user>[0-9]{1,12}))[^\s<>()]{0,2000}"
)
_TIME = re.compile(r"<time:([0-9][0-9T:.+Z-]{3,40})>")
# What Zulip's "Quote and reply" writes: who said it, a link to the message, and its words in a fence of any length.
_QUOTED = re.compile(
    r"^@_\*\*[^*\n]{1,120}\*\* \[[^\]\n]{1,40}\]\(([^)\s]{1,2000})\):\n(`{3,20})quote\n", re.MULTILINE
)
_NEAR = re.compile(r"/near/([0-9]{1,15})(?![0-9])")


def zulip_text(message: str | Mapping[str, object]) -> str:
    """Turns what Zulip delivers into the text that a prompt contract takes.

    `ZulipExportCollector` calls it for every message, so a bot must call it too: ``contract.request(zulip_text(message))``.
    Pass the text as it was typed, not as HTML: a bot gets it with ``apply_markdown=False``. Code stays as it is.

    ===================================================== =======================================================
    ``@**Ann**``, ``@_**Ann**``, ``@**Ann|17**``          ``<@NUMBER>``, which the contract turns into ``@user1``
    ``@*devs*``                                           ``@role``
    ``@**all**``, ``@**channel**``, ...                   ``@all``, ``@channel``, ...
    ``#**help**``, ``#**help>topic**``, links to messages ``#channel``
    ``<time:2024-05-01T10:00:00Z>``                       ``<t:SECONDS>``, which the contract turns into a time
    a message quoted by "Quote and reply"                 nothing: they are someone else's words
    ===================================================== =======================================================

    Args:
        message: The text of a message, or a whole message.
    """
    if not isinstance(message, str):
        text = message.get("content")
        message = text if isinstance(text, str) else ""
    if "quote\n" in message:
        message = _without_quotes(message)
    return outside_code(message, _plain)


def quoted_message(text: str) -> str:
    """Returns the number that Zulip gave to the first message that a text quotes, or ""."""
    found = _QUOTED.search(text) if "quote\n" in text else None
    near = _NEAR.search(found[1]) if found else None
    return near[1] if near else ""


def _without_quotes(text: str) -> str:
    out: list[str] = []
    at = 0
    while found := _QUOTED.search(text, at):
        out.append(text[at : found.start()])
        fence = f"\n{found[2]}"
        # The fence that ends a quote is alone on its line.
        end = found.end() - 1
        while (end := text.find(fence, end)) >= 0:
            after = end + len(fence)
            if text[after : after + 1] in ("", "\n"):
                break
            end = after
        if end < 0:
            return "".join(out)
        at = min(end + len(fence) + 1, len(text))
    out.append(text[at:])
    return "".join(out).lstrip("\n")


def _plain(text: str) -> str:
    if "/#" in text:
        text = _LINK.sub(lambda link: CHANNEL if link["place"] else _by_id(link["user"]), text)
    if "@" in text:
        text = _GROUP.sub(ROLE, _PERSON.sub(_mention, text))
    if "#**" in text:
        text = _PLACE.sub(CHANNEL, text)
    return _TIME.sub(_moment, text) if "<time:" in text else text


def _by_id(uid: str) -> str:
    return person(number_of("zulip", uid))


def _mention(found: re.Match[str]) -> str:
    name, uid = found[1], found[2] or found[3]
    if uid:
        return _by_id(uid)
    return f"@{name}" if name in _EVERYONE else person(number_of("zulip", name))


def _moment(found: re.Match[str]) -> str:
    try:
        moment = datetime.fromisoformat(found[1])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return f"<t:{int(moment.timestamp())}>"
    except (ValueError, OverflowError):
        return found[0]
