"""Takes an answer apart into prose and code, and prose into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from attrs import frozen

__all__ = ["LINK", "Block", "blocks", "plain", "prose", "sentences"]

LINK: Final = re.compile(r"<?(?:https?://|www\.)[^\s<>]+>?", re.IGNORECASE)

# As in CommonMark, but a fence may also follow text on its line, because Discord shows that as code too.
_FENCE: Final = re.compile(r"(?<!`)`{3,}(?!`)|^[ \t]{0,3}~{3,}", re.MULTILINE)
_INLINE: Final = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]+\1(?!`)")
_QUOTE: Final = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_MENTION: Final = re.compile(r"<(?:@[!&]?|#|a?:\w{1,64}:)\d{1,20}>|(?<!\w):\w{2,40}:(?!\w)")
# "ann: ..." and "ann, ..." at the beginning of a line, as people write on IRC, and "@ann".
_ADDRESSED: Final = re.compile(
    r"^[ \t]*(?:(?!(?:yes|no|nope|yep|yeah|yup|nah|ok|okay|well|sure|true|false|never|always|both|neither|either|maybe)\b)@?[\w|\[\]^{}`.-]{2,32}[ \t]*[:,](?=\s|$)|@[\w.-]{2,32})",
    re.MULTILINE | re.IGNORECASE,
)
_ENDS: Final = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]+(?=\s|$)|\n")
_APOSTROPHE: Final = re.compile("['\u2019\u00b4]")
_OUTSIDE: Final = re.compile(r"[^\w^+/#&%$-]+")


@frozen
class Block:
    """A fenced block.

    Attributes:
        start: Where its opening fence begins.
        body: Where the text after the opening fence begins.
        end: Where its closing fence begins; the length of the answer if there is not one.
        mark: The fence.
    """

    start: int
    body: int
    end: int
    mark: str


@lru_cache(maxsize=4)  # several rules in turn read the same answer
def blocks(answer: str) -> tuple[Block, ...]:
    """Returns the fenced blocks of an answer. One that is never closed goes to the end."""
    return tuple(_blocks(answer)) if "```" in answer or "~~~" in answer else ()


def _blocks(answer: str) -> Iterator[Block]:
    at = 0
    while opening := _FENCE.search(answer, at):
        mark = opening[0].strip()
        end = answer.find(mark, opening.end())
        yield Block(opening.start(), opening.end(), end if end >= 0 else len(answer), mark)
        if end < 0:
            return
        at = end + len(mark)


@lru_cache(maxsize=4)
def prose(answer: str) -> str:
    """Returns an answer without code, quoted lines, mentions and custom emoji. Code leaves a U+FFFC behind."""
    parts, at = [], 0
    for block in blocks(answer):
        parts += [answer[at : block.start], "\ufffc"]
        at = min(len(answer), block.end + len(block.mark))
    text = "".join([*parts, answer[at:]])
    text = _INLINE.sub("\ufffc", text) if "`" in text else text
    text = _QUOTE.sub("", text) if ">" in text else text
    return _MENTION.sub(" ", text) if "<" in text or ":" in text else text


@lru_cache(maxsize=4)
def sentences(text: str) -> tuple[str, ...]:
    """Returns the sentences of a prose in lower case, without punctuation and apostrophes. Links become "LINK"."""
    text = _ADDRESSED.sub("", LINK.sub(" LINK ", text))
    return tuple(filter(None, map(plain, _ENDS.split(text))))


def plain(sentence: str) -> str:
    """Returns a sentence in lower case, without punctuation, apostrophes and emoji."""
    words = _OUTSIDE.sub(" ", _APOSTROPHE.sub("", sentence.replace("\ufffc", " CODE "))).split()
    return " ".join(word if word in ("LINK", "CODE") else word.casefold() for word in words)
