"""Tells the language of a question, by its script and its most frequent words."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib.resources import files

__all__ = ["language"]

_CODE_AND_LINKS = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|https?://[^\s>]+|<(?:@[!&]?|\#|a?:\w{1,40}:)\d+>", re.DOTALL
)
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")

# The characters of a script, and how many Latin letters each is worth: a word has two or three of the first, and about
# five of the others.
_SCRIPTS = {
    "kana": (re.compile("[\u3041-\u30ff\uff66-\uff9d]"), 2),
    "han": (re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"), 2),
    "ko": (re.compile("[\uac00-\ud7a3\u3131-\u318e]"), 2),
    "cyrillic": (re.compile("[\u0400-\u052f]"), 1),
    "arabic": (re.compile("[\u0620-\u064a\u066e-\u06d3]"), 1),
    "he": (re.compile("[\u05d0-\u05ea]"), 1),
    "el": (re.compile("[\u0370-\u03ff\u1f00-\u1fff]"), 1),
    "th": (re.compile("[\u0e01-\u0e4e]"), 1),
    "hi": (re.compile("[\u0900-\u0963]"), 1),
}
_SHARED = {"cyrillic": ("ru", "uk", ""), "arabic": ("ar", "")}
"""Languages that share a script, the most likely first."""
_KANA_IN_JAPANESE = 0.1
"""Chinese quotes a kana now and then. Japanese has more than one for ten Chinese characters."""

# Letters and endings of one language only, each worth as much as a word. Those of "" are in languages that no one looks
# for here: Persian and Urdu, Serbian and Belarusian, and Swedish, Danish, Czech, Hungarian, Romanian or Vietnamese.
_OWN = {
    "": re.compile(
        "[پچژگڈٹڑںےکی]|[ўђѓљњћџјѕ]|[åøæőűřěůťďășțđơưạảấầẩậắằẵặẹẻẽếềểễệịỉĩọỏốồổỗộớờởỡợụủũứừửữựỳỷỹỵ]"
    ),
    "es": re.compile(r"[ñ¿¡]|ci(?:ón|ones)\b"),
    "pt": re.compile(r"[ãõ]|ço\b"),
    "fr": re.compile("[œùêî]"),
    "de": re.compile("ß"),
    "pl": re.compile("[ąęłńśźż]"),
    "tr": re.compile("[ışğ]"),
    "ru": re.compile("[ыэёъ]"),
    "uk": re.compile("[іїєґ]"),
}
_LEAST = 0.15
"""Votes that the winner needs for each word. About a third of the words of a text are function words, fewer beside names
of functions and products."""
_AHEAD = 1.25


def language(text: str) -> str:
    """Returns the ISO 639-1 code of a text's language, or "" if it is not clear.

    Code, links and mentions are ignored. The script tells "ja", "zh", "ko", "he", "el", "th", "hi", "ar", "ru" and "uk";
    frequent words tell "en", "es", "pt", "fr", "de", "it", "nl", "pl" and "tr".

    It is meant for the shares of many questions. A text of two or three words is often not clear. A language that is not
    in this list is not clear or taken for a neighbour: Bulgarian for "ru", Marathi for "hi", Catalan for "es". The time
    it takes is in proportion to the length of the text.
    """
    low = _CODE_AND_LINKS.sub(" ", text).lower()
    script = "" if low.isascii() else _script(low)
    if script in _SHARED:
        votes = _votes(low, _WORD.findall(low))
        return max(_SHARED[script], key=votes.__getitem__)
    return script or _by_words(low)


def _script(low: str) -> str:
    """Returns the script of a text, or its language if only one has it; "" for Latin letters."""
    worth = {name: weight * len(letters.findall(low)) for name, (letters, weight) in _SCRIPTS.items()}
    kana, han = worth.pop("kana"), worth.pop("han")
    worth["ja" if kana > _KANA_IN_JAPANESE * han else "zh"] = kana + han
    script = max(worth, key=worth.__getitem__)
    # In any language, questions name functions and products in Latin letters.
    return script if worth[script] and 2 * worth[script] >= len(_LATIN.findall(low)) else ""


def _by_words(low: str) -> str:
    """Returns the language of a text in Latin letters."""
    words = _WORD.findall(low)
    votes = _votes(low, words)
    (best, most), (_, second) = [*votes.most_common(2), ("", 0.0), ("", 0.0)][:2]
    return best if most >= max(1, _LEAST * len(words)) and most >= _AHEAD * second else ""


def _votes(low: str, words: list[str]) -> Counter[str]:
    """Returns how much speaks for each language."""
    languages = _languages()
    votes: Counter[str] = Counter()
    for word in words:
        known = languages.get(word, ())
        for code in known:
            # A word of several languages says less about each.
            votes[code] += 1 / len(known)  # type: ignore[assignment]  # typeshed counts in whole numbers
    if not low.isascii():
        for code, own in _OWN.items():
            votes[code] += len(own.findall(low))
    return votes


@cache
def _languages() -> dict[str, tuple[str, ...]]:
    """Returns the languages of each frequent word."""
    found: dict[str, tuple[str, ...]] = {}
    code = ""
    for line in files("furytune.pairing").joinpath("languages.txt").read_text("utf-8").splitlines():
        if line.startswith("  "):
            for word in line.split():
                found[word] = (*found.get(word, ()), code)
        elif not line.startswith("#"):
            code = line.removesuffix(":")
    return found
