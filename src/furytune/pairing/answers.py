"""Tells which of several answers to a question is the best, from what they say and how the asker reacts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import exp, log1p

import msgspec
from attrs import field, frozen

from furytune.pairing.posts import Post
from furytune.pairing.signals import Signals, signals

__all__ = ["answer_scores", "features"]

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
_REPLIED = ("thanks", "works_now", "asks", "reports_trouble", "solution_by_asker")
"""Signals of the asker's reply to a turn."""


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
    if not turns:
        return []
    weights = _weights()
    sums = [
        sum(weights.get(name, 0.0) * value for name, value in found.items())
        for found in features(question, turns, answered or {})
    ]
    most = max(sums)
    odds = [exp(value - most) for value in sums]
    total = sum(odds)
    return [value / total for value in odds]


def features(
    question: Sequence[Post], turns: Sequence[Sequence[Post]], answered: Mapping[str, int]
) -> list[dict[str, float]]:
    """Returns for each turn what the weights are for, by name. Names that are missing have the value 0."""
    talk = _Talk.of(question, turns)
    found = []
    for i, turn in enumerate(talk.turns):
        one = {**_said(turn), **_compared(talk, i)}
        if turn.by_asker:
            one |= _by_asker(talk, i)
        else:
            one |= _by_helper(talk, i, answered.get(turn.speaker, 0))
            one |= _reactions(talk, i)
        found.append({name: float(value) for name, value in one.items() if value})
    return found


@frozen
class _Turn:
    speaker: str
    by_asker: bool
    length: int
    words: frozenset[str] = field(repr=False)
    said: Signals
    names: frozenset[str] = field(repr=False)
    ids: tuple[str, ...]
    replies_to: frozenset[str]

    @classmethod
    def of(cls, posts: Sequence[Post], asker: str) -> _Turn:
        text = "\n".join(post.text for post in posts)
        first = posts[0]
        called = " ".join((first.speaker, *first.names))
        return cls(
            speaker=first.speaker,
            by_asker=first.speaker == asker,
            length=len(text),
            words=_words(text),
            said=signals(text),
            names=_words(called),
            ids=tuple(post.id for post in posts),
            replies_to=frozenset(post.reply_to for post in posts if post.reply_to),
        )


@frozen
class _Talk:
    """The turns after a question, and where in it what happens.

    Attributes:
        turns: The turns.
        asked: Words of the question.
        length: Length of all turns.
        longest: Place of the longest turn.
        longest_help: Length of the longest turn by someone else than the asker.
        helps: Places of the turns by someone else than the asker.
        asker: Places of the turns by the asker.
        thanked: Places that the asker thanks for, or says they helped, and asks nothing else.
        last_heard: Places that the asker's last turn is about.
        replies: For places, where the asker first replies.
        first_by: Where each speaker speaks first.
        last_by: Where each speaker speaks last.
        called: Where the asker last mentions a word of someone's name.
    """

    turns: Sequence[_Turn]
    asked: frozenset[str]
    length: int
    longest: int
    longest_help: int
    helps: Sequence[int]
    asker: Sequence[int]
    thanked: frozenset[int]
    last_heard: frozenset[int]
    replies: Mapping[int, int]
    first_by: Mapping[str, int]
    last_by: Mapping[str, int]
    called: Mapping[str, int]

    @classmethod
    def of(cls, question: Sequence[Post], turns: Sequence[Sequence[Post]]) -> _Talk:
        read = [_Turn.of(posts, question[0].speaker) for posts in turns]
        asker = [i for i, turn in enumerate(read) if turn.by_asker]
        helps = [i for i, turn in enumerate(read) if not turn.by_asker]
        names = frozenset(name for i in helps for name in read[i].names)
        heard = _heard(read)
        return cls(
            turns=read,
            asked=_words("\n".join(post.text for post in question)),
            length=sum(turn.length for turn in read),
            longest=max(range(len(read)), key=lambda i: read[i].length),
            longest_help=max((read[i].length for i in helps), default=0),
            helps=helps,
            asker=asker,
            thanked=frozenset(place for i in asker if _glad(read[i]) for place in heard[i]),
            last_heard=frozenset(heard[asker[-1]] if asker else ()),
            replies={
                place: i
                for i in reversed(asker)
                for place in heard[i]
                if read[i].replies_to or place == i - 1
            },
            first_by={read[i].speaker: i for i in reversed(range(len(read)))},
            last_by={turn.speaker: i for i, turn in enumerate(read)},
            called={name: i for i in asker for name in read[i].words & names},
        )


def _heard(read: Sequence[_Turn]) -> dict[int, tuple[int, ...]]:
    """Returns for each turn of the asker which turns it is about: those it replies to, or else the helper's before it."""
    places = {uid: i for i, turn in enumerate(read) for uid in turn.ids}
    heard: dict[int, tuple[int, ...]] = {}
    before: tuple[int, ...] = ()
    for i, turn in enumerate(read):
        if turn.by_asker:
            targets = {places[uid] for uid in turn.replies_to if uid in places}
            heard[i] = tuple(sorted(targets)) or before
        else:
            before = (i,)
    return heard


def _glad(turn: _Turn) -> bool:
    return (turn.said.thanks or turn.said.works_now) and not (turn.said.asks or turn.said.still_fails)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _said(turn: _Turn) -> dict[str, float]:
    """What a turn says."""
    found: dict[str, float] = {name: getattr(turn.said, name) for name in _SAID}
    found["links"] = turn.said.links > 0
    found["short"] = turn.said.words < _FEW_WORDS
    found["length"] = log1p(turn.length)
    return found


def _compared(talk: _Talk, place: int) -> dict[str, float]:
    """A turn compared with the question and with the other turns."""
    turn = talk.turns[place]
    last = len(talk.turns) - 1
    return {
        "place": place / last if last else 0.0,
        "share": turn.length / (talk.length or 1),
        "longest": place == talk.longest,
        "new_words": log1p(len(turn.words - talk.asked)),
    }


def _by_asker(talk: _Talk, place: int) -> dict[str, float]:
    """A turn by the asker, who may have found the answer."""
    turn = talk.turns[place]
    found: dict[str, float] = {f"asker_{name}": getattr(turn.said, name) for name in _SAID_BY_ASKER}
    found["asker_length"] = log1p(turn.length)
    found["asker_share"] = turn.length / (talk.length or 1)
    found["asker_last"] = place == len(talk.turns) - 1
    found_out = turn.said.works_now or turn.said.solution_by_asker
    found["asker_explains"] = found_out and turn.said.words > 2 * _FEW_WORDS
    before = talk.turns[place - 1].said if place else None
    advised = before is not None and before.tells_what_to_do and not before.asks
    found["asker_found_out"] = found_out and not advised
    found["asker_alone"] = not talk.helps or place < talk.helps[0]
    found["asker_glad"] = _glad(turn)
    return found


def _by_helper(talk: _Talk, place: int, answered: int) -> dict[str, float]:
    """A turn by someone else, compared with the other helpers' turns."""
    turn = talk.turns[place]
    return {
        "helper_answered": log1p(answered),
        "helper_longest": turn.length == talk.longest_help,
        "helper_first_turn": place == talk.first_by[turn.speaker],
        "helper_last_turn": place == talk.last_by[turn.speaker],
    }


def _reactions(talk: _Talk, place: int) -> dict[str, float]:
    """How the asker reacts to a turn by someone else."""
    turn = talk.turns[place]
    found: dict[str, float] = {
        "end": place == len(talk.turns) - 1,
        "before_thanks": place in talk.thanked,
        "before_last_word": place in talk.last_heard,
        "called": any(talk.called.get(name, -1) > place for name in turn.names),
    }
    if place in talk.replies:
        reply = talk.turns[talk.replies[place]]
        found |= {f"reply_{name}": getattr(reply.said, name) for name in _REPLIED}
        found["reply_length"] = log1p(reply.length)
        found["reply_last"] = talk.asker[-1] == talk.replies[place]
        found["reply_only_thanks"] = _glad(reply) and reply.said.words < 4 * _FEW_WORDS
    return found


class _Model(msgspec.Struct, frozen=True):
    """The file of weights. Its other entries tell where they come from."""

    weights: dict[str, float]


@cache
def _weights() -> Mapping[str, float]:
    text = files("furytune.pairing").joinpath("answers.json").read_bytes()
    return msgspec.json.decode(text, type=_Model).weights
