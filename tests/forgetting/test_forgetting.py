"""Erasing removes a person's words from every place and changes nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import journals
import pytest
from attrs import frozen
from forgetting_world import (
    ALICE,
    BOB,
    CANARY,
    CAROL,
    World,
    chat_passages,
    make_job,
    make_journal,
    said,
    sources,
    touched,
    uid,
)
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.collectors.journal import JournalCollector
from furytune.errors import ConfigError, ExportError, KnowledgeError, SourceError, TuningError
from furytune.exporters._writing import erasing
from furytune.forgetting import forget
from furytune.pairing import ReplyPairer, ThreadPairer
from furytune.records import Erased, Passage, Prompt, TrainingRow
from furytune.testing.memory import ListCollector, pair


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    world = World(tmp_path_factory.mktemp("world"))
    make_journal(world.journal)
    (world.folder / "data").mkdir()
    ft.build_index(world.index, chat_passages()[:1])
    ft.build_index(world.index, chat_passages())
    pipeline = ft.Pipeline(
        # Native replies alone say who answers whom here, so each question is a conversation of its own.
        collector=JournalCollector(world.journal, author_key=b"k", pairers=[ThreadPairer(), ReplyPairer()]),
        augmenter=ft.RagAugmenter(world.index, k=3),
        splitter=ft.GroupSplitter(0.3),
        exporter=[
            ft.JsonlExporter(world.folder / "data" / "t.jsonl"),
            ft.CsvExporter(world.folder / "data" / "t.csv"),
        ],
    )
    run = pipeline.run()
    assert {f.split for f in run.datasets[0].files} == {"train", "validation"}
    make_job(world.jobs, world.manifests[0])
    return world.folder


@pytest.fixture
def world(template, tmp_path) -> World:
    copied = World(tmp_path / "world")
    shutil.copytree(template, copied.folder)
    return copied


def test_nothing_of_a_person_is_left_in_any_file(world) -> None:
    before = world.traces()
    assert {p.split("/")[0] for p in before} == {"journal", "data", "corpus.lance"}
    result = world.forget()
    assert world.traces() == []
    assert {p.kind: p.removed for p in result.places}["journal"] == 5  # four of hers, and the forward of one
    assert result.messages == 5
    assert result.deleted == 1
    titles = [state.name for state in journals.states(world.journal).values()]
    assert sorted(titles) == ["", "", "", "help", "help"]  # none of a thread: its title is somebody's words
    again = world.contents()
    assert world.forget().messages == 0
    assert world.contents() == again, "a second call finds nothing to do"


def test_messages_that_the_person_deleted_are_removed_from_data_sets(world) -> None:
    """The data set was made before, and the journal no longer knows who wrote the deleted message."""
    data = World(world.folder)
    row = sources(world.manifests[0])[3]
    journals.append(world.journal, "7", changed=[journals.tombstone(row["messages"][0])])
    (held,) = data.forget().jobs
    assert held.unsure == 1
    assert held.rows == 4
    assert row["id"] not in [r["id"] for r in sources(world.manifests[0])]


def test_a_data_set_keeps_the_other_rows_and_counts_them(world) -> None:
    ids = journals.authored(world.journal, ALICE)
    before = {m: sources(m) for m in world.manifests}
    lines = (world.folder / "data" / "t.jsonl").read_bytes().splitlines(keepends=True)
    train = [r for r in before[world.manifests[0]] if r["split"] == "train"]
    counts = json.loads(world.manifests[0].read_bytes())["counts"]
    result = world.forget()
    (gone,) = {p.removed for p in result.places if p.kind == "data set"}
    assert gone == sum(
        touched(r, ids) for r in train + [r for r in before[world.manifests[0]] if r["split"] != "train"]
    )
    assert gone == 4, "her question, her answer, her thread, and the row whose prompt quotes her"
    for manifest in world.manifests:
        assert sources(manifest) == [r for r in before[manifest] if not touched(r, ids)]
        dataset = ft.load_dataset(manifest)
        assert dataset.rows == len(sources(manifest))
        head = json.loads(manifest.read_bytes())
        assert head["forgotten"] == gone
        assert head["counts"]["rows"] == counts["rows"] - gone == dataset.rows
        dropped = sum(d["count"] for d in head["counts"]["dropped"] if d["unit"] == "pair")
        assert head["counts"]["pairs"] == head["counts"]["rows"] + dropped
        assert "forgetting" not in head
    kept = [line for line, row in zip(lines, train, strict=True) if not touched(row, ids)]
    assert (world.folder / "data" / "t.jsonl").read_bytes() == b"".join(kept)


def test_a_csv_file_reads_back_as_the_kept_rows(world) -> None:
    before = [p.answer for p in ft.CsvCollector(world.folder / "data" / "t.csv").collect()]
    world.forget()
    after = [p.answer for p in ft.CsvCollector(world.folder / "data" / "t.csv").collect()]
    assert after == [a for a in before if a in after]
    assert 0 < len(after) < len(before)


def test_the_index_serves_the_other_passages_and_has_no_older_version(world) -> None:
    world.forget()
    left = {p.id for p in chat_passages()} - {f"chat:discord:{uid(4)}"}
    found = ft.RagAugmenter(world.index, k=100).context("colour actor 4 6 make")
    assert {p.id for p in found} <= left
    assert f"chat:discord:{uid(6)}" in {p.id for p in found}
    assert len(list((world.index / "_versions").glob("*.manifest"))) == 1
    assert len(list((world.index / "data").iterdir())) == 1
    assert len(list((world.index / "_furytune").glob("*.jsonl"))) == 1


def test_an_index_that_becomes_empty_raises_and_can_be_erased_again(tmp_path) -> None:
    place = tmp_path / "c.lance"
    ft.build_index(place, chat_passages()[:1])
    result = forget(message=uid(4), indexes=[place])
    assert (result.places[0].removed, result.places[0].left) == (1, 0)
    with pytest.raises(KnowledgeError, match="has no passages"):
        ft.RagAugmenter(place).context("colour")
    assert forget(message=uid(4), indexes=[place]).places[0].removed == 0
    assert not [p for p in place.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    ft.build_index(place, chat_passages()[1:])
    assert ft.RagAugmenter(place).context("colour")


def test_tagged_versions_are_removed_too(tmp_path) -> None:
    import lancedb

    place = tmp_path / "c.lance"
    ft.build_index(place, chat_passages())
    ft.build_index(place, chat_passages()[1:])
    table = lancedb.connect(tmp_path).open_table("c")
    for version in (1, 2):
        table.tags.create(f"pinned-{version}", version)
    assert forget(message=uid(5), indexes=[place]).places[0].removed == 1
    assert list(table.tags.list()) == ["pinned-2"], "the newest version held nothing of it, and stays"
    assert not [p for p in place.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]


def test_other_peoples_passages_in_their_thread_stay(tmp_path) -> None:
    """A thread has the id of the message that it was started from."""
    place = tmp_path / "c.lance"
    ids = {uid(100): f"{uid(100)},{uid(101)}", uid(102): f"{uid(102)},{uid(103)}"}
    ft.build_index(
        place,
        [
            Passage(id=f"chat:discord:{name}", text=name, source=f"discord:1/{uid(100)}/{ids[name]}")
            for name in ids
        ],
    )
    forget(message=uid(100), indexes=[place])
    assert [p.text for p in ft.RagAugmenter(place).context(f"{uid(100)} {uid(102)}")] == [uid(102)]


def test_leftovers_of_a_killed_build_or_export_are_removed(world) -> None:
    """They belong to no version and no manifest, so nothing else would find them."""
    world.forget()
    for name in ("0110.lance", ".tmpAbC123"):
        (world.index / "data" / name).write_bytes(CANARY.encode())
    for folder in (
        world.folder / "data",
        world.journal,
        world.journal / "channels",
        world.index / "_furytune",
    ):
        (folder / ".t.0123456789abcdef.furytune-tmp").write_bytes(CANARY.encode())
    with (world.journal / "channels" / "7.jsonl").open("ab") as log:
        log.write(b'{"id":"1235174400000000999","content":"' + CANARY.encode())  # a torn end
    assert len(world.traces()) == 7
    world.forget()
    assert world.traces() == []


@pytest.mark.parametrize("why", ["opted_out", "forgotten", "deleted"])
def test_other_peoples_words_never_replace_a_removed_question(tmp_path, why) -> None:
    journal = tmp_path / "journal"
    journals.begin(journal)
    lines = [
        said(100, ALICE, "How do I rotate the camera?"),
        said(101, BOB, "In which version?"),
        said(102, CAROL, "In the newest, call `camera.rotate(90)`."),
    ]
    journals.append(journal, uid(100), lines, kind="GuildPublicThread", name="")
    (before,) = [i for i in JournalCollector(journal).collect() if isinstance(i, ft.QAPair)]
    assert before.question == "How do I rotate the camera?"
    journals.append(journal, uid(100), kind="GuildPublicThread", changed=[journals.tombstone(uid(100), why)])
    items = list(JournalCollector(journal).collect())
    assert [(i.reason, i.count) for i in items] == [("no_question_text", 2), (why, 1)]


def test_one_message_is_removed_with_its_forwards_and_rows(world) -> None:
    result = world.forget(message=uid(4))
    assert result.messages == 2
    assert result.deleted == 0
    left = world.traces()
    assert left, "Alice's other messages stay"
    assert all(uid(4) not in r["messages"] for r in sources(world.manifests[0]))
    texts = [m.content for m in JournalCollector(world.journal).messages()]
    assert sum(CANARY in text for text in texts) == 3


def test_data_of_another_server_are_unchanged(world, tmp_path) -> None:
    other = World(tmp_path / "other")
    journals.begin(other.journal, guild="2")
    journals.append(other.journal, "9", [said(900, BOB, "How do I fly?"), said(901, CAROL, "Up.", to=900)])
    (other.folder / "data").mkdir()
    ft.build_index(other.index, chat_passages()[2:])
    ft.Pipeline(
        collector=JournalCollector(other.journal, author_key=b"k"),
        exporter=[
            ft.JsonlExporter(other.folder / "data" / "t.jsonl"),
            ft.CsvExporter(other.folder / "data" / "t.csv"),
        ],
        splitter=ft.GroupSplitter(0),
    ).run()
    make_job(other.jobs, other.manifests[0])
    before = other.contents()
    result = forget(
        author=ALICE,
        journal=world.journal,
        datasets=[*other.manifests],
        indexes=[other.index],
        jobs=other.jobs,
    )
    assert other.contents() == before
    assert [p.removed for p in result.places[1:]] == [0, 0, 0]
    assert result.jobs == ()


def test_jobs_that_got_the_words_are_named(world) -> None:
    result = world.forget()
    (held,) = result.jobs
    assert held.rows == next(p.removed for p in result.places if p.kind == "data set")
    assert result.models == ("projects/p/models/9",)
    text = str(result)
    assert "contained messages that have since been deleted" not in text
    for word in (
        "delete gs://b/train.jsonl",
        "undeploy projects/p/endpoints/9",
        "delete the model projects/p/models/9",
        "contract.refresh()",
        "tell the person",
    ):
        assert word in text
    assert CANARY not in text
    assert ALICE not in text


def test_a_job_is_found_without_its_data_set(world) -> None:
    for path in (world.folder / "data").iterdir():
        path.unlink()
    result = forget(author=ALICE, journal=world.journal, jobs=world.jobs)
    assert result.jobs[0].rows > 0


def test_an_older_record_of_a_job_is_matched_by_its_data_set(world) -> None:
    for note in world.jobs.glob("*.messages"):
        note.unlink()
    unknown = forget(author=ALICE, journal=world.journal, jobs=world.jobs).jobs
    assert [h.rows for h in unknown] == [None]
    assert "not known" in str(unknown[0])


def test_a_model_that_may_contain_the_words_is_not_listed_as_one_that_does(world) -> None:
    row = sources(world.manifests[0])[3]
    journals.append(world.journal, "7", changed=[journals.tombstone(row["messages"][0])])
    nobody = "200000000000000009"
    result = forget(author=nobody, journal=world.journal, jobs=world.jobs)
    (held,) = result.jobs
    assert (held.rows, held.unsure) == (0, 1)
    assert result.models == ()
    assert "decide about projects/p/models/9" in str(result)
    assert "delete the model" not in str(result)


def test_an_older_record_is_completed_before_rows_are_removed(world) -> None:
    for note in world.jobs.glob("*.messages"):
        note.unlink()
    first = world.forget(message=uid(4)).jobs
    assert first[0].rows > 0
    second = world.forget(author=ALICE).jobs
    assert second[0].rows > 0, "the data set is another by now, the note still says what the job was given"


def test_a_damaged_record_of_a_job_raises(world) -> None:
    (note,) = world.jobs.glob("*.messages")
    note.write_bytes(b"")
    before = world.contents()
    with pytest.raises(TuningError, match=r"k1\.messages"):
        world.forget()
    assert world.contents() == before


KILLED = """
import os, signal, sys, traceback, warnings
sys.path.insert(0, sys.argv[1])
warnings.filterwarnings("ignore", message="lancedb fork support")
import lancedb  # once here; only the children use it
import forgetting_world as t
from pathlib import Path

def calls(folder, limit):
    count = 0
    def watch(name, real):
        def call(*args, **kwargs):
            nonlocal count
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        return call
    for name in ("open", "write", "fsync", "replace", "unlink", "rename", "ftruncate"):
        setattr(os, name, watch(name, getattr(os, name)))
    t.World(Path(folder)).forget()
    return count

for line in sys.stdin:
    limit, folder = line.rstrip().split(" ", 1)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            print(calls(folder, int(limit)), end=" ", flush=True)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.fixture
def forks():
    """Runs a forget in a process of its own, which dies at its n-th call; returns what came of it."""
    support = str(Path(__file__).parents[1] / "support")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, support], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:

        def run(folder: Path, limit: int) -> list[int]:
            host.stdin.write(f"{limit} {folder}\n")
            host.stdin.flush()
            return [int(word) for word in host.stdout.readline().split()]

        yield run
        host.stdin.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forget_can_be_run_again_after_a_kill_at_any_system_call(world, tmp_path, forks) -> None:
    """A child process is killed at its n-th call that changes a file; then the same forget runs to the end."""
    reference = World(tmp_path / "reference")
    shutil.copytree(world.folder, reference.folder)
    total, code = forks(reference.folder, -1)
    assert code == 0
    assert total > 50
    expected = {m.name: m.read_bytes() for m in (reference.folder / "data").iterdir()}
    kills = int(os.environ.get("FURYTUNE_KILLS", "9"))
    for n in range(kills):
        victim = World(tmp_path / f"victim{n}")
        shutil.copytree(world.folder, victim.folder)
        assert forks(victim.folder, 1 + n * total // kills) == [-signal.SIGKILL]
        victim.forget()
        assert victim.traces() == []
        assert {m.name: m.read_bytes() for m in (victim.folder / "data").iterdir()} == expected


def test_a_half_erased_data_set_is_refused_until_forget_finishes(world, monkeypatch) -> None:
    """After the first of two renames, the files match no manifest; a note in it lets the next call finish."""
    real = Path.replace

    def replace(self, target):
        if Path(target).name == "t.validation.jsonl":
            raise OSError(5, "Input/output error")
        return real(self, target)

    manifest = world.manifests[0]
    ids = journals.authored(world.journal, ALICE)
    before = sources(manifest)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(ExportError, match="run again"):
            forget(author=ALICE, journal=world.journal, datasets=[manifest])
    with pytest.raises(ExportError):
        ft.load_dataset(manifest)
    result = forget(message=uid(0), datasets=[manifest])
    assert result.places[0].removed == sum(touched(r, ids | {uid(0)}) for r in before)
    assert sources(manifest) == [r for r in before if not touched(r, ids | {uid(0)})]
    assert ft.load_dataset(manifest).rows == len(sources(manifest))


def test_a_read_only_file_is_replaced_and_stays_read_only(world) -> None:
    target = world.folder / "data" / "t.jsonl"
    target.chmod(0o444)
    world.forget()
    assert target.stat().st_mode & 0o777 == 0o444
    assert world.traces() == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_raises_and_the_journal_keeps_the_messages(world) -> None:
    (world.folder / "data").chmod(0o555)
    try:
        with pytest.raises(ExportError):
            world.forget()
    finally:
        (world.folder / "data").chmod(0o755)
    assert journals.authored(world.journal, ALICE)
    world.forget()
    assert world.traces() == []


def test_only_the_owner_can_read_the_journal_afterwards(world) -> None:
    world.forget()
    for path in (world.journal / "channels").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_an_incomplete_data_set_is_refused_before_any_change(world) -> None:
    with (world.folder / "data" / "t.csv").open("ab") as file:
        file.write(b"x")
    before = world.contents()
    with pytest.raises(ExportError, match=r"t\.csv"):
        world.forget()
    assert world.contents() == before


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"author": ALICE},
        {"author": ALICE, "message": uid(1), "journal": "journal"},
        {"author": "alice", "journal": "journal"},
        {"author": int(ALICE), "journal": "journal"},
        {"message": "12", "journal": "journal"},
        {"message": uid(1)},
        {"message": uid(1), "jobs": "nowhere"},
        {"message": uid(1), "datasets": 7},
    ],
)
def test_bad_arguments_are_refused(tmp_path, monkeypatch, arguments) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        forget(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"journal": "nowhere"}, SourceError),
        ({"datasets": ["nowhere.manifest.json"]}, ExportError),
        ({"indexes": ["nowhere.lance"]}, KnowledgeError),
        ({"indexes": ["nowhere"]}, ConfigError),
    ],
)
def test_a_missing_place_raises(tmp_path, monkeypatch, arguments, error) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        forget(message=uid(1), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_something_else_is_left_alone(tmp_path) -> None:
    import lancedb

    lancedb.connect(tmp_path).create_table("x", [{"id": uid(4), "source": ""}])
    with pytest.raises(KnowledgeError, match="not made by furytune"):
        forget(message=uid(4), indexes=[tmp_path / "x.lance"])


def test_pairs_without_message_ids_are_matched_by_their_own_id(tmp_path) -> None:
    items = [
        pair("how?", "so", id=f"discord:{uid(1)}"),
        pair("why?", "because", id="faq-1"),
    ]
    run = ft.Pipeline(
        collector=ListCollector(items),
        exporter=ft.JsonlExporter(tmp_path / "t.jsonl"),
        splitter=ft.GroupSplitter(0),
    ).run()
    forget(message=uid(1), datasets=[run.datasets[0].manifest])
    assert [r["id"] for r in sources(tmp_path / "t.jsonl.manifest.json")] == ["faq-1"]


def test_an_empty_validation_file_is_removed_and_a_train_file_stays(tmp_path) -> None:
    for exporter in (ft.JsonlExporter(tmp_path / "t.jsonl"), ft.CsvExporter(tmp_path / "t.csv")):
        rows = [
            row(1, "train", "a", (uid(1),)),
            row(2, "validation", "b", (uid(2),)),
        ]
        dataset = exporter.export(rows, contract=Contract())
        forget(message=uid(2), datasets=[dataset.manifest])
        assert [f.split for f in ft.load_dataset(dataset.manifest).files] == ["train"]
        assert not exporter.validation.exists()
        forget(message=uid(1), datasets=[dataset.manifest])
        assert ft.load_dataset(dataset.manifest).rows == 0
        exporter.export(rows, contract=Contract())
        assert ft.load_dataset(dataset.manifest).rows == 2


@frozen
class Contract:
    fingerprint: str = "f"
    snapshot: str = "s"
    form: object = {}


def row(
    n: int, split: str, text: str, messages: tuple[str, ...], quoted: tuple[str, ...] = ()
) -> TrainingRow:
    passages = tuple(Passage(id=f"chat:{m}", text="t") for m in quoted)
    return TrainingRow(
        id=f"r{n}",
        group="g",
        split=split,
        prompt=Prompt(text=f"x{text}", passages=passages),
        answer=f"y{text}",
        messages=messages,
    )


messages = st.lists(st.integers(0, 12).map(uid), max_size=3).map(tuple)
texts = st.text(st.characters(codec="utf-8") | st.sampled_from('\r\n",\u2028'), max_size=20)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["train", "validation"]), texts, messages, messages), max_size=25
    ),
    gone=st.lists(st.integers(0, 12).map(uid), max_size=4),
    kind=st.sampled_from(["jsonl", "csv"]),
)
def test_rows_without_the_messages_are_kept(tmp_path_factory, rows, gone, kind) -> None:
    """They keep their order, and have the same bytes as an export of only these rows."""
    folder = tmp_path_factory.mktemp("d")
    made = [row(n, *fields) for n, fields in enumerate(rows)]
    kept = [r for r in made if not {*r.messages, *(p.id[5:] for p in r.prompt.passages)} & set(gone)]
    exporter = {"jsonl": ft.JsonlExporter, "csv": ft.CsvExporter}[kind]
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    whole = exporter(folder / "a" / f"t.{kind}").export(made, contract=Contract())
    exporter(folder / "b" / f"t.{kind}").export(kept, contract=Contract())
    before = {p.name: p.read_bytes() for p in (folder / "a").iterdir()}
    assert erasing.erase(Path(whole.manifest), set(gone)) == (len(made) - len(kept), len(kept))
    after = {p.name: p.read_bytes() for p in (folder / "a").iterdir()}
    if len(made) == len(kept):
        assert after == before
    else:
        expected = {p.name: p.read_bytes() for p in (folder / "b").iterdir()}
        manifests = [json.loads(files.pop(f"t.{kind}.manifest.json")) for files in (after, expected)]
        assert after == expected
        assert manifests[0].pop("forgotten") == len(made) - len(kept)
        assert manifests[0] == manifests[1]
    assert ft.load_dataset(whole.manifest).rows == len(kept)


@frozen
class Notes:
    """A place of another package: a list of notes that quote messages."""

    notes: dict[str, str]
    broken: bool = False

    def check(self):
        if self.broken:
            raise SourceError("notes.json: this is not a list of notes; nothing was changed")

    def erase(self, messages, people):
        gone = self.notes.keys() & set(messages)
        for message in gone:
            del self.notes[message]
        return Erased(kind="notes", path="notes.json", removed=len(gone), left=len(self.notes))


def test_a_place_of_another_package_is_erased_too(tmp_path):
    make_journal(tmp_path / "journal")
    notes = Notes({uid(4): "Alice asked", uid(6): "Bob asked"})
    done = ft.forget(author=ALICE, journal=tmp_path / "journal", places=[notes])

    assert notes.notes == {uid(6): "Bob asked"}
    assert [(p.kind, p.removed) for p in done.places][1:] == [("notes", 1)]
    assert "notes" in str(done)


def test_nothing_changes_if_a_place_of_another_package_cannot_be_erased(tmp_path):
    make_journal(tmp_path / "journal")
    before = {p: p.read_bytes() for p in (tmp_path / "journal").rglob("*.jsonl")}
    with pytest.raises(SourceError, match="nothing was changed"):
        ft.forget(author=ALICE, journal=tmp_path / "journal", places=[Notes({}, broken=True)])
    with pytest.raises(ft.FurytuneError, match=r"list is not a place .* furytune\.protocols\.Erasable"):
        ft.forget(author=ALICE, journal=tmp_path / "journal", places=[[]])
    assert {p: p.read_bytes() for p in (tmp_path / "journal").rglob("*.jsonl")} == before
