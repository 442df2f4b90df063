"""The text of a question that took several messages, in the data set and in a conversation with the bot alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

__all__ = ["joined", "last_question", "only_asks_back"]

_LINK_OR_FENCE = re.compile(r"```|https?://")


def joined(turns: Iterable[Iterable[str]]) -> str:
    """Returns a question as one text: a line break joins the messages of a turn, and a blank line joins turns."""
    return "\n\n".join("\n".join(turn) for turn in turns)


def only_asks_back(messages: Iterable[str]) -> bool:
    """Returns True if every message of a turn ends with a question mark and contains neither code nor a link."""
    return all(
        text.rstrip().endswith(("?", "\uff1f")) and not _LINK_OR_FENCE.search(text) for text in messages
    )


def last_question(messages: Sequence[tuple[str, bool]]) -> str:
    """Returns what is asked at the end of a conversation, as the data set would have it.

    If a helper only asked back, what the asker said before belongs to the question, and what the helper said does not. So
    "How do I draw a box?", "Which version?", "0.12" becomes "How do I draw a box?", a blank line, and "0.12". A turn that
    does more than ask back has answered what came before it, which is left out.

    Args:
        messages: The texts in order of time, and whether the asker wrote them. The last one is the asker's.

    Returns:
        What a bot passes to `furytune.PromptContract.prompt`.
    """
    turns = [
        (asks, [text for text, _ in turn if text.strip()])
        for asks, turn in groupby(messages, key=lambda message: message[1])
    ]
    found: list[list[str]] = []
    for asks, texts in reversed(turns):
        if asks:
            found.insert(0, texts)
        elif not only_asks_back(texts):
            break
    return joined(texts for texts in found if texts)
