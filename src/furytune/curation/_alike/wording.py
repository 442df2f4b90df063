"""Reduces a question to what it asks: the words that carry its meaning, and the facts that tell it from others.

Two questions with different facts never ask the same, however alike their words are. Facts are numbers, names of code,
quoted texts, error messages, links, code blocks, platforms, and a negation.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from attrs import frozen

from furytune.curation._alike.plain import plain
from furytune.curation._alike.vocabulary import (
    EMPTY_WORDS,
    FRAMES,
    HOW,
    JOINS,
    NEGATIONS,
    NEITHER,
    PLATFORMS,
    QUESTION_WORDS,
    REVERSED,
    STOP_WORDS,
)

__all__ = ["Wording", "simplified", "wording"]

_LONGEST = 20_000  # characters that are read as words; the digest of what follows is a fact
_FEW = 3  # words
_BLOCK = re.compile(r"```(.*?)(?:```|\Z)")
_INLINE = re.compile(r"``?([^`]{1,200})``?")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>]+")
_QUOTED = re.compile(
    r"[\"\u201c\u201e\u00ab]([^\"\u201c\u201d\u00bb]{1,300})[\"\u201d\u201c\u00bb]|(?<!\w)'([^']{2,300})'(?!\w)"
)
_FAULT = re.compile(
    r"\b([^\W_]*(?:error|exception|warning|traceback))\s?:\s?"
    r"([^?!;:]{1,200}?)(?=[?!;:]|\.\s|$|,? \b(?:how|why|what|when|after|any|can|could|i|we|please|does|is there|thanks)\b)"
)
_PLAIN = re.compile(r"[^\W\d_]+")
_MAC = re.compile(r"\bmac os(?: x)?\b|\bos x\b")
_TOKEN = re.compile(
    r"(?P<number>(?:(?<!\w)v)?\d+(?:[.,:x]\d+)*|\.\d+)"
    r"|(?P<name>(?<![\w-])--?[a-z][\w-]*"  # a command's option
    r"|(?<!\w)[^\W\d]\w*(?:(?:\.|::|/|\\|->)[\w*]+)+(?:\(\))?"  # a path of names
    r"|(?<!\w)\w*[^\W_]_\w+|_\w+"
    r"|[$%@]\w+|(?<!\w)[a-z](?:\+\+|#))"
    r"|(?P<word>[^\W\d_]+(?:['-][^\W\d_]+)*)"
)
_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_ENDING = re.compile(r"'(?:s|re|ve|ll|d|m)$")
_VOWEL = re.compile("[aeiouy]")


@frozen
class Wording:
    """What a question asks.

    Attributes:
        words: Its words in a simple form, without stop words; each once, sorted.
        shown: Each of these words as it is written.
        facts: What must be equal in two questions that ask the same, sorted.
        directions: Pairs of words around a "to", "from" or the like, such as "csv" and "json" in "csv to json".
        asks: What it asks for: "why", "what", "where", "who", or "" for how, and for what is not put as a question.
        text: What is left of the question, for a model that compares meanings.
    """

    words: tuple[str, ...]
    shown: tuple[str, ...]
    facts: tuple[str, ...]
    directions: frozenset[tuple[str, str, str]]
    asks: str
    text: str


def wording(question: str) -> Wording:
    """Reduces a question to what it asks. Takes linear time."""
    text, facts = _opened(question)
    left = text = HOW.sub(" how ", FRAMES.sub(" ", _MAC.sub("macos", text)))
    names: list[str] = []

    def name(found: str) -> str:
        """Notes a name of code, without what not everyone writes."""
        names.append(" ".join(found.removesuffix("()").split()).strip(".,;:") or f"`{found}`")
        return " "

    text = _INLINE.sub(
        lambda m: f" {m[1]} " if _PLAIN.fullmatch(m[1].strip().removesuffix("()")) else name(m[1]), text
    )
    read = _Reader(facts, names)
    for token in _TOKEN.finditer(text):
        read.token(token)
    words = {n: n for n in names} | read.words
    facts |= {f"name {n}" for n in names}
    if len(words) < _FEW:
        # In so short a question, small words make a difference: "in the terminal?", "which terminal?"
        facts.add(f"as {' '.join(sorted(read.small))}")
    if not words:
        # Nothing tells what it is about, so only the same text asks the same.
        facts.add(f"text {plain(question)}")
    return Wording(
        words=tuple(sorted(words)),
        shown=tuple(words[word] for word in sorted(words)),
        facts=tuple(sorted(facts)),
        directions=frozenset(read.directions),
        asks=read.kind,
        text=" ".join(left.split()),
    )


def _opened(question: str) -> tuple[str, set[str]]:
    """Returns a question's text without code blocks, links, quotes and error messages, and these as facts."""
    facts: set[str] = set()
    text = plain(question).replace("\u2019", "'").replace("\u2018", "'")
    if len(text) > _LONGEST:
        rest = text[_LONGEST:].encode("utf-8", "surrogatepass")
        facts.add(f"rest {hashlib.blake2b(rest, digest_size=16).hexdigest()}")
        text = text[:_LONGEST]

    def fact(kind: str, found: str) -> str:
        facts.add(f"{kind} {' '.join(found.split())}")
        return " "

    def quoted(m: re.Match[str]) -> str:
        inside = m[1] if m[1] is not None else m[2]
        words = _PLAIN.findall(inside)
        # One word in quotes is a word that someone else writes without them.
        return f" {inside} " if len(words) <= 1 and inside.strip().isalpha() else fact("quote", inside)

    text = _BLOCK.sub(lambda m: fact("code", m[1]) if m[1].strip() else " ", text)
    text = _LINK.sub(lambda m: fact("link", m[0].rstrip(".,;:!?)'\"")), text)
    text = _FAULT.sub(lambda m: fact("error", f"{m[1]} {m[2].strip(' .,;:!`')}"), text)
    return _QUOTED.sub(quoted, text), facts


class _Reader:
    """Sorts the tokens of one question into words and facts."""

    def __init__(self, facts: set[str], names: list[str]) -> None:
        self.facts = facts
        self.names = names
        self.words: dict[str, str] = {}
        self.directions: set[tuple[str, str, str]] = set()
        self.small: set[str] = set()  # stop words that mean something
        self.kind = ""
        self._asked = False
        self._before = ""
        self._join = ""

    def token(self, found: re.Match[str]) -> None:
        token = found[0]
        if found.lastgroup == "number":
            self.facts.add(f"number {token.lstrip('v').lstrip('0') or '0'}")
            self._content(token)
        elif found.lastgroup == "name":
            bare = token.removesuffix("()")
            self.names.append(bare)
            self._content(bare)
        elif not token.isascii() and _DENSE.search(token):
            self._dense(token)
        else:
            self._word(_ENDING.sub("", token).replace("-", ""))

    def _dense(self, token: str) -> None:
        """Reads a script without blanks: each two neighbouring characters are a word."""
        for word in NEGATIONS:
            if not word.isascii() and word in token:
                self.facts |= {"not"}
        for a, b in zip(token, token[1:] or token, strict=False):
            self.words[a + b] = a + b

    def _word(self, word: str) -> None:
        if word not in EMPTY_WORDS and (word in STOP_WORDS or word in QUESTION_WORDS or word in JOINS):
            self.small |= {word}
        if word in NEGATIONS or word.endswith("n't"):
            self.facts |= {"not"}
        elif word in NEITHER:
            self.facts.add(word)
            self._joined(word)
        elif word in JOINS:
            self._joined(JOINS[word])
        elif word in QUESTION_WORDS:
            if not self._asked:
                self._asked, self.kind = True, QUESTION_WORDS[word]
        elif word in PLATFORMS:
            self.facts.add(f"platform {PLATFORMS[word]}")
            self._content(PLATFORMS[word])
            self.words[PLATFORMS[word]] = PLATFORMS[word]
        elif word not in STOP_WORDS and word.removesuffix("s") not in STOP_WORDS:
            simple = simplified(word)
            self.words[simple] = min(word, self.words.get(simple, word))
            self._content(simple)

    def _joined(self, join: str) -> None:
        self._join = join if self._before else ""

    def _content(self, word: str) -> None:
        """Notes the two words around a joining word."""
        if self._join and self._before != word:
            turned = self._join == REVERSED
            self.directions |= {(word, "to", self._before) if turned else (self._before, self._join, word)}
        self._before, self._join = word, ""


@lru_cache(maxsize=1 << 16)
def simplified(word: str) -> str:
    """Returns an English word without the endings of number and tense, a light form of Porter's first step.

    Source: M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980), steps 1a and 1b.
    """
    if not word.isascii() or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word[-1] == "s" and word[-2] not in "sui":
        word = word[:-1]
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2 and stem[-1] != "e" and _VOWEL.search(stem):
            word = stem[:-1] if stem[-1] == stem[-2] and stem[-1] not in "lsz" else stem
            break
    return word[:-1] if word[-1] == "e" and len(word) > 4 else word
