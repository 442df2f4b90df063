"""The identity of an index: its passages and its absolute path, not a version number."""

from __future__ import annotations

import json
import pickle
import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import attrs
import lancedb
import pytest
from builders import at_once
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lancedb.index import FTS
from scoring import loaded

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.contract import PromptContract
from furytune.errors import ConfigError, ContractError, KnowledgeError, SnapshotError
from furytune.records import Passage
from furytune.template import PromptTemplate

OLD = [Passage(id="a", text="an old sphere")]
NEW = [Passage(id="a", text="a new sphere"), Passage(id="b", text="a cube")]
OTHER = [Passage(id="z", text="another sphere")]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "corpus.lance"


@pytest.fixture
def pinned(path):
    """Returns the spec, location and snapshot of version 2, which contains NEW."""
    build_index(path, OLD)
    build_index(path, NEW)
    rag = RagAugmenter(path)
    assert rag.location["version"] == 2
    return rag.spec, rag.location, rag.snapshot


def texts(rag, question="sphere"):
    return [p.text for p in rag.context(question)]


class TestIdentity:
    def test_a_contract_loads_after_its_index_was_built_again(self, path, tmp_path):
        build_index(path, OLD)
        build_index(path, NEW)
        contract = PromptContract(
            template=PromptTemplate("{context}\n\nQuestion:\n{question}"), augmenter=RagAugmenter(path)
        )
        contract.save(tmp_path / "c.json")
        shutil.rmtree(path)
        build_index(path, NEW)

        again = PromptContract.load(tmp_path / "c.json")
        assert again.snapshot == contract.snapshot
        assert again.prompt("sphere").text == contract.prompt("sphere").text

    @pytest.mark.parametrize("order", [[NEW], [NEW, OTHER], [NEW, OLD, OTHER], [OLD, OTHER, NEW]])
    @pytest.mark.parametrize("copies", [True, False])
    def test_the_passages_are_found_in_any_version(self, pinned, path, order, copies):
        spec, location, snapshot = pinned
        shutil.rmtree(path)
        for passages in order:
            build_index(path, passages, clean=False)
        if not copies:
            shutil.rmtree(path / "_furytune")

        made = RagAugmenter.from_spec(spec, location=location, base=Path())
        assert (made.snapshot, texts(made)) == (snapshot, ["a new sphere"])
        assert made.version == made.location["version"] == order.index(NEW) + 1
        assert texts(pickle.loads(pickle.dumps(made))) == ["a new sphere"]

    def test_a_false_copy_is_ignored_in_the_search(self, pinned, path):
        spec, location, snapshot = pinned
        shutil.rmtree(path)
        build_index(path, OLD)
        copy = path / "_furytune" / "1.jsonl"
        head, _, body = copy.read_text().partition("\n")
        copy.write_text(json.dumps({**json.loads(head), "snapshot": snapshot}) + "\n" + body)

        with pytest.raises(SnapshotError, match="neither version 2 nor any other"):
            RagAugmenter.from_spec(spec, location=location, base=Path())

    def test_other_passages_never_replace_the_pinned_ones(self, pinned, path):
        spec, location, snapshot = pinned
        shutil.rmtree(path)
        build_index(path, OTHER)
        build_index(path, OLD)  # version 2, but with other passages

        with pytest.raises(
            SnapshotError, match=rf"neither version 2 nor any.*{snapshot}.*build the index again"
        ):
            RagAugmenter.from_spec(spec, location=location, base=Path())

    def test_other_passages_can_be_accepted_explicitly(self, pinned, path):
        spec, location, snapshot = pinned
        shutil.rmtree(path)
        build_index(path, OTHER)
        build_index(path, OLD)
        newest = {**location, "version": None, "snapshot": ""}
        made = RagAugmenter.from_spec(spec, location=newest, base=Path())
        build_index(path, NEW)

        assert made.snapshot != snapshot
        assert texts(made) == texts(pickle.loads(pickle.dumps(made))) == ["an old sphere"]

    def test_a_missing_table_is_always_an_error(self, pinned, path):
        spec, location, _ = pinned
        shutil.rmtree(path)
        with pytest.raises(KnowledgeError, match="no index here"):
            RagAugmenter.from_spec(spec, location={**location, "version": None, "snapshot": ""}, base=Path())
        with pytest.raises(SnapshotError, match="no index here"):
            RagAugmenter.from_spec(spec, location=location, base=Path())

    @pytest.mark.filterwarnings("ignore:optimize.cleanup_older_than=0.")
    def test_an_equal_version_replaces_a_removed_one(self, pinned, path):
        spec, location, snapshot = pinned
        table = lancedb.connect(path.parent).open_table("corpus")
        table.create_index("text", config=FTS())
        table.optimize(cleanup_older_than=timedelta(0))

        with pytest.raises(SnapshotError):
            RagAugmenter(path, version=2).snapshot  # noqa: B018
        assert RagAugmenter.from_spec(spec, location=location, base=Path()).snapshot == snapshot

    def test_a_table_with_an_index_of_lancedb_is_replaced(self, pinned, path):
        lancedb.connect(path.parent).open_table("corpus").create_index("text", config=FTS())

        assert build_index(path, OTHER).written
        assert texts(RagAugmenter(path)) == ["another sphere"]


class TestPath:
    def test_another_working_folder_changes_nothing(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        report = build_index("corpus.lance", NEW)
        rag = RagAugmenter("corpus.lance")
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")

        assert report.path == rag.path == str(tmp_path / "corpus.lance")
        assert rag.location["path"] == (tmp_path / "corpus.lance").as_posix()
        assert texts(rag) == ["a new sphere"]

    @pytest.mark.parametrize("written", ["corpus.lance/", "./corpus.lance//", "x/../corpus.lance"])
    def test_other_spellings_name_the_same_index(self, tmp_path, monkeypatch, written):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "x").mkdir()
        build_index(written, NEW)

        assert RagAugmenter(written) == RagAugmenter(Path("corpus.lance"))
        assert texts(RagAugmenter(written)) == ["a new sphere"]

    def test_symbolic_links_are_not_resolved(self, tmp_path):
        build_index(tmp_path / "v1.lance", OLD)
        build_index(tmp_path / "v2.lance", NEW)
        link = tmp_path / "current.lance"
        link.symlink_to(tmp_path / "v1.lance")
        assert texts(RagAugmenter(link)) == ["an old sphere"]
        link.unlink()
        link.symlink_to(tmp_path / "v2.lance")

        rag = RagAugmenter(link)
        assert texts(rag) == ["a new sphere"]
        assert rag.location["path"] == link.as_posix()
        shutil.rmtree(tmp_path / "v2.lance" / "_furytune")
        assert texts(RagAugmenter(link)) == ["a new sphere"]

    def test_two_dots_after_a_link_are_read_like_the_system_does(self, tmp_path):
        (tmp_path / "far" / "inner").mkdir(parents=True)
        (tmp_path / "link").symlink_to(tmp_path / "far" / "inner")
        build_index(tmp_path / "far" / "corpus.lance", NEW)

        assert texts(RagAugmenter(tmp_path / "link" / ".." / "corpus.lance")) == ["a new sphere"]

    @pytest.mark.parametrize(
        "wrong", [7, None, b"corpus.lance", "a\0b.lance", "\ud800/a.lance", "", "/", ".."]
    )
    def test_values_that_are_not_paths_are_refused(self, wrong):
        with pytest.raises(ConfigError, match="index"):
            RagAugmenter(wrong)
        with pytest.raises(ConfigError, match="index"):
            build_index(wrong, NEW)

    def test_a_name_that_is_too_long_is_an_error(self, tmp_path):
        path = tmp_path / ("x" * 300) / "corpus.lance"

        with pytest.raises(KnowledgeError, match="no index"):
            RagAugmenter(path).context("sphere")
        with pytest.raises(KnowledgeError, match="cannot write the index; the existing index is unchanged"):
            build_index(path, NEW)

    def test_a_file_in_the_way_is_named(self, tmp_path):
        (tmp_path / "corpus.lance").write_text("x")
        (tmp_path / "kb").write_text("x")

        with pytest.raises(KnowledgeError, match=r"corpus\.lance is a file"):
            build_index(tmp_path / "corpus.lance", NEW)
        with pytest.raises(KnowledgeError, match=r"kb is a file"):
            build_index(tmp_path / "kb" / "corpus.lance", NEW)


class TestPin:
    def test_other_settings_keep_the_pin(self, path):
        build_index(path, OLD)
        rag = RagAugmenter(path)
        used = rag.snapshot
        build_index(path, NEW)
        more = attrs.evolve(rag, k=8, k1=2.0)

        assert more.snapshot == used
        assert texts(more) == ["an old sphere"]
        assert attrs.evolve(pickle.loads(pickle.dumps(rag)), k=8).snapshot == used

    def test_another_path_or_version_drops_the_pin(self, path, tmp_path):
        build_index(path, OLD)
        rag = RagAugmenter(path)
        assert texts(rag) == ["an old sphere"]
        build_index(path, NEW)
        other = tmp_path / "other.lance"
        build_index(other, OLD)
        build_index(other, OTHER)

        assert texts(attrs.evolve(rag, path=other)) == ["another sphere"]
        assert texts(attrs.evolve(rag, version=2)) == ["a new sphere"]

    @pytest.mark.parametrize(
        "copied", [lambda rag: attrs.evolve(rag, k=8), lambda rag: pickle.loads(pickle.dumps(rag))]
    )
    def test_there_is_no_pin_before_the_first_use(self, path, copied):
        build_index(path, OLD)
        rag = copied(RagAugmenter(path))
        build_index(path, NEW)

        assert texts(rag) == ["a new sphere"]


class TestArguments:
    @pytest.mark.parametrize(
        "wrong",
        [{"k": "4"}, {"k1": "1.5"}, {"k1": True}, {"k1": None}, {"k1": 10**400}, {"b": [1]}, {"version": "1"}]
        + [{name: 10**5000} for name in ("k", "k1", "version")],
    )
    def test_values_of_another_type_are_refused(self, wrong):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RagAugmenter("corpus.lance", **wrong)

    @pytest.mark.parametrize(
        "source",
        ["docs", b"docs", Path("docs"), NEW[0], None, {"a": NEW[0]}, ["docs"], [None], [("a", "text")]],
    )
    def test_sources_that_give_no_passages_are_refused(self, path, source):
        with pytest.raises(ConfigError, match=r"python_package\(\.\.\.\), markup\(\.\.\.\)"):
            build_index(path, NEW, source)
        assert not path.exists()

    @pytest.mark.parametrize(
        "date",
        [
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-10))),
        ],
    )
    def test_a_date_outside_utc_is_counted(self, path, date):
        report = build_index(path, NEW, [Passage(id="far", text="sphere", source="x.py:1", date=date)])

        assert [(d.reason, d.ids, d.where) for d in report.dropped] == [("bad_date", ("far",), "x.py:1")]
        assert report.passages == 2
        assert RagAugmenter(path).context("sphere", at=date)

    def test_the_first_and_the_last_date_come_back(self, path):
        ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
        build_index(path, [Passage(id=str(i), text="sphere", date=d) for i, d in enumerate(ends)])
        shutil.rmtree(path / "_furytune")
        rag = RagAugmenter(path)

        assert [p.date for p in rag.context("sphere")] == ends[:1]
        assert rag.context("sphere", at=ends[0]) == ()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, 10**4000, -(10**4299), 2**63, 0, -1])
    | st.floats()
    | st.text()
    | st.sampled_from(["\0.lance", "../x.lance", "x" * 300 + ".lance", "\ud800.lance", "sha256:0"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    path = tmp_path_factory.mktemp("fixed") / "corpus.lance"
    build_index(path, NEW)
    return RagAugmenter(path)


class TestMalformed:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.sampled_from(["spec", "location"]),
        st.sampled_from(["name", "k", "k1", "b", "tokenizer", "path", "version", "snapshot"]),
        JSON,
    )
    def test_damaged_contracts_raise_only_our_errors(self, fixed, part, key, value):
        spec, location = dict(fixed.spec), dict(fixed.location)
        (spec if part == "spec" else location)[key] = value
        try:
            made = RagAugmenter.from_spec(spec, location=location, base=Path())
        except (ContractError, KnowledgeError):
            return
        assert made.snapshot == fixed.snapshot

    @pytest.mark.parametrize("value", [None, 1, "x", [], [["k", 4]]])
    def test_values_that_are_not_mappings_are_refused(self, fixed, value):
        with pytest.raises(ContractError):
            RagAugmenter.from_spec(value, location=fixed.location, base=Path())
        with pytest.raises(ContractError):
            RagAugmenter.from_spec(fixed.spec, location=value, base=Path())


class TestBuildersAtOnce:
    @pytest.mark.parametrize("exists", [False, True])
    def test_equal_passages_are_written_once(self, path, exists):
        if exists:
            build_index(path, OLD)
        reports = at_once(path, "xxx")

        assert sorted(written for _, written, _ in reports) == [False, False, True]
        assert len({(version, snapshot) for version, _, snapshot in reports}) == 1
        assert lancedb.connect(path.parent).open_table("corpus").version == 1 + exists

    @pytest.mark.parametrize("exists", [False, True])
    def test_different_passages_make_complete_versions(self, path, exists):
        if exists:
            build_index(path, OLD)
        reports = at_once(path, "xyz")

        assert sorted(version - exists for version, _, _ in reports) == [1, 2, 3]
        held = RagAugmenter(path, k=1000).context("sphere")
        assert (len(held), len({p.text.split()[2] for p in held})) == (300, 1)
        # Each process removed versions that were not needed, while the others wrote theirs.
        there = {v["version"] for v in lancedb.connect(path.parent).open_table("corpus").list_versions()}
        assert there >= {2 + exists, 3 + exists}
        for copies in (True, False):
            for version, _, snapshot in reports:
                if version in there:
                    assert RagAugmenter(path, version=version).snapshot == snapshot
            if copies:
                shutil.rmtree(path / "_furytune")

    def test_a_folder_left_by_a_killed_first_build_is_used(self, path):
        path.mkdir()

        assert build_index(path, NEW).version == 1
        assert texts(RagAugmenter(path)) == ["a new sphere"]

    def test_losing_every_race_is_an_error(self, path, monkeypatch):
        from furytune.augmenters._index import tables

        build_index(path, OLD)
        write, count = tables._write, iter(range(100))

        def late(place, *rest, **more):
            other = loaded([Passage(id="n", text=f"{next(count)}")])
            write(place, other, tables._open(place), sound=True)
            return write(place, *rest, **more)

        monkeypatch.setattr(tables, "_write", late)
        monkeypatch.setattr(tables.time, "sleep", lambda _: None)
        with pytest.raises(KnowledgeError, match="another process is building"):
            build_index(path, NEW)
