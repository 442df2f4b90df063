"""What works without google-generativeai: all but the Developer API backend.

Run by a Python that has furytune and some extras installed, "gemini" among them, but not "gemini-developer".
"""

from __future__ import annotations

import pkgutil
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import furytune as ft
from furytune.errors import MissingExtraError
from furytune.testing.fake_vertex import FakeVertex, fake_credentials
from furytune.tuners.gemini.tuner import GeminiTuner

OTHER_EXTRAS = {"graphql", "hypothesis", "prometheus_client", "starlette", "uvicorn"}


def main() -> None:
    assert not any("generativeai" in name or "generativelanguage" in name for name in sys.modules)
    for name in ("google.generativeai", "google.ai"):
        assert find_spec(name) is None, f"{name} is installed here"
    for module in pkgutil.walk_packages(ft.__path__, "furytune."):
        try:
            import_module(module.name)
        except (ModuleNotFoundError, MissingExtraError) as error:
            missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
            if getattr(missing, "name", "").partition(".")[0] not in OTHER_EXTRAS:
                raise

    try:
        GeminiTuner("gemini-1.5-flash-001-tuning", api_key="a-key")
    except MissingExtraError as error:
        assert "furytune[gemini-developer]" in str(error)  # noqa: PT017  (pytest is not here)
    else:
        raise AssertionError("the Developer API backend was made without its package")

    with tempfile.TemporaryDirectory() as name, FakeVertex() as vertex:
        folder = Path(name)
        lines = "".join(f"how {n}?,so {n}\n" for n in range(30))
        (folder / "pairs.csv").write_text("question,answer\n" + lines, encoding="utf-8")
        tuner = GeminiTuner(
            "gemini-3.1-flash-lite",
            project="p",
            bucket="b",
            credentials=fake_credentials(),
            endpoint=vertex.url,
            ledger=folder / "jobs",
        )
        run = ft.Pipeline(
            collector=ft.CsvCollector(folder / "pairs.csv"),
            exporter=ft.JsonlExporter(folder / "train.jsonl"),
            splitter=ft.GroupSplitter(0.0),
            tuner=tuner,
        ).run()
        job = run.report.job
        assert job is not None
        done = tuner.wait(job, every=0.0)
        assert tuner.tuned(done, run.contract).ask("how 3?") == "so 3"
    assert not any("generativeai" in name or "generativelanguage" in name for name in sys.modules)
    sys.stdout.write("all but the Developer API backend works without google-generativeai\n")


if __name__ == "__main__":
    main()
