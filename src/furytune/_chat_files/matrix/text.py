"""Reads the text of Matrix's events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import unquote

from furytune._chat_files.markup import CHANNEL, outside_code, person
from furytune._privacy.ids import number_of

__all__ = ["matrix_text"]

_HTML = "org.matrix.custom.html"
_WORDS = frozenset({"m.text", "m.notice", "m.emote"})
# A message of up to 64 KiB can hold thousands of links, and each is looked for in the body.
_MOST = 50
# https://spec.matrix.org/latest/appendices/#user-identifiers; a server with neither dot nor port would make people of
# decorators and packages, such as "@click:option".
_SERVER = r"(?:localhost|[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})(?::[0-9]{2,5})?(?![\w-])"
_ID = rf"[\w.=/+-]{{1,255}}:{_SERVER}"
_PERSON = re.compile(rf"(?<![\w@/.=+-])@({_ID})", re.ASCII)
_PLACE = re.compile(rf"(?<![\w/#!.])[#!]{_ID}", re.ASCII)
_NAMED = re.compile(r"(?<![\w@/.=+-])@([a-z0-9._=/+-]{1,255})", re.IGNORECASE | re.ASCII)
# https://spec.matrix.org/latest/appendices/#uris: links to people, rooms and messages.
_ADDRESS = r"(?:https?://matrix\.to/#/|matrix:)[^\s<>()\[\]\"']{1,1000}"
_LINK = re.compile(rf"\[[^\[\]\n]{{0,255}}\]\(({_ADDRESS})\)|({_ADDRESS})", re.IGNORECASE)
_PILL = re.compile(rf"<a\s+href=[\"']({_ADDRESS})[\"']\s*>([^<>]{{1,500}})</a>", re.IGNORECASE)


def matrix_text(event: str | Mapping[str, object]) -> str:
    """Turns what Matrix delivers into the text that a prompt contract takes.

    Pass the event as the homeserver sent it: ``contract.request(matrix_text(event.source))`` with matrix-nio. The text is its
    ``body``. Of ``formatted_body`` only the links to people and rooms are read, because ``body`` contains their names at
    the same places. Code stays as it is.

    ========================================================== =======================================================
    ``@ann:example.org``, ``Ann`` with a link to her           ``<@NUMBER>``, which the contract turns into ``@user1``
    ``@ann`` if ``m.mentions`` names her                       ``<@NUMBER>``
    ``Ann:`` at the start, as clients complete names           ``<@NUMBER>``, without the colon
    ``#help:example.org``, links to rooms and messages         ``#channel``
    ``@room``                                                  stays
    the quoted message before a reply (``> <@ann:...> ...``)   nothing: they are someone else's words
    ========================================================== =======================================================

    An edit (``m.replace``) has its new text. A picture or file has its caption; without one it has no text.

    Args:
        event: An ``m.room.message`` event, or the text of its ``body``.
    """
    if isinstance(event, str):
        return _read(event, {})
    content = _object(event, "content")
    relation = _object(content, "m.relates_to")
    if relation.get("rel_type") == "m.replace":
        # The body around it is a copy for old clients, with an asterisk before it.
        return _read(_body(new := _object(content, "m.new_content")), new)
    body = _body(content)
    return _read(_without_quote(body) if "m.in_reply_to" in relation else body, content)


def _object(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _body(content: Mapping[str, object]) -> str:
    body, kind = content.get("body"), content.get("msgtype", "m.text")
    if not isinstance(body, str):
        return ""
    # https://spec.matrix.org/latest/client-server-api/#media-captions: otherwise the body is the name of a file.
    captioned = isinstance(name := content.get("filename"), str) and name != body
    return body if kind in _WORDS or captioned else ""


def _without_quote(body: str) -> str:
    """Returns a reply without the fallback for old clients, as version 1.12 of the specification says it is removed.

    Later versions have no fallback, so a quote that does not begin like one was typed.
    """
    if not body.startswith(("> <@", "> * <@")):
        return body
    at = 0
    while body.startswith("> ", at):
        at = body.find("\n", at) + 1 or len(body)
    return body[at:].removeprefix("\n")


def _read(body: str, content: Mapping[str, object]) -> str:
    html = content.get("formatted_body") if content.get("format") == _HTML else None
    pills = _pills(html) if isinstance(html, str) else []
    names = _names(_object(content, "m.mentions").get("user_ids"))
    text = outside_code(body, lambda part: _plain(part, pills, names))
    first, colon, rest = text.partition(":")
    if not colon or not rest[:1].isspace():
        return text
    if number := names.get(first.casefold()):
        return person(number) + rest
    alone = first.startswith("<@") and first.endswith(">") and first[2:-1].isdigit()
    return first + rest if alone else text


def _pills(html: str) -> list[tuple[str, str]]:
    """Returns the names that are links to people and rooms, in order, each with what stands for it."""
    own = html.rpartition("</mx-reply>")[2]
    found = []
    for pill, _ in zip(_PILL.finditer(own), range(_MOST), strict=False):
        if name := unescape(pill[2]).strip():
            found.append((name, _target(unescape(pill[1]))))
    return found


def _names(mentioned: object) -> dict[str, str]:
    """Returns the numbers of mentioned people by the part of the id before the colon."""
    ids = mentioned[:_MOST] if isinstance(mentioned, list) else []
    return {
        uid[1:].partition(":")[0].casefold(): number_of("matrix", uid)
        for uid in ids
        if isinstance(uid, str) and uid.startswith("@") and len(uid) > 2
    }


def _target(address: str) -> str:
    """Returns what stands for a link's target."""
    kind, _, rest = address.partition(":")
    if kind.lower() == "matrix":
        path = rest.partition("?")[0]
        uid = path.removeprefix("u/")
        return person(number_of("matrix", "@" + unquote(uid))) if uid != path else CHANNEL
    target = unquote(address.partition("#/")[2].partition("?")[0])
    return person(number_of("matrix", target)) if target.startswith("@") else CHANNEL


def _plain(text: str, pills: list[tuple[str, str]], names: Mapping[str, str]) -> str:
    text = _with_pills(text, pills) if pills else text
    if "matrix" in text.lower():
        text = _LINK.sub(_linked, text)
    if "@" in text:
        text = _PERSON.sub(lambda found: person(number_of("matrix", found[0])), text)
        text = _NAMED.sub(lambda found: _named(found, names), text) if names else text
    return _PLACE.sub(CHANNEL, text) if "#" in text or "!" in text else text


def _linked(link: re.Match[str]) -> str:
    if link[1]:
        return _target(link[1])
    address = link[2].rstrip(".,;:!?*_`")
    return _target(address) + link[2][len(address) :]


def _named(found: re.Match[str], names: Mapping[str, str]) -> str:
    name = found[1].rstrip(".-/")
    number = names.get(name.casefold())
    return person(number) + found[1][len(name) :] if number else found[0]


def _with_pills(text: str, pills: list[tuple[str, str]]) -> str:
    """Replaces names by what they link to. Pills that are found are taken from the list, for the parts after code."""
    out: list[str] = []
    done = 0
    missing: set[str] = set()
    for pill in tuple(pills):
        name, meaning = pill
        at = -1 if name in missing else text.find(name, done)
        while at >= 0 and _inside_word(text, at, at + len(name)):
            at = text.find(name, at + len(name))
        if at < 0:
            missing.add(name)
            continue
        pills.remove(pill)
        end = at + len(name)
        # Some clients write the link into the body, as Markdown, which is read later.
        linked = text.startswith("](", end)
        out += [text[done:at], name if linked else meaning]
        done = end
    return "".join(out) + text[done:]


def _inside_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isalnum() and text[start].isalnum()) or (after.isalnum() and text[end - 1].isalnum())
