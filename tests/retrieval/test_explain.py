"""Explains why a prompt contains its passages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from models import static_model

from furytune.augmenters.embedders import StaticEmbedder
from furytune.augmenters.identity import IdentityAugmenter
from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.budget import TokenBudget
from furytune.contract import PromptContract
from furytune.errors import TextError
from furytune.explanation import Explaining
from furytune.pipeline import Pipeline
from furytune.records import Passage, QAPair
from furytune.template import PromptTemplate
from furytune.testing.memory import ListCollector

DAY = datetime(2024, 1, 1, tzinfo=UTC)
TEMPLATE = PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}")


@pytest.fixture
def path(tmp_path):
    made = [
        Passage(id="a", text="sphere sphere opacity", title="actor.sphere", source="a.py:1-2"),
        Passage(id="b", text="sphere and cube and many other words", source="b.py:3"),
        Passage(id="c", text="sphere of a later day", date=DAY),
        Passage(id="d", text="cube only"),
        Passage(id="e", text="sphere <script>alert('x')</script> & more", title="<b>bold</b>"),
    ]
    build_index(tmp_path / "c.lance", made, embedder=StaticEmbedder(static_model(tmp_path / "m")))
    return tmp_path / "c.lance"


def contract(path, k=2, budget=None, **more):
    return PromptContract(template=TEMPLATE, augmenter=RagAugmenter(path, k=k, **more), budget=budget)


class TestExplanation:
    @pytest.mark.parametrize("at", [DAY, DAY + timedelta(days=1)])
    @pytest.mark.parametrize("mode", ["lexical", "vector", "hybrid"])
    def test_its_prompt_is_the_prompt(self, path, at, mode):
        more = {} if mode == "lexical" else {"mode": mode, "embedder": StaticEmbedder(path.parent / "m")}
        made = contract(path, **more)
        told = made.explain("sphere opacity?", at=at)

        assert told.prompt == made.prompt("sphere opacity?", at=at)
        assert told.prompt.text in str(told)
        assert [f.passage for f in told.findings if f.fate == "prompt"] == list(told.prompt.passages)

    def test_it_gives_the_fate_of_each_passage(self, path):
        whole = contract(path, k=2).prompt("sphere opacity", at=DAY)
        budget = TokenBudget(TokenBudget(10**6).count(whole.text) - 1)
        told = contract(path, k=2, budget=budget).explain("sphere opacity", at=DAY)
        fates = {f.passage.id: f.fate for f in told.findings}

        first, second = (p.id for p in whole.passages)
        rest = dict.fromkeys({"a", "b", "e"} - {first, second}, "beyond_k")
        assert fates == {first: "prompt", second: "budget", "c": "later", **rest}
        for words in ("in the prompt", "token budget", "not among the k best", "dated at or after"):
            assert words in str(told)

    def test_scores_and_ranks_match_each_ranking(self, path):
        model = StaticEmbedder(path.parent / "m")
        told = contract(path, k=5, mode="hybrid", embedder=model).explain("sphere opacity", at=DAY)
        for name, part in (
            ("words", RagAugmenter(path, k=5)),
            ("vectors", RagAugmenter(path, k=5, mode="vector", embedder=model)),
        ):
            order = [p.id for p in part.context("sphere opacity", at=DAY)]
            ranks = {
                f.passage.id: f.ranks[name] for f in told.findings if f.fate == "prompt" and f.ranks[name]
            }
            assert ranks == {i: n for n, i in enumerate(order, 1)}
        close = model.embed(["sphere opacity", "actor.sphere\nsphere sphere opacity"], kind="question")
        cosine = close[0] @ close[1] / (close[0] @ close[0] * (close[1] @ close[1])) ** 0.5
        best = next(f for f in told.findings if f.passage.id == "a")
        assert best.scores["vectors"] == pytest.approx(cosine, abs=0.01)
        assert list(best.scores) == ["words", "vectors", "together"]

    def test_the_notebook_view_escapes_markup(self, path):
        made = contract(path, k=4).explain("sphere <img src=x onerror=alert(1)>")
        tags, text = [], []

        class Reader(HTMLParser):
            def handle_starttag(self, tag, attrs):
                tags.append(tag)

            def handle_data(self, data):
                text.append(data)

        Reader().feed(made._repr_html_())
        assert not {"script", "img", "b"} & set(tags)
        assert made.prompt.text in "".join(text)
        assert "<b>bold</b>" in "".join(text)

    def test_it_does_not_show_the_question_in_its_repr(self, path):
        assert "canary" not in repr(contract(path).explain("sphere canary"))

    def test_without_a_moment_it_is_now(self, path):
        told = contract(path, k=9).explain("sphere")
        assert {f.fate for f in told.findings} == {"prompt"}
        assert abs(told.at - datetime.now(UTC)) < timedelta(minutes=1)

    def test_a_question_without_results_is_explained_too(self, path):
        told = contract(path).explain("zzz")
        assert told.findings == ()
        assert "zzz" in str(told)

    def test_a_question_without_a_prompt_raises_the_same_error(self, path):
        with pytest.raises(TextError):
            contract(path).explain(" ")

    def test_any_augmenter_can_be_explained(self, path):
        plain = PromptContract(template=PromptTemplate("{question}"), augmenter=IdentityAugmenter())
        assert plain.explain("why?").prompt == plain.prompt("why?")

        class Own:
            spec = {"name": "own"}
            snapshot = ""

            def context(self, question, *, at=None):
                return (Passage(id="x", text="of my own"),)

        assert not isinstance(Own(), Explaining)
        (finding,) = PromptContract(template=TEMPLATE, augmenter=Own()).explain("why?").findings
        assert (finding.passage.id, finding.fate) == ("x", "prompt")

    def test_a_pipeline_explains_by_its_contract(self, path):
        pair = QAPair(id="1", question="q", answer="a", group="g")
        pipeline = Pipeline(collector=ListCollector([pair]), augmenter=RagAugmenter(path), template=TEMPLATE)
        assert pipeline.explain("sphere", at=DAY) == pipeline.contract.explain("sphere", at=DAY)

    def test_a_re_ranked_passage_is_listed_as_found(self, path):
        class Last:
            depth = 4
            spec = {"name": "last", "depth": 4}

            def score(self, question, passage):
                return ord(passage.id[0])

        told = contract(path, k=1, rerank=Last()).explain("sphere", at=DAY)
        assert [f.passage.id for f in told.findings if f.fate == "prompt"] == ["e"]
        assert {"a", "b"} <= {f.passage.id for f in told.findings if f.fate == "beyond_k"}
