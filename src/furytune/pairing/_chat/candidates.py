"""Lists what may answer each question of a conversation, and describes every such candidate in numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import sqrt

from attrs import frozen

from furytune.pairing._chat.turns import Turn
from furytune.pairing.answers import answer_scores
from furytune.pairing.posts import sent_at
from furytune.pairing.signals import Signals

__all__ = ["FEATURES", "Candidate", "Scene", "asks", "candidates"]

_AHEAD = 40  # turns; an answer further away is nearly always a native reply to something else
_HELPERS = 5
_TURNS_EACH = 6
_TOGETHER = 4
_IN_THREAD = 0.3
_SURE = 0.5  # what the asker adds belongs to the question if every link on the way is at least this sure
_WORD = re.compile(r"\w{3,}")

_FLAGS = (
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
    "me_too",
    "redirects",
    "team_talk",
    "announcement",
    "leans_on_file",
    "leans_on_above",
    "says_yes",
    "says_no",
    "promise_only",
    "greeting_only",
    "asks",
    "ends_asking",
    "shows_failure",
    "quotes",
    "has_mention",
    "code",
    "link_only",
)
_REPLY = ("thanks", "works_now", "still_fails", "asks", "asks_without_mark", "reports_trouble", "says_no")
_COUNTS = (
    "q_words",
    "q_opener_words",
    "q_links",
    "q_code_lines",
    "q_files",
    "q_posts",
    "q_native",
    "q_starts",
    "q_continues",
    "q_confidence",
    "a_words",
    "a_links",
    "a_code_lines",
    "a_files",
    "a_posts",
    "a_turns",
    "a_is_best",
    "a_best_share",
    "by_asker",
    "helpers",
    "clarified",
    "native",
    "direct",
    "weakest_link",
    "first_link",
    "distance",
    "span",
    "gap",
    "speakers",
    "turns",
    "place",
    "before_by_others",
    "before_asking_back",
    "first_of_helper",
    "left_of_helper",
    "share_of_helper",
    "reply",
    "reply_words",
    "thanked_later",
    "works_later",
    "asker_posts",
    "answerer_posts",
    "experience",
    "overlap",
    "overlap_share",
    "marked",
    "addressed",
    "addresses_other",
    "reversed",
    "q_answers_question",
    "thread",
    "by_opener",
    "answered_by_opener",
)
FEATURES = (
    *(f"q_{flag}" for flag in _FLAGS),
    *(f"a_{flag}" for flag in _FLAGS),
    *(f"r_{flag}" for flag in _REPLY),
    *_COUNTS,
)
"""Names of what describes a candidate: the question (q_), the answer (a_), the asker's reply (r_), and how they fit."""


@frozen
class Scene:
    """What surrounds the candidates of one conversation.

    Attributes:
        turns: The turns of the conversation.
        people: How many posts each speaker has written in the channel so far.
        is_thread: True if the conversation is a thread or forum post.
    """

    turns: Sequence[Turn]
    people: Mapping[str, int]
    is_thread: bool = False


@frozen
class Candidate:
    """A question and what may answer it.

    Attributes:
        asked: The turns of the question, in order.
        told: The turns of the answer, in order.
        opener: Place in the conversation of the turn that asks.
        clarified: True if the asker added something before the answer came.
        reply: What the asker said next after the answer, None for nothing.
        features: One number for each name in `FEATURES`.
    """

    asked: tuple[Turn, ...]
    told: tuple[Turn, ...]
    opener: int
    clarified: bool
    reply: Turn | None
    features: tuple[float, ...]


def asks(turn: Turn) -> bool:
    """Returns True if a turn may be a question. This is generous; the model decides."""
    said = turn.said
    return said.asks or said.asks_without_mark or said.reports_trouble or said.seeks_help


def candidates(scene: Scene) -> Iterator[list[Candidate]]:
    """Yields the candidates of each question, in order of questions."""
    turns = scene.turns
    chains = _chains(scene)
    for opener, turn in enumerate(turns):
        if not asks(turn) and not (scene.is_thread and opener == 0):
            continue
        related = {
            i: chains[i][opener]
            for i in range(opener + 1, min(opener + 1 + _AHEAD, len(turns)))
            if opener in chains[i]
        }
        own = [i for i in related if turns[i].speaker == turn.speaker]
        helpers: dict[str, list[int]] = {}
        for i in related:
            if turns[i].speaker != turn.speaker:
                helpers.setdefault(turns[i].speaker, []).append(i)
        options = _options(turns, own, helpers)
        if options:
            about = _About(scene, opener, related, own, helpers)
            yield [about.candidate(option) for option in options]


def _chains(scene: Scene) -> list[dict[int, float]]:
    """Returns for each turn the turns that it goes back to, with the weakest link on the way."""
    chains: list[dict[int, float]] = []
    for i, turn in enumerate(scene.turns):
        chain: dict[int, float] = {}
        if turn.parent >= 0:
            chain[turn.parent] = turn.confidence
            for place, confidence in chains[turn.parent].items():
                # An answer further back than this is not considered, so long chains stay short.
                if i - place <= _AHEAD:
                    chain[place] = min(confidence, turn.confidence)
        elif scene.is_thread and 0 < i <= _AHEAD:
            # Everything in a thread may be about what it was opened for.
            chain[0] = _IN_THREAD
        chains.append(chain)
    return chains


def _options(
    turns: Sequence[Turn], own: list[int], helpers: Mapping[str, list[int]]
) -> list[tuple[int, ...]]:
    """Returns which turns may be the answer together."""
    options: list[tuple[int, ...]] = []
    first = list(helpers.values())[:_HELPERS]
    for places in first:
        these = places[:_TURNS_EACH]
        for begin in range(len(these)):
            ends = range(begin + 1, min(begin + _TOGETHER, len(these)) + 1)
            options += (tuple(these[begin:end]) for end in ends)
    options += combinations(sorted(places[0] for places in first[:4]), 2)
    # "Solved it: ..." by the asker is an answer too, "nevermind" is not.
    options += ((i,) for i in own[:_TURNS_EACH] if turns[i].said.words >= 5 or turns[i].said.code)
    return options


def _names(turn: Turn) -> frozenset[str]:
    """Returns the names of who wrote a turn, if they are long enough to be no chance."""
    return frozenset(name.casefold() for linked in turn.posts for name in linked.post.names if len(name) > 2)


def _log(number: float) -> float:
    # The square root is exact on every machine, a logarithm is not.
    return sqrt(sqrt(number))


class _About:
    """One question, and what all its candidates have in common."""

    def __init__(
        self,
        scene: Scene,
        opener: int,
        related: Mapping[int, float],
        own: list[int],
        helpers: Mapping[str, list[int]],
    ) -> None:
        self.scene = scene
        self.opener = opener
        self.related = related
        self.own = own
        self.helpers = helpers
        turns = scene.turns
        self.turn = turns[opener]
        places = list(related)
        scores = answer_scores(
            [linked.post for linked in self.turn.posts],
            [[linked.post for linked in turns[i].posts] for i in places],
        )
        self.score = dict(zip(places, scores, strict=True))
        self.best = max(places, key=lambda i: (self.score[i], -i))
        self.speakers = len({turn.speaker for turn in turns})
        self.names = _names(self.turn)
        self.others = frozenset[str]().union(
            *(_names(other) for other in turns if other.speaker != self.turn.speaker)
        )

    def addresses_other(self, turn: Turn) -> bool:
        """Returns True if a turn begins with the name of someone who did not ask."""
        word = turn.text.casefold().lstrip("@").split(maxsplit=1)
        return bool(word) and word[0].rstrip(":,") in self.others

    def candidate(self, option: tuple[int, ...]) -> Candidate:
        turns, opener, turn = self.scene.turns, self.opener, self.turn
        asked = [turn]
        continues = turn.parent >= 0 and turns[turn.parent].speaker == turn.speaker
        if continues and turn.parent == opener - 1:
            asked.insert(0, turns[turn.parent])
        added = [
            turns[i]
            for i in self.own
            if i < option[0]
            and self.related[i] >= _SURE
            and not (turns[i].said.thanks and turns[i].said.words < 6)
        ]
        asked += added
        told = [turns[i] for i in option]
        answerer = told[0].speaker
        later = [turns[i] for i in self.own if i > option[-1]][:3]
        reply = later[0] if later else None
        question, answer = _together(asked), _together(told)
        helper = self.helpers.get(answerer, [])
        between = [turns[i] for i in range(opener + 1, option[0]) if turns[i].speaker != turn.speaker]
        begin, end = sent_at(turn.posts[-1].post), sent_at(told[0].posts[0].post)
        minutes = 0.0 if begin is None or end is None else max(0.0, (end - begin).total_seconds() / 60)
        words = set(_WORD.findall("\n".join(t.text for t in asked).casefold()))
        text = "\n".join(t.text for t in told).casefold()
        others = set(_WORD.findall(text))
        shared = len(words & others)
        asker_posts = _log(self.scene.people.get(turn.speaker, 0))
        answerer_posts = _log(self.scene.people.get(answerer, 0))
        thread_opener = turns[0].speaker
        parent = turns[turn.parent] if turn.parent >= 0 else None
        counts = (
            _log(question.words),
            _log(turn.said.words),
            min(question.links, 3),
            _log(question.code_lines),
            any(linked.post.files for t in asked for linked in t.posts),
            min(sum(len(t.posts) for t in asked), 10),
            turn.native,
            turn.parent < 0,
            continues,
            turn.confidence,
            _log(answer.words),
            min(answer.links, 3),
            _log(answer.code_lines),
            any(linked.post.files for t in told for linked in t.posts),
            min(sum(len(t.posts) for t in told), 10),
            len(told),
            self.best in option,
            sum(self.score[i] for i in option),
            answerer == turn.speaker,
            min(len(self.helpers), 6),
            min(len(added), 5),
            any(t.native and t.parent == opener for t in told),
            any(t.parent == opener for t in told),
            min(self.related[i] for i in option),
            self.related[option[0]],
            _log(option[0] - opener),
            min(option[-1] - option[0], 20),
            _log(minutes),
            min(self.speakers, 8),
            _log(len(turns)),
            _log(opener),
            min(len(between), 10),
            sum(t.said.asks_back or t.said.ends_asking for t in between[:10]),
            bool(helper) and option[0] == helper[0],
            min(sum(i > option[-1] for i in helper), 10),
            len(option) / max(1, len(helper)),
            len(later),
            _log(reply.said.words) if reply else 0.0,
            any(t.said.thanks for t in later),
            any(t.said.works_now for t in later),
            asker_posts,
            answerer_posts,
            answerer_posts - asker_posts,
            min(shared, 10),
            shared / max(1, len(words | others)),
            any(linked.post.solved for t in told for linked in t.posts),
            any(name in text for name in self.names)
            or any(turn.speaker in linked.post.mentions for t in told for linked in t.posts),
            self.addresses_other(told[0]),
            # A helper who asks back looks like an asker, and the asker's details look like an answer.
            parent is not None and parent.speaker == answerer,
            parent is not None and parent.speaker != turn.speaker and asks(parent),
            self.scene.is_thread,
            turn.speaker == thread_opener,
            answerer == thread_opener,
        )
        features = (
            *(float(getattr(turn.said, flag)) for flag in _FLAGS),
            *(float(getattr(answer, flag)) for flag in _FLAGS),
            *(float(reply is not None and getattr(reply.said, flag)) for flag in _REPLY),
            *map(float, counts),
        )
        return Candidate(tuple(asked), tuple(told), opener, bool(added), reply, features)


def _together(turns: Sequence[Turn]) -> Signals:
    """Returns the signals of several turns as one."""
    if len(turns) == 1:
        return turns[0].said
    flags = {flag: any(getattr(turn.said, flag) for turn in turns) for flag in _FLAGS}
    flags["ends_asking"] = turns[-1].said.ends_asking
    flags["link_only"] = all(turn.said.link_only for turn in turns)
    return Signals(
        **flags,
        code_lines=sum(turn.said.code_lines for turn in turns),
        links=sum(turn.said.links for turn in turns),
        words=sum(turn.said.words for turn in turns),
    )
