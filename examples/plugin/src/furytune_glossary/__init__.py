"""A furytune plugin: a FAQ file as a source of pairs, and a glossary that explains a community's own words."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from furytune import Dropped, Passage, QAPair, Source
from furytune.errors import KnowledgeError, SourceFormatError

__all__ = ["FaqCollector", "GlossaryAugmenter", "drop_greetings"]


class FaqCollector:
    """Collects pairs from a text file: a line that starts with ``Q:``, then one that starts with ``A:``.

    Args:
        path: The file, in UTF-8.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields a pair for each question with an answer, and counts the questions without one.

        Raises:
            SourceFormatError: A line is neither a question nor an answer.
        """
        question, asked = "", 0
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            mark, text = line[:2], line[2:].strip()
            if mark == "Q:":
                if question:
                    yield self._unanswered(asked)
                question, asked = text, number
            elif mark == "A:" and question:
                uid = f"faq:{hashlib.sha256(question.encode()).hexdigest()[:16]}"
                source = Source(path=self.path.name, line=asked)
                yield QAPair(id=uid, group=uid, question=question, answer=text, source=source)
                question = ""
            elif line.strip():
                raise SourceFormatError(
                    "a line starts with neither 'Q:' nor 'A:' after a question; mend it",
                    path=str(self.path),
                    line=number,
                )
        if question:
            yield self._unanswered(asked)

    def _unanswered(self, line: int) -> Dropped:
        return Dropped(reason="glossary:no_answer", unit="record", where=f"{self.path.name}:{line}")


class GlossaryAugmenter:
    """Shows the entries of a glossary whose word stands in the question.

    Args:
        path: A JSON file that maps words to explanations.

    Raises:
        KnowledgeError: The file cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        try:
            self._content = self.path.read_bytes()
            self._entries: dict[str, str] = json.loads(self._content)
        except (OSError, ValueError) as error:
            raise KnowledgeError(
                f"{self.path.name}: not a glossary ({type(error).__name__}); check it"
            ) from error

    @property
    def spec(self) -> Mapping[str, Any]:
        """The name of the entry point. There is no setting that could change a byte."""
        return {"name": "glossary"}

    @property
    def snapshot(self) -> str:
        """Digest of the file."""
        return f"sha256:{hashlib.sha256(self._content).hexdigest()}"

    @property
    def location(self) -> Mapping[str, Any]:
        """Where the file is; the contract notes it relative to itself."""
        return {"path": self.path.as_posix()}

    @classmethod
    def from_spec(
        cls, spec: Mapping[str, Any], *, location: Mapping[str, Any], base: Path
    ) -> GlossaryAugmenter:
        """Builds the augmenter that a contract names."""
        return cls(base / location["path"])

    def latest(self) -> GlossaryAugmenter:
        """Returns the augmenter over the file as it is now."""
        return type(self)(self.path)

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:
        """Returns the entries whose word is in the question, in the order of the alphabet."""
        words = set(re.findall(r"\w+", question.casefold()))
        return tuple(
            Passage(id=f"glossary:{word}", title=word, text=text)
            for word, text in sorted(self._entries.items())
            if word.casefold() in words
        )


def drop_greetings(pair: QAPair) -> QAPair | Dropped:
    """Drops pairs whose question only says hello."""
    if re.fullmatch(r"(hi|hello|hey)[\s!.,]*(all|everyone|there)?[\s!.?]*", pair.question, re.IGNORECASE):
        return Dropped(reason="glossary:greeting", ids=(pair.id,))
    return pair
