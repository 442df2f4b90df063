"""Asks the search of the built pages, as a reader would, and fails if a page that should come first does not.

    sphinx-build -b html docs _build/html && python docs/search.py _build/html

Runs Sphinx's own search in a real Chromium, so the order is what readers see. Needs the extra ``test``, and a Chromium.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

FIRST = {
    "install": "install",
    "quickstart": "quickstart",
    "command line": "command-line",
    "streaming": "bot",
    "bot": "bot",
    "review": "review",
    "report": "report",
    "jupyter": "datasets",
    "pandas": "datasets",
    "cost": "tuning",
    "tuning": "tuning",
    "error": "troubleshooting",
    "troubleshooting": "troubleshooting",
    "comparison": "comparison",
    "permission": "policy",
    "privacy": "policy",
    "consent": "policy",
    "duplicates": "duplicates",
    "csv": "files",
    "export": "collecting-discord",
    "reasons": "reasons",
}
"""What people search for, and the page that answers it."""


def misled(folder: Path) -> list[str]:
    """Returns a line for each search that leads to another page first."""
    path = os.environ.get("FURYTUNE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    wrong = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        for words, wanted in FIRST.items():
            page.goto(f"{(folder / 'search.html').absolute().as_uri()}?q={quote(words)}")
            page.wait_for_selector("#search-results ul.search li a")
            links = page.eval_on_selector_all(
                "#search-results ul.search li > a", "all => all.map(a => a.getAttribute('href'))"
            )
            pages = [link.partition("?")[0].partition("#")[0].removesuffix(".html") for link in links]
            if pages[0] != wanted:
                wrong.append(f"{words}: {', '.join(links[:4])}; {wanted} should be first")
        browser.close()
    return wrong


if __name__ == "__main__":
    sys.exit("\n".join(misled(Path(sys.argv[1]))) or 0)
