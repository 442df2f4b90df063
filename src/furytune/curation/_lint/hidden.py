"""Finds and removes characters that no reader sees.

Sources: Boucher and Anderson, "Trojan Source" (https://trojansource.codes), for bidirectional controls in code; Unicode
UTS #51 for emoji that need ZERO WIDTH JOINER, VARIATION SELECTOR-16 or tag characters; Unicode core specification 23.2 for
scripts that need ZERO WIDTH JOINER, ZERO WIDTH NON-JOINER or ZERO WIDTH SPACE.
"""

from __future__ import annotations

import re
from typing import Final

from furytune.curation._lint.blocks import blocks

__all__ = ["hidden_text", "visible"]

_RARE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")

# Scripts whose letters change their form, or join, beside a joiner: Arabic, Syriac and relatives, N'Ko, the scripts of India,
# Sinhala, Tibetan, Myanmar, Khmer, Mongolian.
_JOINING: Final = "\u0600-\u061b\u061d-\u08ff\u0900-\u0dff\u0f00-\u0fff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1810-\u18af\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"
# Scripts without blanks between words.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3040-\u30ff\u3400-\u9fff\uaa60-\uaa7f"
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_EMOJI: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
# Emoji are followed by a joiner directly, or after a selector or a skin tone.
_NEEDED: Final = re.compile(
    f"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING} \n]|$)"
    f"|(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
    f"|(?<=[{_EMOJI}#*0-9\u3400-\u9fff\u1000-\u109f\u1810-\u18af])[\ufe00-\ufe0f](?![\ufe00-\ufe0f])"
    f"|(?<=[\u3400-\u9fff])[\U000e0100-\U000e01ef](?![\U000e0100-\U000e01ef])"
    f"|(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}])"
    "|(?<=[\u1820-\u18aa])[\u180b-\u180f]"
    "|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,8}\U000e007f"
)
_MARKS: Final = frozenset("\u200e\u200f\u061c\u2066\u2067\u2068\u2069")
"""Marks and isolates, which text from right to left needs around words from left to right."""
_REORDERING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OVERRIDE: Final = re.compile("[\u202d\u202e]")
_SECRET: Final = re.compile(
    "[\U000e0000-\U000e007f]{2}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3}|[\u200b-\u200f\u2060-\u2064\ufeff\u180e]{8}"
)
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,8}\U000e007f")


def hidden_text(answer: str) -> str | None:
    """Returns what hides text in an answer, None if nothing does.

    That is: text of tag characters, or coded in runs of invisible ones; controls that show the characters of code in another
    order; an override anywhere; or nothing visible at all.
    """
    if answer.isascii():
        return None
    # A flag such as Scotland's consists of tag characters.
    found = _SECRET.search(_FLAG.sub("", answer))
    if found is not None:
        return f"invisible text from U+{ord(found[0][0]):04X}"
    if (found := _OVERRIDE.search(answer)) is not None:
        return f"U+{ord(found[0]):04X} reorders text"
    if _REORDERING.search(answer) is not None:
        for block in blocks(answer):
            if (found := _REORDERING.search(answer, block.body, block.end)) is not None:
                return f"U+{ord(found[0]):04X} reorders code"
    return None if visible(answer).strip() else "nothing visible"


def visible(answer: str) -> str:
    """Returns an answer without invisible characters, but with those that its scripts and emoji need."""
    # Most answers are ASCII without controls, which is quicker to find out.
    if answer.isascii() and answer.replace("\n", "").replace("\t", "").isprintable():
        return answer
    if _RARE.search(answer) is None:
        return answer
    text = _COLOUR.sub("", answer)
    needed = {at for found in _NEEDED.finditer(text) for at in range(*found.span())}
    marks = _MARKS if _RIGHT_TO_LEFT.search(text) else frozenset[str]()
    return _RARE.sub(lambda c: c[0] if c.start() in needed or c[0] in marks else "", text)
