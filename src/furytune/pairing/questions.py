"""Recognises questions by rules that are simple enough to explain."""

from __future__ import annotations

from furytune.pairing.signals import Signals, signals

__all__ = ["asks_something", "is_question"]


def is_question(text: str) -> bool:
    """Returns True if a text looks like a question or a call for help, in any of some twenty languages.

    Code, links and quoted lines are ignored, except for error messages. The rest is a question if it

    - contains a question mark,
    - has the words of a question ("how do I ...", "alguien sabe ...", "怎么安装"),
    - seeks help ("I'm trying to ...", "ich suche ...", "помогите"), or
    - reports trouble ("my sphere does not show up", "no funciona", "動かない").

    A text that says the trouble is over ("that fixed the error, thanks") is a question only with a question mark.
    """
    return asks_something(signals(text))


def asks_something(said: Signals) -> bool:
    """Returns `is_question` for a text whose signals are known already."""
    if said.asks:
        return True
    if (
        said.works_now or said.solution_by_asker or said.thanks or said.announcement
    ) and not said.still_fails:
        return False
    return said.asks_without_mark or said.seeks_help or said.reports_trouble
