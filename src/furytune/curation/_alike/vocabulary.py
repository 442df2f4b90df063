"""Words that change what a question asks, and words that do not; those in lists are in ``words.txt``.

Negations are in the languages of most communities. All else is English, so in other languages more words count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

__all__ = [
    "EMPTY_WORDS",
    "FRAMES",
    "HOW",
    "JOINS",
    "NEGATIONS",
    "NEITHER",
    "OPPOSITES",
    "PLATFORMS",
    "QUESTION_WORDS",
    "REVERSED",
    "STOP_WORDS",
]


def _lists() -> Mapping[str, str]:
    """Returns the lists of the file by name."""
    found: dict[str, str] = {}
    name = ""
    for line in (files("furytune.curation._alike") / "words.txt").read_text("utf-8").splitlines():
        if line.startswith("  "):
            found[name] = f"{found.get(name, '')} {line.strip()}"
        elif not line.startswith("#"):
            name = line.rstrip(":")
    return found


_LISTS: Final = _lists()

STOP_WORDS: Final = frozenset(_LISTS["stop"].split())
"""Articles, pronouns, auxiliaries, prepositions, greetings and politeness: they say how a question is put."""

EMPTY_WORDS: Final = frozenset(_LISTS["empty"].split())
"""Stop words without meaning even in a question of one or two words."""

NEGATIONS: Final = frozenset(_LISTS["negation"].split())
"""A question with one of these never equals a question without."""

NEITHER: Final = frozenset(_LISTS["alone"].split())
"""Words that turn a question round by themselves."""

REVERSED: Final = "from"
JOINS: Final[Mapping[str, str]] = {
    "to": "to",
    "into": "to",
    "onto": "to",
    "from": REVERSED,
    "than": "than",
    "over": "over",
    "under": "under",
    "before": "before",
    "after": "after",
    "inside": "inside",
    "above": "above",
    "below": "below",
    "behind": "behind",
}
"""Words whose two neighbours cannot change places, and which of them mean the same."""

QUESTION_WORDS: Final[Mapping[str, str]] = {
    "how": "",
    "which": "",
    "when": "",
    "what": "what",
    "whats": "what",
    "why": "why",
    "whys": "why",
    "where": "where",
    "wheres": "where",
    "who": "who",
    "whose": "who",
}
"""What each question word asks for; "" for what the words beside it tell."""


def _platforms() -> Mapping[str, str]:
    groups = [group.split() for group in _LISTS["platform"].split(",")]
    return {name: names[0] for names in groups for name in names}


def _opposites() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for a, b in map(str.split, _LISTS["opposite"].split(",")):
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return {word: frozenset(others) for word, others in found.items()}


PLATFORMS: Final = _platforms()
"""Operating systems and other surroundings, whose answers differ, by each of their names."""

OPPOSITES: Final = _opposites()
"""Each word's opposites, and others of its kind that no one means by it, such as "rotate" and "translate"."""

_WE = r"(?:i|we|you guys|you|u|one|someone|people)"
HOW: Final = re.compile(
    rf"\bhow (?:do|can|could|would|should|might|may|does|did|will)(?: {_WE})?(?: go about| best| properly)?\b"
    rf"|\bhow {_WE} (?:can|could|would|should|might|may|do)\b|\bhow to\b"
    r"|\b(?:is|are) there (?:(?:a|an|any|some) )?(?:(?:good|easy|better|simple|proper|other) )?ways? (?:to|of|for)\b"
    r"|\b(?:any|a|the)(?: \w+)? way (?:to|of)\b"
    rf"|\bis it possible to\b|\b(?:can|could) (?:i|we|one)\b|\bpossible to\b"
    r"|(?<!do )(?<!did )\b(?:i|we)(?:'d| would)? (?:want|need|like|love|wish|try|tried|have) to\b|\b(?:i|we)(?:'m|'re| am| are) trying to\b"
    r"|\bwhat(?:'s| is| are| would be| will be)?(?: the| a)?(?: best| right| proper| correct| easiest| simplest| recommended"
    r"| good| preferred| usual)? (?:ways?|methods?|approach)(?: to| of| for)?\b"
)
"""Ways of asking how something is done."""

# What comes before or after the question itself. Its negations do not negate the question.
FRAMES: Final = re.compile(
    r"\b(?:(?:i|we)(?: am|'m)? )?(?:still |really |just |also ){0,3}"
    r"(?:do not|don'?t|did not|didn'?t|can'?t|can ?not|could ?n[o']?t|am not|'m not|not|no|have no|haven'?t)"
    r" (?:really |quite |yet |exactly |entirely |seem to |able to |been able to |100% ){0,3}"
    r"(?:know|understand|figured?(?: it| this)? out|find(?: out)?|found(?: out)?|work(?:ed)? out|sure|certain|see|get|idea|clue)"
    r"(?: about| on)?(?: the (?:right |best )?way| a way)?(?= (?:how|where|what|which|why|if|whether|to)\b)"
    r"|\bsorry if (?:this|that|it)(?: is|'s)?(?: not| n't|n't)?[^.,;!?\n]{0,80}[.,;!?\n]"
    r"|\b(?:(?:does|do|did|has|have|can|could|would) )?(?:any ?one|any ?body|some ?one|some ?body|you|u|guys)(?: here| please){0,2}"
    r" (?:know|knows|tell me|say|have (?:any|an|some) ideas?|has (?:any|an) ideas?)(?: about| on)?(?= (?:how|where|what|which|why|if|whether)\b)"
    r"|\b(?:can|could|would) (?:someone|some ?body|anyone|any ?body|you|u)(?: please| kindly)?"
    r" (?:explain|clarify|tell me|show me|teach me|point me|guide me)\b"
    r"|\bi(?:'m| am) (?:very |quite |pretty |totally |kind of )?new (?:here|(?:to|with) (?:this|the|all)\b[^.,!?\n]{0,30})"
    r"|\b(?:hi|hello|hey|thanks|thank you|thx|good (?:morning|afternoon|evening|day)),? (?:to )?(?:you )?(?:all|team|people)\b"
    r"|\bgood (?:morning|afternoon|evening|day)\b"
    r"|\b(?:(?:any|some)(?:one|body) |please |pls |need(?:ing)? (?:some |your |any )?){1,4}help(?: me| us)?(?: out)?(?: with| on| to)?\b"
    r"|\bhelp (?:me|us|please|pls|needed|wanted|appreciated)(?: out)?(?: with| on| to)?\b"
    r"|\b(?:i|we)(?: was| were| am| are|'m|'re)(?: just)? wondering\b"
    r"|\b(?:no ?body|no ?one)(?: has| have|'s)? (?:answered|replied|responded|helped)\b(?: so far| yet| me){0,2}"
    r"|\bno worries\b|\bif (?:not|no)\b|\bno problem\b"
    r"|\b(?:thanks|thank you|thx)[^.!?\n]{0,40}$"
)
