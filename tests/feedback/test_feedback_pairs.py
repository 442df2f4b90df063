"""From what people say about answers to pairs: whose word counts, and what becomes of every answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import discord_exports as exports
import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.feedback import FeedbackCollector, FeedbackLog, count, decide
from furytune.feedback.lines import Exchange, Said
from furytune.feedback.rules import gathered, judged
from furytune.testing.conformance import check_collector
from furytune.testing.memory import pair

START = datetime(2026, 3, 1, tzinfo=UTC)
DEFAULT = ("asker", "helper", "mark")
ANN, BOB, CID = ("111111111111111111", "222222222222222222", "333333333333333333")


def judge(*said, confirmed_by=DEFAULT, asker="ann"):
    lines = [Exchange(time=START, answer="a", question="q", asker=asker)]
    for minutes, (by, role, verdict, *text) in enumerate(said):
        lines.append(
            Said(
                time=START + timedelta(minutes=minutes),
                answer="a",
                verdict=verdict,
                text=text[0] if text else "",
                by=by,
                role=role,
            )
        )
    return judged(gathered(enumerate(lines))["a"], confirmed_by)


@pytest.mark.parametrize(
    ("said", "state", "who"),
    [
        ([], "not_confirmed", ""),
        ([("ann", "member", "helped")], "confirmed", "asker"),
        ([("bob", "member", "helped")], "not_confirmed", ""),
        ([("", "member", "helped")], "not_confirmed", ""),
        ([("bob", "helper", "helped")], "confirmed", "helper"),
        ([("ann", "member", "helped"), ("ann", "member", "did_not_help")], "not_helpful", ""),
        ([("ann", "member", "did_not_help"), ("ann", "member", "helped")], "confirmed", "asker"),
        ([("ann", "member", "helped"), ("bob", "member", "did_not_help")], "contradicted", ""),
        ([("ann", "member", "did_not_help"), ("bob", "helper", "helped")], "confirmed", "helper"),
        ([("ann", "member", "helped"), ("bob", "helper", "did_not_help")], "not_helpful", ""),
        ([("ann", "member", "helped"), ("bob", "helper", "corrected", "X")], "corrected", "helper"),
        ([("ann", "member", "corrected", "X")], "proposed", ""),
        ([("ann", "member", "corrected", "X"), ("bob", "member", "did_not_help")], "proposed", ""),
        ([("bob", "helper", "corrected", "X"), ("cid", "helper", "helped")], "contradicted", ""),
        ([("bob", "helper", "corrected", "X"), ("cid", "helper", "corrected", "Y")], "contradicted", ""),
        ([("bob", "helper", "corrected", "X"), ("cid", "helper", "corrected", "X\n")], "corrected", "helper"),
        ([("bob", "helper", "corrected")], "not_helpful", ""),
    ],
)
def test_whose_word_counts(said, state, who):
    found = judge(*said)
    assert (found.state, found.who) == (state, who)


def test_the_operator_decides_who_confirms():
    assert judge(("bob", "member", "helped"), confirmed_by=["member"]).state == "confirmed"
    assert judge(("ann", "member", "helped"), confirmed_by=["helper"]).state == "not_confirmed"


words = st.tuples(
    st.sampled_from(["ann", "bob", "cid", "dee"]),
    st.sampled_from(["helped", "did_not_help", "corrected"]),
    st.sampled_from(["X", "Y"]),
)
ROLES = {"ann": "member", "bob": "member", "cid": "helper", "dee": "helper"}


@given(st.lists(words, max_size=12), st.randoms())
def test_only_the_latest_words_count_in_whatever_order_they_are_written(said, random):
    lines = [
        Said(
            time=START + timedelta(minutes=n),
            answer="a",
            verdict=verdict,
            text=text if verdict == "corrected" else "",
            by=by,
            role=ROLES[by],
        )
        for n, (by, verdict, text) in enumerate(said)
    ]
    head = Exchange(time=START, answer="a", question="q", asker="ann")
    last = {line.by: line for line in lines}
    shuffled = random.sample(lines, len(lines))
    found = judged(gathered(enumerate([head, *shuffled]))["a"], DEFAULT)
    assert found == judged(gathered(enumerate([head, *last.values()]))["a"], DEFAULT)
    assert found.helped + found.did_not_help + found.corrected == len(last)
    heard = [line for line in last.values() if line.role == "helper"] or list(last.values())
    verdicts = {line.verdict for line in heard}
    # Nothing is learned from an answer against the word of anyone who counts.
    if found.state == "confirmed":
        assert verdicts == {"helped"}
    if found.state == "corrected":
        assert "helped" not in verdicts
        assert any(line.role == "helper" and line.text == found.text for line in heard)


def test_a_client_may_know_an_answer_by_its_question_only(tmp_path):
    log = FeedbackLog(tmp_path / "log", keep_texts=True)
    for n in (1, 2):
        log.exchange(
            f"chatcmpl-{n}", "0" * 64, asker="u", asked="How do I do it?", told=f"Do it in way number {n}."
        )
    log.note("0" * 64, "0" * 64, "helped", by="u")
    [drop, found] = FeedbackCollector(log).collect()
    assert (drop.reason, found.answer) == ("not_confirmed", "Do it in way number 2.")


QUESTION = "<@42> How do I make a sphere transparent?"


@pytest.fixture
def chat(tmp_path):
    """Four exchanges of a bot in a channel, the last with a check mark."""
    told = []
    for n in range(4):
        asked = exports.message(10 * n, "ann", f"{QUESTION} ({n})", low=n)
        mark = [{"emoji": {"id": "", "name": "✅", "code": "white_check_mark"}, "count": 1}] if n == 3 else []
        said = f"Set its opacity below one, in the way that is described under number {n}."
        told += [
            asked,
            exports.message(10 * n + 1, "furybot", said, reply=asked["id"], reactions=mark, low=n),
        ]
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "help.json").write_text(json.dumps(exports.export(told)))
    return told


def noted(tmp_path, chat):
    log = FeedbackLog(tmp_path / "feedback.jsonl")
    for asked, told in zip(chat[::2], chat[1::2], strict=True):
        log.exchange(
            told["id"],
            asked["id"],
            asker=ANN,
            told=told["content"],
            fingerprint="f" * 64,
            snapshot="s1",
            model="tuned-1",
            citations=["opacity (docs/actor.md)"],
        )
    return log


def test_the_texts_come_from_the_chat_and_the_pairs_say_who_confirmed_them(tmp_path, chat):
    log = noted(tmp_path, chat)
    log.note(chat[1]["id"], "", "helped", by=ANN)
    log.note(chat[3]["id"], "", "corrected", "Call `actor.opacity = 0.5`.", by=BOB, role="helper")
    log.note(chat[5]["id"], "", "corrected", "Use `alpha`.", by=CID)

    def make(**more):
        export = ft.DiscordExportCollector(tmp_path / "exports", author_key=b"k")
        return ft.FeedbackCollector(log.path, chat=export, **more)

    items = check_collector(make, read={"record": 4})
    confirmed, corrected, proposed, marked = items
    assert proposed.reason == "proposed"
    assert [p.question for p in (confirmed, corrected, marked)] == [f"{QUESTION} ({n})" for n in (0, 1, 3)]
    assert (confirmed.answer, corrected.answer) == (chat[1]["content"], "Call `actor.opacity = 0.5`.")
    assert [p.method for p in (confirmed, corrected, marked)] == ["confirmed", "corrected", "confirmed"]
    assert [p.evidence for p in (confirmed, corrected, marked)] == [
        ("works_now",),
        ("reviewed",),
        ("solution_mark",),
    ]
    assert confirmed.tags == ("confirmed by asker", "model tuned-1", f"fingerprint {'f' * 64}", "snapshot s1")
    assert (confirmed.question_messages, confirmed.answer_messages) == ((chat[0]["id"],), (chat[1]["id"],))
    assert confirmed.answered_at > confirmed.asked_at
    collector = make()
    list(collector.collect())
    assert collector.provenance["pairs"] == {
        f"confirmed under {'f' * 64}": 2,
        f"corrected under {'f' * 64}": 1,
    }
    others = [i.reason for i in make(fingerprint="0" * 64).collect()]
    assert others == ["other_contract"] * 4
    without = make(consent=ft.Consent(opt_out=[BOB])).collect()
    assert [i.reason for i in without if isinstance(i, ft.Dropped)] == [
        "not_confirmed",
        "proposed",
        "opted_out",
    ]
    assert [i.reason for i in make(consent=ft.Consent(opt_out=[ANN])).collect()] == ["opted_out"] * 5


def test_a_reviewer_decides_about_what_members_propose(tmp_path, chat):
    log = noted(tmp_path, chat)
    log.note(chat[1]["id"], "", "corrected", "Use `alpha`.", by=CID)
    log.note(chat[3]["id"], "", "did_not_help", by=ANN)
    decisions = ft.Decisions(tmp_path / "review.jsonl")
    export = ft.DiscordExportCollector(tmp_path / "exports")
    collector = FeedbackCollector(
        log, chat=export, decisions=tmp_path / "review.jsonl", confirmed_by=["asker"]
    )
    proposed, unhelpful = collector.to_review()
    assert (proposed.answer, unhelpful.answer) == ("Use `alpha`.", chat[3]["content"])
    assert decisions.to_review(collector.to_review())
    assert not [i for i in collector.collect() if isinstance(i, ft.QAPair)]
    decisions.answer(proposed, "Use `opacity`, not `alpha`.", by="dee")
    decisions.drop(unhelpful, reason="wrong")
    pipeline = ft.Pipeline(
        collector=collector,
        curators=[decisions],
        augmenter=ft.IdentityAugmenter(),
        template=ft.PromptTemplate("{question}"),
    )
    [found] = pipeline.pairs()
    assert (found.answer, found.reviewed) == ("Use `opacity`, not `alpha`.", True)


def test_what_is_gone_is_counted(tmp_path, chat):
    log = noted(tmp_path, chat)
    for told in chat[1::2]:
        log.note(told["id"], "", "helped", by=ANN)
    lone = FeedbackCollector(log)
    assert [i.reason for i in lone.collect()] == ["text_not_found"] * 4
    author = chat[0]["author"]["id"]
    export = ft.DiscordExportCollector(tmp_path / "exports", consent=ft.Consent(opt_out=[author]))
    assert [i.reason for i in FeedbackCollector(log, chat=export).collect()] == ["opted_out"] * 4
    assert [i.reason for i in FeedbackCollector(tmp_path / "none").collect()] == ["no_feedback"]
    for wrong in ({"chat": 7}, {"confirmed_by": "asker"}, {"consent": ft.Consent(opt_out_roles=["quiet"])}):
        with pytest.raises(ConfigError):
            FeedbackCollector(log, **wrong)


def test_verdicts_become_decisions_and_never_silent_drops(tmp_path):
    log = FeedbackLog(tmp_path / "log")
    taught = pair("How?", "Install the package with conda, then restart the kernel of the notebook.", id="t")
    pairs = [pair(f"How {n}?", f"So it goes, number {n}.", id=f"p{n}") for n in range(5)]
    log.exchange("x", "q", asker=ANN, told=taught.answer)
    log.note("x", "q", "did_not_help", by=ANN)
    log.note("p0", "", "helped", by=BOB, role="helper")
    log.note("p1", "", "corrected", "Better.", by=BOB, role="helper")
    log.note("p2", "", "did_not_help", by=BOB, role="helper")
    log.note("p3", "", "helped", by=BOB, role="helper")
    decisions = ft.Decisions(tmp_path / "review.jsonl")
    decisions.drop(pairs[3], reason="wrong", by="dee")
    found = decide(log, [taught, *pairs], decisions)
    assert (found.accepted, found.corrected, found.kept) == (1, 1, 1)
    assert [p.id for p in found.to_review] == ["t", "p2"]
    assert decisions.of("p1").answer == "Better."
    assert decisions.of("p3").action == "drop"
    assert decisions.of("p2") is None
    # Doing it again changes nothing.
    assert (decide(log, pairs, decisions).accepted, decisions.revision) == (0, 3)


def test_the_figures_fit_a_narrow_terminal(tmp_path):
    log = FeedbackLog(tmp_path / "log")
    for n in range(8):
        name = "a very long title of a passage that goes on (docs/some/where/deep/file.md:10-20)"
        log.exchange(str(n), "q", asker=ANN, citations=[name if n % 2 else "short\x1b[2J (a.md)"])
        log.note(str(n), "q", "helped" if n % 2 else "did_not_help", by=ANN, at=START + timedelta(days=5 * n))
    figures = count(log)
    assert (figures.answers, figures.helped.helped, figures.helped.said) == (8, 4, 8)
    assert list(figures.weeks) == sorted(figures.weeks)
    lines = list(figures.lines(40))
    assert max(map(len, lines)) <= 40
    assert all(line.isprintable() for line in lines)
    assert any("file.md:10-20)" in line and "100%" in line for line in lines)
