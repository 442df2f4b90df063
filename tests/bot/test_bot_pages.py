"""How an answer is laid out in messages."""

from __future__ import annotations

import os

from hypothesis import example, given
from hypothesis import strategies as st

from furytune.answering.text import safe
from furytune.bot import messages
from furytune.bot.ledger import Ledger, moment, snowflake
from furytune.bot.rendering import heading, pages, quoted

texts = st.text(max_size=300) | st.lists(
    st.sampled_from(
        ["word ", "```py\n", "```\n", "`", "\n", "- item\n", "x" * 700, "https://a.example/b ", "🧑‍🚀"]
    ),
    max_size=60,
).map("".join)


@given(texts, texts, st.lists(texts, max_size=2))
@example("x" * 1999, "", ["-# Sources: [a](<https://a.example>)"])
@example("", "", ["-# Stopped."])
def test_every_message_can_be_posted_and_says_something(text, question, after):
    found = pages(safe(text), before=quoted(question), after=after)
    assert all(0 < len(page) <= 2000 and page.strip() for page in found)
    assert found == [] or "".join([text, question, *after]).strip()


@given(texts)
def test_an_answer_is_all_there(text):
    shown = "".join("".join(messages(text)).split())
    # A code block that is cut is closed and opened again, so there may be more ticks.
    assert len(shown) >= len("".join(safe(text).split())) - text.count("`")


@given(texts)
def test_the_name_of_a_thread_is_as_discord_wants_it(text):
    assert 1 <= len(heading(text)) <= 100
    assert "\n" not in heading(text)


@given(st.floats(1_420_070_400, 4e9))
def test_ids_tell_the_time(seconds):
    assert abs(moment(snowflake(seconds)) - seconds) < 0.002


def test_notes_survive_a_line_that_was_cut_off_and_old_ones_are_left_out(tmp_path):
    import time

    from furytune.bot.ledger import Entry

    path = tmp_path / "bot" / "questions.jsonl"
    old, new = snowflake(time.time() - 8 * 86_400), snowflake(time.time())
    with Ledger(path) as ledger:
        since = ledger.since
        for number in (old, new):
            ledger.note(Entry(number, "claimed", 1, "mention", number))
        ledger.note(Entry(old, "done", 1, "mention", old, posts=(5,), how="answered"))
        ledger.note(Entry(old + 1, "claimed", 1, "mention", old + 1))
    with path.open("ab") as file:
        file.write(b'{"id": 7, "sta')
    with Ledger(path) as ledger:
        assert ledger.since == since
        assert [entry.id for entry in ledger.open()] == [new, old + 1]
        assert ledger.find(old) is None
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0
