"""Names what describes a candidate, in parts that several candidates share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Final

import msgspec

from furytune.pairing._chat.wording import Wording
from furytune.pairing.signals import Signals

__all__ = ["FEATURES", "FLAGS", "GROUPS", "Part", "flags", "reply_flags", "together"]

_FLAGS = (
    "asks_without_mark",
    "reports_trouble",
    "seeks_help",
    "asks_back",
    "thanks",
    "works_now",
    "still_fails",
    "solution_by_asker",
    "tells_what_to_do",
    "states_how_it_is",
    "me_too",
    "redirects",
    "team_talk",
    "announcement",
    "leans_on_file",
    "leans_on_above",
    "says_yes",
    "says_no",
    "promise_only",
    "greeting_only",
    "asks",
    "shows_failure",
    "quotes",
    "has_mention",
    "code",
    "link_only",
    "ends_asking",
)
_REPLY = ("thanks", "works_now", "still_fails", "asks", "asks_without_mark", "reports_trouble", "says_no")
_LINK_ONLY = 1 << _FLAGS.index("link_only")
_ENDS_ASKING = 1 << _FLAGS.index("ends_asking")
_of_turn = attrgetter(*_FLAGS)
_of_reply = attrgetter(*_REPLY)

FLAGS: Final[Mapping[str, int]] = {"opener": len(_FLAGS), "told": len(_FLAGS), "end": len(_REPLY)}
"""How many of the first names of a group in `GROUPS` are signals."""

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    # What the question is, and where.
    "opener": (
        *(f"q_{flag}" for flag in _FLAGS),
        "q_opener_words",
        "q_native",
        "q_starts",
        "q_continues",
        "q_confidence",
        "q_answers_question",
        "helpers",
        "speakers",
        "turns",
        "place",
        "asker_posts",
        "asker_asks",
        "asker_tells",
        "asker_thanks",
        "thread",
        "by_opener",
    ),
    # All that was asked before the answer.
    "asked": ("q_words", "q_links", "q_code_lines", "q_files", "q_posts", "clarified", "q_held"),
    # What the answer says.
    "told": (
        *(f"a_{flag}" for flag in _FLAGS),
        "a_words",
        "a_links",
        "a_code_lines",
        "a_files",
        "a_posts",
        "a_turns",
        "marked",
        "a_held",
    ),
    # Who begins to answer, and when.
    "begin": (
        "first_link",
        "distance",
        "gap",
        "before_by_others",
        "before_asking_back",
        "first_of_helper",
        "by_asker",
        "answerer_posts",
        "answerer_asks",
        "answerer_tells",
        "answerer_thanks",
        "experience",
        "addresses_other",
        "reversed",
        "asked_back",
        "to_other_question",
        "answered_by_opener",
    ),
    # What the asker says afterwards.
    "end": (
        *(f"r_{flag}" for flag in _REPLY),
        "reply",
        "reply_words",
        "thanked_later",
        "works_later",
    ),
    # How question and answer fit.
    "fit": (
        "a_is_best",
        "a_best_share",
        "native",
        "direct",
        "weakest_link",
        "span",
        "left_of_helper",
        "share_of_helper",
        "overlap",
        "overlap_share",
        "addressed",
    ),
}
"""Names of the features of each part. The question's start with q_, the answer's with a_, the asker's reply's with r_."""

FEATURES = tuple(name for names in GROUPS.values() for name in names)
"""Names of all features, in order."""


class Part(msgspec.Struct, eq=False, gc=False):
    """A part of what describes a candidate.

    Attributes:
        group: Which of `GROUPS` it is.
        values: One number for each of its names that is not a signal.
        flags: Bits of the signals that its first names are, from the lowest.
        wording: Its words.
        score: What it adds to the score of each candidate that it describes, once that is known.
    """

    group: str
    values: tuple[float, ...]
    flags: int = 0
    wording: Wording | None = None
    score: float | None = None

    @property
    def features(self) -> tuple[float, ...]:
        """One number for each of its names."""
        bits = range(FLAGS.get(self.group, 0))
        return (*(float(self.flags >> bit & 1) for bit in bits), *map(float, self.values))


# Texts that signal the same share one value, so there are few.
@lru_cache(maxsize=4096)
def flags(said: Signals) -> int:
    """Returns the signals of a turn that count, as bits."""
    return _bits(_of_turn(said))


@lru_cache(maxsize=4096)
def reply_flags(said: Signals) -> int:
    """Returns the signals of the asker's reply that count, as bits."""
    return _bits(_of_reply(said))


def _bits(flags: tuple[bool, ...]) -> int:
    return sum(1 << bit for bit, holds in enumerate(flags) if holds)


def together(before: int, after: int) -> int:
    """Returns the `flags` of two turns, one after the other, as one."""
    # Only links if both are; ends as the later one.
    some = (before | after) & ~(_LINK_ONLY | _ENDS_ASKING)
    return some | (before & after & _LINK_ONLY) | (after & _ENDS_ASKING)
