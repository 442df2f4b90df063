"""Reads the text of Slack's messages: control sequences, entities, fences, blocks and attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from furytune._chat_files.markup import CHANNEL, ROLE, attached, items, person
from furytune._privacy.ids import number_of

__all__ = ["slack_text"]

_DEEPEST = 16
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
# https://docs.slack.dev/messaging/formatting-message-text: Slack escapes only these three, and everything in brackets is
# a control sequence, because typed brackets are escaped.
_CONTROL = re.compile(r"<([^<>\n]*)>|&(amp|lt|gt);")
_USER = re.compile(r"@([A-Z0-9]{2,40})\Z")
_PLACE = re.compile(r"#[A-Z0-9]{2,40}\Z")
_DATE = re.compile(r"!date\^(-?[0-9]{1,12})\^")
_LINK = re.compile(
    r"https?://(?:[a-z0-9-]{1,80}\.)?(?:enterprise\.)?slack\.com/"
    r"(?:team/(?P<user>[A-Z0-9]{2,40})(?![A-Z0-9])"
    r"|(?P<place>archives/[A-Z0-9]{2,40}|client/[A-Z0-9]{2,40}(?:/[A-Z0-9]{2,40})?)[^\s<>|)]*"
    r"|files/(?P<owner>[A-Z0-9]{2,40})/[A-Z0-9]{2,40})"
)
_LANGUAGES = frozenset(
    (  # noqa: SIM905  (a long list of words)
        "bash c console cpp cs css diff go html ini java javascript js json jsx kotlin lua markdown md php powershell py "
        "python r ruby rust scala sh shell sql swift text toml ts tsx typescript xml yaml yml"
    ).split()
)
_FENCE = "```"


def slack_text(message: str | Mapping[str, object]) -> str:
    """Turns what Slack delivers into the text that a prompt contract takes.

    `SlackExportCollector` calls it for every message, so a bot must call it too: ``contract.request(slack_text(event))``.

    ============================================ =======================================================
    ``<@U012AB3CD>``, ``<@U012AB3CD|ann>``       ``<@NUMBER>``, which the contract turns into ``@user1``
    ``<#C012AB3CD|help>``, links to messages     ``#channel``
    ``<!subteam^S012|@devs>``                    ``@role``
    ``<!here>``, ``<!channel>``, ``<!everyone>`` ``@here``, ``@channel``, ``@everyone``
    ``<!date^SECONDS^...|...>``                  ``<t:SECONDS>``, which the contract turns into a time
    ``<https://a.org/b|the docs>``               ``the docs (https://a.org/b)``
    ``<http://a.org|a.org>``, ``<mailto:x|x>``   ``a.org``, ``x``
    ``&lt;``, ``&gt;``, ``&amp;``                ``<``, ``>``, ``&``
    three backticks inside a line                a fence on lines of its own
    ============================================ =======================================================

    Labels of people and channels are left out, because Slack does not always deliver them.

    Args:
        message: The text of a message, or a whole message or event. If that has no text, its blocks are read, and then
            its attachments.
    """
    if isinstance(message, str):
        return _fenced(_plain(message))
    text = message.get("text")
    if isinstance(text, str) and text.strip():
        return _fenced(_plain(text))
    return of_blocks(message.get("blocks")) or of_attachments(message.get("attachments"))


def _plain(text: str) -> str:
    """Returns a text without control sequences and entities."""
    if "<" in text or "&" in text:
        text = _CONTROL.sub(_meaning, text)
    return _without_links(text)


def _meaning(found: re.Match[str]) -> str:
    if found[2]:
        return _ENTITIES[found[2]]
    target, bar, label = found[1].partition("|")
    label = _unescaped(label)
    if user := _USER.match(target):
        return person(number_of("slack", user[1]))
    if _PLACE.match(target):
        return CHANNEL
    if target.startswith("!"):
        return _command(target, label)
    target = _unescaped(target)
    if not target:
        return _unescaped(found[0])
    shown = target.removeprefix("mailto:").removeprefix("tel:")
    if not bar or not label or label == target:
        return shown
    # Slack makes links of what people type, and keeps what they typed as the label.
    if target.partition("//")[2].rstrip("/") == label.rstrip("/") or shown == label:
        return label
    return f"{label} ({shown})"


def _command(target: str, label: str) -> str:
    if target.startswith("!subteam^"):
        return ROLE
    if date := _DATE.match(target):
        return f"<t:{date[1]}>"
    return label or f"@{_unescaped(target[1:])}"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if "&" in text else text


def _without_links(text: str) -> str:
    """Returns a text whose links into Slack hold no ids of people, channels and messages."""
    return _LINK.sub(_shown_link, text) if "slack.com/" in text else text


def _shown_link(link: re.Match[str]) -> str:
    if link["user"]:
        return person(number_of("slack", link["user"]))
    if link["place"]:
        return CHANNEL
    return link[0][: link.start("owner") - link.start()] + "0/0"


def _fenced(text: str) -> str:
    """Returns a text whose blocks of code are on lines of their own, as Markdown needs them."""
    if _FENCE not in text:
        return text
    parts = text.split(_FENCE)
    if len(parts) % 2 == 0:
        # The last fence is never closed, so it is not one.
        parts[-2:] = [_FENCE.join(parts[-2:])]
    out: list[str] = []
    for number, part in enumerate(parts):
        if number % 2:
            language, code = _code(part)
            before = "" if not out or not out[-1] or out[-1].endswith("\n") else "\n"
            out.append(f"{before}{_FENCE}{language}\n{code}\n{_FENCE}")
        elif number and part:
            out.append(part if part.startswith("\n") else f"\n{part.lstrip(' ')}" if part.strip(" ") else "")
        else:
            out.append(part)
    return "".join(out)


def _code(part: str) -> tuple[str, str]:
    """Returns the language of a block, if someone wrote it, and the code."""
    first, line, rest = part.partition("\n")
    if line and first.strip().lower() in _LANGUAGES:
        return first.strip(), rest.rstrip("\n ")
    if not first.strip() and line:
        part = rest
    return "", part.rstrip("\n ")


# Blocks and attachments ---------------------------------------------------------------------------------------------


def of_blocks(blocks: object) -> str:
    """Returns the words of layout blocks."""
    return "\n".join(filter(None, map(_block, items(blocks)))).strip("\n")


def of_attachments(attachments: object) -> str:
    """Returns the words of attachments: pretext, title, text and fields, one below the other."""
    return attached(attachments, slack_text, lambda one: of_blocks(one.get("blocks")))


def _block(block: Mapping[str, object]) -> str:
    kind = block.get("type")
    if kind == "rich_text":
        return "".join(_rich(block.get("elements"), 0))
    if kind == "markdown" and isinstance(text := block.get("text"), str):
        return _without_links(text)
    found = [_object(block.get("text")), *map(_object, items(block.get("fields")))]
    if kind == "context":
        found += map(_object, items(block.get("elements")))
    return "\n".join(filter(None, found))


def _object(value: object) -> str:
    """Returns the words of a text object."""
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str):
        return ""
    plain = isinstance(value, dict) and value.get("type") == "plain_text"
    return _without_links(text) if plain else slack_text(text)


def _rich(elements: object, depth: int) -> Iterator[str]:
    """Yields the words of rich text, which is not escaped."""
    if depth > _DEEPEST:
        return
    for element in items(elements):
        kind, inside = element.get("type"), element.get("elements")
        if kind == "rich_text_preformatted":
            yield f"{_FENCE}\n{''.join(_rich(inside, depth + 1)).strip(chr(10))}\n{_FENCE}\n"
        elif kind == "rich_text_quote":
            quoted = "".join(_rich(inside, depth + 1))
            yield "".join(f"> {line}\n" for line in quoted.split("\n"))
        elif kind == "rich_text_list":
            yield from _listed(element, depth)
        elif kind == "rich_text_section":
            yield "".join(_rich(inside, depth + 1))
        else:
            yield _leaf(element)


def _listed(element: Mapping[str, object], depth: int) -> Iterator[str]:
    indent = element.get("indent")
    blanks = "  " * min(indent, _DEEPEST) if isinstance(indent, int) else ""
    ordered = element.get("style") == "ordered"
    for number, item in enumerate(items(element.get("elements")), 1):
        mark = f"{number}." if ordered else "-"
        yield f"{blanks}{mark} {''.join(_rich(item.get('elements'), depth + 1))}\n"


def _leaf(element: Mapping[str, object]) -> str:
    kind = element.get("type")
    text = element.get("text")
    shown = text if isinstance(text, str) else ""
    if kind == "user":
        return person(number_of("slack", str(element.get("user_id"))))
    if kind in ("channel", "usergroup"):
        return CHANNEL if kind == "channel" else ROLE
    if kind == "broadcast":
        return f"@{element.get('range')}"
    if kind == "emoji":
        return f":{element.get('name')}:"
    if kind == "date" and isinstance(stamp := element.get("timestamp"), int):
        return f"<t:{stamp}>"
    if kind == "link":
        url = _without_links(str(element.get("url") or ""))
        return url if not shown or shown == url else f"{shown} ({url})"
    style = element.get("style")
    if isinstance(style, dict) and style.get("code"):
        return f"`{shown}`"
    return _without_links(shown)
