"""Models that turn a text into a vector, for `furytune.augmenters.rag.RagAugmenter`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from attrs import Factory, field, frozen

from furytune._values.canonical import Json
from furytune._values.checks import at_least, of_type, one_of
from furytune.augmenters._search.safetensors import read_tensors
from furytune.errors import ConfigError, KnowledgeError, MissingExtraError
from furytune.protocols import Embedder, Kind

__all__ = ["Embedder", "Kind", "LanceEmbedder", "OnnxEmbedder", "StaticEmbedder"]


def _path(given: str | os.PathLike[str]) -> Path:
    return Path(given).absolute()


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


@frozen(slots=False)
class _Files:
    """A model and its tokenizer on disk."""

    _file: ClassVar[str]

    path: Path = field(converter=_path)
    tokenizer: Path = field(
        default=Factory(lambda own: _folder(own.path) / "tokenizer.json", takes_self=True),
        kw_only=True,
        converter=_path,
    )

    def __attrs_post_init__(self) -> None:
        _exists(self._model, self.tokenizer)

    @property
    def _model(self) -> Path:
        return self.path / self._file if self.path.is_dir() else self.path

    @property
    def location(self) -> Mapping[str, Json]:
        """Where the files are, for the contract to find them again."""
        return {"path": self.path.as_posix(), "tokenizer": {"path": self.tokenizer.as_posix()}}


@frozen(slots=False)
class StaticEmbedder(_Files):
    """Averages one vector per token: for models such as model2vec's potion or wordllama.

    It needs only numpy and tokenizers, and embeds thousands of passages per second. The order of words does not matter
    to these models. Sums are computed in double precision, in the order of the text.

    Args:
        path: Folder with ``model.safetensors`` and ``tokenizer.json``, or the safetensors file itself.
        tokenizer: The tokenizer's file, if it is not ``tokenizer.json`` beside the model.

    Raises:
        ConfigError: A file is missing.
    """

    _file: ClassVar[str] = "model.safetensors"

    @cached_property
    def spec(self) -> Mapping[str, Json]:
        """Digests of the model and the tokenizer."""
        return {
            "name": "static",
            "version": 1,
            "model": _sha256(self._model),
            "tokenizer": _sha256(self.tokenizer),
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], location: Mapping[str, Json], base: Path) -> Self:  # noqa: ARG003
        """Builds a contract's embedder from the location of its files."""
        return cls(base / _text(location, "path"), tokenizer=base / _text(location["tokenizer"], "path"))

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Any:  # noqa: ARG002
        """Returns one row per text; a text without known tokens gets zeros."""
        np, table, weights, rows, tokenizer, unknown = self._loaded
        out = np.zeros((len(texts), table.shape[1]))
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for i, encoding in enumerate(encoded):
            # Unknown tokens share one vector that means nothing, and would pull all rare texts together.
            ids = [t for t in encoding.ids if t != unknown]
            if ids:
                tokens = table[ids if rows is None else rows[ids]].astype(np.float64)
                out[i] = (tokens if weights is None else tokens * weights[ids, None]).sum(axis=0) / len(ids)
        return out.astype(np.float32)

    @cached_property
    def _loaded(self) -> tuple[Any, ...]:
        """The table of token vectors and the tokenizer, read once.

        Raises:
            KnowledgeError: The files do not belong together, or are not those of a static model.
            MissingExtraError: tokenizers is not installed.
        """
        _tokenizers("static")  # first: its extra brings numpy too
        tensors = read_tensors(self._model)
        tables = [t for t in tensors.values() if t.ndim == 2]
        if len(tables) != 1 or tables[0].dtype.kind not in "fi":
            raise KnowledgeError(
                f"{self._model}: a static model has one table of token vectors, but this file has {len(tables)};"
                " use the file that came with the model"
            )
        import numpy as np

        tokenizer = _tokenizer(self.tokenizer, "static")
        tokenizer.no_truncation()
        # After loading: a file that was replaced before or while it was read is noticed.
        _as_named(self.spec, self._model, self.tokenizer)
        token = getattr(tokenizer.model, "unk_token", None)
        unknown = None if token is None else tokenizer.token_to_id(token)
        table, rows, weights = tables[0], tensors.get("mapping"), tensors.get("weights")
        size = len(table if rows is None else rows)
        if tokenizer.get_vocab_size() > size or (rows is not None and int(rows.max()) >= len(table)):
            raise KnowledgeError(
                f"{self.tokenizer}: the tokenizer knows more tokens than {self._model.name} has vectors;"
                " use the tokenizer that came with the model"
            )
        return np, table, weights, rows, tokenizer, unknown

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_loaded"}


@frozen(slots=False)
class OnnxEmbedder(_Files):
    """Runs a transformer in an ONNX file, such as MiniLM in int8, on the CPU with one thread.

    Every text is run alone, because a quantised model scales its numbers by the other texts in a batch.

    Args:
        path: Folder with ``model.onnx`` and ``tokenizer.json``, or the ONNX file itself.
        tokenizer: The tokenizer's file, if it is not ``tokenizer.json`` beside the model.
        max_tokens: Maximum number of tokens that are read of each text.
        pooling: "mean" averages the tokens, "cls" uses the vector of the first one.
        question_prefix: Text before each question, such as ``"query: "`` for E5.
        passage_prefix: Text before each passage.

    Raises:
        ConfigError: A file is missing, or an argument is not valid.
    """

    _file: ClassVar[str] = "model.onnx"

    max_tokens: int = field(default=256, kw_only=True, validator=at_least(1))
    pooling: Literal["mean", "cls"] = field(default="mean", kw_only=True, validator=one_of("mean", "cls"))
    question_prefix: str = field(default="", kw_only=True, validator=of_type(str))
    passage_prefix: str = field(default="", kw_only=True, validator=of_type(str))

    @cached_property
    def spec(self) -> Mapping[str, Json]:
        """Digests of the model and the tokenizer, and the settings."""
        return {
            "name": "onnx",
            "version": 1,
            "model": _sha256(self._model),
            "tokenizer": _sha256(self.tokenizer),
            **{name: getattr(self, name) for name in _ONNX_SETTINGS},
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], location: Mapping[str, Json], base: Path) -> Self:
        """Builds a contract's embedder from its settings and the location of its files."""
        settings: dict[str, Any] = {name: spec[name] for name in _ONNX_SETTINGS}
        path, tokenizer = _text(location, "path"), _text(location["tokenizer"], "path")
        return cls(base / path, tokenizer=base / tokenizer, **settings)

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Any:
        """Returns one row for each text."""
        np, session, tokenizer = self._loaded
        prefix = self.question_prefix if kind == "question" else self.passage_prefix
        names = [i.name for i in session.get_inputs()]
        rows = []
        # One text at a time: in a padded batch, a quantised model gives slightly different numbers.
        for text in texts:
            ids = tokenizer.encode(prefix + text).ids
            # A text without tokens still needs a row of the right length, so a dummy token is run for its shape.
            known = {"input_ids": ids or [0], "attention_mask": [1] * len(ids or [0])}
            given = {n: np.array([known.get(n, [0] * len(ids or [0]))], dtype=np.int64) for n in names}
            (state, *_) = session.run(None, given)
            vector = state[0] if ids else np.zeros_like(state[0])
            if vector.ndim == 2:
                vector = vector[0] if self.pooling == "cls" else vector.mean(axis=0, dtype=np.float64)
            rows.append(np.asarray(vector, dtype=np.float32))
        return np.stack(rows) if rows else np.zeros((0, 1), dtype=np.float32)

    @cached_property
    def _loaded(self) -> tuple[Any, ...]:
        """The session and the tokenizer, made once.

        Raises:
            KnowledgeError: The model cannot be loaded, or needs inputs that a text does not have.
            MissingExtraError: onnxruntime or tokenizers is not installed.
        """
        try:
            import numpy as np
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError("an ONNX model", "onnx") from error
        options = onnxruntime.SessionOptions()
        # Several threads add floats in changing orders.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(
                str(self._model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no base class
            raise KnowledgeError(
                f"{self._model}: onnxruntime cannot load the model ({type(error).__name__}); check that the file is complete"
            ) from error
        odd = {i.name for i in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids"}
        if odd:
            raise KnowledgeError(
                f"{self._model}: the model needs the input {', '.join(sorted(odd))}, which furytune cannot make from a text;"
                " use a text embedding model"
            )
        tokenizer = _tokenizer(self.tokenizer, "onnx")
        tokenizer.enable_truncation(self.max_tokens)
        _as_named(self.spec, self._model, self.tokenizer)
        return np, session, tokenizer

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_loaded"}


_ONNX_SETTINGS = ("max_tokens", "pooling", "question_prefix", "passage_prefix")
_SECRET = ("key", "token", "secret", "password", "credential")


def _copied(given: Mapping[str, Any]) -> dict[str, Any]:
    return dict(given)


@frozen(slots=False)
class LanceEmbedder:
    """A model from LanceDB's registry: "gemini-text", "openai", "ollama", "sentence-transformers" and others.

    The contract records only names: a service can change the model behind a name without notice. Keys are read from the
    environment, as LanceDB's documentation of each model describes.

    Args:
        function: Name in LanceDB's registry.
        options: What the registry's ``create`` takes, such as ``{"name": "text-embedding-3-small"}``.

    Raises:
        ConfigError: An option looks like a secret, which a contract must not contain.
    """

    function: str = field(validator=of_type(str))
    options: Mapping[str, Any] = field(factory=dict, converter=_copied, hash=False)

    def __attrs_post_init__(self) -> None:
        odd = [n for n in self.options if any(s in str(n).lower() for s in _SECRET) and n != "max_tokens"]
        if odd:
            raise ConfigError(
                f"the option {odd[0]!r} of {self.function} looks like a secret, and options are written into the"
                " contract; set it in the environment instead"
            )

    @property
    def spec(self) -> Mapping[str, Json]:
        """Names only; ``verified`` is False because the model has no digest."""
        return {"name": "lance", "function": self.function, "options": dict(self.options), "verified": False}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], location: Mapping[str, Json], base: Path) -> Self:  # noqa: ARG003
        """Builds the embedder of a contract."""
        options = spec["options"]
        return cls(_text(spec, "function"), options if isinstance(options, Mapping) else {})

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Any:
        """Returns one row per text, as the model returns it."""
        np, model = self._loaded
        if kind == "question":
            rows = [model.compute_query_embeddings_with_retry(text)[0] for text in texts]
        else:
            rows = model.compute_source_embeddings_with_retry(list(texts))
        return np.array([np.asarray(row, dtype=np.float32) for row in rows])

    @cached_property
    def _loaded(self) -> tuple[Any, ...]:
        """The model from LanceDB's registry, made once."""
        try:
            import numpy as np
            from lancedb.embeddings import get_registry
        except ImportError as error:
            raise MissingExtraError("an embedding model of LanceDB", "rag") from error
        try:
            model: Any = get_registry().get(self.function)
            return np, model.create(**self.options)
        except KeyError as error:
            raise ConfigError(
                f"LanceDB's registry has no embedding function {self.function!r}; check the name"
            ) from error

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_loaded"}


def _exists(*files: Path) -> None:
    """Raises ConfigError if a file of a model is missing."""
    for file in files:
        if not file.is_file():
            raise ConfigError(
                f"{file}: this file is missing; give the paths of the embedder's model and tokenizer"
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _as_named(spec: Mapping[str, Json], model: Path, tokenizer: Path) -> None:
    """Raises if a file changed after its digest was taken: the contract would name a model it does not use."""
    for name, path in (("model", model), ("tokenizer", tokenizer)):
        if _sha256(path) != spec[name]:
            raise KnowledgeError(
                f"{path}: the file has changed since its digest was taken; restore the original file,"
                " or make a new embedder and build the index with it"
            )


def _text(given: Any, name: str) -> str:
    """Returns a text from a contract; raises TypeError for another type."""
    value = given[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value


def _tokenizers(extra: str) -> Any:
    """Imports the class of tokenizers."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("a model's tokenizer", extra) from error
    return Tokenizer


def _tokenizer(path: Path, extra: str) -> Any:
    """Reads a tokenizer, without padding."""
    kind = _tokenizers(extra)
    try:
        tokenizer = kind.from_file(str(path))
    except Exception as error:  # the package raises plain Exception
        raise KnowledgeError(
            f"{path}: this file is not a valid tokenizer.json ({type(error).__name__}); use the one that came with the model"
        ) from error
    tokenizer.no_padding()
    return tokenizer
