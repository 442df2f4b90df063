"""Finds the questions of a conversation, and lists what may answer each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from furytune.pairing._chat.question import Option, Question
from furytune.pairing._chat.scene import Scene
from furytune.pairing._chat.turns import Turn, answers_another, asks

__all__ = ["questions"]

_AHEAD = 40  # turns; an answer further away is nearly always a native reply to something else
_HELPERS = 5
_TURNS_EACH = 6
_TOGETHER = 4
_IN_THREAD = 0.3
_FEW_WORDS = 4
_SOON = 5  # turns; who asks back does it early


def questions(scene: Scene) -> Iterator[Question]:
    """Yields the questions that may have an answer, in order."""
    turns = scene.turns
    for opener, turn in enumerate(turns):
        scene.passed(opener)
        opens = asks(turn.said) or (scene.is_thread and opener == 0) or _is_taken_for_one(turns, opener)
        if not opens:
            continue
        related = _related(scene, opener)
        own = [i for i in related if turns[i].speaker == turn.speaker]
        helpers: dict[str, list[int]] = {}
        for i in related:
            if turns[i].speaker != turn.speaker:
                helpers.setdefault(turns[i].speaker, []).append(i)
        told = {who: places for who, places in helpers.items() if not _is_asked_back(turns, opener, who)}
        options = _options(turns, turn.speaker, own, told)
        if options:
            yield Question(scene, opener, related, own, helpers, options)


def _is_asked_back(turns: Sequence[Turn], place: int, speaker: str) -> bool:
    """Returns whether a turn asks something back of who opened the conversation with a question.

    What that person says next are details of the question. Of 2,700 pairs that readers marked, 10 have these roles.
    """
    turn = turns[place]
    return (
        turn.parent >= 0
        and turns[turn.parent].speaker == turns[0].speaker == speaker
        and asks(turns[turn.parent].said)
    )


def _is_taken_for_one(turns: Sequence[Turn], place: int) -> bool:
    """Returns whether someone takes what starts a conversation for a question, so that it is one, however it is put.

    They want details of it, or tell what to do.
    """
    start = turns[place]
    if start.parent >= 0 or start.said.words < _FEW_WORDS:
        return False
    return any(
        turn.parent == place
        and turn.speaker != start.speaker
        and (turn.said.asks_back or turn.said.tells_what_to_do)
        for turn in turns[place + 1 : place + 1 + _SOON]
    )


def _related(scene: Scene, opener: int) -> dict[int, float]:
    """Returns the turns that go back to a turn, in order, with the weakest link on the way."""
    turns = scene.turns
    # Everything in a thread may be about what it was opened for.
    in_thread = scene.is_thread and opener == 0
    related: dict[int, float] = {}
    for i in range(opener + 1, min(opener + 1 + _AHEAD, len(turns))):
        turn = turns[i]
        if turn.parent == opener:
            related[i] = turn.confidence
        elif turn.parent > opener:
            if turn.parent in related:
                related[i] = min(related[turn.parent], turn.confidence)
        elif in_thread:
            related[i] = _IN_THREAD
    return related


def _options(
    turns: Sequence[Turn], asker: str, own: list[int], helpers: Mapping[str, list[int]]
) -> list[Option]:
    """Returns which turns may be the answer together."""
    options: list[Option] = []
    first = list(helpers.values())[:_HELPERS]
    for places in first:
        these = places[:_TURNS_EACH]
        for begin in range(len(these)):
            ends = range(begin + 1, min(begin + _TOGETHER, len(these)) + 1)
            options += [tuple(these[begin:end]) for end in ends]
    # Two helpers complete each other only where both talk about this question.
    begun = sorted(places[0] for places in first[:4])
    options += combinations([i for i in begun if not answers_another(turns, i, asker)], 2)
    # "Solved it: ..." by the asker is an answer too, "nevermind" is not.
    options += [(i,) for i in own[:_TURNS_EACH] if turns[i].said.words >= 5 or turns[i].said.code]
    # Who asked and tells the solution knows better than a helper who said "no idea".
    if any(turns[i].said.solution_by_asker for i in own):
        options = [option for option in options if not all(_is_slight(turns[i]) for i in option)]
    # A solution mark counts wherever it is.
    options += [(i,) for places in helpers.values() for i in places if turns[i].marked]
    return list(dict.fromkeys(options))


def _is_slight(turn: Turn) -> bool:
    said = turn.said
    telling = said.code or said.links or said.says_yes or said.tells_what_to_do or said.states_how_it_is
    return said.words < _FEW_WORDS and not telling
