"""Keeps what many questions ask in little memory, and finds those that ask the same."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING, Any

from furytune.curation._alike.buckets import minhash_keys, mixed, shared_buckets, sign_keys
from furytune.curation._alike.likeness import contrasts, likeness, turned
from furytune.curation._alike.wording import wording

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Forms", "Meanings"]

_SCALE = 1_000_000  # shares are compared as whole numbers
_MOST = 32  # questions of one bucket that a question is compared with
_MOST_IN_ALL = 256  # and of all its buckets
_LONG = 40  # words; longer texts are found by their MinHash alone
_RELATED = (
    300_000  # millionths of a cosine; in static models, words that have nothing in common are below 0.15
)
_MOST_WORDS = 144  # pairs of differing words of two texts that are looked at
_BATCH = 1024  # texts for one call of the embedder
_CONSONANTS = str.maketrans("zc", "ss", "aeiouy")
_SHORT = 12  # words; in a longer text, the first question word is often not that of the question

_Pairs = frozenset[tuple[str, str, str]]


class Meanings:
    """Vectors of texts and words, as whole numbers.

    Args:
        embed: Returns an array with one row for each text.
        least: The lowest cosine of two texts that mean the same.
    """

    def __init__(self, embed: Callable[[Sequence[str]], Any], least: float) -> None:
        self._embed = embed
        self._least = round(least * _SCALE)
        self._waiting: list[str] = []
        self._done: list[Any] = []
        self._word = lru_cache(maxsize=1 << 16)(self._read_word)

    def add(self, text: str) -> None:
        """Adds the next text."""
        self._waiting.append(text)
        if len(self._waiting) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._done.append(_whole(self._embed(self._waiting)))
            self._waiting = []

    def vectors(self) -> Any:
        """All vectors so far, one row for each text."""
        import numpy as np

        self._flush()
        if len(self._done) > 1:
            self._done = [np.concatenate(self._done)]
        return self._done[0] if self._done else np.zeros((0, 1), dtype=np.int8)

    def alike(self, one: int, other: int) -> bool:
        """Tells whether two texts mean the same. A text without known words is like no other."""
        table = self.vectors()
        return _near(table[one], table[other], self._least)

    def counterparts(self, some: Collection[str], others: Collection[str]) -> bool:
        """Tells whether each of these words is related to one of the others, and the other way round.

        A whole text hardly moves if one noun is replaced by another, so its vector does not tell "sphere" from "cone".
        """
        if not some or not others or len(some) * len(others) > _MOST_WORDS:
            return False
        near = [[_near(self._word(a), self._word(b), _RELATED) for b in others] for a in some]
        return all(map(any, near)) and all(map(any, zip(*near, strict=True)))

    def _read_word(self, word: str) -> Any:
        return _whole(self._embed([word]))[0]


def _whole(vectors: Any) -> Any:
    """Returns vectors as whole numbers, the largest of which is 127.

    From here on all sums are exact: they do not depend on the order of the terms or on the machine.
    """
    import numpy as np

    vectors = np.asarray(vectors, dtype=np.float64)
    largest = np.abs(vectors).max(axis=1, initial=0.0, keepdims=True)
    return np.rint(vectors * (127 / np.where(largest > 0, largest, 1))).astype(np.int8)


def _near(one: Any, other: Any, least: int) -> bool:
    """Tells whether the cosine of two vectors is at least this many millionths."""
    import numpy as np

    a, b = one.astype(np.int64), other.astype(np.int64)
    dot, norm = int(a @ b), int(a @ a) * int(b @ b)
    return dot > 0 and dot * _SCALE >= least * isqrt(norm)


class Forms:
    """The different questions of a data set: those with the same words and facts are one form.

    Args:
        similar: The lowest share of words that two questions with the same facts must have in common.
        meanings: Compares the questions by meaning as well.
    """

    def __init__(self, similar: float, meanings: Meanings | None = None) -> None:
        self._similar = round(similar * _SCALE)
        self._meanings = meanings
        self._numbers: dict[bytes, int] = {}
        self._words: list[str] = []
        self._ids: dict[str, int] = {}
        self._hashes = array("Q")  # by word: of the word, of its letters that survive a slip, of its two ends
        self._rough = array("Q")
        self._ends = array("Q")
        self._members = array("I")  # of all forms, one after the other
        self._shown = array("I")  # the same words as they are written, if meanings are compared
        self._starts = array("Q", [0])
        self._facts = array("Q")
        self._directions: dict[int, _Pairs] = {}
        self._asks: dict[int, str] = {}
        self._set = lru_cache(maxsize=1 << 16)(self._read_set)

    def __len__(self) -> int:
        return len(self._facts)

    def add(self, question: str) -> int:
        """Adds a question; returns the number of its form, from 0 in the order of first use."""
        asked = wording(question)
        facts = "\n".join(asked.facts)
        parts = ["\n".join(asked.words), facts, repr(sorted(asked.directions)), asked.asks]
        if self._meanings is not None:
            parts.append(asked.text)
        digest = hashlib.blake2b(digest_size=16)
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        number = self._numbers.setdefault(digest.digest(), len(self._numbers))
        if number == len(self._facts):
            self._facts.append(_hash(facts))
            self._members.extend(map(self._word, asked.words))
            self._starts.append(len(self._members))
            if asked.directions:
                self._directions[number] = asked.directions
            if asked.asks and len(asked.words) <= _SHORT:
                self._asks[number] = asked.asks
            if self._meanings is not None:
                self._meanings.add(asked.text)
                self._shown.extend(map(self._word, asked.shown))
        return number

    def in_order(self) -> list[int]:
        """Returns the numbers of all forms in an order that does not depend on that of their first use."""
        digests = list(self._numbers)
        return sorted(range(len(digests)), key=digests.__getitem__)

    def matches(self, order: Sequence[int], *, kept_only: bool) -> Iterator[tuple[int, int]]:
        """Yields each form with an earlier one that asks the same, if there is one.

        Each form is compared with up to 32 earlier ones in each of its buckets, and 256 in all, so the time is at most proportional to the
        number of forms.

        Args:
            order: The numbers of all forms, the best first.
            kept_only: Whether a form with an earlier match is forgotten, and each form yielded once, with its best match.
                Otherwise each is yielded with all matches.
        """
        import numpy as np

        buckets, owners = self._buckets()
        begin = np.searchsorted(owners, np.arange(len(self) + 1))
        entered: dict[int, list[int]] = {}
        place = np.empty(len(self), dtype=np.int64)
        place[np.asarray(order, dtype=np.int64)] = np.arange(len(self))
        for form in order:
            mine = buckets[begin[form] : begin[form + 1]].tolist()
            seen = {other for bucket in mine for other in entered.get(bucket, ())}
            matched = False
            for other in sorted(seen, key=place.__getitem__)[:_MOST_IN_ALL]:
                if self._alike(other, form):
                    matched = True
                    yield form, other
                    if kept_only:
                        break
            if matched and kept_only:
                continue
            for bucket in mine:
                there = entered.setdefault(bucket, [])
                if len(there) < _MOST and form not in there:
                    there.append(form)

    def _alike(self, one: int, other: int) -> bool:
        """Tells whether two forms with a common key ask the same."""
        if self._facts[one] != self._facts[other]:
            return False
        some, others = self._set(one), self._set(other)
        if not some or not others:  # then the fact is the text itself
            return some == others
        short = max(len(some), len(others)) <= _SHORT
        if short and self._asks.get(one) != self._asks.get(other):
            return False
        turns = self._directions.get(one), self._directions.get(other)
        if turns[0] and turns[1] and turned(turns[0], turns[1]):
            return False
        equal, total = likeness(some, others)
        if equal * _SCALE >= self._similar * total:
            return True
        return self._meanings is not None and self._same_meaning(self._meanings, one, other)

    def _same_meaning(self, meanings: Meanings, one: int, other: int) -> bool:
        some, others = self._written(one), self._written(other)
        only, new = some.keys() - others.keys(), others.keys() - some.keys()
        return (
            not contrasts(only, new)
            and meanings.alike(one, other)
            and meanings.counterparts([some[w] for w in sorted(only)], [others[w] for w in sorted(new)])
        )

    def _written(self, form: int) -> dict[str, str]:
        """Returns each word of a form as it is written."""
        part = slice(self._starts[form], self._starts[form + 1])
        pairs = zip(self._members[part], self._shown[part], strict=True)
        return {self._words[word]: self._words[shown] for word, shown in pairs}

    def _buckets(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Returns the numbers of all shared buckets, sorted by form, and the forms."""
        import numpy as np

        found, whose = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        known = 0
        facts = np.asarray(self._facts)
        for keys, forms in self._keys():
            # The facts are part of each key, so that questions about different things never meet.
            numbers, owners = shared_buckets(mixed(keys ^ facts[forms]), forms)
            found.append(numbers + known)
            whose.append(owners)
            known += len(keys)
        numbers, owners = np.concatenate(found), np.concatenate(whose)
        order = np.argsort(owners, kind="stable")
        return numbers[order], owners[order]

    def _keys(self) -> Iterator[tuple[Any, Any]]:
        """Yields arrays of keys and their forms, one kind of key after the other."""
        import numpy as np

        every = np.arange(len(self))
        if self._meanings is not None and len(self):
            signs = sign_keys(self._meanings.vectors())
            for table in range(signs.shape[1]):
                yield signs[:, table], every
        members = np.asarray(self._members, dtype=np.int64)
        sizes: Any = np.diff(np.asarray(self._starts).astype(np.int64))
        some = every[sizes > 0]
        if not len(some):
            return
        starts = np.asarray(self._starts).astype(np.int64)[some]
        owners = np.repeat(every, sizes)
        words, rough = np.asarray(self._hashes)[members], np.asarray(self._rough)[members]
        whole = np.zeros(len(self), dtype=np.uint64)
        whole[some] = np.add.reduceat(words, starts)
        without = whole[owners] - words
        # The same words but for slips: the same rough words, or all the same but one with the same ends.
        yield mixed(np.add.reduceat(rough, starts), 1), some
        brief = (sizes <= _LONG)[owners]
        yield mixed(without + np.asarray(self._ends)[members], 2)[brief], owners[brief]
        # Longer texts may have some more words.
        least = -(-_SCALE // max(1, _SCALE - self._similar))
        long = sizes >= max(1, least - 1)
        within = long[owners]
        if within.any():
            fewer = within & brief
            yield (
                np.concatenate([mixed(without[fewer], 4), mixed(whole[long], 4)]),
                np.concatenate([owners[fewer], every[long]]),
            )
            begins = np.concatenate([[0], np.cumsum(sizes[long])[:-1]])
            bands = minhash_keys(rough[within], begins, _rows(self._similar))
            for band in range(bands.shape[1]):
                yield bands[:, band], every[long]

    def _word(self, word: str) -> int:
        number = self._ids.setdefault(word, len(self._ids))
        if number == len(self._words):
            self._words.append(word)
            self._hashes.append(_hash(word))
            rough = word
            if len(word) > 4 and word.isalpha():
                rough = word[0] + "".join(sorted(set(word[1:].translate(_CONSONANTS))))
            self._rough.append(_hash(f"~{rough}"))
            self._ends.append(_hash(f"{word[0]}~{word[-1]}"))
        return number

    def _read_set(self, form: int) -> frozenset[str]:
        part = self._members[self._starts[form] : self._starts[form + 1]]
        return frozenset(self._words[w] for w in part)


def _rows(similar: int) -> int:
    """Returns how many minima make a band, so that at least 95 of 100 pairs of this likeness share one of 16."""
    return next((rows for least, rows in ((0.8, 6), (0.65, 4), (0.55, 3)) if similar >= least * _SCALE), 2)


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
