"""Rules of exporters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import attrs

from furytune._storage.durable import staged
from furytune.contract import PromptContract
from furytune.contract.identity import IdentityAugmenter
from furytune.errors import FurytuneError
from furytune.exporters import load_dataset
from furytune.protocols import Exporter, Staging, WritesFiles
from furytune.records import Dataset, Prompt, TrainingRow
from furytune.template import PromptTemplate
from furytune.testing.conformance.rules import QUESTIONS, fits, rule

__all__ = ["check_exporter"]

_ROWS = [
    TrainingRow(
        id=f"r{n}",
        group=f"g{n}",
        split="validation" if n == 1 else "train",
        prompt=Prompt(text=text),
        answer=text,
    )
    for n, text in enumerate(QUESTIONS)
]


def check_exporter(make: Callable[[Path], Exporter], folder: Path) -> Dataset:
    """Holds an exporter to its protocol, and to those of its abilities.

    Args:
        make: Builds the exporter for a folder to write into.
        folder: An empty folder.

    Returns:
        The data set that was written.

    Raises:
        AssertionError: A rule is broken.
    """
    for name in ("one", "two", "staged"):
        (folder / name).mkdir()
    exporter = make(folder / "one")
    fits(exporter, Exporter)
    contract = PromptContract(
        template=PromptTemplate("{question}"), augmenter=IdentityAugmenter(), dialects=[exporter.dialect]
    )
    one = exporter.export(iter(_ROWS), contract=contract)
    two = make(folder / "two").export(iter(_ROWS), contract=contract)
    rule(
        one.rows == len(_ROWS) and [f.sha256 for f in one.files] == [f.sha256 for f in two.files],
        Exporter,
        "Every row is written, and equal rows give equal bytes.",
    )
    listed = [
        (hashlib.sha256(content).hexdigest(), len(content))
        for content in (Path(file.path).read_bytes() for file in one.files)
    ]
    rule(
        listed == [(file.sha256, file.size) for file in one.files]
        and load_dataset(one.manifest).files == one.files,
        Exporter,
        "The data set lists each file with its size and sha256, and ``furytune.load_dataset`` reads its manifest.",
    )
    if isinstance(exporter, WritesFiles):
        targets = {Path(target).resolve() for target in exporter.targets}
        rule(
            all(Path(file.path).resolve() in targets for file in one.files),
            WritesFiles,
            "Every data file that it writes is among the targets.",
        )
    _check_refusal(make(folder / "one"), contract, folder / "one")
    if isinstance(exporter, Staging):
        _check_staging(make(folder / "staged"), contract, one)
    return one


def _check_refusal(exporter: Exporter, contract: PromptContract, folder: Path) -> None:
    """Checks that a bad row stops the export and leaves earlier files alone."""
    before = _contents(folder)
    # UTF-8 cannot encode a lone surrogate, so no exporter can write this row.
    torn = attrs.evolve(_ROWS[0], answer="\ud800")
    named = False
    try:
        exporter.export(iter([*_ROWS[1:], torn]), contract=contract)
    except FurytuneError as error:
        named = torn.id in str(error)
    rule(named, Exporter, "A row that cannot be written raises an error with its id, and is not altered.")
    rule(_contents(folder) == before, Exporter, "A failed export leaves the earlier files unchanged.")


def _check_staging(exporter: Exporter, contract: PromptContract, expected: Dataset) -> None:
    """Checks that staged files appear only with the commit."""
    assert isinstance(exporter, Staging)
    with staged() as group:
        dataset = exporter.stage(iter(_ROWS), contract=contract, tally=None, group=group)
        early = any(Path(file.path).exists() for file in dataset.files)
        group.commit()
    rule(
        not early
        and [f.sha256 for f in load_dataset(dataset.manifest).files] == [f.sha256 for f in expected.files],
        Staging,
        "Staged files appear when the group is committed, and not before.",
    )


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.iterdir())}
