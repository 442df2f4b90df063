"""Checks a written data set against the next release: which answers went stale, and which names are gone.

Without arguments this is a rehearsal: it writes two releases of a small package, and a data set about the first. Nothing is
downloaded, and no code of an answer is run. With arguments, it checks your data set against your releases: folders,
sdists or wheels.

    python examples/recheck.py
    python examples/recheck.py --manifest train.jsonl.manifest.json --package fury --old fury-0.12.0.tar.gz --new path/to/fury
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import furytune as ft
from furytune.testing.memory import ListCollector

RELEASES = {
    "1.0": '"""Draws shapes."""\n\n\ndef sphere(centers, colors=None): ...\n\n\ndef cube(size): ...\n',
    "2.0": '"""Draws shapes."""\n\n\ndef sphere(centers, *, color=None): ...\n\n\ndef box(sizes): ...\n',
}
DATES = ft.Releases({"0.9": "2022-05-01", "1.0": "2023-06-01", "2.0": "2025-02-01"}, package="shapes")
PAIRS = {
    "sphere": ("How do I draw a sphere?", "shapes.sphere([(0, 0, 0)])", 2024),
    "colors": ("How do I color a sphere?", "shapes.sphere([(0, 0, 0)], colors='red')", 2024),
    "cube": ("How do I draw a cube?", "shapes.cube(2)", 2023),
    "box": ("How do I draw a box?", "shapes.box([(1, 2, 3)])", 2025),
    "old": ("How do I draw with shapes 0.9?", "shapes.sphere([(0, 0, 0)])", 2024),
}


def rehearsal(folder: Path) -> tuple[str, Path, Path]:
    """Writes the releases and a data set. Returns its manifest, and where the releases are."""
    for version, source in RELEASES.items():
        package = folder / version / "shapes"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source, encoding="utf-8")
    pairs = [
        ft.QAPair(
            id=name,
            group=name,
            question=question,
            answer=f"Like this:\n\n```python\nimport shapes\n\n{code}\n```",
            asked_at=datetime(year, 7, 1, tzinfo=UTC),
        )
        for name, (question, code, year) in PAIRS.items()
    ]
    print("1. Which release is each pair about?")
    for pair in pairs:
        print(f"  {pair.id:8}{DATES.of(pair)}")
    run = ft.Pipeline(
        collector=ListCollector(pairs),
        curators=[ft.Fresh(DATES, since="1.0")],
        exporter=ft.JsonlExporter(folder / "train.jsonl"),
    ).run()
    print("\n2. The data set, without what is older than 1.0")
    print(run.report)
    print()
    return run.datasets[0].manifest, folder / "1.0", folder / "2.0"


def main() -> None:
    """Rechecks a data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--manifest", help="manifest of a data set")
    parser.add_argument("--package", default="shapes", help="name of the package")
    parser.add_argument("--old", type=Path, help="the release that the data set was made for")
    parser.add_argument("--new", type=Path, help="the next release")
    options = parser.parse_args()
    given = (options.manifest, options.old, options.new)
    if any(given) and not all(given):
        parser.error("give --manifest, --old and --new together")
    with tempfile.TemporaryDirectory() as folder:
        manifest, old, new = given if all(given) else rehearsal(Path(folder))
        print("What does the next release break?")
        result = ft.recheck(
            manifest,
            check=ft.CheckCode(options.package, path=new),
            before=ft.CheckCode(options.package, path=old),
        )
        print(result)


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
