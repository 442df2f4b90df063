"""What works with attrs, msgspec and tqdm alone. Run by a Python that has no extra installed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import furytune as ft

VENDORS = {"lancedb", "numpy", "pyarrow", "tiktoken", "hypothesis", "discord", "google", "bs4", "markdownify"}


def main() -> None:
    assert not VENDORS & sys.modules.keys(), "importing furytune imports a vendor"
    from furytune.errors import MissingExtraError

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
        assert run.report.counts["rows"] == 2
        run.contract.save(folder / "contract.json")
        contract = ft.PromptContract.load(folder / "contract.json")
        assert contract.prompt("how?").text == "how?"
        for needs, extra in (
            (lambda: ft.build_index(folder / "c.lance", ft.python_package("json")), "rag"),
            (lambda: ft.markup(folder, suffixes=(".html",)), "html"),
            (lambda: ft.TokenBudget(2).fits("more than two"), "tokens"),
        ):
            try:
                needs()
            except MissingExtraError as error:
                assert f"furytune[{extra}]" in str(error)
            else:
                raise AssertionError(f"the extra {extra} is installed here")
    assert not VENDORS & sys.modules.keys(), "the light path imports a vendor"
    print("the light install works")


if __name__ == "__main__":
    main()
