"""Passages from documentation."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.budget import TokenBudget
from furytune.corpora._text.sizes import Sizes
from furytune.corpora.markup import markup
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
    def test_markdown_is_split_at_headings(self, docs):
        found = read(docs(guide_dot_md=GUIDE))

        assert [(p.title, p.source) for p in found] == [
            ("docs/guide.md", "docs/guide.md:1-1"),
            ("Guide", "docs/guide.md:3-5"),
            ("Guide > Install > Linux", "docs/guide.md:7-16"),
            ("Guide > Setext too", "docs/guide.md:18-23"),
            ("Guide > Install", "docs/guide.md:25-27"),
        ]
        assert found[2].text.startswith("## Install\n\n### Linux\nUse pip.\n\n```bash\n# not a heading")

    def test_rst_heading_levels_follow_the_order_of_underlines(self, docs):
        found = read(docs(manual_dot_rst=MANUAL))

        assert [p.title for p in found] == ["Manual", "Manual > Install > Linux", "Manual > Use"]
        assert "    ---\n\n    code" in found[1].text

    def test_plain_text_has_no_headings(self, docs):
        (found,) = read(docs(notes_dot_txt="# a\n\nb\n=\n\nc\n"))

        assert (found.title, found.text) == ("docs/notes.txt", "# a\n\nb\n=\n\nc")

    @pytest.mark.parametrize(
        "text",
        [
            "- item\n---\n",
            "| a |\n---\n",
            "text\n\n---\n\nmore\n",
            "two\nlines\n---\n",
            "#hashtag\n",
            "~~~\n# x\n\n## y\n",
        ],
    )
    def test_lookalikes_of_markdown_headings_are_text(self, docs, text):
        (found,) = read(docs(a_dot_md=text))

        assert found.title == "docs/a.md"

    @pytest.mark.parametrize(
        "text",
        [
            "text\n\n----\n\nmore\n",
            "a b\n=== ===\n",
            "x\n-\n\n.. note::\n   y\n   -\n",
            "A title\n--\n",
            "a\nb\n===\n",
        ],
    )
    def test_lookalikes_of_rst_headings_are_text(self, docs, text):
        assert {p.title for p in read(docs(a_dot_rst=text))} <= {"docs/a.rst", "x"}

    def test_ids_do_not_change_with_other_sections(self, docs):
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
    def test_a_long_section_is_split_between_paragraphs(self, docs):
        text = "# Long\n\n" + "\n\n".join(f"Paragraph {i}. " + "word " * 20 for i in range(50))
        found = read(docs(a_dot_md=text), max_tokens=170)

        assert len(found) > 5
        assert all(len(p.text) <= 510 for p in found)
        assert all(p.text.startswith(("# Long", "Paragraph")) for p in found)
        assert len({p.id for p in found}) == len(found)

    def test_long_paragraphs_and_lines_are_split(self, docs):
        lines = "\n".join("word " * 9 + f"end{i}" for i in range(40))
        found = read(docs(a_dot_md=lines + "\n\n" + "long " * 400), max_tokens=100)

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
    def test_code_that_fits_is_never_split(self, docs, suffix, block):
        body = "\n\n".join(f"line_{i} = {i}" for i in range(20))
        code = block.format(body=body, indented=textwrap.indent(body, "    "))
        text = "Before. " * 40 + "\n\n" + code + "\n\n" + "After. " * 40 + "\n"
        found = read(docs(**{f"a_dot_{suffix}": text}), max_tokens=150)
        (holder,) = [p for p in found if "line_9 " in p.text]

        assert code.strip("\n") in holder.text
        assert all(len(p.text) <= 450 for p in found)

    def test_text_after_a_fence_is_a_separate_paragraph(self, docs):
        code = "```\n" + "x = 1\n\n" * 20 + "```"
        found = read(docs(a_dot_md=f"{code}\nAfter.\n\nMore.\n"), max_tokens=50)

        assert [p.text for p in found] == [code, "After.\n\nMore."]

    def test_long_code_is_split_at_statements_and_counted(self, docs):
        body = "\n\n".join(f"def f{i}(a):\n    b = a\n\n    return b + {i}" for i in range(12))
        items = list(markup(docs(a_dot_md=f"# T\n\n```python\n{body}\n```\n"), max_tokens=60))
        found = [p for p in items if isinstance(p, Passage)]

        assert all(len(p.text) <= 180 for p in found)
        for p in found:
            code = p.text.removeprefix("# T\n\n").removeprefix("```python\n").removesuffix("\n```")
            assert code.startswith("def f")
            compile(code, p.source, "exec")
        assert sum(p.text.count("return b") for p in found) == 12
        (note,) = [d for d in items if isinstance(d, Dropped)]
        said = (note.reason, note.unit, note.count, note.where)
        assert said == ("cut_code_block", "record", len(found), "docs/a.md")

    @pytest.mark.parametrize("suffix", ["md", "rst"])
    def test_an_admonition_is_split_only_if_too_long_by_itself(self, docs, suffix):
        def note(words):
            code = "```\nx = 1\n\ny = 2\n```" if suffix == "md" else "::\n\n    x = 1\n\n    y = 2"
            inner = f"{'one ' * words}\n\n{'two ' * words}\n\n{code}"
            if suffix == "md":
                return f"````{{note}}\n{inner}\n````"
            return ".. note::\n\n" + textwrap.indent(inner, "   ")

        text = f"{'Before. ' * 30}\n\n{note(20)}\n\n{'After. ' * 30}\n"
        whole = read(docs(**{f"a_dot_{suffix}": text}), max_tokens=90)
        parts = read(docs(**{f"a_dot_{suffix}": note(60)}), max_tokens=90)

        (holder,) = [p for p in whole if "one" in p.text]
        assert "two" in holder.text
        assert "y = 2" in holder.text
        assert not any("one" in p.text and "two" in p.text for p in parts)
        assert all(len(p.text) <= 270 for p in (*whole, *parts))
        (code,) = [p for p in parts if "x = 1" in p.text]
        assert "y = 2" in code.text

    def test_a_heading_stays_with_the_first_piece(self, docs):
        found = read(docs(a_dot_md="# Long\n\n" + "word " * 500), max_tokens=100)

        assert found[0].text.startswith("# Long\n\nword")
        assert {p.title for p in found} == {"Long"}
        assert all(len(p.text) <= 300 for p in found)

    def test_tokens_can_be_counted_exactly(self, docs):
        budget = TokenBudget(100)
        text = "# T\n\n" + "\n\n".join(f"{'understanding ' * 9}{i}" for i in range(40))
        found = read(docs(a_dot_md=text), max_tokens=100, encoding="o200k_base")

        assert all(budget.count(p.text) <= 100 for p in found)
        assert any(len(p.text.encode()) > 600 for p in found)  # the estimate would have split these

    @given(texts(max_size=200))
    def test_the_token_estimate_counts_bytes(self, text):
        size = len(text.encode())

        assert Sizes(50).fits(text) is (size <= 150)
        assert size > 50 or Sizes(50, "o200k_base").fits(text)

    def test_a_very_long_heading_is_a_separate_passage(self, docs):
        found = read(docs(a_dot_md=f"# {'Long ' * 20}\n\n" + "word " * 500), max_tokens=60)

        assert found[0].text == f"# {'Long ' * 20}".rstrip()
        assert sum(p.text.count("word") for p in found) == 500
        assert all(len(p.text) <= 180 for p in found)

    def test_a_long_line_of_code_is_split_between_words(self, docs):
        code = "x = '" + "word " * 100 + "'"
        found = read(docs(a_dot_md=f"```\na = 1\n\n\n{code}\n\nb = 2\n```\n"), max_tokens=60)

        assert sum(p.text.count("word") for p in found) == 100
        assert all(p.text.startswith("```\n") and p.text.endswith("\n```") for p in found)
        assert all(len(p.text) <= 180 for p in found)

    def test_suffixes_must_begin_with_a_period(self, docs):
        root = docs(a_dot_md="x")
        for wrong in (".md", (), ("md",), {".md": "word"}):
            with pytest.raises(ConfigError, match="suffixes"):
                markup(root, suffixes=wrong)

    def test_max_tokens_has_a_minimum(self, docs):
        with pytest.raises(ConfigError, match="max_tokens"):
            markup(docs(a_dot_md="x"), max_tokens=10)
        with pytest.raises(ConfigError, match="no encoding"):
            markup(docs(a_dot_md="x"), encoding="nonsense")

    @given(texts(max_size=60), st.sampled_from(["md", "rst", "txt"]))
    def test_every_line_is_in_exactly_one_passage(self, tmp_path_factory, text, suffix):
        """No text is lost and no text is repeated, for any file without markup."""
        text = _without_markup(text)
        file = tmp_path_factory.mktemp("any") / f"a.{suffix}"
        file.write_text(text, encoding="utf-8", newline="")
        found = read(file, max_tokens=100_000)
        normal = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        expected = [line for line in normal.split("\n") if line.strip()]

        got = [line for p in found for line in p.text.split("\n") if line.strip()]
        assert [line.rstrip() for line in expected] == [line.rstrip() for line in got]
        assert len({p.id for p in found}) == len(found)

    @given(texts(max_size=80), st.sampled_from(["md", "rst", "txt"]))
    def test_splitting_loses_only_white_space(self, tmp_path_factory, text, suffix):
        text = _without_markup(text * 20)
        file = tmp_path_factory.mktemp("any") / f"a.{suffix}"
        file.write_text(text, encoding="utf-8", newline="")
        found = read(file, max_tokens=60)

        def bare(t):
            return re.sub(r"\s", "", t)

        assert bare(text.removeprefix("\ufeff")) == "".join(bare(p.text) for p in found)
        assert all(len(p.text.encode()) <= 180 for p in found)

    @given(texts(max_size=300), st.sampled_from(["md", "rst", "txt", "py"]), st.integers(50, 90))
    def test_passages_of_any_file_are_within_the_limit(self, tmp_path_factory, text, suffix, bound):
        file = tmp_path_factory.mktemp("any") / f"a.{suffix}"
        file.write_text(text * 9, encoding="utf-8", newline="")
        found = read(file, suffixes=(f".{suffix}",), max_tokens=bound)

        assert all(p.text.strip() and len(p.text.encode()) <= 3 * bound for p in found)
        assert len({p.id for p in found}) == len(found)


def _without_markup(text):
    """Removes characters that make a file binary (NUL) or count as markup."""
    return re.sub(r"[`\0~!:<>.)\-]", "", text)


class TestFiles:
    def test_line_numbers_point_to_the_text_of_the_passage(self, docs):
        root = docs(guide_dot_md=GUIDE, manual_dot_rst=MANUAL)
        for p in read(root, max_tokens=67, url="https://example.org/{path}?from={start}&to={end}"):
            name, _, span = p.source.partition(":")
            start, end = map(int, span.split("-"))
            lines = (root.parent / name).read_text().split("\n")[start - 1 : end]

            assert p.text == "\n".join(lines).strip("\n").rstrip()
            assert p.url == f"https://example.org/{name}?from={start}&to={end}"

    def test_urls_are_quoted(self, docs):
        root = docs(**{"grüße an #1_dot_md": "# T\n"})

        (found,) = read(root, url="https://x.org/{path}#L{start}")
        assert found.url == "https://x.org/docs/gr%C3%BC%C3%9Fe%20an%20%231.md#L1"

    def test_line_ends_and_a_byte_order_mark_do_not_matter(self, docs):
        texts_ = []
        for data in (GUIDE, GUIDE.replace("\n", "\r\n"), GUIDE.replace("\n", "\r"), "\ufeff" + GUIDE):
            texts_.append([p.text for p in read(docs(guide_dot_md=data.encode()))])

        assert all(t == texts_[0] for t in texts_)

    def test_a_file_that_is_not_utf8_is_dropped_with_its_line(self, docs):
        root = docs(a_dot_md=b"ok\ngr\xf6n\n", b_dot_md="fine\n", c_dot_md=" \n")

        with pytest.raises(SourceFormatError, match=r"docs/a\.md:2: .*UTF-8.*on_error"):
            read(root, on_error="raise")
        assert [p.text for p in read(root)] == ["fine"]
        assert [(d.reason, d.where) for d in markup(root) if isinstance(d, Dropped)] == [
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

    def test_nothing_to_read_is_an_error(self, tmp_path):
        with pytest.raises(KnowledgeError, match=r"\.md, \.markdown, \.mdx, \.rst, \.txt, \.ipynb"):
            markup(tmp_path)
        with pytest.raises(KnowledgeError, match="does not exist"):
            markup(tmp_path / "absent")
