"""How the parts compose."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

import furytune as ft
from furytune.errors import ConfigError, CurationError, PluginError, TuningError
from furytune.plugins import load, names
from furytune.protocols import Augmenter, Collector, Exporter, Tuner
from furytune.records import Passage
from furytune.testing.conformance import check_augmenter, check_collector, check_exporter, check_tuner
from furytune.testing.memory import ListCollector, MemoryAugmenter, MemoryTuner, pair

PAIRS = [
    pair("how to install?", "with pip", question_messages=("1",), answer_messages=("2", "3")),
    pair("how to draw <@9>?", "ask <@9>"),
]
PASSAGES = [Passage(id="a", text="install with pip", title="Install")]
TEMPLATE = ft.PromptTemplate("Help.\n\nContext:\n{context}\n\nQuestion:\n{question}")


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def pipeline(**parts) -> ft.Pipeline:
    return ft.Pipeline(**{"collector": ListCollector(PAIRS), "splitter": ft.GroupSplitter(0), **parts})


def test_both_variants_come_from_one_pipeline(tmp_path) -> None:
    """Same pairs, ids and split; only the context differs."""
    rag = pipeline(
        augmenter=MemoryAugmenter(PASSAGES),
        template=TEMPLATE,
        exporter=ft.JsonlExporter(tmp_path / "rag.jsonl", dialect="plain"),
    )
    plain = rag.evolve(
        augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(tmp_path / "plain.jsonl", dialect="plain")
    )
    one, two = rag.run(), plain.run()
    assert rows(tmp_path / "rag.jsonl")[0] == {
        "input": "Help.\n\nContext:\n[1] Install\ninstall with pip\n\nQuestion:\nhow to install?",
        "output": "with pip",
    }
    assert [r["input"] for r in rows(tmp_path / "plain.jsonl")] == [
        "Help.\n\nQuestion:\nhow to install?",
        "Help.\n\nQuestion:\nhow to draw @user1?",
    ]
    assert rows(tmp_path / "plain.jsonl")[1]["output"] == "ask @user1"
    sources = [json.loads(Path(run.datasets[0].manifest).read_bytes())["sources"] for run in (one, two)]
    assert sources[0] == sources[1]
    assert one.contract.fingerprint != two.contract.fingerprint


def test_several_collectors_and_exporters_share_one_run(tmp_path) -> None:
    run = pipeline(
        collector=[ListCollector(PAIRS[:1]), ListCollector(PAIRS[1:])],
        exporter=[
            ft.JsonlExporter(tmp_path / "a.jsonl", dialect="openai"),
            ft.CsvExporter(tmp_path / "b.csv"),
        ],
    ).run()
    assert run.contract.dialects == ("openai", "plain")
    assert [d.rows for d in run.datasets] == [2, 2]
    texts = [r["messages"][0]["content"] for r in rows(tmp_path / "a.jsonl")]
    assert [f'"{t}",' in (tmp_path / "b.csv").read_text(encoding="utf-8") for t in texts] == [True, True]


def test_a_second_run_writes_the_same_bytes(tmp_path) -> None:
    one = pipeline(exporter=ft.JsonlExporter(tmp_path / "a.jsonl"))
    one.run()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    one.run()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_report_accounts_for_messages_pairs_edits_and_files(tmp_path) -> None:
    def shout(p):
        return attrs.evolve(p, answer=p.answer.upper(), edits=(*p.edits, "shout"))

    def no_draw(p):
        return ft.Dropped(reason="no_draw", ids=(p.id,)) if "draw" in p.question else p

    lost = ft.Dropped(reason="no_reply", unit="message", count=40, where="help.json")
    run = pipeline(
        collector=ListCollector([*PAIRS, lost]),
        curators=[no_draw, shout],
        exporter=ft.JsonlExporter(tmp_path / "a.jsonl"),
    ).run()
    counts = run.report.counts
    assert (counts["messages"], counts["messages_used"], counts["pairs"], counts["rows"]) == (43, 3, 2, 1)
    assert counts["edited_answers"] == {"shout": 1}
    shown = str(run.report)
    for word in ("no_reply", "no_draw", "40", "a.jsonl", "shout (1)"):
        assert word in shown
    assert "pip" not in shown.lower()


def test_a_step_with_fit_sees_all_pairs_first_and_a_step_with_start_begins_anew_each_time() -> None:
    class Longest:
        def fit(self, pairs):
            longest = max(len(p.answer) for p in pairs)
            return lambda p: p if len(p.answer) == longest else ft.Dropped(reason="short", ids=(p.id,))

    class First:
        def start(self):
            seen = []

            def act(p):
                seen.append(p)
                return p if len(seen) == 1 else ft.Dropped(reason="late", ids=(p.id,))

            return act

    assert [p.answer for p in pipeline(curators=Longest()).pairs()] == ["with pip", "ask <@9>"]
    once = pipeline(curators=[First()])
    assert [p.answer for p in once.pairs()] == [p.answer for p in once.pairs()] == ["with pip"]


@pytest.mark.parametrize("field", ["id", "group", "question"])
def test_a_step_may_change_nothing_but_the_answer(field) -> None:
    def meddle(p):
        return attrs.evolve(p, **{field: "other"})

    with pytest.raises(CurationError, match="meddle"):
        list(pipeline(curators=[meddle]).pairs())


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"collector": None}, "needs a collector"),
        ({"collector": "exports/"}, "str is no collector"),
        ({"exporter": "train.jsonl"}, "str is no exporter"),
        ({"augmenter": "corpus"}, "str is no augmenter"),
        ({"curators": [3]}, "int is no curation step"),
        ({"tuner": MemoryTuner()}, "a tuner needs an exporter"),
        ({"augmenter": MemoryAugmenter([]), "template": ft.PromptTemplate("{question}")}, "no {context}"),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_any_work(parts, says) -> None:
    with pytest.raises(ConfigError, match=says.replace("{", "\\{")):
        pipeline(**parts)


def test_without_template_the_built_in_one_fits_the_augmenter() -> None:
    assert pipeline().prompt("q").text == "q"
    text = pipeline(augmenter=MemoryAugmenter(PASSAGES)).prompt("install").text
    assert text.endswith("Context:\n[1] Install\ninstall with pip\n\nQuestion:\ninstall")


def test_a_question_too_long_is_dropped_by_name_and_its_neighbours_stay() -> None:
    long = pair("how " * 500, "x")
    run = pipeline(collector=ListCollector([PAIRS[0], long, PAIRS[1]]), budget=ft.TokenBudget(60)).run()
    assert run.report.counts["rows"] == 2
    assert run.report.counts["dropped"] == [
        {"unit": "pair", "reason": "question_too_long", "count": 1, "examples": [long.id]}
    ]


def test_a_tuner_gets_the_data_set_once(tmp_path) -> None:
    tuner = MemoryTuner()
    tuned = pipeline(exporter=ft.JsonlExporter(tmp_path / "a.jsonl"), tuner=tuner)
    first, again = tuned.run(), tuned.run()
    assert first.job == again.job
    assert len(tuner.jobs) == 1
    assert first.job.fingerprint == first.contract.fingerprint
    with pytest.raises(TuningError, match="there are no rows"):
        tuned.evolve(collector=ListCollector([])).run()


def test_public_names_are_complete_and_sorted() -> None:
    assert ft.__all__ == sorted(ft.__all__)
    assert ft.__all__ == sorted(ft._HOME)
    assert set(ft.__all__) <= set(dir(ft))
    for name in ft.__all__:
        assert getattr(ft, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ft.nothing


def test_built_ins_come_in_by_entry_points() -> None:
    assert names("collectors") == ["csv", "discord-export", "jsonl"]
    assert names("augmenters") == ["identity", "rag"]
    assert load("exporters", "jsonl") is ft.JsonlExporter
    assert load("collectors", "discord-export") is ft.DiscordExportCollector
    assert names("tuners") == ["gemini"]
    with pytest.raises(PluginError, match="known: csv, jsonl"):
        load("exporters", "parquet")


def test_the_parts_fit_their_protocols(tmp_path) -> None:
    assert isinstance(ft.JsonlExporter(tmp_path / "x.jsonl"), Exporter)
    assert isinstance(ft.IdentityAugmenter(), Augmenter)
    assert isinstance(ListCollector([]), Collector)
    assert isinstance(MemoryTuner(), Tuner)


def test_the_parts_keep_the_published_rules(tmp_path) -> None:
    check_augmenter(ft.IdentityAugmenter)
    check_augmenter(lambda: MemoryAugmenter(PASSAGES))
    check_collector(lambda: ListCollector(PAIRS))
    dataset = check_exporter(lambda folder: ft.JsonlExporter(folder / "t.jsonl"), tmp_path)
    (tmp_path / "csv").mkdir()
    check_exporter(lambda folder: ft.CsvExporter(folder / "t.csv"), tmp_path / "csv")
    jobs = {}
    check_tuner(lambda: MemoryTuner(jobs), dataset)


@pytest.mark.parametrize("broken", ["forgets", "repeats", "future"])
def test_the_published_rules_find_a_broken_augmenter(broken) -> None:
    @attrs.define
    class Broken:
        n: int = 0
        spec = {"name": "broken"}
        snapshot = ""

        def context(self, question, *, at=None):
            self.n += 1
            passage = attrs.evolve(PASSAGES[0], date=at)
            return {"forgets": PASSAGES[: self.n % 2], "repeats": PASSAGES * 2, "future": [passage]}[broken]

    with pytest.raises(AssertionError, match="find the same|found twice|older|memory"):
        check_augmenter(Broken)
