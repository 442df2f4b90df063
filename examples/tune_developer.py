"""Tunes and shares a model through the Gemini Developer API.

Without arguments this is a rehearsal: a fake service on this machine behaves like Google's did while it could
tune, so you need no key, nothing leaves the machine, and it costs nothing. Google's own service ended tuning
in May 2025; run with --real to see what it says.

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
    """Writes the question-answer pairs of a small, made-up community."""
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
    """Prints the state, progress and last loss of a job."""
    losses = job.progress.losses
    loss = f"loss {losses[-1].loss:.2f}" if losses else ""
    print(f"   {job.state:<10} {job.progress.percent or 0:>5.0f} %  {loss}")


def try_google(folder: Path) -> None:
    """Asks Google's service to tune, and prints its refusal."""
    tuner = ft.GeminiTuner(TUNABLE, api_key=ft.Secret.env("GEMINI_API_KEY"), ledger=folder / "jobs")
    try:
        pipeline(folder).evolve(tuner=tuner).run()
    except ft.FurytuneError as error:
        print(f"{type(error).__name__}: {error}")


def rehearse(folder: Path) -> None:
    """Tunes, waits, asks and shares, on a fake service."""
    print("1. Google's service today: it can tune no model, so no data is sent")
    with FakeDeveloperApi() as today:
        tuner = ft.GeminiTuner(TUNABLE, api_key="rehearsal", endpoint=today.url, ledger=folder / "today")
        try:
            pipeline(folder).evolve(tuner=tuner).run()
        except TuningUnavailableError as error:
            print(f"   {error}")

    with FakeDeveloperApi(tunable=(TUNABLE,)) as service:
        print("\n2. A service that tunes: it makes one job, although its answer is lost")
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

        print("\n3. Wait for the job, through a refusal and a dropped connection")
        service.fail("/operations", 503)
        service.fail("/operations", mode="hang up")
        job = tuner.wait(run.report.job, every=0.0, seen=show)

        print("\n4. Ask the base model and the tuned model, through the contract")
        question = "How do I draw a torus?"
        model = tuner.tuned(job, run.contract)
        print(f"   base : {tuner.base_model(run.contract, model='gemini-3.1-flash-lite').ask(question)}")
        print(f"   tuned: {model.ask(question)}")

        print("\n5. Share the model with the bot, which has its own key")
        bots = ft.GeminiTuner(TUNABLE, api_key="key-of-the-bot", endpoint=service.url, ledger=folder / "bot")
        bot = bots.tuned(job, run.contract)
        try:
            bot.ask(question)
        except ServiceError as error:
            print(f"   before: {error}")
        grant = model.share("everyone")
        print(f"   shared with {grant.grantee} as {grant.role}")
        print(f"   after : {bot.ask(question)}")

        print("\n6. Clean up")
        model.revoke(grant)
        model.delete()
        print(f"   {len(service.requests)} requests in total, jobs: {service.jobs}")


def main() -> None:
    """Rehearses; with --real, asks Google's service."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--real", action="store_true", help="ask Google's service; needs GEMINI_API_KEY")
    parser.add_argument("--out", type=Path, help="output folder; a temporary one by default")
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
