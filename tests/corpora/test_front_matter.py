"""Front matter of any kind, Markdown with other suffixes, and substitutions in reStructuredText."""

from __future__ import annotations

import pytest

from furytune import Dropped
from furytune.corpora.markup import markup

KINDS = {
    "---": "---\ntitle: The guide\nsecret: hidden-words\n---\n",
    "+++": '+++\ntitle = "The guide"\nsecret = "hidden-words"\n+++\n',
    ";;;": ';;;\n{"title": "The guide", "secret": "hidden-words"}\n;;;\n',
}


def read(folder):
    items = list(markup(folder))
    return [p for p in items if not isinstance(p, Dropped)], {
        d.reason for d in items if isinstance(d, Dropped)
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", [".md", ".markdown", ".mdx"])
def test_front_matter_is_counted_and_never_text(tmp_path, kind, ending):
    (tmp_path / f"guide{ending}").write_text(KINDS[kind] + "\nDraw a sphere with actor.sphere.\n")
    (passage,), dropped = read(tmp_path)
    assert "actor.sphere" in passage.text
    assert "hidden-words" not in passage.text + passage.title
    assert "front_matter" in dropped


def test_mdx_keeps_prose_without_javascript(tmp_path):
    (tmp_path / "guide.mdx").write_text(
        'import Box from "./box"\n\n# Guide\n\nSet `opacity` of the actor.\n\n<Box size={3} />\n\nThen show it.\n'
    )
    (passage,), _ = read(tmp_path)
    assert "Set `opacity` of the actor." in passage.text
    assert "Then show it." in passage.text
    assert "import Box" not in passage.text


def test_a_substitution_becomes_its_text(tmp_path):
    (tmp_path / "guide.rst").write_text(
        "Guide\n=====\n\nInstall |name| first.\n\n.. |name| replace:: the renderer\n"
    )
    (passage,), _ = read(tmp_path)
    assert "Install the renderer first." in passage.text


def test_a_file_that_is_not_read_is_counted(tmp_path):
    (tmp_path / "guide.md").write_text("# Guide\n\nText.\n")
    (tmp_path / "guide.adoc").write_text("= Guide\n")
    _, dropped = read(tmp_path)
    assert "other_suffix" in dropped
