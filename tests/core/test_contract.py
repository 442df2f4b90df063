"""The contract file: what it contains and what it refuses."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from sealing import digest
from sealing import seal as seal_again

from furytune.augmenters.identity import IdentityAugmenter
from furytune.budget import TokenBudget
from furytune.contract import Deviation, ModelName, PromptContract
from furytune.errors import (
    ConfigError,
    ContractError,
    ContractMismatchError,
    EmptyTextError,
    FurytuneError,
    PluginError,
    QuestionTooLongError,
    VocabularyUnavailableError,
)
from furytune.normalize import Normalizer
from furytune.records import Passage
from furytune.template import PromptTemplate
from furytune.testing.memory import MemoryAugmenter

TEMPLATE = PromptTemplate("Help.\n\nContext:\n{context}\n\nQuestion:\n{question}", system="Brief.")
PASSAGES = [
    Passage(id="a", text="install it with pip", title="Install", source="install.md:1-3"),
    Passage(id="b", text="draw a sphere", title="fury.actor.sphere"),
    Passage(id="c", text="install x", title="said in chat", date=datetime(2020, 1, 1, tzinfo=UTC)),
]


@pytest.fixture
def contract() -> PromptContract:
    return PromptContract(
        template=TEMPLATE,
        augmenter=MemoryAugmenter(PASSAGES),
        budget=TokenBudget(10_000),
        dialects=["gemini"],
    )


@pytest.fixture
def saved(contract, tmp_path) -> Path:
    contract.save(tmp_path / "bot.contract.json")
    return tmp_path / "bot.contract.json"


def load(path: Path, **options) -> PromptContract:
    return PromptContract.load(path, **{"augmenter": MemoryAugmenter(PASSAGES), **options})


def edit(path: Path, *keys: str | int, value: object, seal: bool = False) -> None:
    """Changes a value in the file and seals it again, as if another version had written it."""
    content = json.loads(path.read_text(encoding="utf-8"))
    at = content
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    if seal:
        seal_again(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_loaded_contract_renders_the_same_prompts(contract, saved) -> None:
    loaded = load(saved)
    assert loaded == contract
    assert loaded.fingerprint == contract.fingerprint
    assert loaded.prompt("how to install?") == contract.prompt("how to install?")


def test_changing_the_form_does_not_change_the_contract(contract, tmp_path) -> None:
    before = contract.fingerprint
    form = contract.form
    form["budget"] = {"max_tokens": 1}
    form["template"]["system"] = "Other."
    form["dialects"].clear()
    assert digest(contract.form) == before == contract.fingerprint
    contract.save(tmp_path / "bot.contract.json")
    assert load(tmp_path / "bot.contract.json") == contract


def test_a_prompt_knows_its_passages(contract) -> None:
    prompt = contract.prompt("how to install?", at=datetime(2021, 1, 1, tzinfo=UTC))
    assert [p.id for p in prompt.passages] == ["a", "c"]
    assert prompt.system == "Brief."
    assert str(prompt).encode() == bytes(prompt)
    assert "install" not in repr(attrs.evolve(prompt, passages=()))


def test_the_file_contains_no_absolute_paths_and_no_peoples_questions(contract, saved) -> None:
    contract.prompt("canary question to install")
    content = json.loads(saved.read_text(encoding="utf-8"))
    assert str(saved.parent) not in saved.read_text(encoding="utf-8")
    assert "said in chat" not in [g["question"] for g in content["golden"]]
    assert "Install" in [g["question"] for g in content["golden"]]


@pytest.mark.parametrize(
    ("part", "keys", "value"),
    [
        ("template", ("form", "template", "text"), "Other.\n\nContext:\n{context}\n\nQuestion:\n{question}"),
        ("template", ("form", "template", "system"), "Verbose."),
        ("normalizer", ("form", "normalizer", "mentions"), False),
        ("augmenter", ("form", "augmenter", "k"), 9),
        ("budget", ("form", "budget", "max_tokens"), 9_999),
        ("dialects", ("form", "dialects"), {"gemini": 0}),
        ("file", ("snapshot",), "sha256:0"),
        ("file", ("golden", 0, "sha256"), "0" * 64),
        ("file", ("golden",), []),
        ("file", ("fingerprint",), "0" * 64),
        ("file", ("location",), {"path": "elsewhere"}),
        ("file", ("parts", "more"), "x"),
    ],
)
def test_each_difference_is_named_and_needs_a_reason(saved, part, keys, value) -> None:
    edit(saved, *keys, value=value)
    with pytest.raises(ContractMismatchError) as refused:
        load(saved)
    assert refused.value.part == part
    accepted = load(saved, deviation="we know, 2.0 docs")
    assert Deviation(part, "we know, 2.0 docs") in accepted.deviations
    accepted.save(saved)
    assert load(saved).deviations == accepted.deviations


@pytest.mark.parametrize(
    ("part", "keys", "value"),
    [("snapshot", ("snapshot",), "sha256:0"), ("library", ("golden", 0, "sha256"), "0" * 64)],
)
def test_a_library_that_renders_differently_is_noticed(saved, part, keys, value) -> None:
    edit(saved, *keys, value=value, seal=True)
    with pytest.raises(ContractMismatchError) as refused:
        load(saved)
    assert refused.value.part == part


@pytest.mark.parametrize(
    ("part", "given"),
    [
        ("augmenter", MemoryAugmenter(PASSAGES, k=1)),
        ("augmenter", IdentityAugmenter()),
        ("snapshot", MemoryAugmenter(PASSAGES[:2])),
        ("snapshot", MemoryAugmenter([attrs.evolve(PASSAGES[0], text="changed"), *PASSAGES[1:]])),
    ],
)
def test_knowledge_that_differs_is_refused(saved, part, given) -> None:
    with pytest.raises(ContractMismatchError) as refused:
        load(saved, augmenter=given)
    assert refused.value.part == part


@pytest.mark.parametrize("part", ["template", "normalizer"])
def test_rules_of_another_library_version_are_refused(saved, part) -> None:
    edit(saved, "form", part, "version", value=77)
    with pytest.raises(ContractMismatchError, match=f"^{part} .*77"):
        load(saved)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"furytune_contract": 2}',
        "[" * 5000,
        "\ud83d".encode("utf-8", "surrogatepass"),
        b"\xff",
    ],
)
def test_a_file_that_is_not_a_contract_is_refused(tmp_path, content) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ContractError, match=r"c\.json.*save (it|the contract) again"):
        PromptContract.load(path)


def test_a_missing_file_says_which(tmp_path) -> None:
    with pytest.raises(ContractError, match=r"gone\.json: cannot be read"):
        PromptContract.load(tmp_path / "gone.json")


def test_a_title_that_is_not_a_question_is_still_a_golden_probe(tmp_path) -> None:
    """The title here is only a mention of the bot, which the normaliser removes."""
    passage = attrs.evolve(PASSAGES[0], title="<@1>", text="install")
    made = PromptContract(
        template=TEMPLATE, augmenter=MemoryAugmenter([passage]), normalizer=Normalizer(bot_ids=["1"])
    )
    made.save(tmp_path / "c.json")
    assert load(tmp_path / "c.json", augmenter=MemoryAugmenter([passage])) == made


def test_a_contract_that_cannot_be_written_says_where(contract, tmp_path) -> None:
    with pytest.raises(ContractError, match=r"gone.c\.json: the contract cannot be written \(No such file"):
        contract.save(tmp_path / "gone" / "c.json")


def test_a_missing_vocabulary_raises_at_load(contract, tmp_path, monkeypatch) -> None:
    """It does not wait for the first long question. The proxy address accepts no connections."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "empty"))
    rare = attrs.evolve(contract, budget=TokenBudget(10_000, encoding="p50k_base"))
    rare.save(tmp_path / "c.json")
    with pytest.raises(VocabularyUnavailableError, match="p50k_base"):
        load(tmp_path / "c.json")


def test_unknown_and_duplicate_keys_are_refused(saved) -> None:
    text = saved.read_text(encoding="utf-8")
    saved.write_text(text.replace('"fingerprint":', '"extra": 1, "fingerprint":', 1), encoding="utf-8")
    with pytest.raises(ContractError, match="unknown keys: extra"):
        load(saved)
    saved.write_text(text.replace('"fingerprint":', '"snapshot": "", "fingerprint":', 1), encoding="utf-8")
    with pytest.raises(ContractError):
        load(saved)


def test_a_damaged_file_never_gives_another_contract(contract, saved) -> None:
    """Each of 1,000 random edits of the file raises a furytune error or keeps the fingerprint."""
    original = saved.read_bytes()
    rnd = random.Random(5)
    outcomes = {"same": 0, "refused": 0}
    for _ in range(1_000):
        damaged = bytearray(original)
        for _ in range(rnd.randrange(1, 4)):
            at = rnd.randrange(len(damaged))
            damaged[at : at + rnd.randrange(2)] = bytes(
                [rnd.choice(b'{}[]",:0azX\\ \n\xff')] * rnd.randrange(3)
            )
        saved.write_bytes(damaged)
        try:
            loaded = load(saved)
        except FurytuneError:
            outcomes["refused"] += 1
        else:
            assert loaded.fingerprint == contract.fingerprint
            assert loaded.snapshot == contract.snapshot
            outcomes["same"] += 1
    assert outcomes["refused"] > 500
    assert outcomes["same"] > 0


def test_an_augmenter_that_is_not_a_plugin_must_be_passed(saved) -> None:
    with pytest.raises(PluginError, match="no augmenter is called 'memory'"):
        PromptContract.load(saved)


def test_refresh_keeps_the_fingerprint_and_moves_the_snapshot(contract) -> None:
    @attrs.frozen
    class Moving(MemoryAugmenter):
        def latest(self):
            return Moving(PASSAGES[:1])

    moving = attrs.evolve(contract, augmenter=Moving(PASSAGES))
    fresh = moving.refresh()
    assert fresh.fingerprint == moving.fingerprint
    assert fresh.snapshot != moving.snapshot


def test_refresh_raises_if_the_augmenter_cannot_refresh(contract) -> None:
    with pytest.raises(ConfigError, match="MemoryAugmenter cannot move to newer knowledge"):
        contract.refresh()


def test_a_contract_without_knowledge_can_be_refreshed(contract) -> None:
    plain = attrs.evolve(contract, augmenter=IdentityAugmenter())
    assert plain.refresh() == plain


def test_a_question_over_the_budget_is_an_error_without_its_text(contract) -> None:
    tight = attrs.evolve(contract, budget=TokenBudget(5))
    with pytest.raises(QuestionTooLongError, match="budget of 5 tokens") as refused:
        tight.prompt("canary " * 10)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("message", ["", "   ", "\r\n\t", "<@5>", " <@!5> <@5>\n"])
def test_a_message_that_is_empty_after_normalising_raises(contract, message) -> None:
    addressed = attrs.evolve(contract, normalizer=Normalizer(bot_ids=["5"]))
    for ask in (addressed.prompt, addressed.request, addressed.explain):
        with pytest.raises(EmptyTextError, match="call no model, and ask the person"):
            ask(message)


def test_many_prompts_equal_single_prompts(contract) -> None:
    questions = ["how to install?", "", "draw", "\ud800", "<@5> x"]
    results = contract.prompts(questions, at=[None] * 5)
    for question, result in zip(questions, results, strict=True):
        if isinstance(result, FurytuneError):
            with pytest.raises(type(result)):
                contract.prompt(question)
        else:
            assert result == contract.prompt(question)
    assert [isinstance(r, FurytuneError) for r in results] == [False, True, False, True, False]


def test_a_request_uses_the_contracts_dialect_by_default(contract) -> None:
    assert contract.request("draw")["contents"][0]["parts"][0]["text"] == contract.prompt("draw").text
    two = attrs.evolve(contract, dialects=["gemini", "openai"])
    assert two.request("draw", dialect="openai")["messages"][0] == {"role": "system", "content": "Brief."}
    assert two.request("draw") == contract.request("draw")
    for given, used in (((), "gemini"), (("plain", "openai"), "openai"), (("plain",), "plain")):
        some = attrs.evolve(contract, dialects=given)
        assert some.request("draw") == contract.request("draw", dialect=used)
    with pytest.raises(ConfigError, match="no dialect is called 'x'"):
        attrs.evolve(contract, dialects=["x"])


def test_loading_without_retrieval_needs_no_augmenter(tmp_path) -> None:
    plain = PromptContract(
        template=PromptTemplate("{question}"),
        augmenter=IdentityAugmenter(),
        normalizer=Normalizer(bot_ids=[1]),
    )
    plain.save(tmp_path / "plain.json")
    assert PromptContract.load(tmp_path / "plain.json") == plain


def test_a_contract_can_name_its_model_and_keeps_its_fingerprint(contract, saved, tmp_path) -> None:
    assert "model" not in json.loads(saved.read_text())
    assert load(saved).model is None
    named = attrs.evolve(contract, model=ModelName(name="projects/p/endpoints/1", base="m", job="j"))
    path = tmp_path / "named.contract.json"
    named.save(path)
    assert load(path) == named
    assert named.fingerprint == contract.fingerprint
    assert named.prompt("how?") == contract.prompt("how?")
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"model": content["model"] | {"name": "other"}}))
    with pytest.raises(ContractMismatchError, match="edited"):
        load(path)


@pytest.mark.parametrize(
    "model",
    [None, [], {"name": "x"}, {"name": 1, "base": "", "job": ""}, {"name": "", "base": "", "job": ""}],
)
def test_a_damaged_name_of_a_model_is_refused(saved, model) -> None:
    content = json.loads(saved.read_text()) | {"model": model}
    seal_again(content)
    saved.write_text(json.dumps(content))
    with pytest.raises(ContractError, match=r"wrong type|cannot be rebuilt"):
        load(saved)
