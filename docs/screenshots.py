"""Takes the pictures of the report and of the review page in ``docs/_static/``, from the example's own chat and a real Chromium.

    python docs/screenshots.py

Needs the extras ``rag``, ``report`` and ``test``, and a Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import furytune as ft

ROOT = Path(__file__).parents[1]


def report(folder: Path) -> Path:
    """Returns a report of the example's chat, with and without retrieval."""
    ft.build_index(
        folder / "corpus.lance", ft.python_package(ROOT / "tests" / "fixtures" / "packages" / "fury")
    )
    pipeline = ft.Pipeline(
        collector=ft.DiscordExportCollector(ROOT / "examples" / "exports"),
        curators=[ft.MinConfidence(0.5), ft.Deduplicate(), ft.RedactSecrets()],
        augmenter=ft.RagAugmenter(folder / "corpus.lance", k=2),
        template=ft.PromptTemplate("You are FURY's helper.\n\nContext:\n{context}\n\nQuestion:\n{question}"),
        exporter=ft.JsonlExporter(folder / "train.jsonl"),
    )
    plain = pipeline.evolve(
        augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(folder / "plain.jsonl")
    )
    return ft.write_report(
        folder / "report.html",
        pipeline.run(),
        title="Sphere Makers",
        without_retrieval=plain.run().datasets[0],
    )


def review(folder: Path, browser: Browser) -> None:
    """Takes the pictures of the review page, at a pair of a channel where much is said."""
    pipeline = ft.Pipeline(
        collector=ft.DiscordExportCollector(ROOT / "examples" / "exports"),
        curators=[ft.Decisions(folder / "review.jsonl"), ft.MinConfidence(0.5), ft.RedactSecrets()],
    )
    with ft.ReviewPage(pipeline, by="anna") as page:
        page.settle()
        tab = browser.new_page(viewport={"width": 1200, "height": 820}, color_scheme="light")
        tab.goto(page.url)
        tab.wait_for_selector("#around .answer")
        for _ in range(3):
            tab.keyboard.press("a")
            tab.wait_for_timeout(500)  # as people do; the page shows the pace
        for theme in ("light", "dark"):
            tab.emulate_media(color_scheme=theme)
            tab.screenshot(path=ROOT / "docs" / "_static" / f"review-{theme}.png", scale="css")


def main() -> None:
    """Writes one picture of each for each theme."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium was found; install one, such as with apt-get install chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        file = report(Path(name))
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme, part in (("light", "#headline"), ("dark", "#rows")):
            page = browser.new_page(viewport={"width": 1200, "height": 820}, color_scheme=theme)
            page.goto(file.as_uri())
            if part == "#rows":
                page.evaluate("document.getElementById('rows').scrollIntoView({behavior: 'instant'})")
            page.screenshot(path=ROOT / "docs" / "_static" / f"report-{theme}.png", scale="css")
        review(Path(name), browser)
        browser.close()


if __name__ == "__main__":
    main()
