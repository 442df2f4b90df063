"""Chooses the pairs that a person should look at first."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from furytune.records import QAPair

__all__ = ["Queue"]

# How much more doubtful the next pair of one channel must be to come before the first pair of another one.
_STEP: Final = 0.02
_SLACK: Final = 1024  # pairs in memory beyond those that are asked for, before the rest is thrown out
_AGAIN: Final = -10.0  # comes before every distance


@frozen
class _Candidate:
    distance: float
    uid: str
    pair: QAPair


class Queue:
    """Keeps the most doubtful pairs of a stream, from all channels. The order of the stream changes nothing.

    A pair is placed by the distance of its confidence to a threshold, and a little behind for each more doubtful pair of
    its channel, so that no channel fills the queue alone. Memory does not grow with the stream.

    Args:
        size: How many pairs to keep.
        near: The threshold.
    """

    def __init__(self, size: int, near: float) -> None:
        self._size = size
        self._near = near
        self._channels: dict[str, list[_Candidate]] = {}
        self._count = 0

    def add(self, pair: QAPair, *, again: bool) -> None:
        """Offers a pair.

        Args:
            pair: The pair.
            again: Whether a person decided about it, and must look again.
        """
        distance = _AGAIN if again else round(abs(pair.confidence - self._near), 6)
        channel = pair.source.channel or pair.source.path
        self._channels.setdefault(channel, []).append(_Candidate(distance, pair.id, pair))
        self._count += 1
        if self._count > 2 * self._size + _SLACK:
            self._keep(self._best())

    def pairs(self) -> list[QAPair]:
        """Returns the pairs, the most doubtful first."""
        return [candidate.pair for _, candidate in self._best()]

    def _best(self) -> list[tuple[str, _Candidate]]:
        """Returns the best candidates in order, each with its channel."""
        ranked: list[tuple[float, str, str, _Candidate]] = []
        for channel, found in self._channels.items():
            found.sort(key=lambda c: (c.distance, c.uid))
            for rank, candidate in enumerate(found[: self._size]):
                place = candidate.distance + (0 if candidate.distance == _AGAIN else _STEP * rank)
                ranked.append((place, candidate.uid, channel, candidate))
        ranked.sort(key=lambda item: item[:3])
        return [(channel, candidate) for _, _, channel, candidate in ranked[: self._size]]

    def _keep(self, best: list[tuple[str, _Candidate]]) -> None:
        # Later pairs can only push a candidate back, and only raise the bar, so what is out now stays out.
        self._channels = {}
        for channel, candidate in best:
            self._channels.setdefault(channel, []).append(candidate)
        self._count = len(best)
