"""Finds phrases of many kinds and languages in one pass over the words of a text.

A file ``phrases/KIND.txt`` lists the phrases of a kind, with commas between them and comments after ``#``:

- ``how do i`` matches these words in a row. Case and apostrophes do not count.
- ``is|are there`` stands for "is there" and "are there"; ``open a| issue`` for "open a issue" and "open issue".
- ``im|i_am trying`` stands for "im trying" and "i am trying".
- ``change * to`` allows any one word.
- ``^how`` matches where a sentence begins; greetings and words such as "so" or "please" before it do not count.
- ``^^yes`` matches only where the text begins.
- ``that works$`` matches where a sentence ends.
- ``-no error`` says the opposite: these words do not count for this kind.

Phrases in Chinese, Japanese or Korean are looked up as characters, because nothing separates words there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from attrs import frozen

__all__ = ["CJK", "END", "KINDS", "Phrasebook", "phrasebook", "words_of"]

KINDS: Final = (
    "asks_without_mark",
    "reports_trouble",
    "seeks_help",
    "asks_back",
    "thanks",
    "works_now",
    "still_fails",
    "solution_by_asker",
    "tells_what_to_do",
    "states_how_it_is",
    "promise_only",
    "me_too",
    "redirects",
    "greeting",
    "team_talk",
    "announcement",
    "leans_on_file",
    "leans_on_above",
    "says_yes",
    "says_no",
)
"""Names of the kinds. A kind has the bit of its place."""

END: Final = "."
"""Stands for the boundary of a sentence among the words."""
_START: Final = "^"
"""Stands for the beginning of a text, in the tree of phrases only."""
_ANY: Final = "*"
# Everything that neither separates words nor ends a sentence belongs to a word: \w lacks the vowel signs of Hindi.
_WORD = re.compile(
    r"[^\s!-*,-/:-?\[-\^`{-~\u00a1\u00ab\u00b7\u00bb\u00bf\u060c\u061b\u061f\u0964\u2010-\u2027\u2030-\u205e"
    r"\u3000-\u3004\u3006-\u303f\uff01-\uff0f\uff1a-\uff1f]+|[!?\n\u061f\u0964\u2026\u3002\uff01\uff1f]|[.:](?!\S)"
)
_ENDS = dict.fromkeys("!?\n\u061f\u0964\u2026\u3002\uff01\uff1f:.", END)
CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
"""A character of Chinese, Japanese or Korean."""
_SENTENCE_BEGINS = r"(?:(?<![^\s\u3001\u3002\uff01\uff0c\uff1f!,.?]))"
_TEXT_BEGINS = r"\A[\s@]*"
_SENTENCE_ENDS = r"(?=[\s\u3001\u3002\uff01\uff0c\uff1f!,.?~\u301c)]|\Z)"


class _Node:
    """A place in the tree of phrases.

    Attributes:
        found: Bits of the kinds that have a phrase which ends here.
        cancelled: Bits of the kinds that have a ``-`` phrase which ends here.
        next: The places that a further word leads to.
        any: The place that any further word leads to, if there is one.
    """

    __slots__ = ("any", "cancelled", "found", "next")

    def __init__(self) -> None:
        self.found = self.cancelled = 0
        self.next: dict[str, _Node] = {}
        self.any: _Node | None = None

    def towards(self, word: str) -> _Node:
        """Returns the place that a word leads to, made if needed."""
        if word == _ANY:
            self.any = self.any or _Node()
            return self.any
        return self.next.setdefault(word, _Node())


def words_of(folded: str) -> list[str]:
    """Returns the words of a text that was case-folded, with `END` at the beginning, between sentences and at the end."""
    words = [END]
    found = _WORD.findall(_joined(folded))
    words += map(_ENDS.get, found, found)
    words.append(END)
    return words


def _joined(text: str) -> str:
    """Removes apostrophes, which many leave out."""
    return text.replace("'", "").replace("\u2019", "").replace("`", "").replace("\u00b4", "")


@frozen
class Phrasebook:
    """The phrases of all kinds.

    Attributes:
        words: A tree of phrases by word.
        openers: Words that may stand before the first word of a sentence.
        followers: Words that may stand there after one of those, as in "hi all".
        begins: Words that a phrase may begin with, whatever follows; and `END`.
        second: By the first word of other phrases, which words may follow.
        characters: For each kind, by its bit, what to search in Chinese, Japanese and Korean. A match without a group
            is one that does not count.
    """

    words: _Node
    openers: frozenset[str]
    followers: frozenset[str]
    begins: frozenset[str]
    second: Mapping[str, frozenset[str]]
    characters: Mapping[int, re.Pattern[str]]

    def find(self, words: list[str]) -> int:
        """Returns the bits of the kinds that have a phrase among the words, see `words_of`."""
        openers, followers = self.openers, self.followers
        anywhere = (self.words.next,)
        in_opening = (*anywhere, self.words.next[END].next)
        in_first_opening = (*in_opening, self.words.next[_START].next)
        found = cancelled = until = 0
        opening = first_opening = -1
        begins, second = self.begins, self.second
        # Most words begin no phrase, and most others are not followed by its second word.
        may_begin = [
            i
            for i, (word, after) in enumerate(zip(words, [*words[1:], END], strict=True))
            if word in begins or ((seconds := second.get(word)) is not None and after in seconds)
        ]
        for i in may_begin:
            word = words[i]
            if word == END:
                before_any_word = opening == i
                opening = i + 1
                while opening < len(words) and (
                    words[opening] in openers
                    or words[opening][0] == "@"
                    or (opening > i + 1 and words[opening] in followers)
                ):
                    opening += 1
                if before_any_word or not i:
                    first_opening = opening
                continue
            if i >= until:
                cancelled = 0
            bits = 0
            for tree in anywhere if i > opening else in_opening if i > first_opening else in_first_opening:
                if (node := tree.get(word)) is not None and (
                    words[i + 1] in node.next or node.found or node.cancelled or node.any is not None
                ):
                    more, no, end = _follow(node, words, i + 1)
                    bits |= more
                    if no:
                        cancelled |= no
                        until = max(until, end)
            found |= bits & ~cancelled
        return found

    def find_characters(self, folded: str) -> int:
        """Returns the bits of the kinds that have a phrase in a Chinese, Japanese or Korean text."""
        found = 0
        for bit, pattern in self.characters.items():
            if any(match.lastindex for match in pattern.finditer(folded)):
                found |= bit
        return found


def _follow(node: _Node | None, words: list[str], i: int) -> tuple[int, int, int]:
    """Follows the tree along the words; returns what it found, what it cancelled, and where that ends."""
    found = cancelled = end = 0
    # The last word is END, and no phrase continues after that, so the words do not run out.
    while node is not None:
        found |= node.found
        if node.cancelled:
            cancelled |= node.cancelled
            end = i
        if node.any is not None and words[i] != END:
            more, no, later = _follow(node.any, words, i + 1)
            found |= more
            cancelled |= no
            end = max(end, later)
        if not node.next:
            break
        node = node.next.get(words[i])
        i += 1
    return found, cancelled, end


@cache
def phrasebook() -> Phrasebook:
    """Returns the phrases that come with the package, read on first use."""
    tree = _Node()
    characters: dict[int, re.Pattern[str]] = {}
    for place, kind in enumerate(KINDS):
        in_characters: tuple[list[str], list[str]] = ([], [])
        for phrase in _phrases(kind):
            cancels = phrase.startswith("-")
            text = phrase.removeprefix("-")
            if CJK.search(text):
                in_characters[cancels].append(text)
            else:
                for node in _ends(tree, text):
                    if cancels:
                        node.cancelled |= 1 << place
                    else:
                        node.found |= 1 << place
        if in_characters[False]:
            characters[1 << place] = _pattern(*in_characters)
    openers = frozenset(_phrases("opener"))
    followers = frozenset(word.removeprefix("+") for word in openers if word.startswith("+"))
    begins, second = _beginnings(tree)
    return Phrasebook(tree, openers, followers, begins, second, characters)


def _beginnings(tree: _Node) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Returns the words that a phrase may begin with whatever follows, and for the others, what may follow."""
    begins = {END}
    second: dict[str, frozenset[str]] = {}
    for start in (tree, tree.next[END], tree.next[_START]):
        for word, node in start.next.items():
            if node.found or node.cancelled or node.any is not None:
                begins.add(word)
            second[word] = second.get(word, frozenset()).union(node.next)
    return frozenset(begins), second


def _phrases(kind: str) -> Iterator[str]:
    text = files(__package__).joinpath("phrases", f"{kind}.txt").read_text("utf-8")
    for line in text.casefold().splitlines():
        if not line.startswith("#"):
            yield from (phrase.strip() for phrase in line.split(",") if phrase.strip())


def _ends(tree: _Node, phrase: str) -> list[_Node]:
    """Plants a phrase; returns the places where it ends, one for each sequence of words that it stands for."""
    begins = {0: tree, 1: tree.towards(END), 2: tree.towards(_START)}
    nodes = [begins[len(phrase) - len(phrase.lstrip("^"))]]
    for part in _joined(phrase.strip("^$")).split():
        nodes = [_planted(node, choice) for node in nodes for choice in part.split("|")]
    return [node.towards(END) for node in nodes] if phrase.endswith("$") else nodes


def _planted(node: _Node, choice: str) -> _Node:
    for word in choice.split("_"):
        node = node.towards(word) if word else node
    return node


def _pattern(phrases: list[str], cancelling: list[str]) -> re.Pattern[str]:
    def one(phrase: str) -> str:
        begin = {0: "", 1: _SENTENCE_BEGINS, 2: _TEXT_BEGINS}[len(phrase) - len(phrase.lstrip("^"))]
        return begin + re.escape(phrase.strip("^$")) + (_SENTENCE_ENDS if phrase[-1] == "$" else "")

    positive = "|".join(map(one, phrases))
    return re.compile("|".join([*map(one, cancelling), f"({positive})"]))
