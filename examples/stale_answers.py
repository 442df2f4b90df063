"""Finds the answers that no longer work with a new release, since when, and what to use instead.

You need no key, no account and no network. The example writes two small releases of a package to a temporary folder. They
change what FURY changed between its releases: names move, arguments get other names, methods go. To check answers about
FURY itself, pass two releases of it as folders, sdists or wheels:

    python examples/stale_answers.py
    python examples/stale_answers.py --package fury --old fury-0.12.0.tar.gz --new fury-2.0.0.tar.gz answers.jsonl
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import furytune as ft

OLD = {
    "__init__.py": '"""Draws."""\n__version__ = "0.12"\n',
    "actor.py": (
        "def sphere(centers, colors=None, radius=1.0):\n    ...\n\n"
        "def disk(centers, radius=1.0):\n"
        '    """Draws disks.\n\n    .. deprecated:: 0.12\n        Use `fury.actor.ring` instead.\n    """\n'
    ),
    "utils.py": "def rotate(actor, angle):\n    ...\n",
    "window.py": (
        "class ShowManager:\n    def __init__(self, scene, size=(300, 300)): ...\n"
        "    def initialize(self): ...\n    def start(self): ...\n"
    ),
}
NEW = {
    "__init__.py": '"""Draws, in a new way."""\n__version__ = "2.0"\n',
    "actor.py": "def sphere(centers, *, colors=None, radii=1.0):\n    ...\n\ndef ring(centers, *, radii=1.0):\n    ...\n",
    "transform.py": "def rotate(actor, angle):\n    ...\n",
    "window.py": (
        "class ShowManager:\n    def __init__(self, *, scene=None, size=(300, 300)): ...\n    def start(self): ...\n"
    ),
}
ANSWERS = {
    "How do I draw a red sphere?": "```python\nfrom fury import actor\nactor.sphere([[0, 0, 0]], colors=(1, 0, 0))\n```",
    "How do I make it larger?": "Like so:\n```python\nfrom fury import actor\nactor.sphere([[0, 0, 0]], radius=5)\n```",
    "How do I draw a disk?": ">>> from fury import actor\n>>> actor.disk([[0, 0, 0]])",
    "How do I turn an actor?": "Call `fury.utils.rotate(actor, 90)`.",
    "How do I show it?": (
        "```python\nfrom fury import window\nmanager = window.ShowManager(scene=scene)\nmanager.initialize()\n"
        "manager.start()\n```"
    ),
    "Is there a meeting today?": "Yes, at 5 pm.",
}


def written(files: dict[str, str], folder: Path) -> Path:
    """Writes a release of the package and returns the folder that contains it."""
    (folder / "fury").mkdir(parents=True)
    for name, source in files.items():
        (folder / "fury" / name).write_text(source, "utf-8")
    return folder


def main() -> None:
    """Prints a verdict for each answer, then what a pipeline keeps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "answers", nargs="?", help='file with a {"question": ..., "answer": ...} on each line'
    )
    parser.add_argument("--package", default="fury", help="name of the package")
    parser.add_argument("--old", help="its older release; a small stand-in by default")
    parser.add_argument("--new", help="the release that the bot answers for; a small stand-in by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old = options.old or written(OLD, Path(folder) / "old")
        new = options.new or written(NEW, Path(folder) / "new")
        check = ft.CheckCode(options.package, path=new, older=[old])
        pairs = (
            [*ft.JsonlCollector(options.answers).collect()]
            if options.answers
            else [
                ft.QAPair(id=str(number), question=question, answer=answer, group=str(number))
                for number, (question, answer) in enumerate(ANSWERS.items())
            ]
        )
        kept = 0
        for pair in pairs:
            if isinstance(pair, ft.QAPair):
                verdict = str(check.verdict(pair.answer)).replace("\n", "\n  ")
                print(f"{pair.question}\n  {verdict}\n")
                kept += isinstance(check(pair), ft.QAPair)
        print(f"A pipeline with this step keeps {kept} of {len(pairs)} pairs.")


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
