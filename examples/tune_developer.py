"""From pairs to a shared tuned model, through the Gemini Developer API and google-generativeai.

Without arguments this is a rehearsal: the service is a server on this machine that behaves like Google's
while it could tune, so it needs no key, sends nothing anywhere and costs nothing. Google's own service ended
tuning in May 2025; with --real you see it say so.

    python examples/tune_developer.py
    GEMINI_API_KEY=... python examples/tune_developer.py --real
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import furytune as ft
from furytune.errors import ServiceError, TuningUnavailableError
from furytune.records import TuningJob
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi

SHAPES = [
    "sphere",
    "cube",
    "cone",
    "cylinder",
    "arrow",
    "line",
    "tube",
    "disk",
    "ring",
    "box",
    "star",
    "torus",
]


def make_pairs(path: Path) -> None:
    """Writes the questions and answers of a small, made-up community."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer"])
        for shape in SHAPES:
            rows.writerow([f"How do I draw a {shape}?", f"Call `actor.{shape}` and add it to the scene."])
            rows.writerow([f"Can a {shape} be red?", f"Yes: `actor.{shape}(..., colors=(1, 0, 0))`."])


def pipeline(folder: Path) -> ft.Pipeline:
    """Returns the pipeline without a tuner."""
    make_pairs(folder / "pairs.csv")
    return ft.Pipeline(
        collector=ft.CsvCollector(folder / "pairs.csv"),
        template=ft.PromptTemplate("Question:\n{question}", system="You help users of the package."),
        exporter=ft.JsonlExporter(folder / "train.jsonl", dialect="gemini-developer"),
        splitter=ft.GroupSplitter(0.0),
    )


def show(job: TuningJob) -> None:
    """Prints how far a job is."""
    losses = job.details.get("losses")
    last = losses[-1] if isinstance(losses, list) and losses else {}
    loss = f"loss {last['loss']:.2f}" if isinstance(last, dict) and "loss" in last else ""
    print(f"   {job.state:<10} {job.details.get('percent', 0):>5.0f} %  {loss}")


def try_google(folder: Path) -> None:
    """Asks Google's service to tune."""
    tuner = ft.GeminiTuner(TUNABLE, api_key=ft.Secret.env("GEMINI_API_KEY"), ledger=folder / "jobs")
    try:
        pipeline(folder).evolve(tuner=tuner).run()
    except ft.FurytuneError as error:
        print(f"{type(error).__name__}: {error}")


def rehearse(folder: Path) -> None:
    """Tunes, follows, asks and shares on a server of this machine."""
    print("1. Google's service of today: no model can be tuned, and nothing is sent")
    with FakeDeveloperApi() as today:
        tuner = ft.GeminiTuner(TUNABLE, api_key="rehearsal", endpoint=today.url, ledger=folder / "today")
        try:
            pipeline(folder).evolve(tuner=tuner).run()
        except TuningUnavailableError as error:
            print(f"   {error}")

    with FakeDeveloperApi(tunable=(TUNABLE,)) as service:
        print("\n2. A service that tunes: one job, although the answer to the request is lost")
        tuner = ft.GeminiTuner(
            TUNABLE,
            api_key="rehearsal",
            endpoint=service.url,
            epochs=5,
            display_name="Helper",
            ledger=folder / "jobs",
        )
        service.fail("POST .*/tunedModels$", mode="lose the answer")
        run = pipeline(folder).evolve(tuner=tuner).run()
        assert run.report.job is not None
        print(f"   {run.report.job.name}; jobs at the service: {service.jobs}")

        print("\n3. Followed to its end, over a refusal and a dropped connection")
        service.fail("/operations", 503)
        service.fail("/operations", mode="hang up")
        job = tuner.wait(run.report.job, every=0.0, seen=show)

        print("\n4. Base model and tuned model, asked through the contract")
        question = "How do I draw a torus?"
        model = tuner.tuned(job, run.contract)
        print(f"   base : {tuner.base_model(run.contract, model='gemini-3.1-flash-lite').ask(question)}")
        print(f"   tuned: {model.ask(question)}")

        print("\n5. The bot has a key of its own: it may ask once the model is shared")
        bots = ft.GeminiTuner(TUNABLE, api_key="key-of-the-bot", endpoint=service.url, ledger=folder / "bot")
        bot = bots.tuned(job, run.contract)
        try:
            bot.ask(question)
        except ServiceError as error:
            print(f"   before: {error}")
        grant = model.share("everyone")
        print(f"   shared with {grant.grantee} as {grant.role}")
        print(f"   after : {bot.ask(question)}")

        print("\n6. Cleaned up")
        model.revoke(grant)
        model.delete()
        print(f"   requests in all: {len(service.requests)}, jobs: {service.jobs}")


def main() -> None:
    """Rehearses, or asks Google's service."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--real", action="store_true", help="ask Google's service; needs GEMINI_API_KEY")
    parser.add_argument("--out", type=Path, help="folder to write into; a temporary one by default")
    options = parser.parse_args()
    act = try_google if options.real else rehearse
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        act(options.out)
        return
    with tempfile.TemporaryDirectory() as name:
        act(Path(name))


if __name__ == "__main__":
    main()
