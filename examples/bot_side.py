"""Loads a contract, as a bot does, and checks that it renders the same bytes as in training.

python examples/bot_side.py quickstart-out/bot.contract.json quickstart-out/train.jsonl
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import furytune as ft


def main(contract_file: str, training_file: str) -> None:
    """Renders every question of a training file again and compares the bytes."""
    contract = ft.PromptContract.load(contract_file)
    trained = [
        json.loads(line)["contents"][0]["parts"][0]["text"]
        for line in Path(training_file).read_text(encoding="utf-8").split("\n")
        if line
    ]
    manifest = json.loads(Path(f"{training_file}.manifest.json").read_text(encoding="utf-8"))
    moments = [datetime.fromisoformat(s["at"]) for s in manifest["sources"] if s["split"] == "train"]
    print(f"contract {contract.fingerprint[:12]}, knowledge {contract.snapshot[:19]}")
    if not trained:
        print("the training file has no rows")
        return
    same = 0
    for text, at in zip(trained, moments, strict=True):
        question = contract.template.parse(text).question
        body = contract.request(question, at=at)
        same += body["contents"][0]["parts"][0]["text"].encode() == text.encode()
    print(f"{same} of {len(trained)} prompts are the same bytes as in {training_file}")
    print("\nThe first prompt:\n")

    print(trained[0])
    if same != len(trained):
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
