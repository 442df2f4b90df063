"""Describes one question, and every answer that it may have, in numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, islice

import msgspec

from furytune.pairing._chat.features import Part, reply_flags
from furytune.pairing._chat.scene import Heard, Scene, names_of, root
from furytune.pairing._chat.turns import Turn, answers_another, asks
from furytune.pairing.answers import scores
from furytune.pairing.signals import Signals

__all__ = ["Candidate", "Option", "Question"]

_SHORT_THANKS = 6  # words; with more, the asker adds something
_SURE = 0.5  # of every link on the way, or what the asker adds may belong to something else
_OTHERS = 10
_SILENT = Signals()

Option = tuple[int, ...]
"""Places of the turns that may be the answer together, in order."""


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A question and what may answer it.

    Attributes:
        asked: The turns of the question, in order.
        told: The turns of the answer, in order.
        opener: Place in the conversation of the turn that asks.
        clarified: True if the asker added something before the answer came.
        reply: What the asker said next after the answer, None for nothing.
        places: Places in the conversation of all its turns.
        parts: What describes it, one part for each of `GROUPS`, in that order.
    """

    asked: tuple[Turn, ...]
    told: tuple[Turn, ...]
    opener: int
    clarified: bool
    reply: Turn | None
    places: tuple[int, ...]
    parts: tuple[Part, ...]

    @property
    def marked(self) -> bool:
        """True if every turn of the answer has a solution mark."""
        return all(turn.marked for turn in self.told)

    @property
    def features(self) -> tuple[float, ...]:
        """One number for each name in `FEATURES`."""
        return tuple(value for part in self.parts for value in part.features)


class _Asked(msgspec.Struct, frozen=True, gc=False):
    """What was asked before an answer.

    Attributes:
        places: Places of the turns.
        turns: The turns.
        added: How many of them came after the opener.
        words: Their words of three and more letters.
        part: What describes them.
    """

    places: tuple[int, ...]
    turns: tuple[Turn, ...]
    added: int
    words: frozenset[str]
    part: Part


class Question:
    """One question, and what all its candidates have in common.

    Most candidates are only scored. So each part of what describes one is made once for all that share it, and a whole
    candidate only when asked for.

    Args:
        scene: The conversation.
        opener: Place of the turn that asks.
        related: Places of the later turns that may have to do with it, in order, and their weakest link.
        own: Those of them that the asker wrote.
        helpers: Those of each other speaker.
        options: What may be the answer.

    Attributes:
        options: What may be the answer.
    """

    def __init__(
        self,
        scene: Scene,
        opener: int,
        related: Mapping[int, float],
        own: Sequence[int],
        helpers: Mapping[str, Sequence[int]],
        options: Sequence[Option],
    ) -> None:
        self.options = options
        self._scene = scene
        self._opener = opener
        self._related = related
        self._own = own
        self._helpers = helpers
        turns = scene.turns
        self._turn = turn = turns[opener]
        self._heard = scene.heard(opener)
        places = list(related)
        heard = [scene.heard(i) for i in places]
        found = scores(self._heard.reading, [one.reading for one in heard])
        self._names = names_of(turn)
        self._best = places[found.index(max(found))]
        self._answers = dict(zip(places, map(self._answer, places, heard, found), strict=True))
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
        # The first turns by others, and how many of them ask something back.
        others = (i for i in range(opener + 1, places[-1]) if turns[i].speaker != turn.speaker)
        self._others = list(islice(others, _OTHERS))
        said = [turns[i].said for i in self._others]
        self._ask_back = [0, *accumulate(one.asks_back or one.ends_asking for one in said)]
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

    def candidate(self, option: Option) -> Candidate:
        """Returns the question with one of its options as its answer."""
        asked, _, _ = self._before(option[0])
        after = bisect_right(self._own, option[-1])
        turns = self._scene.turns
        return Candidate(
            asked.turns,
            tuple(turns[place] for place in option),
            self._opener,
            asked.added > 0,
            turns[self._own[after]] if after < len(self._own) else None,
            (*asked.places, *option),
            self.parts(option),
        )

    def marked(self, option: Option) -> bool:
        """Returns True if every turn of an option has a solution mark."""
        return all(self._scene.turns[place].marked for place in option)

    def places(self, option: Option) -> tuple[int, ...]:
        """Returns the places of the turns of a candidate: the question's, then the answer's."""
        asked, _, _ = self._before(option[0])
        return (*asked.places, *option)

    def parts(self, option: Option) -> tuple[Part, ...]:
        """Returns what describes a candidate, one part for each of `GROUPS`, in that order."""
        first, last = option[0], option[-1]
        asked, begin, helper = self._before(first)
        told = self._scene.told(option)
        after = bisect_right(self._own, last)
        end = self._ends.get(after)
        if end is None:
            end = self._ends[after] = self._end(after)
        score, link, direct, native, addressed = self._answers[first]
        for place in option[1:]:
            score_, link_, direct_, native_, addressed_ = self._answers[place]
            score += score_
            link = min(link, link_)
            direct = direct or direct_
            native = native or native_
            addressed = addressed or addressed_
        shared = len(asked.words & told.words)
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
        return self._opening, asked.part, told.part, begin, end, Part("fit", fit)

    def _before(self, first: int) -> tuple[_Asked, Part, Sequence[int]]:
        """Returns what was asked before an answer begins, how it begins, and the turns of who wrote it."""
        found = self._begins.get(first)
        if found is None:
            helper = self._helpers.get(self._scene.turns[first].speaker, ())
            found = self._begins[first] = self._asked_before(first), self._begin(first, helper), helper
        return found

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
                *scene.habits(turn.speaker),
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
        places = (*range(opener - self._led_in, opener + 1), *additions)
        heard = [scene.heard(i) for i in places]
        turns = tuple(one.turn for one in heard)
        wording, words = heard[0].wording, heard[0].reading.words
        for one in heard[1:]:
            wording = wording.then(one.wording)
            words |= one.reading.words
        values = (
            root(sum([turn.said.words for turn in turns])),
            min(sum([turn.said.links for turn in turns]), 3),
            root(sum([turn.said.code_lines for turn in turns])),
            any(one.files for one in heard),
            min(sum([len(turn.posts) for turn in turns]), 10),
            min(len(additions), 5),
            min([turn.held for turn in turns]),
        )
        return _Asked(places, turns, len(additions), words, Part("asked", values, wording=wording))

    def _begin(self, place: int, helper: Sequence[int]) -> Part:
        """Describes who begins to answer, and when.

        Args:
            place: The first turn of the answer.
            helper: The turns of who wrote it, if it is not the asker.
        """
        scene, asker, parent = self._scene, self._turn.speaker, self._parent
        turns = scene.turns
        heard = scene.heard(place)
        turn = heard.turn
        answerer = turn.speaker
        begin, end = self._heard.end, heard.begin
        minutes = 0.0 if begin is None or end is None else max(0.0, (end - begin).total_seconds() / 60)
        others = bisect_left(self._others, place)
        reversed_ = parent is not None and parent.speaker == answerer
        habits = scene.habits(answerer)
        return Part(
            "begin",
            (
                self._related[place],
                root(place - self._opener),
                root(minutes),
                others,
                self._ask_back[others],
                bool(helper) and place == helper[0],
                answerer == asker,
                *habits,
                habits[0] - scene.habits(asker)[0],
                self._addresses_other(heard.first_word),
                # A helper who asks back looks like an asker.
                reversed_,
                reversed_ and parent is not None and asks(parent.said),
                answers_another(turns, place, asker),
                answerer == turns[0].speaker,
            ),
        )

    def _addresses_other(self, word: str) -> bool:
        """Returns True if the first word of a text is the name of someone who did not ask."""
        called = self._scene.called.get(word)
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

    def _answer(self, place: int, heard: Heard, score: float) -> tuple[float, float, bool, bool, bool]:
        """Returns about a turn: score, weakest link, whether it answers the opener, natively, and names its speaker."""
        turn = heard.turn
        direct = turn.parent == self._opener
        addressed = self._turn.speaker in heard.mentions
        for name in self._names:
            addressed = addressed or name in heard.folded
        return score, self._related[place], direct, direct and turn.native, addressed
