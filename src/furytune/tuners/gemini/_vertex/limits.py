"""Checks a data set against Vertex's documented limits before anything is sent.

Sources: docs.cloud.google.com/gemini-enterprise-agent-platform/models/tuning/supervised-tuning and its page
on the text format, both as of 2026-09-25. The rules for labels and names come from the field descriptions in
google-genai.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from furytune.records import DataFile, Dataset
from furytune.tokens import token_counter
from furytune.tuners._jobs.rows import Findings, json_rows
from furytune.tuners._jobs.service import Problem, Survey, TuningSettings
from furytune.tuners.gemini import models

__all__ = ["survey"]


def survey(dataset: Dataset, settings: TuningSettings) -> Survey:
    """Reads the data set once, in constant memory, and checks it and the settings against the limits.

    Raises:
        TuningError: A file is not the one that the manifest lists.
    """
    count, counted = token_counter()
    problems = [*_of_settings(settings), *_of_files(dataset)]
    if dataset.dialect != "gemini":
        return Survey(tokens=None, counted=counted, problems=tuple(problems))
    findings, doubts = Findings(), Findings()
    least = most = 0
    for file in dataset.files:
        fewer, more = _read(dataset, file, count, findings, doubts)
        if file.split == "train":
            least, most = least + fewer, most + more
    return Survey(
        tokens=most,
        counted=counted,
        problems=(*problems, *findings.problems()),
        least=least,
        doubts=tuple(doubts.problems()),
    )


def _read(
    dataset: Dataset,
    file: DataFile,
    count: Callable[[str], tuple[int, int]],
    findings: Findings,
    doubts: Findings,
) -> tuple[int, int]:
    """Adds the problems of a file's rows to the findings, and returns their least and most tokens.

    Args:
        dataset: The data set.
        file: One of its files.
        count: Returns the least and most tokens of a text.
        findings: Receives what the service refuses.
        doubts: Receives what it may refuse.
    """
    least = most = 0
    for number, row in enumerate(json_rows(dataset, file), 1):
        name = row.id or f"{file.split} row {number}"
        # JSON parsers differ in what they do with this mark.
        if number == 1 and row.data.startswith(b"\xef\xbb\xbf"):
            findings.add("the file begins with a byte order mark; export it again with furytune", name)
            continue
        texts = _texts(row.data, name, findings)
        counts = [count(text) for text in texts]
        fewer, more = (sum(numbers) for numbers in zip((0, 0), *counts, strict=True))
        if more > models.MAX_TOKENS:
            # Tokens are estimated as a range: only what is certainly too long stops the job.
            sure = fewer > models.MAX_TOKENS
            (findings if sure else doubts).add(
                f"{'' if sure else 'perhaps '}more than {models.MAX_TOKENS:,} tokens, prompt and answer together; "
                "give the pipeline a smaller TokenBudget, or drop long answers with AnswerLength",
                name,
            )
        least, most = least + fewer, most + more
    return least, most


def _texts(data: bytes, name: str, findings: Findings) -> list[str]:
    """Returns the texts of a row, and adds problems of its shape to the findings."""
    try:
        row = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        findings.add("not valid UTF-8; export it again", name)
        return []
    except (ValueError, RecursionError):
        findings.add("not a JSON object; export it again", name)
        return []
    turns = row.get("contents") if isinstance(row, dict) else None
    if not isinstance(turns, list) or not turns:
        findings.add("the row has no list of `contents`; export it with the dialect 'gemini'", name)
        return []
    roles = [turn.get("role") if isinstance(turn, dict) else None for turn in turns]
    if roles[-1] != "model":
        findings.add("the last turn is not the model's, so there is nothing to learn; export it again", name)
    elif roles != (["user", "model"] * len(roles))[: len(roles)]:
        findings.add("user and model do not take turns; export it again", name)
    spoken = [_parts(turn) for turn in turns]
    if any(text is None or not text.strip() for text in spoken):
        findings.add("a turn without text; drop the pair", name)
    system = _parts(row["systemInstruction"]) if "systemInstruction" in row else ""
    if system is None:
        findings.add("a systemInstruction without parts; export it again", name)
    texts = [text for text in (system, *spoken) if text]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        findings.add("a lone surrogate; drop or repair the pair", name)
        return []
    return texts


def _parts(turn: Any) -> str | None:
    """Returns the text of a turn, None if it has no text parts."""
    parts = turn.get("parts") if isinstance(turn, dict) else None
    if not isinstance(parts, list):
        return None
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    return "".join(t for t in texts if isinstance(t, str)) if all(isinstance(t, str) for t in texts) else None


def _of_files(dataset: Dataset) -> Iterator[Problem]:
    """Yields the limits that the files break."""
    if dataset.dialect != "gemini":
        yield Problem(
            detail=f"the rows have the dialect {dataset.dialect!r}, but Vertex reads 'gemini'; export with "
            "JsonlExporter(..., dialect='gemini')"
        )
    rows = dict.fromkeys(("train", "validation"), 0)
    for file in dataset.files:
        rows[file.split] += file.rows
        if file.size > models.MAX_BYTES:
            yield Problem(detail=f"{file.path}: {file.size:,} bytes, the limit is {models.MAX_BYTES:,}")
        if not file.path.endswith(".jsonl"):
            yield Problem(
                detail=f"{file.path}: Vertex takes only files that end in .jsonl; export to such a name"
            )
    if not rows["train"]:
        yield Problem(detail="there are no training rows; add pairs, or lower the share of GroupSplitter")
    if rows["train"] > models.MAX_ROWS:
        yield Problem(detail=f"{rows['train']:,} training rows, the limit is {models.MAX_ROWS:,}")
    # Above 1,000 validation rows the bound is 30 % of the training rows, and never more than 5,000.
    most = models.MAX_VALIDATION
    if rows["validation"] > 1_000:
        most = min(most, max(1_000, int(rows["train"] * models.MAX_VALIDATION_SHARE)))
    if rows["validation"] > most:
        yield Problem(
            detail=f"{rows['validation']:,} validation rows, the limit here is {most:,}; "
            "lower the share of GroupSplitter"
        )


def _of_settings(settings: TuningSettings) -> Iterator[Problem]:
    """Yields the settings that Vertex does not take for the model."""
    sizes = models.known(settings.model).adapter_sizes
    if settings.adapter_size is not None and settings.adapter_size not in sizes:
        yield Problem(
            detail=f"adapter_size {settings.adapter_size} is not one of {', '.join(map(str, sizes))} for {settings.model}"
        )
    if len(settings.display_name) > 128:
        yield Problem(
            detail=f"the display name has {len(settings.display_name)} characters, the limit is 128"
        )
    if settings.batch_size is not None or settings.learning_rate is not None:
        yield Problem(
            detail="batch_size and learning_rate are not for Gemini on Vertex; use learning_rate_multiplier"
        )
