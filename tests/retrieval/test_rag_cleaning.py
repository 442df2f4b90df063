"""An index does not grow forever, and no version that is needed is removed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import lancedb
import pytest

import furytune as ft
from furytune import Passage, PromptContract, PromptTemplate, RagAugmenter, build_index
from furytune.errors import ConfigError, FurytuneError, KnowledgeError, SnapshotError

QUESTION = "How do I set the opacity?"


def passages(n):
    return [Passage(id="a", text=f"opacity of state {n}"), Passage(id="b", text="a scene holds actors" * 50)]


def grown(path, *states, **settings):
    return [build_index(path, passages(n), **settings) for n in states][-1]


def contract_of(path, version=None):
    return PromptContract(
        template=PromptTemplate("{context}\n\nQuestion:\n{question}"),
        augmenter=RagAugmenter(path, k=1, version=version),
    )


def numbers(path):
    table = lancedb.connect(Path(path).parent).open_table(Path(path).stem)
    return [v["version"] for v in table.list_versions()]


def kept(cleaned):
    return {v.version: v.reasons for v in cleaned.kept}


def size(path):
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


@pytest.fixture
def index(tmp_path):
    return tmp_path / "corpus.lance"


def a_year_passes(path):
    """Makes all marks look a year old."""
    for mark in [*(path / "_furytune").glob("*.opened"), *(path / "_furytune").glob("*.loaded")]:
        os.utime(mark, (0, 0))


def test_forty_builds_take_no_more_space_than_two(index):
    grown(index, 1, 2)
    two = size(index)
    report = grown(index, *range(3, 41))
    assert numbers(index) == [39, 40]
    assert size(index) < two * 1.1
    assert kept(report.cleaned) == {40: ("newest",), 39: ("previous",)}
    assert report.cleaned.dropped == (38,)
    assert "kept         39  version  previous" in str(report)


def test_a_saved_contract_opens_after_any_number_of_builds(index, tmp_path):
    grown(index, 1)
    saved = contract_of(index)
    saved.save(tmp_path / "bot.contract.json")
    text = saved.prompt(QUESTION).text
    a_year_passes(index)
    report = grown(index, *range(2, 9))
    assert kept(report.cleaned)[1] == ("tag furytune-1",)
    shutil.rmtree(index / "_furytune")  # so that the table itself is read, not the copy
    opened = PromptContract.load(tmp_path / "bot.contract.json")
    assert opened.prompt(QUESTION).text == text
    assert "state 1" in text


def test_a_long_run_can_still_save_its_contract(index, tmp_path):
    """The version is in use, but no contract names it yet."""
    grown(index, 1)
    running = contract_of(index)
    text = running.prompt(QUESTION).text
    assert kept(grown(index, *range(2, 9)).cleaned)[1] == ("opened",)
    running.save(tmp_path / "late.contract.json")
    a_year_passes(index)
    grown(index, 9)
    assert PromptContract.load(tmp_path / "late.contract.json").prompt(QUESTION).text == text


def test_an_old_version_without_a_tag_is_removed(index):
    grown(index, 1)
    contract_of(index).prompt(QUESTION)
    grown(index, 2, 3)
    assert numbers(index) == [1, 2, 3]
    a_year_passes(index)
    assert ft.clean_index(index).dropped == (1,)
    assert numbers(index) == [2, 3]


def test_loading_a_contract_keeps_its_version_for_weeks(index, tmp_path):
    grown(index, 1)
    contract_of(index).save(tmp_path / "bot.contract.json")
    lancedb.connect(tmp_path).open_table("corpus").tags.delete("furytune-1")
    a_year_passes(index)
    PromptContract.load(tmp_path / "bot.contract.json")
    mark = index / "_furytune/1.loaded"
    os.utime(mark, (mark.stat().st_atime, mark.stat().st_mtime - 60 * 86_400))
    assert kept(grown(index, 2, 3, 4).cleaned)[1] == ("loaded",)
    PromptContract.load(tmp_path / "bot.contract.json")


def test_opened_versions_stay_as_long_as_asked(index):
    grown(index, 1)
    contract_of(index).prompt(QUESTION)
    grown(index, 2, 3)
    mark = index / "_furytune/1.opened"
    os.utime(mark, (mark.stat().st_atime, mark.stat().st_mtime - 3 * 86_400))
    assert ft.clean_index(index, recent=timedelta(days=4)).dropped == ()
    assert ft.clean_index(index, recent=timedelta(days=2)).dropped == (1,)


def test_given_contracts_keep_their_version_without_a_tag(index, tmp_path):
    grown(index, 1)
    file = tmp_path / "copy.contract.json"
    contract_of(index).save(file)
    lancedb.connect(tmp_path).open_table("corpus").tags.delete("furytune-1")
    grown(index, 2, 3, clean=False)
    a_year_passes(index)
    assert ft.clean_index(index, contracts=[file]).dropped == ()
    a_year_passes(index)
    assert kept(ft.clean_index(index, contracts=[file]))[1] == ("contract copy.contract.json",)
    assert ft.clean_index(index).dropped == (1,)
    with pytest.raises(SnapshotError):
        ft.clean_index(index, contracts=[file])
    assert numbers(index) == [2, 3]


def test_tags_false_removes_tags_of_other_contracts(index, tmp_path):
    for n in (1, 2, 3):
        grown(index, n)
        contract_of(index, n).save(tmp_path / f"{n}.contract.json")
    grown(index, 4, 5, 6, 7)
    lancedb.connect(tmp_path).open_table("corpus").tags.create("of-mine", 3)
    a_year_passes(index)
    assert numbers(index) == [1, 2, 3, 6, 7]
    cleaned = ft.clean_index(index, contracts=[tmp_path / "2.contract.json"], tags=False)
    assert cleaned.dropped == (1,)
    assert cleaned.untagged == ("furytune-1", "furytune-3")
    assert kept(cleaned)[3] == ("tag of-mine",)
    PromptContract.load(tmp_path / "2.contract.json")
    with pytest.raises(FurytuneError, match="build the index again"):
        PromptContract.load(tmp_path / "1.contract.json")


def test_invalid_arguments_remove_nothing(index, tmp_path):
    grown(index, 1, 2, 3, 4, clean=False)
    other = tmp_path / "other.lance"
    grown(other, 1)
    contract_of(other).save(tmp_path / "other.contract.json")
    for settings, why in [
        ({"tags": False}, "list the contract files in use"),
        ({"contracts": tmp_path / "other.contract.json"}, "list of contract files"),
        ({"contracts": [tmp_path / "other.contract.json"]}, "belongs to another index"),
        ({"recent": timedelta(-1)}, "at least 0"),
    ]:
        with pytest.raises(ConfigError, match=why):
            ft.clean_index(index, **settings)
    with pytest.raises(KnowledgeError):
        ft.clean_index(tmp_path / "none.lance")
    assert numbers(index) == [1, 2, 3, 4]


def test_build_index_with_clean_false_keeps_every_version(index):
    assert grown(index, 1, 2, 3, 4, clean=False).cleaned is None
    assert numbers(index) == [1, 2, 3, 4]


def test_lancedb_can_use_a_cleaned_index(index, tmp_path):
    grown(index, *range(1, 7))
    table = lancedb.connect(tmp_path).open_table("corpus")
    rows = table.to_arrow()
    table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(rows)
    assert ft.clean_index(index).dropped == (5,)
    for version in numbers(index):
        table.checkout(version)
        assert table.to_arrow().num_rows == 2
    table.checkout_latest()
    table.optimize()
    assert grown(index, 8).written
    assert [p.text for p in RagAugmenter(index, k=1).context("opacity")] == ["opacity of state 8"]


@pytest.mark.parametrize("shared", ["data", "_refs/branches"])
def test_an_index_with_shared_files_is_not_cleaned(index, tmp_path, shared):
    grown(index, 1, 2, 3, 4, clean=False)
    if shared == "data":
        (index / "data").rename(tmp_path / "elsewhere")
        (index / "data").symlink_to(tmp_path / "elsewhere")
    else:
        (index / shared).mkdir(parents=True)
    assert "no version was removed" in str(ft.clean_index(index))
    assert numbers(index) == [1, 2, 3, 4]


def test_files_without_a_version_are_kept(index):
    """Another process may be about to write a version with them."""
    grown(index, 1, 2)
    coming = index / "data" / ("0" * 46 + ".lance")
    coming.write_bytes(b"half a version")
    grown(index, 3, 4)
    assert coming.read_bytes() == b"half a version"


KILLED = """
import os, signal, sys
from furytune.augmenters._index import versions
remove = versions._remove
def killed(path):
    remove(path)
    os.kill(os.getpid(), signal.SIGKILL)
versions._remove = killed
versions.clean_index(sys.argv[1])
"""


def interrupt(index, monkeypatch, step):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"furytune.augmenters._index.versions.{step}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ft.clean_index(index)


def ended_later(index):
    """Checks that an interrupted clean-up leaves a working index, and that the next one finishes it."""
    assert RagAugmenter(index, k=1).context("opacity")[0].text == "opacity of state 6"
    assert {5, 6} <= set(numbers(index))
    a_year_passes(index)
    ft.clean_index(index)
    assert numbers(index) == [5, 6]
    assert len(list((index / "data").iterdir())) == 2
    assert {p.name.partition(".")[0] for p in (index / "_furytune").iterdir()} == {"5", "6"}


def test_a_killed_clean_up_is_finished_by_the_next(index):
    grown(index, *range(1, 7), clean=False)
    run = subprocess.run([sys.executable, "-c", KILLED, index], check=False)
    assert run.returncode == -signal.SIGKILL
    ended_later(index)


@pytest.mark.parametrize("step", ["_tagged_meanwhile", "finish"])
def test_a_clean_up_interrupted_between_steps_is_finished_by_the_next(index, monkeypatch, step):
    grown(index, *range(1, 7), clean=False)
    interrupt(index, monkeypatch, step)
    ended_later(index)


def test_forgetting_after_an_interrupted_clean_up_leaves_no_text(index, monkeypatch):
    message = "1235174400000000000"
    words = b"the words of somebody"
    told = Passage(id=f"chat:{message}", text=words.decode(), source=f"discord:1/5/{message}")
    build_index(index, [told, *passages(1)])
    grown(index, 2, 3, clean=False)
    interrupt(index, monkeypatch, "finish")
    ft.forget(message=message, indexes=[index])
    assert not [p for p in index.rglob("*") if p.is_file() and words in p.read_bytes()]
    assert RagAugmenter(index, k=1).context("opacity")[0].text == "opacity of state 3"
