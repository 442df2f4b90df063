"""The streaming decoder: every layout, every block size, every fault."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from discord_exports import LAYOUTS, export, message, write
from hypothesis import given
from hypothesis import strategies as st

from furytune._discord.shapes import ExportFile
from furytune._readers.bytes import ByteSource, Locator
from furytune._readers.json_text import Bad
from furytune.errors import SourceError, SourceFormatError


class Thin(msgspec.Struct):
    id: str
    content: str


def read(
    path: Path, *, block: int = 64, limit: int = 1 << 20, skip: bool = False
) -> tuple[list[Thin], list[Bad]]:
    good: list[Thin] = []
    bad: list[Bad] = []
    for part in ExportFile(path, str(path), skip=skip, block=block, limit=limit).blocks(Thin):
        if isinstance(part, Bad):
            bad.append(part)
        else:
            good += part
    return good, bad


def keep(file: ExportFile, kept: list[str]) -> None:
    """Adds the contents of the readable messages, up to the first error."""
    for part in file.blocks(Thin):
        if not isinstance(part, Bad):
            kept += [m.content for m in part]


def told(root: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m["id"], m["content"]) for m in root["messages"]]


HOSTILE = st.sampled_from(
    [
        "",
        '"',
        "\\",
        '\\"',
        '},\n    {\n      "id": "1"',
        '},{"id":"1","type":"Default"',
        "]",
        '],"messageCount":0}',
        "[[[{{{",
        '"messages": [',
        "\u2028\x7f\u0000",
        "\U0001f600é",
        "\t\r\n",
    ]
)
TEXT = st.lists(HOSTILE | st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=4).map(
    "".join
)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXT, x, max_size=3),
    max_leaves=8,
)


@st.composite
def exports(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(0, 6))
    found = [message(i, "ann", draw(TEXT)) for i in range(count)]
    for one in found:
        if draw(st.booleans()):
            one["embeds"] = draw(NESTED)
        if draw(st.booleans()):
            one["mentions"] = [{"id": one["id"], "type": "Default"}, {"id": "2", "type": "Default"}]
    root = export(found)
    if draw(st.booleans()):
        root["channel"]["topic"] = draw(TEXT)
    return root


class TestLayouts:
    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("ending", [".json", ".json.gz"])
    def test_every_layout_gives_every_message(self, tmp_path, layout, ending):
        root = export([message(i, "ann", f"text {i} " + 'é\U0001f600"\\\n' * (i % 7)) for i in range(40)])
        path = write(tmp_path / f"x{ending}", root, layout)
        for block in (16, 100, 2000, 1 << 18):
            good, bad = read(path, block=block)
            assert ([(m.id, m.content) for m in good], bad) == (told(root), [])

    @given(root=exports(), layout=st.sampled_from(sorted(LAYOUTS)), block=st.integers(16, 3000))
    def test_any_export_reads_as_json_load_reads_it(self, tmp_path_factory, root, layout, block):
        path = write(tmp_path_factory.mktemp("any") / "x.json", root, layout)
        good, bad = read(path, block=block)
        whole = json.loads(path.read_bytes().decode("utf-8-sig"))
        assert [(m.id, m.content) for m in good] == told(whole)
        assert bad == []

    def test_a_nested_member_called_messages_is_not_the_array(self, tmp_path):
        root = {"guild": {"messages": [1, 2]}, **export([message(0, "ann", "hi")])}
        root["guild"] = {"messages": [{"id": "1", "content": "no"}]}
        good, _ = read(write(tmp_path / "x.json", root))
        assert [m.content for m in good] == ["hi"]

    def test_the_last_of_two_equal_keys_counts(self, tmp_path):
        text = json.dumps(export([message(0, "ann", "first")])).replace(
            '"first"', '"first", "content": "last"'
        )
        path = tmp_path / "x.json"
        path.write_text(text, encoding="utf-8")
        assert [m.content for m in read(path, block=1 << 18)[0]] == ["last"]
        path.write_text(text.replace('"embeds": []', '"embeds": "\\ud800"'), encoding="utf-8")  # the slow way
        assert [m.content for m in read(path)[0]] == ["last"]

    def test_memory_is_bounded_by_the_block_for_a_single_line(self, tmp_path):
        path = write(
            tmp_path / "x.json", export([message(i, "ann", "word " * 50) for i in range(8000)]), "compact"
        )
        assert path.stat().st_size > 5_000_000
        tracemalloc.start()
        try:
            count = sum(
                len(b) for b in ExportFile(path, "x", block=1 << 16).blocks(Thin) if isinstance(b, list)
            )
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert count == 8000
        assert peak < 2_000_000


class TestFaults:
    def fails(self, data: bytes, tmp_path: Path, **options: Any) -> SourceFormatError:
        path = tmp_path / "bad.json"
        path.write_bytes(data)
        with pytest.raises(SourceFormatError) as caught:
            read(path, **options)
        return caught.value

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b" ",
            b"[]",
            b"1",
            b'"x"',
            b"{}",
            b'{"messages": {}}',
            b'{"messages": [}',
            b"null",
            b"\x00",
            b"{",
            b'{"messages": [],}',
        ],
    )
    def test_a_file_that_is_not_an_export_is_refused(self, tmp_path, data):
        error = self.fails(data, tmp_path)
        assert (error.path, error.line is not None, error.column is not None) == (
            str(tmp_path / "bad.json"),
            True,
            True,
        )

    def test_errors_have_line_and_column(self, tmp_path):
        text = LAYOUTS["two"](export([message(i, "ann", "é" * i) for i in range(30)]))
        lines = text.split("\n")
        number = next(i for i, line in enumerate(lines) if '"content": "' + "é" * 25 + '"' in line)
        lines[number] = lines[number].replace('"content": ', '"content": "é" ')
        error = self.fails("\n".join(lines).encode(), tmp_path, block=300)
        column = lines[number].index('"é" "') + len('"é" ') + 1
        assert (error.line, error.column) == (number + 1, column)

    @pytest.mark.parametrize("layout", ["two", "compact", "crlf"])
    def test_a_truncated_export_keeps_its_complete_messages(self, tmp_path, layout):
        root = export([message(i, "ann", f"text {i}") for i in range(6)])
        data = LAYOUTS[layout](root).encode()
        ends = [data.index(f"text {i}".encode()) for i in range(6)]
        for cut in range(0, len(data) - 1, 7):
            path = tmp_path / "cut.json"
            path.write_bytes(data[:cut])
            kept: list[str] = []
            with pytest.raises(SourceFormatError):
                keep(ExportFile(path, "cut", skip=True, block=200), kept)
            whole = sum(
                1 for e in ends if data.find(b'"inlineEmojis"', e) + 20 + 20 * (layout != "compact") < cut
            )
            assert kept == [f"text {i}" for i in range(len(kept))]
            assert len(kept) >= whole

    def test_a_wrong_message_count_is_refused(self, tmp_path):
        root = export([message(0, "ann", "hi")])
        root["messageCount"] = 2
        assert "messageCount is 2" in str(self.fails(LAYOUTS["two"](root).encode(), tmp_path))

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_utf_16_without_a_mark_is_named(self, tmp_path, encoding):
        data = LAYOUTS["two"](export([])).encode(encoding)
        assert "UTF-16" in str(self.fails(data, tmp_path))

    @pytest.mark.parametrize("block", [64, 1 << 18])
    @pytest.mark.parametrize("field", ["content", "callEndedTimestamp"])
    def test_bytes_that_are_not_utf_8_affect_only_their_message(self, tmp_path, field, block):
        root = export([message(i, "ann", f"text {i}") for i in range(3)])
        root["messages"][1][field] = "BROKEN"
        path = tmp_path / "x.json"
        path.write_bytes(LAYOUTS["two"](root).encode().replace(b"BROKEN", b"\xff\xfe"))
        good, bad = read(path, block=block)
        assert [m.content for m in good] == ["text 0", "text 2"]
        assert [(b.reason, b.id) for b in bad] == [("invalid_utf8", root["messages"][1]["id"])]

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "01", "1.", "tru", "'x'", '"\\x"'])
    def test_json_extensions_are_refused(self, tmp_path, value):
        text = LAYOUTS["two"](export([message(0, "ann", "hi")])).replace(
            '"isPinned": false', f'"isPinned": {value}'
        )
        assert self.fails(text.encode(), tmp_path).line is not None

    def test_a_message_over_the_limit_is_refused(self, tmp_path):
        data = LAYOUTS["two"](export([message(0, "ann", "a"), message(1, "ann", "b" * 5000)])).encode()
        error = self.fails(data, tmp_path, limit=4096)
        assert "4096 bytes" in str(error)
        assert error.line is not None

    def test_skipping_loses_only_the_malformed_message(self, tmp_path):
        root = export([message(i, "ann", f"text {i}") for i in range(20)])
        text = LAYOUTS["two"](root).replace('"content": "text 7"', '"content": text 7')
        path = tmp_path / "x.json"
        path.write_text(text, encoding="utf-8")
        for block in (100, 3000, 1 << 18):
            good, bad = read(path, block=block, skip=True)
            assert [m.content for m in good] == [f"text {i}" for i in range(20) if i != 7]
            assert [b.reason for b in bad] == ["malformed_json"]

    def test_text_after_the_root_is_refused(self, tmp_path):
        data = LAYOUTS["two"](export([])).encode() + b"{}"
        assert "after the end" in str(self.fails(data, tmp_path))

    def test_two_message_arrays_are_refused(self, tmp_path):
        text = LAYOUTS["compact"](export([])).replace('"messageCount":0', '"messages":[]')
        assert "second 'messages'" in str(self.fails(text.encode(), tmp_path))


class TestGzip:
    def test_a_bomb_is_refused(self, tmp_path):
        path = tmp_path / "bomb.json.gz"
        path.write_bytes(gzip.compress(b'{"channel": {}, "messages": [' + b" " * (24 << 20)))
        with pytest.raises(SourceFormatError, match="100 times"):
            read(path, block=1 << 18, limit=1 << 30)

    def test_a_truncated_stream_keeps_its_complete_messages(self, tmp_path):
        noise = random.Random(1)
        root = export([message(i, "ann", noise.randbytes(50).hex()) for i in range(200)])
        path = write(tmp_path / "x.json.gz", root)
        path.write_bytes(path.read_bytes()[:-5000])
        kept: list[str] = []
        with pytest.raises(SourceFormatError, match="gzip data end early"):
            keep(ExportFile(path, "x", skip=True), kept)
        assert 50 < len(kept) < 200
        assert kept == [m["content"] for m in root["messages"][: len(kept)]]

    def test_a_wrong_checksum_at_the_very_end_is_an_error(self, tmp_path):
        path = write(tmp_path / "x.json.gz", export([message(0, "ann", "hi")]))
        data = bytearray(path.read_bytes())
        data[-6] ^= 1
        path.write_bytes(data)
        with pytest.raises(SourceFormatError, match="gzip data are damaged"):
            read(path)

    def test_gzip_is_recognised_by_its_bytes(self, tmp_path):
        path = write(tmp_path / "x.json.gz", export([message(0, "ann", "hi")])).rename(tmp_path / "x.json")
        assert [m.content for m in read(path)[0]] == ["hi"]


class TestLocator:
    @given(text=st.text(st.sampled_from("a\né\U0001f600\r"), max_size=60), bom=st.booleans(), data=st.data())
    def test_it_counts_lines_and_characters(self, tmp_path_factory, text, bom, data):
        path = tmp_path_factory.mktemp("at") / "x"
        path.write_bytes(b"\xef\xbb\xbf" * bom + text.encode())
        places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
        locator = Locator(path, "x")
        for place in places:
            before = text[:place]
            expected = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
            assert locator(3 * bom + len(before.encode())) == expected
        locator.close()

    def test_a_file_that_cannot_be_opened_is_named(self, tmp_path):
        with pytest.raises(SourceError, match=r"gone\.json: cannot be read"):
            ByteSource(tmp_path / "gone.json", "gone.json")


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> dict[str, bytes]:
    with tarfile.open(shared_data / "dirty-json" / "test_parsing.tar.xz") as tar:
        files = {Path(m.name).name: tar.extractfile(m).read() for m in tar if m.isfile()}
    assert len(files) == 318
    return files


@pytest.mark.shared_data
class TestJsonTestSuite:
    """The 318 files of JSONTestSuite, each as a value inside a message and as a whole file."""

    @pytest.mark.parametrize("block", [128, 1 << 18])
    def test_inside_a_message(self, cases, tmp_path, block):
        head, tail = around()
        path = tmp_path / "case.json"
        for name, raw in cases.items():
            path.write_bytes(head + raw + tail)
            if name.startswith("y_"):
                good, bad = read(path, block=block)
                assert ([m.content for m in good], bad) == (["text 0", "text 1", "text 2"], []), name
            elif name.startswith("n_"):
                with pytest.raises(SourceFormatError) as caught:
                    refuse_bad(path, block)
                assert None not in (caught.value.line, caught.value.column), name
            else:
                with contextlib.suppress(SourceFormatError):
                    read(path, block=block)

    def test_as_a_whole_file(self, cases, tmp_path):
        for name, raw in cases.items():
            path = tmp_path / "case.json"
            path.write_bytes(raw)
            with pytest.raises(SourceFormatError) as caught:
                read(path)
            assert None not in (caught.value.line, caught.value.column), name

    def test_skipping_keeps_the_messages_around(self, cases, tmp_path):
        head, tail = around()
        path = tmp_path / "case.json"
        for name, raw in cases.items():
            if not name.startswith("n_"):
                continue
            path.write_bytes(head + raw + tail)
            kept: list[str] = []
            with contextlib.suppress(SourceFormatError):
                keep(ExportFile(path, "case", skip=True, block=4096), kept)
            assert kept[:1] == ["text 0"], name
            assert kept[-1:] == ["text 2"], name


def around() -> tuple[bytes, bytes]:
    """An export of three messages in which one value of the second is missing."""
    text = LAYOUTS["two"](export([message(i, "ann", f"text {i}") for i in range(3)])).encode()
    at = text.index(b"false", text.index(b'"isPinned"', text.index(b"text 0")))
    return text[:at], text[at + 5 :]


def refuse_bad(path: Path, block: int) -> None:
    """Reads strictly, like the collector: an unusable message is an error."""
    for part in ExportFile(path, str(path), block=block).blocks(Thin):
        if isinstance(part, Bad):
            line, column = ExportFile(path, str(path)).place(part.offset)
            raise SourceFormatError(part.detail, path=str(path), line=line, column=column)
