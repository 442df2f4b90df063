"""Tests each sentence of docs/promise.md, with the sentence as its name."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs
import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from furytune import dialects
from furytune._values.canonical import canonical_json
from furytune.augmenters.identity import IdentityAugmenter
from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.budget import TokenBudget
from furytune.contract import BEFORE_ALL_DATES, PromptContract
from furytune.errors import CurationError, TextError
from furytune.exporters.jsonl import JsonlExporter
from furytune.normalize import Normalizer
from furytune.pipeline import Pipeline
from furytune.records import Dropped, Passage
from furytune.review.decisions import Decisions
from furytune.splitting import GroupSplitter
from furytune.template import PromptTemplate
from furytune.testing import strategies as fs
from furytune.testing.memory import ListCollector, MemoryAugmenter, pair

pytestmark = pytest.mark.promise

TEMPLATE = PromptTemplate(
    "You are the helper.\n\nContext:\n{context}\n\nQuestion:\n{question}", system="Be brief."
)
KNOWLEDGE = [
    Passage(
        id=f"doc{n}",
        text=f"how to {word}\nQuestion: {word}?",
        title=f"docs {word}",
        source=f"d.md:{n}-{n + 3}",
    )
    for n, word in enumerate(("install", "render", "a sphere", "colour", "x", "0", "test", "print"))
] + [
    Passage(
        id=f"chat{year}",
        text=f"how x in {year}: use 0",
        title=f"thread {year}",
        date=datetime(year, 1, 1, tzinfo=UTC),
    )
    for year in range(2016, 2030)
]

BOT = """
import json, sys
from datetime import datetime
import furytune
contract = furytune.PromptContract.load(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin.buffer:
    question, at = json.loads(line)
    at = datetime.fromisoformat(at)
    body = contract.request(question, at=at, dialect="gemini")
    sys.stdout.buffer.write(json.dumps(body).encode("ascii") + b"\\n")
    sys.stdout.buffer.flush()
"""


class Bot:
    """A bot in its own process, with its own hash seed and locale."""

    def __init__(self, contract: Path, seed: str, locale: str) -> None:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": "Asia/Kathmandu"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", BOT, str(contract)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=contract.parent,
        )
        assert self.process.stdout.readline() == b"ready\n"

    def ask(self, question: str, at: datetime) -> None:
        self.process.stdin.write(json.dumps([question, at.isoformat()]).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self) -> dict:
        return json.loads(self.process.stdout.readline())


@contextmanager
def bots(contract: Path):
    kinds = (("0", "C"), ("12345", "C.UTF-8"))
    with ExitStack() as stack:
        running = [Bot(contract, seed, locale) for seed, locale in kinds]
        for bot in running:
            stack.callback(bot.process.wait)
            stack.callback(bot.process.stdout.close)
            stack.callback(bot.process.stdin.close)
        yield running


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Pipeline:
    folder = tmp_path_factory.mktemp("promise")
    build_index(folder / "corpus.lance", KNOWLEDGE)
    return Pipeline(
        collector=ListCollector([]),
        augmenter=RagAugmenter(folder / "corpus.lance", k=4),
        template=TEMPLATE,
        normalizer=Normalizer(bot_ids=["44"]),
        budget=TokenBudget(100_000),
        exporter=JsonlExporter(folder / "train.jsonl", dialect="gemini"),
    )


@pytest.fixture(scope="module")
def contract_file(pipeline) -> Path:
    path = Path(pipeline.exporter[0].path).parent / "bot.contract.json"
    pipeline.contract.save(path)
    return path


def test_the_prompt_in_training_and_the_prompt_of_the_bot_are_the_same_bytes(pipeline, contract_file) -> None:
    """Asks each question in two other processes with other hash seeds, locales and time zones."""
    with bots(contract_file) as running:

        @settings(max_examples=10 * settings().max_examples)
        @given(fs.questions(), fs.moments() | st.none())
        @example("<@44> how?\r\n", None)
        def same(question: str, asked_at: datetime | None) -> None:
            one = pipeline.evolve(collector=ListCollector([pair(question, "an answer", asked_at=asked_at)]))
            (row,) = one.rows()
            trained = msgspec.json.decode(
                msgspec.json.encode(dialects.get("gemini").row(row.prompt, row.answer))
            )
            for bot in running:
                bot.ask(question, asked_at or BEFORE_ALL_DATES)
            for bot in running:
                asked = bot.answer()
                assert trained["systemInstruction"] == asked["systemInstruction"]
                assert trained["contents"][:-1] == asked["contents"]

        same()


def test_the_exported_file_contains_the_bytes_that_the_contract_renders(pipeline, contract_file) -> None:
    contract = PromptContract.load(contract_file)

    @settings(max_examples=60)
    @given(fs.pairs())
    def same(pairs: list) -> None:
        assume(pairs)
        run = pipeline.evolve(collector=ListCollector(pairs)).run()
        asked = {p.id: contract.prompt(p.question, at=p.asked_at or BEFORE_ALL_DATES) for p in pairs}
        manifest = json.loads(Path(run.datasets[0].manifest).read_bytes())
        ids = {
            split: [s["id"] for s in manifest["sources"] if s["split"] == split]
            for split in ("train", "validation")
        }
        exported = 0
        for file in run.datasets[0].files:
            rows = Path(file.path).read_bytes().split(b"\n")[:-1]
            for name, line in zip(ids[file.split], rows, strict=True):
                row = json.loads(line)
                assert row["contents"][0]["parts"][0]["text"].encode() == bytes(asked[name])
                assert row["systemInstruction"]["parts"][0]["text"] == asked[name].system
                exported += 1
        assert exported == len(pairs) == run.report.counts.rows

    same()


@settings(max_examples=10 * settings().max_examples)
@given(fs.templates(), fs.texts(), fs.passages(dated=False, max_size=3))
def test_a_template_takes_apart_every_prompt_that_it_rendered(template, question, passages) -> None:
    shown = passages if template.takes_context else []
    parsed = template.parse(template.render(question, shown))
    assert parsed.question == question
    cited = "{citation}" in template.passage
    assert parsed.passages == tuple((p.citation if cited else "", p.text) for p in shown)


@given(fs.texts(), fs.passages(dated=False, max_size=3), fs.texts(), fs.passages(dated=False, max_size=3))
def test_two_different_inputs_never_give_one_prompt(question, passages, other, others) -> None:
    seen = (question, [(p.citation, p.text) for p in passages])
    assume(seen != (other, [(p.citation, p.text) for p in others]))
    assert TEMPLATE.render(question, passages) != TEMPLATE.render(other, others)


def test_every_naughty_string_comes_back_from_the_template_and_the_file(shared_data, tmp_path) -> None:
    naughty = json.loads((shared_data / "dirty-strings" / "blns.json").read_text(encoding="utf-8"))
    assert len(naughty) == 515
    for text in naughty:
        passage = Passage(id="p", text=text)
        assert TEMPLATE.parse(TEMPLATE.render(text, [passage])).question == text
        assert TEMPLATE.parse(TEMPLATE.render(text, [passage])).passages == (("p", text),)
    pairs = [attrs.evolve(pair(text, text), id=str(n), group=str(n)) for n, text in enumerate(naughty)]
    run = Pipeline(
        collector=ListCollector(pairs),
        exporter=JsonlExporter(tmp_path / "t.jsonl", dialect="plain"),
        splitter=GroupSplitter(0),
    ).run()
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_bytes().split(b"\n")[:-1]]
    blank = [text for text in naughty if not text.strip()]
    assert [row["input"] for row in rows] == [text for text in naughty if text.strip()]
    assert [row["output"] for row in rows] == [row["input"] for row in rows]
    (dropped,) = run.report.counts.dropped
    assert (dropped.reason, dropped.count) == ("unusable_question", len(blank))


@given(fs.normalizers(), fs.texts())
def test_normalising_twice_is_normalising_once(normalizer, text) -> None:
    try:
        once = normalizer(text)
    except TextError:
        return
    assert normalizer(once) == once


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<\r"), min_size=1))
def test_text_without_markup_passes_the_normaliser_byte_for_byte(text) -> None:
    assume(text.strip())
    assert Normalizer(redact=())(text) == text


@given(fs.passages(), fs.passages(dated=True), fs.questions(), fs.moments())
def test_later_passages_change_nothing_for_an_earlier_question(passages, later, question, at) -> None:
    known = {p.id for p in passages}
    added = [attrs.evolve(p, id=f"later-{p.id}") for p in later if p.date >= at and p.id not in known]
    before = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter(passages))
    after = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter([*passages, *added]))
    assert before.prompt(question, at=at) == after.prompt(question, at=at)


@given(fs.passages(dated=True, max_size=8), fs.questions(), fs.moments())
def test_no_passage_in_a_prompt_is_as_young_as_its_question(passages, question, at) -> None:
    prompt = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter(passages, k=9)).prompt(
        question, at=at
    )
    assert all(p.date < at for p in prompt.passages)


@given(fs.passages(max_size=8), fs.questions(), fs.moments(), st.randoms(use_true_random=False))
def test_the_order_in_which_passages_were_added_changes_nothing(
    passages, question, at, rnd: random.Random
) -> None:
    shuffled = list(passages)
    rnd.shuffle(shuffled)
    one = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter(passages))
    two = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter(shuffled))
    assert one.snapshot == two.snapshot
    assert one.prompt(question, at=at) == two.prompt(question, at=at)


@given(fs.pairs(max_size=4), fs.texts(min_size=1))
def test_no_curation_step_can_edit_a_question(pairs, addition) -> None:
    assume(pairs)

    def meddle(p):
        return attrs.evolve(p, question=p.question + addition)

    assume(addition)
    with pytest.raises(CurationError, match="meddle.*" + pairs[0].id):
        list(Pipeline(collector=ListCollector(pairs), curators=[meddle]).pairs())


def test_a_question_that_a_person_corrected_has_the_same_prompt_in_training_and_in_the_bot(
    pipeline, contract_file, tmp_path
) -> None:
    """Asks the corrected question in two other processes, and without retrieval in this one."""
    plain = pipeline.evolve(augmenter=IdentityAugmenter(), exporter=None)
    plain.contract.save(tmp_path / "plain.json")
    asked_plainly = PromptContract.load(tmp_path / "plain.json")
    numbers = itertools.count()
    with bots(contract_file) as running:

        @given(fs.questions(), fs.questions(), fs.moments())
        @example("<@44> how?\r\n", "How, <@44>?\nQuestion: x\n\\", datetime(2024, 1, 1, tzinfo=UTC))
        def same(collected: str, corrected: str, asked_at: datetime) -> None:
            decisions = Decisions(tmp_path / f"{next(numbers)}.jsonl")
            one = pair(collected, "an answer", asked_at=asked_at)
            try:
                decisions.question(one, corrected, by="anna")
            except TextError:
                assume(False)
            items = ListCollector([one])
            (row,) = pipeline.evolve(collector=items, curators=decisions).rows()
            (bare,) = plain.evolve(collector=items, curators=decisions).rows()
            trained = json.loads(json.dumps(dialects.get("gemini").row(row.prompt, row.answer)))
            for bot in running:
                bot.ask(corrected, asked_at)
            for bot in running:
                asked = bot.answer()
                assert trained["systemInstruction"] == asked["systemInstruction"]
                assert trained["contents"][:-1] == asked["contents"]
            assert bytes(bare.prompt) == bytes(asked_plainly.prompt(corrected, at=asked_at))

        same()


@given(
    template=fs.templates(context=True),
    normalizer=fs.normalizers(),
    budget=fs.budgets(),
    passages=fs.passages(),
)
def test_saving_a_loaded_contract_gives_the_same_file(
    tmp_path_factory, template, normalizer, budget, passages
) -> None:
    folder = tmp_path_factory.mktemp("save")
    augmenter = MemoryAugmenter(passages)
    made = PromptContract(
        template=template,
        normalizer=normalizer,
        budget=budget,
        augmenter=augmenter,
        dialects=["gemini", "plain"],
    )
    made.save(folder / "a.json")
    loaded = PromptContract.load(folder / "a.json", augmenter=MemoryAugmenter(reversed(passages)))
    loaded.save(folder / "b.json")
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()
    assert loaded == made


CHANGES = {
    "template text": lambda c: attrs.evolve(c, template=attrs.evolve(c.template, text=c.template.text + " ")),
    "system": lambda c: attrs.evolve(c, template=attrs.evolve(c.template, system=c.template.system + ".")),
    "passage heading": lambda c: attrs.evolve(
        c, template=attrs.evolve(c.template, passage="<{number}> {citation}")
    ),
    "empty context": lambda c: attrs.evolve(c, template=attrs.evolve(c.template, empty="nothing")),
    "bot ids": lambda c: attrs.evolve(c, normalizer=attrs.evolve(c.normalizer, bot_ids=("7",))),
    "mentions": lambda c: attrs.evolve(
        c, normalizer=attrs.evolve(c.normalizer, mentions=not c.normalizer.mentions)
    ),
    "redaction": lambda c: attrs.evolve(
        c, normalizer=attrs.evolve(c.normalizer, redact={*c.normalizer.redact} ^ {"emails"})
    ),
    "k": lambda c: attrs.evolve(c, augmenter=attrs.evolve(c.augmenter, k=c.augmenter.k + 1)),
    "augmenter": lambda c: attrs.evolve(c, augmenter=IdentityAugmenter()),
    "budget": lambda c: attrs.evolve(c, budget=TokenBudget((c.budget.max_tokens if c.budget else 99) + 1)),
    "vocabulary": lambda c: attrs.evolve(c, budget=TokenBudget(50, encoding="gpt2")),
    "dialect": lambda c: attrs.evolve(c, dialects=[*c.dialects, "trl"]),
}


def test_every_field_that_shapes_a_prompt_is_changed_in_this_file() -> None:
    """A field that is added to a part must be added to CHANGES too."""
    form = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter([]), budget=TokenBudget(9)).form
    versions = {"version", "redaction_version", "name"}
    assert {part: set(spec) - versions for part, spec in form.items()} == {
        "template": {"text", "system", "passage", "empty"},
        "normalizer": {"bot_ids", "mentions", "redact"},
        "augmenter": {"k"},
        "budget": {"max_tokens", "encoding"},
        "dialects": set(),
    }


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@given(template=fs.templates(context=True), normalizer=fs.normalizers(), budget=fs.budgets())
def test_every_changed_field_changes_the_fingerprint(change, template, normalizer, budget) -> None:
    contract = PromptContract(
        template=template, normalizer=normalizer, budget=budget, augmenter=MemoryAugmenter([])
    )
    assert change(contract).fingerprint != contract.fingerprint


def test_every_byte_of_the_template_is_in_the_fingerprint() -> None:
    base = PromptContract(template=TEMPLATE, augmenter=IdentityAugmenter())
    seen = {base.fingerprint}
    for i in range(len("You are the helper.")):
        text = TEMPLATE.text[:i] + "~" + TEMPLATE.text[i + 1 :]
        seen.add(attrs.evolve(base, template=attrs.evolve(TEMPLATE, text=text)).fingerprint)
    assert len(seen) == 1 + len("You are the helper.")


@pytest.mark.parametrize("name", sorted(dialects.DIALECTS))
@given(question=fs.questions(), answer=fs.questions(), system=st.sampled_from(["", "Be brief."]))
def test_a_training_row_and_a_request_carry_the_same_texts(name, question, answer, system) -> None:
    template = attrs.evolve(TEMPLATE, system=system).without_context()
    contract = PromptContract(template=template, augmenter=IdentityAugmenter(), dialects=[name])
    dialect = dialects.get(name)
    prompt = contract.prompt(question)
    row = json.loads(msgspec.json.encode(dialect.row(prompt, answer)))
    asked = _texts(json.loads(msgspec.json.encode(contract.request(question))))
    assert list(dialect.texts(row)) == [*asked, answer]


def _texts(value) -> list[str]:
    """Returns all texts of a request body, in order."""
    if isinstance(value, dict):
        return [t for k, v in value.items() if k != "role" for t in _texts(v)]
    if isinstance(value, list):
        return [t for v in value for t in _texts(v)]
    return [value]


@given(fs.pairs(), st.sets(st.integers(0, 7)), st.sets(st.integers(0, 7)))
def test_everything_that_comes_in_comes_out_or_is_counted(pairs, dropped, emptied) -> None:
    drops = [Dropped(reason="no_reply", unit="message", count=3), Dropped(reason="own:bad", unit="pair")]

    def curate(p):
        n = int(p.id.split("-")[0])
        if n in dropped:
            return Dropped(reason="own:chosen", ids=(p.id,))
        return attrs.evolve(p, answer=" ") if n in emptied else p

    run = Pipeline(collector=ListCollector([*pairs, *drops, *pairs]), curators=[curate]).run()
    counts = run.report.counts
    lost = {d.reason: d.count for d in counts.dropped}
    kept = [n for n in range(len(pairs)) if n not in dropped and n not in emptied]
    assert counts.pairs == 2 * len(pairs) + 1
    assert counts.rows == len(kept)
    assert lost.get("duplicate_id", 0) == len(pairs)
    assert counts.pairs == counts.rows + sum(n for r, n in lost.items() if r != "no_reply")
    assert counts.messages == counts.messages_used + 3


@given(
    st.lists(st.tuples(st.text(max_size=5), st.integers()), unique_by=lambda t: t[0], max_size=5),
    st.randoms(),
)
def test_canonical_json_does_not_depend_on_the_order_of_keys(items, rnd) -> None:
    assume(all(not any("\ud800" <= c <= "\udfff" for c in k) for k, _ in items))
    shuffled = list(items)
    rnd.shuffle(shuffled)
    assert canonical_json(dict(items)) == canonical_json(dict(shuffled))
    assert json.loads(canonical_json(dict(items))) == dict(items)


@given(
    st.lists(st.text(max_size=6), max_size=30), st.lists(st.text(max_size=6), max_size=30), st.floats(0, 0.99)
)
def test_adding_data_never_moves_a_pair_to_the_other_side(old, new, share) -> None:
    def sides(groups: list[str]) -> dict[str, str]:
        pairs = [attrs.evolve(pair("q", "a"), id=f"{n}", group=g) for n, g in enumerate(groups)]
        rows = Pipeline(collector=ListCollector(pairs), splitter=GroupSplitter(share)).rows()
        return {row.group: row.split for row in rows}

    before, after = sides(old), sides([*new, *old])
    assert {g: after[g] for g in before} == before


def test_the_side_of_a_group_is_the_same_on_every_machine() -> None:
    """The expected sides are fixed here, because no version may move a group."""
    split = GroupSplitter(0.3)
    assert (
        "".join("tv"[split(f"discord:{n}") == "validation"] for n in range(24)) == "vvttttvvtvttvtttttttvttt"
    )
    assert [split(g) for g in ("", "\U0001f600", "a\0b")] == ["validation", "validation", "train"]


@given(fs.passages(dated=False, max_size=5), fs.questions(), st.integers(1, 400))
def test_the_budget_leaves_out_whole_passages_from_the_last(passages, question, size) -> None:
    free = PromptContract(template=TEMPLATE, augmenter=MemoryAugmenter(passages))
    whole = free.prompt(question)
    bare = len(f"{TEMPLATE.system}\n\n{TEMPLATE.render(free.normalizer(question))}".encode())
    kept = attrs.evolve(free, budget=TokenBudget(bare + size)).prompt(question)
    assert whole.passages[: len(kept.passages)] == kept.passages
    assert kept.left_out == tuple(p.id for p in whole.passages[len(kept.passages) :])
    assert kept.text == TEMPLATE.render(free.normalizer(question), kept.passages)
    assert TokenBudget(bare + size).fits(f"{kept.system}\n\n{kept.text}")
