"""Tells which of several answers to a question is the best, from what they say and how the asker reacts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from math import exp, log1p
from operator import attrgetter, mul

import msgspec
from attrs import frozen

from furytune.pairing.posts import Post
from furytune.pairing.signals import Signals, signals

__all__ = ["Reading", "answer_scores", "features", "scores"]

_WORD = re.compile(r"\w{3,}")
_FEW_WORDS = 8
_SAID = (
    "asks",
    "ends_asking",
    "asks_back",
    "tells_what_to_do",
    "states_how_it_is",
    "thanks",
    "reports_trouble",
    "seeks_help",
    "works_now",
    "still_fails",
    "solution_by_asker",
    "promise_only",
    "redirects",
    "me_too",
    "code",
)
"""Signals of a turn that count."""
_SAID_BY_ASKER = ("reports_trouble", "works_now", "still_fails", "solution_by_asker")
"""Signals that mean something else when the asker gives them."""
_REPLY_SAYS = ("thanks", "works_now", "asks", "reports_trouble", "solution_by_asker")
"""Signals of the asker's reply to a turn."""


@frozen(eq=False)  # a key that is hashed often
class _Group:
    """Names of features that are made together."""

    names: tuple[str, ...]


_SAYS = _Group((*_SAID, "links", "short", "length"))
_said = attrgetter(*_SAID)
_said_by_asker = attrgetter(*_SAID_BY_ASKER)
_replied = attrgetter(*_REPLY_SAYS)


def answer_scores(
    question: Sequence[Post], turns: Sequence[Sequence[Post]], answered: Mapping[str, int] | None = None
) -> list[float]:
    """Returns for each turn after a question how likely it is the best answer to it. The numbers sum up to 1.

    Give every turn of the conversation, the asker's too: their thanks tell which answer helped, and what they found out
    themselves may be the best answer. Time and memory grow in proportion to the length of the conversation.

    Args:
        question: The posts that ask. The first one's speaker is the asker.
        turns: What was said afterwards, in order of time. A turn is one or more posts of one speaker.
        answered: How many other questions a speaker has answered, where it is known.

    Returns:
        A number between 0 and 1 for each turn.
    """
    return scores(Reading.of(question), [Reading.of(posts) for posts in turns], answered)


def scores(
    question: Reading, turns: Sequence[Reading], answered: Mapping[str, int] | None = None
) -> list[float]:
    """Returns `answer_scores` for turns that were read already."""
    if not turns:
        return []
    weights = _weights()
    talk = _Talk.of(question, turns)
    answered = answered or {}
    sums: list[float] = []
    for place, turn in enumerate(turns):
        group, values = _described(talk, place, answered)
        # What a turn says does not depend on the question, so its part of the sum is made once.
        sums.append(sum(map(mul, weights[group], values), turn.worth))
    most = max(sums)
    odds = [exp(value - most) for value in sums]
    total = sum(odds)
    return [value / total for value in odds]


def features(
    question: Sequence[Post], turns: Sequence[Sequence[Post]], answered: Mapping[str, int]
) -> list[dict[str, float]]:
    """Returns for each turn what the weights are for, by name. Names that are missing have the value 0."""
    read = [Reading.of(posts) for posts in turns]
    if not read:
        return []
    talk = _Talk.of(Reading.of(question), read)
    return [
        {
            name: float(value)
            for group, values in ((_SAYS, turn.says), _described(talk, place, answered))
            for name, value in zip(group.names, values, strict=True)
            if value
        }
        for place, turn in enumerate(read)
    ]


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a turn says, whatever it is compared with.

    Attributes:
        speaker: Who wrote it.
        length: Its length in characters.
        log_length: The logarithm of that, plus one.
        words: Its words of three and more letters.
        said: What it signals.
        names: Words by which others may call who wrote it.
        ids: Ids of its posts.
        replies_to: Ids of the posts that it replies to.
        worth: The weighted sum of `says`.
    """

    speaker: str
    length: int
    log_length: float
    words: frozenset[str]
    said: Signals
    names: frozenset[str]
    ids: tuple[str, ...]
    replies_to: frozenset[str]
    worth: float

    @classmethod
    def of(cls, posts: Sequence[Post], said: Signals | None = None) -> Reading:
        """Returns what a turn says.

        Args:
            posts: Its posts, joined by line breaks.
            said: What their text signals, if that is known.
        """
        text = posts[0].text if len(posts) == 1 else "\n".join(post.text for post in posts)
        said = signals(text) if said is None else said
        first = posts[0]
        log_length = log1p(len(text))
        return cls(
            speaker=first.speaker,
            length=len(text),
            log_length=log_length,
            words=_words(text),
            said=said,
            names=_called((first.speaker, *first.names)),
            ids=tuple([post.id for post in posts]),
            replies_to=frozenset([post.reply_to for post in posts if post.reply_to]),
            worth=_worth(said) + _weights()[_SAYS][-1] * log_length,
        )

    @property
    def says(self) -> tuple[float, ...]:
        """Values of what it says, for the weights."""
        return (*_says(self.said), self.log_length)


def _says(said: Signals) -> tuple[float, ...]:
    return (*_said(said), said.links > 0, said.words < _FEW_WORDS)


# Texts that signal the same share one value, so there are few.
@lru_cache(maxsize=4096)
def _worth(said: Signals) -> float:
    """Returns the weighted sum of what a turn says but its length."""
    worth: float = sum(map(mul, _weights()[_SAYS], _says(said)))
    return worth


class _Talk(msgspec.Struct, frozen=True, gc=False):
    """The turns after a question, and where in it what happens.

    Attributes:
        question: The question.
        turns: The turns.
        length: Length of all turns.
        longest: Place of the longest turn.
        longest_help: Length of the longest turn by someone else than the asker.
        first_help: Place of the first such turn, or the number of turns.
        last_asker: Place of the last turn by the asker, or -1.
        thanked: Places that the asker thanks for, or says they helped, and asks nothing else.
        last_heard: Places that the asker's last turn is about.
        replies: For places, where the asker first replies.
        first_by: Where each speaker speaks first.
        last_by: Where each speaker speaks last.
        called: Where the asker last mentions a word of someone's name.
    """

    question: Reading
    turns: Sequence[Reading]
    length: int
    longest: int
    longest_help: int
    first_help: int
    last_asker: int
    thanked: Collection[int]
    last_heard: Collection[int]
    replies: Mapping[int, int]
    first_by: Mapping[str, int]
    last_by: Mapping[str, int]
    called: Mapping[str, int]

    @classmethod
    def of(cls, question: Reading, turns: Sequence[Reading]) -> _Talk:
        speakers = [turn.speaker for turn in turns]
        asker = [i for i, speaker in enumerate(speakers) if speaker == question.speaker]
        helps = [i for i, speaker in enumerate(speakers) if speaker != question.speaker]
        lengths = [turn.length for turn in turns]
        heard = _heard(turns, asker)
        return cls(
            question=question,
            turns=turns,
            length=sum(lengths),
            longest=lengths.index(max(lengths)),
            longest_help=max([lengths[i] for i in helps], default=0),
            first_help=helps[0] if helps else len(turns),
            last_asker=asker[-1] if asker else -1,
            thanked={place for i in asker if _glad(turns[i].said) for place in heard[i]},
            last_heard=heard[asker[-1]] if asker else (),
            replies={
                place: i
                for i in reversed(asker)
                for place in heard[i]
                if turns[i].replies_to or place == i - 1
            },
            first_by=dict(zip(reversed(speakers), reversed(range(len(turns))), strict=True)),
            last_by=dict(zip(speakers, range(len(turns)), strict=True)),
            called=_mentioned(turns, asker, helps) if asker else {},
        )


def _mentioned(turns: Sequence[Reading], asker: Sequence[int], helps: Sequence[int]) -> dict[str, int]:
    """Returns where the asker last mentions a word of a helper's name."""
    names = frozenset[str]().union(*[turns[i].names for i in helps])
    return {name: i for i in asker for name in turns[i].words & names}


def _heard(turns: Sequence[Reading], asker: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Returns for each turn of the asker which turns it is about: those it replies to, or else the helper's before it."""
    heard: dict[int, tuple[int, ...]] = {}
    places: dict[str, int] | None = None
    before: tuple[int, ...] = ()
    last = -1
    for i in asker:
        if i - 1 > last:
            before = (i - 1,)
        last = i
        heard[i] = before
        if replies_to := turns[i].replies_to:
            if places is None:
                places = {uid: place for place, turn in enumerate(turns) for uid in turn.ids}
            heard[i] = tuple(sorted({places[uid] for uid in replies_to if uid in places})) or before
    return heard


def _glad(said: Signals) -> bool:
    return (said.thanks or said.works_now) and not (said.asks or said.still_fails)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


@lru_cache(maxsize=1024)
def _called(names: tuple[str, ...]) -> frozenset[str]:
    """Returns the words of someone's names; the same few people write most of a channel."""
    return _words(" ".join(names))


def _described(talk: _Talk, place: int, answered: Mapping[str, int]) -> tuple[_Group, tuple[float, ...]]:
    """Returns the features of a turn besides what it says."""
    turn = talk.turns[place]
    if turn.speaker == talk.question.speaker:
        return _BY_ASKER, (*_compared(talk, place), *_by_asker(talk, place))
    helps = _by_helper(talk, place, answered.get(turn.speaker, 0))
    reply = talk.replies.get(place)
    if reply is None:
        return _BY_HELPER, (*_compared(talk, place), *helps)
    return _REPLIED, (*_compared(talk, place), *helps, *_reply(talk, reply))


_COMPARED = ("place", "share", "longest", "new_words")
_BY_ASKER = _Group(
    (
        *_COMPARED,
        *(f"asker_{name}" for name in _SAID_BY_ASKER),
        "asker_length",
        "asker_share",
        "asker_last",
        "asker_explains",
        "asker_found_out",
        "asker_alone",
        "asker_glad",
    )
)
_BY_HELPER = _Group(
    (
        *_COMPARED,
        "helper_answered",
        "helper_longest",
        "helper_first_turn",
        "helper_last_turn",
        "end",
        "before_thanks",
        "before_last_word",
        "called",
    )
)
_REPLIED = _Group(
    (
        *_BY_HELPER.names,
        *(f"reply_{name}" for name in _REPLY_SAYS),
        "reply_length",
        "reply_last",
        "reply_only_thanks",
    )
)


def _compared(talk: _Talk, place: int) -> tuple[float, ...]:
    """A turn compared with the question and with the other turns."""
    turn = talk.turns[place]
    last = len(talk.turns) - 1
    return (
        place / last if last else 0.0,
        turn.length / (talk.length or 1),
        place == talk.longest,
        log1p(len(turn.words) - len(turn.words & talk.question.words)),
    )


def _by_asker(talk: _Talk, place: int) -> tuple[float, ...]:
    """A turn by the asker, who may have found the answer."""
    turn = talk.turns[place]
    said = turn.said
    found_out = said.works_now or said.solution_by_asker
    before = talk.turns[place - 1].said if place else None
    advised = before is not None and before.tells_what_to_do and not before.asks
    return (
        *_said_by_asker(said),
        turn.log_length,
        turn.length / (talk.length or 1),
        place == len(talk.turns) - 1,
        found_out and said.words > 2 * _FEW_WORDS,
        found_out and not advised,
        place < talk.first_help,
        _glad(said),
    )


def _by_helper(talk: _Talk, place: int, answered: int) -> tuple[float, ...]:
    """A turn by someone else, compared with the other helpers' turns, and whether the asker comes back to it."""
    turn = talk.turns[place]
    return (
        log1p(answered) if answered else 0.0,
        turn.length == talk.longest_help,
        place == talk.first_by[turn.speaker],
        place == talk.last_by[turn.speaker],
        place == len(talk.turns) - 1,
        place in talk.thanked,
        place in talk.last_heard,
        any(talk.called.get(name, -1) > place for name in turn.names) if talk.called else False,
    )


def _reply(talk: _Talk, place: int) -> tuple[float, ...]:
    """The asker's reply to a turn by someone else."""
    reply = talk.turns[place]
    return (
        *_replied(reply.said),
        reply.log_length,
        place == talk.last_asker,
        _glad(reply.said) and reply.said.words < 4 * _FEW_WORDS,
    )


class _Model(msgspec.Struct, frozen=True):
    """The file of weights. Its other entries tell where they come from."""

    weights: dict[str, float]


@cache
def _weights() -> Mapping[_Group, tuple[float, ...]]:
    """Returns the weights of each group of features."""
    text = files("furytune.pairing").joinpath("answers.json").read_bytes()
    weights = msgspec.json.decode(text, type=_Model).weights
    groups = (_SAYS, _BY_ASKER, _BY_HELPER, _REPLIED)
    return {group: tuple(weights.get(name, 0.0) for name in group.names) for group in groups}
