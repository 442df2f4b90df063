"""The core behind every door: a question becomes the contract's prompt, and a model answers it.

The endpoint (`furytune.serving`) and bots use it. It knows no protocol and no chat program.
"""

from __future__ import annotations

from furytune.answering.answerer import Answerer, Asked
from furytune.answering.audit import Audited, Entry, Status, audit, note, prune, request_digest
from furytune.answering.current import Served
from furytune.answering.limits import Rate
from furytune.answering.settings import AnswerSettings, ModelSource, one_of, within
from furytune.answering.sources import Source, cited, footnotes

__all__ = [
    "AnswerSettings",
    "Answerer",
    "Asked",
    "Audited",
    "Entry",
    "ModelSource",
    "Rate",
    "Served",
    "Source",
    "Status",
    "audit",
    "cited",
    "footnotes",
    "note",
    "one_of",
    "prune",
    "request_digest",
    "within",
]
