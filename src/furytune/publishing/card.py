"""Writes a data set card: README.md with front matter that `datasets` and the Hugging Face Hub read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from furytune._privacy.redaction import KINDS, redact
from furytune.publishing.folder import About, Part, Tree
from furytune.reasons import REASONS, Unit

__all__ = ["card", "described", "loaded"]

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LIMITS: Final = (
    "The answers are what people wrote. They can be wrong or outdated. Programs removed personal data and secrets as far as "
    "they recognised them, so some may be left. Prompts can quote documentation and older messages, which have licences and "
    "authors of their own."
)
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|&#~$])")


def described(parts: Sequence[Part]) -> str:
    """Returns a sentence about the data sets, for programs that want a description."""
    rows = max(part.dataset.rows for part in parts)
    return (
        f"{rows:,} examples, each a question from a community as a rendered prompt, with the answer that a model should "
        "learn. Made by furytune."
    )


def loaded(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Returns the parts that ``load_dataset`` can load by the card.

    `datasets` reads all files of a folder with one reader, so a card can list either JSON lines or CSV. JSON lines are
    exact and can have any dialect, so they come first.
    """
    filled = [part for part in parts if part.files]
    return tuple([part for part in filled if not part.csv] or filled)


def card(about: About, parts: Sequence[Part]) -> str:
    """Returns the text of the card. It contains counts, and no message text, names or ids."""
    blocks = [
        "\n".join(["---", *_front_matter(about, parts), "---"]),
        f"# {_words(about.name)}",
        described(parts),
        about.text.strip(),
        "## What is in it",
        _table(
            ("name", "form", "file", "split", "rows", "bytes"),
            [
                (
                    part.name,
                    part.dataset.dialect,
                    _words(Path(f.path).name),
                    f.split,
                    f"{f.rows:,}",
                    f"{f.size:,}",
                )
                for part in parts
                for f in part.files
            ],
        ),
        "All forms of one run have the same rows. The pipeline puts no conversation into both splits.",
        _escaped(parts),
        "## How it was made",
        *_made(parts),
        "## Where it is from",
        _origin(parts),
        "## Limits",
        _LIMITS,
        "## How to load it",
        *_loading(parts),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _front_matter(about: About, parts: Sequence[Part]) -> Iterator[str]:
    rows = sum(file.rows for part in loaded(parts)[:1] for file in part.files)
    size = next((name for most, name in _SIZES if rows < most), "1M<n<10M" if rows < 10_000_000 else "n>10M")
    if about.licence_is_address:
        yield from ("license: other", "license_name: custom", f"license_link: {_quoted(about.licence)}")
    else:
        yield f"license: {_quoted(about.licence.lower())}"
    yield f"pretty_name: {_quoted(about.name)}"
    if about.languages:
        yield from ("language:", *(f"- {_quoted(code)}" for code in about.languages))
    yield from ("size_categories:", f"- {size}")
    yield from ("task_categories:", "- question-answering", "- text-generation")
    yield from ("tags:", "- furytune", *(f"- {_quoted(tag)}" for tag in about.tags))
    yield "configs:"
    for i, part in enumerate(loaded(parts)):
        yield f"- config_name: {_quoted(part.name)}"
        if i == 0:
            yield "  default: true"
        if part.csv:
            # Otherwise answers such as "null" and "NA" would be missing values.
            yield "  keep_default_na: false"
        yield "  data_files:"
        for file in part.files:
            yield from (f"  - split: {file.split}", f"    path: {_quoted(Path(file.path).name)}")
    # With declared types, no reader guesses that a column of digits or dates is something else than text.
    yield "dataset_info:"
    for part in loaded(parts):
        yield from (f"- config_name: {_quoted(part.name)}", "  features:")
        for column, value in part.sample.items():
            yield from (f"  {line}" for line in _feature(column, value))


def _feature(name: str, value: Tree) -> Iterator[str]:
    """Yields the type of a column as `datasets` writes it."""
    yield f"- name: {_quoted(name)}"
    if isinstance(value, str):
        yield "  dtype: string"
        return
    kind, element = ("list", value[0]) if isinstance(value, list) else ("struct", value)
    yield f"  {kind}:"
    for key, inner in cast("Mapping[str, Tree]", element).items():
        yield from (f"  {line}" for line in _feature(key, inner))


def _made(parts: Sequence[Part]) -> Iterator[str]:
    """Yields what happened to the messages, once for each run."""
    runs: list[tuple[Mapping[str, Any], list[Part]]] = []
    for part in parts:
        counts = part.head.get("counts") or {}
        same = next((owners for known, owners in runs if known == counts), None)
        if same is None:
            runs.append((counts, [part]))
        else:
            same.append(part)
    for counts, owners in runs:
        if len(runs) > 1:
            yield f"### {', '.join(part.name for part in owners)}"
        yield _contract(owners)
        if counts:
            yield from _counted(counts)
        else:
            yield "The manifest has no counts."
        if forgotten := max(int(part.head.get("forgotten", 0)) for part in owners):
            yield f"Rows removed later, because someone asked to be forgotten: {forgotten:,}."


def _contract(owners: Sequence[Part]) -> str:
    lines = dict.fromkeys((p.dataset.fingerprint, p.dataset.snapshot) for p in owners)
    return "\n".join(
        f"- Prompts by the contract `{_plain(fingerprint)}`"
        + (f", with knowledge of the snapshot `{_plain(snapshot)}`." if snapshot else ".")
        for fingerprint, snapshot in lines
    )


def _counted(counts: Mapping[str, Any]) -> Iterator[str]:
    if counts.get("messages"):
        yield (
            f"{counts['messages']:,} messages were read, {counts['pairs']:,} pairs of question and answer were found in "
            f"them, and {counts['rows']:,} became rows."
        )
    else:
        yield f"{counts['pairs']:,} pairs of question and answer were read, and {counts['rows']:,} became rows."
    if dropped := counts["dropped"]:
        yield "Left out:"
        yield _table(
            ("count", "unit", "reason", "what it means"),
            [
                (f"{d['count']:,}", d["unit"], _words(d["reason"]), _meaning(d["unit"], d["reason"]))
                for d in dropped
            ],
        )
    for key, what in (("edited_answers", "Answers"), ("questions_edited_by_a_person", "Questions")):
        if edited := counts.get(key):
            yield f"{what} edited: " + ", ".join(f"{_words(n)} ({c:,})" for n, c in edited.items()) + "."


def _meaning(unit: str, reason: str) -> str:
    known = REASONS.get((cast("Unit", unit), reason))
    return known.meaning if known else ""


def _origin(parts: Sequence[Part]) -> str:
    lines: dict[str, None] = {}
    for origin in (origin for part in parts for origin in part.head.get("provenance", ())):
        lines[f"- Collector: {_words(str(origin.get('collector', 'unknown')))}"] = None
        for permission in origin.get("permission") or ():
            since = _words(str(permission.get("since", "")))
            lines[
                f"- Permission: {_words(str(permission.get('statement', '')))}{f' (since {since})' if since else ''}"
            ] = None
    return "\n".join(lines) or "The manifests name no source and no permission."


def _escaped(parts: Sequence[Part]) -> str:
    names = [part.name for part in parts if part.escaped and part.files]
    if not names:
        return ""
    return (
        f"In the CSV files of {', '.join(names)}, a cell that begins with `=`, `+`, `-`, `@`, a tab, CR, NUL or `'` has one "
        "more `'` before it, so that no spreadsheet runs it. Remove that one when you read them."
    )


def _loading(parts: Sequence[Part]) -> Iterator[str]:
    known = loaded(parts)
    part, file = known[0], known[0].files[0]
    names = " or ".join(f'"{p.name}"' for p in known)
    yield f"With [datasets](https://huggingface.co/docs/datasets), where the name is {names}:"
    yield _code(
        "from datasets import load_dataset\n\n"
        f'rows = load_dataset("path/to/this/folder", "{part.name}", split="{file.split}")'
    )
    for other in (p for p in parts if p.files and p not in known):
        files = {f.split: f"path/to/this/folder/{Path(f.path).name}" for f in other.files}
        yield f"{other.name} is CSV beside JSON lines, so it is loaded by its files:"
        yield _code(
            f'rows = load_dataset("csv", data_files={json.dumps(files, ensure_ascii=False)}, keep_default_na=False)'
        )
    path = _quoted(Path(file.path).name)
    yield "With pandas or polars:"
    if part.csv:
        yield _code(
            "import pandas as pd\nimport polars as pl\n\n"
            f"pd.read_csv({path}, dtype=str, keep_default_na=False)\npl.read_csv({path}, infer_schema=False)"
        )
    else:
        yield _code(
            "import pandas as pd\nimport polars as pl\n\n"
            f"pd.read_json({path}, lines=True, dtype=False)\npl.read_ndjson({path})"
        )


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _quoted(text: str) -> str:
    """Returns a text in double quotes, as both YAML and Python read it. It has only printable characters."""
    return json.dumps(text, ensure_ascii=False)


def _words(text: str) -> str:
    """Returns a text as Markdown that shows it, in one line, without secrets and personal data."""
    clean, _ = redact(" ".join(text.split()), KINDS)
    return _MARKUP.sub(r"\\\1", clean)


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z:._-]", "", text)
