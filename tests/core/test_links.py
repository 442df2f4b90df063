"""No link leads a reader out of its root, and no file is read twice because of a link."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import journals
import ledgers
import pytest
from corpora_help import split
from discord_exports import export, message
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune._storage import folders
from furytune.augmenters.rag import build_index
from furytune.collectors.discord_export import DiscordExportCollector
from furytune.collectors.tabular import CsvCollector, JsonlCollector
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.curation.code import CheckCode
from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.records import Dropped, Passage, Prompt, QAPair, Source, TrainingRow

CANARY = "PRIVATE-CANARY"
LINKS = {
    "docs/out.md": "../../secret.md",
    "docs/absolute.md": "/etc/passwd",
    "docs/through.md": "chain.md",
    "docs/chain.md": "../../secret.md",
    "docs/again.md": "ok.md",
    "docs/notes.md": "../NOTES",
    "docs/round.md": "round.md",
    "docs/nowhere.md": "gone.md",
    "docs/up": "..",
    "docs/away": "../../elsewhere",
}
FILES = {"docs/ok.md": "fine", "NOTES": "kept", "docs/image.png": "", "docs/other.png": "", "docs/plain": ""}
RIGHT = {
    ("link_outside", "docs/out.md"),
    ("link_outside", "docs/absolute.md"),
    ("link_outside", "docs/through.md"),
    ("link_outside", "docs/chain.md"),
    ("link_outside", "docs/away"),
    ("link", "docs/again.md"),
    ("link", "docs/up"),
    ("unreadable", "docs/round.md"),
    ("unreadable", "docs/nowhere.md"),
}


@pytest.fixture
def root(tmp_path):
    """A folder with links of all kinds, beside files that they must not lead to."""
    made = tmp_path / "root"
    for name, text in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    for name, target in LINKS.items():
        (made / name).symlink_to(target)
    (tmp_path / "secret.md").write_text(CANARY)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.md").write_text(CANARY)
    return made


def as_folder(root):
    return root, {}


def as_link_to_the_folder(root):
    (root.parent / "again").symlink_to(root)
    return root.parent / "again", {}


def as_revision(root):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", root, *who, *command], check=True)
    return root, {"revision": "HEAD"}


def as_tar(root):
    place = root.parent / "root-1.0.tar.gz"
    with tarfile.open(place, "w:gz") as archive:
        archive.add(root, "root-1.0")
    return place, {}


def as_zip(root):
    place = root.parent / "root.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name in FILES:
            archive.write(root / name, name)
        for name, target in LINKS.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return place, {}


FORMS = [as_folder, as_link_to_the_folder, as_revision, as_tar, as_zip]


@pytest.mark.parametrize("form", FORMS)
class TestCorpora:
    def test_links_are_followed_only_inside_the_root(self, root, form):
        source, options = form(root)
        items = list(markup(source, **options))
        texts = sorted(p.text for p in items if isinstance(p, ft.Passage))
        drops = {
            (d.reason, d.where[d.where.index("docs/") :])
            for d in items
            if isinstance(d, Dropped) and d.reason != "other_suffix"
        }

        in_archive = form in (as_tar, as_zip)  # a file without a wanted suffix is not unpacked for a link
        assert texts == (["fine"] if in_archive else ["fine", "kept"])
        assert drops == RIGHT | ({("link", "docs/notes.md")} if in_archive else set())

    def test_files_with_other_suffixes_are_counted_for_each_suffix(self, root, form):
        source, options = form(root)
        items = list(markup(source, **options))
        counted = {d.where: d.count for d in items if isinstance(d, Dropped) and d.reason == "other_suffix"}

        assert counted == {".png": 2, "no suffix": 2}

    def test_a_folder_may_link_to_the_rest_of_the_root(self, root, form):
        (root / "docs" / "readme.md").symlink_to("../README.md")
        (root / "README.md").write_text("hello")
        if form is as_zip:
            pytest.skip("the zip is made of fixed names")
        source, options = form(root)
        found, _ = split(markup(source, folder="docs", **options))

        assert found["docs/readme.md"].text == "hello"


class TestFolders:
    def test_a_folder_that_links_out_of_the_source_is_refused(self, root):
        with pytest.raises(
            ft.errors.KnowledgeError, match="'docs/away' is a link that leads out of the source"
        ):
            markup(root, folder="docs/away")

    def test_a_link_created_after_listing_is_not_followed(self, root):
        items = markup(root)
        (root / "docs" / "ok.md").unlink()
        (root / "docs" / "ok.md").symlink_to(root.parent / "secret.md")
        found, dropped = split(items)

        assert CANARY not in "".join(p.text for p in found.values())
        assert ("unreadable", "root/docs/ok.md") in {(d.reason, d.where) for d in dropped.values()}

    def test_a_folder_that_becomes_a_link_before_reading_is_not_followed(self, root):
        (root / "docs" / "sub").mkdir()
        (root / "docs" / "sub" / "a.md").write_text("fine too")
        items = markup(root)
        shutil.rmtree(root / "docs" / "sub")
        (root / "docs" / "sub").symlink_to(root.parent / "elsewhere")
        found, _ = split(items)

        assert CANARY not in "".join(p.text for p in found.values())

    def test_opening_leaves_no_descriptor_open(self, root):
        descriptors = Path("/proc/self/fd")
        if not descriptors.is_dir():
            pytest.skip("open files cannot be counted here")
        before = len(list(descriptors.iterdir()))
        list(markup(root))

        assert len(list(descriptors.iterdir())) == before

    def test_links_of_an_installed_package_are_followed_like_python_does(self, tmp_path, monkeypatch):
        cache, site = tmp_path / "cache", tmp_path / "site"
        (site / "linkedpack").mkdir(parents=True)
        cache.mkdir()
        (cache / "a").write_text("def f(): pass\n")
        (site / "linkedpack" / "__init__.py").symlink_to(cache / "a")
        monkeypatch.syspath_prepend(str(site))

        assert list(split(python_package("linkedpack"))[0]) == ["linkedpack.f"]
        assert CheckCode("linkedpack").unread == ()


def member(name, kind=tarfile.REGTYPE, link="", data=b""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    return info, data


def archive_of(place, members):
    with tarfile.open(place, "w:gz") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return place


class TestArchives:
    @pytest.mark.parametrize(
        "evil", ["../../tmp/evil.py", "/etc/evil.py", "pkg-1/../../evil.py", "..\\evil.py"]
    )
    def test_a_path_out_of_the_archive_is_dropped(self, tmp_path, evil):
        source = archive_of(
            tmp_path / "pkg-1.tar.gz",
            [
                member("pkg-1/PKG-INFO", data=b"Version: 1\n"),
                member(evil, data=b"def evil(): pass\n"),
                member("pkg-1/pkg/__init__.py", data=b"def good(): pass\n"),
            ],
        )
        found, dropped = split(python_package(source, folder="pkg"))

        assert [(p.id, p.source) for p in found.values()] == [("pkg.good", "pkg/__init__.py:1-1@1")]
        assert (dropped["path_outside"].where, dropped["path_outside"].unit) == (evil, "file")

    def test_a_windows_drive_in_a_zip_is_a_path_out_of_the_archive(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("C:\\evil.md", "evil")
            archive.writestr("docs/ok.md", "fine")
        found, dropped = split(markup(tmp_path / "a.zip"))

        assert [p.text for p in found.values()] == ["fine"]
        assert list(dropped) == ["path_outside"]

    def test_hard_links_are_links_and_devices_are_not(self, tmp_path):
        source = archive_of(
            tmp_path / "a.tar.gz",
            [
                member("a/docs/ok.md", data=b"fine"),
                member("a/docs/hard.md", tarfile.LNKTYPE, "a/docs/ok.md"),
                member("a/docs/outside.md", tarfile.LNKTYPE, "/etc/hostname"),
                member("a/docs/above.md", tarfile.LNKTYPE, "../etc/hostname"),
                member("a/docs/device.md", tarfile.CHRTYPE),
            ],
        )
        items = list(markup(source))

        assert [p.text for p in items if isinstance(p, ft.Passage)] == ["fine"]
        assert {(d.reason, d.where) for d in items if isinstance(d, Dropped)} == {
            ("link", "a/docs/hard.md"),
            ("link_outside", "a/docs/outside.md"),
            ("link_outside", "a/docs/above.md"),
            ("unreadable", "a/docs/device.md"),
        }


class TestLinksByTheirText:
    """For archives and git, links are resolved by their text, with the same result as in a file system."""

    @settings(max_examples=200, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "e"]),
            st.lists(st.sampled_from(["..", ".", "a", "b", "d", "e", "x"]), min_size=1, max_size=5).map(
                "/".join
            ),
            max_size=5,
        )
    )
    def test_both_agree(self, tmp_path_factory, links):
        root = tmp_path_factory.mktemp("links").resolve() / "root"
        (root / "d" / "e").mkdir(parents=True)
        (root / "d" / "x").write_text("x")
        (root / "x").write_text("x")
        links = {n: t for n, t in links.items() if not os.path.lexists(root / n)}
        for name, target in links.items():
            (root / name).symlink_to(target)
        listed = folders.list_files(root, wanted=lambda name: True)
        on_disk = {f.name: f.real.relative_to(root).as_posix() for f in listed.files if f.name in links}
        drops = {d.where: d.reason for d in listed.dropped}
        files = {"x", "d/x", "d/e/.keep"}
        for name, found in folders.sort_links(links, links, files, {"x", "d/x"}, wanted=lambda name: True):
            said = drops.pop(name, "") or on_disk.pop(name)
            # The file system also looks whether the folders on the way are there, such as that of "gone/../x".
            right = found if isinstance(found, str) else found.reason
            assert said in (right, "unreadable")
        assert not on_disk
        assert not drops

    def test_many_links_through_one_another_take_linear_work(self):
        class Counting(dict):
            looked_up = 0

            def __contains__(self, key):
                Counting.looked_up += 1
                return super().__contains__(key)

        def work(n):
            Counting.looked_up = 0
            links = Counting({f"l{i}": f"l{i + 1}" for i in range(n)})
            list(folders.sort_links(list(links), links, {"x"}, {"x"}, wanted=lambda name: True))
            return Counting.looked_up

        assert work(4000) < 5 * work(1000)


class TestCheckCode:
    @pytest.fixture
    def checkout(self, tmp_path):
        pack = tmp_path / "checkout" / "pack"
        (pack / "sub").mkdir(parents=True)
        (pack / "__init__.py").write_text("def here(): pass\n")
        (tmp_path / "outside.py").write_text("def elsewhere(): pass\n")
        (pack / "linked.py").symlink_to("../../outside.py")
        (pack / "sub" / "__init__.py").symlink_to("../../../outside.py")
        (pack / "inside.py").symlink_to("__init__.py")
        return tmp_path / "checkout"

    def verdict(self, step, code):
        answer = f"```python\nimport pack\nimport pack.linked\nfrom pack import sub\n{code}\n```"
        pair = QAPair(id="1", group="1", question="q", answer=answer, source=Source(path="a"))
        kept = step(pair)
        return kept.detail if isinstance(kept, Dropped) else "kept"

    def test_code_outside_is_not_read_and_not_judged(self, checkout):
        step = CheckCode("pack", path=checkout)

        assert {(d.reason, d.unit, d.where) for d in step.unread} == {
            ("link_outside", "file", "linked.py"),
            ("link_outside", "file", "sub/__init__.py"),
        }
        assert self.verdict(step, "pack.here()") == "kept"
        assert self.verdict(step, "pack.gone()") == "pack.gone"
        assert self.verdict(step, "pack.linked.elsewhere(1)") == "kept"  # wrong, but nobody looked
        assert self.verdict(step, "pack.linked.gone()") == "kept"
        assert self.verdict(step, "sub.gone()") == "kept"
        assert self.verdict(step, "import pack.inside\npack.inside.gone()") == "pack.inside.gone"

    def test_a_package_that_links_out_of_the_path_is_refused(self, checkout, tmp_path):
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "pack").symlink_to(checkout / "pack")

        with pytest.raises(ft.errors.ConfigError, match="is a link out of"):
            CheckCode("pack", path=tmp_path / "other")

    def test_a_run_counts_what_the_step_did_not_read(self, checkout, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"question": "q", "answer": "a"}\n')
        pipeline = ft.Pipeline(
            collector=JsonlCollector(tmp_path / "a.jsonl"),
            curators=[CheckCode("pack", path=checkout)],
            exporter=ft.JsonlExporter(tmp_path / "out.jsonl"),
        )
        counts = pipeline.run().report.counts.dropped

        assert [(c.unit, c.reason, c.count) for c in counts] == [("file", "link_outside", 2)]


class TestCollectors:
    def test_exports(self, tmp_path):
        folder = tmp_path / "exports"
        (folder / "sub").mkdir(parents=True)
        talk = [message(0, "ann", "how?"), message(1, "bob", "so", reply=message(0, "ann", "")["id"])]
        (folder / "a.json").write_text(json.dumps(export(talk)))
        (tmp_path / "b.json").write_text(json.dumps(export([message(9, "eve", CANARY)])))
        (folder / "sub" / "b.json").symlink_to("../../b.json")
        (folder / "c.json").symlink_to("a.json")
        (folder / "sub" / "up").symlink_to("..")
        (folder / "out").symlink_to("../..")
        collector = DiscordExportCollector(folder)
        drops = []
        messages = list(collector.messages(on_drop=drops.append))

        assert [m.content for m in messages] == ["how?", "so"]
        assert {(d.reason, d.where) for d in drops} == {
            ("link_outside", "sub/b.json"),
            ("link_outside", "out"),
            ("link", "c.json"),
            ("link", "sub/up"),
        }
        items = list(collector.collect())
        assert [(i.question, i.answer) for i in items if isinstance(i, QAPair)] == [("how?", "so")]
        assert {d.reason for d in items if isinstance(d, Dropped)} == {"link_outside", "link"}

    def test_the_root_itself_may_be_a_link(self, tmp_path):
        (tmp_path / "real").mkdir()
        talk = [message(0, "ann", "how?"), message(1, "bob", "so", reply=message(0, "ann", "")["id"])]
        (tmp_path / "real" / "a.json").write_text(json.dumps(export(talk)))
        (tmp_path / "linked").symlink_to("real")
        (tmp_path / "one.json").symlink_to("real/a.json")

        for root, path in (("linked", "a.json"), ("one.json", "one.json")):
            (pair,) = DiscordExportCollector(tmp_path / root).collect()
            assert pair.source.path == path

    @pytest.mark.parametrize(
        ("kind", "suffix", "text"),
        [
            (CsvCollector, "csv", "question,answer\n{0}?,{0}\n"),
            (JsonlCollector, "jsonl", '{{"question": "{0}?", "answer": "{0}"}}\n'),
        ],
    )
    def test_tables_and_lines(self, tmp_path, kind, suffix, text):
        folder = tmp_path / "pairs"
        folder.mkdir()
        (folder / f"a.{suffix}").write_text(text.format("fine"))
        (tmp_path / f"b.{suffix}").write_text(text.format(CANARY))
        (folder / f"b.{suffix}").symlink_to(f"../b.{suffix}")
        (folder / f"c.{suffix}").symlink_to(f"a.{suffix}")
        items = list(kind(folder).collect())

        assert [p.answer for p in items if isinstance(p, QAPair)] == ["fine"]
        assert [(d.reason, d.where) for d in items if isinstance(d, Dropped)] == [
            ("link_outside", f"b.{suffix}"),
            ("link", f"c.{suffix}"),
        ]
        (folder / f"a.{suffix}").unlink()
        with pytest.raises(ft.errors.SourceError, match="a link out of the given root"):
            list(kind(folder).collect())


class Bare:
    fingerprint = "f"
    snapshot = "s"
    form: Mapping[str, object] = {}


def export_rows(exporter):
    row = TrainingRow(id="1", group="g", split="train", prompt=Prompt(text="q"), answer="a")
    exporter.export([row], contract=Bare(), tally=None)


def save_contract(path):
    ft.Pipeline(collector=JsonlCollector(path.parent / "none.jsonl")).contract.save(path)


def note_run(path):
    ledgers.write(path.parent, ledgers.entry(path.stem))


def hold_run(path):
    with ledgers.alone(path.parent, path.stem):
        pass


def append_log(path):
    journals.append(path.parent.parent, path.stem, read="1")


def lock_journal(path):
    with journals.writing(path.parent):
        pass


def build(path):
    build_index(path, [Passage(id="a", text="words", title="", source="s", url="")])


WRITERS = {
    "train.csv": lambda path: export_rows(CsvExporter(path)),
    "train.jsonl": lambda path: export_rows(JsonlExporter(path)),
    "a.jsonl.manifest.json": lambda path: export_rows(JsonlExporter(path.with_name("a.jsonl"))),
    ".a.jsonl.manifest.json.lock": lambda path: export_rows(JsonlExporter(path.with_name("a.jsonl"))),
    "contract.json": save_contract,
    "key.json": note_run,
    "key.lock": hold_run,
    "channels/1.jsonl": append_log,
    ".lock": lock_journal,
    "index.lance": build,
    "index.lance/data": lambda path: build(path.parent),
    "index.lance/_furytune": lambda path: build(path.parent),
}


@pytest.mark.parametrize("leads_to", ["../away/file", "../away", "../nowhere"])
@pytest.mark.parametrize("name", WRITERS)
def test_no_link_redirects_an_output(tmp_path, name, leads_to):
    """A link in the place of an output never leads out of the folder that the user named."""
    if name == "index.lance" and leads_to == "../away":
        pytest.skip("an index may be named by a link to its folder")
    away = tmp_path / "away"
    away.mkdir()
    (away / "file").write_text(CANARY)
    place = tmp_path / "out" / name
    place.parent.mkdir(parents=True)
    place.symlink_to(os.path.join(*[".."] * name.count("/"), leads_to))  # noqa: PTH118
    with pytest.raises(ft.errors.FurytuneError, match=r"link") as caught:
        WRITERS[name](place)
    assert str(place.parent.name) in str(caught.value)
    assert [p.name for p in away.iterdir()] == ["file"]
    assert (away / "file").read_text() == CANARY
    assert not (tmp_path / "nowhere").exists()
    assert place.is_symlink()
