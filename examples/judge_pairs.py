"""Asks a model which question-answer pairs are worth training on.

Without arguments this is a rehearsal: a small server on this machine answers in place of a model, so you need no key and
nothing leaves the machine. It knows no more than a few words, so its grades say nothing about a real model's. With an
endpoint, a real model grades the same pairs: llama.cpp, Ollama, vLLM, or any other OpenAI-compatible server.

    python examples/judge_pairs.py
    python examples/judge_pairs.py --endpoint http://127.0.0.1:11434/v1 --model qwen2.5:7b
    MODEL_KEY=... python examples/judge_pairs.py --endpoint https://api.example.org/v1 --model NAME --key MODEL_KEY
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path

import furytune as ft
from furytune.testing.fake_chat import FakeChat

PROJECT = "FURY, a Python library for scientific visualization"
PAIRS = [
    ("How do I draw a sphere?", "Call `actor.sphere(centers, colors)` and add the result to the scene."),
    ("How do I save a picture?", "`window.record(scene=scene, out_path='a.png')` renders into a file."),
    ("Can I change the color of a cube later?", "There is an example for that in the gallery."),
    ("Is anyone else at the conference?", "Yes! See you at the coffee machine."),
    ("Why is my window black?", "Hm, same here."),
]


def rehearsed(text: str) -> str:
    """Grades a pair by a few words."""
    answer = json.loads(text)["answer"]
    if "`" in answer:
        return '{"grade": "good"}'
    return '{"grade": "usable"}' if "example" in answer else '{"grade": "poor"}'


def judge(service: ft.ChatService, model: str, folder: Path) -> None:
    """Estimates, judges with a limit, and continues."""
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("question", "answer"), *PAIRS])
    pipeline = ft.Pipeline(
        collector=ft.CsvCollector(folder / "pairs.csv"),
        exporter=ft.JsonlExporter(folder / "train.jsonl", dialect="openai"),
        splitter=ft.GroupSplitter(0.0),
    )

    def step(most: int | None) -> ft.JudgePairs:
        return ft.JudgePairs(
            service.model(model, temperature=0.0),
            project=PROJECT,
            cache=folder / "grades",
            max_requests=most,
        )

    print("1. What would it cost? Nothing is sent")
    print(step(None).estimate(pipeline.pairs()))

    print("\n2. At most three requests: the other pairs pass without a grade, and the report counts them")
    print(pipeline.evolve(curators=step(3)).run().report)

    print("\n3. The next run asks only about the pairs that have no grade yet")
    done = pipeline.evolve(curators=step(None)).run()
    print(done.report)

    print("\n4. What is left to train on")
    kept = pipeline.evolve(curators=step(0)).pairs()  # all grades are stored, so this needs no request
    for pair in kept:
        print(f"   {pair.question}")


def main() -> None:
    """Rehearses; with --endpoint, asks a real model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--endpoint", help="address of an OpenAI-compatible server, usually ending with /v1")
    parser.add_argument("--model", default="fake", help="name of the model on that server")
    parser.add_argument("--key", default="", help="name of the environment variable that contains the key")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if options.endpoint:
            key = ft.Secret.env(options.key) if options.key else None
            judge(ft.ChatService(options.endpoint, api_key=key), options.model, Path(name))
            return
        with FakeChat(rehearsed) as server:
            judge(ft.ChatService(server.url), "fake", Path(name))
            print(f"\n{len(server.requests)} requests for {len(PAIRS)} pairs")


if __name__ == "__main__":
    main()
