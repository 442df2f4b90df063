"""Describes one question, and every answer that it may have, in numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec

from furytune.pairing._chat.features import Part, reply_flags
from furytune.pairing._chat.scene import Scene, names_of, root
from furytune.pairing._chat.turns import Turn, asks
from furytune.pairing.answers import scores
from furytune.pairing.signals import Signals

__all__ = ["Candidate", "Question"]

_SHORT_THANKS = 6  # words; with more, the asker adds something
_SURE = 0.5  # of every link on the way, or what the asker adds may belong to something else
_OTHERS = 10
_SILENT = Signals()


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A question and what may answer it.

    Attributes:
        asked: The turns of the question, in order.
        told: The turns of the answer, in order.
        opener: Place in the conversation of the turn that asks.
        clarified: True if the asker added something before the answer came.
        reply: What the asker said next after the answer, None for nothing.
        parts: What describes it, one part for each of `GROUPS`, in that order.
    """

    asked: tuple[Turn, ...]
    told: tuple[Turn, ...]
    opener: int
    clarified: bool
    reply: Turn | None
    parts: tuple[Part, ...]

    @property
    def marked(self) -> bool:
        """True if every turn of the answer has a solution mark."""
        return all(turn.marked for turn in self.told)

    @property
    def features(self) -> tuple[float, ...]:
        """One number for each name in `FEATURES`."""
        return tuple(float(value) for part in self.parts for value in (*part.flags, *part.values))


class _Asked(msgspec.Struct, frozen=True, gc=False):
    """What was asked before an answer.

    Attributes:
        turns: The turns.
        added: How many of them came after the opener.
        words: Their words of three and more letters.
        part: What describes them.
    """

    turns: tuple[Turn, ...]
    added: int
    words: frozenset[str]
    part: Part


class Question:
    """One question, and what all its candidates have in common.

    Args:
        scene: The conversation.
        opener: Place of the turn that asks.
        related: Places of the later turns that may have to do with it, in order, and their weakest link.
        own: Those of them that the asker wrote.
        helpers: Those of each other speaker.
    """

    def __init__(
        self,
        scene: Scene,
        opener: int,
        related: Mapping[int, float],
        own: Sequence[int],
        helpers: Mapping[str, Sequence[int]],
    ) -> None:
        self._scene = scene
        self._opener = opener
        self._related = related
        self._own = own
        self._helpers = helpers
        turns = scene.turns
        self._turn = turn = turns[opener]
        self._heard = scene.heard(opener)
        places = list(related)
        found = scores(self._heard.reading, [scene.heard(i).reading for i in places])
        self._names = names_of(turn)
        self._best = places[found.index(max(found))]
        self._answers = dict(zip(places, map(self._answer, places, found), strict=True))
        self._parent = turns[turn.parent] if turn.parent >= 0 else None
        parent = self._parent
        self._continues = parent is not None and parent.speaker == turn.speaker
        # What answers someone else does not introduce a question.
        self._led_in = (
            self._continues
            and turn.parent == opener - 1
            and parent is not None
            and not parent.native
            and not any(linked.lost for linked in parent.posts)
        )
        # The first turns by others, and which of them ask something back.
        others = (i for i in range(opener + 1, places[-1]) if turns[i].speaker != turn.speaker)
        self._others = list(islice(others, _OTHERS))
        said = [turns[i].said for i in self._others]
        self._ask_back = [one.asks_back or one.ends_asking for one in said]
        self._asker = scene.person(turn.speaker)
        self._additions = [
            i
            for i in own
            if related[i] >= _SURE and not (turns[i].said.thanks and turns[i].said.words < _SHORT_THANKS)
        ]
        self._opening = self._opening_part()
        self._asked: dict[int, _Asked] = {}
        # By the first turn of an answer: what was asked before, how it begins, and the turns of who wrote it.
        self._begins: dict[int, tuple[_Asked, Part, Sequence[int]]] = {}
        self._ends: dict[int, Part] = {}

    def candidate(self, option: tuple[int, ...]) -> Candidate:
        """Returns the question with the turns at some places as its answer."""
        first, last = option[0], option[-1]
        told = self._scene.told(option)
        known = self._begins.get(first)
        if known is None:
            helper = self._helpers.get(told.turns[0].speaker, ())
            known = self._begins[first] = self._asked_before(first), self._begin(first), helper
        asked, begin, helper = known
        after = bisect_right(self._own, last)
        end = self._ends.get(after)
        if end is None:
            end = self._ends[after] = self._end(after)
        shared = len(asked.words & told.words)
        score, link, direct, native, addressed = self._answers[first]
        for place in option[1:]:
            score_, link_, direct_, native_, addressed_ = self._answers[place]
            score += score_
            link = min(link, link_)
            direct = direct or direct_
            native = native or native_
            addressed = addressed or addressed_
        fit = (
            self._best in option,
            score,
            native,
            direct,
            link,
            min(last - first, 20),
            min(len(helper) - bisect_right(helper, last), 10),
            len(option) / (len(helper) or 1),
            min(shared, 10),
            shared / (len(asked.words) + len(told.words) - shared or 1),
            addressed,
        )
        return Candidate(
            asked.turns,
            told.turns,
            self._opener,
            asked.added > 0,
            self._scene.turns[self._own[after]] if after < len(self._own) else None,
            (self._opening, asked.part, told.part, begin, end, Part("fit", fit)),
        )

    def _opening_part(self) -> Part:
        """Describes the turn that asks, and where it is."""
        scene, turn, parent = self._scene, self._turn, self._parent
        return Part(
            "opener",
            (
                root(turn.said.words),
                turn.native,
                parent is None,
                self._continues,
                turn.confidence,
                # The asker's details look like an answer.
                parent is not None and not self._continues and asks(parent.said),
                min(len(self._helpers), 6),
                min(scene.speakers, 8),
                root(len(scene.turns)),
                root(self._opener),
                root(self._asker.posts),
                *self._asker.habits,
                scene.is_thread,
                turn.speaker == scene.turns[0].speaker,
            ),
            self._heard.flags,
        )

    def _asked_before(self, place: int) -> _Asked:
        """Returns what was asked before a turn: the question, and what the asker added."""
        count = bisect_left(self._additions, place)
        found = self._asked.get(count)
        if found is None:
            found = self._asked[count] = self._asked_with(self._additions[:count])
        return found

    def _asked_with(self, additions: Sequence[int]) -> _Asked:
        scene, opener = self._scene, self._opener
        begins = opener - self._led_in
        heard = [scene.heard(i) for i in (*range(begins, opener + 1), *additions)]
        turns = tuple(one.turn for one in heard)
        wording = heard[0].wording
        for one in heard[1:]:
            wording = wording.then(one.wording)
        values = (
            root(sum(turn.said.words for turn in turns)),
            min(sum(turn.said.links for turn in turns), 3),
            root(sum(turn.said.code_lines for turn in turns)),
            any(one.files for one in heard),
            min(sum(len(turn.posts) for turn in turns), 10),
            min(len(additions), 5),
        )
        return _Asked(
            turns,
            len(additions),
            frozenset[str]().union(*(one.reading.words for one in heard)),
            Part("asked", values, words=tuple(wording.keys)),
        )

    def _begin(self, place: int) -> Part:
        """Describes who begins to answer, and when."""
        scene, asker = self._scene, self._turn.speaker
        heard = scene.heard(place)
        answerer = heard.turn.speaker
        helper = self._helpers.get(answerer, ())
        begin, end = self._heard.end, heard.begin
        minutes = 0.0 if begin is None or end is None else max(0.0, (end - begin).total_seconds() / 60)
        others = bisect_left(self._others, place)
        reversed_ = self._parent is not None and self._parent.speaker == answerer
        other = scene.turns[heard.turn.parent] if heard.turn.parent >= 0 else None
        person = scene.person(answerer)
        posts = root(person.posts)
        return Part(
            "begin",
            (
                self._related[place],
                root(place - self._opener),
                root(minutes),
                others,
                sum(self._ask_back[:others]),
                bool(helper) and place == helper[0],
                answerer == asker,
                posts,
                *person.habits,
                posts - root(self._asker.posts),
                self._addresses_other(heard.folded),
                # A helper who asks back looks like an asker.
                reversed_,
                reversed_ and self._parent is not None and asks(self._parent.said),
                other is not None and other.speaker not in (asker, answerer) and asks(other.said),
                answerer == scene.turns[0].speaker,
            ),
        )

    def _addresses_other(self, folded: str) -> bool:
        """Returns True if a text begins with the name of someone who did not ask."""
        word = folded.lstrip("@").split(maxsplit=1)
        if not word:
            return False
        called = self._scene.called.get(word[0].rstrip(":,"))
        return called is not None and (len(called) > 1 or self._turn.speaker not in called)

    def _end(self, after: int) -> Part:
        """Describes what the asker says after the answer."""
        later = [self._scene.turns[i].said for i in self._own[after : after + 3]]
        return Part(
            "end",
            (
                len(later),
                root(later[0].words) if later else 0.0,
                any(said.thanks for said in later),
                any(said.works_now for said in later),
            ),
            reply_flags(later[0] if later else _SILENT),
        )

    def _answer(self, place: int, score: float) -> tuple[float, float, bool, bool, bool]:
        """Returns about a turn: score, weakest link, whether it answers the opener, natively, and names its speaker."""
        heard = self._scene.heard(place)
        direct = heard.turn.parent == self._opener
        addressed = any(name in heard.folded for name in self._names) or any(
            self._turn.speaker in linked.post.mentions for linked in heard.turn.posts
        )
        return score, self._related[place], direct, direct and heard.turn.native, addressed
