"""Reads a text once and says what it signals."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from furytune.pairing.signals.phrasebook import CJK, END, KINDS, phrasebook, words_of

__all__ = ["Signals", "signals"]

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_INLINE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"<?https?://[^\s>]+>?")
_QUOTE = re.compile(r"^(?:>>> (?s:.*)|> .*$)", re.MULTILINE)
_MENTION = re.compile(r"<(?:@[!&]?|#)\d+>")
_EMOJI = re.compile(r"<a?:\w+:\d+>|:\w+:")
_MARKS = ("?", "\uff1f", "\u061f", "\u037e")
_MARK = re.compile("[?\uff1f\u061f\u037e]")
_TRAILING = " \n\t)*_.!"
_BIT = {kind: 1 << place for place, kind in enumerate(KINDS)}
_GREETING, _PROMISE = _BIT["greeting"], _BIT["promise_only"]
_GREETING_WORDS = 5
_SUBSTANCE = _BIT["tells_what_to_do"] | _BIT["states_how_it_is"]
_BITS = tuple(_BIT[kind] for kind in KINDS if kind not in ("greeting", "promise_only"))
_FAILURE = re.compile(r"Traceback \(most recent|[A-Za-z](?:Error|Exception)\b|\b(?i:error|fatal|exception):")


class Signals(msgspec.Struct, frozen=True, gc=False):
    """What a text signals. Several may hold at once, and each may be wrong: weigh them, do not obey one.

    Code, links and quoted lines count as what they are. Their words are not read, except for error messages.

    Attributes:
        asks_without_mark: Words like a question: "how do I rotate it", "alguien sabe usar esto", "怎么安装".
        reports_trouble: States that something goes wrong: "my sphere does not show up", "не работает", a traceback.
        seeks_help: Wants help: "I'm trying to load a mesh", "any idea", "ich suche ein Beispiel".
        asks_back: Wants details, as a helper does: "can you post your code", "which version", "did you try 2.1".
        thanks: "Thank you", "merci", "ありがとう"; not "thanks in advance".
        works_now: Says that the trouble is over: "that fixed it", "ya funciona", "解决了".
        still_fails: Says that advice did not help: "still the same error", "не помогло".
        solution_by_asker: Tells how it was solved: "turns out I had two versions", "the fix was to reinstall".
        tells_what_to_do: Gives advice or instructions: "use `actor`", "you need to", "musst du", "してください".
        states_how_it_is: Tells how things are: "that's a known bug", "not supported", "fixed in 2.1".
        me_too: Has the same trouble: "same here", "+1", "me pasa lo mismo".
        redirects: Sends elsewhere: "please open an issue", "ask in #help", "see DM".
        team_talk: Talk of people who work together: "should we release", "can you review my PR", "standup".
        announcement: Tells everyone something: "we just released 2.0", "new blog post".
        leans_on_file: Cannot be understood without a file: "see screenshot", "如图".
        leans_on_above: Cannot be understood without earlier messages: "like he said", "And with two actors".
        says_yes: Begins with yes: "yes", "genau", "はい".
        says_no: Begins with no: "no", "nein", "unfortunately".
        promise_only: Promises to look, and tells nothing else: "I'll check tomorrow".
        greeting_only: Nothing but a greeting: "hi all 👋".
        asks: Has a question mark: "is it fast?".
        ends_asking: Ends with a question mark; a helper's answer rarely does.
        shows_failure: Has a traceback or an error message: "ValueError: no mesh".
        quotes: Quotes lines of another message: "> try 2.0".
        has_mention: Mentions someone or a channel: "<@123>".
        code: Has code, fenced or inline: "`show()`".
        code_lines: How many lines of fenced code.
        links: How many links.
        link_only: Nothing but links.
        words: How many words outside code, links and quotes. Two Chinese or Japanese characters count as one.
    """

    asks_without_mark: bool = False
    reports_trouble: bool = False
    seeks_help: bool = False
    asks_back: bool = False
    thanks: bool = False
    works_now: bool = False
    still_fails: bool = False
    solution_by_asker: bool = False
    tells_what_to_do: bool = False
    states_how_it_is: bool = False
    me_too: bool = False
    redirects: bool = False
    team_talk: bool = False
    announcement: bool = False
    leans_on_file: bool = False
    leans_on_above: bool = False
    says_yes: bool = False
    says_no: bool = False
    promise_only: bool = False
    greeting_only: bool = False
    asks: bool = False
    ends_asking: bool = False
    shows_failure: bool = False
    quotes: bool = False
    has_mention: bool = False
    code: bool = False
    code_lines: int = 0
    links: int = 0
    link_only: bool = False
    words: int = 0


def signals(text: str) -> Signals:
    """Returns what a text signals. The time it takes is in proportion to the length of the text."""
    plain = text
    code_lines = links = 0
    code = quotes = mention = False
    if "`" in plain:
        if "```" in plain:
            fences = _FENCE.findall(plain)
            code_lines = sum(len(fence.strip("`\n").split("\n")) for fence in fences)
            plain = _FENCE.sub("\n", plain)
            code = True
        plain, inline = _INLINE.subn(" x ", plain)
        code = code or inline > 0
    if "http" in plain:
        plain, links = _LINK.subn(" ", plain)
    if ">" in plain:
        plain, quoted = _QUOTE.subn("", plain)
        quotes = quoted > 0
        if "<" in plain:
            plain, mentions = _MENTION.subn(" @ ", plain)
            mention = mentions > 0
    if ":" in plain:
        plain = _EMOJI.sub(" ", plain)

    book = phrasebook()
    folded = plain.casefold()
    words = words_of(folded)
    found = book.find(words)
    count = len(words) - words.count(END)
    if not folded.isascii() and (characters := len(CJK.findall(folded))):
        found |= book.find_characters(folded)
        count += characters // 2
    marked = "?" in plain or (not plain.isascii() and _MARK.search(plain) is not None)
    failure = ("rror" in text or "xception" in text or "Traceback" in text) and _FAILURE.search(
        text
    ) is not None
    if failure:
        found |= _BIT["reports_trouble"]
    bare = not (code or links or marked)
    rest: tuple[Any, ...] = (
        found & _PROMISE != 0 and found & _SUBSTANCE == 0 and bare,
        found == _GREETING and bare and count <= _GREETING_WORDS,
        marked,
        marked and plain.rstrip(_TRAILING).endswith(_MARKS),
        failure,
        quotes,
        mention,
        code,
        code_lines,
        links,
        links > 0 and count == 0 and not code,
        count,
    )
    return _made(found, *rest)


@lru_cache(maxsize=4096)
def _made(found: int, *rest: Any) -> Signals:
    """Returns signals, the same value for texts that signal the same: open conversations keep those of each message."""
    return Signals(*_flags(found), *rest)


@lru_cache(maxsize=4096)
def _flags(found: int) -> tuple[bool, ...]:
    """Returns the fields that are a kind each. Most texts share their kinds with others."""
    return tuple(found & bit != 0 for bit in _BITS)
