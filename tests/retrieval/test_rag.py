"""The index and the augmenter that reads it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import attrs
import lancedb
import pyarrow as pa
import pytest
from builders import kill, long_rounds
from lancedb.index import FTS
from unpacking import SAFELY

from furytune.augmenters.identity import IdentityAugmenter
from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import (
    ConfigError,
    ContractError,
    ContractMismatchError,
    KnowledgeError,
    MissingExtraError,
    SnapshotError,
)
from furytune.plugins import load
from furytune.protocols import Augmenter, BulkAugmenter
from furytune.records import Dropped, Passage
from furytune.testing.conformance import check_augmenter

DAY = datetime(2024, 1, 1, tzinfo=UTC)


def passage(id_, text="sphere", **more):
    return Passage(**{"id": id_, "text": text, "source": f"{id_}.py:1-2", **more})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "corpus.lance"


@pytest.fixture
def built(path):
    build_index(
        path,
        [
            passage("a", "def sphere(centers)", title="fury.actor.sphere", url="https://example.org/a"),
            passage("b", "the opacity of an actor"),
            passage("c", "sphere and cube", date=DAY),
        ],
    )
    return path


class TestBuild:
    def test_the_report_counts_everything(self, path):
        dropped = Dropped(reason="private", unit="record", count=3)
        report = build_index(path, [passage("a"), dropped], [passage("b", date=DAY), passage("c", " \n")])

        assert (report.passages, report.dated, report.version, report.written) == (2, 1, 1, True)
        assert {d.reason: d.count for d in report.dropped} == {"private": 3, "empty_text": 1}
        assert all(word in str(report) for word in ("2 passages", "private", "empty_text"))

    def test_lancedb_opens_the_table_by_its_name(self, built):
        table = lancedb.connect(built.parent).open_table("corpus")

        assert table.schema.names == ["id", "text", "title", "source", "url", "date"]
        assert table.count_rows() == 3

    def test_equal_passages_make_no_new_version(self, path):
        both = [passage("a", date=DAY), passage("b")]
        first = build_index(path, both)
        zone = timezone(timedelta(hours=5))
        second = build_index(path, [attrs.evolve(both[0], date=DAY.astimezone(zone))], both[1:])

        assert (False, first.version, first.snapshot) == (second.written, second.version, second.snapshot)

    @pytest.mark.parametrize("name", ["id", "text", "title", "source", "url", "date"])
    def test_a_change_of_any_field_makes_a_new_version(self, path, name):
        one = passage("a", date=DAY)
        other = attrs.evolve(one, **{name: DAY + timedelta(microseconds=1) if name == "date" else "x"})
        first, second = build_index(path, [one]), build_index(path, [other])

        assert second.written
        assert first.snapshot != second.snapshot
        assert RagAugmenter(path).snapshot == second.snapshot

    def test_a_duplicate_id_is_refused_with_both_sources(self, path):
        with pytest.raises(KnowledgeError, match=r"'a'.*one\.py:1.*other\.py:9"):
            build_index(path, [passage("a", source="one.py:1")], [passage("a", source="other.py:9")])
        assert not path.exists()

    def test_a_build_without_passages_changes_nothing(self, built):
        with pytest.raises(KnowledgeError, match="no passages"):
            build_index(built, [Dropped(reason="own:x", unit="file")])
        assert RagAugmenter(built).context("opacity")[0].id == "b"

    def test_a_failing_source_changes_nothing(self, built):
        def failing():
            yield passage("z")
            raise RuntimeError("no more")

        with pytest.raises(RuntimeError, match="no more"):
            build_index(built, failing())
        assert RagAugmenter(built).latest().location["version"] == 1

    def test_text_that_utf8_cannot_encode_is_counted(self, path):
        report = build_index(path, [passage("a"), passage("b", "x \ud800")])

        assert [(d.reason, d.where) for d in report.dropped] == [("lone_surrogate", "b.py:1-2")]

    def test_another_programs_table_is_never_overwritten(self, path):
        db = lancedb.connect(path.parent)
        db.create_table("corpus", pa.table({"id": ["precious"]}))

        with pytest.raises(KnowledgeError, match="not made by furytune"):
            build_index(path, [passage("a")])
        assert db.open_table("corpus").to_arrow()["id"].to_pylist() == ["precious"]

    def test_a_damaged_index_can_be_built_again(self, built):
        shutil.rmtree(built / "data")

        assert build_index(built, [passage("a")]).written
        assert RagAugmenter(built).context("sphere")[0].id == "a"

    def test_a_table_that_cannot_be_opened_is_not_overwritten(self, built):
        (manifest,) = (built / "_versions").glob("*.manifest")
        manifest.write_bytes(b"damaged")

        with pytest.raises(KnowledgeError, match="delete the folder"):
            build_index(built, [passage("a")])
        with pytest.raises(KnowledgeError, match="build_index"):
            RagAugmenter(built).context("sphere")
        assert manifest.read_bytes() == b"damaged"

    def test_a_folder_that_cannot_be_written_is_an_error(self, tmp_path):
        (tmp_path / "file").write_text("in the way")

        with pytest.raises(KnowledgeError, match="cannot write the index; the existing index is unchanged"):
            build_index(tmp_path / "file" / "corpus.lance", [passage("a")])

    def test_a_missing_lancedb_names_the_extra(self, path, monkeypatch):
        monkeypatch.setitem(sys.modules, "lancedb", None)

        with pytest.raises(MissingExtraError, match=r"furytune\[rag\]"):
            build_index(path, [passage("a")])

    @pytest.mark.parametrize("name", ["corpus", "corpus.db", ".lance", "a b.lance", "ünï.lance"])
    def test_invalid_table_names_are_refused_at_once(self, tmp_path, name):
        with pytest.raises(ConfigError, match=r"\.lance"):
            build_index(tmp_path / name, [passage("a")])
        with pytest.raises(ConfigError, match=r"\.lance"):
            RagAugmenter(tmp_path / name)

    def test_a_killed_build_leaves_the_last_complete_version(self, built, tmp_path):
        for delay in (0.0, 0.02, 0.05, 0.11):
            kill(long_rounds, built, str(tmp_path / "warm.lance"), after=delay)
            held = RagAugmenter(built, k=10**6).context("sphere")
            rounds = {p.text.partition(" sphere")[0] for p in held if p.text.startswith("round")}
            assert {p.id for p in held} == {"a", "c"} or (len(held), len(rounds)) == (2000, 1)
        assert build_index(built, [passage("a")]).passages == 1


class TestAugmenter:
    def test_it_fits_the_interface_and_the_entry_points(self, built):
        assert isinstance(RagAugmenter(built), BulkAugmenter)
        assert isinstance(IdentityAugmenter(), Augmenter)
        assert load("augmenters", "rag") is RagAugmenter
        assert load("augmenters", "identity") is IdentityAugmenter

    def test_it_passes_the_conformance_suite(self, built):
        check_augmenter(lambda: RagAugmenter(built, k=2), ["sphere opacity", "cube", "nothing here", ""])
        check_augmenter(IdentityAugmenter)

    def test_passages_come_back_field_by_field(self, built):
        best = RagAugmenter(built).context("fury.actor.sphere")[0]
        expected = passage("a", "def sphere(centers)", title="fury.actor.sphere", url="https://example.org/a")

        assert expected == best

    def test_a_dated_passage_is_visible_to_later_questions_only(self, built):
        rag = RagAugmenter(built)
        later = DAY + timedelta(microseconds=1)

        assert [p.id for p in rag.context("cube", at=DAY)] == []
        assert [p.id for p in rag.context("cube", at=later)] == ["c"]
        assert [p.id for p in rag.context("cube")] == ["c"]
        assert rag.contexts(["cube", "cube"], at=[DAY, later]) == [(), rag.context("cube", at=later)]
        assert rag.dated

    def test_without_a_moment_it_is_now(self, path):
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        build_index(path, [passage("a", date=tomorrow), passage("b")])

        assert [p.id for p in RagAugmenter(path).context("sphere")] == ["b"]

    def test_the_spec_has_all_settings_and_no_location(self, built):
        spec = RagAugmenter(built, k=7, b=0.5).spec

        assert {"name": "rag", "k": 7, "b": 0.5, "scorer": "bm25"}.items() <= spec.items()
        assert built.name not in str(spec)
        assert json.loads(json.dumps(spec)) == spec

    def test_the_version_is_pinned_at_first_use(self, built):
        rag = RagAugmenter(built)
        before, location = rag.contexts(["sphere", "cube"], at=[None, None]), rag.location
        build_index(built, [passage("z", "sphere cube")])

        assert before == rag.contexts(["sphere", "cube"], at=[None, None])
        assert location == rag.location == {"path": built.as_posix(), "version": 1, "snapshot": rag.snapshot}
        assert [p.id for p in rag.latest().context("sphere")] == ["z"]
        assert before == RagAugmenter(built, version=1).contexts(["sphere", "cube"], at=[None, None])

    def test_rows_added_by_other_programs_change_the_digest(self, built):
        rag = RagAugmenter(built)
        pinned = rag.snapshot
        table = lancedb.connect(built.parent).open_table("corpus")
        table.add(table.to_arrow().slice(0, 1).set_column(0, table.schema.field("id"), pa.array(["new"])))

        assert pinned == rag.snapshot == RagAugmenter(built, version=1).snapshot
        assert pinned != rag.latest().snapshot

    def test_an_index_and_compaction_change_nothing(self, built):
        rag = RagAugmenter(built)
        before = (rag.snapshot, rag.context("sphere"))
        table = lancedb.connect(built.parent).open_table("corpus")
        table.create_index("text", config=FTS())
        table.optimize()
        latest = rag.latest()

        assert rag.location["version"] == 1 < latest.location["version"]
        assert before == (latest.snapshot, latest.context("sphere"))

    def test_a_copy_in_another_process_keeps_the_pin(self, built):
        rag = RagAugmenter(built)
        location = rag.location
        sent = pickle.dumps(rag)
        build_index(built, [passage("z")])

        assert pickle.loads(sent).location == location
        assert pickle.loads(sent) == rag

    def test_another_process_finds_the_same(self, tmp_path):
        path = tmp_path / "corpus.lance"
        build_index(path, python_package("json"), markup(_docs(tmp_path)))
        questions = ["How do I dump an object to a file?", "JSONEncoder default", "install ünïcode", "日本"]
        here = [[p.id for p in c] for c in RagAugmenter(path).contexts(questions, at=[None] * 4)]
        code = (
            "import sys, json\n"
            "from furytune.augmenters.rag import RagAugmenter\n"
            "rag = RagAugmenter(sys.argv[1])\n"
            "print(json.dumps([[p.id for p in rag.context(q)] for q in json.loads(sys.argv[2])]))"
        )
        assert all(here)
        for seed in ("1", "2"):
            out = subprocess.run(
                [sys.executable, "-c", code, path, json.dumps(questions)],
                env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONUTF8": "0"},
                capture_output=True,
                check=True,
            )
            assert here == json.loads(out.stdout)

    def test_making_one_reads_nothing_and_imports_no_vendor(self):
        code = (
            "import sys\n"
            "from furytune.augmenters.rag import RagAugmenter, build_index\n"
            "repr(RagAugmenter('nowhere/corpus.lance').spec)\n"
            "assert not {'lancedb', 'pyarrow', 'numpy'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    @pytest.mark.parametrize(
        "wrong", [{"k": 0}, {"k": True}, {"k": 2.0}, {"b": 1.5}, {"k1": float("nan")}, {"version": 0}]
    )
    def test_arguments_that_cannot_work_are_refused(self, wrong):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RagAugmenter("corpus.lance", **wrong)

    def test_questions_and_moments_must_match(self, built):
        with pytest.raises(ConfigError, match="2 questions"):
            RagAugmenter(built).contexts(["a", "b"], at=[None])
        with pytest.raises(ConfigError, match="time zone"):
            RagAugmenter(built).context("a", at=datetime(2024, 1, 1))  # noqa: DTZ001

    def test_no_questions_get_no_answers(self, built):
        assert RagAugmenter(built).contexts([], at=[]) == []


class TestCannotServe:
    def test_a_missing_table_says_how_to_build_it(self, path):
        with pytest.raises(KnowledgeError, match="build_index"):
            RagAugmenter(path).context("x")
        with pytest.raises(SnapshotError, match="build_index"):
            RagAugmenter(path, version=3).context("x")
        assert not path.exists()
        assert not (path.parent / "nowhere").exists()
        with pytest.raises(KnowledgeError, match="build_index"):
            RagAugmenter(path.parent / "nowhere" / "corpus.lance").latest()
        assert not (path.parent / "nowhere").exists()

    def test_the_error_for_a_missing_version_names_the_newest(self, built):
        with pytest.raises(SnapshotError, match=r"version 9 is missing \(the newest is 1\).*build"):
            RagAugmenter(built, version=9).snapshot  # noqa: B018

    @pytest.mark.filterwarnings("ignore:optimize.cleanup_older_than=0.")
    def test_a_cleaned_version_is_not_replaced_by_another(self, built):
        build_index(built, [passage("z")])
        lancedb.connect(built.parent).open_table("corpus").optimize(cleanup_older_than=timedelta(0))

        with pytest.raises(SnapshotError, match="version 1"):
            RagAugmenter(built, version=1).context("sphere")

    def test_an_emptied_table_is_an_error(self, built):
        lancedb.connect(built.parent).open_table("corpus").delete("true")

        with pytest.raises(KnowledgeError, match=r"no passages.*build_index"):
            RagAugmenter(built).context("sphere")
        assert RagAugmenter(built, version=1).context("cube")

    def test_another_programs_table_is_an_error(self, path):
        lancedb.connect(path.parent).create_table("corpus", pa.table({"id": ["a"], "text": ["sphere"]}))

        with pytest.raises(KnowledgeError, match="not made by furytune"):
            RagAugmenter(path).context("sphere")

    def test_another_format_says_to_rebuild_and_can_be_rebuilt(self, built, monkeypatch):
        monkeypatch.setattr("furytune.augmenters._index.tables.FORMAT", "2")
        monkeypatch.setattr("furytune.augmenters._index.snapshot.FORMAT", "2")

        with pytest.raises(KnowledgeError, match=r"format 1.*reads 2.*build_index"):
            RagAugmenter(built).context("sphere")
        assert build_index(built, [passage("a")]).version == 2
        assert RagAugmenter(built).context("sphere")

    def test_changed_columns_are_an_error(self, built):
        lancedb.connect(built.parent).open_table("corpus").drop_columns(["url"])

        with pytest.raises(KnowledgeError, match=r"columns.*build_index"):
            RagAugmenter(built).context("sphere")

    def test_an_id_added_twice_is_an_error_with_both_sources(self, built):
        table = lancedb.connect(built.parent).open_table("corpus")
        row = table.to_arrow().slice(0, 1)
        table.add(row.set_column(3, table.schema.field("source"), pa.array(["other.py:7"])))

        with pytest.raises(KnowledgeError, match=r"two passages.*other\.py:7"):
            RagAugmenter(built).context("sphere")

    @pytest.mark.parametrize("what", ["file", "folder", "data"])
    def test_damage_raises_our_error_without_vendor_traceback(self, built, what):
        if what == "data":
            shutil.rmtree(built / "data")
            shutil.rmtree(built / "_furytune")
        else:
            shutil.rmtree(built)
            built.write_text("x") if what == "file" else built.mkdir()

        with pytest.raises(KnowledgeError, match="build_index"):
            RagAugmenter(built).context("sphere")


class TestCopy:
    """The copy that opens without LanceDB equals the table, or it is not used."""

    CODE = (
        "import sys\n"
        "from furytune.augmenters.rag import RagAugmenter\n"
        "rag = RagAugmenter(sys.argv[1], version=int(sys.argv[2]) or None)\n"
        "print(rag.snapshot, rag.location['version'], [p.id for p in rag.context('sphere actor')])\n"
        "print('lancedb' in sys.modules)"
    )

    def ask(self, path, version=0):
        run = subprocess.run(
            [sys.executable, "-c", self.CODE, path, str(version)], capture_output=True, text=True, check=True
        )
        return run.stdout.splitlines()

    def test_the_newest_and_a_pinned_version_open_without_lancedb(self, built):
        build_index(built, [passage("z")])
        first, newest = self.ask(built, 1), self.ask(built)
        shutil.rmtree(built / "_furytune")

        assert (first[1], newest[1]) == ("False", "False")
        assert ([first[0], "True"], [newest[0], "True"]) == (self.ask(built, 1), self.ask(built))

    def test_a_version_of_another_program_is_read_from_the_table(self, built):
        table = lancedb.connect(built.parent).open_table("corpus")
        table.delete("id = 'a'")

        assert [p.id for p in RagAugmenter(built).context("sphere actor")] == ["b", "c"]
        assert [p.id for p in RagAugmenter(built, version=1).context("sphere actor")] == ["a", "b", "c"]

    def test_a_copy_of_another_table_is_ignored(self, built, tmp_path):
        other = tmp_path / "other.lance"
        build_index(other, [passage("z")])
        shutil.rmtree(built / "_furytune")
        shutil.copytree(other / "_furytune", built / "_furytune")

        assert "z" not in [p.id for p in RagAugmenter(built).context("sphere")]

    @pytest.mark.parametrize("damage", [b"", b"{}\n", b"[]", "cut", "flip", "more"])
    def test_a_damaged_copy_is_ignored(self, built, damage):
        before = RagAugmenter(built)
        expected = (before.snapshot, before.context("sphere actor"))
        copy = built / "_furytune" / "1.jsonl"
        data = copy.read_bytes()
        made = {"cut": data[:-9], "flip": data.replace(b"sphere", b"cube"), "more": data + data}.get(
            damage, damage
        )
        copy.write_bytes(made)
        after = RagAugmenter(built)

        assert made != data
        assert expected == (after.snapshot, after.context("sphere actor"))

    def test_an_unknown_layout_of_the_table_is_left_to_lancedb(self, built):
        from furytune.augmenters._index.snapshot import recall

        assert recall(built, None) == recall(built, 1)
        (built / "_versions" / "7.manifest").write_bytes(b"")
        assert recall(built, None) is None

    @pytest.mark.filterwarnings("ignore:optimize.cleanup_older_than=0.")
    def test_copies_of_removed_versions_are_deleted(self, built):
        build_index(built, [passage("y")])
        lancedb.connect(built.parent).open_table("corpus").optimize(cleanup_older_than=timedelta(0))
        version = build_index(built, [passage("z")]).version

        copies = {p.name for p in (built / "_furytune").iterdir()}
        assert f"{version}.jsonl" in copies
        assert "1.jsonl" not in copies
        assert [p.id for p in RagAugmenter(built).context("sphere")] == ["z"]

    def test_a_build_works_if_the_copy_cannot_be_written(self, path):
        build_index(path, [passage("a")])
        shutil.rmtree(path / "_furytune")
        (path / "_furytune").write_text("in the way")

        assert build_index(path, [passage("b")]).written
        assert [p.id for p in RagAugmenter(path).context("sphere")] == ["b"]


class TestFromSpec:
    def test_a_moved_folder_gives_the_same_passages(self, built, tmp_path):
        rag = RagAugmenter(built, k=2, b=0.5)
        before = rag.context("sphere actor")
        moved = tmp_path / "elsewhere" / "kb"
        shutil.move(built, moved / built.name)
        spec = json.loads(json.dumps(rag.spec))
        again = RagAugmenter.from_spec(
            spec, location={"path": "kb/corpus.lance", "version": 1}, base=tmp_path / "elsewhere"
        )

        assert (rag.spec, rag.snapshot, before) == (again.spec, again.snapshot, again.context("sphere actor"))

    def test_an_absolute_location_does_not_need_the_base(self, built):
        rag = RagAugmenter(built)

        assert (
            RagAugmenter.from_spec(rag.spec, location=rag.location, base=Path("nowhere")).snapshot
            == rag.snapshot
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"scorer_version": 99},
            {"tokenizer": 99},
            {"scorer": "other"},
            {"name": "other"},
            {"new": 1},
            {"k": 0},
            {"k": "4"},
            {"b": None},
        ],
    )
    def test_unsupported_settings_are_refused(self, built, change):
        rag = RagAugmenter(built)

        with pytest.raises(ContractMismatchError, match=r"augmenter"):
            RagAugmenter.from_spec({**rag.spec, **change}, location=rag.location, base=Path())

    @pytest.mark.parametrize("name", ["name", "k", "scorer", "scorer_version", "tokenizer", "k1", "b"])
    def test_an_incomplete_spec_is_refused(self, built, name):
        rag = RagAugmenter(built)
        spec = {key: value for key, value in rag.spec.items() if key != name}

        with pytest.raises(ContractMismatchError):
            RagAugmenter.from_spec(spec, location=rag.location, base=Path())

    @pytest.mark.parametrize(
        "location", [{}, {"path": "x.lance"}, {"path": 1, "version": 1}, {"version": True}]
    )
    def test_an_invalid_location_is_refused(self, built, location):
        with pytest.raises(ContractError, match="where the index is"):
            RagAugmenter.from_spec(RagAugmenter(built).spec, location=location, base=Path())

    @pytest.mark.parametrize(
        "location", [{"path": "gone.lance", "version": 1}, {"path": "corpus.lance", "version": 7}]
    )
    def test_a_missing_index_is_an_error_at_loading(self, built, location):
        with pytest.raises(SnapshotError, match="build"):
            RagAugmenter.from_spec(RagAugmenter(built).spec, location=location, base=built.parent)

    def test_identity_has_nothing_to_find(self):
        made = IdentityAugmenter.from_spec(IdentityAugmenter().spec, location={}, base=Path())

        assert (IdentityAugmenter(), "", ()) == (made, made.snapshot, made.context("sphere"))


class TestRealKnowledge:
    @pytest.mark.shared_data
    def test_questions_of_fury_users_find_the_right_symbols(self, shared_data, tmp_path):
        with tarfile.open(shared_data / "fury" / "fury-v0.12.0-docs-and-source.tar.xz") as archive:
            archive.extractall(tmp_path / "fury", **SAFELY)
        (root,) = {p.parent for p in (tmp_path / "fury").rglob("fury/__init__.py")}
        path = tmp_path / "corpus.lance"
        report = build_index(
            path, python_package(root, on_error="skip"), markup(root.parent / "docs", on_error="skip")
        )
        rag = RagAugmenter(path, k=10)

        assert report.passages > 1000
        titles = [p.title for p in rag.context("How do I show a sphere actor with given centers and colors?")]
        assert any(t.startswith("fury.actor") and "sphere" in t for t in titles)
        assert "fury.window.ShowManager" in [p.title for p in rag.context("ShowManager")]
        assert not build_index(
            path, python_package(root, on_error="skip"), markup(root.parent / "docs")
        ).written


def _docs(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("# Install\n\nünïcode 日本語\n", encoding="utf-8")
    return docs
