"""Counts what there is to learn in each channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import define, field

from furytune._channels.pairing import OnDrop, Reading
from furytune._channels.selection import home
from furytune.pairing.languages import language
from furytune.records import Dropped, QAPair
from furytune.report.profiles import SURE, ChannelProfile, ChannelProfiles

__all__ = ["profiles"]


@define
class _Counts:
    """What was counted in a channel and its threads."""

    id: str = ""
    name: str = ""
    messages: int = 0
    pairs: int = 0
    sure: int = 0
    used: int = 0
    team_talk: int = 0
    confidence: float = 0.0
    languages: Counter[str] = field(factory=Counter)

    def pair(self, pair: QAPair) -> None:
        """Counts a pair."""
        self.pairs += 1
        self.sure += pair.confidence >= SURE
        self.used += len(pair.question_messages) + len(pair.answer_messages)
        self.confidence += pair.confidence
        self.languages[language(pair.question)] += 1

    @property
    def profile(self) -> ChannelProfile:
        messages, pairs = max(self.messages, 1), max(self.pairs, 1)
        return ChannelProfile(
            id=self.id,
            name=self.name,
            messages=self.messages,
            pairs=self.pairs,
            sure=self.sure,
            used=round(self.used / messages, 4),
            team_talk=round(self.team_talk / messages, 4),
            expected=round(self.confidence / pairs, 4),
            languages=tuple((code, round(n / pairs, 4)) for code, n in self.languages.most_common()),
        )


def profiles(read: Iterable[tuple[Reading, Iterator[QAPair | Dropped]]], on_drop: OnDrop) -> ChannelProfiles:
    """Returns a profile of each channel, the one with the most pairs worth training on first.

    Args:
        read: Channels and threads with their pairs and drops; see `Pairing.by_channel`.
        on_drop: Called with each of these drops.
    """
    found: dict[str, _Counts] = {}
    for posts, items in read:
        uid, name = home(posts.channel)
        # An old export may have no ids; then each of its files is a channel.
        counts = found.setdefault(uid or posts.name, _Counts(uid))
        counts.name = counts.name or name
        for item in items:
            if isinstance(item, QAPair):
                counts.pair(item)
                continue
            counts.team_talk += item.count if item.reason == "team_talk" else 0
            on_drop(item)
        counts.messages += posts.usable
    best_first = sorted(found.values(), key=lambda counts: -counts.confidence)
    return ChannelProfiles(counts.profile for counts in best_first)
