"""Finds the turn of a conversation that answers its opener."""

from __future__ import annotations

from collections.abc import Iterable

from furytune.pairing._drops import Drops
from furytune.pairing.asking import only_asks_back
from furytune.pairing.posts import Post

Turn = list[Post]


def turns(posts: Iterable[Post], drops: Drops) -> list[Turn]:
    """Groups consecutive posts of one speaker; posts without text are counted and left out."""
    found: list[Turn] = []
    for post in posts:
        if not post.text.strip():
            drops.add("empty", post.id)
        elif found and found[-1][0].speaker == post.speaker:
            found[-1].append(post)
        else:
            found.append([post])
    return found


def opened_by(opener: str, found: list[Turn], drops: Drops) -> list[Turn]:
    """Returns the turns from the opener's first on; earlier ones answer something that is missing."""
    first = next((i for i, turn in enumerate(found) if turn[0].speaker == opener), len(found))
    for turn in found[:first]:
        drops.all("no_question_text", turn)
    return found[first:]


def _answer(found: list[Turn], opener: str) -> tuple[int, set[int]] | None:
    """Returns the index of the answering turn, and the indexes of the turns before it that only ask back."""
    # A mark is explicit, so it beats the order of turns.
    others = [i for i, turn in enumerate(found) if turn[0].speaker != opener]
    for i in others:
        if any(post.solved for post in found[i]):
            return i, set()
    # Asking back only counts as such if the opener wrote again after it.
    last_of_opener = max((i for i, turn in enumerate(found) if turn[0].speaker == opener), default=-1)
    asked_back: set[int] = set()
    for i in others:
        if i < last_of_opener and only_asks_back(post.text for post in found[i]):
            asked_back.add(i)
        else:
            return i, asked_back
    return None


def split(found: list[Turn], drops: Drops) -> tuple[list[Turn], Turn] | None:
    """Returns question and answer of a conversation whose first turn is the opener's.

    The answer is the first turn by someone else with a solution mark. Without a mark, it is the first turn by someone
    else that does more than ask the opener back. The question is all turns of the opener before it.
    Everything else is counted as "clarification", "before_answer", "after_answer" or "no_answer".
    """
    if not found:
        return None
    opener = found[0][0].speaker
    chosen = _answer(found, opener)
    if chosen is None:
        for turn in found:
            drops.all("no_answer", turn)
        return None
    place, asked_back = chosen
    question: list[Turn] = []
    for i, turn in enumerate(found):
        if i > place:
            drops.all("after_answer", turn)
        elif i in asked_back:
            drops.all("clarification", turn)
        elif i < place and turn[0].speaker == opener:
            question.append(turn)
        elif i < place:
            drops.all("before_answer", turn)
    return question, found[place]
