"""Passages made of documentation."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import ConfigError, KnowledgeError, SourceFormatError
from furytune.records import Dropped, Passage
from furytune.testing.strategies import texts


@pytest.fixture
def docs(tmp_path):
    """Writes files into a folder called ``docs`` and returns it."""

    def write(**files):
        root = tmp_path / "docs"
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            target = root / name.replace("_dot_", ".")
            target.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode("utf-8"))
        return root

    return write


def read(source, **options):
    return [p for p in markup(source, **options) if isinstance(p, Passage)]


GUIDE = """\
Before.

# Guide #

Intro.

## Install

### Linux
Use pip.

```bash
# not a heading

pip install fury
```

Setext too
----------

    # code, not a heading

Done.

## Install

Again.
"""

MANUAL = """\
======
Manual
======

Intro.

Install
-------
Linux
~~~~~
Use pip::

    not
    ---

    code

Done.

.. code-block:: python

   x = 1

   ======

Use
---

>>> 1
1
"""


class TestHeadings:
    def test_markdown_is_cut_at_headings_with_their_path_as_title(self, docs):
        found = read(docs(guide_dot_md=GUIDE))

        assert [(p.title, p.source) for p in found] == [
            ("docs/guide.md", "docs/guide.md:1-1"),
            ("Guide", "docs/guide.md:3-5"),
            ("Guide > Install > Linux", "docs/guide.md:7-16"),
            ("Guide > Setext too", "docs/guide.md:18-23"),
            ("Guide > Install", "docs/guide.md:25-27"),
        ]
        assert found[2].text.startswith("## Install\n\n### Linux\nUse pip.\n\n```bash\n# not a heading")

    def test_restructuredtext_is_cut_at_underlines_by_their_order_of_use(self, docs):
        found = read(docs(manual_dot_rst=MANUAL))

        assert [p.title for p in found] == ["Manual", "Manual > Install > Linux", "Manual > Use"]
        assert "    ---\n\n    code" in found[1].text

    def test_plain_text_has_no_headings(self, docs):
        (found,) = read(docs(notes_dot_txt="# a\n\nb\n=\n\nc\n"))

        assert (found.title, found.text) == ("docs/notes.txt", "# a\n\nb\n=\n\nc")

    @pytest.mark.parametrize(
        "text",
        [
            "---\ntitle: x\n---\n\ntext\n",
            "- item\n---\n",
            "| a |\n---\n",
            "text\n\n---\n\nmore\n",
            "two\nlines\n---\n",
            "#hashtag\n",
            "~~~\n# x\n\n## y\n",
        ],
    )
    def test_what_only_looks_like_a_markdown_heading_is_none(self, docs, text):
        (found,) = read(docs(a_dot_md=text))

        assert found.title == "docs/a.md"

    @pytest.mark.parametrize(
        "text", ["text\n\n----\n\nmore\n", "a b\n=== ===\n", "x\n-\n\n.. note::\n   y\n   -\n"]
    )
    def test_what_only_looks_like_an_rst_heading_is_none(self, docs, text):
        assert {p.title for p in read(docs(a_dot_rst=text))} <= {"docs/a.rst", "x"}

    def test_ids_stay_when_other_sections_change(self, docs):
        before = {p.id for p in read(docs(guide_dot_md=GUIDE))}
        after = {
            p.id
            for p in read(
                docs(guide_dot_md=GUIDE.replace("### Linux", "### macOS\n\nUse brew.\n\n### Linux"))
            )
        }

        assert before <= after
        assert "docs/guide.md#guide/install/linux" in before


class TestSizes:
    def test_a_long_section_is_cut_between_paragraphs_within_the_bound(self, docs):
        text = "# Long\n\n" + "\n\n".join(f"Paragraph {i}. " + "word " * 20 for i in range(50))
        found = read(docs(a_dot_md=text), max_chars=500)

        assert len(found) > 5
        assert all(len(p.text) <= 500 for p in found)
        assert all(p.text.startswith(("# Long", "Paragraph")) for p in found)
        assert len({p.id for p in found}) == len(found)

    def test_a_paragraph_and_a_line_over_the_bound_are_cut_between_lines_and_words(self, docs):
        lines = "\n".join("word " * 9 + f"end{i}" for i in range(40))
        found = read(docs(a_dot_md=lines + "\n\n" + "long " * 400), max_chars=300)

        assert all(len(p.text) <= 300 for p in found)
        assert sum(p.text.count("word") for p in found) == 360
        assert sum(p.text.count("long") for p in found) == 400

    @pytest.mark.parametrize(
        ("suffix", "block"),
        [
            ("md", "```python\n{body}\n```"),
            ("md", "~~~~\n{body}\n```\n~~~~"),
            ("rst", ".. code-block:: python\n\n{indented}"),
            ("rst", "Like so::\n\n{indented}"),
            ("txt", "{indented}"),
            ("md", "{indented}"),
        ],
    )
    def test_code_is_never_cut(self, docs, suffix, block):
        body = "\n\n".join(f"line_{i} = {i}" for i in range(100))
        code = block.format(body=body, indented=textwrap.indent(body, "    "))
        text = "Before. " * 40 + "\n\n" + code + "\n\n" + "After. " * 40 + "\n"
        found = read(docs(**{f"a_dot_{suffix}": text}), max_chars=300)
        (holder,) = [p for p in found if "line_50 " in p.text]

        assert code.strip("\n") in holder.text
        assert all(len(p.text) <= 300 for p in found if p is not holder)

    def test_text_right_behind_a_fence_is_a_paragraph_of_its_own(self, docs):
        code = "```\n" + "x = 1\n\n" * 100 + "```"
        found = read(docs(a_dot_md=f"{code}\nAfter.\n\nMore.\n"), max_chars=300)

        assert [p.text for p in found] == [code, "After.\n\nMore."]

    def test_the_bound_has_a_least_value_and_counts_characters(self, docs):
        with pytest.raises(ConfigError, match="characters"):
            markup(docs(a_dot_md="x"), max_chars=10)

    @given(texts(max_size=60), st.sampled_from(["md", "rst", "txt"]))
    def test_every_line_stands_in_exactly_one_passage(self, tmp_path_factory, text, suffix):
        """Nothing is lost and nothing is said twice, whatever the file holds."""
        file = tmp_path_factory.mktemp("any") / f"a.{suffix}"
        file.write_text(text, encoding="utf-8", newline="")
        found = read(file, max_chars=100_000)
        normal = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        expected = [line for line in normal.split("\n") if line.strip()]

        got = [line for p in found for line in p.text.split("\n") if line.strip()]
        assert [line.rstrip() for line in expected] == [line.rstrip() for line in got]
        assert len({p.id for p in found}) == len(found)

    @given(texts(max_size=80), st.sampled_from(["md", "rst", "txt"]))
    def test_cutting_loses_nothing_but_white_space(self, tmp_path_factory, text, suffix):
        file = tmp_path_factory.mktemp("any") / f"a.{suffix}"
        file.write_text(text * 20, encoding="utf-8", newline="")
        found = read(file, max_chars=200)

        def bare(t):
            return re.sub(r"\s", "", t)

        assert bare((text * 20).removeprefix("\ufeff")) == "".join(bare(p.text) for p in found)


class TestFiles:
    def test_lines_point_at_what_the_passage_holds(self, docs):
        root = docs(guide_dot_md=GUIDE, manual_dot_rst=MANUAL)
        for p in read(root, max_chars=200, url="https://example.org/{path}?from={start}&to={end}"):
            name, _, span = p.source.partition(":")
            start, end = map(int, span.split("-"))
            lines = (root.parent / name).read_text().split("\n")[start - 1 : end]

            assert p.text == "\n".join(lines).rstrip()
            assert p.url == f"https://example.org/{name}?from={start}&to={end}"

    def test_line_ends_and_a_byte_order_mark_do_not_matter(self, docs):
        texts_ = []
        for data in (GUIDE, GUIDE.replace("\n", "\r\n"), GUIDE.replace("\n", "\r"), "\ufeff" + GUIDE):
            texts_.append([p.text for p in read(docs(guide_dot_md=data.encode()))])

        assert all(t == texts_[0] for t in texts_)

    def test_a_file_that_is_not_utf8_is_told_by_line_and_the_rest_is_kept(self, docs):
        root = docs(a_dot_md=b"ok\ngr\xf6n\n", b_dot_md="fine\n", c_dot_md=" \n")

        with pytest.raises(SourceFormatError, match=r"docs/a\.md:2: .*UTF-8.*on_error"):
            read(root)
        assert [p.text for p in read(root, on_error="skip")] == ["fine"]
        assert [(d.reason, d.where) for d in markup(root, on_error="skip") if isinstance(d, Dropped)] == [
            ("not_utf8", "docs/a.md:2"),
            ("empty_file", "docs/c.md"),
        ]

    def test_excluded_files_are_counted(self, docs):
        root = docs(a_dot_md="keep\n", b_dot_md="leave\n")
        (root / "posts" / "old").mkdir(parents=True)
        (root / "posts" / "old" / "c.rst").write_text("leave\n")
        items = list(markup(root, exclude=("posts/*", "b.md")))

        assert [p.text for p in items if isinstance(p, Passage)] == ["keep"]
        assert [(d.reason, d.unit, d.count) for d in items if isinstance(d, Dropped)] == [
            ("excluded", "file", 2)
        ]

    def test_nothing_to_read_is_an_error_at_once(self, tmp_path):
        with pytest.raises(KnowledgeError, match=r"\.md, \.rst, \.txt"):
            markup(tmp_path)
        with pytest.raises(KnowledgeError, match="no such"):
            markup(tmp_path / "absent")


class TestFaultsOf2024:
    """Each fault of the index that the first helper bot was built on, told in one test."""

    @pytest.fixture
    def index(self, docs, tmp_path):
        long = "# Long\n\n" + "\n\n".join(f"Paragraph {i} about topic{i}. " + "word " * 60 for i in range(30))
        package = tmp_path / "pack"
        package.mkdir()
        (package / "__init__.py").write_text(
            "class A:\n    class B:\n        x = 1\n    def late(self, size=3): pass\n"
        )
        sources = (docs(long_dot_md=long), package)
        path = tmp_path / "corpus.lance"
        report = build_index(path, markup(sources[0]), python_package(sources[1]))
        return RagAugmenter(path, k=3), report, long

    def test_all_chunks_of_a_file_are_kept_not_only_the_last(self, index):
        rag, _, _ = index

        assert all(f"topic{i}." in rag.context(f"topic{i}")[0].text for i in range(30))

    def test_what_is_searched_is_what_stands_in_the_prompt(self, index):
        rag, _, long = index
        (best, *_) = rag.context("topic7")

        assert "topic7" in best.text
        assert "topic29" not in best.text
        assert best.text in long

    def test_documentation_and_code_go_into_one_index(self, index):
        rag, report, _ = index

        assert report.passages > 3
        assert rag.context("late")[0].title == "pack.A.late"
        assert rag.context("topic1")[0].title == "Long"

    def test_sizes_are_characters_and_bounded(self, docs):
        assert all(len(p.text) <= 2000 for p in read(docs(a_dot_rst="Sentence of words.\n" * 5000)))

    def test_signatures_are_there(self, index):
        assert "size=3" in index[0].context("late")[0].text

    def test_no_docstring_is_not_the_word_none(self, index):
        assert index[0].context("None") == ()

    def test_a_nested_class_does_not_capture_later_methods(self, index):
        assert [p.title for p in index[0].context("late")] == ["pack.A.late"]
