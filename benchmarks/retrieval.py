"""Compares finding passages for many questions with loops of LanceDB's own queries.

    python benchmarks/retrieval.py [--passages 5000] [--questions 10000] [--loop 300] [--repeats 3] [--vectors]

Passages and questions are made from the docstrings of the standard library's source, which is read at the start. All
cases run in turn, `--repeats` times, and are compared by their medians. The loops run over only `--loop` questions and
are scaled, because all questions would take minutes. All cases search the same table. The full-text rankings differ,
because the tokenizers and BM25 variants do. `--vectors` also measures vector and hybrid search; it needs the package
wordllama for its model file, and both sides embed each question with the same model.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import itertools
import random
import re
import resource
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

from furytune.augmenters.embedders import StaticEmbedder
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


def model() -> StaticEmbedder:
    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        sys.exit("--vectors needs a model file: pip install wordllama")
    folder = Path(spec.origin).parent
    return StaticEmbedder(
        folder / "weights" / "l2_supercat_256.safetensors",
        tokenizer=folder / "tokenizers" / "l2_supercat_tokenizer_config.json",
    )


def timed(cases: dict, repeats: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(repeats):
        for name, (case, count) in cases.items():
            gc.collect()
            start = time.perf_counter()
            case()
            times[name].append((time.perf_counter() - start) / count)
    return {name: statistics.median(t) for name, t in times.items()}


def seconds(case) -> float:
    start = time.perf_counter()
    case()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=5000)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--vectors", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)
    embedder = model() if given.vectors else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "corpus.lance")
        passages, questions = make(sentences(), given.passages, given.questions)
        built = seconds(lambda: build_index(path, passages, embedder=embedder))
        tenth = [*passages[len(passages) // 10 :], *make(sentences()[::-1], len(passages) // 10, 0)[0]]
        again = seconds(lambda: build_index(Path(folder, "corpus.lance"), tenth, embedder=embedder))
        code = f"from furytune.augmenters.rag import RagAugmenter as R; R({str(path)!r}).context('x')"
        command = [sys.executable, "-c", code]
        process = statistics.median(
            seconds(lambda: subprocess.run(command, check=True)) for _ in range(given.repeats)
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        table = lancedb.connect(folder).open_table("corpus")
        table.create_index("text", config=FTS())
        rags = {"words": RagAugmenter(path, k=K, version=2)}
        if embedder is not None:
            rags["vectors"] = RagAugmenter(path, k=K, version=2, mode="vector", embedder=embedder)
            rags["both"] = RagAugmenter(path, k=K, version=2, mode="hybrid", embedder=embedder)
        opened = {name: seconds(lambda rag=rag: rag.context("warm")) for name, rag in rags.items()}
        few = questions[: given.loop]
        columns = ["id", "_score"], ["id", "_distance"]

        def full_text() -> None:
            for question in few:
                table.search(MatchQuery(question, "text")).select(columns[0]).limit(K).to_list()

        def nearest() -> None:
            for question in few:
                (vector,) = embedder.embed([question], kind="question")
                table.search(vector).distance_type("cosine").select(columns[1]).limit(K).to_list()

        cases = {"LanceDB full-text, a loop": (full_text, len(few))}
        if embedder is not None:
            cases["LanceDB vectors, a loop"] = (nearest, len(few))
        for name, rag in rags.items():
            one = lambda rag=rag: [rag.context(q) for q in few]  # noqa: E731
            many = lambda rag=rag: rag.contexts(questions, at=[None] * len(questions))  # noqa: E731
            cases[f"{name}, one question a call"] = (one, len(few))
            cases[f"{name}, all in one call"] = (many, len(questions))
        each = timed(cases, given.repeats)
    print(
        f"{given.passages} passages, {given.questions} questions, top {K}, medians of {given.repeats} repeats"
    )
    for name, time_of_one in each.items():
        base = each.get("LanceDB vectors, a loop" if "vectors" in name else "LanceDB full-text, a loop", 0)
        latency = f"{time_of_one * 1000:9.2f} ms"
        print(f"{name:32} {1 / time_of_one:10.0f} questions/s {latency} {base / time_of_one:7.1f} x")
    print(f"build {built:.2f} s, rebuild with a tenth of the passages new {again:.2f} s")

    print("first use " + ", ".join(f"{name} {s:.2f} s" for name, s in opened.items()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"a new process, up to its first answer {process:.2f} s")
    print(f"memory {before / 1024:.0f} MB before the questions, {peak / 1024:.0f} MB peak")


if __name__ == "__main__":
    main()
