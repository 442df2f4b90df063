"""English words that change what a question asks, and words that do not."""

from __future__ import annotations

import re
from collections.abc import Mapping
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

# Articles, pronouns, auxiliaries, prepositions, greetings and politeness: they say how a question is put.
STOP_WORDS: Final = frozenset(
    [
        "a",
        "about",
        "actually",
        "again",
        "ah",
        "ahead",
        "already",
        "alright",
        "also",
        "am",
        "an",
        "and",
        "any",
        "anybody",
        "anyone",
        "anything",
        "apologies",
        "appreciate",
        "appreciated",
        "are",
        "around",
        "as",
        "ask",
        "asking",
        "at",
        "attempt",
        "basically",
        "be",
        "because",
        "been",
        "being",
        "best",
        "bit",
        "bother",
        "btw",
        "but",
        "by",
        "can",
        "cheers",
        "could",
        "currently",
        "cuz",
        "d",
        "dear",
        "did",
        "do",
        "does",
        "doing",
        "done",
        "dude",
        "each",
        "easiest",
        "easily",
        "either",
        "else",
        "etc",
        "even",
        "ever",
        "everybody",
        "everyone",
        "exactly",
        "fellow",
        "few",
        "fine",
        "folk",
        "folks",
        "for",
        "get",
        "gets",
        "getting",
        "go",
        "going",
        "gonna",
        "good",
        "got",
        "gotta",
        "great",
        "greetings",
        "guess",
        "gurus",
        "guy",
        "guys",
        "had",
        "happen",
        "happens",
        "has",
        "have",
        "having",
        "he",
        "hello",
        "her",
        "here",
        "hey",
        "hi",
        "his",
        "hope",
        "hoping",
        "howdy",
        "however",
        "i",
        "id",
        "idea",
        "if",
        "im",
        "in",
        "info",
        "is",
        "issue",
        "it",
        "its",
        "ive",
        "just",
        "kindly",
        "know",
        "let",
        "like",
        "little",
        "lol",
        "look",
        "looking",
        "lot",
        "m",
        "made",
        "make",
        "makes",
        "may",
        "maybe",
        "me",
        "might",
        "mine",
        "most",
        "must",
        "my",
        "myself",
        "need",
        "needed",
        "needs",
        "newb",
        "newbie",
        "nice",
        "noob",
        "now",
        "of",
        "ok",
        "okay",
        "on",
        "once",
        "one",
        "onto",
        "or",
        "other",
        "our",
        "out",
        "per",
        "perhaps",
        "please",
        "pls",
        "plz",
        "possible",
        "possibly",
        "pretty",
        "problem",
        "proper",
        "properly",
        "question",
        "questions",
        "quick",
        "quickly",
        "quite",
        "rather",
        "really",
        "recommended",
        "regarding",
        "regards",
        "s",
        "see",
        "seem",
        "seems",
        "should",
        "simple",
        "simplest",
        "simply",
        "since",
        "so",
        "some",
        "somebody",
        "somehow",
        "someone",
        "something",
        "sorry",
        "still",
        "stuck",
        "such",
        "suggestion",
        "suggestions",
        "sup",
        "sure",
        "t",
        "tell",
        "than",
        "thank",
        "thanks",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "things",
        "think",
        "this",
        "those",
        "though",
        "thx",
        "tia",
        "tried",
        "try",
        "trying",
        "ty",
        "tysm",
        "u",
        "ur",
        "us",
        "use",
        "used",
        "using",
        "very",
        "via",
        "wanna",
        "want",
        "wanted",
        "wants",
        "was",
        "way",
        "ways",
        "we",
        "well",
        "were",
        "while",
        "will",
        "wish",
        "with",
        "wonder",
        "wondering",
        "work",
        "working",
        "works",
        "would",
        "ya",
        "yeah",
        "yo",
        "you",
        "your",
    ]
)

EMPTY_WORDS: Final = frozenset(
    [
        "a",
        "actually",
        "ah",
        "ahead",
        "also",
        "am",
        "an",
        "and",
        "appreciate",
        "appreciated",
        "are",
        "be",
        "bro",
        "btw",
        "but",
        "can",
        "cheers",
        "could",
        "currently",
        "dear",
        "do",
        "does",
        "dude",
        "etc",
        "exactly",
        "fellow",
        "folk",
        "folks",
        "get",
        "gets",
        "getting",
        "gonna",
        "got",
        "greetings",
        "guess",
        "guy",
        "guys",
        "hello",
        "hey",
        "hi",
        "hoping",
        "howdy",
        "i",
        "idea",
        "ideas",
        "if",
        "im",
        "is",
        "just",
        "kindly",
        "like",
        "lol",
        "m",
        "may",
        "maybe",
        "me",
        "might",
        "my",
        "newb",
        "newbie",
        "noob",
        "of",
        "oh",
        "ok",
        "okay",
        "perhaps",
        "please",
        "pls",
        "plz",
        "possibly",
        "properly",
        "question",
        "questions",
        "quick",
        "quickly",
        "really",
        "regards",
        "s",
        "should",
        "simply",
        "so",
        "sorry",
        "still",
        "sure",
        "t",
        "thank",
        "thanks",
        "the",
        "there",
        "thx",
        "tia",
        "to",
        "tried",
        "try",
        "trying",
        "ty",
        "tysm",
        "ur",
        "we",
        "well",
        "will",
        "wonder",
        "wondering",
        "would",
        "ya",
        "yeah",
        "your",
    ]
)
"""Stop words without meaning even in a question of two or three words."""

# In the languages of most communities. A question with one of these never equals a question without.
NEGATIONS: Final = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "nor",
        "neither",
        "cannot",
        "nothing",
        "nobody",
        "nowhere",
        "unable",
        "cant",
        "dont",
        "wont",
        "isnt",
        "arent",
        "doesnt",
        "didnt",
        "couldnt",
        "wouldnt",
        "shouldnt",
        "havent",
        "hasnt",
        "hadnt",
        "wasnt",
        "werent",
        "aint",
        "nicht",
        "kein",
        "keine",
        "keinen",
        "keiner",
        "nie",
        "nichts",
        "pas",
        "jamais",
        "aucun",
        "rien",
        "nunca",
        "nada",
        "não",
        "nao",
        "sem",
        "ningun",
        "ninguna",
        "ningún",
        "non",
        "mai",
        "niet",
        "geen",
        "nooit",
        "inte",
        "ikke",
        "ingen",
        "nie",
        "не",
        "нет",
        "ні",
        "不",
        "没",
        "无",
        "ない",
    ]
)

NEITHER: Final = frozenset(
    ["without", "off", "except", "unless", "instead", "only", "outside", "ohne", "sans", "sin", "без"]
)
"""Words that turn a question round by themselves."""

REVERSED: Final = "from"
JOINS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("to", "into", "onto"), "to"),
    **dict.fromkeys(("from",), REVERSED),
    **{word: word for word in ("over", "under", "before", "after", "inside", "above", "below", "behind")},
}
"""Words whose two neighbours cannot change places."""

QUESTION_WORDS: Final[Mapping[str, str]] = {
    "how": "",
    "which": "",
    "what": "what",
    "whats": "what",
    "why": "why",
    "whys": "why",
    "where": "where",
    "wheres": "where",
    "who": "who",
    "whose": "who",
    "when": "",
}

PLATFORMS: Final[Mapping[str, str]] = {
    name: names[0]
    for names in (
        line.split()
        for line in """
        windows win
        macos mac osx macbook
        linux
        ubuntu
        debian
        fedora
        centos
        arch
        android
        ios iphone ipad
        raspberry raspi rpi
        wsl
        docker
        colab
        jupyter jupyterlab
        conda anaconda miniconda
        pip
        chrome
        firefox
        safari
        cuda
        amd
        nvidia
        intel
        gpu
        cpu
        vscode
        pycharm
        """.strip().splitlines()
    )
    for name in names
}
"""Operating systems and other surroundings, whose answers differ, by each of their names."""

_OPPOSITES = """
    enable disable, activate deactivate, on off, add remove, add delete, insert delete, insert remove, create delete,
    create remove, create destroy, show hide, display hide, visible invisible, visible hidden, open close, start stop,
    begin end, start finish, start end, first last, next previous, next prev, forward backward, forward back, up down,
    upper lower, top bottom, left right, front back, increase decrease, increase reduce, raise lower, more less, more fewer,
    max min, maximum minimum, maximize minimize, large small, larger smaller, largest smallest, big small, bigger smaller,
    big little, long short, longer shorter, high low, higher lower, highest lowest, fast slow, faster slower, speed slow,
    hot cold, light dark, lighten darken, bright dark, white black, true false, yes no, allow deny, allow block,
    allow forbid, allow prevent, ban unban, accept reject, accept decline, grant revoke, include exclude, import export,
    upload download, push pull, push pop, send receive, read write, input output, load save, load unload,
    get set, getter setter, join leave, join split, merge split, connect disconnect, attach detach, mount unmount,
    lock unlock, mute unmute, install uninstall, encode decode, encrypt decrypt, compress decompress, compress extract,
    zip unzip, pack unpack, serialize deserialize, expand collapse, zoom pan, grow shrink, rise fall, horizontal vertical,
    row column, width height, x y, inner outer, internal external, inside outside, local remote, local global,
    public private, static dynamic, static animated, client server, frontend backend, online offline, sync async,
    synchronous asynchronous, sender receiver, source target, source destination, parent child, old new, older newer,
    oldest newest, early late, earlier later, before after, above below, over under, ascending descending, asc desc,
    opaque transparent, absolute relative, single multiple, same different, upgrade downgrade, update rollback,
    commit revert, pass fail, succeed fail, success failure, win lose, buy sell, rent own, deposit withdraw, follow unfollow,
    subscribe unsubscribe, select deselect, check uncheck, freeze unfreeze, pause resume, pause play, sleep wake, wide narrow,
    thick thin, wider narrower, thicker thinner, deep shallow, rough smooth, strict loose, manual automatic,
    manually automatically, train test, train predict, train evaluate, positive negative, add subtract, plus minus,
    multiply divide, odd even, ahead behind, empty full, rotate translate, male female, debug release, dev prod, development production,
    stable nightly, minor major, optional required, mutable immutable, foreground background, incoming outgoing, clockwise counterclockwise
"""


def _opposites() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _OPPOSITES.replace("\n", " ").split(","):
        a, b = pair.split()
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return {word: frozenset(others) for word, others in found.items()}


OPPOSITES: Final = _opposites()
"""Each word's opposites, and others of a kind that people mix in one sentence but never mean by one another."""

_WE = r"(?:i|we|you guys|you|u|one|someone|people)"
HOW: Final = re.compile(
    rf"\bhow (?:do|can|could|would|should|might|may|does|did|will|shall)(?: {_WE})?(?: go about| best| properly)?\b"
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
    r"\b(?:(?:i|we)(?: am|'m)? )?(?:still |really |just |also )*"
    r"(?:do not|don'?t|did not|didn'?t|can'?t|can ?not|could ?n[o']?t|am not|'m not|not|no|have no|haven'?t)"
    r" (?:really |quite |yet |exactly |entirely |seem to |able to |been able to |100% )*"
    r"(?:know|understand|figured?(?: it| this)? out|find(?: out)?|found(?: out)?|work(?:ed)? out|sure|certain|see|get|idea|clue)"
    r"(?: about| on)?(?: the (?:right |best )?way| a way)?(?= (?:how|where|what|which|why|if|whether|to)\b)"
    r"|\bsorry if (?:this|that|it)(?: is|'s)?(?: not| n't|n't)?[^.,;!?\n]{0,80}[.,;!?\n]"
    r"|\b(?:(?:does|do|did|has|have|can|could|would) )?(?:any ?one|any ?body|some ?one|some ?body|you|u|guys)(?: here| please)*"
    r" (?:know|knows|tell me|say|have (?:any|an|some) ideas?|has (?:any|an) ideas?)(?: about| on)?(?= (?:how|where|what|which|why|if|whether)\b)"
    r"|\b(?:can|could|would) (?:someone|somebody|anyone|anybody|you|u)(?: please| kindly)?"
    r" (?:explain|clarify|tell me|show me|teach me|point me|guide me)\b"
    r"|\bi(?:'m| am) (?:very |quite |pretty |totally |kind of )?new (?:here|(?:to|with) (?:this|the|all)\b[^.,!?\n]{0,30})"
    r"|\b(?:hi|hello|hey|thanks|thank you|thx|good (?:morning|afternoon|evening|day)),? (?:to )?(?:you )?(?:all|team|people)\b"
    r"|\bgood (?:morning|afternoon|evening|day)\b"
    r"|\b(?:(?:any|some)(?:one|body) |please |pls |need(?:ing)? (?:some |your |any )?)+help(?: me| us)?(?: out)?(?: with| on| to)?\b"
    r"|\bhelp (?:me|us|please|pls|needed|wanted|appreciated)(?: out)?(?: with| on| to)?\b"
    r"|\b(?:i|we)(?: was| were| am| are|'m|'re)(?: just)? wondering\b"
    r"|\b(?:nobody|no ?one|noone)(?: has| have|'s)? (?:answered|replied|responded|helped)\b(?: so far| yet| me)*"
    r"|\bno worries\b|\bif (?:not|no)\b|\bno problem\b"
    r"|\b(?:thanks|thank you|thx)[^.!?\n]{0,40}$"
)
