"""Input from strangers is read in linear or bounded time."""

from __future__ import annotations

import os
import re

import pytest
from linear_time import attack, grows_too_fast, patterns

from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import FurytuneError

# Between them 16 times the input; a reader of the first takes a few milliseconds.
SIZES = (1_000, 40_000)


def nested_rst(n):
    lines = [" " * 3 * level + ".. note::" for level in range(min(60, n))]
    return "\n\n".join([*lines, " " * 180 + "x"]) * (n // 10_000 + 1)


def deep(opening, closing=""):
    return lambda n: opening * (n // len(opening)) + "x" + closing * (n // len(opening))


WORST = {
    ("a.py", "a docstring of blanks"): lambda n: f'"""{" " * n}x"""\n',
    ("a.py", "a docstring that ends in blanks"): lambda n: f'"""x{" " * n}"""\n',
    ("a.py", "a docstring of empty lines"): lambda n: '"""x' + "\n " * (n // 2) + '"""\n',
    ("a.html", "blanks in text"): lambda n: f"<p>a{' ' * n}b</p>",
    ("a.html", "blanks and line breaks"): lambda n: "<p>a" + " \n" * (n // 2) + "b</p>",
    ("a.html", "blanks in pre"): lambda n: f"<pre>a{' ' * n}b</pre>",
    ("a.html", "unclosed tags"): deep("<b>"),
    ("a.md", "quotes in quotes"): deep("> "),
    ("a.md", "open brackets"): deep("["),
    ("a.md", "open images"): deep("!["),
    ("a.md", "ticks of growing length"): lambda n: " ".join("`" * k for k in range(1, int(n**0.5))),
    ("a.md", "blanks before a heading's end"): lambda n: f"# a{' ' * n}b #\n",
    ("a.md", "open comments"): deep("<!-- "),
    ("a.rst", "open roles"): deep(":a:`"),
    ("a.rst", "open substitutions"): deep("|a "),
    ("a.rst", "blanks before a role"): lambda n: "a" + " " * n + ":b:`c`",
    ("a.rst", "notes in notes"): nested_rst,
    ("a.rst", "adornments"): lambda n: "a\n=\n" * (n // 4),
    ("a.txt", "one long line"): lambda n: "a " * (n // 2),
}


@pytest.mark.parametrize("case", WORST, ids=" of ".join)
def test_a_reader_takes_linear_time(case, tmp_path):
    name, _ = case
    number = iter(range(1_000))

    def make(n):
        folder = tmp_path / str(next(number))
        folder.mkdir()
        (folder / name).write_text(WORST[case](n))
        return folder

    def read(folder):
        suffix = name[1:]
        try:
            found = python_package(folder) if suffix == ".py" else markup(folder, suffixes=(suffix,))
            return sum(1 for _ in found)
        except FurytuneError:
            return 0

    assert grows_too_fast(read, make, SIZES) == ""


def test_the_measurement_tells_quadratic_from_linear():
    slow = re.compile(r"\s+$")
    assert attack(slow, frozenset(["search"]))
    assert not attack(re.compile(r"[a-z]+"), frozenset(["search"]))


PARTS = 4
EVERY = int(os.environ.get("FURYTUNE_PATTERN_INPUTS", "151"))
"""Only one of so many inputs is tried, because all of them take many minutes."""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_pattern_takes_linear_time(part):
    found = patterns()
    assert len(found) > 150
    slow = {key: said for key in sorted(found)[part::PARTS] if (said := attack(*found[key], EVERY))}
    assert slow == {}
