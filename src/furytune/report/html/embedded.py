"""Puts rows into the page as JSON, in such a way that nothing in them can end the script or run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from attrs import define, field

from furytune._values.canonical import Json
from furytune.errors import TemplateError
from furytune.records import TrainingRow
from furytune.report.diffing import DatasetDiff
from furytune.report.overview import RowFacts
from furytune.template import PromptTemplate, SectionKind

__all__ = ["KINDS", "Embedding", "script_json"]

KINDS: tuple[SectionKind | str, ...] = ("template", "heading", "passage", "question", "whole")
"""Kinds of stretches of a prompt; the page has their numbers. "whole" is a prompt that cannot be taken apart."""

# Markup could end the script, JavaScript once took U+2028 and U+2029 for line ends, half characters have no UTF-8, and
# characters that turn the direction of text would make the page's source lie.
_UNSAFE = re.compile(
    "[<>&\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def script_json(value: Json) -> str:
    r"""Returns JSON for the inside of a ``<script>`` block.

    >>> print(script_json({"a": "</script>"}))
    {"a":"\u003c/script\u003e"}
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


@define
class _Strings:
    """Texts by number, each once: templates and passages repeat from row to row."""

    numbers: dict[str, int] = field(factory=dict)
    size: int = 0

    def number(self, text: str) -> int:
        """Returns the number of a text."""
        known = self.numbers.get(text)
        if known is not None:
            return known
        self.size += len(text.encode("utf-8", "surrogatepass"))
        return self.numbers.setdefault(text, len(self.numbers))


class Embedding:
    """Rows as the page's script reads them.

    Args:
        template: The template that rendered the prompts; None if it is unknown.
        facts: What a run noted about the pairs, by row id.
        diff: What changed since an earlier data set.
    """

    def __init__(
        self,
        template: PromptTemplate | None,
        facts: Mapping[str, RowFacts],
        diff: DatasetDiff | None,
    ) -> None:
        self._template = template
        self._facts = facts
        self._strings = _Strings()
        self._bytes = 0
        self._changes: dict[str, list[str]] = {}
        for name in ("new", "edited", "rerendered", "moved") if diff else ():
            for uid in getattr(diff, name):
                self._changes.setdefault(uid, []).append(name)

    @property
    def size(self) -> int:
        """How many bytes the rows have so far; texts that repeat count once."""
        return self._strings.size + self._bytes

    def row(
        self, row: TrainingRow, twin: TrainingRow | None = None, twin_template: PromptTemplate | None = None
    ) -> dict[str, Json]:
        """Returns a row.

        Args:
            row: The row.
            twin: The same pair, rendered without retrieval.
            twin_template: The template of the twin.
        """
        facts = self._facts.get(row.id)
        channel = facts.channel if facts else row.source.channel or row.source.path
        found: dict[str, Json] = {
            "id": row.id,
            "split": row.split,
            "prompt": self._sections(row.prompt.text, self._template),
            "answer": self._strings.number(row.answer),
            "channel": channel,
            "path": row.source.path,
            "line": row.source.line,
            "at": row.at.isoformat()
            if row.at and row.at.year > 1970
            else "",  # the moment of pairs without a date
            "system": self._strings.number(row.prompt.system) if row.prompt.system else None,
            "changes": [*self._changes.get(row.id, ())],
        }
        if facts:
            found |= {
                "method": facts.method,
                "confidence": facts.confidence,
                "evidence": [*facts.evidence],
                "edits": [*facts.edits],
            }
        if twin is not None:
            found["twin"] = self._sections(twin.prompt.text, twin_template)
        kept: dict[str, Json] = {key: value for key, value in found.items() if value not in (None, "", [])}
        self._bytes += len(script_json(kept))
        return kept

    def document(self, rows: Sequence[Json], channels: Mapping[str, str]) -> str:
        """Returns the JSON of all rows.

        Args:
            rows: What `row` returned.
            channels: Names of channels by id.
        """
        return script_json(
            {"kinds": [*KINDS], "strings": [*self._strings.numbers], "rows": rows, "channels": dict(channels)}
        )

    def _sections(self, prompt: str, template: PromptTemplate | None) -> list[Json]:
        """Returns kind and text of each stretch, as numbers one after the other."""
        number = self._strings.number
        try:
            sections = template.sections(prompt) if template else ()
        except TemplateError:
            sections = ()
        if not sections:
            return [KINDS.index("whole"), number(prompt)]
        return [n for section in sections for n in (KINDS.index(section.kind), number(section.text))]
