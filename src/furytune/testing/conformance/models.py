"""Rules of embedders, re-rankers and models that answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from furytune._network.stop import Stop
from furytune.errors import StoppedError
from furytune.protocols import Embedder, Kind, Model, Reranker, StreamingModel
from furytune.records import Passage
from furytune.testing.conformance.rules import QUESTIONS, fits, is_json, rule

__all__ = ["check_embedder", "check_model", "check_reranker"]

_KINDS: tuple[Kind, ...] = ("passage", "question")


def check_embedder(embedder: Embedder, texts: Sequence[str] = QUESTIONS) -> None:
    """Holds an embedder to its protocol.

    Args:
        embedder: What is checked.
        texts: What to embed.

    Raises:
        AssertionError: A rule is broken.
    """
    fits(embedder, Embedder)
    rule(
        is_json(embedder.spec) and bool(embedder.spec.get("name")),
        Embedder,
        'An embedder\'s spec is a mapping of JSON values and has a "name".',
    )
    for kind in _KINDS:
        together = _rows(embedder.embed(list(texts), kind=kind))
        rule(
            len(together) == len(texts)
            and len({len(row) for row in together}) == 1
            and all(math.isfinite(x) for row in together for x in row),
            Embedder,
            "Each text gets a vector of finite numbers, and all vectors have the same length.",
        )
        # An index embeds in batches and a bot one question at a time: both must get the same numbers.
        alone = [_rows(embedder.embed([text], kind=kind))[0] for text in texts]
        rule(
            alone == together and alone[::-1] == _rows(embedder.embed(list(texts)[::-1], kind=kind)),
            Embedder,
            "The vector of a text does not depend on what else is embedded.",
        )


def _rows(vectors: Any) -> list[list[float]]:
    return [[float(x) for x in row] for row in vectors]


def check_reranker(
    reranker: Reranker, passages: Sequence[Passage], questions: Sequence[str] = QUESTIONS
) -> None:
    """Holds a re-ranker to its protocol.

    Args:
        reranker: What is checked.
        passages: What it scores.
        questions: What to score them for.

    Raises:
        AssertionError: A rule is broken.
    """
    fits(reranker, Reranker)
    rule(
        is_json(reranker.spec) and bool(reranker.spec.get("name")) and reranker.depth >= 1,
        Reranker,
        'A re-ranker\'s spec is a mapping of JSON values and has a "name", and its depth is at least 1.',
    )
    asked = [(question, passage) for question in questions for passage in passages]
    scores = [float(reranker.score(q, p)) for q, p in asked]
    rule(
        all(map(math.isfinite, scores))
        and scores[::-1] == [float(reranker.score(q, p)) for q, p in asked[::-1]],
        Reranker,
        "A score is a finite number, and the same in each call.",
    )


def check_model(model: Model, questions: Sequence[str] = QUESTIONS) -> None:
    """Holds a model that answers to its protocol. It asks the model, which may cost money.

    Args:
        model: What is checked.
        questions: What to ask.

    Raises:
        AssertionError: A rule is broken.
    """
    fits(model, Model)
    rule(
        is_json(model.spec) and bool(model.spec.get("name")),
        Model,
        'A model\'s spec is a mapping of JSON values and has a "name".',
    )
    answers: list[object] = [model.generate(question) for question in questions]
    rule(
        all(isinstance(answer, str) and answer.strip() for answer in answers),
        Model,
        "An answer is a text that is not blank.",
    )
    if isinstance(model, StreamingModel):
        for question in questions:
            _check_streaming(model, question)


def _check_streaming(model: StreamingModel, question: str) -> None:
    *earlier, last = model.pieces(question)
    rule(
        bool("".join(piece.text for piece in [*earlier, last]).strip()),
        StreamingModel,
        "The pieces make a text that is not blank.",
    )
    rule(
        last.finish != "" and not any(piece.finish for piece in earlier),
        StreamingModel,
        "The last piece says why the answer ended, and no other does.",
    )
    rule(
        _ends(model, question),
        StreamingModel,
        "An answer that is stopped raises `StoppedError` and has no further piece.",
    )


def _ends(model: StreamingModel, question: str) -> bool:
    """Stops an answer after its first piece; tells whether it ended there."""
    stop = Stop()
    pieces = model.pieces(question, stop=stop)
    next(pieces)
    stop.set()
    try:
        next(pieces, None)
    except StoppedError:
        return True
    return False
