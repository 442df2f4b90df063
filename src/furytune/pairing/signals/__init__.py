"""Tells what a message is: a question, an answer, asking back, thanks, talk among the team ..., in many languages.

`signals` reads a text once and returns a `Signals` value. It decides nothing: a message may have several signals, and a
pairing model weighs them.
"""

from __future__ import annotations

from furytune.pairing.signals.reading import Signals, signals

__all__ = ["Signals", "signals"]
