"""Results are short and readable in a notebook: digests cut, files listed, long texts folded."""

from __future__ import annotations

from datetime import UTC, datetime

from furytune._values.shown import Shown
from furytune.augmenters.identity import IdentityAugmenter
from furytune.contract import PromptContract
from furytune.explanation import Explanation
from furytune.records import (
    DataFile,
    Dataset,
    Dropped,
    JobProgress,
    Loss,
    Prompt,
    Source,
    TrainingRow,
    TuningJob,
)
from furytune.report import Tally
from furytune.template import PromptTemplate

DIGEST = "0123456789abcdef" * 4


def test_a_data_set_lists_its_files_and_cuts_its_digests() -> None:
    file = DataFile(path="out/train.jsonl", split="train", rows=1234, size=56789, sha256=DIGEST)
    dataset = Dataset(
        files=(file,), manifest="m", dialect="plain", fingerprint=DIGEST, snapshot=f"sha256:{DIGEST}"
    )
    told = dataset._repr_html_()
    assert "1,234 rows, 56,789 bytes: out/train.jsonl" in told
    assert "0123456789ab…" in told
    assert "sha256:0123456789ab…" in told
    for value in (file, dataset):
        assert DIGEST not in value._repr_html_() + repr(value)


def test_a_row_names_its_source_and_its_messages() -> None:
    row = TrainingRow(
        id="1",
        group="1",
        split="train",
        prompt=Prompt(text="t"),
        answer="a",
        source=Source(path="a & b.json", line=7, guild="1"),
        messages=("10", "11", "12", "13"),
    )
    assert "a &amp; b.json:7" in row._repr_html_()
    assert "10, 11, 12 and 1 more" in row._repr_html_()
    assert "source='a & b.json:7'" in repr(row)


def test_a_job_tells_how_far_it_is() -> None:
    progress = JobProgress(percent=40.4, losses=(Loss(step=1, loss=2.0), Loss(step=9, loss=0.25)))
    told = TuningJob(key="k", name="n", state="running", progress=progress)._repr_html_()
    assert ">40<" in told
    assert "0.25 (train, step 9)" in told


def test_a_long_prompt_is_folded_and_a_short_one_is_not() -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    for size, folded in ((10, False), (50_000, True)):
        prompt = Prompt(text="w <b> " * size)
        for value in (prompt, Explanation(prompt=prompt, at=at)):
            told = value._repr_html_()
            assert ("<details>" in told) is folded
            assert told.count("w &lt;b&gt;") == size
            assert "monospace" in told


def test_counts_and_a_contract_are_short() -> None:
    tally = Tally()
    for n in range(50):
        tally.drop(Dropped(reason=f"own:r{n}", where="somewhere" * 20))
    contract = PromptContract(
        template=PromptTemplate("word " * 500 + "\n{question}", system="Be <kind>."),
        augmenter=IdentityAugmenter(),
        dialects=("openai",),
    )
    for value in (tally.counts, contract):
        assert isinstance(value, Shown)
        assert len(repr(value)) < 200
        assert len(value._repr_html_()) < 1_500
    assert contract.fingerprint[:12] in repr(contract)
    assert "Be &lt;kind&gt;." in contract._repr_html_()
