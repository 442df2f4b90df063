"""Describes each message, and each message together with each of those before it, by small whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from furytune.pairing.linking.lexicon import CLASSES, HASH_BITS
from furytune.pairing.linking.messages import COLUMNS, FLAGS

__all__ = [
    "MESSAGE_FEATURES",
    "NUMBERS_OF_MESSAGES",
    "NUMBERS_OF_PAIRS",
    "PAIR_FEATURES",
    "TOP",
    "Block",
    "back",
    "count_before",
    "count_since",
    "describe",
    "logarithm",
    "logarithms",
]

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
NUMBERS_OF_MESSAGES = len(_NUMBERS)
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
    "mutual_latest",
)
NUMBERS_OF_PAIRS = 11

TOP = 63


def logarithm(values: Whole) -> Whole:
    """Returns four times the binary logarithm of values + 1, linear between powers of two, at most 63.

    It reads the bits of a float, so it is the same on any machine. Negative values are as 0.
    """
    bits = (np.clip(values, 0, 1 << 22) + 1).astype(np.float32).view(np.int32)
    result: Whole = np.minimum((bits >> 21) - (127 << 2), TOP)
    return result


_LOG = logarithm(np.arange(4096)).astype(np.int8)
_LOG_FAR = np.int8(TOP)


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
        # One after the other in memory, because columns are compared as wholes.
        columns = np.ascontiguousarray(rows.T, np.int32)
        self.column = dict(zip(COLUMNS, columns, strict=True))


def back(values: Whole, width: int) -> Whole:
    """Returns for each value from the ``width``-th on those before it, nearest first."""
    (step,) = values.strides
    return _view(values, (width - 1) * step, (len(values) - width, width), (step, -step))


def _view(values: Whole, offset: int, shape: tuple[int, int], strides: tuple[int, int]) -> Whole:
    """Returns a view of an array that is one piece of memory, without the detours of numpy's own functions for it."""
    return np.ndarray(shape, values.dtype, values, offset, strides)


def logarithms(counts: Whole) -> Whole:
    """Returns logarithms of counts below 4096."""
    found: Whole = _LOG.take(counts)
    return found


def count_since(happened: Whole, width: int) -> Whole:
    """Counts for each pair what happened between the two, where ``happened[i, d - 1]`` is about i and the d-th before.

    What belongs to one earlier message lies on a diagonal, which a skewed view makes a row.
    """
    rows = happened.shape[0]
    padded = np.zeros((rows + width, width), np.uint8)
    padded[:rows] = happened
    step_row, step = padded.strides
    skewed = _view(padded, step_row, (rows, width), (step_row, step_row + step))
    total = np.cumsum(skewed, axis=1, dtype=np.uint8)
    total -= skewed
    step_row, step = total.strides
    return _view(total, (width - 1) * step_row, (rows - width, width), (step_row, step - step_row))


def count_before(happened: Whole) -> Whole:
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
        distance; distance 0 is a start.
    """
    c = block.column
    count = len(block.rows)
    new = count - 2 * width
    rows = slice(width, count)

    def here(values: Whole) -> Whole:
        return values[rows, None]

    me, them = here(c["speaker"]), back(c["speaker"], width)
    same = me == them
    strong_to = (here(c["strong"]) == them) | (here(c["strong2"]) == them)
    strong_from = (back(c["strong"], width) == me) | (back(c["strong2"], width) == me)
    since_theirs = count_since(same, width)
    asked_them = count_since(strong_to, width)

    # From here on, only the messages to link.
    def now(values: Whole) -> Whole:
        return values[width:]

    me, them, same, strong_to, strong_from = now(me), now(them), now(same), now(strong_to), now(strong_from)
    since_mine = count_before(same)
    asked_me = count_before(strong_from)
    latest = since_theirs == 0
    between = count_before(latest)
    gap = now(here(c["minute"])) - now(back(c["minute"], width))
    pace = logarithm(c["minute"][2 * width :] - c["minute"][2 * width - 32 : count - 32])[:, None]
    target, their_target = now(here(c["strong"])), now(back(c["strong"], width))
    overlap, overlap_latest, own_rarity = _overlap(block, width, new, rarity)
    their_partner = np.where(c["strong"] >= 0, c["strong"], c["talks_to"])

    # A start comes first and has no features.
    result = np.zeros((len(PAIR_FEATURES), new, width + 1), np.int8)
    pair = dict(zip(PAIR_FEATURES, result[:, :, 1:], strict=True))
    gap_log = logarithms(np.minimum(gap, 4095))
    pair["distance"][:] = _LOG[1 : width + 1]
    pair["gap"][:] = gap_log
    pair["gap_by_pace"][:] = gap_log - pace
    pair["since_theirs"][:] = logarithms(since_theirs)
    pair["since_mine"][:] = logarithms(since_mine)
    pair["speakers_between"][:] = logarithms(between)
    pair["asked_me_since"][:] = logarithms(asked_me)
    pair["asked_them_since"][:] = logarithms(asked_them)
    pair["overlap"][:] = logarithms(np.minimum(overlap, 4095))
    pair["overlap_latest"][:] = logarithms(np.minimum(overlap_latest, 4095))
    pair["overlap_share"][:] = (overlap * 32) // (own_rarity[:, None] + 1)
    pair["next"][:, 0] = 1
    pair["same_minute"][:] = gap == 0
    pair["same_speaker"][:] = same
    pair["own_latest"][:] = same & (since_mine == 0)
    pair["their_latest"][:] = latest
    pair["strong_to"][:] = strong_to
    pair["weak_to"][:] = (now(here(c["weak"])) == them) | (now(here(c["weak2"])) == them)
    pair["strong_from"][:] = strong_from
    pair["weak_from"][:] = (now(back(c["weak"], width)) == me) | (now(back(c["weak2"], width)) == me)
    pair["strong_to_latest"][:] = strong_to & latest
    pair["strong_from_latest"][:] = strong_from & (asked_me == 0)
    pair["i_talk_to"][:] = now(here(c["talks_to"])) == them
    pair["i_was_asked_by"][:] = now(here(c["asked_by"])) == them
    pair["they_talk_to_me"][:] = now(back(their_partner, width)) == me
    pair["same_target"][:] = (target == their_target) & (target >= 0)
    pair["they_address_other"][:] = (their_target >= 0) & ~strong_from
    pair["i_address_other"][:] = (target >= 0) & ~strong_to
    pair["run_of_mine"][:] = same & (since_mine == np.arange(width))
    goes_on = np.zeros((new, width), bool)
    speaker = c["speaker"]
    follows = np.zeros(count, bool)
    follows[:-1] = speaker[1:] == speaker[:-1]
    goes_on[:, 1:] = now(back(follows, width))[:, 1:]
    pair["they_go_on"][:] = goes_on
    pair["latest_of_other"][:] = latest & ~same
    pair["before_own"][:] = since_mine > 0
    mutual = strong_to & strong_from
    pair["mutual_latest"][:] = mutual & (count_before(mutual) == 0)
    return _messages(block, width), result


def _messages(block: Block, width: int) -> Whole:
    c = block.column
    count = len(block.rows)
    rows = slice(width, count)
    place = np.arange(block.first + width, block.first + count, dtype=np.int32)
    minute = c["minute"]
    result = np.empty((count - width, len(MESSAGE_FEATURES)), np.float32)

    def gap(values: Whole) -> Whole:
        found = values[rows]
        return np.where(found < 0, _LOG_FAR, logarithms(np.minimum(place - found, 4095)))

    of = dict(zip(MESSAGE_FEATURES, result.T, strict=True))
    of["length"][:] = _LOG[c["length"][rows]]
    of["words"][:] = logarithms(np.minimum(block.counts[rows], 4095))
    of["own_gap"][:] = gap(c["own_last"])
    of["own_count"][:] = logarithms(np.minimum(c["own_count"][rows], 4095))
    of["addressed_gap"][:] = gap(c["addressed_at"])
    of["target_gap"][:] = gap(c["target_last"])
    of["target_count"][:] = logarithms(np.clip(c["target_count"][rows], 0, 4095))
    of["gap_before"][:] = logarithm(minute[rows] - minute[width - 1 : count - 1])
    of["pace"][:] = logarithm(minute[rows] - minute[width - 32 : count - 32])
    of["pace_short"][:] = logarithm(minute[rows] - minute[width - 8 : count - 8])
    of["addressed_since_own"][:] = (c["addressed_at"][rows] > c["own_last"][rows]) & (
        c["addressed_at"][rows] >= 0
    )
    of["same_as_before"][:] = c["speaker"][rows] == c["speaker"][width - 1 : count - 1]
    of["new"][:] = c["own_last"][rows] < 0
    of["never_addressed"][:] = c["addressed_at"][rows] < 0
    at = len(_NUMBERS) + len(_STATES)
    strong, weak = c["strong"][rows] >= 0, c["weak"][rows] >= 0
    several = (c["strong2"][rows] >= 0) | (c["weak2"][rows] >= 0) | (strong & weak)
    flags = c["flags"][rows]
    for name, holds in (("strong", strong), ("weak", weak), ("several", several)):
        flags = flags | holds.astype(np.int32) << FLAGS.index(name)
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
    cells: list[Whole] = []
    shared: list[Whole] = []
    for step in range(1, width + 1):
        distance = row[step:] - row[:-step]
        near = (hashes[step:] == hashes[:-step]) & (distance <= width) & (row[step:] >= 2 * width)
        if step > 1 and not near.any():
            break
        cells.append((row[step:][near] - 2 * width) * width + distance[near] - 1)
        shared.append(weights[step:][near])
    every = np.bincount(np.concatenate(cells), np.concatenate(shared), new * width).astype(np.int64)
    latest = np.bincount(cells[0], shared[0], new * width).astype(np.int64)
    return every.reshape(new, width), latest.reshape(new, width), own
