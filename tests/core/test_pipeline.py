"""How the parts work together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

import furytune as ft
from furytune.errors import (
    ConfigError,
    CurationError,
    ExportError,
    PluginError,
    SourceError,
    TuningError,
)
from furytune.plugins import load, names
from furytune.protocols import Augmenter, Collector, Exporter, Tuner
from furytune.records import Estimate, Passage
from furytune.report import compare
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
        return attrs.evolve(p, answer=p.answer.upper())

    def no_draw(p):
        return ft.Dropped(reason="own:no_draw", ids=(p.id,)) if "draw" in p.question else p

    lost = ft.Dropped(reason="no_reply", unit="message", count=40, where="help.json")
    run = pipeline(
        collector=ListCollector([*PAIRS, lost]),
        curators=[no_draw, shout],
        exporter=ft.JsonlExporter(tmp_path / "a.jsonl"),
    ).run()
    counts = run.report.counts
    assert (counts.messages, counts.messages_used, counts.pairs, counts.rows) == (43, 3, 2, 1)
    assert counts.edited_answers == {"shout": 1}
    shown = str(run.report)
    for word in ("no_reply", "no_draw", "40", "a.jsonl", "shout (1)"):
        assert word in shown
    assert "pip" not in shown.lower()


def test_the_pipeline_itself_notes_which_steps_edited_an_answer() -> None:
    def silent(p):
        return attrs.evolve(p, answer=p.answer + "!")

    def boastful(p):
        return attrs.evolve(p, edits=(*p.edits, "boastful", "more"))

    def forgetful(p):
        return attrs.evolve(p, answer=p.answer.upper(), edits=())

    given = attrs.evolve(PAIRS[0], edits=("earlier",))
    curated = pipeline(collector=ListCollector([given]), curators=[silent, boastful, forgetful])
    (kept,) = curated.pairs()
    assert (kept.answer, kept.edits) == ("WITH PIP!", ("earlier", "silent", "forgetful"))
    assert curated.run().report.counts.edited_answers == {"forgetful": 1, "silent": 1}


def test_a_step_with_start_begins_anew_each_time() -> None:
    class First:
        def start(self):
            seen = []

            def act(p):
                seen.append(p)
                return p if len(seen) == 1 else ft.Dropped(reason="own:late", ids=(p.id,))

            return act

    once = pipeline(curators=First())
    assert [p.answer for p in once.pairs()] == [p.answer for p in once.pairs()] == ["with pip"]


@pytest.mark.parametrize(
    "result", [None, True, ft.Dropped(reason="own:x", unit="message"), ft.Dropped(reason="own:x", count=2)]
)
def test_a_step_that_gives_something_else_is_named_and_nothing_is_written(tmp_path, result) -> None:
    def odd(p):
        return p if p is PAIRS[0] else result

    with pytest.raises(CurationError, match=f"the step odd .* {PAIRS[1].id}"):
        pipeline(curators=[odd], exporter=ft.JsonlExporter(tmp_path / "a.jsonl")).run()
    assert list(tmp_path.iterdir()) == []


def test_no_row_is_an_error_that_leaves_the_old_data_set(tmp_path) -> None:
    good = pipeline(exporter=ft.JsonlExporter(tmp_path / "a.jsonl"))
    good.run()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(ExportError, match="no row to export.*2 pairs came in; dropped: 2 pair own:no"):
        good.evolve(curators=[lambda p: ft.Dropped(reason="own:no", ids=(p.id,))]).run()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("one", ["a.jsonl", "b.validation.jsonl"])
def test_two_exporters_never_write_one_file(tmp_path, one) -> None:
    with pytest.raises(ConfigError, match="two exporters would write"):
        pipeline(exporter=[ft.JsonlExporter(tmp_path / n) for n in (one, "a.jsonl", "b.jsonl")])


def test_people_keep_their_numbers_in_the_answer() -> None:
    said = pair("who broke it, <@8> or <@9>?", "ask <@9>, not <@7>")
    (row,) = pipeline(collector=ListCollector([said])).rows()
    assert row.prompt.text == "who broke it, @user1 or @user2?"
    assert row.answer == "ask @user2, not @user3"


def test_a_row_says_for_which_moment_it_was_rendered(tmp_path) -> None:
    """A pair without a date sees no dated passage. Its row has the moment, so the prompt can be rendered again."""
    dated = Passage(id="d", text="install", date=datetime(2020, 1, 1, tzinfo=UTC))
    late = attrs.evolve(PAIRS[0], id="late", asked_at=datetime(2021, 1, 1, tzinfo=UTC))
    one = pipeline(
        collector=ListCollector([PAIRS[0], late]),
        augmenter=MemoryAugmenter([dated]),
        exporter=ft.JsonlExporter(tmp_path / "a.jsonl"),
    )
    undated, known = one.rows()
    assert (undated.prompt.passages, known.prompt.passages) == ((), (dated,))
    for row in (undated, known):
        assert one.contract.prompt(PAIRS[0].question, at=row.at) == row.prompt
    manifest = json.loads(Path(one.run().datasets[0].manifest).read_bytes())
    assert [datetime.fromisoformat(s["at"]) for s in manifest["sources"]] == [undated.at, known.at]


def test_a_conversation_is_never_on_both_sides() -> None:
    many = [attrs.evolve(pair(f"q{n}", "a"), id=str(n), group=f"g{n % 40}") for n in range(400)]
    sides = {}
    for row in pipeline(collector=ListCollector(many), splitter=ft.GroupSplitter(0.5)).rows():
        sides.setdefault(row.group, set()).add(row.split)
    assert {len(side) for side in sides.values()} == {1}
    assert {next(iter(side)) for side in sides.values()} == {"train", "validation"}


@pytest.mark.parametrize("field", ["id", "group", "question"])
def test_a_step_may_change_only_the_answer(field) -> None:
    def meddle(p):
        return attrs.evolve(p, **{field: "other"})

    with pytest.raises(CurationError, match="meddle"):
        list(pipeline(curators=[meddle]).pairs())


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"collector": None}, "needs a collector"),
        ({"collector": "exports/"}, "str is not a collector"),
        ({"exporter": "train.jsonl"}, "str is not an exporter"),
        ({"augmenter": "corpus"}, "str is not an augmenter"),
        ({"curators": [3]}, "int is not a curation step"),
        ({"collector": ft.DiscordExportCollector}, "not a collector"),
        ({"augmenter": ft.IdentityAugmenter}, "not an augmenter"),
        ({"curators": [ft.Deduplicate]}, "not a curation step"),
        ({"template": "x {question}"}, "template must be of type PromptTemplate or None"),
        ({"budget": 4000}, "budget must be of type TokenBudget or None, not 4000"),
        ({"splitter": 0.2}, "such as GroupSplitter"),
        ({"normalizer": None}, "normalizer must be of type Normalizer, not a NoneType"),
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


def test_a_question_that_is_too_long_is_dropped_alone() -> None:
    long = pair("how " * 500, "x")
    run = pipeline(collector=ListCollector([PAIRS[0], long, PAIRS[1]]), budget=ft.TokenBudget(60)).run()
    assert run.report.counts.rows == 2
    assert [drop.as_json() for drop in run.report.counts.dropped] == [
        {"unit": "pair", "reason": "question_too_long", "count": 1, "examples": [long.id]}
    ]


def test_a_tuner_gets_the_data_set_once(tmp_path) -> None:
    tuner = MemoryTuner()
    tuned = pipeline(exporter=ft.JsonlExporter(tmp_path / "a.jsonl"), tuner=tuner)
    first, again = tuned.run(), tuned.run()
    assert first.job == again.job
    assert len(tuner.jobs) == 1
    assert first.job.fingerprint == first.contract.fingerprint


def test_a_tuner_gets_the_data_set_of_its_dialect(tmp_path) -> None:
    class Choosy(MemoryTuner):
        dialect = "openai"

        def submit(self, dataset, *, key):
            assert dataset.dialect == "openai"
            return super().submit(dataset, key=key)

    exporters = [ft.CsvExporter(tmp_path / "a.csv"), ft.JsonlExporter(tmp_path / "b.jsonl", dialect="openai")]
    assert pipeline(exporter=exporters, tuner=Choosy()).run().job.state == "running"


def test_a_data_set_with_problems_is_not_submitted(tmp_path) -> None:
    class Picky(MemoryTuner):
        def estimate(self, dataset):
            return Estimate(problems=("row 3 is too long",))

    tuner = Picky()
    with pytest.raises(TuningError, match="row 3 is too long"):
        pipeline(exporter=ft.JsonlExporter(tmp_path / "a.jsonl"), tuner=tuner).run()
    assert tuner.jobs == {}


def test_public_names_are_complete_and_sorted() -> None:
    assert ft.__all__ == sorted(ft.__all__)
    assert ft.__all__ == sorted(ft._HOME)
    assert set(ft.__all__) <= set(dir(ft))
    for name in ft.__all__:
        assert getattr(ft, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ft.nothing


def test_built_in_parts_are_entry_points() -> None:
    assert names("collectors") == [
        "csv",
        "discord",
        "discord-export",
        "discourse",
        "feedback",
        "forum",
        "github-discussions",
        "journal",
        "jsonl",
        "mattermost-export",
        "slack-export",
        "zulip-export",
    ]
    assert names("augmenters") == ["identity", "rag"]
    assert load("exporters", "jsonl") is ft.JsonlExporter
    assert load("collectors", "discord-export") is ft.DiscordExportCollector
    assert names("tuners") == ["gemini"]
    with pytest.raises(PluginError, match="installed: csv, jsonl"):
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

    with pytest.raises(AssertionError, match="find the same|found twice|older|remembers"):
        check_augmenter(Broken)


class Told(ListCollector):
    """A collector that learns the origin of its data while it reads."""

    read = 0

    def collect(self):
        for item in self.items:
            type(self).read += 1
            yield item

    @property
    def provenance(self):
        return {"collector": "told", "read": self.read, "permission": ({"statement": "yes"},)}


def test_provenance_is_read_after_the_last_pair(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Told, "read", 0)
    parts = pipeline(
        collector=[Told(PAIRS[:1]), ListCollector(PAIRS[1:])],
        exporter=[ft.JsonlExporter(tmp_path / "a.jsonl"), ft.CsvExporter(tmp_path / "a.csv")],
    )
    run = parts.run()
    for dataset in run.datasets:
        manifest = json.loads(Path(dataset.manifest).read_bytes())
        assert manifest["provenance"] == [
            {"collector": "told", "permission": [{"statement": "yes"}], "read": 1}
        ]
        assert ft.load_dataset(dataset.manifest) == dataset


def test_collectors_without_provenance_leave_it_out_of_the_manifest(tmp_path) -> None:
    run = pipeline(exporter=ft.JsonlExporter(tmp_path / "a.jsonl")).run()
    assert "provenance" not in json.loads(Path(run.datasets[0].manifest).read_bytes())


@pytest.mark.parametrize("told", ["a text", {"a": {1, 2}}, {"a": float("nan")}, {"a": "\ud800"}, None])
def test_provenance_that_is_not_json_is_refused_by_name(tmp_path, monkeypatch, told) -> None:
    monkeypatch.setattr(Told, "provenance", told)
    with pytest.raises(SourceError, match="Told.provenance"):
        pipeline(collector=Told(PAIRS), exporter=ft.JsonlExporter(tmp_path / "a.jsonl")).run()
    assert list(tmp_path.iterdir()) == []


def test_the_report_lists_unread_channels_with_reasons() -> None:
    def unread(n, reason):
        return ft.Dropped(
            reason=reason, unit="channel", ids=(str(n),), where=f"#c{n}", detail="needs Read Message History"
        )

    items = [*PAIRS, *(unread(n, "no_permission") for n in range(25)), unread(99, "hidden")]
    items.append(ft.Dropped(reason="gone", unit="channel", ids=("77",)))
    report = pipeline(collector=ListCollector(items)).run().report
    text = str(report)
    assert "not read  #c0: no_permission (needs Read Message History)" in text
    assert text.count(": no_permission (needs") == 20
    assert "not read  and 5 more: no_permission" in text
    assert "not read  #c99: hidden (needs Read Message History)" in text
    assert "not read  77: gone" in text
    dropped = {d.reason: d for d in report.counts.dropped}
    assert dropped["no_permission"].count == 25
    assert dropped["no_permission"].examples == tuple(str(n) for n in range(20))


def test_runs_with_and_without_chat_in_prompts_have_the_same_pairs(tmp_path) -> None:
    """The manifest lists the messages that passages quote, but the pairs stay the same."""
    chat = Passage(
        id="chat:discord:1235174400000000000",
        text="how to install it",
        source="discord:1/7/1235174400000000000,1235174650000000000",
        date=datetime(2020, 1, 1, tzinfo=UTC),
    )
    asked = [attrs.evolve(p, asked_at=datetime(2024, 1, 1, tzinfo=UTC)) for p in PAIRS]
    one = pipeline(
        collector=ListCollector(asked),
        augmenter=MemoryAugmenter([chat]),
        template=TEMPLATE,
        exporter=ft.JsonlExporter(tmp_path / "rag.jsonl"),
    )
    two = one.evolve(augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(tmp_path / "plain.jsonl"))
    runs = {"rag": one.run(), "plain": two.run()}
    sources = json.loads(Path(runs["rag"].datasets[0].manifest).read_bytes())["sources"]
    assert sources[0]["quoted"] == ["1235174400000000000", "1235174650000000000"]
    same = compare({name: run.report for name, run in runs.items()}).splitlines()[1]
    assert same.split() == ["same", "pairs", "yes", "yes"]
