"""Trains the weights that tell which of several answers is the best, and reports how often they are right.

Every forum is also measured with weights that were trained on the other forums only. The result does not depend on chance:
the likelihood has one maximum, and Newton's method finds it.

usage: python benchmarks/pairs/train_answers.py [--write]
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from attrs import field, frozen
from sources import data_folder

from furytune.pairing.answers import features
from furytune.pairing.posts import Post

STRENGTH = 100.0
"""How strongly weights are drawn to 0, in units of the spread of a feature."""
STEPS = 12
OUT = Path(__file__).parents[2] / "src" / "furytune" / "pairing" / "answers.json"
DATA = {
    "name": "Developer forums with accepted answers: Dwolla, DocuSign, SAP",
    "from": "https://github.com/collab-uniba/emse_best-answer-prediction",
    "commit": "cf6bd6444dc3548a02f7947aacf7a78e0dbe03e6",
    "licence": "MIT",
    "paper": "Calefato, Lanubile, Novielli: An empirical assessment of best-answer prediction models, EMSE 2018",
}


@frozen
class Thread:
    """A question with its answers.

    Attributes:
        forum: Name of the forum.
        answers: What the weights are for, of each answer.
        lengths: How long each answer is.
        accepted: Whether each answer is the accepted one.
    """

    forum: str
    answers: Sequence[dict[str, float]] = field(repr=False)
    lengths: Sequence[int]
    accepted: Sequence[bool]


def rows_of(path: Path) -> list[dict]:
    text = gzip.decompress(path.read_bytes()).decode("utf-8")
    if path.name.endswith(".json.gz"):
        return json.loads(text)
    csv.field_size_limit(10**9)
    # newline=None reads a lone carriage return as the end of a line.
    return list(csv.DictReader(io.StringIO(text, newline=None), delimiter=";"))


def threads(root: Path) -> Iterator[Thread]:
    """Yields the questions that have an accepted answer."""
    for path in sorted(root.glob("forum-accepted-answers/*/*.gz")):
        asked: dict[str, dict] = {}
        answers: dict[str, list[dict]] = {}
        for row in rows_of(path):
            number = str(row["uid"]).split(".")[0]
            if str(row["type"]).strip() == "question":
                asked[number] = row
            else:
                answers.setdefault(number, []).append(row)
        helpers = {
            number: {row["author"] for row in rows} - {asked[number]["author"]}
            for number, rows in answers.items()
            if number in asked
        }
        known = Counter(name for names in helpers.values() for name in names)
        for number, names in helpers.items():
            rows = answers[number]
            accepted = [str(row["resolve"]).strip() == "solution" for row in rows]
            if not any(accepted):
                continue
            question = asked[number]
            text = f"{question['title'] or ''}\n{question['text'] or ''}"
            turns = [[Post(str(row["uid"]), row["author"] or "?", row["text"] or "")] for row in rows]
            elsewhere = {name: count - (name in names) for name, count in known.items()}
            yield Thread(
                path.parent.name,
                features([Post(number, question["author"] or "?", text)], turns, elsewhere),
                [len(row["text"] or "") for row in rows],
                accepted,
            )


def fit(found: Sequence[Thread]) -> dict[str, float]:
    """Returns the weights under which the accepted answers are most likely, as a choice among those of their question."""
    names = sorted({name for thread in found for one in thread.answers for name in one})
    tables = [np.array([[one.get(name, 0.0) for name in names] for one in t.answers]) for t in found]
    spread = np.vstack(tables).std(axis=0)
    spread[spread == 0] = 1.0
    weights = np.zeros(len(names))
    for _ in range(STEPS):
        slope, bend = -STRENGTH * weights, STRENGTH * np.eye(len(names))
        for thread, table in zip(found, tables, strict=True):
            values = table / spread
            scores = values @ weights
            odds = np.exp(scores - scores.max())
            odds /= odds.sum()
            wanted = np.array(thread.accepted, float)
            mean = odds @ values
            slope += (wanted / wanted.sum() - odds) @ values
            bend += (values * odds[:, None]).T @ values - np.outer(mean, mean)
        weights += np.linalg.solve(bend, slope)
    return dict(zip(names, (weights / spread).tolist(), strict=True))


def right(found: Sequence[Thread], weights: dict[str, float]) -> int:
    """Returns for how many questions the highest score is an accepted answer's."""
    count = 0
    for thread in found:
        scores = [sum(weights.get(n, 0.0) * v for n, v in one.items()) for one in thread.answers]
        count += thread.accepted[scores.index(max(scores))]
    return count


def main() -> None:
    found = list(threads(data_folder()))
    scores = {}
    for forum in sorted({thread.forum for thread in found}):
        left_out = [thread for thread in found if thread.forum == forum]
        weights = fit([thread for thread in found if thread.forum != forum])
        longest = sum(t.accepted[t.lengths.index(max(t.lengths))] for t in left_out)
        scores[forum] = {"questions": len(left_out), "right": right(left_out, weights), "longest": longest}
    total = {key: sum(score[key] for score in scores.values()) for key in ("questions", "right", "longest")}
    for name, score in (*scores.items(), ("all", total)):
        share = {key: f"{100 * score[key] / score['questions']:.1f} %" for key in ("right", "longest")}
        print(
            f"{name:10} {score['questions']:4} questions, right {share['right']}, longest {share['longest']}"
        )
    weights = fit(found)
    print(f"on its own training data: {100 * right(found, weights) / len(found):.1f} %")
    if "--write" in sys.argv[1:]:
        file = {
            "about": "Weights of furytune.pairing.answers, made by benchmarks/pairs/train_answers.py",
            "data": DATA,
            "chance": "no random numbers were used",
            "strength": STRENGTH,
            "scores": {"each forum with weights of the others": {**scores, "all": total}},
            "caution": "features, strength and phrases were chosen with a view to these forums; expect less on others",
            "weights": {name: round(weight, 4) for name, weight in weights.items()},
        }
        OUT.write_text(json.dumps(file, indent=2) + "\n", "utf-8")
        print(f"wrote {OUT.name}")


if __name__ == "__main__":
    main()
