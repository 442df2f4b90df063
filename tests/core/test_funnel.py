"""The report shows for each channel what became of its messages and pairs, and what could be done about the losses."""

from __future__ import annotations

from collections import Counter

import attrs
from discord_exports import export, message, thread, write
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.reasons import REASONS, advice
from furytune.records import Dropped, QAPair, Source
from furytune.testing.memory import ListCollector, pair

HELP, CHAT = Source(channel="1", channel_name="help"), Source(channel="2", channel_name="chat")


def items(draw: st.DrawFn) -> list[QAPair | Dropped]:
    found: list[QAPair | Dropped] = []
    for n in range(draw(st.integers(0, 12))):
        name = draw(st.sampled_from(["", "#help", "#chat", "70"]))
        if draw(st.booleans()):
            reason = draw(st.sampled_from(["chatter", "no_reply", "not_a_question"]))
            found.append(
                Dropped(
                    reason=reason,
                    unit="message",
                    count=draw(st.integers(1, 90)),
                    source=Source(channel=name, channel_name=name.strip("#")),
                )
            )
        else:
            answer = draw(st.sampled_from(["see screenshot", "Call `show()` twice."]))
            source = Source(channel=name, channel_name=name.strip("#"))
            found.append(
                pair(
                    "How?",
                    answer,
                    id=str(n),
                    source=source,
                    question_messages=("1",),
                    answer_messages=("2", "3"),
                )
            )
    return found


@given(st.composite(items)())
def test_the_channels_add_up_to_the_whole(read) -> None:
    steps = [ft.LintAnswers(), ft.Deduplicate(by="pair")]
    report = ft.Pipeline(collector=ListCollector(read), curators=steps).run().report
    counts, channels = report.counts, report.overview.channels

    for channel in channels:
        lost = Counter({(unit, reason): n for unit, reason, n in channel.dropped})
        assert channel.messages == channel.messages_used + sum(
            n for (u, _), n in lost.items() if u == "message"
        )
        assert channel.pairs == channel.rows + sum(n for (u, _), n in lost.items() if u == "pair")
    assert sum(c.messages for c in channels) == counts.messages
    assert sum(c.rows for c in channels) == counts.rows
    for drop in counts.dropped:
        found = sum(
            n for c in channels for unit, reason, n in c.dropped if (unit, reason) == (drop.unit, drop.reason)
        )
        assert drop.count == found
    for channel in channels[:10]:
        assert not channel.name or f"#{channel.name}" in str(report)


def test_the_report_names_the_channel_that_loses_most_and_what_to_do() -> None:
    read = [
        Dropped(reason="not_a_question", unit="message", count=395, source=HELP),
        Dropped(reason="not_a_question", unit="message", count=5, source=CHAT),
        Dropped(reason="no_answer", unit="message", count=900, source=HELP),
        pair("How?", "Call `show()`.", source=HELP),
    ]
    text = str(ft.Pipeline(collector=ListCollector(read)).run().report)
    lines = text.splitlines()

    assert "advice          400  message  not_a_question (395 in #help)" in lines
    assert "questions_only=False" in text
    # Nothing can be done about this one.
    assert not any("no_answer" in line for line in lines if line.startswith("advice"))
    assert any(line.split() == ["#help", "1,295", "0", "1", "1"] for line in lines)
    assert "lost: 900 no_answer, 395 not_a_question" in text


def test_advice_is_what_the_table_says_unless_there_is_nothing_to_do() -> None:
    for (unit, name), reason in REASONS.items():
        assert advice(unit, name) in ("", reason.remedy)
    assert advice("pair", "own:reason") == advice("pair", "only_thanks") == ""


def test_a_thread_counts_for_its_channel_in_exports_and_in_journals(tmp_path) -> None:
    asked = message(0, "ann", "How do I make the sphere transparent?")
    found = message(3, "bob", "You can set `opacity` below 1.", reply=asked["id"])
    more = message(10, "ann", "How do I rotate the sphere?")
    told = message(12, "bob", "Call `rotate_x` with degrees.", reply=more["id"])
    parent = thread([more, told])
    parent["channel"]["category"] = "help"
    write(tmp_path / "e" / "help.json", export([asked, found]))
    write(tmp_path / "e" / "thread.json", parent)
    journal = ft.JournalCollector(tmp_path / "j")
    journal.adopt(tmp_path / "e")

    for collector in (ft.DiscordExportCollector(tmp_path / "e"), journal):
        report = ft.Pipeline(collector=collector).run().report
        assert [(c.name, c.messages) for c in report.overview.channels] == [("help", 4)]


def test_a_manifest_names_no_channel(tmp_path) -> None:
    source = Source(path="a.json", channel="70", channel_name="secret-plans")
    read = [attrs.evolve(pair("How?", "So."), source=source)]
    ft.Pipeline(collector=ListCollector(read), exporter=ft.JsonlExporter(tmp_path / "t.jsonl")).run()

    assert "secret-plans" not in (tmp_path / "t.jsonl.manifest.json").read_text(encoding="utf-8")
