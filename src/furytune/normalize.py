"""Normalises raw text before it enters a prompt, in the same way in training and in the bot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

from attrs import field, frozen

from furytune._privacy.ids import as_id
from furytune._privacy.redaction import VERSION as _REDACTION
from furytune._privacy.redaction import chosen, redact
from furytune._values.canonical import Json, sorted_once
from furytune.errors import ConfigError, ContractMismatchError, EmptyTextError, TextError

__all__ = ["Normalizer"]

_VERSION = 2
"""Raised whenever the result changes for any text. A contract with another version is refused."""

_ANGLES = re.compile("([<>])")
_LONGEST = 160  # characters inside the angle brackets of Discord's longest markup, a command of three words
_ID = "[0-9]{1,20}"
_WORD = r"[^\s<>:/@#]{1,32}"  # of a command's name; not "@" or "#", with which the words for links begin
# https://docs.discord.com/developers/reference#message-formatting, and what Discord's apps write in addition.
_MARKUP = re.compile(
    rf"@!?(?P<user>{_ID})"
    rf"|(?P<role>@&{_ID})"
    rf"|(?P<channel>\#{_ID})"
    rf"|a?:(?P<emoji>\w{{1,64}}):{_ID}"
    rf"|(?P<command>/{_WORD}(?:\ {_WORD}){{0,2}}):{_ID}"
    rf"|(?P<sound>sound:{_ID}:{_ID})"
    r"|t:(?P<time>-?[0-9]{1,20})(?::[A-Za-z])?"
    rf"|id:(?P<guide>customize|browse|guide|home|linked-roles)(?::{_ID})?",
    re.VERBOSE,
)
_LINK = re.compile(
    r"(?:https?://(?:(?:www|ptb|canary)\.)?discord(?:app)?\.com|discord://-)"
    rf"/(?:users/(?P<user>{_ID})|(?P<event>events/{_ID}(?:/{_ID})?)"
    rf"|channels/(?:@me|{_ID})(?:/(?:threads/)?{_ID}){{0,4}})(?![0-9])",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"https?://(?:cdn|media|images-ext-[0-9]{1,3})\.discord(?:app)?\.(?:com|net)/[^\s<>]*", re.IGNORECASE
)
_SNOWFLAKE = re.compile(r"(?<![0-9])[0-9]{15,20}(?![0-9])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ids(value: object) -> tuple[str, ...]:
    ids = (value,) if isinstance(value, str | int) else tuple(value)  # type: ignore[arg-type]
    return tuple(sorted({as_id(str(i)) for i in ids}))


def _kinds(value: str | Iterable[str]) -> tuple[str, ...]:
    return sorted_once(chosen(value))


@frozen(kw_only=True)
class Normalizer:
    """Turns a raw chat text into the text for a prompt. It is idempotent and takes linear time.

    1. A lone surrogate is refused: no file and no request can carry it.
    2. Line ends become line feeds.
    3. Mentions of the bot are removed, with the blank after each, and then the white space at both ends.
    4. Discord's markup and links lose their ids, even inside code, because an id says who or where:

       ======================================================= =====================================
       ``<@ID>``, ``<@!ID>``, ``https://discord.com/users/ID`` ``@user1``, ``@user2``, numbered by
                                                               first appearance, links last
       ``<@&ID>``                                              ``@role``
       ``<#ID>``, links to channels, threads and messages      ``#channel``
       ``https://discord.com/events/ID/ID``                    ``#event``
       ``<:NAME:ID>``, ``<a:NAME:ID>``                         ``:NAME:``
       ``<sound:ID:ID>``                                       ``:sound:``
       ``</COMMAND SUBCOMMAND:ID>``                            ``/COMMAND SUBCOMMAND``
       ``<id:customize>``, ``<id:linked-roles:ID>``, ...       ``#customize``, ``#linked-roles``, ...
       ``<t:SECONDS:STYLE>``                                   ``2023-11-14 22:13 UTC``; ``(time)``
                                                               if there is no such date
       addresses of files that Discord stores                  ids of 15 to 20 digits become ``0``
       ======================================================= =====================================

    5. Secrets (and other kinds in ``redact``) become placeholders.

    All other text passes through byte for byte: names and numbers that someone typed, e-mail addresses, invitations.

    Args:
        bot_ids: Ids under which the bot is mentioned: Discord ids, or with the platform before the id, such as
            "slack:U012AB3CD", "mattermost:helpbot", "zulip:Help Bot".
        mentions: Whether to do step 4. Without it, ids of people get into rows, indexes and requests.
        redact: Kinds of spans to replace, as in `RedactSecrets`, or "all". The contract keeps the kinds, not the word "all".

    Raises:
        ConfigError: A kind is unknown, or a bot id is not a number.
    """

    bot_ids: tuple[str, ...] = field(default=(), converter=_ids)
    mentions: bool = True
    redact: tuple[str, ...] = field(default=("secrets",), converter=_kinds)

    def __attrs_post_init__(self) -> None:
        if not all(i.isascii() and i.isdigit() for i in self.bot_ids):
            raise ConfigError(
                "a bot id is not a Discord id, which has only digits; name the platform of any other, as in "
                "'slack:U012AB3CD'"
            )

    @property
    def spec(self) -> dict[str, Json]:
        """All settings that shape a prompt."""
        return {
            "version": _VERSION,
            "bot_ids": list(self.bot_ids),
            "mentions": self.mentions,
            "redact": list(self.redact),
            "redaction_version": _REDACTION,
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json]) -> Self:
        """Builds the normaliser of a contract.

        Raises:
            ContractMismatchError: The contract was made under other rules.
        """
        rules = {"version": _VERSION, "redaction_version": _REDACTION}
        for name, ours in rules.items():
            if spec.get(name) != ours:
                raise ContractMismatchError(
                    "normalizer",
                    f"the contract has {name} {spec.get(name)} of the rules for text and this library has {ours}, so prompts "
                    "would differ; install the furytune that made the contract, or write the data set again, tune on it "
                    "and save a new contract",
                )
        return cls(**{k: v for k, v in spec.items() if k not in rules})  # type: ignore[arg-type]

    def __call__(self, text: str, *, after: str = "") -> str:
        """Normalises a text.

        Args:
            text: As the platform delivers it.
            after: The raw question that the text answers. People keep the numbers that they have there.

        Raises:
            EmptyTextError: Only white space is left.
            TextError: The text contains a lone surrogate.
        """
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError as error:
                raise TextError(
                    f"the text has a lone surrogate at character {error.start + 1}: "
                    "it was damaged before furytune read it; repair its source"
                ) from None
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        people: dict[str, int] = {}
        if after:
            # The answer continues the numbering of the question, so "@user1" is the same person in both.
            self._plain(after, people)
        text = self._plain(text, people)
        if self.redact:
            text, _ = redact(text, self.redact)
        if not text or text.isspace():
            raise EmptyTextError("the text is empty")
        return text

    def _plain(self, text: str, people: dict[str, int]) -> str:
        """Does steps 3 and 4. ``people`` maps user ids to their numbers, and gets new ones."""
        marked = "<" in text and (self.mentions or bool(self.bot_ids))
        linked = self.mentions and "://" in text
        if not (marked or linked):
            return text
        addressed = False

        def user(uid: str) -> str:
            return f"@user{people.setdefault(uid, len(people) + 1)}"

        def word(inside: str) -> str | None:
            nonlocal addressed
            found = _MARKUP.fullmatch(inside)
            if found is None:
                return None
            # A person who addresses the bot does not ask about it; in the data set, hardly anyone does.
            if found["user"] in self.bot_ids:
                addressed = True
                return ""
            if not self.mentions:
                return None
            return user(found["user"]) if found["user"] else _word(found)

        if marked:
            text = _without_markup(text, word)
            text = text.strip(" \t\n") if addressed else text
        if linked:
            text = _LINK.sub(lambda link: user(link["user"]) if link["user"] else _place(link), text)
            # Addresses of files contain ids of channels and messages.
            text = _FILE.sub(lambda address: _SNOWFLAKE.sub("0", address[0]), text)
        return text


def _without_markup(text: str, word: Callable[[str], str | None]) -> str:
    """Replaces markup by words in one pass, including markup that appears when inner markup is replaced.

    A closing bracket belongs to the last open one, and no markup contains a bracket. So at each closing bracket either a
    word replaces both brackets and the text between them, or no earlier open bracket can begin markup any more. Each
    character is examined a bounded number of times, so the time is linear.

    Args:
        text: Any text.
        word: Returns the replacement for the text between two brackets: None keeps it, "" removes it and the blank after
            it.
    """
    out: list[str] = []
    opened: list[int] = []
    removed = False
    for part in _ANGLES.split(text):
        if removed and part:
            part = part[1:] if part[0] in " \t" else part  # noqa: PLW2901  (drops the blank after removed markup)
            removed = False
        if part == "<":
            opened.append(len(out))
        elif part == ">" and opened:
            start = opened.pop()
            inside = "".join(out[start + 1 :])
            found = word(inside) if len(inside) <= _LONGEST else None
            if found is not None:
                del out[start:]
                removed = found == ""
                part = found  # noqa: PLW2901
            else:
                # Markup cannot contain other text in brackets, so nothing that was opened before can become
                # markup.
                opened.clear()
        if part:
            out.append(part)
    return "".join(out)


def _word(found: re.Match[str]) -> str:
    """Returns the replacement for markup that does not mention a person."""
    kind = str(found.lastgroup)
    if kind == "time":
        try:
            moment = _EPOCH + timedelta(seconds=int(found["time"]))
        except OverflowError:
            return "(time)"
        return f"{moment.isoformat(' ', 'minutes').removesuffix('+00:00')} UTC"
    if kind == "emoji":
        return f":{found['emoji']}:"
    if kind == "guide":
        return f"#{found['guide']}"
    return {"role": "@role", "channel": "#channel", "sound": ":sound:"}.get(kind) or found["command"]


def _place(link: re.Match[str]) -> str:
    return "#event" if link["event"] else "#channel"
