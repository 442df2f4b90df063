"""Reads a data set for the Developer API, and holds it to the limits that Google documented for it.

Source of the limits: ai.google.dev/gemini-api/docs/model-tuning as of 2025-04-16, and ai.google.dev/api/tuning.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

from furytune.collectors.tabular import CsvCollector
from furytune.errors import SourceError, TuningError
from furytune.records import DataFile, Dataset, QAPair
from furytune.tuners._jobs.rows import Findings, check_unchanged, ids, json_rows
from furytune.tuners._jobs.service import Problem, Survey, TuningSettings

__all__ = ["DIALECT", "Example", "examples", "survey"]

DIALECT = "gemini-developer"
MAX_INPUT = 40_000
MAX_OUTPUT = 5_000
MIN_ROWS = 20
MAX_BODY = 4 << 20
MAX_DISPLAY_NAME = 40

_AROUND = len('          {\n            "textInput": ,\n            "output": \n          },\n')
_HEAD = 1_000


@frozen(kw_only=True)
class Example:
    """A training row.

    Attributes:
        id: Of the pair it was made from.
        text: What the model is asked with.
        output: What it shall say.
    """

    id: str
    text: str = field(repr=False)
    output: str = field(repr=False)

    @property
    def size(self) -> int:
        """Most bytes it takes in a request: JSON in ASCII, indented as the SDK writes it."""
        return len(json.dumps(self.text)) + len(json.dumps(self.output)) + _AROUND


def examples(dataset: Dataset) -> Iterator[Example]:
    """Yields the training rows, in flat memory; validation rows have no place in this service.

    Raises:
        TuningError: The rows are not of the dialect ``gemini-developer``, or a file is not the one that the
            manifest lists. What was yielded before is then worth nothing.
    """
    if dataset.dialect != DIALECT:
        raise TuningError(_other_dialect(dataset))
    for file in dataset.files:
        if file.split == "train":
            yield from _csv(dataset, file) if _is_csv(file) else _json(dataset, file)


def survey(dataset: Dataset, settings: TuningSettings) -> Survey:
    """Reads the training rows once and holds them and the settings to the limits.

    Raises:
        TuningError: A file is not the one that the manifest lists.
    """
    problems = list(_of_settings(settings))
    if dataset.dialect != DIALECT:
        problems.append(Problem(detail=_other_dialect(dataset)))
    else:
        problems += _of_rows(dataset)
    return Survey(
        tokens=None, counted="not counted: the service never billed by token", problems=tuple(problems)
    )


def _other_dialect(dataset: Dataset) -> str:
    return (
        f"the rows are of the dialect {dataset.dialect!r}, the Developer API takes {DIALECT!r} (it has no field for "
        f"a system instruction); export with JsonlExporter(..., dialect={DIALECT!r})"
    )


def _of_settings(settings: TuningSettings) -> Iterator[Problem]:
    if settings.model.startswith("tunedModels/"):
        yield Problem(detail="the Developer API refuses to tune a tuned model; give the base model")
    if len(settings.display_name) > MAX_DISPLAY_NAME:
        yield Problem(
            detail=f"the display name has {len(settings.display_name)} characters, the limit is {MAX_DISPLAY_NAME}"
        )
    if settings.adapter_size is not None:
        yield Problem(detail="adapter_size is for Vertex only; leave it out")
    if settings.learning_rate_multiplier is not None:
        yield Problem(
            detail="google-generativeai cannot send learning_rate_multiplier; give learning_rate (the service's own "
            "is 0.001)"
        )


def _of_rows(dataset: Dataset) -> Iterator[Problem]:
    found = Findings()
    count = size = 0
    for row in examples(dataset):
        count += 1
        size += row.size
        for text, what, most, cure in (
            (row.text, "prompt", MAX_INPUT, "give the pipeline a smaller TokenBudget"),
            (row.output, "answer", MAX_OUTPUT, "drop it with AnswerLength"),
        ):
            if len(text) > most:
                found.add(f"the {what} has more than {most:,} characters; {cure}", row.id)
            if not text.strip():
                found.add(f"the {what} is empty; drop the pair", row.id)
    yield from found.problems()
    if count < MIN_ROWS:
        yield Problem(detail=f"{count} training rows, the service asks for {MIN_ROWS} at least; add pairs")
    if size + _HEAD > MAX_BODY:
        yield Problem(
            detail=f"the training rows make a request of {size + _HEAD:,} bytes, the limit is {MAX_BODY:,}; train on fewer "
            "or shorter rows, or on Vertex"
        )


def _is_csv(file: DataFile) -> bool:
    return _first_line(file).startswith(b'"')


def _json(dataset: Dataset, file: DataFile) -> Iterator[Example]:
    for number, row in enumerate(json_rows(dataset, file), 1):
        name = row.id or f"row {number}"
        try:
            found = json.loads(row.data)
            if found.keys() != {"text_input", "output"}:
                raise ValueError  # noqa: TRY301
            yield Example(id=name, text=_text(found["text_input"]), output=_text(found["output"]))
        except (ValueError, AttributeError, RecursionError):
            raise TuningError(
                f"{file.path}: {name} is not a JSON object of the two texts text_input and output; export the data set again"
            ) from None


def _csv(dataset: Dataset, file: DataFile) -> Iterator[Example]:
    check_unchanged(file)
    question, answer = next(csv.reader([_first_line(file).decode("utf-8")]))
    names = ids(dataset, file.split)
    try:
        for number, pair in enumerate(CsvCollector(file.path, question=question, answer=answer).collect(), 1):
            assert isinstance(pair, QAPair)
            yield Example(id=next(names, "") or f"row {number}", text=pair.question, output=pair.answer)
    except SourceError as error:
        raise TuningError(f"{error}; export the data set again") from None


def _first_line(file: DataFile) -> bytes:
    try:
        with Path(file.path).open("rb") as source:
            return source.readline()
    except OSError as error:
        raise TuningError(
            f"{file.path}: cannot be read: {error.strerror}; export the data set again"
        ) from None


def _text(value: object) -> str:
    """Returns a text that UTF-8 can carry; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004  (one error for all that is wrong with a row)
    value.encode()
    return value
