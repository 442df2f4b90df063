"""Rules of augmenters and of all abilities that one can have."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from furytune._values.canonical import canonical_json
from furytune.contract import PromptContract
from furytune.explanation import Explaining
from furytune.protocols import (
    Augmenter,
    BulkAugmenter,
    ContextEdit,
    ContextEditing,
    Located,
    Pinned,
    Rebuildable,
    Refreshable,
    Retrieving,
    Searchable,
)
from furytune.records import Passage, Prompt
from furytune.template import PromptTemplate
from furytune.testing.conformance.rules import QUESTIONS, fits, is_json, rule

__all__ = ["check_augmenter", "check_context_edit"]

_MOMENTS = (
    datetime(2016, 1, 1, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(9999, 1, 1, tzinfo=UTC),
)
_TEMPLATE = PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}")


def check_augmenter(make: Callable[[], Augmenter], questions: Sequence[str] = QUESTIONS) -> None:
    """Holds an augmenter to its protocol, and to those of its abilities.

    Args:
        make: Builds the augmenter, over the same knowledge each time.
        questions: What to ask; some of it should find something.

    Raises:
        AssertionError: A rule is broken.
    """
    one, two = make(), make()
    fits(one, Augmenter)
    rule(
        is_json(one.spec) and isinstance(one.spec.get("name"), str) and bool(one.spec["name"]),
        Augmenter,
        'The spec is a mapping of JSON values and has a "name".',
    )
    # Before all dates, among them, and after them.
    asked = [(q, at) for q in questions for at in _MOMENTS]
    found = [one.context(q, at=at) for q, at in asked]
    rule(
        canonical_json(one.spec) == canonical_json(two.spec)
        and one.snapshot == two.snapshot
        and found == [two.context(q, at=at) for q, at in asked],
        Augmenter,
        "With the same knowledge, equal augmenters have equal specs and snapshots, and find the same passages.",
    )
    rule(
        found[::-1] == [one.context(q, at=at) for q, at in asked[::-1]],
        Augmenter,
        "An augmenter remembers nothing: the order of questions changes no result.",
    )
    for (_, at), passages in zip(asked, found, strict=True):
        rule(
            all(p.date is None or p.date < at for p in passages),
            Augmenter,
            "A passage with a date is older than the question.",
        )
        rule(
            len({p.id for p in passages}) == len(passages),
            Augmenter,
            "No passage is found twice for a question.",
        )
    with TemporaryDirectory() as folder:
        _check_contract(one, two, Path(folder), questions)
    if isinstance(one, BulkAugmenter):
        rule(
            one.contexts([q for q, _ in asked], at=[at for _, at in asked]) == found
            and one.contexts([], at=[]) == [],
            BulkAugmenter,
            "Many questions at once find the same passages as each one alone.",
        )
    if isinstance(one, Retrieving) and not one.retrieves:
        rule(not any(found), Retrieving, "If `retrieves` is False, no question finds a passage.")
    _check_knowledge(one, asked, found)
    _check_looking(one, asked, found)


def _check_contract(one: Augmenter, two: Augmenter, folder: Path, questions: Sequence[str]) -> None:
    """Checks that a contract with the augmenter survives saving and loading."""
    contract = PromptContract(template=_TEMPLATE, augmenter=one)
    contract.save(folder / "c.json")
    loaded = PromptContract.load(folder / "c.json", augmenter=two)

    def rendered(made: PromptContract) -> list[str]:
        # A question of which nothing is left is an error, for both of them.
        prompts = made.prompts(questions, at=[_MOMENTS[1]] * len(questions))
        return [p.digest if isinstance(p, Prompt) else type(p).__name__ for p in prompts]

    rule(
        rendered(contract) == rendered(loaded),
        Augmenter,
        "A contract with the augmenter can be saved, and loaded with ``augmenter=``, and renders the same prompts.",
    )


def _check_knowledge(
    one: Augmenter, asked: Sequence[tuple[str, datetime]], found: Sequence[tuple[Passage, ...]]
) -> None:
    """Checks the abilities that have to do with where the knowledge is, and which state of it."""
    location = one.location if isinstance(one, Located) else {}
    rule(is_json(location), Located, "The location is a mapping of JSON values.")
    if isinstance(one, Rebuildable):
        built = type(one).from_spec(
            json.loads(canonical_json(one.spec)),
            location=json.loads(canonical_json(location)),
            base=Path.cwd(),
        )
        rule(
            canonical_json(built.spec) == canonical_json(one.spec)
            and built.snapshot == one.snapshot
            and [built.context(q, at=at) for q, at in asked] == list(found),
            Rebuildable,
            "An augmenter built from spec and location has the same spec and snapshot, and finds the same passages.",
        )
    before = canonical_json(one.spec), one.snapshot
    if isinstance(one, Pinned):
        pinned: object = one.pin()
        rule(
            isinstance(pinned, bool) and (canonical_json(one.spec), one.snapshot) == before,
            Pinned,
            "`pin` returns whether it worked, and changes neither spec nor snapshot.",
        )
    if isinstance(one, Refreshable):
        latest: object = one.latest()
        rule(
            isinstance(latest, Augmenter)
            and canonical_json(latest.spec) == before[0]
            and all(isinstance(latest.context(q, at=at), tuple) for q, at in asked[:3]),
            Refreshable,
            "The newest state has the same spec and can answer questions.",
        )


def _check_looking(
    one: Augmenter, asked: Sequence[tuple[str, datetime]], found: Sequence[tuple[Passage, ...]]
) -> None:
    """Checks the abilities to look further than a prompt does."""
    if isinstance(one, Explaining):
        for (question, at), passages in zip(asked, found, strict=True):
            told = tuple(f.passage for f in one.explain(question, at=at))
            rule(
                told[: len(passages)] == passages,
                Explaining,
                "An explanation begins with what ``context`` finds, in that order.",
            )
    if isinstance(one, Searchable):
        for question, at in asked:
            visible = {p.id: p for p in one.visible_passages(at)}
            rule(
                len(visible) == len(one.visible_passages(at))
                and all(p.date is None or p.date < at for p in visible.values()),
                Searchable,
                "The passages visible at a moment are undated or older, and each is listed once.",
            )
            near = one.nearest(question, at=at, count=2)
            rule(
                len(near) <= 2 and all(visible.get(p.id) == p for p in near),
                Searchable,
                "The nearest passages are all visible, and there are no more than ``count``.",
            )
    if isinstance(one, ContextEditing) and one.edit is not None:
        check_context_edit(one.edit, one, [question for question, _ in asked])


def check_context_edit(edit: ContextEdit, augmenter: Augmenter, questions: Sequence[str] = QUESTIONS) -> None:
    """Holds an edit of training contexts to its protocol.

    Args:
        edit: What is checked.
        augmenter: What finds the passages.
        questions: What to ask.

    Raises:
        AssertionError: A rule is broken.
    """
    fits(edit, ContextEdit)
    deviation: object = edit.deviation
    rule(
        is_json(edit.spec) and isinstance(deviation, str) and bool(deviation.strip()),
        ContextEdit,
        "The edit is declared: its spec is JSON, and its deviation is a sentence.",
    )
    at = _MOMENTS[1]

    def edited(order: Sequence[str]) -> dict[str, tuple[Passage, ...]]:
        return {q: edit.apply(q, augmenter.context(q, at=at), at=at, augmenter=augmenter) for q in order}

    rule(
        edited(questions) == edited(questions[::-1]),
        ContextEdit,
        "Equal questions with equal passages get the same edit.",
    )
