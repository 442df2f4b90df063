"""Passages from notebooks, examples and HTML pages."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest
from corpora_help import read
from hypothesis import given
from hypothesis import strategies as st

from furytune.corpora._text.html import _converter
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import MissingExtraError, SourceFormatError
from furytune.records import Passage


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        file = tmp_path / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


def notebook(*cells, nbformat=4, **more):
    return json.dumps({"nbformat": nbformat, "nbformat_minor": 0, "metadata": {}, "cells": [*cells], **more})


def cell(kind, source, **more):
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


class TestNotebooks:
    def test_prose_and_code_stay_together_without_outputs(self, write):
        output = {"output_type": "stream", "name": "stdout", "text": ["SECRET OUTPUT\n"]}
        file = write(
            "a.ipynb",
            notebook(
                cell("markdown", ["# Balls\n", "\n", "Draw {func}`~fury.actor.sphere`."]),
                cell("code", "from fury import actor\n\nactor.sphere(c)", outputs=[output, output]),
                cell("raw", "raw"),
                cell("code", "  "),
                cell("markdown", "## More\n\n![p](attachment:p.png)"),
                cell("code", ["x = '```'\n"], outputs=[]),
                metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}},
            ),
        )
        found, counts = read(file)

        assert [(p.title, p.source) for p in found] == [
            ("Balls", "a.ipynb:cell 1-2"),
            ("Balls > More", "a.ipynb:cell 5-6"),
        ]
        assert found[0].text == (
            "# Balls\n\nDraw fury.actor.sphere.\n\n```python\nfrom fury import actor\n\nactor.sphere(c)\n```"
        )
        assert found[1].text == "## More\n\np\n\n````python\nx = '```'\n````"
        assert counts == {"output": 2, "raw_cell": 1, "image": 1}

    def test_prose_and_code_are_split_only_if_too_long_together(self, write):
        pairs = [
            c
            for i in range(6)
            for c in (cell("markdown", f"Step{i} " * 12), cell("code", f"code{i} = {i}\n" * 6))
        ]
        found, _ = read(write("a.ipynb", notebook(*pairs)), max_tokens=100)

        assert len(found) > 2
        assert all(p.text.count("Step") == 2 * p.text.count("code") for p in found)
        assert sum(p.text.count("Step") for p in found) == 72

    def test_notebook_format_3_is_read(self, write):
        cells = [
            {"cell_type": "heading", "level": 2, "source": ["Old\n"]},
            {"cell_type": "code", "input": ["x = 1"], "outputs": [], "language": "python"},
        ]
        text = json.dumps(
            {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
        )
        (found,), _ = read(write("a.ipynb", text))

        assert (found.title, found.text) == ("Old", "## Old\n\n```python\nx = 1\n```")

    @pytest.mark.parametrize(
        "text",
        [
            "{}",
            "[]",
            "no json",
            '{"nbformat": 4, "cells": [NaN]}',
            '{"nbformat": 4, "cells": {}}',
            '{"nbformat": 2}',
            '{"nbformat": "4"}',
            '{"nbformat": 4, "cells": [{"cell_type": "code", "source": 7}]}',
            '{"nbformat": 4, "cells": ' + "[" * 100_000,
        ],
    )
    def test_a_file_that_is_not_a_notebook_is_counted(self, write, text):
        file = write("a.ipynb", text)

        assert read(file) == ([], {"not_notebook": 1})
        with pytest.raises(SourceFormatError, match=r"a\.ipynb: this is .*notebook"):
            read(file, on_error="raise")


EXAMPLE = '''\
# Licence of the example.
r"""
Spheres
=======

Draw :func:`~fury.actor.sphere`.
"""
import fury

#######################################################################
# Make them
# ---------
# Three of them.
#
# Really.

# a plain comment
balls = fury.actor.sphere(3)

# %% Show them
# in a window.


def show():
    """Not a passage."""
    return balls
'''


class TestExamples:
    def test_code_stays_with_its_prose(self, write):
        found, counts = read(write("plot.py", EXAMPLE))

        assert [(p.title, p.source) for p in found] == [
            ("Spheres", "plot.py:3-8"),
            ("Spheres > Make them", "plot.py:11-26"),
        ]
        assert found[0].text == "Spheres\n=======\n\nDraw fury.actor.sphere.\n\n```python\nimport fury\n```"
        assert found[1].text == (
            "Make them\n---------\nThree of them.\n\nReally.\n\n```python\n# a plain comment\nballs ="
            " fury.actor.sphere(3)\n```\n\nShow them\nin a window.\n\n```python\ndef show():\n"
            '    """Not a passage."""\n    return balls\n```'
        )
        assert counts == {}

    @pytest.mark.parametrize("text", ["", "# only\n", '"""\nNever closed.\n', "x = 1\n"])
    def test_a_script_without_a_docstring_is_code_and_prose(self, write, text):
        found, _ = read(write("plot.py", f"{text}# %%\n# Prose.\ny = 2\n"))

        assert "Prose.\n\n```python\ny = 2\n```" in found[0].text
        assert found[0].title == "plot.py"

    def test_examples_are_split_at_cells(self, write):
        cells = "".join(
            f"# %%\n# {f'Prose{i} ' * 9}\ncode{i} = [\n    {i},\n\n    {i},\n]\n" for i in range(8)
        )
        found, _ = read(write("plot.py", f'"""\nT\n=====\n"""\n{cells}'), max_tokens=60)

        assert all(p.text.count("Prose") == 9 * p.text.count("= [") for p in found)
        assert sum(p.text.count("= [") for p in found) == 8

    def test_python_package_finds_examples_outside_packages(self, write, tmp_path):
        write("plot.py", EXAMPLE)
        write("loose.py", '"""Loose.\n\nNotes\n-----\nNone.\n"""\n# %%\ndef f(): pass\n')
        found = {p.title for p in python_package(tmp_path) if isinstance(p, Passage)}
        write("__init__.py", "")
        inside = {p.title for p in python_package(tmp_path) if isinstance(p, Passage)}

        assert found == {"Spheres", "Spheres > Make them", "loose", "loose.f"}
        assert {t.rpartition(".")[2] for t in inside} == {"plot", "show", "loose", "f"}


PAGE = """\
<!DOCTYPE html>
<html><head><title>Page</title><script>var x = "SCRIPT";</script></head><body>
<nav><a href="/">NAVIGATION</a></nav>
<main>
<section id="saving"><h1>Saving<a class="headerlink" href="#saving">¶</a></h1>
<p>Write with <code>json.dump</code>, see <a href="x.html">the guide</a>.</p>
<div class="highlight-python notranslate"><div class="highlight"><pre><span>if</span> x:
    <span>y</span> = "&lt;b&gt;"

    z = 1
</pre></div></div>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>
<h2 id="more">More</h2><p>Text.</p><img src="x.png" alt="">
<dl class="py function"><dt class="sig sig-object py" id="json.dump">json.dump(<em>obj</em>)
<a class="headerlink" href="#json.dump">¶</a></dt><dd><p>Serialize.</p></dd></dl>
</section></main><footer>FOOTER</footer></body></html>
"""


class TestHtml:
    @pytest.fixture(autouse=True)
    def _extra(self):
        pytest.importorskip("markdownify", reason="the extra html is not installed")

    def test_sections_keep_anchors_and_code_keeps_its_form(self, write):
        found, counts = read(write("page.html", PAGE), url="https://x.org/{page}#{anchor}")

        assert [(p.title, p.source, p.url) for p in found] == [
            ("Saving", "page.html#saving", "https://x.org/page.html#saving"),
            ("Saving > More", "page.html#more", "https://x.org/page.html#more"),
            ("Saving > More > json.dump", "page.html#json.dump", "https://x.org/page.html#json.dump"),
        ]
        assert "Write with `json.dump`, see the guide." in found[0].text
        assert '```python\nif x:\n    y = "<b>"\n\n    z = 1\n```' in found[0].text
        assert "| 1 | 2 |" in found[0].text
        assert "```\njson.dump(obj)\n```\n\nSerialize." in found[2].text
        shown = "".join(p.text for p in found)
        assert not any(word in shown for word in ("SCRIPT", "NAVIGATION", "FOOTER", "¶"))
        assert counts["image"] == 1

    @pytest.mark.parametrize(
        ("heading", "anchor"),
        [
            ('<h1 id="a">T</h1>', "a"),
            ('<h1>T<a href="#b">#</a></h1>', "b"),
            ('<h1><a name="c"></a>T</h1>', "c"),
            ('<div id="d"><h1>T</h1></div>', "d"),
            ('<div id="d"><h1 id="x">First</h1><p>one</p><h1>T</h1></div>', ""),
            ("<h1>T</h1>", ""),
        ],
    )
    def test_anchors_match_the_page(self, write, heading, anchor):
        found, _ = read(write("a.html", f"{heading}<p>text</p><dl><dt>term</dt><dd>said</dd></dl>"))

        assert found[-1].title.startswith("T")
        assert found[-1].source == (f"a.html#{anchor}" if anchor else "a.html")
        assert "said" in found[-1].text

    def test_a_page_without_headings_is_named_by_its_title(self, write):
        (found,), _ = read(write("a.htm", "<title>Only\n this</title><p>Text &amp; more"))

        assert (found.title, found.text, found.source) == ("Only this", "Text & more", "a.htm")

    @given(st.text(alphabet="<>/h1dplprecode ='\"&;\ue000ab\n", max_size=80))
    def test_everything_on_a_page_is_read_or_counted(self, tmp_path_factory, text):
        file = tmp_path_factory.mktemp("any") / "a.html"
        file.write_text(text, encoding="utf-8")

        assert all(len(p.text.encode()) <= 180 for p in read(file, max_tokens=60)[0])

    def test_a_missing_extra_is_named(self, write, monkeypatch):
        monkeypatch.setitem(sys.modules, "markdownify", None)
        _converter.cache_clear()

        with pytest.raises(MissingExtraError, match=r"furytune\[html\]"):
            markup(write("a.html", PAGE), suffixes=(".html",))

    def test_deep_nesting_is_counted(self, write):
        assert read(write("a.html", "<div>" * 20_000 + "x")) == ([], {"too_deep": 1})
