"""Compares what two questions ask, word by word."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache, lru_cache
from typing import Final

from furytune.curation._alike.vocabulary import OPPOSITES
from furytune.curation._alike.wording import simplified

__all__ = ["contrasts", "likeness", "same_but_for_typos", "turned"]

_VOWELS: Final = frozenset("aeiouy")
_SPELLINGS: Final = ({"s", "z"}, {"c", "s"})  # as in "visualise" and "licence"
_MOST = 12  # differing words of one text that are searched for typos


def turned(some: Collection[tuple[str, str, str]], others: Collection[tuple[str, str, str]]) -> bool:
    """Tells whether words have changed places around a joining word: "csv to json", "json to csv"; "better than a"."""
    if any((after, join, before) in others for before, join, after in some):
        return True
    follows: dict[tuple[str, str], set[str]] = {}
    for before, join, after in others:
        follows.setdefault((before, join), set()).add(after)
    return any(
        (before, join) in follows and after not in follows[before, join] for before, join, after in some
    )


def contrasts(some: Collection[str], others: Collection[str]) -> bool:
    """Tells whether a word means the opposite of one in the other text: by the list, or by a prefix, as in "unlock".

    Args:
        some: The words that only one text has.
        others: The words that only the other has.
    """
    opposites = _opposites()
    return any(
        b in opposites.get(a, ()) or (a != b and min(len(a), len(b)) > 2 and (a.endswith(b) or b.endswith(a)))
        for a in some
        for b in others
    )


def likeness(some: frozenset[str], others: frozenset[str]) -> tuple[int, int]:
    """Compares the words of two texts with the same facts.

    Returns:
        How much is equal, and how much there is. The words that only one text has count once, but a word in the place of
        another counts double: it hardly ever means the same. Nothing is equal if a word is the other's opposite.
    """
    only, new = some - others, others - some
    shared = len(some) - len(only)
    if not only or not new:
        return shared, shared + len(only) + len(new)
    if len(only) > _MOST or len(new) > _MOST:
        return shared, shared + len(only) + len(new) + 2 * min(len(only), len(new))
    if contrasts(only, new):
        return 0, 1
    left = sorted(new)
    apart = 0
    for word in sorted(only):
        typo = next((other for other in left if same_but_for_typos(word, other)), None)
        if typo is None:
            apart += 1
        else:
            left.remove(typo)
            shared += 1
    return shared, shared + apart + len(left) + 2 * min(apart, len(left))


@lru_cache(maxsize=1 << 16)
def same_but_for_typos(a: str, b: str) -> bool:
    """Tells whether two words differ only by one slip of the pen.

    Many words of a trade differ by one letter ("point", "print"). So the first letter must be equal, and the slip must be
    one that seldom gives another word: two neighbours changed places, a letter inside is missing, or, in a long word, one
    vowel is in the place of another, or it is spelt in the British way.
    """
    if a == b:
        return True
    if a[0] != b[0] or not (a.isalpha() and b.isalpha()):
        return False
    if len(a) > len(b):
        a, b = b, a
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) == len(b):
        if a[at + 2 :] == b[at + 2 :] and a[at : at + 2] == b[at : at + 2][::-1]:
            return len(a) > 4
        letters = {a[at], b[at]}
        return len(a) > 6 and a[at + 1 :] == b[at + 1 :] and (letters <= _VOWELS or letters in _SPELLINGS)
    return len(a) > 4 and a[-1] == b[-1] and len(b) == len(a) + 1 and a[at:] == b[at + 1 :]


@cache
def _opposites() -> dict[str, frozenset[str]]:
    """The list of opposites in the form of the words that are compared."""
    found: dict[str, frozenset[str]] = {}
    for word, others in OPPOSITES.items():
        simple = simplified(word)
        found[simple] = found.get(simple, frozenset()) | {simplified(o) for o in others} - {simple}
    return found
