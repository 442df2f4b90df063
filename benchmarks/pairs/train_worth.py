"""Trains the models that choose the answer to each question and say what a pair is worth.

usage: FURYTUNE_DATA=... python benchmarks/pairs/train_worth.py [--write] [--plot FILE.svg] [--pairs FILE.jsonl]

Labels: ``gold/`` next to this file (ids and grades, no text). Every figure is measured on channels that the model did not
see: the channels are dealt into folds, and each fold is scored by a model of the others. ``--write`` then trains on
everything, and writes the models and their provenance into the package.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any

import numpy as np
import score_gold as gold
from attrs import define, frozen
from numpy.typing import NDArray
from plot import Point, draw
from posts import posts
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sources import Stream, data_folder, windows_of
from word_vectors import DIMENSIONS, Chats, Vectors

from furytune.pairing import Linker
from furytune.pairing._chat import worth
from furytune.pairing._chat.candidates import questions
from furytune.pairing._chat.conversations import Conversations, Linked, Talk
from furytune.pairing._chat.features import FEATURES
from furytune.pairing._chat.people import People
from furytune.pairing._chat.question import Candidate
from furytune.pairing._chat.scene import Scene
from furytune.pairing._chat.turns import turns_of
from furytune.pairing._chat.wording import Wording
from furytune.pairing.signals import signals

SEED = 20261129
FOLDS = 6
SPREAD = 0.5  # of every column, before training
STRENGTH = 0.03  # inverse of the regularisation
CHOICE_STRENGTH = 0.05
MOST = "irc"  # the kind of source that has most labels
OWN = 0.5  # spread of the columns of its own
RECALLS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
CONTEXT = 300  # messages before and after a window that its links may depend on

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
Grades = dict[tuple[tuple[str, ...], tuple[str, ...]], str]


@frozen
class Example:
    """One candidate, with what people said about it.

    Attributes:
        question: Which question it belongs to.
        window: The window, or "" if only this candidate was graded.
        channel: The channel, for dealing into folds.
        kind: The kind of source.
        pair: Ids of its messages.
        features: What describes it.
        asked: Keys of the question's words.
        told: Keys of the answer's words.
        grade: Grade of the gold pair that it matches, "" for none.
        read: Its grade by someone who read it after the program had proposed it, "none" if it is no pair; "" if no one did.
        gold: Number of that gold pair in its window, -1 for none.
        near: Number of a gold pair worth training on whose longest messages it contains, whatever its other borders,
            -1 for none.
    """

    question: tuple[str, str]
    window: str
    channel: str
    kind: str
    pair: gold.Found
    features: tuple[float, ...]
    asked: tuple[int, ...]
    told: tuple[int, ...]
    grade: str
    read: str
    gold: int
    near: int = -1

    @property
    def ids(self) -> set[str]:
        """Ids of its messages."""
        return {*self.pair.question, *self.pair.answer}

    @property
    def worth_it(self) -> bool:
        """True if any reader would train on it. Someone who looks for pairs misses some, so a second reading counts."""
        return self.grade in gold.WORTH or self.read in gold.WORTH


def talks(stream: Stream) -> Iterator[tuple[Talk, People]]:
    """Yields the conversations of a stream, with what each person did."""
    people = People()
    usable = []
    for post, link in Linker().links(posts(stream)):
        if not post.drop and post.text.strip():
            said = signals(post.text)
            people.heard(post.speaker, said)
            usable.append((post, link, said))
    if stream.kind == "forum":
        at: dict[str, int] = {}
        talk: Talk = []
        for post, link, said in usable:
            at[post.id] = len(talk)
            talk.append(Linked(post, at.get(link.parent, -1), link.confidence, link.native, "", said))
        yield talk, people
        return
    conversations = Conversations(50_000)
    for post, link, said in usable:
        for talk in conversations.add(post, link, said):
            yield talk, people
    for talk in conversations.rest():
        yield talk, people


def described(stream: Stream) -> Iterator[list[Candidate]]:
    """Yields the candidates of every question of a stream."""
    for talk, people in talks(stream):
        if len(talk) > 1:
            for question in questions(Scene(turns_of(talk), people, stream.kind == "forum")):
                yield [question.candidate(option) for option in question.options]


def _ids(candidate: Candidate) -> gold.Found:
    return gold.Found(
        question=tuple(p.post.id for t in candidate.asked for p in t.posts),
        answer=tuple(p.post.id for t in candidate.told for p in t.posts),
    )


def _wording(candidate: Candidate) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (
        tuple(Wording.of("\n".join(t.text for t in candidate.asked)).keys),
        tuple(Wording.of("\n".join(t.text for t in candidate.told)).keys),
    )


def examples(streams: Mapping[str, Stream]) -> tuple[list[Example], dict[str, list[gold.Labelled]]]:
    """Returns the candidates inside labelled windows and those that were graded one by one, and the gold pairs."""
    labels = gold.labels()
    by_file: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for window in gold.windows():
        by_file[window["file"]].append(window)
    graded: dict[str, Grades] = defaultdict(dict)
    for line in (gold.GOLD / "graded.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        graded[item["file"]][tuple(item["question"]), tuple(item["answer"])] = item["grade"]
    found: list[Example] = []
    used: dict[str, list[gold.Labelled]] = {}
    for file in sorted(by_file.keys() | graded.keys()):
        stream = streams[file]
        lengths = {row.id: len(row.text) for row in stream.rows}
        inside = {}
        for window in by_file[file]:
            inside[window["window"]] = _span(stream, window)
            used[window["window"]] = labels.get(window["window"], [])
        for options in described(_near(stream, by_file[file], graded[file])):
            for option in options:
                pair = _ids(option)
                ids = (*pair.question, *pair.answer)
                window = next((name for name, span in inside.items() if span.issuperset(ids)), "")
                read = graded[file].get((pair.question, pair.answer), "")
                if not window and not read:
                    continue
                number = _matched(pair, used[window], lengths) if window else -1
                near = (
                    next((i for i, g in enumerate(used[window]) if gold.touches(pair, g, lengths)), -1)
                    if window
                    else -1
                )
                found.append(
                    Example(
                        (file, f"{option.opener}:{options[0].asked[0].posts[0].post.id}"),
                        window,
                        stream.channel,
                        stream.kind,
                        pair,
                        option.features,
                        *_wording(option),
                        used[window][number].grade if number >= 0 else "",
                        read,
                        number,
                        near,
                    )
                )
    return found, used


def _span(stream: Stream, window: dict[str, Any]) -> set[str]:
    places_ = {row.id: i for i, row in enumerate(stream.rows)}
    return {row.id for row in stream.rows[places_[window["first"]] : places_[window["last"]] + 1]}


def _near(stream: Stream, windows: Sequence[dict[str, Any]], graded: Grades) -> Stream:
    """Returns the part of a long log that matters: the labelled messages, and what is around them."""
    if stream.kind != "irc":
        return stream
    at = {row.id: i for i, row in enumerate(stream.rows)}
    needed = [at[w[end]] for w in windows for end in ("first", "last")]
    needed += [at[uid] for pair in graded for ids in pair for uid in ids]
    begin, end = max(0, min(needed) - CONTEXT), max(needed) + CONTEXT
    return Stream(file=stream.file, kind=stream.kind, channel=stream.channel, rows=stream.rows[begin:end])


def _matched(pair: gold.Found, labels: Sequence[gold.Labelled], lengths: dict[str, int]) -> int:
    hits = [i for i, label in enumerate(labels) if gold.matches(pair, label, lengths)]
    return max(hits, key=lambda i: gold.jaccard(labels[i].answer, pair.answer), default=-1)


@define
class Scales:
    """By how much each column is divided before training, so that all columns are alike.

    Attributes:
        features: Those of the features.
        asked: Those of the vector of the question's words.
        told: Those of the vector of the answer's words.
    """

    features: NDArray[np.float64]
    asked: NDArray[np.float64]
    told: NDArray[np.float64]


def matrix(rows: Sequence[Example], vectors: Vectors) -> tuple[NDArray[np.float64], Scales]:
    """Returns some examples as a matrix: their features, then the mean vectors of their words."""
    features = np.array([row.features for row in rows])
    # Texts are read often, each as a part of several examples.
    means: dict[tuple[int, ...], NDArray[np.float64]] = {}
    for row in rows:
        for keys in (row.asked, row.told):
            if keys not in means:
                means[keys] = vectors.mean(keys)
    asked = np.array([means[row.asked] for row in rows])
    told = np.array([means[row.told] for row in rows])
    # A text without known words is zero, so the means are not moved.
    scales = Scales(
        features.std(axis=0) / SPREAD,
        np.sqrt((asked**2).mean(axis=0)) / SPREAD,
        np.sqrt((told**2).mean(axis=0)) / SPREAD,
    )
    scales.features[scales.features == 0] = 1.0
    return np.hstack([features / scales.features, asked / scales.asked, told / scales.told]), scales


def with_own(columns: NDArray[np.float64], rows: Sequence[Example]) -> NDArray[np.float64]:
    """Returns a matrix that has every column once more for the kind of source with most labels.

    What only holds there is learned in the columns of its own, which no model keeps. Without them, thousands of labels of
    one IRC channel would teach how that channel talks, and other channels would be rated worse.
    """
    own = np.array([[row.kind == MOST] for row in rows]) * OWN
    return np.hstack([columns, columns * own])


@define
class Fit:
    """A linear model."""

    weights: NDArray[np.float64]
    bias: float = 0.0

    def scores(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the score of each row."""
        found: NDArray[np.float64] = columns @ self.weights + self.bias
        return found


def fitted(columns: NDArray[np.float64], rows: Sequence[Example]) -> Fit:
    """Returns a model that says whether a pair is worth it (logistic regression)."""
    truth = np.array([row.worth_it for row in rows])
    model = LogisticRegression(C=STRENGTH, max_iter=1000).fit(with_own(columns, rows), truth)
    return Fit(model.coef_[0, : columns.shape[1]], float(model.intercept_[0]))


def fitted_choice(
    columns: NDArray[np.float64],
    every: Sequence[Example],
    questions: Sequence[Sequence[int]],
    target: NDArray[np.float64],
) -> Fit:
    """Returns a model that chooses among the candidates of a question (a softmax over them).

    Args:
        columns: The matrix.
        every: The examples.
        questions: Places of the candidates of each question.
        target: How good each candidate is, 0 for wrong. Questions without a good one say nothing.
    """
    used = [places for places in questions if target[list(places)].sum() > 0]
    rows = np.concatenate([np.array(places) for places in used])
    starts = np.cumsum([0, *(len(places) for places in used)])[:-1]
    of = np.repeat(np.arange(len(used)), [len(places) for places in used])
    there = with_own(columns[rows], [every[i] for i in rows])
    wanted = target[rows] / np.add.reduceat(target[rows], starts)[of]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = there @ weights
        scores -= np.maximum.reduceat(scores, starts)[of]
        total = np.add.reduceat(np.exp(scores), starts)[of]
        missed = -(wanted * (scores - np.log(total))).sum() + weights @ weights / (2 * CHOICE_STRENGTH)
        return missed, there.T @ (np.exp(scores) / total - wanted) + weights / CHOICE_STRENGTH

    best = minimize(loss, np.zeros(there.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return Fit(best.x[: columns.shape[1]])


def folds(rows: Sequence[Example]) -> NDArray[np.int64]:
    """Deals the channels into folds."""
    channels = sorted({row.channel for row in rows})
    order = np.random.default_rng(SEED).permutation(len(channels))
    fold = {channel: int(order[i]) % FOLDS for i, channel in enumerate(channels)}
    return np.array([fold[row.channel] for row in rows])


def by_question(rows: Sequence[Example]) -> list[list[int]]:
    """Returns the candidates of each question in a window."""
    options: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.window:
            options[row.window, *row.question].append(i)
    return list(options.values())


def calibrated(score: NDArray[np.float64], truth: NDArray[np.bool_]) -> Curve:
    """Returns the curve from scores to the share of pairs that are worth it."""
    model = LogisticRegression(C=1e6).fit(score[:, None], truth)
    slope, base = float(model.coef_[0, 0]), float(model.intercept_[0])
    return lambda scores: 1 / (1 + np.exp(-(slope * scores + base)))


def chosen(questions: Sequence[Sequence[int]], choice: NDArray[np.float64]) -> list[int]:
    """Returns the best candidate of each question."""
    return [max(places, key=lambda i: (choice[i], -i)) for places in questions]


def apart(
    rows: Sequence[Example],
    questions: Sequence[Sequence[int]],
    choice: NDArray[np.float64],
    score: NDArray[np.float64],
) -> list[int]:
    """Returns a candidate for each question, of those that share no message with a better one, the best first.

    A question whose best candidate is taken gets the best one of those that are left, as in `ChatPairer`.
    """
    taken: dict[str, set[str]] = defaultdict(set)
    waiting = [(-score[i], i, n, 0) for n, i in enumerate(chosen(questions, choice))]
    heapify(waiting)
    kept = []
    while waiting:
        low, i, n, again = heappop(waiting)
        others = taken[rows[i].window]
        if others.isdisjoint(rows[i].ids):
            others |= rows[i].ids
            kept.append(i)
        elif not again and (left := [j for j in questions[n] if others.isdisjoint(rows[j].ids)]):
            (second,) = chosen([left], choice)
            heappush(waiting, (max(low, -score[second]), second, n, 1))
    return kept


def curve(
    rows: Sequence[Example],
    kept: Sequence[int],
    confidence: NDArray[np.float64],
    used: dict[str, list[gold.Labelled]],
    kind: str,
    hit: Callable[[Example], bool] = lambda row: row.grade in gold.WORTH,
    number: Callable[[Example], int] = lambda row: row.gold if row.grade in gold.WORTH else -1,
) -> list[Point]:
    """Returns precision and recall after each pair of a kind of source, from the best pair to the worst.

    Args:
        rows: The examples.
        kept: The pairs, the best first.
        confidence: Of each example.
        used: The labelled pairs of each window that counts.
        kind: "all", or the kind of source.
        hit: Whether a pair counts as right.
        number: Which labelled pair it finds, -1 for none.
    """
    windows = {row.window for row in rows if row.window in used and kind in ("all", row.kind)}
    total = sum(label.grade in gold.WORTH for window in windows for label in used[window])
    found = [i for i in kept if rows[i].window in windows]
    points = []
    hits, seen = 0, set()
    for n, i in enumerate(found, 1):
        row = rows[i]
        hits += hit(row)
        # Each gold pair counts once.
        if number(row) >= 0:
            seen.add((row.window, number(row)))
        points.append(Point(len(seen) / max(1, total), hits / n, float(confidence[i])))
    return points


def show(curves: dict[str, list[Point]]) -> None:
    """Prints precision at several recalls, for all sources and each kind."""
    for kind, points in curves.items():
        reached = [next((p for p in points if p.recall >= goal), None) for goal in RECALLS]
        line = "  ".join(f"{p.recall:.0%}: {p.precision:.2f} ({p.confidence:.2f})" for p in reached if p)
        most = points[-1].recall if points else 0.0
        print(f"{kind:8} pairs {len(points):4}  precision (confidence) at recall  {line}  most {most:.0%}")


def twice() -> list[str]:
    """Returns the windows in which people read the surest proposals of programs, too."""
    return [window["window"] for window in gold.windows() if window.get("proposals_read")]


def show_once(
    rows: Sequence[Example],
    kept: Sequence[int],
    confidence: NDArray[np.float64],
    used: dict[str, list[gold.Labelled]],
) -> None:
    """Prints precision at several recalls in the windows that were read only once."""
    once = {name: labels for name, labels in used.items() if name not in set(twice())}
    print(f"\n{len(once)} windows that were read once, all of {MOST}")
    show({MOST: curve(rows, kept, confidence, once, MOST, lambda row: row.worth_it)})


def lines(
    rows: Sequence[Example],
    kept: Sequence[int],
    confidence: NDArray[np.float64],
    used: dict[str, list[gold.Labelled]],
) -> Iterator[str]:
    """Yields each pair in the windows that count as a line of JSON, the best first."""
    for i in kept:
        row = rows[i]
        if row.window in used:
            pair = {"window": row.window, "question": row.pair.question, "answer": row.pair.answer}
            marks = {"found": row.gold if row.grade in gold.WORTH else -1, "worth_it": row.worth_it}
            yield json.dumps({**pair, **marks, "confidence": round(float(confidence[i]), 2)}) + "\n"


def show_thresholds(
    rows: Sequence[Example],
    kept: Sequence[int],
    confidence: NDArray[np.float64],
    good: NDArray[np.bool_],
    used: dict[str, list[gold.Labelled]],
    read: NDArray[np.int64],
) -> None:
    """Prints what each threshold of confidence keeps, as the rows of a table in Markdown."""
    total = sum(label.grade in gold.WORTH for labels in used.values() for label in labels)
    kept = [i for i in kept if rows[i].window in used]
    print(
        "| threshold | pairs kept | labelled pairs found | worth it, of all | worth it, of those read one by one |"
    )
    for least in THRESHOLDS:
        there = [i for i in kept if confidence[i] >= least]
        found = {(rows[i].window, rows[i].gold) for i in there if rows[i].grade in gold.WORTH}
        share = good[there].mean() if there else 0.0
        alone = good[read[confidence[read] >= least]]
        print(
            f"| {least} | {len(there) / len(kept):.0%} | {len(found) / total:.0%} | {share:.0%} "
            f"| {alone.mean() if len(alone) else 0.0:.0%} |"
        )


def show_calibration(confidence: NDArray[np.float64], truth: NDArray[np.bool_]) -> None:
    """Prints the share of good pairs at each confidence."""
    for low in np.arange(0.0, 1.0, 0.1):
        there = (confidence >= low) & (confidence < low + 0.1)
        if there.any():
            print(f"confidence {low:.1f}-{low + 0.1:.1f}: {truth[there].mean():.2f} of {there.sum()}")


def main() -> None:
    """Measures on channels that were not seen, then trains on all if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="train on everything and write the weights")
    parser.add_argument("--plot", type=Path, help="draw precision over recall into this file (.svg)")
    parser.add_argument(
        "--pairs", type=Path, help="write the pairs found on unseen channels, for score_judge.py"
    )
    options = parser.parse_args()
    streams = windows_of(data_folder())
    rows, used = examples(streams)
    chats = Chats.of(streams.values())
    fold = folds(rows)
    parts = [matrix(rows, vectors)[0] for vectors in unseen(rows, fold, chats)]
    good = np.array([row.worth_it for row in rows])
    questions = by_question(rows)
    target = targets(rows)
    choice = np.zeros(len(rows))
    for number, columns in enumerate(parts):
        others = [places for places in questions if fold[places[0]] != number]
        there = fold == number
        choice[there] = fitted_choice(columns, rows, others, target).scores(columns[there])
    picks = chosen(questions, choice)
    # Candidates that were graded one by one are what the model sees: the best of their question.
    judged = np.array([not row.window for row in rows])
    judged[picks] = True
    score, plain = np.zeros(len(rows)), np.zeros(len(rows))
    for number, columns in enumerate(parts):
        use, there = judged & (fold != number), fold == number
        used_rows = [rows[i] for i in np.flatnonzero(use)]
        score[there] = fitted(columns[use], used_rows).scores(columns[there])
        without = columns[:, : len(FEATURES)]
        plain[there] = fitted(without[use], used_rows).scores(without[there])
    # Someone who looks for pairs misses some, so only candidates that were read one by one say how often the model is right.
    read = np.flatnonzero([bool(row.read) for row in rows])
    confidence = np.zeros(len(rows))
    for number in range(FOLDS):
        sure = calibrated(score[read[fold[read] != number]], good[read[fold[read] != number]])
        confidence[fold == number] = sure(score[fold == number])
    kept = apart(rows, questions, choice, score)
    print(f"{len(rows)} candidates, {judged.sum()} judged, {good[judged].sum()} of them worth it")
    show_once(rows, kept, confidence, used)
    used = {name: used[name] for name in twice()}
    print("\nagainst the labels that were made before any program ran")
    kinds = ("all", *sorted({row.kind for row in rows}))
    curves = {kind: curve(rows, kept, confidence, used, kind) for kind in kinds}
    show(curves)
    print("\nthe same, and what other readers graded later counts too")
    show({kind: curve(rows, kept, confidence, used, kind, lambda row: row.worth_it) for kind in kinds})
    print("\nthe same, and a pair with the longest messages of a labelled one counts, whatever its borders")
    show(
        {
            kind: curve(
                rows,
                kept,
                confidence,
                used,
                kind,
                lambda row: row.worth_it or (row.near >= 0 and not row.read and not row.grade),
                lambda row: row.gold if row.grade in gold.WORTH else row.near,
            )
            for kind in kinds
        }
    )
    show_thresholds(rows, kept, confidence, good, used, read)
    print("\nagainst the reading of single candidates")
    show_calibration(confidence[read], good[read])
    if options.plot:
        draw(curves, options.plot)
    if options.pairs:
        options.pairs.write_text("".join(lines(rows, kept, confidence, used)), "utf-8")
    if options.write:
        curves_ = {
            name: calibrated(found[read], good[read]) for name, found in (("worth", score), ("plain", plain))
        }
        write(rows, chats, questions, judged, curves_)


def unseen(rows: Sequence[Example], fold: NDArray[np.int64], chats: Chats) -> Iterator[Vectors]:
    """Yields for each fold the vectors that the other channels give."""
    for number in range(FOLDS):
        hidden = {row.channel for row, there in zip(rows, fold == number, strict=True) if there}
        yield chats.vectors(lambda channel, hidden=hidden: channel not in hidden)  # type: ignore[misc]


def targets(rows: Sequence[Example]) -> NDArray[np.float64]:
    """Returns how good each candidate is as the choice for its question."""
    return np.array([bool(row.grade) + (row.read in gold.GRADES) + row.worth_it for row in rows], float)


def write(
    rows: Sequence[Example],
    chats: Chats,
    questions: Sequence[Sequence[int]],
    judged: NDArray[np.bool_],
    confidence: Mapping[str, Curve],
) -> None:
    """Trains on everything and writes the weights and where they come from."""
    vectors = chats.vectors(lambda _: True)
    columns, scales = matrix(rows, vectors)
    sample = [rows[i] for i in np.flatnonzero(judged)]
    models = {
        "choice": fitted_choice(columns, rows, questions, targets(rows)),
        "worth": fitted(columns[judged], sample),
        "plain": fitted(columns[judged][:, : len(FEATURES)], sample),
    }
    keys = np.array(list(vectors.place), np.uint32)
    order = np.argsort(keys)
    stored: dict[str, Any] = {"features": np.array(FEATURES), "words": keys[order]}
    for name, model in models.items():
        features, asked, told = np.split(model.weights, [len(FEATURES), len(FEATURES) + DIMENSIONS])
        stored[f"{name}_bias"] = np.round(model.bias, 5)
        # Scales go into the weights, so that the package computes with plain numbers.
        stored[f"{name}_weights"] = np.round(features / scales.features, 5)
        for group, weights, scale in (("asked", asked, scales.asked), ("told", told, scales.told)):
            if name == "plain":
                continue
            one_each = vectors.values @ (weights / scale)
            stored[f"{name}_{group}"] = np.round(one_each[order], 2).astype(np.float16)
    # A table of steps gives the same confidence on any machine, which an exponential would not.
    grid = np.round(np.arange(-10, 10, 0.001), 3)
    for name, curve in confidence.items():
        values = np.round(curve(grid), 2)
        rises = np.flatnonzero(np.diff(values)) + 1
        stored[f"{name}_steps"] = grid[rises]
        stored[f"{name}_confidences"] = np.concatenate([values[:1], values[rises]])
    package = Path(worth.__file__).parent
    np.savez_compressed(package / worth.WEIGHTS, **stored)
    facts = {
        "seed": SEED,
        "windows": len({row.window for row in rows if row.window}),
        "gold_pairs": sum(map(len, gold.labels().values())),
        "graded_candidates": sum(bool(row.read) for row in rows),
        "words": len(keys),
        "sources": SOURCES,
    }
    (package / "worth.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    print(f"wrote {package / worth.WEIGHTS}")


SOURCES = [
    {"what": "Discord channels of PyScript", "licence": "MIT", "from": "github.com/pyscript/discord-dump"},
    {
        "what": "Discord forum threads of MeshCore",
        "licence": "MIT",
        "from": "github.com/MrAlders0n/meshcore-discord-archive",
    },
    {
        "what": "Ubuntu and Linux IRC",
        "licence": "CC BY 4.0",
        "from": "github.com/jkkummerfeld/irc-disentanglement",
    },
    {"what": "Gitter help rooms", "licence": "MIT", "from": "github.com/LiveChat2021/LiveChat"},
]


if __name__ == "__main__":
    main()
