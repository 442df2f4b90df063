"""Sources of answers, links in answers, and old lines of the audit log."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from endpoints import chat, contract, serving
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.answering import AnswerSettings, Entry, cited, footnotes, note, prune
from furytune.errors import AnswerError, ConfigError
from furytune.testing.fake_chat import FakeChat


def passage(id_, **fields):
    return ft.Passage(id=id_, text="x", **fields)


def test_sources_are_merged_and_keep_the_numbers_of_the_prompt():
    box = {"title": "Boxes", "source": "box.md:1", "url": "https://fury.gl/box"}
    sources = cited([passage("1", **box), passage("2", title="Cones", source="c.py:1"), passage("3", **box)])
    assert [(s.label, s.url, s.numbers) for s in sources] == [
        ("Boxes (box.md:1)", "https://fury.gl/box", (1, 3)),
        ("Cones (c.py:1)", "", (2,)),
    ]
    assert footnotes(sources) == "\n\n[1][3] Boxes (box.md:1) https://fury.gl/box\n[2] Cones (c.py:1)"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://a b",
        "https://fury.gl@evil.dev/",
        "https://fury.gl\\@evil.dev",
        "//evil.dev",
        "https://fury.gl/<b>",
        "https://fury.gl/\u202e",
        "data:text/html,x",
        "https://evil.dev/x",
    ],
)
def test_an_odd_address_is_not_linked(url):
    (source,) = cited([passage("1", title="@everyone https://evil.dev", url=url)], hosts=["fury.gl"])
    assert source.url == ""
    assert source.label == "＠everyone https[:]//evil[.]dev"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_links_to_its_sources_and_to_what_the_operator_allows(stream):
    said = "https://x/box https://fury.gl/a [b](https://evil.dev) <@1>"
    with FakeChat(lambda _: list(said)) as server:
        model = ft.ChatService(server.url).model("fake")
        with serving(contract(), model=model, links=["fury.gl"]) as port:
            found = chat(port, stream=stream)
        with serving(contract(), model=model, clean=False) as port:
            assert chat(port).json["choices"][0]["message"]["content"] == said
    events = [json.loads(event) for event in found.events[:-1]] if stream else []
    text = "".join(e["choices"][0]["delta"].get("content", "") for e in events) if stream else found.json["choices"][0]["message"]["content"]  # fmt: skip
    assert text == "https://x/box https://fury.gl/a [b] (https[:]//evil[.]dev) <＠1>"


def test_links_are_names_of_hosts():
    assert AnswerSettings(links=["*.fury.gl", "*"]).links == ("*.fury.gl", "*")
    with pytest.raises(ConfigError, match="not a host name"):
        AnswerSettings(links=["https://fury.gl"])


@given(st.lists(st.integers(0, 100), max_size=20), st.integers(0, 101))
def test_only_old_lines_are_removed(tmp_path_factory, ages, days):
    log = tmp_path_factory.mktemp("log") / "audit.jsonl"
    now = datetime.now(UTC)
    log.touch()
    for age in ages:
        note(log, entry(age, now))
    kept = [age for age in ages if age < days]
    erased = prune(log, days)
    assert (erased.removed, erased.left) == (len(ages) - len(kept), len(kept))
    assert [json.loads(line)["id"] for line in log.read_text().splitlines()] == [str(age) for age in kept]


def entry(age, now):
    return Entry(
        id=str(age),
        time=now - timedelta(days=age),
        request="r",
        prompt="p",
        fingerprint="f",
        snapshot="s",
        status="asked",
    )


def test_no_line_is_lost_while_old_ones_are_removed(tmp_path):
    log, now = tmp_path / "audit.jsonl", datetime.now(UTC)
    note(log, entry(50, now))

    def write(name):
        for n in range(300):
            note(
                log,
                Entry(
                    id=f"{name}-{n}",
                    time=now,
                    request="r",
                    prompt="p",
                    fingerprint="f",
                    snapshot="s",
                    status="asked",
                ),
            )

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        note(log, entry(50, now))
        prune(log, 10)
    prune(log, 10)
    ids = [json.loads(line)["id"] for line in log.read_text().splitlines()]
    assert [i for i in ids if i[0] == "a"] == [f"a-{n}" for n in range(300)]
    assert [i for i in ids if i[0] == "b"] == [f"b-{n}" for n in range(300)]
    assert len(ids) == 600


def test_damaged_lines_are_removed_and_a_missing_log_is_named(tmp_path):
    log = tmp_path / "audit.jsonl"
    note(log, entry(0, datetime.now(UTC)))
    with log.open("ab") as file:
        file.write(b"\xff{\n" + b"x" * 100_000 + b"\n[]\n")
    note(log, entry(0, datetime.now(UTC)))
    assert (prune(log, 1).left, len(log.read_text().splitlines())) == (2, 2)
    with pytest.raises(AnswerError, match="absent"):
        prune(tmp_path / "absent", 1)
    for wrong in (-1, True, "1", float("nan")):
        with pytest.raises(ConfigError, match="days"):
            prune(log, wrong)
