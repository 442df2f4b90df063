"""What is done to a raw text before it enters a prompt: the same for training and for asking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Self

from attrs import field, frozen

from furytune._canonical import Json, sorted_once
from furytune._redaction import KINDS, redact
from furytune._redaction import VERSION as _REDACTION
from furytune.errors import ConfigError, ContractMismatchError, TextError

__all__ = ["Normalizer"]

_VERSION = 1
_MENTION = re.compile(
    r"<(?:@!?(?P<user>[0-9]+)|@&(?P<role>[0-9]+)|#(?P<channel>[0-9]+)|a?:(?P<emoji>\w+):[0-9]+)>"
)


def _ids(value: object) -> tuple[str, ...]:
    ids = (value,) if isinstance(value, str | int) else tuple(value)  # type: ignore[arg-type]
    return tuple(sorted({str(i) for i in ids}))


@frozen(kw_only=True)
class Normalizer:
    """Turns a raw chat text into the text that stands in a prompt. Idempotent.

    1. A lone surrogate is refused: no file and no request can carry it.
    2. Line ends become line feeds.
    3. Mentions of the bot go, with the blank after them, and so does the space this leaves at the ends.
    4. Other Discord markup loses its numbers: a person becomes ``@user1``, ``@user2`` in order of
       appearance, a role ``@role``, a channel ``#channel``, a custom emoji its name.
    5. Secrets (and what else ``redact`` names) become placeholders.

    All other text passes through byte for byte.

    Args:
        bot_ids: Discord ids under which the bot is mentioned.
        mentions: Whether step 4 is done.
        redact: Kinds of spans to replace: "secrets", "emails", "ips", "phones".

    Raises:
        ConfigError: A kind is unknown or a bot id is no number.
    """

    bot_ids: tuple[str, ...] = field(default=(), converter=_ids)
    mentions: bool = True
    redact: tuple[str, ...] = field(default=("secrets",), converter=sorted_once)
    _bot: re.Pattern[str] | None = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        unknown = sorted(set(self.redact) - set(KINDS))
        if unknown:
            raise ConfigError(
                f"nothing is known of redacting {', '.join(unknown)}; known: {', '.join(KINDS)}"
            )
        if not all(i.isascii() and i.isdigit() for i in self.bot_ids):
            raise ConfigError("a bot id is a Discord snowflake: digits only")
        bot = re.compile(rf"<@!?(?:{'|'.join(self.bot_ids)})>[ \t]?") if self.bot_ids else None
        object.__setattr__(self, "_bot", bot)

    @property
    def spec(self) -> dict[str, Json]:
        """Everything of the normaliser that shapes a prompt."""
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
                    f"rules of {name} {spec.get(name)}, this library has {ours}; "
                    "install the furytune that made the contract",
                )
        return cls(**{k: v for k, v in spec.items() if k not in rules})  # type: ignore[arg-type]

    def __call__(self, text: str, *, after: str = "") -> str:
        """Normalises a text.

        Args:
            text: As the platform delivers it.
            after: The raw text it answers; people keep the numbers they have there.

        Raises:
            TextError: It holds a lone surrogate, or nothing but white space is left.
        """
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError as error:
                raise TextError(
                    f"the text holds a lone surrogate at character {error.start + 1}: "
                    "it was damaged before it came here; mend its source"
                ) from None
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if "<" in text:
            text = self._without_markup(text, after)
        if self.redact:
            text, _ = redact(text, self.redact)
        if not text or text.isspace():
            raise TextError("the text is empty")
        return text

    def _without_markup(self, text: str, after: str) -> str:
        if self._bot is not None:
            bare = text
            while bare != (bare := self._bot.sub("", bare)):
                text = bare.strip(" \t\n")
        if self.mentions:
            people: dict[str, int] = {}
            for found in _MENTION.finditer(after):
                if (person := found["user"]) and person not in self.bot_ids:
                    people.setdefault(person, len(people) + 1)

            def name(found: re.Match[str]) -> str:
                kind = found.lastgroup
                if kind == "user":
                    return f"@user{people.setdefault(found['user'], len(people) + 1)}"
                return (
                    f":{found['emoji']}:"
                    if kind == "emoji"
                    else {"role": "@role", "channel": "#channel"}[str(kind)]
                )

            # Replacing can bring two halves of a mention together; each round has fewer "<".
            while text != (text := _MENTION.sub(name, text)):
                pass
        return text
