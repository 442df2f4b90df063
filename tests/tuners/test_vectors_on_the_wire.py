"""With hybrid search and a token budget, a bot in another process sends the same prompts as the training rows."""

from __future__ import annotations

import json
import random
import subprocess
import sys

from models import WORDS, onnx_model, static_model
from vertex_help import TOKEN, make_tuner, pipeline

import furytune as ft
from furytune.testing.fake_vertex import FakeVertex

BUDGET = 90
BOT = """
import json, sys
from pathlib import Path
import furytune as ft
from furytune.testing.fake_vertex import fake_credentials

url, token, questions, *folders = sys.argv[1:]
for folder in map(Path, folders):
    contract = ft.PromptContract.load(folder / "bot.contract.json")
    tuner = ft.GeminiTuner(
        "gemini-3.1-flash-lite", project="proj", bucket="buck", credentials=fake_credentials(token), endpoint=url,
        ledger=folder / "jobs",
    )
    tuned = tuner.tuned(tuner.find(folder.name), contract)
    print(json.dumps([tuned.ask(q) for q in json.loads(questions)]))
"""


def passages():
    rnd = random.Random(5)
    return [
        ft.Passage(
            id=f"p{i:02}", title=f"Straße {i}", text=" ".join(rnd.choices(WORDS, k=rnd.randint(4, 30)))
        )
        for i in range(40)
    ]


def trained(folder, embedder, fake):
    """Runs the training in this process; returns the prompts of the rows, by their answers."""
    folder.mkdir()
    ft.build_index(folder / "corpus.lance", passages(), embedder=embedder)
    rnd = random.Random(9)
    pairs = [(f"{' '.join(rnd.choices(WORDS, k=4))} – 球 {n}?", f"answer {n}") for n in range(12)]
    run = pipeline(
        folder,
        pairs,
        template=ft.PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}", system="Hilf – 助けて."),
        augmenter=ft.RagAugmenter(folder / "corpus.lance", k=6, mode="hybrid", embedder=embedder),
        budget=ft.TokenBudget(BUDGET),
    ).run()
    run.contract.save(folder / "bot.contract.json")
    tuner = make_tuner(fake, folder)
    tuner.wait(tuner.submit(run.datasets[0], key=folder.name))
    found = {}
    for line in (folder / "train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        asked, said = (turn["parts"][0]["text"] for turn in row["contents"])
        found[said] = (asked, row["systemInstruction"]["parts"][0]["text"])
    return run.contract, pairs, found


def test_the_bot_sends_the_same_prompts_as_the_training_rows(tmp_path):
    kinds = {
        "static": ft.StaticEmbedder(static_model(tmp_path / "potion")),
        "onnx": ft.OnnxEmbedder(onnx_model(tmp_path / "minilm")),
    }
    with FakeVertex() as fake:
        made = [trained(tmp_path / kind, embedder, fake) for kind, embedder in kinds.items()]
        pairs = made[0][1]
        before = len(fake.requests)
        questions = json.dumps([q for q, _ in pairs])
        bot = subprocess.run(
            [
                sys.executable,
                "-c",
                BOT,
                fake.url,
                TOKEN,
                questions,
                *(tmp_path / kind for kind in kinds),
            ],
            check=True,
            capture_output=True,
            cwd=tmp_path,
        )
        told = [answer for _, answer in pairs]
        assert [json.loads(line) for line in bot.stdout.splitlines()] == [told] * len(kinds)
        sent = [r.body for r in fake.requests[before:] if r.path.endswith(":generateContent")]
    assert [
        (b["contents"][0]["parts"][0]["text"].encode(), b["systemInstruction"]["parts"][0]["text"].encode())
        for b in sent
    ] == [tuple(text.encode() for text in rows[answer]) for _, _, rows in made for answer in told]
    # Vectors and budget had their say, so this was no test of an easy case.
    for (contract, _, _), kind in zip(made, kinds, strict=True):
        fates = [{f.fate for f in contract.explain(q).findings} for q, _ in pairs]
        assert sum("budget" in f for f in fates) > len(pairs) / 2
        words = ft.RagAugmenter(tmp_path / kind / "corpus.lance", k=6)
        assert any(words.context(q) != contract.augmenter.context(q) for q, _ in pairs)
