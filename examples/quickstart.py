"""Turns a chat export into a data set and a prompt contract, and loads the contract in another process.

You need no key and no account. The knowledge is a real package: FURY's own source, downloaded with pip. The
chat export is made up, and has the faults that real exports have.

    python examples/quickstart.py
    python examples/quickstart.py my-exports/ --docs path/to/docs --out my-data/
    python examples/quickstart.py my-exports/ --source path/to/package --docs path/to/docs
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import furytune as ft
from furytune.errors import MissingExtraError
from furytune.protocols import Curator, StatefulCurator

HERE = Path(__file__).parent


def fetched(package: str, folder: Path) -> Path:
    """Downloads a package's source with pip, without its dependencies, and returns its folder."""
    target = folder / "source"
    if not (target / package).is_dir():
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(target),
            package,
        ]
        subprocess.run(pip, check=True)
    return target / package


def main() -> None:
    """Runs the pipeline with and without retrieval, and uses the contract in another process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "exports",
        type=Path,
        nargs="?",
        default=HERE / "exports",
        help="folder of DiscordChatExporter JSON files; by default the example's own",
    )
    parser.add_argument("--docs", type=Path, help="folder of documentation (Markdown, reST, notebooks)")
    parser.add_argument(
        "--source", type=Path, help="folder of a Python package; without this and --docs, FURY from PyPI"
    )
    parser.add_argument("--out", type=Path, default=Path("quickstart-out"), help="output folder")
    options = parser.parse_args()
    if not options.exports.exists():
        parser.error(f"{options.exports}: this path does not exist; give a folder of exports")
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    if options.docs and not options.docs.is_dir():
        parser.error(f"{options.docs}: this folder does not exist; give a folder of documentation")
    source = options.source or (None if options.docs else fetched("fury", out))
    if source and not (source / "__init__.py").is_file():
        parser.error(
            f"{source}: not a Python package; give the folder that contains its __init__.py, or use --docs"
        )

    print("1. Build an index from source and documentation")
    knowledge = [ft.markup(options.docs)] if options.docs else []
    curators: list[Curator | StatefulCurator] = [
        ft.MinConfidence(0.5),
        ft.Deduplicate(),
        ft.RedactSecrets(),
    ]
    if source:
        source = source.resolve()
        knowledge.append(ft.python_package(source))
        curators.append(ft.CheckCode(source.name, path=source))
    print(ft.build_index(out / "corpus.lance", *knowledge))

    print("\n2. Make a data set whose prompts contain retrieved passages")
    pipeline = ft.Pipeline(
        collector=ft.DiscordExportCollector(options.exports),
        curators=curators,
        augmenter=ft.RagAugmenter(out / "corpus.lance", k=4),
        template=ft.PromptTemplate(
            "You help the users of our project.\n\nContext:\n{context}\n\nQuestion:\n{question}"
        ),
        exporter=[ft.JsonlExporter(out / "train.jsonl"), ft.CsvExporter(out / "train.csv")],
    )
    run = pipeline.run()
    print(run.report)
    run.contract.save(out / "bot.contract.json")

    print("\n3. Make a data set of the same pairs, without retrieval")
    plain = pipeline.evolve(
        augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(out / "plain.jsonl")
    ).run()
    print(plain.report)

    print("\n4. Load the contract in another process, as a bot does", flush=True)
    bot = [
        sys.executable,
        str(HERE / "bot_side.py"),
        str(out / "bot.contract.json"),
        str(out / "train.jsonl"),
    ]
    subprocess.run(bot, check=True)

    print("\n5. Write a report to show to the community")
    try:
        print(ft.write_report(out / "report.html", run, without_retrieval=plain.datasets[0]))
    except MissingExtraError as error:
        print(error)


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
