"""MinConfidence, and the way of a confidence from the chat to the curation steps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from discord_exports import export, message, thread, write
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair
from furytune.testing.memory import ListCollector
from furytune.testing.memory import pair as made

SHARES = st.floats(0, 1)


def pair(confidence: float = 0.7, **more) -> QAPair:
    return made("how?", "so", id="p1", confidence=confidence, **more)


class TestMinConfidence:
    @given(confidence=SHARES, least=SHARES)
    def test_it_keeps_what_reaches_the_limit_unchanged(self, confidence, least):
        given_pair = pair(confidence)
        found = ft.MinConfidence(least)(given_pair)
        assert (found is given_pair) == (confidence >= least)
        assert found is given_pair or (found.reason, found.unit, found.ids) == (
            "low_confidence",
            "pair",
            ("p1",),
        )

    def test_a_drop_says_where_and_how_sure_but_not_what(self):
        found = ft.MinConfidence(0.8)(pair(0.5, source=ft.Source(path="help.json")))
        assert found == Dropped(
            reason="low_confidence", ids=("p1",), where="help.json", detail="confidence 0.50"
        )

    def test_ready_pairs_pass_any_limit(self):
        ready = made("how?", "so")
        assert ft.MinConfidence(1)(ready) is ready

    @pytest.mark.parametrize("least", [-0.1, 1.01, float("nan"), float("inf"), True, "0.5", None])
    def test_anything_but_a_share_is_refused(self, least):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            ft.MinConfidence(least)

    def test_the_report_counts_what_it_drops(self, tmp_path):
        items = [made(f"how {n}?", "so", confidence=n / 10) for n in range(11)]
        run = ft.Pipeline(
            collector=ListCollector(items),
            curators=[ft.MinConfidence(0.75)],
            exporter=ft.JsonlExporter(tmp_path / "t.jsonl"),
        ).run()
        assert [(drop.reason, drop.count) for drop in run.report.counts.dropped] == [("low_confidence", 8)]
        assert sum(dataset.rows for dataset in run.datasets) == 3


class TestConfidenceOfPairs:
    @pytest.mark.parametrize("confidence", [-0.01, 1.01, float("nan"), "0.5", None])
    def test_a_confidence_is_a_share(self, confidence):
        with pytest.raises(ConfigError, match="confidence is .*between 0 and 1"):
            pair(confidence)

    def test_a_given_pair_is_certain_and_needs_no_evidence(self):
        assert (made("how?", "so").confidence, made("how?", "so").evidence) == (1.0, ())

    def test_it_comes_from_the_export_to_the_curation_steps(self, tmp_path):
        asked = message(0, "ann", "How can I rotate an actor around its own axis?")
        told = message(1, "bob", "Call `actor.rotate(axis, angle)` before you show it.", reply=asked["id"])
        write(tmp_path / "in" / "channel.json", export([asked, told]))
        opened = [message(9, "ann", "How can I save the scene as a png file?")]
        opened += [message(10, "bob", "Call `window.record(scene)` after you made the window.")]
        write(tmp_path / "in" / "thread.json", thread(opened))
        seen = []

        def step(one: QAPair) -> QAPair:
            seen.append(one)
            return one

        collector = ft.DiscordExportCollector(tmp_path / "in", author_key=b"a key for tests")
        collected = [item for item in collector.collect() if isinstance(item, QAPair)]
        pairs = list(ft.Pipeline(collector=collector, curators=[step]).pairs())
        assert [(one.confidence, one.evidence) for one in seen] == [
            (one.confidence, one.evidence) for one in collected
        ]
        assert {one.evidence[0] for one in seen} == {"native_reply", "thread"}
        assert all(0 < one.confidence < 1 for one in seen)
        assert {one.confidence for one in pairs} == {one.confidence for one in seen}

    def test_a_higher_limit_never_keeps_more(self, tmp_path):
        asked = [
            message(0, "ann", "How can I rotate an actor around its own axis?"),
            message(5, "cy", "What is the fastest way to load a big mesh?"),
            message(9, "dan", "lunch?"),
        ]
        told = ("Call `actor.rotate(axis, angle)` before you show it.", "hm, a small one :)", "sure")
        answers = [
            message(i + 20, "bob", text, reply=one["id"])
            for i, (one, text) in enumerate(zip(asked, told, strict=True))
        ]
        write(tmp_path / "x.json", export([*asked, *answers]))
        every = ft.DiscordExportCollector(tmp_path, pairers=[ft.ChatPairer(min_confidence=0)])
        kept = [
            {one.id for one in ft.Pipeline(collector=every, curators=[ft.MinConfidence(least)]).pairs()}
            for least in (0, 0.2, 0.4, 0.6, 0.8, 1)
        ]
        assert len(kept[0]) == 3
        assert all(more >= fewer for more, fewer in pairwise(kept))
        assert not kept[-1]
