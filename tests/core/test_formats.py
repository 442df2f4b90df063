"""Files of earlier versions still read the same, and the same input still gives the same bytes.

`tests/fixtures/formats/first` holds a journal, a ledger and an index that the first version wrote. Beside it is what the
present version writes from `pairs.csv`. A change of those bytes is a change of format: raise its version, say so in the
CHANGELOG, and only then write the files again: `python tests/core/test_formats.py`.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import ledgers
import pytest

import furytune as ft

FORMATS = Path(__file__).parents[1] / "fixtures" / "formats"
EXPORTS = Path(__file__).parents[1] / "fixtures" / "discord" / "threads"
WRITTEN = [
    "fury.contract.json",
    "plain.contract.json",
    "plain.jsonl",
    "plain.jsonl.manifest.json",
    "train.csv",
    "train.csv.manifest.json",
    "train.jsonl",
    "train.jsonl.manifest.json",
    "journal/journal.json",
    "journal/channels/88.jsonl",
]


def passages():
    for n, subject in enumerate(("actor", "sphere", "camera", "shader", "window")):
        yield ft.Passage(
            id=f"doc:{subject}",
            text=f"The {subject} has an opacity and a colour.\nSet `{subject}.opacity({n})`.",
            title=f"{subject} – reference",
            source=f"fury/{subject}.py:{n + 1}-{n + 4}",
        )
    yield ft.Passage(
        id="chat:1",
        text="How do I make a sphere transparent?\n\nSet its opacity.",
        title="Solved",
        date=datetime(2024, 3, 1, tzinfo=UTC),
    )


def write(folder: Path) -> None:
    """Writes one file of each kind into the current folder, which is `folder`."""
    shutil.copy(FORMATS / "pairs.csv", folder / "pairs.csv")
    ft.build_index("corpus.lance", passages())
    pipeline = ft.Pipeline(
        collector=ft.CsvCollector("pairs.csv"),
        curators=[ft.Deduplicate(), ft.RedactSecrets()],
        augmenter=ft.RagAugmenter("corpus.lance", k=2),
        template=ft.PromptTemplate("You help – with FURY.\n\nContext:\n{context}\n\nQuestion:\n{question}"),
        normalizer=ft.Normalizer(bot_ids=["1234567890123456"]),
        exporter=[ft.JsonlExporter("train.jsonl"), ft.CsvExporter("train.csv")],
    )
    pipeline.run().contract.save("fury.contract.json")
    exporter = ft.JsonlExporter("plain.jsonl", dialect="openai")
    pipeline.evolve(augmenter=ft.IdentityAugmenter(), exporter=exporter).run().contract.save(
        "plain.contract.json"
    )
    ft.JournalCollector("journal").adopt(EXPORTS)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    before = Path.cwd()
    os.chdir(folder)
    try:
        write(folder)
    finally:
        os.chdir(before)
    return folder


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_input_gives_the_same_bytes(made, name):
    assert (made / name).read_bytes() == (FORMATS / name).read_bytes()


def test_an_index_of_the_first_version_opens_and_finds_the_same(made, tmp_path):
    first = tmp_path / "corpus.lance"
    shutil.copytree(FORMATS / "first" / "corpus.lance", first)
    old, new = ft.RagAugmenter(first, k=3), ft.RagAugmenter(made / "corpus.lance", k=3)

    assert old.snapshot == new.snapshot
    for question in ("How do I make a sphere transparent?", "camera colour", "opacity"):
        assert [p.id for p in old.context(question)] == [p.id for p in new.context(question)]


def test_a_journal_of_the_first_version_gives_the_same_pairs(made, tmp_path):
    shutil.copytree(FORMATS / "first" / "journal", tmp_path / "journal")
    old, new = (
        [item for item in ft.JournalCollector(folder / "journal").collect() if isinstance(item, ft.QAPair)]
        for folder in (tmp_path, made)
    )

    assert old
    assert [(p.id, p.question, p.answer) for p in old] == [(p.id, p.question, p.answer) for p in new]


def test_a_ledger_of_the_first_version_is_read_and_written_the_same(tmp_path):
    (first,) = (FORMATS / "first" / "ledger").glob("*.json")
    ledgers.write(tmp_path, ledgers.read(first.parent, first.stem))

    assert (tmp_path / first.name).read_bytes() == first.read_bytes()


if __name__ == "__main__":
    os.chdir(FORMATS)
    write(FORMATS)
