"""Keeps what the questions of one conversation have in common, so that nothing is read twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from math import sqrt

import msgspec
from attrs import field, frozen

from furytune.pairing._chat.features import Part, flags, together
from furytune.pairing._chat.people import Person
from furytune.pairing._chat.turns import Turn
from furytune.pairing._chat.wording import WITHOUT_WEIGHTS, Vocabulary, Wording
from furytune.pairing.answers import Reading
from furytune.pairing.posts import sent_at

__all__ = ["Heard", "Scene", "Told", "names_of", "root"]


_NOBODY = Person()


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A turn, read once for everything that it is compared with.

    Attributes:
        turn: The turn.
        reading: What ranking answers needs.
        folded: Its text in lower case.
        first_word: The first word of that, without what sets a name apart.
        mentions: Whom its posts mention.
        flags: Its signals that count, as bits.
        wording: Its wording.
        begin: When its first post was sent.
        end: When its last post was sent.
        files: True if it has files.
    """

    turn: Turn
    reading: Reading
    folded: str
    first_word: str
    mentions: Collection[str]
    flags: int
    wording: Wording
    begin: datetime | None
    end: datetime | None
    files: bool

    @classmethod
    def of(cls, turn: Turn, vocabulary: Vocabulary) -> Heard:
        """Reads a turn; the vocabulary says what words weigh."""
        text = turn.text
        folded = text.casefold()
        first = folded.lstrip("@").split(maxsplit=1)
        posts = [linked.post for linked in turn.posts]
        return cls(
            turn,
            Reading.of(posts, turn.said),
            folded,
            first[0].rstrip(":,") if first else "",
            [mention for post in posts for mention in post.mentions],
            flags(turn.said),
            Wording.of(text, vocabulary),
            sent_at(posts[0]),
            sent_at(posts[-1]),
            any(post.files for post in posts),
        )


class Told(msgspec.Struct, frozen=True, gc=False):
    """Turns that may be an answer together.

    Attributes:
        words: Their words of three and more letters.
        wording: Their wording.
        said: Their signals that count, as bits.
        size: How many words, links, lines of code and posts they have.
        held: How sure it is that the posts of each of them belong together.
        files: True if one of them has files.
        marked: True if one of them has a solution mark.
        part: What describes them without regard to the question.
    """

    words: frozenset[str]
    wording: Wording
    said: int
    size: tuple[int, int, int, int]
    held: float
    files: bool
    marked: bool
    part: Part

    @classmethod
    def of(cls, heard: Heard) -> Told:
        """Returns one turn."""
        turn = heard.turn
        said = turn.said
        size = said.words, said.links, said.code_lines, len(turn.posts)
        part = _told(
            size, 1, heard.flags, heard.wording, files=heard.files, marked=turn.marked, held=turn.held
        )
        return cls(
            heard.reading.words, heard.wording, heard.flags, size, turn.held, heard.files, turn.marked, part
        )

    def then(self, heard: Heard, count: int) -> Told:
        """Returns the turns and a later one, which are so many together."""
        turn = heard.turn
        said = turn.said
        words, links, code_lines, posts = self.size
        size = words + said.words, links + said.links, code_lines + said.code_lines, posts + len(turn.posts)
        files, marked = self.files or heard.files, self.marked or turn.marked
        both, wording = together(self.said, heard.flags), self.wording.then(heard.wording)
        held = min(self.held, turn.held)
        part = _told(size, count, both, wording, files=files, marked=marked, held=held)
        return Told(self.words | heard.reading.words, wording, both, size, held, files, marked, part)


def _told(
    size: tuple[int, int, int, int],
    count: int,
    said: int,
    wording: Wording,
    *,
    files: bool,
    marked: bool,
    held: float,
) -> Part:
    words, links, code_lines, posts = size
    values = (
        root(words),
        min(links, 3),
        root(code_lines),
        files,
        min(posts, 10),
        count,
        marked,
        held,
    )
    return Part("told", values, said, wording)


def names_of(turn: Turn) -> set[str]:
    """Returns the names of who wrote a turn, if they are long enough to be no chance."""
    return {name.casefold() for linked in turn.posts for name in linked.post.names if len(name) > 2}


def root(number: float) -> float:
    """Returns a number made small; the square root is exact on every machine, a logarithm is not."""
    return sqrt(sqrt(number))


@frozen
class Scene:
    """What surrounds the candidates of one conversation.

    Attributes:
        turns: The turns of the conversation.
        people: What each speaker has done in the channel so far.
        is_thread: True if the conversation is a thread or forum post.
        vocabulary: What the words of an answer weigh.
    """

    turns: Sequence[Turn]
    people: Mapping[str, Person]
    is_thread: bool = False
    vocabulary: Vocabulary = field(default=WITHOUT_WEIGHTS, repr=False)
    _habits: dict[str, tuple[float, float, float, float]] = field(
        factory=dict, init=False, repr=False, eq=False
    )
    _heard: dict[int, Heard] = field(factory=dict, init=False, repr=False, eq=False)
    _told: dict[int, dict[tuple[int, ...], Told]] = field(factory=dict, init=False, repr=False, eq=False)

    @cached_property
    def speakers(self) -> int:
        """How many people take part."""
        return len({turn.speaker for turn in self.turns})

    @cached_property
    def called(self) -> Mapping[str, set[str]]:
        """Who is called by a name."""
        called: dict[str, set[str]] = {}
        for turn in self.turns:
            for name in names_of(turn):
                called.setdefault(name, set()).add(turn.speaker)
        return called

    def habits(self, speaker: str) -> tuple[float, float, float, float]:
        """Returns how much a speaker has written in the channel so far, and `Person.habits`."""
        found = self._habits.get(speaker)
        if found is None:
            person = self.people.get(speaker, _NOBODY)
            found = self._habits[speaker] = root(person.posts), *person.habits
        return found

    def heard(self, place: int) -> Heard:
        """Returns a turn, read."""
        found = self._heard.get(place)
        if found is None:
            found = self._heard[place] = Heard.of(self.turns[place], self.vocabulary)
        return found

    def told(self, option: tuple[int, ...]) -> Told:
        """Returns the turns of an answer, read together."""
        from_here = self._told.setdefault(option[0], {})
        found = from_here.get(option)
        if found is None:
            last = self.heard(option[-1])
            count = len(option)
            found = Told.of(last) if count == 1 else self.told(option[:-1]).then(last, count)
            from_here[option] = found
        return found

    def passed(self, place: int) -> None:
        """Forgets what no question after a place needs, so that memory does not grow with the conversation."""
        self._told.pop(place, None)
        self._heard.pop(place - 1, None)  # the question may begin in the turn before
