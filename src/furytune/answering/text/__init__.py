"""The text of answers for people: split into messages, and without what a model must not put there."""

from __future__ import annotations

from furytune.answering.text.hosts import Hosts
from furytune.answering.text.safety import Safety, safe
from furytune.answering.text.splitting import Part, joined, split

__all__ = ["Hosts", "Part", "Safety", "joined", "safe", "split"]
