"""No id, name or word of a forgotten person is left in anything that was made."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import journals
import pytest
from attrs import frozen
from discord_exports import PAIRERS, export, message, snowflake, thread, write
from forgetting_world import make_job

import furytune as ft
from furytune.collectors.journal import JournalCollector
from furytune.corpora.chat import chat
from furytune.errors import ConfigError, SourceError
from furytune.forgetting import forget
from furytune.records import Passage
from furytune.testing.memory import ListCollector, pair

ALICE, BOB, EVE, BOT = (f"20000000000000000{n}" for n in (1, 2, 3, 4))
NAME, NICKNAME = "alice_w", "Alice Wonder"
WORDS = "xylophonic-marmalade"
TITLE = "Titular-quokka"
FILE = "platypus-diary"
PERSON = (ALICE, NAME, NICKNAME, WORDS, TITLE, FILE)
MENTION = [{"id": ALICE, "name": NAME, "nickname": NICKNAME}]
TWINS = [*MENTION, {"id": EVE, "name": "eve", "nickname": NICKNAME}]


def said(minutes, author, text, **more):
    found = message(minutes, "x", text, **more)
    name, nickname = {ALICE: (NAME, NICKNAME)}.get(author, (f"n{author[-1]}", None))
    found["author"] |= {"id": author, "name": name, "nickname": nickname, "isBot": author == BOT}
    return found


def forwarded(minutes, author, of, text):
    found = said(minutes, author, "")
    found["reference"] = {"messageId": of, "channelId": "77", "guildId": "1"}
    found["forwardedMessage"] = {"content": text, "timestamp": None, "attachments": []}
    return found


def channel_messages():
    """Alice asks, answers and attaches. Others mention and forward her in every way, and a bot quotes her in an embed."""
    link = f"https://discord.com/channels/1/77/{snowflake(0)}"
    attached = said(120, ALICE, f"my plot of {WORDS}?")
    attached["attachments"] = [
        {
            "id": "9",
            "url": f"https://cdn.discordapp.com/attachments/1/2/{FILE}.png",
            "fileName": f"{FILE}.png",
        }
    ]
    embed = {"title": "Quote", "description": WORDS, "url": link, "author": {"name": NICKNAME}}
    return [
        said(0, ALICE, f"How do I colour {WORDS}?"),
        said(1, BOB, "Set its colour.", reply=snowflake(0)),
        said(20, BOB, "How do I rotate the camera?"),
        said(21, ALICE, f"With {WORDS}.rotate.", reply=snowflake(20)),
        said(40, BOB, f"@{NICKNAME} how do I rotate actors?", mentions=MENTION),
        said(41, EVE, f"As <@{ALICE}> and <@!{ALICE}> say, by rotate.", reply=snowflake(40)),
        said(60, BOB, f"How do I rotate lights, @{NICKNAME}?", mentions=TWINS),
        said(61, EVE, f"See https://discord.com/users/{ALICE} and {link}, then rotate.", reply=snowflake(60)),
        forwarded(80, BOB, snowflake(0), f"How do I colour {WORDS}?"),
        said(81, BOT, "", embeds=[embed]),
        said(82, EVE, "look", embeds=[embed, {"title": "Docs", "url": "https://example.org"}]),
        said(100, BOB, "How do I rotate text?"),
        said(101, EVE, "Call rotate on it.", reply=snowflake(100)),
        attached,
    ]  # fmt: skip


def write_exports(folder: Path) -> Path:
    write(folder / "Server - help [77].json", export(channel_messages()))
    theirs = thread([said(300, ALICE, f"How do I make {WORDS}?"), said(301, BOB, "With care.")], channel="88")
    theirs["channel"]["name"] = f"{TITLE} {NICKNAME}"
    write(folder / f"Server - help - {TITLE} {NICKNAME} [88].json", theirs)
    # Eve asks in Alice's thread, whose title names the file.
    other = thread([said(400, BOB, "How do I rotate glyphs?"), said(401, EVE, "By rotate.")], channel="99")
    other["channel"]["name"] = TITLE
    write(folder / f"Server - help - {TITLE} [99].json", other)
    return folder


def reading(folder: Path, **settings: Any) -> ft.DiscordExportCollector:
    return ft.DiscordExportCollector(folder, pairers=PAIRERS, **settings)


@frozen
class Made:
    """Everything that is made from one source, in one folder."""

    out: Path

    @property
    def index(self) -> Path:
        return self.out / "corpus.lance"

    @property
    def manifests(self) -> list[Path]:
        return [self.out / f"{n}.manifest.json" for n in ("t.jsonl", "t.csv")]

    def make(self, collector) -> None:
        self.out.mkdir(exist_ok=True)
        ft.build_index(self.index, chat(collector.collect()))
        run = ft.Pipeline(
            collector=collector,
            curators=[ft.Deduplicate()],
            augmenter=ft.RagAugmenter(self.index, k=4),
            exporter=[ft.JsonlExporter(self.out / "t.jsonl"), ft.CsvExporter(self.out / "t.csv")],
            splitter=ft.GroupSplitter(0.3),
        ).run()
        run.contract.save(self.out / "c.contract.json")
        make_job(self.out / "jobs", self.manifests[0])

    def forget(self, **who):
        return forget(**who, datasets=self.manifests, indexes=[self.index], jobs=self.out / "jobs")

    def traces(self, *words: str) -> list[tuple[str, str]]:
        return [
            (path.relative_to(self.out).as_posix(), word)
            for path in sorted(self.out.rglob("*"))
            for word in words
            if (path.is_file() and word.encode() in path.read_bytes()) or word in path.name
        ]


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> Path:
    return write_exports(tmp_path_factory.mktemp("exports"))


def test_no_mention_title_or_file_name_says_who_wrote(exports, tmp_path) -> None:
    """Rows and index contain only the words themselves. Nothing contains the person's id or names."""
    made = Made(tmp_path / "out")
    made.make(reading(exports))

    assert made.traces(ALICE, NAME, NICKNAME, TITLE, FILE) == []
    assert {path.split("/")[0] for path, _ in made.traces(WORDS)} == {
        "corpus.lance", "t.jsonl", "t.csv", "t.validation.jsonl", "t.validation.csv"
    } & {p.name for p in made.out.iterdir()}  # fmt: skip
    assert not made.traces(BOB, EVE)


def test_nothing_is_left_after_forgetting_from_exports(exports, tmp_path) -> None:
    made = Made(tmp_path / "out")
    made.make(reading(exports))
    before = {p: p.read_bytes() for p in exports.iterdir()}
    result = made.forget(author=ALICE, exports=[exports])

    assert made.traces(*PERSON) == []
    assert result.messages == 5  # three in the channel and one in the thread, and the forward of one
    assert {p: p.read_bytes() for p in exports.iterdir()} == before, "export files are the user's"
    assert {(Path(e.path).name, e.messages) for e in result.exports} == {
        ("Server - help [77].json", 4),
        (f"Server - help - {TITLE} {NICKNAME} [88].json", 1),
    }
    told = str(result)
    for step in (
        *(f"delete {e.path}" for e in result.exports),
        "Consent(opt_out=[...])",
        f"refresh and save the contracts that use {made.index}",
        "delete the model projects/p/models/9",
        "delete gs://b/train.jsonl",
        *(f"write {m} again" for m in made.manifests),
        "names and words that others typed",
    ):
        assert step in told
    assert ALICE not in told
    assert made.forget(author=ALICE, exports=[exports]).places[0].removed == 0


def test_a_later_run_with_consent_does_not_use_them_again(exports, tmp_path) -> None:
    made = Made(tmp_path / "out")
    made.make(reading(exports, consent=ft.Consent(opt_out=[ALICE])))

    assert made.traces(*PERSON) == []


def test_nothing_is_left_after_forgetting_from_a_journal(exports, tmp_path) -> None:
    made = Made(tmp_path / "out")
    source = JournalCollector(made.out / "journal", pairers=PAIRERS)
    source.adopt(exports)
    quote = journals.message_line(
        snowflake(500),
        EVE,
        f"that was {ALICE}, see https://discord.com/users/{ALICE}",
        embeds=[{"description": WORDS, "url": f"https://discord.com/channels/1/77/{snowflake(21)}"}],
        reference={"messageId": snowflake(21)},
    )
    journals.append(made.out / "journal", "78", [quote], name="off-topic")
    made.make(source)
    assert {path.split("/")[0] for path, word in made.traces(*PERSON) if word != WORDS} == {"journal"}
    assert made.traces(NAME, NICKNAME, TITLE) == []
    result = made.forget(author=ALICE, journal=made.out / "journal")

    assert made.traces(*PERSON) == []
    assert result.exports is None
    assert "chat exports" in str(result)
    texts = {m.id: m for m in JournalCollector(made.out / "journal").messages()}
    assert texts[snowflake(41)].content == "As <@0> and <@0> say, by rotate."
    assert texts[snowflake(500)].content == "that was 0, see https://discord.com/users/0"
    assert texts[snowflake(500)].embeds == ()
    assert [e.title for e in texts[snowflake(82)].embeds] == ["Docs"]
    source.adopt(exports)
    assert made.traces(*PERSON) == [], "the journal remembers, whatever is adopted again"


def test_a_contract_contains_no_words_of_the_chat(exports, tmp_path) -> None:
    made = Made(tmp_path / "out")
    made.make(reading(exports))

    saved = json.loads((made.out / "c.contract.json").read_bytes())
    questions = [g["question"] for g in saved["golden"]]
    assert not [q for q in questions if "rotate" in q or WORDS in q]


def test_older_rows_and_passages_with_the_id_are_removed(tmp_path) -> None:
    """Other people wrote them, so no message of the person is behind them."""
    index = tmp_path / "c.lance"
    passages = [
        Passage(id="a", text=f"Ask <@{ALICE}>, who wrote rotate."),
        Passage(id="b", text="Rotate by hand.", url=f"https://discord.com/users/{ALICE}"),
        Passage(id="c", text=f"Rotate {ALICE}7 times."),
    ]
    ft.build_index(index, passages)
    items = [
        pair("Who wrote rotate?", "So.", id="1"),
        pair("How do I fly?", f"Ask <@{ALICE}>.", id="2"),
        pair("How do I land?", "So.", id="3", group=ALICE),
        pair("How do I swim?", "So.", id="4"),
    ]
    run = ft.Pipeline(
        collector=ListCollector(items),
        normalizer=ft.Normalizer(mentions=False),
        augmenter=ft.RagAugmenter(index, k=9),
        exporter=[ft.JsonlExporter(tmp_path / "t.jsonl"), ft.CsvExporter(tmp_path / "t.csv")],
        splitter=ft.GroupSplitter(0),
    ).run()
    manifest = Path(run.datasets[0].manifest)
    make_job(tmp_path / "jobs", manifest)
    write(tmp_path / "e" / "a.json", export([said(0, BOB, "hi")]))
    result = forget(
        author=ALICE,
        exports=[tmp_path / "e"],
        datasets=[d.manifest for d in run.datasets],
        indexes=[index],
        jobs=tmp_path / "jobs",
    )

    assert [p.removed for p in result.places] == [3, 3, 2]
    assert [s["id"] for s in json.loads(manifest.read_bytes())["sources"]] == ["4"]
    assert result.jobs[0].rows == 3
    assert result.exports == ()
    assert [p.id for p in ft.RagAugmenter(index, k=9).context("rotate")] == ["c"]
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and f"<@{ALICE}>".encode() in p.read_bytes()]
    assert ft.load_dataset(manifest).rows == 1


def test_what_others_typed_stays_and_the_report_says_so(tmp_path) -> None:
    """The docs say that nothing can find copies made by hand."""
    messages = [said(0, ALICE, f"{WORDS}!"), said(10, BOB, f"> {WORDS}\nWhat does {NICKNAME} mean?")]
    write(tmp_path / "e" / "a.json", export([*messages, said(11, EVE, "Jam.", reply=snowflake(10))]))
    made = Made(tmp_path / "out")
    made.make(reading(tmp_path / "e"))
    result = made.forget(author=ALICE, exports=[tmp_path / "e"])

    assert {word for _, word in made.traces(*PERSON)} == {WORDS, NICKNAME}
    assert "search for names and words that others typed" in str(result)


def test_the_report_names_places_that_were_not_searched(exports) -> None:
    told = str(forget(author=ALICE, exports=[exports]))

    for argument in ("indexes=[...]", "datasets=[...]", "jobs=..."):
        assert f"call this again with {argument}" in told


def test_one_message_is_found_in_exports_with_its_copies(exports, tmp_path) -> None:
    made = Made(tmp_path / "out")
    made.make(reading(exports))
    result = made.forget(message=snowflake(21), exports=[exports])
    (held,) = result.exports

    assert (result.messages, held.messages) == (1, 1)
    assert "opt_out" not in str(result)
    assert result.places[0].removed > 0
    assert all(snowflake(21) not in m.read_text() for m in made.manifests)


def test_files_that_name_the_person_or_cannot_be_read_are_listed(tmp_path) -> None:
    write(tmp_path / "mentions.json", export([said(0, BOB, f"<@{ALICE}>?")]))
    write(tmp_path / "longer.json", export([said(0, BOB, f"{ALICE}1 1{ALICE}")]))
    write(tmp_path / "cut.json", export([said(0, BOB, "a"), said(1, BOB, "b")]))
    (tmp_path / "cut.json").write_bytes((tmp_path / "cut.json").read_bytes()[:-300])
    whole = gzip.compress(json.dumps(export([said(0, ALICE, WORDS)])).encode())
    (tmp_path / "zip.json.gz").write_bytes(whole[:-40])
    (tmp_path / "package.json").write_text("{}")
    result = forget(author=ALICE, exports=[tmp_path])
    found = {Path(e.path).name: e for e in result.exports}

    assert found.keys() == {"mentions.json", "cut.json", "zip.json.gz"}
    assert str(found["mentions.json"]).endswith("only the id")
    assert "may contain the messages; not read to its end" in str(found["cut.json"])
    assert WORDS not in str(result)


def test_bad_arguments_are_refused_before_any_change(tmp_path) -> None:
    with pytest.raises(ConfigError, match="exports="):
        forget(author=ALICE, datasets=["x"])
    with pytest.raises(SourceError, match="no such file"):
        forget(author=ALICE, exports=[tmp_path / "nowhere"])
    with pytest.raises(ConfigError, match="exports"):
        forget(author=ALICE, exports=7)


def test_examples_of_drops_are_removed_from_the_manifest(exports, tmp_path) -> None:
    made = Made(tmp_path / "out")
    made.make(reading(exports))
    rows = (made.out / "t.jsonl").read_bytes()
    assert snowflake(82) in made.manifests[0].read_text()
    result = made.forget(message=snowflake(82))

    assert [p.removed for p in result.places] == [0, 0, 0]
    assert all(snowflake(82) not in m.read_text() for m in made.manifests)
    assert (made.out / "t.jsonl").read_bytes() == rows
    assert ft.load_dataset(made.manifests[0]).rows == 7
