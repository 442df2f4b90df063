"""How the markup of reStructuredText and Markdown becomes readable text."""

from __future__ import annotations

import textwrap

import pytest
from corpora_help import read
from hypothesis import given
from hypothesis import strategies as st

from furytune.corpora._text.roles import readable_markdown, readable_rst


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        file = tmp_path / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


class TestRoles:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            (":func:`~fury.actor.sphere`", "fury.actor.sphere"),
            (":py:meth:`.Scene.add`", "Scene.add"),
            (":class:`!Hidden`", "Hidden"),
            (":func:`sphere <fury.actor.sphere>`", "fury.actor.sphere"),
            (":func:`the sphere <fury.actor.sphere>`", "the sphere (fury.actor.sphere)"),
            (":ref:`Install it <install-label>`", "Install it"),
            (":ref:`install-label`", "install-label"),
            (":doc:`/guide`", "/guide"),
            (":pep:`8`", "PEP 8"),
            (":ghpull:`993`", "993"),
            (":math:`x^2 < y`", "x^2 < y"),
            ("`FURY <https://fury.gl>`_", "FURY (https://fury.gl)"),
            ("`see <there_>`__", "see"),
            ("`a section`_", "a section"),
            ("``:func:`x```", "``:func:`x```"),
            ("``a`` `b` *c* **d** |e| f_ [1]_", "``a`` `b` *c* **d** |e| f_ [1]_"),
            (":ref:`two\nlines <a>` and", "two\nlines and"),
        ],
    )
    def test_rst_shows_what_a_reader_of_the_page_sees(self, written, shown):
        assert readable_rst(f"Use {written}.") == f"Use {shown}."

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("{func}`~fury.actor.sphere`", "fury.actor.sphere"),
            ("{ref}`Install <label>`", "Install"),
            ("![a ball](data:image/png;base64,AAAA)", "a ball"),
            ('![a ball](x.png "Ball")', "a ball"),
            ("`{func}` and `![x](y)`", "`{func}` and `![x](y)`"),
            ("[text](https://a.org)", "[text](https://a.org)"),
        ],
    )
    def test_markdown_roles_and_images_become_text(self, written, shown):
        assert readable_markdown(f"Use {written}.") == f"Use {shown}."

    @given(
        st.text(alphabet=":`<>_~.{}!()[] \nab", max_size=60),
        st.sampled_from([readable_rst, readable_markdown]),
    )
    def test_line_numbers_do_not_change(self, text, readable):
        assert readable(text).count("\n") == text.count("\n")


class TestRst:
    def test_directives_are_readable_or_counted(self, write):
        file = write(
            "a.rst",
            """\
            :orphan:

            .. _start:

            Start
            =====

            .. note:: Mind
               the gap.

            .. versionadded:: 2.0
               A thing.

            .. toctree::
               :maxdepth: 2

               one
               two

            .. A comment
               of two lines.

            .. image:: x.png
               :width: 5

            .. include:: other.rst

            .. autofunction:: fury.actor.sphere

            .. function:: dump(obj)
               :noindex:

               Writes :class:`~a.B`.

               .. code-block:: python
                  :linenos:

                  dump(:func:`x`)

            .. list-table::
               :header-rows: 1

               * - a
                 - b

            .. _site: https://fury.gl
            """,
        )
        (found,), counts = read(file)

        assert found.text == textwrap.dedent(
            """\
            Start
            =====

            Note: Mind
               the gap.

            Added in version 2.0
               A thing.

            dump(obj)

               Writes a.B.

               .. code-block:: python
                  :linenos:

                  dump(:func:`x`)

               :header-rows: 1

               * - a
                 - b

            .. _site: https://fury.gl"""
        )
        assert counts == {
            "metadata": 1,
            "target": 1,
            "toctree": 1,
            "comment": 1,
            "image": 1,
            "include": 1,
            "autodoc": 1,
            "option": 1,
        }

    def test_a_literal_block_is_unchanged_below_its_sentence(self, write):
        (found,), _ = read(write("a.rst", "Call :func:`~a.b`::\n\n    :func:`~a.b`\n\n>>> `a`_\n"))

        assert found.text == "Call a.b::\n\n    :func:`~a.b`\n\n>>> `a`_"

    def test_odd_markup_is_kept_or_counted(self, write):
        found, counts = read(
            write(
                "a.rst",
                """\
                Text.

                ..

                   A quote.

                .. |logo| image:: x.png
                .. |v| replace:: 2.0
                .. [1] A note.

                .. only:: html

                   Shown.

                .. container::
                   :name: empty

                .. raw:: html

                   <b>

                Apart.

                  indented
                -----
                """,
            )
        )

        assert [p.text for p in found] == [
            "Text.\n\n   A quote.\n\n.. [1] A note.\n\n   Shown.\n\nApart.\n\n  indented\n-----"
        ]
        assert counts == {"comment": 1, "image": 1, "raw": 1, "option": 1, "substitution": 1}

    def test_a_file_without_visible_text_gives_only_drops(self, write):
        assert read(write("a.rst", ":orphan:\n\n.. toctree::\n\n   a\n")) == (
            [],
            {"metadata": 1, "toctree": 1},
        )
        assert read(write("b.rst", ":orphan:\n")) == ([], {"metadata": 1})

    def test_text_files_can_be_read_as_rst(self, write):
        file = write("a.txt", "Title\n=====\n\n:ref:`x`\n")

        assert [p.title for p in read(file)[0]] == ["a.txt"]
        (found,), _ = read(file, suffixes={".txt": "rst"})
        assert (found.title, found.text) == ("Title", "Title\n=====\n\nx")


class TestMarkdown:
    def test_front_matter_gives_the_title_and_is_left_out(self, write):
        found, counts = read(
            write("a.md", "---\ntitle: 'The guide'\ntags: [a]\n---\n\nText.\n\n## Part\n\nMore.\n")
        )

        assert [(p.title, p.text, p.source) for p in found] == [
            ("The guide", "Text.", "a.md:6-6"),
            ("The guide > Part", "## Part\n\nMore.", "a.md:8-10"),
        ]
        assert counts == {"front_matter": 1}

    def test_directives_of_myst_and_mkdocs_are_readable(self, write):
        found, counts = read(
            write(
                "a.md",
                """\
                # T

                (label)=
                ```{toctree}
                one
                ```

                <!-- hidden
                lines -->

                :::{warning}
                Mind {func}`~a.b`.

                ```python
                # no heading {func}`~a.b`
                ```
                :::

                !!! tip "Quick"
                    Inside.

                    # Inside too

                ```{code-block} python
                x = 1
                ```

                ```{eval-rst}
                .. automodule:: a

                See :func:`~a.c`.
                ```
                """,
            )
        )

        (only,) = found
        assert only.text == (
            "# T\n\nWarning:\nMind a.b.\n\n```python\n# no heading {func}`~a.b`\n```\n\nTip: Quick\n    Inside.\n\n"
            "    # Inside too\n\n```{code-block} python\nx = 1\n```\n\nSee a.c."
        )
        assert counts == {"target": 1, "toctree": 1, "comment": 1, "autodoc": 1}

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("---\nno end\n", "---\nno end"),
            ("a\n\n<!-- open\n", "a\n\n<!-- open"),
            ("a\n\n<!-- b --> shown\n", "a\n\n<!-- b --> shown"),
            ("#\n\na\n", "#\n\na"),
            ("!!! note\n\nAfter.\n", "Note:\n\nAfter."),
            ("```{note}\n:class: x\nInside.\n```\n", "Note:\n\nInside."),
            (
                "1. one\n\n    ```\n    x = 1\n\n    y\n    ```\n",
                "1. one\n\n    ```\n    x = 1\n\n    y\n    ```",
            ),
            ("!!! note\n    ```\n    {a}`b`\n    ```\n", "Note:\n    ```\n    {a}`b`\n    ```"),
            ("```{note}\nNo end.\n", "Note:\nNo end."),
        ],
    )
    def test_unclosed_markup_is_kept(self, write, text, shown):
        (found,), _ = read(write("a.md", text))

        assert found.text == shown

    def test_tables_are_kept(self, write):
        table = "| a | b |\n| - | - |\n" + "\n".join(f"| {i} | {'x' * 20} |" for i in range(10))
        found, _ = read(write("a.md", f"{'Before. ' * 30}\n\n{table}\n\n{'After. ' * 30}\n"), max_tokens=110)

        assert table in [p.text for p in found]
