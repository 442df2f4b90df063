"""Describes the conversations that a first look finds and what they are about, for a second look at the likeliest parents."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from furytune.pairing.linking.pairs import TOP, Block, back, count_before, count_since, logarithms
from furytune.pairing.linking.speakers import NO_ONE

__all__ = ["NUMBERS_OF_THREADS", "THREAD_FEATURES", "describe_threads", "roots_of"]

Whole = NDArray[Any]

_SHARE = 256
"""What is divided out of a product of vectors, so that the largest is about `TOP`."""
_LIKENESSES = (
    # Of a message with...
    "alike",
    "like_their_last",
    "like_their_next",
    "like_grandparent",
    "like_root",
    "like_latest",
    # Of the last message of the same person with what is chosen.
    "like_my_last",
)
THREAD_FEATURES = (
    # Logarithms and shares.
    "behind",
    "rank",
    "answers",
    "thread_since",
    "likelihood_of_thread",
    "others_since_mine",
    *_LIKENESSES,
    *(f"{name}_than_best" for name in _LIKENESSES),
    # 0 or 1.
    "own_thread",
    "parent_of_my_last",
    "answers_me",
    "answers_my_last",
    "answers_me_latest",
    "root",
    "root_is_mine",
    "thread_of_target",
    "latest_of_thread",
    "parent_of_best",
    "sibling_of_best",
    "thread_of_best",
    "they_answer_same_speaker",
    "open_question",
    "my_last_answered_them",
)
NUMBERS_OF_THREADS = 6 + 2 * len(_LIKENESSES)
_ABOUT_EARLIER = [
    k for k, name in enumerate(THREAD_FEATURES) if name not in ("behind", "rank", "likelihood_of_thread")
]
_FIRST_LIKENESS = THREAD_FEATURES.index(_LIKENESSES[0])


def roots_of(parents: list[int], roots: list[int], first: int, reach: int) -> None:
    """Extends the places of the first messages of conversations.

    Args:
        parents: Places of the parents of new messages; a start is its own.
        roots: Those of the messages before them; extended.
        first: Place that the first of ``roots`` belongs to.
        reach: How many messages back is looked. What a larger block knows of earlier ones must not count.
    """
    for parent in parents:
        back_to = len(roots) - (parent - first)
        roots.append(roots[-back_to] if 0 < back_to <= reach else parent)


def describe_threads(
    block: Block,
    parents: Whole,
    roots: Whole,
    chosen: Whole,
    behind: Whole,
    likely: Whole,
    usage: Whole,
    asks: Whole,
    width: int,
) -> Whole:
    """Returns the features of each message together with each parent chosen for a second look.

    Args:
        block: The messages and those before them.
        parents: Place of each message's parent as first found; its own for a start.
        roots: Place of the first message of each message's conversation, as first found.
        chosen: By new message, the distances of the parents to look at again; 0 is a start and comes first.
        behind: By how many eighths each scores below the best.
        likely: How likely each is, of 64.
        usage: What `Usage` says of the messages and of those before them.
        asks: Whether each of them reads like a question.
        width: How many messages back a parent may be.
    """
    count = len(block.rows)
    new = count - 2 * width
    place = np.arange(block.first, block.first + count)
    speaker = block.column["speaker"]
    distance = np.where(parents == place, 0, place - parents)
    parent_at = parents - block.first
    # A native reply can answer what is further back.
    inside = (parent_at >= 0) & (distance > 0) & (distance <= width)
    parent_speaker = np.where(inside, speaker[np.where(inside, parent_at, 0)], NO_ONE - 2)

    here = np.arange(2 * width, count)
    at = here[:, None] - chosen
    rows = np.arange(new)[:, None]

    # Counts over all pairs, then picked.
    is_parent = distance[width:, None] == np.arange(1, width + 1)
    answers = count_since(is_parent, width)
    of_thread = count_since(roots[width:, None] == back(roots, width), width)
    to_me = back(parent_speaker, width)[width:] == speaker[here, None]
    to_me_since = count_before(to_me)
    column = np.maximum(chosen - 1, 0)

    # How much more a block holds depends on its size, so nothing further back may count.
    earliest = np.maximum(place[here] - 2 * width, 0)
    me = speaker[here, None]
    has_own = block.column["own_last"][here] >= earliest
    own = np.where(has_own, block.column["own_last"][here] - block.first, 0)
    has_target = block.column["target_last"][here] >= earliest
    target = np.where(has_target, block.column["target_last"][here] - block.first, 0)

    root = roots[at]
    has_root = root >= earliest[:, None]
    root_at = np.where(has_root, root - block.first, 0)
    # By choice and distance: what belongs to the conversation.
    members = root[:, :, None] == back(roots, width)[width:, None]
    mine = members & (back(speaker, width)[width:] == me)[:, None]
    last_of_mine = mine.argmax(2)
    has_mine = np.take_along_axis(mine, last_of_mine[:, :, None], 2)[:, :, 0]
    answered = count_since(is_parent & (speaker != parent_speaker)[width:, None], width)
    my_last_answered = np.where(
        block.column["own_last"][here] >= place[here] - width, parent_speaker[own], NO_ONE - 2
    )

    best = at[:, 1:2]
    result = np.zeros((len(THREAD_FEATURES), *chosen.shape), np.float32)
    thread = dict(zip(THREAD_FEATURES, result, strict=True))
    thread["behind"][:] = np.minimum(behind, 63)
    thread["rank"][:] = np.argsort(np.argsort(behind, axis=1, kind="stable"), axis=1, kind="stable") * 4
    thread["answers"][:] = logarithms(answers[rows, column])
    thread["thread_since"][:] = logarithms(of_thread[rows, column])
    same = (root[:, :, None] == root[:, None, 1:]).astype(np.float32)
    thread["likelihood_of_thread"][:] = (same @ likely[:, 1:, None].astype(np.float32))[:, :, 0]
    thread["others_since_mine"][:] = np.where(has_mine, logarithms(of_thread[rows, last_of_mine]), TOP)
    thread["own_thread"][:] = has_own[:, None] & (roots[own][:, None] == root)
    thread["parent_of_my_last"][:] = (
        has_own[:, None] & (distance[own] > 0)[:, None] & (parents[own][:, None] == place[at])
    )
    thread["answers_me"][:] = parent_speaker[at] == me
    thread["answers_my_last"][:] = has_own[:, None] & (distance[at] > 0) & (parent_at[at] == own[:, None])
    thread["answers_me_latest"][:] = to_me[rows, column] & (to_me_since[rows, column] == 0)
    thread["root"][:] = root == place[at]
    thread["root_is_mine"][:] = has_root & (speaker[root_at] == me)
    thread["thread_of_target"][:] = has_target[:, None] & (roots[target][:, None] == root)
    thread["latest_of_thread"][:] = of_thread[rows, column] == 0
    thread["parent_of_best"][:] = (distance[best] > 0) & (parents[best] == place[at])
    thread["sibling_of_best"][:] = (distance[best] > 0) & (parents[best] == parents[at])
    thread["thread_of_best"][:] = roots[best] == root
    thread["they_answer_same_speaker"][:] = (parent_speaker[at] >= 0) & (
        parent_speaker[at] == parent_speaker[best]
    )
    thread["open_question"][:] = asks[at] & (answered[rows, column] == 0)
    thread["my_last_answered_them"][:] = (my_last_answered[:, None] == speaker[at]) & has_own[:, None]
    # What is about an earlier message does not apply to a start, which comes first.
    result[_ABOUT_EARLIER, :, 0] = 0

    # One row more stands for what does not exist.
    before = block.column["own_last"] - block.first
    following = np.full(count + 1, count)
    following[np.where(block.column["own_last"] >= max(block.first, 0), before, count)] = np.arange(count)
    following[count] = count
    following = following[at]
    compared = (
        at,
        np.where(block.column["own_last"][at] >= earliest[:, None], before[at], count),
        np.where(following < here[:, None], following, count),
        np.where(inside[at], parent_at[at], count),
        np.where(has_root, root_at, count),
        here[:, None] - 1 - members.argmax(2),
    )
    likenesses = result[_FIRST_LIKENESS : _FIRST_LIKENESS + 2 * len(_LIKENESSES)]
    _compare(usage, (here[:, None], np.where(has_own, own, count)[:, None]), compared, likenesses)
    return result


def _compare(usage: Whole, of: tuple[Whole, Whole], compared: tuple[Whole, ...], result: Whole) -> None:
    """Writes how alike messages are: how much, then how much less than the most alike of the choices.

    Args:
        usage: What `Usage` says of the messages of a block.
        of: Rows of the messages to link, and of the last ones by the same people.
        compared: By choice, the rows of what the message to link is compared with; the first are the choices.
        result: Where to write to.
    """
    usage = np.concatenate((usage, np.zeros((1, usage.shape[1]), usage.dtype)))
    products = usage @ usage.T
    like, less = result[: len(_LIKENESSES)], result[len(_LIKENESSES) :]
    for k, rows in enumerate(compared):
        like[k] = products[of[0], rows]
    like[-1] = products[of[1], compared[0]]
    like *= np.float32(1 / _SHARE)
    np.clip(np.floor(like, out=like), -TOP, TOP, out=like)
    # There is nothing to compare a start with, but a message that is like an earlier one hardly is one.
    like[:, :, 0] = 0
    # One after the other, because that is faster along a short axis.
    most = like[:, :, 1]
    for k in range(2, like.shape[2]):
        most = np.maximum(most, like[:, :, k])
    np.maximum(like - most[:, :, None], -TOP, out=less)
