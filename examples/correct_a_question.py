"""Corrects a question by hand, and shows that the correction holds and that the bot gets the same prompt.

You need no key and no account. In the chat of this example, someone asks "does it work on a machine without a screen?".
In the channel it was clear what "it" is. In a data set it is not, so a person writes the question as others would ask it.

    python examples/correct_a_question.py
    python examples/correct_a_question.py --folder review-out
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import furytune as ft

EXPORTS = Path(__file__).parent / "exports"
CORRECTED = "Can FURY render on a machine without a screen, such as in CI?"
DOCS = [
    ft.Passage(
        id="docs/offscreen",
        title="Rendering offscreen",
        text="On a machine without a screen, pass `window_type='offscreen'` to `ShowManager`.",
    ),
    ft.Passage(id="docs/screens", title="Screens", text="A window can have several screens."),
]


def show(title: str, prompt: ft.Prompt) -> None:
    """Prints a prompt."""
    print(f"\n{title}\n" + "\n".join(f"   | {line}" for line in prompt.text.splitlines()))


def correct(folder: Path) -> None:
    """Finds a doubtful pair, corrects it, exports twice, and asks as the bot does."""
    decisions = ft.Decisions(folder / "review.jsonl")
    ft.build_index(folder / "docs.lance", DOCS)
    collected = ft.Pipeline(collector=ft.DiscordExportCollector(EXPORTS))
    pipeline = collected.evolve(
        curators=[decisions, ft.MinConfidence(0.5), ft.RedactSecrets()],
        augmenter=ft.RagAugmenter(folder / "docs.lance", k=1),
        exporter=ft.JsonlExporter(folder / "train.jsonl"),
    )
    plain = pipeline.evolve(
        augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(folder / "plain.jsonl")
    )

    print("1. The pairs that a person should look at first")
    queue = decisions.to_review(collected.pairs(), 100)
    for one in queue[:8]:
        print(f"   {one.confidence:.2f}  {one.question.splitlines()[0]}")
    pair = next((p for p in queue if "without a screen" in p.question), None)
    if pair is None:
        print("   The question was corrected in an earlier run.")
    else:
        print("\n2. A person corrects one of them")
        print("  ", decisions.question(pair, CORRECTED, by="anna", note="what is 'it'?"))

    print("\n3. The next run applies the correction, and counts it")
    run = pipeline.run()
    print("   " + str(run.report).replace("\n", "\n   "))

    print("\n4. The bot renders the prompt of the corrected question, with retrieval and without")
    uid = next(d.pair for d in decisions.since(0) if d.question == CORRECTED)
    run.contract.save(folder / "bot.contract.json")
    plain.run().contract.save(folder / "plain.contract.json")
    for name, trained in (("bot", pipeline), ("plain", plain)):
        row = next(row for row in trained.rows() if row.id == uid)
        contract = ft.PromptContract.load(folder / f"{name}.contract.json")
        asked = contract.prompt(CORRECTED, at=row.at)
        if bytes(asked) != bytes(row.prompt):
            sys.exit("the prompts differ")
        show(f"{name}.contract.json: {len(bytes(asked))} bytes, the same as in training", asked)


def main() -> None:
    """Works in a folder that is removed afterwards; with --folder, in one that stays."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="folder for decisions and data sets")
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        correct(options.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        correct(Path(folder))


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
