"""What an id is, in one place.

The library knows ids as Discord has them. Ids of other platforms become numbers of the same form, see `number_of`.

Ids are snowflakes: decimal numbers of 64 bits, with the milliseconds since 2015 above the lowest 22 bits. Today they have
17 to 19 digits. The rules below answer different questions, from lenient to strict:

- `is_digits` accepts everything that a user may mean as an id, of any length.
- `id_number` accepts what a file may contain as an id. Those in made-up exports are short, such as "7".
- `has_length_of_id` tells an id from a name that consists of digits.
- `is_full_id` and `full_ids` find real ids in text, where years, lengths and line numbers are shorter.
- `API_ID` is the strictest: an id in an answer of Discord.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

__all__ = [
    "API_ID",
    "FULL_ID",
    "PLATFORMS",
    "as_id",
    "full_ids",
    "has_length_of_id",
    "id_number",
    "is_digits",
    "is_full_id",
    "number_of",
    "snowflake_at",
    "snowflake_time",
]

_EPOCH = 1_420_070_400_000
# An id of fewer than 15 digits would be from the first seven hours of 2015, before Discord opened.
_SHORTEST = 15
# The largest number of 64 bits has 20 digits.
_LONGEST = 20

FULL_ID = rf"[1-9][0-9]{{{_SHORTEST - 1},{_LONGEST - 1}}}"
"""Pattern of a full id; the code around it makes sure that no digits come before or after."""

# A longer number does not fit the 64 bits of a signed integer, and would break a sort or an index later.
API_ID = r"\A[1-9][0-9]{0,18}\Z"
"""Pattern of an id in an answer of Discord; 19 digits last until the year 2090."""

_ALONE = re.compile(rf"(?<![0-9]){FULL_ID}(?![0-9])")


def is_digits(text: str) -> bool:
    """Returns True if a text is a number in ASCII digits, of any length."""
    # `isdigit` alone accepts digits of other scripts and superscripts.
    return text.isascii() and text.isdigit()


def id_number(uid: str) -> int | None:
    """Returns an id as a number if it has 1 to 20 ASCII digits and no leading zero, otherwise None."""
    if len(uid) > _LONGEST or not is_digits(uid) or uid[0] == "0":
        return None
    return int(uid)


def has_length_of_id(text: str) -> bool:
    """Returns True if a text has only digits, and as many as an id."""
    return is_digits(text) and _SHORTEST <= len(text) <= _LONGEST


def is_full_id(text: object) -> bool:
    """Returns True if a value is a text that has the form of an id that Discord creates."""
    return isinstance(text, str) and _ALONE.fullmatch(text) is not None


def full_ids(text: str) -> list[str]:
    """Returns the ids in a text, in order."""
    return _ALONE.findall(text)


def snowflake_time(uid: str) -> datetime | None:
    """Returns when an id was created, or None if it is not an id."""
    number = id_number(uid)
    if number is None:
        return None
    try:
        return datetime.fromtimestamp(((number >> 22) + _EPOCH) / 1000, UTC)
    except (OverflowError, ValueError):
        return None


def snowflake_at(moment: datetime) -> int:
    """Returns the lowest id that Discord could create at a time, or 0 before its first.

    Args:
        moment: With a time zone.
    """
    return max(0, int(moment.timestamp() * 1000) - _EPOCH) << 22


PLATFORMS: Mapping[str, str] = MappingProxyType(
    {
        "discord": "Discord",
        "github": "GitHub Discussions",
        "matrix": "Matrix",
        "mattermost": "Mattermost",
        "slack": "Slack",
        "zulip": "Zulip",
    }
)
"""Names of the platforms, by the prefix of their pairs."""

_OTHER = re.compile(rf"({'|'.join(sorted(PLATFORMS.keys() - {'discord', 'github'}))}):(?=\S)", re.IGNORECASE)
_LEAST = 10**18  # so every number has 19 digits


def number_of(platform: str, key: str) -> str:
    """Returns the number that stands for an id of another platform, in the form of a Discord id.

    It is the same on every machine, so a collector and a bot agree on it. It cannot be turned back into the id, but anyone who
    has a list of ids can compute all numbers, so it is not a pseudonym.

    Args:
        platform: Such as "slack".
        key: What names a person or a message there, such as "U012AB3CD". Case does not matter, as on these platforms.
    """
    found = hashlib.blake2b(
        f"{platform}:{key.casefold()}".encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
    return str(_LEAST + int.from_bytes(found, "big") % (9 * _LEAST))


def as_id(text: str) -> str:
    """Returns the number for a text such as "slack:U012AB3CD", and any other text unchanged."""
    found = _OTHER.match(text)
    return text if found is None else number_of(found[1].lower(), text[found.end() :])
