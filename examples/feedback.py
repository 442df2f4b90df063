"""A bot answers three questions, people say what they think of the answers, and the next data set learns from it.

You need no key and no account. The model is a fake one on this machine.

    python examples/feedback.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import furytune as ft
from furytune.answering import request_digest
from furytune.protocols import Model
from furytune.testing.fake_chat import FakeChat

ANN, BOB, MARA = "100000000000000001", "100000000000000002", "100000000000000003"
ANSWERS = {
    "How do I make a sphere transparent?": "Pass `opacity=0.5` to `actor.sphere`, or set it on the actor later.",
    "How do I rotate a box?": "You cannot rotate a box. Draw it again with other corners.",
    "Which Python do I need?": "Any Python works, also Python 2.7, as far as I know.",
}


def answer(contract: ft.PromptContract, model: Model, question: str, asker: str, log: ft.FeedbackLog) -> str:
    """Answers a question as a bot does; returns the id of the answer, which a bot has from its message."""
    prompt = contract.prompt(question)
    told = model.generate(prompt)
    uid = f"answer-{request_digest(question)[:8]}"
    log.exchange(
        uid,
        request_digest(question),
        asker=asker,
        asked=question,
        told=told,
        prompt=prompt.digest,
        fingerprint=contract.fingerprint,
        model="fake",
        citations=[passage.citation for passage in prompt.passages],
    )
    return uid


def main(folder: Path) -> None:
    """Plays one week of a bot's life."""
    template = ft.PromptTemplate("You help FURY's users.\n\nQuestion:\n{question}")
    contract = ft.PromptContract(augmenter=ft.IdentityAugmenter(), template=template)
    # Without keep_texts, the log has no texts, and they come from the next export of the chat.
    log = ft.FeedbackLog(folder / "feedback.jsonl", keep_texts=True)

    def fake(prompt: str) -> str:
        return next(told for question, told in ANSWERS.items() if question in prompt)

    with FakeChat(fake) as server:
        model = ft.ChatService(server.url).model("fake")
        sphere, box, python = (answer(contract, model, question, ANN, log) for question in ANSWERS)

    log.note(sphere, "", "helped", by=ANN, source="button")
    log.note(box, "", "did_not_help", by=ANN, source="button")
    log.note(box, "", "corrected", "Call `actor.rotate` with an axis and an angle.", by=MARA, role="helper")
    log.note(python, "", "corrected", "You need Python 3.10 or newer.", by=BOB)

    pipeline = ft.Pipeline(
        collector=ft.FeedbackCollector(log),
        augmenter=ft.IdentityAugmenter(),
        template=template,
        exporter=ft.JsonlExporter(folder / "next.jsonl"),
    )
    run = pipeline.run()
    print("The next data set has:")
    for pair in pipeline.pairs():
        print(f"  {pair.question}\n    {pair.answer}\n    ({pair.tags[0]})")
    print("\nA reviewer decides about:")
    for pair in ft.FeedbackCollector(log).to_review():
        print(f"  {pair.question}\n    {pair.answer}")
    print(f"\n{run.report}")


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
