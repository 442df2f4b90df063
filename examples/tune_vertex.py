"""Tunes two Gemini models on Vertex AI, one with retrieval and one without, and compares them.

Without arguments this is a rehearsal: a fake Vertex AI and Cloud Storage run on this machine, so you need no
account, nothing leaves the machine, and it costs nothing. With a project and a bucket it tunes for real. That
costs a few cents and takes about an hour.

    python examples/tune_vertex.py
    python examples/tune_vertex.py --project MY-PROJECT --bucket MY-BUCKET --out tuning-out/
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import attrs

import furytune as ft
from furytune.records import TuningJob
from furytune.report import Report, compare
from furytune.testing.fake_vertex import FakeVertex, fake_credentials

MODEL = "gemini-3.1-flash-lite"
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
ASKED = [
    ("How do I draw a {0}?", "Call `actor.{0}` and add it to the scene."),
    ("Can a {0} be red?", "Yes: `actor.{0}(..., colors=(1, 0, 0))`."),
]


def make_sources(folder: Path) -> None:
    """Writes the question-answer pairs and the documentation of a small, made-up community."""
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer"])
        rows.writerows([question.format(s), answer.format(s)] for s in SHAPES for question, answer in ASKED)
    for shape in SHAPES:
        text = f"# {shape}\n\n`actor.{shape}(centers, colors=None)` makes a {shape} at each of the centers.\n"
        (folder / "docs" / f"{shape}.md").write_text(text, encoding="utf-8")


def pipelines(folder: Path) -> dict[str, ft.Pipeline]:
    """Returns both variants. They share pairs, ids and split, so that their models can be compared."""
    make_sources(folder)
    ft.build_index(folder / "corpus.lance", ft.markup(folder / "docs"))
    rich = ft.Pipeline(
        collector=ft.CsvCollector(folder / "pairs.csv"),
        augmenter=ft.RagAugmenter(folder / "corpus.lance", k=2),
        template=ft.PromptTemplate(
            "Context:\n{context}\n\nQuestion:\n{question}", system="You help users of the package."
        ),
        exporter=ft.JsonlExporter(folder / "train.jsonl"),
    )
    plain = rich.evolve(augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(folder / "plain.jsonl"))
    return {"with retrieval": rich, "without": plain}


def show(job: TuningJob) -> None:
    """Prints the state of a job."""
    print(f"   {job.state:<10} {job.progress.detail}")


def tune(folder: Path, tuner: ft.GeminiTuner, *, every: float) -> None:
    """Takes both variants from the cost estimate to the comparison."""
    reports: dict[str, Report] = {}
    for name, pipeline in pipelines(folder).items():
        print(f"\n== {name}\n\n1. Estimate the cost, before anything is sent")
        run = pipeline.run()
        run.contract.save(folder / f"{name.replace(' ', '-')}.contract.json")
        print(tuner.estimate(run.datasets[0]))

        print("\n2. Start the job; running this again finds the same job")
        run = pipeline.evolve(tuner=tuner).run()
        assert run.job is not None
        print(f"   {run.job.name}")

        print("\n3. Wait for it; Ctrl-C stops the waiting, not the job")
        job = tuner.wait(run.job, every=every, seen=show)
        reports[name] = attrs.evolve(run.report, job=job)
        if job.state != "succeeded":
            print(f"   {job.failure.message if job.failure else 'the service gives no reason'}")
            continue

        print("\n4. Ask the base model and the tuned model, through the contract")
        question = "How do I draw a torus?"
        tuned = tuner.tuned(job, run.contract)
        # Newer base models are not served in every region, so ask at the tuned model's location.
        place = tuned.target.partition("/endpoints/")[0]
        base = tuner.base_model(run.contract, model=f"{place}/publishers/google/models/{MODEL}")
        print(f"   base : {base.ask(question)}")
        print(f"   tuned: {tuned.ask(question)}")
    print("\n== side by side\n")
    print(compare(reports))


def rehearse(folder: Path) -> None:
    """Tunes on a fake service that loses an answer, refuses a request and drops a connection."""
    with FakeVertex() as service:
        tuner = ft.GeminiTuner(
            MODEL,
            project="rehearsal",
            bucket="rehearsal",
            credentials=fake_credentials(),
            endpoint=service.url,
            max_cost=1.0,
            ledger=folder / "tuning-jobs",
        )
        service.fail("POST .*/tuningJobs$", mode="lose the answer")
        service.fail("GET .*/tuningJobs/", 503)
        service.fail("GET .*/tuningJobs/", mode="hang up")
        tune(folder, tuner, every=0.0)
        print(
            f"\n{len(service.requests)} requests made {len(service.service.jobs)} jobs, although one answer was lost"
        )


def main() -> None:
    """Rehearses; with a project, tunes for real."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--project", help="Google Cloud project that pays")
    parser.add_argument("--bucket", help="bucket for the files")
    parser.add_argument("--location", default="us-central1", help="where the jobs run")
    parser.add_argument("--max-cost", type=float, default=1.0, help="maximum cost of one job in US dollars")
    parser.add_argument("--out", type=Path, help="output folder; by default a rehearsal uses a temporary one")
    options = parser.parse_args()
    if not options.project:
        with tempfile.TemporaryDirectory() as name:
            rehearse(options.out or Path(name))
        return
    if not options.bucket or not options.out:
        parser.error("to tune for real, also give --bucket, and with --out a folder to keep")
    tuner = ft.GeminiTuner(
        MODEL,
        project=options.project,
        bucket=options.bucket,
        location=options.location,
        max_cost=options.max_cost,
        ledger=options.out / "tuning-jobs",
    )
    tune(options.out, tuner, every=30.0)


if __name__ == "__main__":
    main()
