"""Splits a text into search terms.

Code names are found whole and by their parts: ``set_opacity`` gives ``set_opacity``, ``set`` and ``opacity``;
``ShowManager`` gives ``showmanager``, ``show`` and ``manager``; ``fury.actor.sphere`` gives itself and its three parts.
English endings are removed, so ``rotated`` finds ``rotation``. Chinese, Japanese and Korean use few spaces or no spaces, so
they give pairs of neighbouring characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["TOKENIZER_VERSION", "Analysis", "analyze", "words"]

TOKENIZER_VERSION = 1
"""Increased when any text would give other terms."""

Analysis = tuple[tuple[str, ...], tuple[str, ...]]
"""The terms of a word's parts, and the compound names that contain them."""

# Beyond \w: vowel marks of Indic scripts, Thai, Lao, Hebrew and Arabic, and accents without a composed form. Python
# does not count them as word characters, so words would be split at each of them.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
    "\u0e31-\u0e4e\u0eb1-\u0ece\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3\u1dc0-\u1dff\u20d0-\u20ff"
)
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_WORD = re.compile(rf"[\w{_MARKS}]+(?:\.[\w{_MARKS}]+)*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EAST_ASIAN = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]+)")
_VOWEL = re.compile("[aeiouy]")

# English words that say how a question is phrased, not what it is about, and the pieces that an apostrophe leaves.
_STOP_TEXT = """
a about above after again all also am an and any are as at be because been before being below between both
but by can could d did do does doing don down during each few for from further had has have having he hello
her here hi him his how i if in into is it its itself just ll m me more most my no nor not now of off on once
only or other our out over own please re s same she should so some such t than thanks that the their them then
there these they this those through to too under until up ve very was we were what when where which while who
whom why will with would you your
"""
_STOP = frozenset(_STOP_TEXT.split())


def words(text: str) -> list[str]:
    """Returns the words of a text in order. Dotted names stay whole, and case is kept."""
    if text.isascii():
        return _ASCII_WORD.findall(text)
    # NFKC makes full-width letters and ligatures equal to the usual ones.
    return _WORD.findall(unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=1 << 16)
def analyze(word: str) -> Analysis:
    """Splits one word from `words` into terms.

    Returns:
        The terms of its parts, without stop words, and the terms of the compounds that contain them.
    """
    parts: list[str] = []
    compounds: list[str] = []
    segments = word.split(".")
    for segment in segments:
        pieces = [hump for piece in segment.split("_") if piece for hump in _HUMP.split(piece)]
        for piece in pieces:
            parts += _terms(_fold(piece))
        if len(pieces) > 1:
            # The whole name is a term too, so that a question with the exact name ranks its definition first.
            compounds.append(_fold(segment))
    if len(segments) > 1:
        compounds.append(_fold(word))
    return tuple(parts), tuple(compounds)


def _fold(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text.casefold())


def _terms(piece: str) -> list[str]:
    """Returns the terms of one piece of a word: its stem, or pairs of characters for East Asian scripts."""
    if piece.isascii():
        return [] if piece in _STOP else [_stem(piece)]
    out: list[str] = []
    for run in _EAST_ASIAN.split(piece):
        if not _EAST_ASIAN.match(run):
            out += [run] if run else []
        elif len(run) == 1:
            out.append(run)
        else:
            # These scripts have no spaces; overlapping pairs of characters find words without a dictionary.
            out += [run[i : i + 2] for i in range(len(run) - 1)]
    return out


def _stem(word: str) -> str:
    """Removes English endings; the result need not be a word, only the same for all forms of one."""
    if len(word) < 4 or not word.isalpha():
        return word
    word = _singular(word)
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and _VOWEL.search(rest):
            word = rest
            # "plotting" and "plot" must meet; "fill" and "pass" must keep both letters.
            if ending != "ly" and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("y"):
        word = word[:-1] + "i"
    if len(word) > 6 and word.endswith(("sion", "tion")):
        word = word[:-3]
    return word


def _singular(word: str) -> str:
    """Returns the singular of an English plural."""
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
