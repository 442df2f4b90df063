"""How fast passages are found for many questions, against a loop of LanceDB full-text queries.

    python benchmarks/retrieval.py [--passages 5000] [--questions 10000] [--loop 300] [--repeats 3]

Passages and questions are made of the docstrings of the standard library's own source, read when this runs. All cases
are timed in turn, `--repeats` times, and compared by their medians. The loop is timed over `--loop` questions and
scaled, for all of them would take minutes. Both answer from the same table; their rankings are not the
same, for their tokenizers and BM25 variants differ.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import random
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from pathlib import Path

import lancedb
from lancedb.index import FTS
from lancedb.query import MatchQuery

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.corpora.python_package import python_package
from furytune.records import Passage

K = 5
OTHERS = ("test", "tests", "idlelib", "lib2to3", "turtledemo", "site-packages")


def sentences() -> list[str]:
    found: list[str] = []
    root = Path(sysconfig.get_paths()["stdlib"])
    for source in sorted(root.iterdir()):
        if source.name in OTHERS or not (source.suffix == ".py" or (source / "__init__.py").exists()):
            continue
        for item in python_package(source, on_error="skip"):
            if isinstance(item, Passage):
                _, _, docstring = item.text.partition("\n\n")
                parts = re.split(r"(?<=[.?!])\s+|\n\n", docstring)
                found += [" ".join(p.split()) for p in parts if 15 <= len(p) <= 400]
    return list(dict.fromkeys(found))


def make(pool: list[str], passages: int, questions: int) -> tuple[list[Passage], list[str]]:
    rnd = random.Random(7)
    texts = []
    for _ in range(passages):
        start, text = rnd.randrange(len(pool)), ""
        for n in itertools.count():
            if len(text) >= 600:
                break
            text += (pool[(start + n) % len(pool)] if n < 4 else rnd.choice(pool)) + " "
        texts.append(text.strip())
    asked = []
    for _ in range(questions):
        words = rnd.choice(pool).split()
        size = min(len(words), rnd.randint(6, 16))
        start = rnd.randrange(len(words) - size + 1)
        asked.append("how do I " + " ".join(words[start : start + size]) + "?")
    return [Passage(id=f"p{i:06}", text=t) for i, t in enumerate(texts)], asked


def timed(cases: dict, repeats: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(repeats):
        for name, case in cases.items():
            gc.collect()
            start = time.perf_counter()
            case()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=5000)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "corpus.lance")
        passages, questions = make(sentences(), given.passages, given.questions)
        start = time.perf_counter()
        build_index(path, passages)
        built = time.perf_counter() - start
        code = f"from furytune.augmenters.rag import RagAugmenter as R; R({str(path)!r}).context('x')"
        processes = []
        for _ in range(given.repeats):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            processes.append(time.perf_counter() - start)
        process = statistics.median(processes)
        table = lancedb.connect(folder).open_table("corpus")
        table.create_index("text", config=FTS())
        rag = RagAugmenter(path, k=K)
        start = time.perf_counter()
        rag.context("warm")
        opened = time.perf_counter() - start
        none = [None] * len(questions)
        few = questions[: given.loop]

        def loop() -> None:
            for question in few:
                table.search(MatchQuery(question, "text")).select(["id", "_score"]).limit(K).to_list()

        ours = "all questions in one call"
        single = "one question a call"
        seconds = timed(
            {
                "LanceDB full-text loop": loop,
                single: lambda: [rag.context(q) for q in few],
                ours: lambda: rag.contexts(questions, at=none),
                "opening and indexing": lambda: RagAugmenter(path, k=K).context("warm"),
            },
            given.repeats,
        )
    base = seconds["LanceDB full-text loop"] / len(few)
    print(
        f"{given.passages} passages, {given.questions} questions, top {K}, {given.repeats} repeats, medians"
    )
    for name, count in (("LanceDB full-text loop", len(few)), (single, len(few)), (ours, len(questions))):
        each = seconds[name] / count
        print(f"{name:32} {1 / each:10.0f} questions/s  {base / each:6.1f} x")
    print(f"build {built:.2f} s, first use {opened:.2f} s, again {seconds['opening and indexing']:.2f} s,")
    print(f"a new process up to its first answer {process:.2f} s")


if __name__ == "__main__":
    main()
