"""Reads a data set for the Developer API, and checks it against the limits that Google documented.

Sources of the limits: ai.google.dev/gemini-api/docs/model-tuning as of 2025-04-16, and ai.google.dev/api/tuning.
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

# The SDK sends indented JSON: the bytes around the two texts of a row, and the rest of the request, rounded up.
_AROUND = len('          {\n            "textInput": ,\n            "output": \n          },\n')
_HEAD = 1_000


@frozen(kw_only=True)
class Example:
    """A training row.

    Attributes:
        id: Id of the pair it was made from.
        text: The prompt.
        output: The answer to learn.
    """

    id: str
    text: str = field(repr=False)
    output: str = field(repr=False)

    @property
    def size(self) -> int:
        """Most bytes that it can take in a request: ASCII JSON, indented as the SDK writes it."""
        # The SDK escapes everything beyond ASCII, so a Chinese character takes six bytes.
        return len(json.dumps(self.text)) + len(json.dumps(self.output)) + _AROUND


def examples(dataset: Dataset) -> Iterator[Example]:
    """Yields the training rows, in constant memory. This service takes no validation rows.

    Raises:
        TuningError: The rows do not have the dialect ``gemini-developer``, or a file is not the one that the
            manifest lists. Discard the rows that were yielded before.
    """
    if dataset.dialect != DIALECT:
        raise TuningError(_other_dialect(dataset))
    for file in dataset.files:
        if file.split == "train":
            yield from _csv(dataset, file) if _is_csv(file) else _json(dataset, file)


def survey(dataset: Dataset, settings: TuningSettings) -> Survey:
    """Reads the training rows once and checks them and the settings against the limits.

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
    """Returns what is wrong with rows of another dialect."""
    return (
        f"the rows have the dialect {dataset.dialect!r}, but the Developer API takes {DIALECT!r} (it has no field for "
        f"a system instruction); export with JsonlExporter(..., dialect={DIALECT!r})"
    )


def _of_settings(settings: TuningSettings) -> Iterator[Problem]:
    """Yields the settings that this service does not take."""
    if settings.model.startswith("tunedModels/"):
        yield Problem(detail="the Developer API refuses to tune a tuned model; give the base model")
    if len(settings.display_name) > MAX_DISPLAY_NAME:
        yield Problem(
            detail=f"the display name has {len(settings.display_name)} characters, the limit is {MAX_DISPLAY_NAME}"
        )
    if settings.adapter_size is not None:
        yield Problem(detail="adapter_size works only on Vertex; leave it out")
    if settings.learning_rate_multiplier is not None:
        yield Problem(
            detail="google-generativeai cannot send learning_rate_multiplier; give learning_rate instead (the service's "
            "default is 0.001)"
        )


def _of_rows(dataset: Dataset) -> Iterator[Problem]:
    """Yields the limits that the rows break."""
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
        yield Problem(detail=f"{count} training rows, but the service needs at least {MIN_ROWS}; add pairs")
    if size + _HEAD > MAX_BODY:
        yield Problem(
            detail=f"the training rows need a request of {size + _HEAD:,} bytes, the limit is {MAX_BODY:,}; train on fewer "
            "or shorter rows, or on Vertex"
        )


def _is_csv(file: DataFile) -> bool:
    return _first_line(file).startswith(b'"')


def _json(dataset: Dataset, file: DataFile) -> Iterator[Example]:
    """Yields the rows of a JSON lines file.

    Raises:
        TuningError: A row does not have the two texts.
    """
    for number, row in enumerate(json_rows(dataset, file), 1):
        name = row.id or f"row {number}"
        try:
            found = json.loads(row.data)
            if found.keys() != {"text_input", "output"}:
                raise ValueError  # noqa: TRY301
            yield Example(id=name, text=_text(found["text_input"]), output=_text(found["output"]))
        except (ValueError, AttributeError, RecursionError):
            raise TuningError(
                f"{file.path}: {name} is not a JSON object with the two texts text_input and output; export the data set "
                "again"
            ) from None


def _csv(dataset: Dataset, file: DataFile) -> Iterator[Example]:
    """Yields the rows of a CSV file.

    Raises:
        TuningError: The file cannot be read, or is not the one that was exported.
    """
    check_unchanged(file)
    question, answer = next(csv.reader([_first_line(file).decode("utf-8")]))
    names = ids(dataset, file.split)
    try:
        # Read by the collector that reads such files for users, so escapes and quotes mean the same.
        for number, pair in enumerate(CsvCollector(file.path, question=question, answer=answer).collect(), 1):
            assert isinstance(pair, QAPair)
            yield Example(id=next(names, "") or f"row {number}", text=pair.question, output=pair.answer)
    except SourceError as error:
        raise TuningError(f"{error}; export the data set again") from None


def _first_line(file: DataFile) -> bytes:
    """Returns the first line of a file."""
    try:
        with Path(file.path).open("rb") as source:
            return source.readline()
    except OSError as error:
        raise TuningError(
            f"{file.path}: cannot be read: {error.strerror}; export the data set again"
        ) from None


def _text(value: object) -> str:
    """Returns a text that can be encoded as UTF-8; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004  (one error for every fault of a row)
    value.encode()
    return value
