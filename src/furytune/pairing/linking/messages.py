"""Reads one message after the other into rows of whole numbers. What a row says depends only on the messages before it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import islice

from furytune._privacy.ids import is_full_id
from furytune.pairing.linking.lexicon import USUAL, bare, lexicon, words_of
from furytune.pairing.linking.speakers import NO_ONE, Speakers
from furytune.pairing.posts import Post, parse_time

__all__ = ["COLUMNS", "FLAGS", "Reader"]

COLUMNS = (
    "speaker",
    "strong",
    "strong2",
    "weak",
    "weak2",
    "minute",
    "flags",
    "length",
    "own_last",
    "own_count",
    "addressed_at",
    "talks_to",
    "asked_by",
    "target_last",
    "target_count",
)
"""What a row holds, in this order. People are given by number and messages by place, `NO_ONE` if there is none."""

FLAGS = (
    "mark",
    "mark_at_end",
    "link",
    "code",
    "block",
    "strong",
    "weak",
    "unknown",
    "small",
    "open_end",
    "lines",
    "wordless",
    "files",
    "timeless",
    "several",
    "shout",
    "smile",
    "sign",
    "quote",
)
"""What a row's flags say, from the lowest bit. Those on who is addressed follow from the columns."""

_LONGEST = 2000
_MARKUP = re.compile(r"<@!?(\d{1,20})>")
_AT = re.compile(r"@(?=[^\s@])")
_QUESTION = frozenset("?\uff1f\u061f\u037e")
_OPEN_END = frozenset("\u2026,:-")
_SMILES = (":)", ";)", ":D", ":P", ":p", ":-)", ";-)", "\U0001f602", "\U0001f642", "\U0001f604")
_SMILE_ENDS = frozenset(smile[-1] for smile in _SMILES)
_SIGNS = frozenset("!^+/.")
_QUOTES = frozenset("\"'>\u201c")
_BEFORE = " \t\n@<("
_MOST_NAMES = 16
_MOST_MINUTES = 60 * 24 * 7


class Reader:
    """Reads the messages of one channel in order."""

    def __init__(self) -> None:
        self.read = 0
        self._speakers = Speakers()
        self._lexicon = lexicon()
        self._time: int | None = None
        self._minute = 0

    def row(self, post: Post, answers: str = "") -> tuple[tuple[int, ...], list[int]]:
        """Returns the row of a post and the entries of its words.

        Args:
            post: The next message.
            answers: Pseudonym of who wrote the message that it natively replies to, or "".
        """
        place = self.read
        self.read += 1
        me = self._speakers.wrote(post.speaker, post.names)
        text = post.text if len(post.text) <= _LONGEST else post.text[:_LONGEST]
        low = text.lower()
        words = words_of(low)
        strong, weak, unknown = self._addressed(low, words, post.mentions, me.number)
        if answers and (number := self._speakers.find(answers)) not in (NO_ONE, me.number):
            strong = [number, *(n for n in strong if n != number)]
            unknown = False
        minute, timeless = self._now(post)
        addressed = strong or weak
        to = self._speakers.numbered(addressed[0]) if addressed else None
        row = (
            me.number,
            strong[0] if strong else NO_ONE,
            strong[1] if len(strong) > 1 else NO_ONE,
            weak[0] if weak else NO_ONE,
            weak[1] if len(weak) > 1 else NO_ONE,
            minute,
            _shape(text, words) | unknown << 7 | (post.files > 0) << 12 | timeless << 13,
            len(text),
            me.last,
            me.count,
            me.addressed_at,
            me.talks_to,
            me.asked_by,
            to.last if to is not None else NO_ONE,
            to.count if to is not None else NO_ONE,
        )
        me.last = place
        me.count += 1
        for number in strong[:4]:
            other = self._speakers.numbered(number)
            if other is not None:
                other.addressed_at = place
                other.asked_by = me.number
        if to is not None:
            me.talks_to = to.number
        return row, list(map(self._lexicon.__getitem__, words))

    def _now(self, post: Post) -> tuple[int, bool]:
        """Returns minutes since the first message; a clock that goes back stands still, and one that jumps is held."""
        at = post.sent_at
        if not isinstance(at, datetime):
            # The short id of a made-up export holds no time.
            at = parse_time(at, post.id if is_full_id(post.id) else "")
        if at is None:
            return self._minute, True
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        # Many exports have no seconds, so all are read without.
        now = int(at.timestamp() // 60)
        if self._time is not None:
            self._minute += min(max(now - self._time, 0), _MOST_MINUTES)
        self._time = now
        return self._minute, False

    def _addressed(
        self, low: str, words: list[str], mentions: tuple[str, ...], me: int
    ) -> tuple[list[int], list[int], bool]:
        names = self._speakers.by_name
        strong: list[int] = []
        weak: list[int] = []
        unknown = False
        for mention in mentions[:_MOST_NAMES]:
            number = self._speakers.find(mention)
            if number == NO_ONE:
                unknown = True
            elif number != me and number not in strong:
                strong.append(number)
        if "@" in low:
            unknown = self._at(low, me, strong) or unknown
        # Few words are names, so the others are passed over quickly.
        for k, word in [(k, word) for k, word in enumerate(words) if word in names][:_MOST_NAMES]:
            number = names[word]
            if number == me or number in strong or number in weak:
                continue
            usual = self._lexicon[word] & USUAL != 0
            if k == 0 or (k == 1 and strong):
                start = low.lstrip(_BEFORE)
                if not usual or start[len(word) : len(word) + 1] in (":", ","):
                    strong.append(number)
                    continue
            if len(word) > 2 and not usual:
                weak.append(number)
        if words and not strong and ":" in low:
            start = low.lstrip(_BEFORE)
            size = len(words[0])
            unknown = unknown or (start[size : size + 2] == ": " and self._lexicon[words[0]] & USUAL == 0)
        return strong, weak, unknown and not strong

    def _at(self, low: str, me: int, strong: list[int]) -> bool:
        """Adds those whom "@name" and "<@id>" mean; returns True if someone unknown is meant."""
        unknown = False
        for found in islice(_MARKUP.finditer(low), _MOST_NAMES):
            number = self._speakers.find(found[1])
            if number == NO_ONE:
                unknown = True
            elif number != me and number not in strong:
                strong.append(number)
        for found in islice(_AT.finditer(low), _MOST_NAMES):
            before = low[found.start() - 1 : found.start()]
            if before == "<" or before.isalnum():
                continue
            parts = low[found.end() : found.end() + 80].split(" ", 5)[:5]
            number = NO_ONE
            for size in range(len(parts), 0, -1):
                number = self._speakers.by_name.get(bare(" ".join(parts[:size])), NO_ONE)
                if number != NO_ONE:
                    break
            if number == NO_ONE:
                unknown = True
            elif number != me and number not in strong:
                strong.append(number)
        return unknown


def _shape(text: str, words: list[str]) -> int:
    """Returns the flags that depend on the text alone."""
    stripped = text.rstrip()
    begin, end = stripped[:1], stripped[-1:]
    return (
        ("?" in text or (not text.isascii() and any(m in text for m in _QUESTION)))
        | (end in _QUESTION) << 1
        | ("://" in text) << 2
        | ("`" in text) << 3
        | ("```" in text) << 4
        | begin.islower() << 8
        | (end in _OPEN_END or stripped.endswith("...")) << 9
        | ("\n" in text) << 10
        | (not words) << 11
        | ("!" in text) << 15
        | (end in _SMILE_ENDS and stripped.endswith(_SMILES)) << 16
        | (begin in _SIGNS) << 17
        | (begin in _QUOTES) << 18
    )
