"""Every rule of a protocol has a check with the same words, and the check finds a part that breaks the rule."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

import furytune as ft
from furytune import protocols
from furytune.pairing import Conversation, Post
from furytune.records import Erased
from furytune.testing import conformance
from furytune.testing.conformance import (
    check_augmenter,
    check_collector,
    check_context_edit,
    check_curator,
    check_embedder,
    check_exporter,
    check_model,
    check_pairer,
    check_place,
    check_reranker,
    check_splitter,
    check_tuner,
)
from furytune.testing.memory import ListCollector, MemoryAugmenter, MemoryTuner, pair

LATE = datetime(9999, 12, 31, tzinfo=UTC)
LAST: list[str] = []
PASSAGES = [ft.Passage(id=name, text=f"install it with {name}") for name in ("pip", "conda", "uv")]


def written() -> set[tuple[str, str]]:
    """Returns the rules in the docstrings: the listed sentences."""
    found = set()
    for name in protocols.__all__:
        documented = inspect.getdoc(getattr(protocols, name)) or ""
        for item in re.findall(r"^- (.*(?:\n  .*)*)", documented, re.MULTILINE):
            found.add((name, " ".join(item.split())))
    return found


def checked() -> set[tuple[str, str]]:
    """Returns the rules in the calls of the checks."""
    found = set()
    for path in Path(conformance.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "rule":
                _, protocol, sentence = node.args
                found.add((protocol.id, sentence.value))
    return found


def test_rules_in_docstrings_and_checks_are_the_same() -> None:
    assert written() == checked()
    assert len(written()) > 30


def test_each_role_and_ability_has_a_rule_unless_it_only_describes() -> None:
    descriptive = {"ContractIdentity", "ContextEditing", "Incomplete", "Kind", "Named"}
    assert set(protocols.__all__) - {name for name, _ in written()} == descriptive


def broken(sentence: str):
    return pytest.raises(AssertionError, match=re.escape(sentence))


class Uncounted:
    """Loses a message."""

    def collect(self):
        yield pair("a?", "b", question_messages=("1",), answer_messages=("2",))


class Once:
    """Can be read only once."""

    def __init__(self):
        self.items = iter([pair("a?", "b")])

    def collect(self):
        return self.items


def test_broken_collectors_are_found() -> None:
    with broken("Everything that was read comes out"):
        check_collector(Uncounted, read={"message": 3})
    with broken("Each call of `collect` starts from the beginning"):
        check_collector(Once)
    with broken("No two pairs have the same id"):
        check_collector(lambda: ListCollector([pair("a?", "b"), pair("a?", "b")]))
    with broken("No question and no answer is blank"):
        check_collector(lambda: ListCollector([pair("a?", " ")]))

    quoting = ft.Dropped(reason="own:quoting", detail="not good: how do I make it?")
    with broken("The detail of a drop does not quote a message"):
        check_collector(lambda: ListCollector([pair("how do I make it?", "b"), quoting]))

    class Dated(ListCollector):
        count = 0

        @property
        def provenance(self):
            Dated.count += 1
            return {"read": Dated.count}

    with broken("Equal input gives equal provenance"):
        check_collector(lambda: Dated([pair("a?", "b")]))


class Forgetful:
    """Makes a pair and does not count the other posts."""

    calls = 0

    def fits(self, place):
        return True

    def pair(self, posts, place):
        self.calls += 1
        question, answer, *rest = posts
        yield place.pair([[question]], [answer], uid=f"{self.calls}", group="g", method="own")
        if rest and self.calls > 1:
            yield ft.Dropped(reason="own:quoting", unit="message", count=len(rest))


def test_broken_pairers_are_found() -> None:
    posts = [Post(id=str(n), speaker=str(n), text=f"text {n}?", sent_at="2024-01-01") for n in range(3)]
    with broken("Every post is in a pair"):
        check_pairer(Forgetful(), posts, Conversation())
    with broken("Pairing the same posts again gives the same pairs"):
        check_pairer(Forgetful(), posts[:2], Conversation())


def test_broken_curation_steps_are_found() -> None:
    pairs = [pair("a?", "b"), pair("c?", "d")]
    with broken("A step keeps a pair, returns it with another answer"):
        check_curator(lambda p: attrs.evolve(p, question="other?"), pairs)
    with broken("A drop counts that one pair"):
        check_curator(lambda p: ft.Dropped(reason="own:no", unit="message", count=2), pairs)

    class Overreaching:
        decided = 1

        def __call__(self, one):
            return attrs.evolve(one, question="other?", group="another")

    with broken("A pair changes in nothing but question, answer, confidence and evidence"):
        check_curator(Overreaching(), pairs)

    class Counting:
        seen = 0

        def start(self):
            return self.act

        def act(self, one):
            self.seen += 1
            return one if self.seen < 3 else ft.Dropped(reason="own:enough", ids=(one.id,))

    with broken("Two passes over the same pairs give the same results"):
        check_curator(Counting(), pairs)

    class Impatient:
        def fit(self, many):
            next(iter(many), None)
            return lambda one: one

    with broken("Fitting reads all pairs"):
        check_curator(Impatient(), pairs)

    class Remembering:
        seen = 0

        def fit(self, many):
            self.seen += len(list(many))
            return lambda one: one if self.seen < 3 else ft.Dropped(reason="own:enough", ids=(one.id,))

    with broken("Two passes over the same pairs give the same results"):
        check_curator(Remembering(), pairs)
    with pytest.raises(AssertionError, match=r"int does not fit furytune\.protocols\.Curator"):
        check_curator(3, pairs)

    class Backwards:
        def __call__(self, one):
            return one

        def curate(self, many):
            return many[::-1]

    with broken("Many pairs at once give the same results as one by one"):
        check_curator(Backwards(), pairs)


def test_broken_models_are_found() -> None:
    class Silent:
        spec = {"name": "silent"}

        def generate(self, prompt):
            return " "

    class Nameless(Silent):
        spec = {}

    with broken("An answer is a text that is not blank"):
        check_model(Silent())
    with broken("A model's spec is a mapping of JSON values"):
        check_model(Nameless())


def test_broken_streaming_models_are_found() -> None:
    class Blank:
        spec = {"name": "blank"}
        told = (ft.records.Piece(text=" "), ft.records.Piece(finish="stop"))

        def generate(self, prompt):
            return "so"

        def pieces(self, prompt, *, stop=None):
            yield from self.told

    class Endless(Blank):
        told = (ft.records.Piece(text="so"), ft.records.Piece(text=" it is"))

    class Deaf(Blank):
        told = (ft.records.Piece(text="so"), ft.records.Piece(finish="stop"))

    with broken("The pieces make a text that is not blank"):
        check_model(Blank())
    with broken("The last piece says why the answer ended"):
        check_model(Endless())
    with broken("An answer that is stopped raises `StoppedError`"):
        check_model(Deaf())


def test_a_splitter_that_counts_is_found() -> None:
    seen: list[str] = []

    def every_other(group):
        seen.append(group)
        return "train" if len(seen) % 2 else "validation"

    with broken("A group is always on the same side"):
        check_splitter(every_other, ["a", "b"])


def augmenter(**changes):
    return type("Own", (MemoryAugmenter,), changes)


def test_broken_augmenters_are_found() -> None:
    asked: list[str] = []

    def shuffled(self, question, *, at=None):
        asked.append(question)
        return tuple(PASSAGES[len(asked) % 2 :])

    def always(passages):
        return lambda self, question, *, at=None: tuple(passages)

    late = ft.Passage(id="late", text="said", date=LATE)
    for sentence, kind in {
        "The spec is a mapping of JSON values": augmenter(spec={"name": {1, 2}}),
        "With the same knowledge, equal augmenters": augmenter(context=shuffled),
        "A passage with a date is older": augmenter(context=always([late])),
        "No passage is found twice": augmenter(context=always(PASSAGES[:1] * 2)),
        "Many questions at once find": augmenter(contexts=lambda self, qs, *, at: [()] * len(qs)),
        "If `retrieves` is False, no question finds": augmenter(retrieves=False),
        "The location is a mapping": augmenter(location={"path": Path("x")}),
        "An augmenter built from spec and location": augmenter(
            from_spec=classmethod(lambda cls, spec, *, location, base: cls([]))
        ),
        "`pin` returns whether it worked": augmenter(pin=lambda self: None),
        "The newest state has the same spec": augmenter(latest=lambda self: attrs.evolve(self, k=9)),
        "An explanation begins with": augmenter(explain=lambda self, question, *, at=None: ()),
        "The passages visible at a moment": augmenter(
            visible_passages=lambda self, at: [late], nearest=lambda self, q, *, at, count: ()
        ),
        "The nearest passages are all visible": augmenter(
            visible_passages=lambda self, at: PASSAGES, nearest=lambda self, q, *, at, count: PASSAGES
        ),
    }.items():
        with broken(sentence):
            check_augmenter(lambda kind=kind: kind(PASSAGES), ["how do I install it?"])


def test_an_augmenter_that_remembers_is_found() -> None:
    class Remembering(MemoryAugmenter):
        def context(self, question, *, at=None):
            LAST.append(question)
            return tuple(PASSAGES[:1]) if len(LAST) > 12 else ()

    LAST.clear()
    with broken("An augmenter remembers nothing"):
        check_augmenter(lambda: Remembering(PASSAGES), ["a", "b"])


def test_broken_context_edits_are_found() -> None:
    class Edit:
        spec = {"count": 1}
        deviation = "one passage more"
        calls = 0

        def apply(self, question, passages, *, at, augmenter):
            self.calls += 1
            return tuple(PASSAGES[: self.calls])

    with broken("Equal questions with equal passages get the same edit"):
        check_context_edit(Edit(), MemoryAugmenter(PASSAGES), ["a", "b"])
    Edit.deviation = ""
    with broken("The edit is declared"):
        check_context_edit(Edit(), MemoryAugmenter(PASSAGES), ["a"])


def test_broken_embedders_and_rerankers_are_found() -> None:
    class Model:
        spec = {"name": "own"}
        depth = 3

        def __init__(self, vectors, scores=(1.0,)):
            self.vectors, self.scores = vectors, iter(scores)

        def embed(self, texts, *, kind):
            return self.vectors(texts)

        def score(self, question, passage):
            return next(self.scores)

    with broken("Each text gets a vector of finite numbers"):
        check_embedder(Model(lambda texts: [[float("nan")]] * len(texts)))
    with broken("The vector of a text does not depend on"):
        check_embedder(Model(lambda texts: [[float(len(texts))]] * len(texts)))
    with broken("A score is a finite number, and the same in each call"):
        check_reranker(Model(None, range(99)), PASSAGES)
    nameless = Model(lambda texts: [[1.0]] * len(texts))
    nameless.spec = {}
    with broken("An embedder's spec"):
        check_embedder(nameless)
    with broken("A re-ranker's spec"):
        check_reranker(nameless, PASSAGES)


class Careless(ft.JsonlExporter):
    """Writes a file that is not among its targets."""

    @property
    def targets(self):
        return ()


class Replacing(ft.JsonlExporter):
    """Replaces a text that cannot be written."""

    def export(self, rows, *, contract, tally=None):
        mended = (attrs.evolve(r, answer=r.answer.replace("\ud800", "?")) for r in rows)
        return super().export(mended, contract=contract, tally=tally)


class Torn(ft.JsonlExporter):
    """Leaves a partly written file behind."""

    def export(self, rows, *, contract, tally=None):
        try:
            return super().export(rows, contract=contract, tally=tally)
        except ft.FurytuneError:
            self.path.write_text("half", encoding="utf-8")
            raise


class Early(ft.JsonlExporter):
    """Commits when it should only stage."""

    def stage(self, rows, *, contract, tally, group):
        return super().export(rows, contract=contract, tally=tally)


class Short(ft.JsonlExporter):
    """Leaves a row out."""

    def export(self, rows, *, contract, tally=None):
        return super().export(list(rows)[:-1], contract=contract, tally=tally)


class Wrong(ft.JsonlExporter):
    """Reports a wrong file size."""

    def export(self, rows, *, contract, tally=None):
        done = super().export(rows, contract=contract, tally=tally)
        return attrs.evolve(done, files=tuple(attrs.evolve(f, size=f.size + 1) for f in done.files))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Careless, "Every data file that it writes is among the targets"),
        (Replacing, "A row that cannot be written raises an error"),
        (Torn, "A failed export leaves the earlier files"),
        (Early, "Staged files appear when the group is committed"),
        (Short, "Every row is written"),
        (Wrong, "The data set lists each file"),
    ],
)
def test_broken_exporters_are_found(tmp_path, kind, sentence) -> None:
    with broken(sentence):
        check_exporter(lambda folder: kind(folder / "t.jsonl"), tmp_path)


def test_broken_tuners_are_found(tmp_path) -> None:
    run = ft.Pipeline(
        collector=ListCollector([pair("a?", "b")]), exporter=ft.JsonlExporter(tmp_path / "t.jsonl")
    ).run()

    class Eager(MemoryTuner):
        def submit(self, dataset, *, key):
            self.jobs.pop(key, None)
            self.jobs[f"{len(self.jobs)}"] = MemoryTuner.submit(self, dataset, key=key)
            return self.jobs[key]

    class Renaming(MemoryTuner):
        def poll(self, job):
            return attrs.evolve(job, name="other")

    jobs: dict = {}
    shared: dict = {}
    with broken("One key, one job"):
        check_tuner(lambda: Eager(jobs), run.datasets[0])
    with broken("After a restart, `find` returns the job"):
        check_tuner(MemoryTuner, run.datasets[0])
    with broken("`poll` keeps the key and name"):
        check_tuner(lambda: Renaming(shared), run.datasets[0])


def test_broken_places_are_found() -> None:
    kept = {"1": "a", "2": "b"}

    class Place:
        def __init__(self, check=lambda: None, again=0):
            self.check, self.again = check, again

        def erase(self, messages, people):
            gone = kept.keys() & set(messages)
            for message in gone if self.again >= 0 else ():
                del kept[message]
            return Erased(kind="own", path="x", removed=len(gone) or max(self.again, 0))

    def content():
        return " ".join(kept).encode()

    with broken("Checking changes nothing"):
        check_place(lambda: Place(check=lambda: kept.update({"3": "c"})), message="1", content=content)
    with broken("After `erase`, the place contains none"):
        check_place(lambda: Place(again=-1), message="1", content=content)
    with broken("Erasing again removes nothing more"):
        check_place(lambda: Place(again=1), message="1", content=content)
