"""The review page in a real Chromium: keys, edits, two windows, filters, themes and widths."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from chromium import browser
from playwright.sync_api import expect
from review_world import pairs, pipeline

import furytune as ft
from furytune.testing.memory import pair

expect.set_options(timeout=20_000)  # for machines that do much else; nothing waits that long elsewhere

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202emoc.elpmaxe\u202c \x1b[31m \u05e9\u05dc\u05d5\u05dd"


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@contextmanager
def visited(chromium, page: ft.ReviewPage, *, width=1280, height=860, theme="light", expected=(), **options):
    """Opens the page in a browser of its own, and fails if it says anything on the console or asks anyone else."""
    said: list[str] = []
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce", **options
    )
    origin = page.url.partition("#")[0]

    def watch(tab):
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
        tab.on(
            "request",
            lambda request: (
                None if request.url.startswith((origin, "data:")) else said.append(f"asked for {request.url}")
            ),
        )

    context.on("page", watch)
    tab = context.new_page()
    tab.goto(page.url)
    expect(tab.locator("#pair, #empty").filter(visible=True)).to_be_visible()
    try:
        yield tab
        # Chromium itself writes a line for each answer that is an error.
        assert not [line for line in said if not any(part in line for part in expected)]
    finally:
        context.close()


@contextmanager
def reviewing(chromium, folder, items=None, *, parts=None, **options):
    with ft.ReviewPage(pipeline(folder, items, **(parts or {})), by="anna") as page:
        page.settle()
        with visited(chromium, page, **options) as tab:
            yield tab, ft.Decisions(folder / "review.jsonl"), page


def at(tab, question: str) -> None:
    expect(tab.locator("#question")).to_contain_text(question)


def saved(tab, text: str = "Saved") -> None:
    expect(tab.locator("#saved")).to_contain_text(text)


class TestKeys:
    def test_one_key_accepts_and_the_next_pair_is_there(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, decisions, _):
            at(tab, "number 0")
            for n in range(3):
                tab.keyboard.press("a")
                at(tab, f"number {n + 1}")
            saved(tab)
            assert [d.pair for d in decisions.since(0)] == [f"discord:{1000 + n}" for n in range(3)]
            expect(tab.locator("#progress")).to_contain_text("3 of 6 decided")

    def test_no_key_decides_about_a_pair_that_is_not_there_yet(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(60)) as (tab, decisions, _):
            for n in range(25):
                tab.keyboard.press("a")
                if n % 5 == 4:
                    tab.keyboard.press("d")
                    tab.keyboard.press("3")
            saved(tab)
            # No one types like that. What is too early counts for nothing, and not for the pair before.
            found = decisions.since(0)
            assert len({d.pair for d in found}) == len(found) > 3
            assert {d.reason for d in found} <= {"", "off topic"}

    def test_next_and_previous_stay_inside_the_list(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(3)) as (tab, decisions, _):
            for key, place in zip("jjjkkk", (1, 2, 2, 1, 0, 0), strict=True):
                tab.keyboard.press(key)
                at(tab, f"number {place}")
            assert decisions.revision == 0

    def test_a_drop_needs_a_reason_and_can_be_given_in_words(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, decisions, _):
            tab.keyboard.press("d")
            expect(tab.locator("#why-drop")).to_be_visible()
            tab.keyboard.press("Escape")
            expect(tab.locator("#why-drop")).not_to_be_visible()
            tab.keyboard.press("d")
            tab.fill("#reason", "  ")
            tab.keyboard.press("Enter")
            expect(tab.locator("#why-drop")).to_be_visible()
            tab.fill("#reason", "about 3 other things")
            tab.keyboard.press("Enter")
            at(tab, "number 1")
            saved(tab)
            assert [(d.action, d.reason) for d in decisions.since(0)] == [("drop", "about 3 other things")]

    def test_letters_in_a_field_are_letters(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, decisions, _):
            tab.keyboard.press("/")
            tab.keyboard.type("ajduekq?")
            assert tab.input_value("#search") == "ajduekq?"
            tab.keyboard.press("Control+a")
            tab.keyboard.press("Delete")
            tab.keyboard.press("Escape")
            at(tab, "number 0")
            expect(tab.locator("#pair")).to_be_focused()
            assert decisions.revision == 0

    def test_the_search_is_left_where_nothing_fits(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, _, __):
            tab.keyboard.press("/")
            tab.keyboard.type("ajduekq?")
            expect(tab.locator("#empty")).to_be_visible()
            tab.keyboard.press("Control+a")
            tab.keyboard.press("Delete")
            tab.keyboard.press("Escape")
            expect(tab.locator("#pair")).to_be_focused()

    def test_a_similar_pair_is_merged_with_two_keys(self, chromium, tmp_path):
        items = [
            pair("How do I draw a red sphere?", "So.", confidence=0.5),
            pair("how can I draw a sphere that is red", "Like this.", confidence=0.6),
        ]
        with reviewing(chromium, tmp_path, items) as (tab, decisions, _):
            expect(tab.locator("#similar")).to_contain_text("that is red")
            tab.keyboard.press("m")
            tab.keyboard.press("1")
            saved(tab)
            assert decisions.of(items[0]).into == items[1].id

    def test_help_lists_every_key(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, _, __):
            tab.keyboard.press("?")
            told = tab.inner_text("#help dl")
            keys = tab.eval_on_selector_all(
                "[aria-keyshortcuts]", "(all) => all.map((e) => e.getAttribute('aria-keyshortcuts'))"
            )
            assert len(keys) > 8
            assert all(key in told for key in keys if key != "?")
            tab.keyboard.press("Escape")
            expect(tab.locator("#help")).not_to_be_visible()

    def test_after_the_last_pair_it_says_so(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(2)) as (tab, decisions, _):
            tab.keyboard.press("j")
            at(tab, "number 1")
            tab.keyboard.press("a")
            at(tab, "number 0")  # which was passed over
            tab.keyboard.press("a")
            expect(tab.locator("#empty")).to_contain_text("All pairs are decided")
            saved(tab)
            tab.keyboard.press("u")
            at(tab, "number 0")
            saved(tab, "Undone")
            assert decisions.of("discord:1000") is None
            assert decisions.of("discord:1001").action == "accept"


class TestEditing:
    def test_an_edited_answer_and_question_are_saved_and_undone(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, decisions, _):
            tab.keyboard.press("e")
            tab.fill("#answer textarea", "Call `draw()`.\nThen wait.")
            tab.keyboard.press("Control+Enter")
            at(tab, "number 1")
            tab.keyboard.press("k")
            at(tab, "number 0")
            expect(tab.locator("#answer")).to_have_text("Call `draw()`.\nThen wait.")
            expect(tab.locator("#status")).to_contain_text("corrected")
            tab.keyboard.press("q")
            tab.fill("#question textarea", "How do I draw anything?")
            tab.click("#question .main")
            saved(tab)
            last = decisions.of("discord:1000")
            assert (last.question, last.answer) == ("How do I draw anything?", "Call `draw()`.\nThen wait.")
            tab.keyboard.press("u")
            at(tab, "number 0")
            saved(tab, "Undone")
            assert decisions.of("discord:1000").outcome == ("accept", "", last.answer, "")
            tab.keyboard.press("u")
            expect(tab.locator("#status")).to_have_text("undecided")
            expect(tab.locator("#answer")).to_have_text("Call `draw(0)`.")
            assert decisions.of("discord:1000") is None

    def test_what_is_typed_while_the_pair_is_fetched_once_more_stays(self, chromium, tmp_path):
        """Someone else decides about the pair, so it is fetched again; meanwhile a correction is typed."""
        with reviewing(chromium, tmp_path, pairs(), expected=("409",)) as (tab, decisions, _):
            at(tab, "number 0")
            held: list = []
            tab.route("**/pair?*discord%3A1000", lambda route: held.append(route))  # noqa: PLW0108  (playwright sets an attribute on it)
            decisions.accept(pairs()[0], by="bert")
            while not held:
                tab.wait_for_timeout(20)
            tab.keyboard.press("q")
            tab.fill("#question textarea", "How do I draw anything?")
            with tab.expect_response("**/pair?*discord%3A1000"):
                held.pop().continue_()
            tab.unroute("**/pair?*discord%3A1000")
            tab.wait_for_timeout(100)
            expect(tab.locator("#question textarea")).to_have_value("How do I draw anything?")
            tab.keyboard.press("Control+Enter")
            expect(tab.locator("#notice")).to_contain_text("bert decided in the meantime")
            tab.keyboard.press("Enter")
            saved(tab, "Saved: corrected")
            assert decisions.of("discord:1000").question == "How do I draw anything?"

    def test_after_a_reload_the_decision_about_the_pair_is_undone(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, decisions, _):
            tab.keyboard.press("a")
            saved(tab)
            tab.reload()
            tab.select_option("#state", "decided")
            expect(tab.locator("#status")).to_contain_text("accepted")
            tab.press("#state", "Escape")
            tab.keyboard.press("u")
            expect(tab.locator("#status")).to_have_text("undecided")
            saved(tab, "Undone")
            assert decisions.of("discord:1000") is None

    def test_the_prompt_follows_the_question(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, _, __):
            expect(tab.locator("#prompt")).to_contain_text("number 0")
            tab.keyboard.press("q")
            tab.fill("#question textarea", "What is new?")
            tab.keyboard.press("Control+Enter")
            at(tab, "number 1")
            tab.keyboard.press("k")
            expect(tab.locator("#prompt")).to_contain_text("What is new?")

    def test_what_was_typed_is_kept_when_someone_leaves(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, decisions, _):
            tab.keyboard.press("e")
            tab.fill("#answer textarea", "Half a")
            tab.keyboard.press("Escape")
            expect(tab.locator("#answer")).to_have_text("Call `draw(0)`.")
            tab.keyboard.press("j")
            at(tab, "number 1")
            tab.keyboard.press("k")
            at(tab, "number 0")
            tab.keyboard.press("e")
            assert tab.input_value("#answer textarea") == "Half a"
            assert decisions.revision == 0
            tab.fill("#answer textarea", "Call `draw(0)`.")
            tab.keyboard.press("Control+Enter")
            assert decisions.revision == 0

    def test_a_text_that_is_refused_is_not_lost(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(), expected=["422"]) as (tab, decisions, _):
            tab.keyboard.press("e")
            tab.evaluate("document.querySelector('#answer textarea').value = 'a\\u0001b'")
            tab.keyboard.press("Control+Enter")
            saved(tab, "U+0001")
            at(tab, "number 0")
            assert tab.input_value("#answer textarea") == "a\x01b"
            tab.fill("#answer textarea", "ab")
            tab.keyboard.press("Control+Enter")
            saved(tab, "Saved")
            assert decisions.of("discord:1000").answer == "ab"

    def test_an_empty_text_is_not_saved(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, decisions, _):
            tab.keyboard.press("e")
            tab.fill("#answer textarea", " ")
            tab.keyboard.press("Control+Enter")
            saved(tab, "empty text")
            assert tab.input_value("#answer textarea") == " "
            assert decisions.revision == 0


class TestTwoWindows:
    def test_a_decision_in_one_is_seen_in_the_other(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, _, page):
            other = tab.context.new_page()
            other.goto(page.url.partition("#")[0])  # the session is the browser's
            at(other, "number 0")
            tab.keyboard.press("a")
            expect(other.locator("#status")).to_contain_text("accepted")
            saved(other, "elsewhere")
            expect(other.locator("#progress")).to_contain_text("1 of 6")

    def test_an_older_view_overwrites_nothing_and_can_be_saved_again(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(), expected=["409"]) as (tab, decisions, _):
            tab.keyboard.press("e")
            tab.fill("#answer textarea", "Mine.")
            decisions.drop(pairs()[0], reason="wrong", by="ben")
            tab.keyboard.press("Control+Enter")
            expect(tab.locator("#notice")).to_contain_text("ben decided in the meantime: dropped (wrong)")
            expect(tab.locator("#notice .mine")).to_have_text("Mine.")
            at(tab, "number 0")
            tab.keyboard.press("a")  # meant for another pair
            saved(tab, "First choose")
            assert [d.by for d in decisions.since(0)] == ["ben"]
            tab.keyboard.press("Enter")
            at(tab, "number 1")
            saved(tab)
            assert decisions.of("discord:1000").answer == "Mine."
            assert [d.by for d in decisions.since(0)] == ["ben", "anna"]

    def test_the_decision_of_the_other_can_be_kept(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(), expected=["409"]) as (tab, decisions, _):
            decisions.drop(pairs()[0], reason="wrong", by="ben")
            tab.keyboard.press("a")
            expect(tab.locator("#notice")).to_be_visible()
            tab.keyboard.press("Escape")
            at(tab, "number 1")
            expect(tab.locator("#notice")).not_to_be_visible()
            tab.keyboard.press("a")
            saved(tab)
            assert [(d.pair, d.by) for d in decisions.since(0)] == [
                ("discord:1000", "ben"),
                ("discord:1001", "anna"),
            ]

    def test_undo_does_not_undo_what_another_decided_since(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(), expected=["409"]) as (tab, decisions, _):
            tab.keyboard.press("a")
            saved(tab)
            decisions.drop(pairs()[0], reason="wrong", by="ben")
            tab.keyboard.press("u")
            expect(tab.locator("#notice")).to_contain_text("ben decided")
            assert decisions.of("discord:1000").action == "drop"
            tab.keyboard.press("Escape")
            assert decisions.of("discord:1000").action == "drop"

    def test_decisions_wait_while_the_page_does_not_answer(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(), expected=["ERR_"]) as (tab, decisions, _):
            tab.wait_for_load_state("networkidle")
            tab.context.set_offline(True)
            tab.keyboard.press("a")
            saved(tab, "1 decision waiting")
            assert decisions.revision == 0
            tab.context.set_offline(False)
            expect(tab.locator("#saved")).to_contain_text("Saved: accepted")
            assert decisions.of("discord:1000").action == "accept"

    def test_without_the_token_there_is_only_an_explanation(self, chromium, tmp_path):
        with ft.ReviewPage(pipeline(tmp_path, pairs())) as page:
            context = chromium.new_context()
            tab = context.new_page()
            tab.goto(page.url.partition("#")[0])
            expect(tab.locator("#empty")).to_contain_text("open the address that is printed now")
            assert "draw" not in tab.content()
            tab.goto("about:blank")
            tab.goto(page.url)
            at(tab, "number 0")
            assert tab.url == page.url.partition("#")[0]  # the token is not in the history
            tab.reload()
            at(tab, "number 0")
            context.close()


class TestFinding:
    def test_search_and_filters_narrow_the_list_and_widen_it_again(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs(12)) as (tab, _, __):
            where = tab.locator("#where")
            expect(where).to_have_text("Pair 1 of 12")
            tab.keyboard.press("/")
            tab.keyboard.type("draw(7)")
            at(tab, "number 7")
            expect(where).to_have_text("Pair 1 of 1")
            tab.fill("#search", "no such words")
            expect(tab.locator("#empty")).to_contain_text("No pair fits")
            tab.fill("#search", "")
            expect(where).to_contain_text("of 12")
            tab.select_option("#channel", "#chat")
            expect(where).to_contain_text("of 6")
            tab.select_option("#channel", "")
            tab.fill("#least", "0.6")
            tab.fill("#most", "0.7")
            tab.press("#most", "Enter")
            expect(where).to_contain_text("of 3")
            expect(tab.locator("#confidence")).to_contain_text("0.6")
            tab.fill("#least", "0")
            tab.fill("#most", "1")
            tab.press("#most", "Enter")
            expect(where).to_contain_text("of 12")
            tab.keyboard.press("a")
            saved(tab)
            tab.select_option("#state", "accepted")
            expect(where).to_have_text("Pair 1 of 1")
            expect(tab.locator("#status")).to_have_text("accepted by anna")

    def test_evidence_messages_and_prompt_are_shown(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path) as (tab, _, __):
            expect(tab.locator("#why li").first).to_be_visible()
            expect(tab.locator("#around .question").first).to_be_visible()
            expect(tab.locator("#around .answer").first).to_be_visible()
            expect(tab.locator("#prompt pre")).to_be_visible()
            expect(tab.locator("#confidence")).to_have_text(re.compile(r"Confidence 0\.\d\d"))


class TestEveryone:
    # Colours depend on the theme and layout on the width, so each theme is seen narrow and wide.
    @pytest.mark.parametrize(
        ("width", "theme"), [(320, "light"), (768, "dark"), (1280, "light"), (2560, "dark")]
    )
    def test_it_fits_and_has_no_serious_fault(self, chromium, tmp_path, width, theme):
        from axe_playwright_python.sync_playwright import Axe

        with reviewing(chromium, tmp_path, width=width, theme=theme) as (tab, _, __):

            def look() -> None:
                assert tab.evaluate("document.documentElement.scrollWidth") <= width
                faults = Axe().run(tab).response["violations"]
                serious = [f for f in faults if f["impact"] in ("serious", "critical")]
                assert not serious, [(f["id"], [n["html"] for n in f["nodes"][:3]]) for f in serious]

            look()
            for key in ("e", "d", "?"):
                tab.keyboard.press(key)
                look()
                tab.keyboard.press("Escape")
            tab.keyboard.press("d")
            tab.keyboard.press("1")
            saved(tab)
            tab.keyboard.press("k")
            expect(tab.locator("#status")).to_contain_text("dropped")
            look()

    def test_a_theme_can_be_chosen_and_stays(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, _, __):
            ground = "getComputedStyle(document.body).backgroundColor"
            light = tab.evaluate(ground)
            tab.click("#theme")
            tab.click("#theme")
            assert tab.inner_text("#theme") == "Theme: dark"
            assert tab.evaluate(ground) != light
            tab.reload()
            assert tab.evaluate(ground) != light

    def test_every_stop_of_the_tab_key_can_be_seen(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path) as (tab, _, __):
            seen = set()
            for _ in range(25):
                tab.keyboard.press("Tab")
                name, style = tab.evaluate(
                    "[document.activeElement.tagName + '#' + document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
                )
                seen.add(name)
                assert name in ("BODY#", "ARTICLE#pair") or style in ("solid", "auto"), name
            assert {"BUTTON#accept", "INPUT#search", "BUTTON#theme"} <= seen

    def test_saved_is_said_aloud_and_the_place_is_read(self, chromium, tmp_path):
        with reviewing(chromium, tmp_path, pairs()) as (tab, _, __):
            tab.keyboard.press("a")
            saved(tab)
            assert tab.get_attribute("#saved", "role") == "status"
            assert tab.evaluate("document.activeElement.id") == "pair"
            assert tab.get_attribute("#pair", "aria-labelledby") == "where"

    def test_hostile_texts_stay_texts(self, chromium, tmp_path):
        items = [
            pair(
                f"how {HOSTILE}?",
                HOSTILE,
                id=f"x:{HOSTILE}{n}",
                confidence=0.5,
                tags=(HOSTILE,),
                source=ft.Source(channel=str(n), channel_name=HOSTILE + str(n)),
            )
            for n in range(2)
        ]
        with reviewing(chromium, tmp_path, items) as (tab, decisions, _):
            expect(tab.locator("#question")).to_contain_text("<script>alert(1)</script>")
            expect(tab.locator("#question .control").first).to_have_text("U+202E")
            kinds = set(tab.eval_on_selector_all("main *, dialog *", "(all) => all.map((e) => e.localName)"))
            assert not {"script", "img", "svg", "iframe", "style"} & kinds
            assert not re.search("[\u202a-\u202e\u2066-\u2069]", tab.inner_text("main"))
            tab.keyboard.press("m")
            tab.keyboard.press("1")
            saved(tab)
            assert decisions.revision == 1
