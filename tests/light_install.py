"""What works with furytune's own requirements alone. Run by a Python that has no extra installed."""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stderr
from importlib import import_module
from io import StringIO
from pathlib import Path
from urllib.request import urlopen

import furytune as ft

VENDORS = {
    "lancedb",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "tiktoken",
    "hypothesis",
    "discord",
    "google",
    "bs4",
    "markdownify",
    "starlette",
}


def main() -> None:
    sys.path.pop(0)  # this folder, in which there is a folder called discord
    assert not VENDORS & sys.modules.keys(), "importing furytune imports a vendor"
    from furytune.cli import main as command
    from furytune.errors import MissingExtraError
    from furytune.records import JobProgress, Loss, TuningJob
    from furytune.testing.fake_chat import FakeChat
    from furytune.testing.fake_discord import FakeDiscord
    from furytune.testing.fake_vertex import fake_credentials
    from furytune.tuners.gemini.plotting import plot_losses

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pairs.csv").write_text("question,answer\nhow?,so\nwhy?,because\n", encoding="utf-8")
        (folder / "page.html").write_text("<h1>A</h1>", encoding="utf-8")
        assert len(list(ft.python_package("json"))) > 10
        pipeline = ft.Pipeline(
            collector=ft.CsvCollector(folder / "pairs.csv"),
            curators=[ft.Deduplicate(), ft.RedactSecrets()],
            exporter=ft.JsonlExporter(folder / "train.jsonl"),
        )
        run = pipeline.run()
        assert run.report.counts.rows == 2
        run.contract.save(folder / "contract.json")
        assert ft.write_card(run.datasets, licence="CC0-1.0", name="pairs").names == ("gemini",)
        with FakeChat(lambda _: '{"grade": "poor"}') as server:
            judge = ft.JudgePairs(ft.ChatService(server.url).model("fake"), cache=folder / "grades")
            assert not list(pipeline.evolve(curators=judge).pairs())
        contract = ft.PromptContract.load(folder / "contract.json")
        assert contract.prompt("how?").text == "how?"
        with ft.ReviewPage(pipeline, ft.Decisions(folder / "review.jsonl")) as page:
            for part in ("", "review.css", "review.js"):
                with urlopen(page.url.partition("#")[0] + part) as response:
                    assert len(response.read()) > 1000
        assert "numpy" not in sys.modules, "a bot that renders prompts loads numpy"
        with redirect_stderr(StringIO()) as said:
            assert command(["demo", str(folder / "demo")]) == 0
        assert "pip install 'furytune[report]'" in said.getvalue(), said.getvalue()
        assert ft.load_dataset(folder / "demo" / "train.jsonl.manifest.json").rows > 5
        settings = folder / "demo" / "furytune.toml"
        settings.write_text(
            'collector = {type = "discord-export", path = "exports"}\n'
            'augmenter = {type = "rag", path = "x.lance"}\nknowledge = {type = "markup", source = "docs"}\n',
            encoding="utf-8",
        )
        with redirect_stderr(StringIO()) as said:
            assert command(["run", "-c", str(settings)]) == 4
        assert "pip install 'furytune[rag]'" in said.getvalue(), said.getvalue()
        for file in ("model.safetensors", "model.onnx", "tokenizer.json"):
            (folder / file).write_bytes(b"")
        (folder / "made.lance").mkdir()
        live = ft.DiscordCollector(
            guild="1",
            token=ft.Secret("x"),
            permission="none",
            journal=folder / "journal",
            consent=ft.Consent(),
        )
        model = {"model": "gemini-3.1-flash-lite", "ledger": folder / "jobs"}
        lost = JobProgress(losses=(Loss(step=1, loss=1.0),))
        for needs, extra in (
            (lambda: ft.StaticEmbedder(folder).embed(["a"], kind="question"), "static"),
            (lambda: ft.OnnxEmbedder(folder).embed(["a"], kind="question"), "onnx"),
            (lambda: ft.LanceEmbedder("openai").embed(["a"], kind="question"), "rag"),
            (lambda: ft.RagAugmenter(folder / "made.lance").context("how?"), "rag"),
            (live.update, "discord"),
            (lambda: FakeDiscord(token="t"), "discord"),
            (lambda: ft.GeminiTuner(**model, project="p", bucket="b").find("run"), "gemini"),
            (lambda: ft.GeminiTuner(**model, api_key="key", backend="developer"), "gemini-developer"),
            (fake_credentials, "gemini"),
            (lambda: plot_losses(TuningJob(key="k", name="n", state="succeeded", progress=lost)), "plot"),
            (lambda: import_module("furytune.testing.strategies"), "testing"),
            (lambda: ft.build_index(folder / "c.lance", ft.python_package("json")), "rag"),
            (lambda: ft.markup(folder, suffixes=(".html",)), "html"),
            (lambda: ft.TokenBudget(2).fits("more than two"), "tokens"),
            (lambda: import_module("furytune.serving").app(contract), "serve"),
            (lambda: import_module("furytune.serving").serve(contract), "serve"),
            (lambda: ft.write_report(folder / "report.html", run), "report"),
            (lambda: ft.to_arrow(run.datasets[0]), "tables"),
            (lambda: ft.to_pandas(run.datasets[0]), "tables"),
            (lambda: ft.to_polars(run.datasets[0]), "tables"),
        ):
            try:
                needs()
            except MissingExtraError as error:
                assert f"pip install 'furytune[{extra}]'" in str(error), (extra, str(error))
            else:
                raise AssertionError(f"the extra {extra} is installed here")
    # Collecting from chats finds pairs with numpy, which every installation has.
    assert not (VENDORS - {"numpy"}) & sys.modules.keys(), "the light path imports a vendor"
    print("the light install works")


if __name__ == "__main__":
    main()
