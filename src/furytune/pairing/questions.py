"""Recognises questions by a rule that is simple enough to explain."""

from __future__ import annotations

import re

__all__ = ["is_question"]

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_CODE_OR_LINK = re.compile(r"`[^`\n]*`|<?https?://\S+")
_MARK = re.compile("[?\uff1f\u061f\u037e]")
_GREETING = re.compile(
    r"(?:(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|dear|ok|okay|so|also|and|but|well|please"
    r"|sorry|excuse me|all|everyone|everybody|guys|folks|team|there|<@!?\d+>|@\S+)(?!\w)[\s,.!:;-]*)*",
    re.IGNORECASE,
)
_START = re.compile(
    r"(?:how|what|whats|why|where|when|which|who|whose|can|could|is|are|am|was|were|do|does|did|has|have|should|shall"
    r"|would|will|may|might|any(?:one|body)?|some(?:one|body)|help|need help|i need|i want to|i'?d like to|i(?:'m| am) trying"
    r"|i try|i tried|trying to|i can'?t|i cannot|i could not|i couldn'?t|unable to|not able to|looking for|struggling|stuck"
    r"|i wonder|wondering|i get|i(?:'m| am) getting|getting|problem|issue|error)\b",
    re.IGNORECASE,
)
_TROUBLE = (
    "traceback",
    "exception",
    "error",
    "doesn't work",
    "doesnt work",
    "don't work",
    "not work",
    "fails",
    "failed",
    "failing",
    "crash",
    "broken",
)


def is_question(text: str) -> bool:
    """Returns True if a text looks like a question or a call for help.

    Code, inline code and links are ignored first. The rest is a question if it contains a question mark, or if it
    begins (after a greeting) like a question in English ("how", "can", "I'm trying", ...). A text that reports trouble
    ("error", "Traceback", "doesn't work", ...) is a question too, even if only its code does.
    """
    plain = text
    if "`" in plain or "http" in plain:
        plain = _CODE_OR_LINK.sub(
            "x", _FENCE.sub(" ", plain)
        )  # a placeholder, so that the words around it stay apart
    if "?" in plain or _MARK.search(plain):
        return True
    greeting = _GREETING.match(plain := plain.lstrip())
    if _START.match(plain, greeting.end() if greeting else 0):
        return True
    low = text.lower()
    return any(word in low for word in _TROUBLE)
