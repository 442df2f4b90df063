"""Opens the review page for the pairs of an export, in your browser.

You need no key and no account. Without an argument, it reviews the chat of the examples.

    python examples/review_pairs.py
    python examples/review_pairs.py path/to/exports --decisions review.jsonl --by anna
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import webbrowser
from pathlib import Path

import furytune as ft

EXPORTS = Path(__file__).parent / "exports"


def review(exports: Path, file: Path, by: str, *, browse: bool) -> None:
    """Serves the page until someone presses Ctrl-C, and then says what the decisions change."""
    decisions = ft.Decisions(file)
    pipeline = ft.Pipeline(
        collector=ft.DiscordExportCollector(exports),
        curators=[decisions, ft.MinConfidence(0.5), ft.RedactSecrets()],
    )
    with ft.ReviewPage(pipeline, by=by) as page:
        address = page.url
        print(f"Review the pairs at {address}\nPress Ctrl-C when you are done.", flush=True)
        if browse:
            webbrowser.open(address)
        page.wait()
    print(f"\n{decisions.revision} decisions are in {file}. With them, a run gives:\n{pipeline.run().report}")


def main() -> None:
    """Keeps the decisions in a file if one is named; otherwise they are gone afterwards."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exports", type=Path, nargs="?", default=EXPORTS, help="folder of exports")
    parser.add_argument("--decisions", type=Path, help="file for the decisions")
    parser.add_argument("--by", default="", help="name of the reviewer")
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.decisions or Path(folder) / "review.jsonl"
        review(options.exports, file, options.by, browse=not options.no_browser)


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
