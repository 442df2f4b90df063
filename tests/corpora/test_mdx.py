"""MDX pages: what is JavaScript, a component or a comment is left out and counted, and everything else is read."""

from __future__ import annotations

import pytest
from corpora_help import read
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def page(tmp_path):
    def written(text, name="a.mdx"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return read(tmp_path / name)

    return written


def words(found) -> str:
    return "\n".join(p.text for p in found)


class TestStatements:
    @pytest.mark.parametrize(
        "statement",
        [
            'import Box from "./box"',
            "import {\n  Box,\n\n  Tabs,\n} from './parts'",
            "export const meta = {\n  secret: 1,\n\n  more: [2],\n}",
            "export * from './all'",
            'import "./styles.css"',
        ],
    )
    def test_a_statement_is_left_out_to_its_end(self, page, statement):
        found, dropped = page(f"{statement}\n\nDraw a sphere.\n")

        assert words(found) == "Draw a sphere."
        assert dropped == {"esm": 1}

    def test_brackets_that_are_never_closed_cost_one_paragraph(self, page):
        found, dropped = page("export const a = {\n  b: 1,\n\nDraw a sphere.\n\nShow it.\n")

        assert words(found) == "Draw a sphere.\n\nShow it."
        assert dropped == {"esm": 1}

    @pytest.mark.parametrize(
        "prose", ["imports are slow", "import tariffs rise", "We\nimport it", "exported"]
    )
    def test_words_that_look_like_a_statement_are_kept(self, page, prose):
        found, dropped = page(f"{prose}\n")
        if prose == "import tariffs rise":  # MDX itself takes this for JavaScript
            assert (found, dropped) == ([], {"esm": 1})
        else:
            assert (words(found), dropped) == (prose, {})

    def test_code_in_a_fence_is_not_javascript_of_the_page(self, page):
        text = "```js\nimport Box from './box'\nconst a = <Box>{/* note */}</Box>\n```"
        found, dropped = page(f"Write:\n\n{text}\n")

        assert text in words(found)
        assert dropped == {}

    def test_a_statement_ends_where_a_fence_begins(self, page):
        found, dropped = page("import Box from './box'\n```py\nsphere()\n```\n")

        assert "sphere()" in words(found)
        assert dropped == {"esm": 1}


class TestTags:
    @pytest.mark.parametrize(
        "tag",
        [
            "<Box>{}</Box>",
            "<Box size={{3}}>{}</Box>",
            "<Box style={{{{a: '>'}}}}>{}</Box>",
            '<Box note="a > b">{}</Box>',
            "<Box note={{`a > b`}}>{}</Box>",
            "<>{}</>",
            "<Box.Part\n  a\n>{}</Box.Part>",
        ],
    )
    def test_the_content_of_a_component_is_kept(self, page, tag):
        found, dropped = page(tag.format("Draw a sphere.") + "\n")

        assert words(found).strip() == "Draw a sphere."
        assert dropped == {"jsx": 2}

    @pytest.mark.parametrize("name", ["title", "label"])
    @pytest.mark.parametrize("quote", ["'", '"'])
    def test_its_title_is_kept(self, page, name, quote):
        found, dropped = page(f"<Tab {name}={quote}For Linux{quote} id='x'>\nUse pip.\n</Tab>\n")

        assert words(found).split() == ["For", "Linux", "Use", "pip."]
        assert dropped == {"jsx": 2}

    @pytest.mark.parametrize("text", ["a < b and c > d", "1 <2", "<- that", "x<y", "a { b } c"])
    def test_signs_in_prose_are_kept(self, page, text):
        found, dropped = page(f"{text}\n")

        assert (words(found), dropped) == (text, {})

    @pytest.mark.parametrize("code", ["`<Box>`", "`` <Box> ` {/* a */} ``"])
    def test_code_in_a_line_is_kept(self, page, code):
        found, dropped = page(f"Write {code} here, <b>then</b> go.\n")

        assert f"Write {code} here" in words(found)
        assert dropped == {"jsx": 2}

    @pytest.mark.parametrize("tag", ["<Box a='", "<Box a={", "<Box a=`x", "<Box " + "a " * 6_000])
    def test_a_tag_that_does_not_end_is_text(self, page, tag):
        _, dropped = page(f"Draw a sphere.\n\n{tag}\n")

        assert "jsx" not in dropped

    def test_a_tag_that_another_one_interrupts_is_text_and_the_other_is_not(self, page):
        found, dropped = page("a <Box <b>sphere</b> is drawn\n")

        assert "sphere" in words(found)
        assert dropped == {"jsx": 2}


class TestComments:
    def test_a_comment_is_left_out_with_the_tags_in_it(self, page):
        found, dropped = page("Draw {/* <Box>\nsecret */} a sphere.\n")

        assert "secret" not in words(found)
        assert words(found).split() == ["Draw", "a", "sphere."]
        assert dropped == {"comment": 1}

    def test_a_comment_that_does_not_end_is_text(self, page):
        found, dropped = page("Draw {/* a sphere.\n")

        assert "a sphere." in words(found)
        assert dropped == {}


def test_indented_text_is_not_code(page):
    """As MDX has it: components indent what they contain."""
    found, _ = page("<Box>\n\n      Draw a *sphere*.\n\n</Box>\n")

    assert words(found).strip() == "Draw a *sphere*."


@given(st.text(alphabet="<>{}/*`'\"aB =\n.", max_size=60))
def test_any_page_is_read(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("any") / "a.mdx"
    file.write_text(f"{text}\n\n# End\n\nDraw a sphere.\n", encoding="utf-8")
    found, dropped = read(file)

    assert all(p.text.strip() for p in found)
    assert all(count > 0 for count in dropped.values())


class TestFrontMatterTitles:
    @pytest.mark.parametrize(
        ("block", "title"),
        [
            ("---\ntitle: The guide # not this\n---", "The guide"),
            ("---\ntitle: 'The guide' # not this\n---", "The guide"),
            ('---\nTitle: "The \\"guide\\""\n---', 'The "guide"'),
            ('+++\ntitle = "The guide"\n[menu]\ntitle = "Other"\n+++', "The guide"),
            ('{\n"title": "The  guide"\n}', "The guide"),
            ('---yaml\n"title": The guide\n...', "The guide"),
        ],
    )
    def test_the_title_of_the_block_is_that_of_the_page(self, page, block, title):
        (found,), _ = page(f"{block}\n\nDraw a sphere.\n", name="a.md")

        assert found.title == title
        assert found.text == "Draw a sphere."

    @pytest.mark.parametrize(
        "block",
        [
            "---\ntitle: |\n  Several\n  lines\n---",
            "---\ntitle: " + "long " * 300 + "\n---",
            '+++\n[menu]\ntitle = "Other"\n+++',
            '{\n"title": 5\n}',
        ],
    )
    def test_a_title_that_is_not_one_short_text_is_not_used(self, page, block):
        (found,), _ = page(f"{block}\n\nDraw a sphere.\n", name="a.md")

        assert "Other" not in found.title
        assert "Several" not in found.title
        assert len(found.title) < 50
        assert found.text == "Draw a sphere."

    @pytest.mark.parametrize("text", ["---\nProse, no settings.\n---", "{\nnot json\n}", "---\ntitle: open"])
    def test_rules_with_prose_between_them_are_text(self, page, text):
        found, dropped = page(f"{text}\n\nDraw a sphere.\n", name="a.md")

        assert "front_matter" not in dropped
        assert "Draw a sphere." in words(found)
        assert len(words(found).split()) > 3
