"""A channel's log keeps what was committed, ignores the rest, and tells damage from a torn end."""

from __future__ import annotations

import stat
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import tombstone

from furytune._storage.journal.lines import ChannelState, Position
from furytune._storage.journal.log import Gone, Log
from furytune.errors import SourceFormatError

STATE = ChannelState(id="9", type="GuildTextChat", name="help")


class Thin(msgspec.Struct):
    id: str
    content: str


def line(uid, text="x"):
    return msgspec.json.encode(Thin(str(uid), text)) + b"\n"


def at(uid):
    return Position(read=str(uid))


def held(log):
    """Reads a log the slow way: the last line of each id."""
    return dict(log.lines())


# Pages: ids that are new (gaps allowed), and ids to be named again, of those there or in a gap below the top.
pages = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.text(max_size=3)), max_size=5),
        st.lists(st.tuples(st.integers(0, 200), st.booleans(), st.text(max_size=3)), max_size=3),
    ),
    max_size=8,
)


def write(log, drawn):
    """Writes drawn pages; returns the expected messages after each commit."""
    oracle, states, top = {}, [{}], 0
    with log:
        for fresh, again in drawn:
            lines, changed = [], []
            above = top
            for step, gone, text in fresh:
                top += step
                lines.append((top, tombstone(str(top), "deleted") if gone else line(top, text)))
            for pick, gone, text in again:
                uid = 1 + pick % above if above else 0
                if uid:
                    changed.append((uid, tombstone(str(uid), "forgotten") if gone else line(uid, text)))
            log.append(at(top), lines=[x for _, x in lines], changed=[x for _, x in changed], channel=STATE)
            oracle.update(lines + changed)
            states.append(dict(oracle))
    return oracle, states


class TestWords:
    @given(pages, st.integers(0, 60))
    def test_the_last_word_on_each_id_in_the_order_of_ids(self, tmp_path_factory, drawn, after):
        log = Log(tmp_path_factory.mktemp("log") / "9.jsonl")
        oracle, _ = write(log, drawn)
        assert list(log.lines()) == sorted(oracle.items())
        assert list(log.lines(after)) == sorted((u, s) for u, s in oracle.items() if u > after)

    @given(pages)
    def test_compacting_removes_only_replaced_lines(self, tmp_path_factory, drawn):
        log = Log(tmp_path_factory.mktemp("log") / "9.jsonl")
        oracle, _ = write(log, drawn)
        before = log.peek()
        log.compact()
        after = log.peek()
        assert list(log.lines()) == sorted(oracle.items())
        assert (after.position, after.channel, after.dead) == (before.position, before.channel, 0)
        body = b"".join(x for x in log.path.read_bytes().splitlines(keepends=True) if b'"commit"' not in x)
        if drawn:
            assert body == b"".join(said for _, said in sorted(oracle.items())) or before.dead == 0

    @given(pages)
    def test_messages_and_gone_ids_are_told_apart(self, tmp_path_factory, drawn):
        log = Log(tmp_path_factory.mktemp("log") / "9.jsonl")
        oracle, _ = write(log, drawn)
        said, gone = [], []
        for messages, missing in log.blocks(Thin):
            said += messages
            gone += missing
        expected = sorted(oracle.items())
        assert said == [msgspec.json.decode(x, type=Thin) for _, x in expected if x.startswith(b'{"id"')]
        assert [g.id for g in gone] == [str(u) for u, x in expected if x.startswith(b'{"gone"')]
        assert all(isinstance(g, Gone) and g.why in ("deleted", "forgotten") for g in gone)


class TestMemory:
    def test_lines_that_were_replaced_are_looked_up_and_not_held(self, tmp_path):
        log = Log(tmp_path / "9.jsonl")
        ids = range(1, 20_001)
        with log:
            for start in ids[::100]:
                log.append(
                    at(start), lines=[line(i, "x" * 1000) for i in range(start, start + 100)], channel=STATE
                )
            for start in reversed(ids[::100]):
                log.append(at(ids[-1]), changed=[line(i, "y" * 1000) for i in range(start, start + 100)])
        tracemalloc.start()
        try:
            count = sum(said == line(uid, "y" * 1000) for uid, said in log.lines())
            log.compact()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert count == len(ids)
        assert log.peek().dead == 0
        assert most < 6 << 20  # of 20 MB that were replaced


class TestEnds:
    @given(pages.filter(bool))
    def test_a_log_cut_anywhere_keeps_its_whole_pages_and_continues(self, tmp_path_factory, drawn):
        folder = tmp_path_factory.mktemp("log")
        log = Log(folder / "9.jsonl")
        _, states = write(log, drawn)
        data = log.path.read_bytes()
        for cut in range(0, len(data) + 1, 1 + len(data) // 12):
            log.path.write_bytes(data[:cut])
            before = held(log)
            assert before in states, cut
            with log:
                assert data.startswith(log.path.read_bytes())
                top = log.last.top
                log.append(at(top + 1), lines=[line(top + 1, "on")], channel=STATE)
            assert held(log) == {**before, top + 1: line(top + 1, "on")}

    def test_a_page_changed_on_disk_raises_with_file_and_line(self, tmp_path):
        log = Log(tmp_path / "9.jsonl")
        with log:
            log.append(at(2), lines=[line(1, "one"), line(2, "two")], channel=STATE)
            log.append(at(3), lines=[line(3, "three")])
        log.path.write_bytes(log.path.read_bytes().replace(b"two", b"tow"))
        with pytest.raises(SourceFormatError, match="changed or damaged after it was written") as caught:
            list(log.lines())
        assert (caught.value.path, caught.value.line) == (str(log.path), 1)
        assert "tow" not in str(caught.value)

    def test_a_torn_end_of_zeros_is_cut_off(self, tmp_path):
        log = Log(tmp_path / "9.jsonl")
        with log:
            log.append(at(1), lines=[line(1)], channel=STATE)
        sound = log.path.read_bytes()
        log.path.write_bytes(sound + bytes(4096))
        with log:
            assert log.position == at(1)
        assert log.path.read_bytes() == sound

    def test_a_failed_rewrite_leaves_the_old_file(self, tmp_path):
        log = Log(tmp_path / "9.jsonl")
        with log:
            log.append(at(1), lines=[line(1)], channel=STATE)
        sound = log.path.read_bytes()

        def lines():
            yield 1, line(1)
            raise OSError(28, "no space left")

        with pytest.raises(OSError, match="no space"):
            log.rewrite(lines(), at(1), STATE)
        assert [p.name for p in tmp_path.iterdir()] == ["9.jsonl"]
        assert log.path.read_bytes() == sound

    def test_only_its_owner_may_read_it_after_a_rewrite_too(self, tmp_path):
        log = Log(tmp_path / "9.jsonl")
        with log:
            log.append(at(2), lines=[line(1), line(2)], changed=[line(1, "new")], channel=STATE)
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
        log.compact()
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600

    def test_no_file_is_an_empty_log(self, tmp_path):
        log = Log(tmp_path / "9.jsonl")
        assert list(log.lines()) == []
        assert (log.peek().channel, log.peek().position) == (None, Position())
        assert not log.path.exists()
