"""Compares two releases of a library: what each one knows, and a chat answer that works only with the older one.

You need no key and no account. pip downloads the FURY releases without their dependencies. Their code is read, not run.

    python examples/knowledge.py
    python examples/knowledge.py --package mylib --old path/to/mylib-1 --new path/to/mylib-2 --ask "How do I ...?"
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import furytune as ft

TEMPLATE = ft.PromptTemplate("Answer from the context.\n\nContext:\n{context}\n\nQuestion:\n{question}")
ANSWERED = ft.QAPair(
    id="discord:1",
    question="How do I show a sphere in a window?",
    answer=(
        "Add it to a scene and give that to the show manager:\n\n```python\n"
        "import numpy as np\n"
        "from fury import actor, window\n\n"
        "scene = window.Scene()\n"
        "scene.add(actor.sphere(np.zeros((1, 3)), colors=(1, 0, 0)))\n"
        "manager = window.ShowManager(scene, size=(600, 600))\n"
        "manager.initialize()\n"
        "manager.start()\n"
        "```"
    ),
    group="1",
)


def release(package: str, version: str, folder: Path) -> Path:
    """Downloads a release and returns the folder that contains its package."""
    target = folder / f"{package}-{version}"
    if not target.is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
        subprocess.run([*pip, f"{package}=={version}"], check=True)
    return target


def indexed(folder: Path, package: str, index: Path) -> ft.PromptContract:
    """Indexes a release and returns a contract whose prompts quote it."""
    version = folder.name.rpartition("-")[2]
    print(ft.build_index(index, ft.python_package(folder / package, revision=version)))
    return ft.PromptContract(template=TEMPLATE, augmenter=ft.RagAugmenter(index, k=2))


def main() -> None:
    """Indexes two releases, asks each a question, and checks an answer against each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--package", default="fury", help="name of the package")
    parser.add_argument("--old", help="folder with its older release; FURY 0.12.0 from PyPI by default")
    parser.add_argument("--new", help="folder with its newer release; FURY 2.0.0 from PyPI by default")
    parser.add_argument("--ask", default=ANSWERED.question, help="the question to ask")
    parser.add_argument("--out", type=Path, default=Path("knowledge-out"), help="output folder")
    options = parser.parse_args()
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    releases = {
        "old": Path(options.old) if options.old else release("fury", "0.12.0", out),
        "new": Path(options.new) if options.new else release("fury", "2.0.0", out),
    }
    for age, folder in releases.items():
        print(f"{age}: {folder.name}")
        contract = indexed(folder, options.package, out / f"{age}.lance")
        print(f"\n{contract.explain(options.ask)}\n")
        verdict = ft.CheckCode(options.package, path=folder / options.package)(ANSWERED)
        if isinstance(verdict, ft.Dropped):
            print(f"An answer from the chat no longer works: {verdict.detail}\n")
        else:
            print("An answer from the chat still works.\n")

    print("The library moves on: build the index of the old release again, from the new release.")
    contract = ft.PromptContract(template=TEMPLATE, augmenter=ft.RagAugmenter(out / "old.lance", k=2))
    contract.save(out / "bot.contract.json")
    indexed(releases["new"], options.package, out / "old.lance")
    before = ft.PromptContract.load(out / "bot.contract.json")
    after = before.refresh()
    print(f"the saved contract keeps its knowledge      {before.snapshot == contract.snapshot}")
    print(f"the refreshed contract has the same form    {after.fingerprint == before.fingerprint}")
    print(
        f"its prompt for the question has changed     {after.prompt(options.ask) != before.prompt(options.ask)}"
    )


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
