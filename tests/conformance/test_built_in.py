"""Every built-in part passes the checks for plugins."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import journals
import pytest
from forgetting_world import make_journal, uid
from models import static_model

import furytune as ft
from furytune._discord.journal.erasing import JournalPlace
from furytune.augmenters._index.erasing import IndexPlace
from furytune.dialects import DIALECTS
from furytune.exporters._writing.erasing import DatasetPlace
from furytune.pairing import ChatPairer, Conversation, Post, ReplyPairer, ThreadPairer
from furytune.records import Dataset, QAPair, TuningJob
from furytune.testing.conformance import (
    check_augmenter,
    check_collector,
    check_curator,
    check_embedder,
    check_exporter,
    check_model,
    check_pairer,
    check_place,
    check_splitter,
    check_tuner,
)
from furytune.testing.fake_chat import FakeChat
from furytune.testing.fake_developer_api import FakeDeveloperApi
from furytune.testing.fake_vertex import FakeVertex, fake_credentials
from furytune.testing.memory import ListCollector, MemoryAugmenter, MemoryTuner, pair

EXPORTS = Path(__file__).parents[2] / "examples" / "exports"
CHATS = EXPORTS.with_name("chats")


@pytest.fixture
def pairs(tmp_path) -> Path:
    (tmp_path / "pairs.csv").write_text(
        "question,answer\nhow?,so\nwhy is it red?,because\n", encoding="utf-8"
    )
    (tmp_path / "pairs.jsonl").write_text('{"prompt": "how do I?", "completion": "so"}\n', encoding="utf-8")
    return tmp_path


def test_the_discord_export_collector() -> None:
    files = [
        gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in EXPORTS.iterdir()
    ]
    said = sum(len(json.loads(content)["messages"]) for content in files)
    items = check_collector(
        lambda: ft.DiscordExportCollector(EXPORTS, author_key=b"k"), read={"message": said}
    )
    assert {i.method for i in items if isinstance(i, QAPair)} >= {"thread", "reply"}


@pytest.mark.parametrize(
    ("collector", "said"),
    [
        (lambda: ft.SlackExportCollector(CHATS / "slack", author_key=b"k"), 15),
        (lambda: ft.MattermostExportCollector(CHATS / "mattermost", author_key=b"k"), 10),
        (lambda: ft.ZulipExportCollector(CHATS / "zulip", author_key=b"k"), 8),
    ],
    ids=["slack", "mattermost", "zulip"],
)
def test_the_collectors_of_chat_exports(collector, said) -> None:
    items = check_collector(collector, read={"message": said})
    assert any(isinstance(item, QAPair) for item in items)


def test_the_table_collectors(pairs) -> None:
    assert len(check_collector(lambda: ft.CsvCollector(pairs / "pairs.csv"), read={"record": 2})) == 2
    assert len(check_collector(lambda: ft.JsonlCollector(pairs / "pairs.jsonl"), read={"record": 1})) == 1


def test_the_journal_collector(tmp_path) -> None:
    ft.JournalCollector(tmp_path / "j").adopt(EXPORTS)
    check_collector(lambda: ft.JournalCollector(tmp_path / "j"))


POSTS = [
    Post(id="1", speaker="ann", text="How do I make a sphere?", sent_at="2024-01-01T10:00:00+00:00"),
    Post(id="2", speaker="bob", text="Call `sphere`.", reply_to="1", sent_at="2024-01-01T10:01:00+00:00"),
    Post(id="3", speaker="ann", text="Thanks!", sent_at="2024-01-01T10:02:00+00:00"),
    Post(id="4", speaker="bot", text="beep", drop="bot", sent_at="2024-01-01T10:03:00+00:00"),
]


@pytest.mark.parametrize(
    ("pairer", "place"),
    [
        (ChatPairer(), Conversation(channel="7")),
        (ChatPairer(), Conversation(channel="7", thread="8", is_thread=True)),
        (ThreadPairer(), Conversation(channel="7", thread="8", is_thread=True)),
        (ReplyPairer(), Conversation(channel="7")),
    ],
)
def test_the_pairers(pairer, place) -> None:
    assert any(isinstance(i, QAPair) for i in check_pairer(pairer, POSTS, place))


KEY = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA" * 2


@pytest.mark.parametrize(
    "step",
    [
        ft.Deduplicate(),
        ft.NearDuplicates(),
        ft.NearDuplicates(action="group"),
        ft.RedactSecrets(),
        ft.AnswerLength(min=20),
        ft.MinConfidence(0.5),
        ft.CapPerAuthor(2),
        ft.CapPerLink(1),
        ft.LintAnswers(),
        ft.Languages("en"),
        ft.AnsweredBy("Helper"),
        ft.CheckCode("json"),
        ft.Fresh(ft.Releases({"1.0": "2024-01-01"}, package="lib"), since="1.0"),
    ],
    ids=lambda step: type(step).__name__,
)
def test_the_curation_steps(step) -> None:
    check_curator(
        step,
        [
            pair(
                "How do I read it?", "Call `json.loads(text)`, which gives a dict.", asker="a", answerer="b"
            ),
            pair("how do I read it", "Call `json.loads(text)`, which gives a dict.", id="2", answerer="b"),
            pair("Is there more?", "```python\nimport json\njson.loadz('1')\n```", id="3", answerer="b"),
            pair("And the key?", f"Take {KEY}, which is mine and works.", id="4", answerer="b"),
            pair("Short?", "yes", id="5", answerer="b"),
            pair("Does lib 0.9 have it?", "No, it came later than that.", id="6", answerer="b"),
        ],
    )


def test_the_decisions_of_people(tmp_path) -> None:
    pairs = [pair("How?", "So.", id="1"), pair("Why?", "So.", id="2"), pair("When?", "Now.", id="3")]
    decisions = ft.Decisions(tmp_path / "review.jsonl")
    decisions.question(pairs[0], "How do I draw?", by="anna")
    decisions.drop(pairs[1], reason="wrong", by="anna")

    first, second, third = check_curator(decisions, pairs)
    assert isinstance(first, QAPair)
    assert isinstance(second, ft.Dropped)
    assert (first.question, third) == ("How do I draw?", pairs[2])

    said = pair("How?", "So.", question_messages=(str(UID + 3),))
    decisions.answer(said, "Like so.")
    check_place(
        lambda: ft.Decisions(tmp_path / "review.jsonl"),
        message=str(UID + 3),
        content=lambda: everything_in(tmp_path),
    )


def test_the_models_and_the_judge_that_asks_one(tmp_path) -> None:
    with FakeChat(
        lambda text: '{"grade": "poor"}' if "short" in text.lower() else '{"grade": "good"}'
    ) as server:
        model = ft.ChatService(server.url).model("fake", temperature=0.0)
        check_model(model)
        step = ft.JudgePairs(model, cache=tmp_path / "grades")
        results = check_curator(step, [pair("How?", "So."), pair("Short?", "yes")])
    assert [isinstance(item, ft.Dropped) for item in results] == [False, True]
    with FakeDeveloperApi() as api:
        tuner = ft.GeminiTuner("m", api_key="key", endpoint=api.url, ledger=tmp_path / "jobs")
        check_model(tuner.base_model(model="gemini-3.1-flash-lite", temperature=0.0))


def test_the_splitter() -> None:
    check_splitter(ft.GroupSplitter(0.3), [f"g{n}" for n in range(100)])


def test_the_identity_and_the_memory_augmenter() -> None:
    check_augmenter(ft.IdentityAugmenter)
    check_augmenter(lambda: MemoryAugmenter([ft.Passage(id="a", text="install it with pip")]))


def test_the_static_embedder(tmp_path) -> None:
    check_embedder(ft.StaticEmbedder(static_model(tmp_path / "model")))


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    (tmp_path / "data").mkdir()
    run = ft.Pipeline(
        collector=ListCollector(
            [pair(f"How do I draw {n}?", "So.", question_messages=(str(UID + n),)) for n in range(40)]
        ),
        exporter=ft.JsonlExporter(tmp_path / "data" / "t.jsonl"),
    ).run()
    return run.datasets[0]


UID = 1235174400000000000


def test_the_tuners(tmp_path, dataset) -> None:
    jobs: dict[str, TuningJob] = {}
    check_tuner(lambda: MemoryTuner(jobs), dataset)
    with FakeVertex() as service:
        check_tuner(
            lambda: ft.GeminiTuner(
                "gemini-3.1-flash-lite",
                project="fury",
                bucket="gs://fury-tuning",
                ledger=tmp_path / "jobs",
                endpoint=service.url,
                credentials=fake_credentials(),
            ),
            dataset,
        )


def everything_in(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def test_the_places(tmp_path, dataset) -> None:
    data = tmp_path / "data"
    check_place(
        lambda: DatasetPlace(Path(dataset.manifest)),
        message=str(UID + 3),
        content=lambda: everything_in(data),
    )
    ft.build_index(
        tmp_path / "i.lance", [ft.Passage(id=f"chat:{UID + n}", text=f"text {n}") for n in range(9)]
    )
    check_place(
        lambda: IndexPlace(str(tmp_path / "i.lance")),
        message=str(UID + 3),
        content=lambda: everything_in(tmp_path / "i.lance"),
    )
    make_journal(tmp_path / "journal")
    check_place(
        lambda: JournalPlace(tmp_path / "journal"),
        message=uid(101),
        content=lambda: b"".join(
            line
            for log in journals.lines_of(tmp_path / "journal").values()
            for line in log.values()
            if b'"gone"' not in line
        ),
    )


def test_the_rag_augmenter(tmp_path) -> None:
    said = ft.Passage(id="chat", text="install it with conda", date=datetime(2020, 1, 1, tzinfo=UTC))
    ft.build_index(tmp_path / "c.lance", ft.python_package("json"), [said])
    check_augmenter(
        lambda: ft.RagAugmenter(tmp_path / "c.lance", k=3),
        [
            "how do I install it?",
            "dump an object",
            "JSONDecoder.raw_decode",
            "AND OR NOT *:*",
            "\U0001f600 zzzz",
        ],
    )


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_jsonl_exporter(tmp_path, dialect) -> None:
    assert (
        check_exporter(lambda f: ft.JsonlExporter(f / "t.jsonl", dialect=dialect), tmp_path).dialect
        == dialect
    )


@pytest.mark.parametrize("columns", [("input", "output"), ("text_input", "output")])
def test_the_csv_exporter(tmp_path, columns) -> None:
    check_exporter(lambda f: ft.CsvExporter(f / "t.csv", columns=columns), tmp_path)
