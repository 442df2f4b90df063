"""Describes each message, and each message together with each of those before it, by small whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.typing import NDArray

from furytune.pairing.linking.lexicon import CLASSES, HASH_BITS
from furytune.pairing.linking.messages import COLUMNS, FLAGS

__all__ = ["MESSAGE_FEATURES", "PAIR_FEATURES", "Block", "describe", "logarithm", "tops"]

Whole = NDArray[Any]

_NUMBERS = (
    "length",
    "words",
    "own_gap",
    "own_count",
    "addressed_gap",
    "target_gap",
    "target_count",
    "gap_before",
    "pace",
    "pace_short",
)
_STATES = ("addressed_since_own", "same_as_before", "new", "never_addressed")

MESSAGE_FEATURES = (
    *_NUMBERS,
    *_STATES,
    *FLAGS,
    *(f"has_{name}" for name in CLASSES),
    *(f"first_{name}" for name in CLASSES),
)
"""What is said of one message. Those of ``_NUMBERS`` are logarithms, the others 0 or 1."""

PAIR_FEATURES = (
    # Logarithms.
    "distance",
    "gap",
    "gap_by_pace",
    "since_theirs",
    "since_mine",
    "speakers_between",
    "asked_me_since",
    "asked_them_since",
    "overlap",
    "overlap_latest",
    "overlap_share",
    # 0 or 1.
    "next",
    "same_minute",
    "same_speaker",
    "own_latest",
    "their_latest",
    "strong_to",
    "weak_to",
    "strong_from",
    "weak_from",
    "strong_to_latest",
    "strong_from_latest",
    "i_talk_to",
    "i_was_asked_by",
    "they_talk_to_me",
    "same_target",
    "they_address_other",
    "i_address_other",
    "run_of_mine",
    "they_go_on",
    "latest_of_other",
    "before_own",
)
_NUMBERS_OF_PAIRS = 11

_TOP = 63


def logarithm(values: Whole) -> Whole:
    """Returns four times the binary logarithm of values + 1, linear between powers of two, at most 63.

    It reads the bits of a float, so it is the same on any machine. Negative values are as 0.
    """
    bits = (np.clip(values, 0, 1 << 22) + 1).astype(np.float32).view(np.int32)
    result: Whole = np.minimum((bits >> 21) - (127 << 2), _TOP)
    return result


_LOG = logarithm(np.arange(4096)).astype(np.float32)
_LOG_FAR = np.float32(_TOP)


def tops() -> tuple[Whole, Whole]:
    """Returns the largest size of each feature of a message, and of each of a pair."""
    message = np.ones(len(MESSAGE_FEATURES))
    message[: len(_NUMBERS)] = _TOP
    pair = np.ones(len(PAIR_FEATURES))
    pair[:_NUMBERS_OF_PAIRS] = _TOP
    return message, pair


class Block:
    """The rows of some messages and of those before them.

    Attributes:
        rows: One row for each message, with the columns of `COLUMNS`.
        entries: Entries of their words, one after the other.
        counts: How many words each has.
        first: Place of the first row in the channel; negative while empty rows fill the beginning.
    """

    def __init__(self, rows: Whole, entries: Whole, counts: Whole, first: int) -> None:
        self.rows = rows
        self.entries = entries
        self.counts = counts
        self.first = first
        self.column = {name: rows[:, k] for k, name in enumerate(COLUMNS)}


def _since(happened: Whole, width: int) -> Whole:
    """Counts for each pair what happened between the two, where ``happened[i, d - 1]`` is about i and the d-th before.

    What belongs to one earlier message lies on a diagonal, which a skewed view makes a row.
    """
    rows = happened.shape[0]
    padded = np.zeros((rows + width, width), np.uint8)
    padded[:rows] = happened
    step_row, step = padded.strides
    skewed = as_strided(padded[1:], (rows, width), (step_row, step_row + step))
    total = np.cumsum(skewed, axis=1, dtype=np.uint8)
    total -= skewed
    step_row, step = total.strides
    back: Whole = as_strided(total[width - 1 :], (rows - width, width), (step_row, step - step_row))
    return back


def _before(happened: Whole) -> Whole:
    """Counts what happened nearer than each pair's distance."""
    total = np.cumsum(happened, axis=1, dtype=np.uint8)
    total -= happened
    return total


def describe(block: Block, width: int, rarity: Whole) -> tuple[Whole, Whole]:
    """Returns the features of messages and those of pairs.

    Args:
        block: At least ``2 * width`` rows of history, then the messages to link.
        width: How many messages back a parent may be.
        rarity: How rare words are, by the low bits of their hash; 0 for those too frequent to tell anything.

    Returns:
        Features by message, for the messages to link and the ``width`` before them; and by feature, message to link and
        distance - 1.
    """
    c = block.column
    count = len(block.rows)
    new = count - 2 * width
    rows = slice(width, count)

    def back(values: Whole) -> Whole:
        return sliding_window_view(values, width)[: count - width, ::-1]

    def here(values: Whole) -> Whole:
        return values[rows, None]

    me, them = here(c["speaker"]), back(c["speaker"])
    same = me == them
    strong_to = (here(c["strong"]) == them) | (here(c["strong2"]) == them)
    strong_from = (back(c["strong"]) == me) | (back(c["strong2"]) == me)
    since_theirs = _since(same, width)
    asked_them = _since(strong_to, width)

    # From here on, only the messages to link.
    def now(values: Whole) -> Whole:
        return values[width:]

    me, them, same, strong_to, strong_from = now(me), now(them), now(same), now(strong_to), now(strong_from)
    since_mine = _before(same)
    asked_me = _before(strong_from)
    latest = since_theirs == 0
    between = _before(latest)
    gap = now(here(c["minute"])) - now(back(c["minute"]))
    pace = logarithm(c["minute"][2 * width :] - c["minute"][2 * width - 32 : count - 32])[:, None]
    target, their_target = now(here(c["strong"])), now(back(c["strong"]))
    overlap, overlap_latest, own_rarity = _overlap(block, width, new, rarity)
    their_partner = np.where(c["strong"] >= 0, c["strong"], c["talks_to"])

    pairs = np.empty((len(PAIR_FEATURES), new, width), np.float32)
    gap_log = _LOG[np.minimum(gap, 4095)]
    pairs[0] = _LOG[1 : width + 1]
    pairs[1] = gap_log
    np.subtract(gap_log, pace, out=pairs[2])
    pairs[3] = _LOG[since_theirs]
    pairs[4] = _LOG[since_mine]
    pairs[5] = _LOG[between]
    pairs[6] = _LOG[asked_me]
    pairs[7] = _LOG[asked_them]
    pairs[8] = _LOG[np.minimum(overlap, 4095)]
    pairs[9] = _LOG[np.minimum(overlap_latest, 4095)]
    pairs[10] = (overlap * 32) // (own_rarity[:, None] + 1)
    pairs[11] = 0
    pairs[11, :, 0] = 1
    pairs[12] = gap == 0
    pairs[13] = same
    pairs[14] = same & (since_mine == 0)
    pairs[15] = latest
    pairs[16] = strong_to
    pairs[17] = (now(here(c["weak"])) == them) | (now(here(c["weak2"])) == them)
    pairs[18] = strong_from
    pairs[19] = (now(back(c["weak"])) == me) | (now(back(c["weak2"])) == me)
    pairs[20] = strong_to & latest
    pairs[21] = strong_from & (asked_me == 0)
    pairs[22] = now(here(c["talks_to"])) == them
    pairs[23] = now(here(c["asked_by"])) == them
    pairs[24] = now(back(their_partner)) == me
    pairs[25] = (target == their_target) & (target >= 0)
    pairs[26] = (their_target >= 0) & ~strong_from
    pairs[27] = (target >= 0) & ~strong_to
    pairs[28] = same & (since_mine == np.arange(width))
    goes_on = np.zeros((new, width), bool)
    speaker = c["speaker"]
    follows = np.zeros(count, bool)
    follows[:-1] = speaker[1:] == speaker[:-1]
    goes_on[:, 1:] = sliding_window_view(follows, width)[width : count - width, ::-1][:, 1:]
    pairs[29] = goes_on
    pairs[30] = latest & ~same
    pairs[31] = since_mine > 0
    return _messages(block, width), pairs


def _messages(block: Block, width: int) -> Whole:
    c = block.column
    count = len(block.rows)
    rows = slice(width, count)
    place = np.arange(block.first + width, block.first + count)
    minute = c["minute"]
    result = np.empty((count - width, len(MESSAGE_FEATURES)), np.float32)

    def gap(values: Whole) -> Whole:
        found = values[rows]
        return np.where(found < 0, _LOG_FAR, _LOG[np.minimum(place - found, 4095)])

    result[:, 0] = _LOG[c["length"][rows]]
    result[:, 1] = _LOG[np.minimum(block.counts[rows], 4095)]
    result[:, 2] = gap(c["own_last"])
    result[:, 3] = _LOG[np.minimum(c["own_count"][rows], 4095)]
    result[:, 4] = gap(c["addressed_at"])
    result[:, 5] = gap(c["target_last"])
    result[:, 6] = _LOG[np.clip(c["target_count"][rows], 0, 4095)]
    result[:, 7] = logarithm(minute[rows] - minute[width - 1 : count - 1])
    result[:, 8] = logarithm(minute[rows] - minute[width - 32 : count - 32])
    result[:, 9] = logarithm(minute[rows] - minute[width - 8 : count - 8])
    at = len(_NUMBERS)
    result[:, at] = (c["addressed_at"][rows] > c["own_last"][rows]) & (c["addressed_at"][rows] >= 0)
    result[:, at + 1] = c["speaker"][rows] == c["speaker"][width - 1 : count - 1]
    result[:, at + 2] = c["own_last"][rows] < 0
    result[:, at + 3] = c["addressed_at"][rows] < 0
    at += len(_STATES)
    flags = c["flags"][rows]
    for bit in range(len(FLAGS)):
        result[:, at + bit] = flags >> bit & 1
    at += len(FLAGS)
    classes = block.entries >> HASH_BITS
    ends = np.cumsum(block.counts)
    starts = ends - block.counts
    some = block.counts > 0
    has = np.zeros(count, np.int64)
    first = np.zeros(count, np.int64)
    if some.any():
        has[some] = np.bitwise_or.reduceat(classes, starts[some])
        first[some] = classes[starts[some]]
        more = block.counts > 1
        first[more] |= classes[starts[more] + 1]
    for k, found in enumerate((has[rows], first[rows])):
        for bit in range(len(CLASSES)):
            result[:, at + k * len(CLASSES) + bit] = found >> bit & 1
    return result


def _overlap(block: Block, width: int, new: int, rarity: Whole) -> tuple[Whole, Whole, Whole]:
    """Returns how rare the shared words are: all, those not used since, and those of the message itself."""
    count = len(block.rows)
    hashes = block.entries & ((1 << HASH_BITS) - 1)
    weights = rarity[hashes & (len(rarity) - 1)]
    kept = (weights > 0) & (hashes > 0)
    where = np.repeat(np.arange(count), block.counts)[kept]
    keys = np.unique(hashes[kept] << 16 | where)
    row = keys & 0xFFFF
    hashes = keys >> 16
    weights = rarity[hashes & (len(rarity) - 1)].astype(np.int64)
    own = np.bincount(row, weights, count)[2 * width :].astype(np.int64)
    every = np.zeros(new * width, np.int64)
    latest = every
    for step in range(1, width + 1):
        distance = row[step:] - row[:-step]
        near = (hashes[step:] == hashes[:-step]) & (distance <= width) & (row[step:] >= 2 * width)
        if step > 1 and not near.any():
            break
        cell = (row[step:][near] - 2 * width) * width + distance[near] - 1
        every = every + np.bincount(cell, weights[step:][near], new * width).astype(np.int64)
        if step == 1:
            latest = every
    return every.reshape(new, width), latest.reshape(new, width), own
