"""Describes the conversations that a first look finds, for a second look at the likeliest parents."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from furytune.pairing.linking.pairs import Block, back, count_before, count_since, logarithms
from furytune.pairing.linking.speakers import NO_ONE

__all__ = ["NUMBERS_OF_THREADS", "THREAD_FEATURES", "describe_threads", "roots_of"]

Whole = NDArray[Any]

THREAD_FEATURES = (
    # Logarithms and shares.
    "behind",
    "rank",
    "answers",
    "thread_since",
    "likelihood_of_thread",
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
)
NUMBERS_OF_THREADS = 5


def roots_of(parents: list[int], roots: list[int], first: int) -> None:
    """Extends the places of the first messages of conversations.

    Args:
        parents: Places of the parents of new messages; a start is its own.
        roots: Those of the messages before them; extended.
        first: Place that the first of ``roots`` belongs to.
    """
    for parent in parents:
        at = parent - first
        roots.append(roots[at] if 0 <= at < len(roots) else parent)


def describe_threads(
    block: Block, parents: Whole, roots: Whole, chosen: Whole, behind: Whole, likely: Whole, width: int
) -> Whole:
    """Returns the features of each message together with each parent chosen for a second look.

    Args:
        block: The messages and those before them.
        parents: Place of each message's parent as first found; its own for a start.
        roots: Place of the first message of each message's conversation, as first found.
        chosen: By new message, the distances of the parents to look at again; 0 is a start and comes first.
        behind: By how many eighths each scores below the best.
        likely: How likely each is, of 64.
        width: How many messages back a parent may be.
    """
    count = len(block.rows)
    new = count - 2 * width
    place = np.arange(block.first, block.first + count)
    speaker = block.column["speaker"]
    distance = np.where(parents == place, 0, place - parents)
    parent_at = parents - block.first
    inside = (parent_at >= 0) & (distance > 0)
    parent_speaker = np.where(inside, speaker[np.where(inside, parent_at, 0)], NO_ONE - 2)

    here = np.arange(2 * width, count)
    at = here[:, None] - chosen
    rows = np.arange(new)[:, None]
    is_start = chosen == 0

    # Counts over all pairs, then picked.
    answers = count_since(distance[width:, None] == np.arange(1, width + 1), width)
    of_thread = count_since(roots[width:, None] == back(roots, width), width)
    to_me = back(parent_speaker, width)[width:] == speaker[here, None]
    to_me_since = count_before(to_me)
    column = np.maximum(chosen - 1, 0)

    me = speaker[here, None]
    own = block.column["own_last"][here] - block.first
    has_own = (own >= 0) & (block.column["own_last"][here] >= 0)
    own = np.where(has_own, own, 0)
    target = block.column["target_last"][here] - block.first
    has_target = (target >= 0) & (block.column["target_last"][here] >= 0)
    target = np.where(has_target, target, 0)

    root = roots[at]
    best = at[:, 1:2]
    result = np.zeros((len(THREAD_FEATURES), *chosen.shape), np.int8)
    thread = dict(zip(THREAD_FEATURES, result, strict=True))
    thread["behind"][:] = np.minimum(behind, 63)
    thread["rank"][:] = np.argsort(np.argsort(behind, axis=1, kind="stable"), axis=1, kind="stable") * 4
    thread["answers"][:] = logarithms(answers[rows, column])
    thread["thread_since"][:] = logarithms(of_thread[rows, column])
    same = (root[:, :, None] == root[:, None, :]) & ~is_start[:, None, :]
    thread["likelihood_of_thread"][:] = (same * likely[:, None, :]).sum(2)
    thread["own_thread"][:] = has_own[:, None] & (roots[own][:, None] == root)
    thread["parent_of_my_last"][:] = (
        has_own[:, None] & (distance[own] > 0)[:, None] & (parents[own][:, None] == place[at])
    )
    thread["answers_me"][:] = parent_speaker[at] == me
    thread["answers_my_last"][:] = has_own[:, None] & (distance[at] > 0) & (parent_at[at] == own[:, None])
    thread["answers_me_latest"][:] = to_me[rows, column] & (to_me_since[rows, column] == 0)
    thread["root"][:] = root == place[at]
    thread["root_is_mine"][:] = (root >= block.first) & (speaker[np.maximum(root - block.first, 0)] == me)
    thread["thread_of_target"][:] = has_target[:, None] & (roots[target][:, None] == root)
    thread["latest_of_thread"][:] = of_thread[rows, column] == 0
    thread["parent_of_best"][:] = (distance[best] > 0) & (parents[best] == place[at])
    thread["sibling_of_best"][:] = (distance[best] > 0) & (parents[best] == parents[at])
    thread["thread_of_best"][:] = roots[best] == root
    thread["they_answer_same_speaker"][:] = (parent_speaker[at] >= 0) & (
        parent_speaker[at] == parent_speaker[best]
    )
    for name in THREAD_FEATURES:
        # What is about an earlier message does not apply to a start.
        if name not in ("behind", "rank", "likelihood_of_thread"):
            thread[name] *= ~is_start
    return result
