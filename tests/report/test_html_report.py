"""The report as a file: what it holds, and what it must not hold."""

from __future__ import annotations

import gzip
import json
import re
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import ESTIMATE, asked, pipeline, retrieving

import furytune as ft
from furytune import budget
from furytune.errors import ConfigError, ExportError
from furytune.records import TrainingRow
from furytune.report import Report
from furytune.report.html.embedded import script_json
from furytune.report.overview import ChannelCounts, Example, Overview
from furytune.report.sampling import Sample
from furytune.report.tally import Counts, DropCount, Tally
from furytune.testing.strategies import passages, questions, templates

_HOSTILE = st.lists(
    st.sampled_from(
        [
            "</script>",
            "<img src=x onerror=alert(1)>",
            "<!--",
            "]]>",
            "&lt;",
            "\u2028",
            "\u202e",
            "\x00",
            "\ud800",
            '"',
            "'",
        ]
    )
    | st.text(max_size=8),
    max_size=6,
).map("".join)


class _Page(HTMLParser):
    """The tags of a page with the names of their attributes, and the text of its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.data: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self._inside = ("id", "data") in attrs

    def handle_data(self, data):
        if self._inside:
            self.data.append(data)

    def handle_endtag(self, tag):
        self._inside = False

    @property
    def rows(self) -> list[dict]:
        return json.loads("".join(self.data))["rows"]


def page_of(path: Path) -> _Page:
    return _Page(path.read_text(encoding="utf-8"))


class TestSections:
    @given(questions(), passages(), templates(context=True))
    def test_joined_they_are_the_prompt(self, question, found, template):
        prompt = template.render(question, found)
        sections = template.sections(prompt)
        assert "".join(section.text for section in sections) == prompt
        kinds = [section.kind for section in sections]
        assert kinds.count("heading") == len(found)
        assert kinds.count("question") == 1


class TestScript:
    @given(
        st.recursive(
            _HOSTILE | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(_HOSTILE, inner)
        )
    )
    def test_json_is_the_same_value_and_cannot_end_the_script(self, value):
        text = script_json(value)
        assert json.loads(text) == value
        assert not re.search("[<>&\u2028\u2029\u202e\ud800-\udfff]", text)

    @given(_HOSTILE, _HOSTILE, _HOSTILE)
    def test_names_from_outside_stay_text(self, name, place, words):
        def report(name: str, place: str, words: str) -> Report:
            drops = (DropCount(unit="channel", reason="gone", count=1, channels=((place, words),)),)
            drops += (DropCount(unit="pair", reason="duplicate", count=2, examples=(place,)),)
            counts = Counts(
                messages=4, messages_used=2, pairs=2, rows=0, dropped=drops, edited_answers={name: 1}
            )
            channel = ChannelCounts(id="1", name=name, messages=4, dropped=(("pair", "duplicate", 2),))
            example = Example(reason="duplicate", question=words, answer=words)
            return Report(counts=counts, overview=Overview(channels=(channel,), examples=(example,)))

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "r.html"
            hostile = page_of(ft.write_report(path, report(name, place, words), title=f"t{name}"))
            raw = path.read_text(encoding="utf-8")
            plain = page_of(ft.write_report(path, report("n", "p", "w"), title="t"))
        assert hostile.tags == plain.tags
        assert not re.search("[\u202e\u2028\x00]", raw)


class TestContent:
    def test_the_page_allows_its_own_script_and_style_only(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(1, "how?", "so")]).run()
        text = ft.write_report(tmp_path / "r.html", run).read_text(encoding="utf-8")
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
        assert policy
        assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")
        assert "unsafe" not in policy[1]
        assert not re.search(r"https?://", text.replace("http-equiv", ""))
        assert not re.search(
            r"\son[a-z]+=|\sstyle=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        )

    def test_people_have_no_names_and_no_pseudonyms(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(n, f"how {n}?", "so") for n in range(9)]).run()
        text = ft.write_report(tmp_path / "r.html", run).read_text(encoding="utf-8")
        assert "person-" not in text
        assert "Person 3" in text

    def test_the_funnel_of_channels_adds_up(self):
        run = ft.Pipeline(
            collector=ft.DiscordExportCollector(Path(__file__).parents[2] / "examples" / "exports"),
            curators=[ft.MinConfidence(0.5), ft.Deduplicate()],
        ).run()
        counts, overview = run.report.counts, run.report.overview
        assert overview is not None
        assert {channel.name for channel in overview.channels} == {"help", "questions", "chat"}
        assert sum(c.messages for c in overview.channels) == counts.messages
        assert sum(c.messages_used for c in overview.channels) == counts.messages_used
        assert sum(c.pairs for c in overview.channels) == counts.pairs
        assert sum(c.rows for c in overview.channels) == counts.rows
        lost = {(u, r): 0 for c in overview.channels for u, r, _ in c.dropped}
        for channel in overview.channels:
            for unit, reason, n in channel.dropped:
                lost[unit, reason] += n
        assert lost == {(d.unit, d.reason): d.count for d in counts.dropped if d.unit in ("message", "pair")}

    def test_dropped_pairs_are_shown_only_on_demand_and_without_secrets(self, tmp_path: Path):
        secret = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
        twins = [asked(n, f"how do I log in with {secret}?", "ask ann@spheres.dev") for n in range(2)]
        steps = pipeline(tmp_path, twins, curators=[ft.RedactSecrets(), ft.Deduplicate(by="question")])
        quiet, loud = steps.run(), steps.run(examples=1)
        assert "how do I log in" not in repr(loud.report)
        before = ft.write_report(
            tmp_path / "a.html", Report(counts=quiet.report.counts, overview=quiet.report.overview)
        )
        after = ft.write_report(
            tmp_path / "b.html", Report(counts=loud.report.counts, overview=loud.report.overview)
        )
        assert "how do I log in" not in before.read_text(encoding="utf-8")
        text = after.read_text(encoding="utf-8")
        assert "how do I log in" in text
        assert secret not in text
        assert "ann@spheres.dev" not in text

    def test_without_a_run_the_data_set_still_has_a_page(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(n, f"how {n}?", "so") for n in range(4)]).run()
        found = page_of(ft.write_report(tmp_path / "r.html", ft.load_dataset(run.datasets[0].manifest)))
        assert len(found.rows) == 4

    def test_a_run_without_files_has_a_page(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(1, "how?", "so")], exporter=None).run()
        text = ft.write_report(tmp_path / "r.html", run, estimate=ESTIMATE).read_text(encoding="utf-8")
        assert "1 pair became 1 example" in text.replace("2 messages", "1 pair")
        assert "1.25 to 4.50 USD" in text

    def test_an_empty_data_set_of_counts_has_a_page(self, tmp_path: Path):
        run = pipeline(tmp_path, [], exporter=None).run()
        assert "0 examples to learn from" in ft.write_report(tmp_path / "r.html", run).read_text(
            encoding="utf-8"
        )

    def test_both_prompts_and_all_changes_are_there(self, tmp_path: Path):
        items = [asked(n, f"how {n} sphere?", "so") for n in range(6)]
        (old,) = pipeline(tmp_path / "old", items[1:]).run().datasets
        run, plain = retrieving(tmp_path, items)
        path = ft.write_report(tmp_path / "r.html", run, without_retrieval=plain.datasets[0], since=old)
        rows = page_of(path).rows
        assert all(len(row["twin"]) < len(row["prompt"]) for row in rows)
        assert {row["id"]: row["changes"] for row in rows}["made:0"] == ["new"]
        assert {row["id"]: row["changes"] for row in rows}["made:1"] == ["rerendered"]

    def test_rows_are_those_of_the_data_set_byte_for_byte(self, tmp_path: Path):
        run, _ = retrieving(
            tmp_path, [asked(n, f"how\n[1] {n} sphere?\nQuestion:", "so\n") for n in range(6)]
        )
        told = json.loads("".join(page_of(ft.write_report(tmp_path / "r.html", run)).data))
        files = run.datasets[0].files
        lines = [line for file in files for line in Path(file.path).read_bytes().splitlines()]
        for row, line in zip(told["rows"], lines, strict=True):
            wire = json.loads(line)
            text = "".join(told["strings"][n] for n in row["prompt"][1::2])
            assert text == wire["contents"][0]["parts"][0]["text"]
            assert told["strings"][row["answer"]] == wire["contents"][1]["parts"][0]["text"]
            assert told["strings"][row["system"]] == wire["systemInstruction"]["parts"][0]["text"]

    def test_people_s_decisions_are_shown_by_confidence(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(1, "how?", "so")]).run()
        reviewed = [(0.95, True), (1.0, True), (0.1, False)]
        text = ft.write_report(tmp_path / "r.html", run, reviewed=reviewed).read_text(encoding="utf-8")
        assert "3 pairs were reviewed" in text
        assert '<th scope="row">0.9 to 1.0</th><td class="n">2</td><td class="n">0</td>' in text

    def test_without_tiktoken_lengths_are_in_characters_and_the_page_says_so(
        self, tmp_path: Path, monkeypatch
    ):
        run = pipeline(tmp_path, [asked(n, "how " * n, "so") for n in (1, 2, 300)]).run()
        monkeypatch.setitem(sys.modules, "tiktoken", None)
        budget._counter.cache_clear()
        try:
            text = ft.write_report(tmp_path / "r.html", run, max_tokens=100).read_text(encoding="utf-8")
        finally:
            budget._counter.cache_clear()
        assert "Length of prompts, in characters" in text
        assert "the longest has 1,200." in text
        assert "pip install &#39;furytune[tokens]&#39;" in text
        assert "The limit is" not in text

    def test_prompts_over_the_limit_are_counted(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(n, "how " * n, "so") for n in (1, 2, 300)]).run()
        text = ft.write_report(tmp_path / "r.html", run, max_tokens=100).read_text(encoding="utf-8")
        assert "The limit is 100; 1 prompt is over it." in text


class TestSize:
    @given(st.lists(st.text(), unique=True), st.randoms(), st.integers(0, 5))
    def test_a_sample_does_not_depend_on_order_and_grows_with_its_size(self, ids, random, most):
        mixed = random.sample(ids, len(ids))
        samples = [Sample(most), Sample(most), Sample(most + 1)]
        for sample, names in zip(samples, (ids, mixed, ids), strict=True):
            for uid in names:
                sample.offer(uid, lambda uid=uid: uid)
        one, other, larger = ([*sample.by_hash()] for sample in samples)
        assert one == other == larger[:most]
        assert len(one) == min(most, len(ids))

    def test_of_many_rows_a_counted_part_is_in_the_file(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(n, f"how {n}?", "so " * 50) for n in range(300)]).run()
        path = ft.write_report(tmp_path / "r.html", run, rows=20)
        assert len(page_of(path).rows) == 20
        assert "This file has 20 of 300 examples" in path.read_text(encoding="utf-8")
        few = ft.write_report(tmp_path / "few.html", run, max_bytes=9_000)
        assert 0 < len(page_of(few).rows) < 100

    @pytest.mark.parametrize(
        "arguments", [{"rows": -1}, {"rows": 10_001}, {"rows": True}, {"reviewed": [(2, True)]}]
    )
    def test_arguments_out_of_range_are_refused(self, tmp_path: Path, arguments):
        run = pipeline(tmp_path, [asked(1, "how?", "so")]).run()
        with pytest.raises(ConfigError):
            ft.write_report(tmp_path / "r.html", run, **arguments)

    def test_without_a_data_set_there_is_nothing_to_compare(self, tmp_path: Path):
        (old,) = pipeline(tmp_path, [asked(1, "how?", "so")]).run().datasets
        run = pipeline(tmp_path, [asked(1, "how?", "so")], exporter=None).run()
        for argument in ("since", "without_retrieval"):
            with pytest.raises(ConfigError, match="no data set to compare"):
                ft.write_report(tmp_path / "r.html", run, **{argument: old})

    def test_of_many_channels_the_first_are_listed_and_the_others_counted(self, tmp_path: Path):
        items = [asked(n, f"how {n}?", "so", source=ft.Source(path=f"{n:03}.json")) for n in range(203)]
        text = ft.write_report(tmp_path / "r.html", pipeline(tmp_path, items).run()).read_text(
            encoding="utf-8"
        )
        assert text.count('<th scope="row"><bdi>') == 200 + 2  # the others are the files of the data set
        assert "and 3 channels with fewer examples" in text

    def test_a_file_that_cannot_be_written_is_said(self, tmp_path: Path):
        run = pipeline(tmp_path, [asked(1, "how?", "so")]).run()
        (tmp_path / "plain").write_text("")
        with pytest.raises(ExportError, match="cannot be written"):
            ft.write_report(tmp_path / "plain" / "r.html", run)


def names_in(folder: Path) -> set[str]:
    """Names and nicknames of all authors of an export."""
    found: set[str] = set()
    for path in folder.iterdir():
        read = gzip.decompress if path.suffix == ".gz" else bytes
        if ".json" in path.name:
            for message in json.loads(read(path.read_bytes()))["messages"]:
                found |= {message["author"]["name"], message["author"].get("nickname") or ""}
    # Short names are words of the page too.
    return {name for name in found if len(name) > 3}


def leaked(exports: Path, folder: Path) -> tuple[set[str], set[str]]:
    """Returns all names of an export, and those that are in its report but not in its data set."""
    run = ft.Pipeline(
        collector=ft.DiscordExportCollector(exports),
        curators=[ft.MinConfidence(0.5), ft.Deduplicate()],
        exporter=ft.JsonlExporter(folder / "train.jsonl"),
    ).run()
    page = ft.write_report(folder / "r.html", run).read_text(encoding="utf-8")
    empty = ft.write_report(folder / "e.html", Report(counts=Tally().counts)).read_text(encoding="utf-8")
    data = run.datasets[0]
    held = "".join(
        Path(p).read_text(encoding="utf-8") for p in (data.manifest, *(f.path for f in data.files))
    )
    names = names_in(exports)
    return names, {
        name
        for name in names
        if (name in page or script_json(name)[1:-1] in page) and name not in held and name not in empty
    }


def test_no_name_is_in_the_report_that_is_not_in_the_data_set(tmp_path: Path) -> None:
    names, found = leaked(Path(__file__).parents[2] / "examples" / "exports", tmp_path)
    assert len(names) > 2
    assert not found


@pytest.mark.shared_data
def test_no_name_of_a_real_community_is_in_its_report_only(shared_data: Path, tmp_path: Path) -> None:
    names, found = leaked(shared_data / "discord-converted", tmp_path)
    assert len(names) > 100
    assert len(found) == 0  # not the names themselves, in a log


def test_facts_are_of_the_rows_and_hold_no_text(tmp_path: Path) -> None:
    made = pipeline(tmp_path, [asked(n, f"how {n}?", "so") for n in range(9)])
    rows: list[TrainingRow] = list(made.rows())
    overview = made.run().report.overview
    assert overview is not None
    assert {fact.id for fact in overview.rows} == {row.id for row in rows}
    assert overview.answerers == (3, 3, 3)
    assert overview.examples == ()
