"""The report in a real Chromium: it works, asks for nothing, fits every screen, and everyone can use it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from chromium import browser, opened
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from reports import ESTIMATE, asked, pipeline, retrieving

import furytune as ft
from furytune.dataset_rows import read_rows
from furytune.testing.strategies import NASTY

_MARKS = """(element) => [...element.childNodes].map((node) =>
    node.nodeType === Node.TEXT_NODE ? node.data : String.fromCodePoint(parseInt(node.textContent.slice(2), 16))).join("")"""
_HOSTILE = st.lists(
    st.sampled_from(
        [
            *NASTY,
            "</script><script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "<!--",
            "\u202emoc.elpmaxe\u202c",
            "\u2066\u2067",
            "\u2028",
            "\x1b[31m",
            "https://example.com/x.png",
            "javascript:alert(1)",
            "\u05e9\u05dc\u05d5\u05dd",
            "\U000e0041",
        ]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    max_size=8,
).map(lambda pieces: "how " + "".join(pieces))


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """A report with everything that it can have."""
    folder = tmp_path_factory.mktemp("report")
    words = ["sphere", "plane", "<b>bold</b>", "a_very_long_name_without_a_place_to_break_" * 4]
    items = [asked(n, f"how do I make {n} {words[n % 4]}?", f"Call `make({n})`.") for n in range(120)]
    (old,) = pipeline(folder / "old", [*items[:90], asked(500, "gone?", "yes")]).run().datasets
    run, plain = retrieving(folder, items, curators=[ft.MinConfidence(0.5), ft.Deduplicate()])
    return ft.write_report(
        folder / "report.html",
        run,
        title="A community",
        without_retrieval=plain.datasets[0],
        since=old,
        estimate=ESTIMATE,
        reviewed=[(n / 10, n > 4) for n in range(10)],
        max_tokens=60,
    )


def found(page) -> int:
    return int(re.match(r"[\d,]+", page.inner_text("#found"))[0].replace(",", ""))


class TestReading:
    def test_search_and_filters_narrow_the_list_and_widen_it_again(self, chromium, report: Path):
        with opened(chromium, report) as page:
            everything = found(page)
            page.fill("#q", "PLANE?")
            expect(page.locator("#found")).to_contain_text(" of ")
            planes = found(page)
            assert 0 < planes < everything
            assert "plane" in page.inner_text("#detail .question .body")
            page.select_option("#channel", "1")
            assert 0 < found(page) <= planes
            page.press("#q", "Escape")
            in_channel = found(page)
            assert planes < in_channel < everything
            page.select_option("#channel", "")
            for name in ("split", "method", "change"):
                total = 0
                values = page.eval_on_selector_all(f"#{name} option", "(all) => all.map((o) => o.value)")
                for value in filter(None, values):
                    page.select_option(f"#{name}", value)
                    assert 0 < found(page) < everything
                    total += found(page)
                page.select_option(f"#{name}", "")
                assert name == "change" or total == everything
            page.fill("#q", "no such words anywhere")
            page.wait_for_selector("#detail .empty")
            assert found(page) == 0

    def test_keys_go_through_the_list(self, chromium, report: Path):
        with opened(chromium, report) as page:
            chosen = "(document.querySelector('#list [aria-selected=true]').ariaPosInSet)"
            page.focus("#list")
            for key, place in (("ArrowDown", 2), ("j", 3), ("k", 2), ("ArrowUp", 1), ("ArrowUp", 1)):
                page.keyboard.press(key)
                assert int(page.evaluate(chosen)) == place
            page.keyboard.press("End")
            last = int(page.evaluate(chosen))
            assert last == found(page)
            assert page.evaluate(
                "document.getElementById(document.getElementById('list').getAttribute('aria-activedescendant')) !== null"
            )
            page.keyboard.press("PageUp")
            assert 1 < int(page.evaluate(chosen)) < last
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.id") == "detail"
            page.keyboard.press("/")
            assert page.evaluate("document.activeElement.id") == "q"
            page.keyboard.type("jk/")
            assert page.input_value("#q") == "jk/"

    def test_filters_without_a_choice_are_not_shown(self, chromium, tmp_path: Path):
        run = pipeline(tmp_path, [asked(3 * n, f"how {n}?", "so", confidence=1.0) for n in range(3)]).run()
        with opened(chromium, ft.write_report(tmp_path / "r.html", run)) as page:
            assert page.is_visible("#q")
            assert page.is_visible("#channel")
            assert not page.is_visible("#method")
            assert not page.is_visible("#change")
            assert not page.eval_on_selector_all("#order [value=unsure]", "(all) => all.length")

    def test_least_sure_first_puts_the_least_sure_first(self, chromium, report: Path):
        with opened(chromium, report) as page:
            page.select_option("#order", "unsure")
            shown = page.eval_on_selector_all(
                "#list .m", "(all) => all.slice(0, 8).map((e) => e.textContent)"
            )
            sure = [float(re.search(r"0\.\d\d", line)[0]) for line in shown]
            assert sure == sorted(sure)
            assert sure[0] == 0.5

    def test_both_prompts_are_side_by_side_with_their_sections(self, chromium, report: Path):
        with opened(chromium, report) as page:
            assert page.eval_on_selector_all("#detail .sides h3", "(all) => all.length") == 2
            with_, without = page.query_selector_all("#detail .sides .text")
            assert with_.query_selector_all(".piece.passage")
            assert not without.query_selector_all(".piece.passage")
            boxes = [with_.bounding_box(), without.bounding_box()]
            assert boxes[0]["y"] == boxes[1]["y"]
            labels = {label.inner_text() for label in with_.query_selector_all(".what")}
            assert {"System instruction", "Template", "Passage 1", "Question"} <= labels

    def test_everything_but_the_list_works_without_a_script(self, chromium, report: Path):
        with opened(chromium, report, java_script_enabled=False) as page:
            assert "What was left out" in page.inner_text("#lost h2")
            assert page.is_visible("noscript")
            assert not page.is_visible("#browser")


class TestEveryone:
    # Colours depend on the theme and layout on the width, so each theme is seen narrow and wide.
    @pytest.mark.parametrize(
        ("width", "theme"), [(320, "light"), (768, "dark"), (1280, "light"), (2560, "dark")]
    )
    def test_it_fits_and_has_no_serious_fault(self, chromium, report: Path, width: int, theme: str):
        from axe_playwright_python.sync_playwright import Axe

        with opened(chromium, report, width=width, theme=theme, reduced_motion="reduce") as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            # What is folded counts too.
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            faults = Axe().run(page).response["violations"]
            serious = [f for f in faults if f["impact"] in ("serious", "critical")]
            assert not serious, [(f["id"], [n["html"] for n in f["nodes"][:3]]) for f in serious]

    def test_a_theme_can_be_chosen_and_stays(self, chromium, report: Path):
        with opened(chromium, report) as page:
            ground = "getComputedStyle(document.body).backgroundColor"
            light = page.evaluate(ground)
            page.click("#theme")
            assert page.inner_text("#theme") == "Theme: light"
            page.click("#theme")
            assert page.evaluate(ground) != light
            page.reload()
            assert page.inner_text("#theme") == "Theme: dark"
            assert page.evaluate(ground) != light

    def test_every_stop_of_the_tab_key_can_be_seen(self, chromium, report: Path):
        with opened(chromium, report) as page:
            seen = set()
            for _ in range(40):
                page.keyboard.press("Tab")
                kind, style = page.evaluate(
                    "[document.activeElement.tagName + '#' + document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
                )
                seen.add(kind)
                assert kind == "BODY#" or style == "solid"
            assert len(seen) > 3


class TestHostile:
    @settings(max_examples=6)
    @given(st.lists(st.tuples(_HOSTILE, _HOSTILE), min_size=1, max_size=5), _HOSTILE)
    @example(
        [("how </script><script>alert(1)</script>", "how \u202e<img src=x onerror=alert(1)>")], "<b>\u202e"
    )
    def test_text_stays_text(self, chromium, texts, name):
        source = ft.Source(path="a", channel="1", channel_name=name)
        items = [asked(n, question, answer, source=source) for n, (question, answer) in enumerate(texts)]
        with tempfile.TemporaryDirectory() as folder:
            run = pipeline(Path(folder), items).run()
            rows = {row.id: row for row in read_rows(run.datasets[0])}
            path = ft.write_report(Path(folder) / "r.html", run, title=name)
            with opened(chromium, path) as page:
                for _ in range(len(rows)):
                    uid = page.inner_text("#detail .id")
                    row = rows.pop(uid)
                    # Line ends at the edges are not shown, because a section has lines of its own.
                    asked_, told = (
                        page.eval_on_selector(f"#detail .{kind} .body", _MARKS)
                        for kind in ("question", "answer")
                    )
                    assert asked_ == row.prompt.text.strip("\n")
                    assert told == row.answer
                    if rows:
                        page.click("#next")
                kinds = page.eval_on_selector_all("#browser *", "(all) => all.map((e) => e.localName)")
                assert not {"script", "img", "svg", "a", "iframe", "b", "style"} & set(kinds)
                shown = page.inner_text("main")
                assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)


class TestSize:
    def test_ten_thousand_rows_keep_the_page_small(self, chromium, tmp_path: Path):
        run = pipeline(tmp_path, (asked(n, f"how {n}?", f"so {n} " * 20) for n in range(10_000))).run()
        path = ft.write_report(tmp_path / "r.html", run)
        nodes = "document.querySelectorAll('#list *').length"
        with opened(chromium, path) as page:
            assert found(page) == 10_000
            few = page.evaluate(nodes)
            assert few < 200
            for place in (0.3, 0.7, 1):
                page.evaluate(
                    f"(() => {{ const l = document.getElementById('list'); l.scrollTop = {place} * l.scrollHeight; }})()"
                )
                page.evaluate(
                    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
                )
                assert page.evaluate(nodes) < 200
                first = page.evaluate("+document.querySelectorAll('#list .item')[2].ariaPosInSet")
                assert abs(first - place * 10_000) < 40
            page.focus("#list")
            page.keyboard.press("End")
            assert page.evaluate(nodes) < 200
            assert page.evaluate("document.querySelector('[aria-selected=true]').ariaPosInSet") == "10000"
            page.fill("#q", "so 9999 ")
            expect(page.locator("#found")).to_have_text("1 of 10,000 examples")
