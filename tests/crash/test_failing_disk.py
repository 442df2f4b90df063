"""If the disk fails, public calls raise an error of this library, and earlier data stay."""

from __future__ import annotations

import pytest

pytest.importorskip("discord")
pytest.importorskip("lancedb")

import failing_disk
from failing_disk import CASES, CODES

SAMPLES = 6
SLOW = {"tune": 3}  # Google's client loads certificates for a second


@pytest.mark.parametrize("name", CASES)
def test_a_failed_operation_keeps_old_data_and_the_next_run_works(tmp_path, name):
    """Tests a sample of the operations. Run failing_disk.py by hand to test every operation with every error."""
    case = CASES[name]
    operations = failing_disk.prepared(case, tmp_path)
    assert operations > SAMPLES
    samples = SLOW.get(name, SAMPLES)
    for i in range(samples):
        n = 1 + (i * operations) // samples + i % 2
        failed = failing_disk.fail(case, tmp_path / "start", tmp_path / "work", n, CODES[i % len(CODES)])
        assert failed or n > operations - 5  # closing descriptors and threads may differ by a few calls
