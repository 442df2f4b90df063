"""What every collector, augmenter, exporter and tuner is held to, built in or not.

Each function raises AssertionError with a sentence that says which rule was broken. Call them from a
test of your plugin::

    def test_my_collector_keeps_the_rules():
        check_collector(lambda: MyCollector("fixture.json"))
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs

from furytune._values.canonical import canonical_json
from furytune.contract import PromptContract
from furytune.errors import FurytuneError
from furytune.protocols import Augmenter, BulkAugmenter, Collector, Exporter, Tuner
from furytune.records import Dataset, Dropped, Prompt, QAPair, TrainingRow
from furytune.template import PromptTemplate

__all__ = ["check_augmenter", "check_collector", "check_exporter", "check_tuner"]

_QUESTIONS = (
    "how do I install it?",
    "Question: x\n[1] y",
    "\U0001f600 \u2028 e\u0301",
    "zzzz qqqq",
    "AND OR NOT *:*",
)


def _require(holds: bool, rule: str) -> None:  # noqa: FBT001
    if not holds:
        raise AssertionError(rule)


def check_collector(make: Callable[[], Collector]) -> list[QAPair | Dropped]:
    """Holds a collector to its protocol.

    Args:
        make: Builds the collector anew, over the same input.

    Returns:
        What it collected.
    """
    collector = make()
    _require(isinstance(collector, Collector), "a collector has collect()")
    items = list(collector.collect())
    _require(items == list(collector.collect()), "collect() starts anew and gives the same stream")
    pairs = [i for i in items if isinstance(i, QAPair)]
    _require(all(isinstance(i, QAPair | Dropped) for i in items), "everything is a pair or a drop")
    _require(len({p.id for p in pairs}) == len(pairs), "ids are unique")
    _require(all(p.id and p.group for p in pairs), "id and group are never empty")
    _require(
        all(d.reason and d.count > 0 for d in items if isinstance(d, Dropped)),
        "a drop has a reason and a count",
    )
    _require(
        all(p.question.strip() and p.answer.strip() for p in pairs), "question and answer are never blank"
    )
    details = "\n".join(i.detail for i in items if isinstance(i, Dropped))
    _require(
        not any(len(p.question) >= 8 and p.question in details for p in pairs),
        "the detail of a drop shows no message text",
    )
    return items


def check_augmenter(make: Callable[[], Augmenter], questions: Sequence[str] = _QUESTIONS) -> None:
    """Holds an augmenter to its protocol.

    Args:
        make: Builds the augmenter anew, over the same knowledge.
        questions: What to ask; some of it should find something.
    """
    one, two = make(), make()
    _require(isinstance(one, Augmenter), "an augmenter has spec, snapshot and context()")
    _require(isinstance(one.spec, Mapping) and bool(one.spec.get("name")), "a spec is a mapping with a name")
    _require(canonical_json(one.spec) == canonical_json(two.spec), "equal augmenters have equal specs")
    _require(one.snapshot == two.snapshot, "equal knowledge has one snapshot")
    moments = (
        datetime(2016, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
    )
    asked = [(q, at) for q in questions for at in moments]
    singles = [one.context(q, at=at) for q, at in asked]
    _require(singles == [two.context(q, at=at) for q, at in asked], "equal augmenters find the same")
    _require(
        list(reversed(singles)) == [one.context(q, at=at) for q, at in reversed(asked)],
        "asking has no memory",
    )
    for (_, at), found in zip(asked, singles, strict=True):
        _require(
            all(p.date is None or p.date < at for p in found), "a dated passage is older than its question"
        )
        _require(len({p.id for p in found}) == len(found), "no passage is found twice")
    if isinstance(one, BulkAugmenter):
        many = one.contexts([q for q, _ in asked], at=[at for _, at in asked])
        _require(many == singles, "many questions at once find what each finds alone")
        _require(one.contexts([], at=[]) == [], "no question, no answer")


def check_exporter(make: Callable[[Path], Exporter], folder: Path) -> Dataset:
    """Holds an exporter to its protocol.

    Args:
        make: Builds the exporter for a folder to write into.
        folder: An empty folder.

    Returns:
        The data set that was written.
    """
    from furytune.augmenters.identity import IdentityAugmenter

    datasets = []
    rows = [
        TrainingRow(
            id=f"r{n}",
            group=f"g{n}",
            split="validation" if n == 1 else "train",
            prompt=Prompt(text=text),
            answer=text,
        )
        for n, text in enumerate(_QUESTIONS)
    ]
    for name in ("one", "two"):
        (folder / name).mkdir()
        exporter = make(folder / name)
        _require(isinstance(exporter, Exporter), "an exporter has dialect and export()")
        contract = PromptContract(
            template=PromptTemplate("{question}"), augmenter=IdentityAugmenter(), dialects=[exporter.dialect]
        )
        datasets.append(exporter.export(iter(rows), contract=contract))
    one, two = datasets
    _require(one.rows == len(rows), "every row is written")
    _require([f.sha256 for f in one.files] == [f.sha256 for f in two.files], "equal rows give equal bytes")
    for file in one.files:
        content = Path(file.path).read_bytes()
        _require(hashlib.sha256(content).hexdigest() == file.sha256, "sha256 is that of the file")
        _require(len(content) == file.size, "size is that of the file")
    _require(Path(one.manifest).is_file(), "there is a manifest")
    before = {p: p.read_bytes() for p in sorted((folder / "one").iterdir())}
    torn = attrs.evolve(rows[0], answer="\ud800")
    try:
        make(folder / "one").export(iter([*rows[1:], torn]), contract=contract)
    except FurytuneError as error:
        _require(torn.id in str(error), "a refusal names the row")
    else:
        raise AssertionError("a lone surrogate is refused, not altered")
    after = {p: p.read_bytes() for p in sorted((folder / "one").iterdir())}
    _require(before == after, "a refused export leaves the earlier files as they were")
    return one


def check_tuner(make: Callable[[], Tuner], dataset: Dataset) -> None:
    """Holds a tuner to its protocol: one key, one job.

    Args:
        make: Builds the tuner anew, as after a restart.
        dataset: What to train on.
    """
    tuner = make()
    _require(isinstance(tuner, Tuner), "a tuner has estimate(), submit(), find() and poll()")
    _require(not tuner.estimate(dataset).problems, "the data set has no problems")
    _require(tuner.find("0" * 32) is None, "an unknown key finds nothing")
    job = tuner.submit(dataset, key="1" * 32)
    found = make().find("1" * 32)
    _require(found is not None and found.name == job.name, "a restart finds the job by its key")
    _require(tuner.poll(job).name == job.name, "polling keeps the name")
