"""One test for each silent fault in the index of the first helper bot."""

from __future__ import annotations

import pytest

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.records import Passage

EXAMPLE = '''\
"""
==============
Blue tetrahedra
==============
Draw them.
"""
# %%
# Choose a zebra-striped background.
scene = Scene(background="zebra")
'''


@pytest.fixture
def sources(tmp_path):
    docs, package, examples = (tmp_path / name for name in ("docs", "pack", "examples"))
    for folder in (docs, package, examples):
        folder.mkdir()
    paragraphs = "\n\n".join(f"Paragraph {i} about topic{i}. " + "word " * 60 for i in range(30))
    (docs / "long.rst").write_text(f"Long\n====\n\n{paragraphs}\n")
    (package / "__init__.py").write_text(
        "class A:\n    class B:\n        x = 1\n    def late(self, size: int = 3): pass\n"
    )
    (examples / "plot.py").write_text(EXAMPLE)
    return docs, package, examples


@pytest.fixture
def index(sources, tmp_path):
    docs, package, examples = sources
    path = tmp_path / "corpus.lance"
    report = build_index(path, markup(docs), python_package(package), python_package(examples))
    return RagAugmenter(path, k=3), report


def test_fault_1_all_chunks_of_a_file_had_one_id(index, sources):
    rag, _ = index
    ids = [p.id for p in markup(sources[0]) if isinstance(p, Passage)]

    assert len(ids) == len(set(ids)) > 5
    assert all(f"topic{i}." in rag.context(f"topic{i}")[0].text for i in range(30))


def test_fault_2_the_prompt_had_the_file_instead_of_the_chunk(index, sources):
    rag, _ = index
    (best, *_) = rag.context("topic7")

    assert "topic7." in best.text
    assert "topic29." not in best.text
    assert best.text in (sources[0] / "long.rst").read_text()


def test_fault_3_examples_ended_the_loop_too_early(index):
    rag, report = index

    assert report.passages > 3
    assert rag.context("late")[0].title == "pack.A.late"
    assert rag.context("topic1")[0].title == "Long"
    assert rag.context("zebra")[0].title == "Blue tetrahedra"


def test_fault_4_the_limit_in_tokens_counted_characters(sources):
    """An ideograph is three bytes and about one token; a limit in characters would allow three times as much."""
    (sources[0] / "long.rst").write_text("文書。\n" * 5000, encoding="utf-8")
    found = [p.text for p in markup(sources[0], max_tokens=500) if isinstance(p, Passage)]

    assert all(len(text.replace("\n", "")) <= 500 for text in found)
    assert sum(text.count("文書。") for text in found) == 5000


def test_fault_5_only_names_instead_of_signatures(index):
    (best, *_) = index[0].context("late")

    assert best.text == "def late(self, size: int=3)"


def test_fault_6_a_missing_docstring_became_the_word_none(index):
    assert index[0].context("None") == ()


def test_fault_7_a_nested_class_got_later_methods_of_the_outer_one(index):
    assert [p.title for p in index[0].context("late")] == ["pack.A.late"]
