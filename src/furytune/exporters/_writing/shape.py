"""Encodes rows fast: it asks the dialect once what surrounds prompt and answer, then encodes only the two texts.

The bytes are always those that the dialect itself would give. The surroundings come from a row that the dialect
made of two marks. The first row of every batch is also encoded by the dialect and compared; if anything
differs, the dialect encodes the whole batch row by row.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from furytune.records import Prompt, TrainingRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from furytune.dialects import Dialect

__all__ = ["json_lines", "text_pairs"]

# Only ASCII without quotes or backslashes, so that no encoder changes the marks.
_TEXT = "furytune:5f1d7a:text"
_ANSWER = "furytune:5f1d7a:answer"


def _system(row: TrainingRow) -> str:
    return row.prompt.system


def json_lines(dialect: Dialect) -> Callable[[list[TrainingRow]], bytes]:
    """Returns a function that encodes rows as JSON lines.

    The function raises UnicodeEncodeError for a lone surrogate.
    """
    encoder = msgspec.json.Encoder()

    def one_by_one(rows: list[TrainingRow]) -> bytes:
        return encoder.encode_lines([dialect.row(row.prompt, row.answer) for row in rows])

    def batch(rows: list[TrainingRow], system: str) -> bytes:
        around = _around(encoder.encode(dialect.row(Prompt(text=_TEXT, system=system), _ANSWER)))
        if around is None:
            return one_by_one(rows)
        before, middle, after = around
        texts = [text for row in rows for text in (row.prompt.text, row.answer)]
        # No encoded string contains a raw line break, so each string is one line, with its two quotes.
        strings = encoder.encode_lines(texts).split(b"\n")
        prompts, answers = strings[0:-1:2], strings[1::2]
        if before.endswith(b':"') and middle[:1] == middle[-1:] == after[:1] == b'"':
            before, middle, after = before[:-1], middle[1:-1], after[1:]
        else:
            prompts = [text[1:-1] for text in prompts]
            answers = [text[1:-1] for text in answers]
        end = after + b"\n"
        pairs = zip(prompts, answers, strict=True)
        data = b"".join([piece for p, a in pairs for piece in (before, p, middle, a, end)])
        # The first row of each batch is encoded both ways: a dialect that does more than insert the two texts
        # is noticed.
        return data if data.startswith(one_by_one(rows[:1])) else one_by_one(rows)

    def encode(rows: list[TrainingRow]) -> bytes:
        return b"".join([batch(list(part), system) for system, part in groupby(rows, _system)])

    return encode


def _around(encoded: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Splits an encoded row at its two marks; None unless each occurs exactly once, in order."""
    text, answer = _TEXT.encode(), _ANSWER.encode()
    if encoded.count(text) != 1 or encoded.count(answer) != 1 or encoded.index(answer) < encoded.index(text):
        return None
    before, rest = encoded.split(text)
    between, after = rest.split(answer)
    return before, between, after


def text_pairs(dialect: Dialect) -> Callable[[list[TrainingRow]], list[tuple[str, str]]]:
    """Returns a function that gives the prompt and answer columns of rows."""

    def one(row: TrainingRow) -> tuple[str, str]:
        prompt, answer = dialect.texts(dialect.row(row.prompt, row.answer))
        return prompt, answer

    def batch(rows: list[TrainingRow], system: str) -> list[tuple[str, str]]:
        column, answer = dialect.texts(dialect.row(Prompt(text=_TEXT, system=system), _ANSWER))
        before, mark, after = column.partition(_TEXT)
        if not before and not after:
            pairs = [(row.prompt.text, row.answer) for row in rows]
        else:
            pairs = [(before + row.prompt.text + after, row.answer) for row in rows]
        if answer != _ANSWER or not mark or _TEXT in after or pairs[0] != one(rows[0]):
            return [one(row) for row in rows]
        return pairs

    def split(rows: list[TrainingRow]) -> list[tuple[str, str]]:
        return [pair for system, part in groupby(rows, _system) for pair in batch(list(part), system)]

    return split
