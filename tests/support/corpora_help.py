"""What the tests of the corpora have in common: a small project, in each form it can come in."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter

from furytune.corpora.markup import markup
from furytune.records import Dropped, Passage

FILES = {
    "fury/__init__.py": '"""The package."""\n',
    "fury/actor.py": 'def sphere(r=1):\n    """Draw a sphere."""\n',
    "fury/tests/test_actor.py": "def test(): pass\n",
    "docs/source/guide.rst": "Guide\n=====\n\nHow to.\n",
    "docs/examples/plot.py": '"""\nBalls\n=====\n"""\n# %%\n# Make.\nx = 1\n',
    "README.md": "# FURY\n\nHello.\n",
    ".github/hidden.md": "never\n",
    "fury/__pycache__/never.py": "def never(): pass\n",
}
URL = "https://github.com/fury-gl/fury/blob/{revision}/{path}#L{start}-L{end}"


def read(file, **options):
    """The passages of a file, and the counts of what is left out by reason."""
    options.setdefault("suffixes", (file.suffix,))
    items = list(markup(file, **options))
    counts = Counter({(d.unit, d.reason): d.count for d in items if isinstance(d, Dropped)})
    return [p for p in items if isinstance(p, Passage)], {reason: n for (_, reason), n in counts.items()}


def split(items):
    items = list(items)
    return (
        {p.id: p for p in items if isinstance(p, Passage)},
        {d.reason: d for d in items if isinstance(d, Dropped)},
    )


def sdist(path, files=FILES, top="fury-0.12.0/", mode="w:gz", extra=()):
    with tarfile.open(path, mode) as archive:
        for name, text in {
            **files,
            "PKG-INFO": "Metadata-Version: 2.1\nVersion: 0.12.0\n\nVersion: 9\n",
        }.items():
            info = tarfile.TarInfo(f"{top}{name}")
            data = text.encode() if isinstance(text, str) else text
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in extra:
            archive.addfile(info, io.BytesIO(b"x = 1\n"[: info.size]))
    return path


def wheel(path, files=FILES):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**files, "fury-2.0.dist-info/METADATA": "Version: 2.0\n"}.items():
            archive.writestr(name, text)
    return path


def written(root):
    """Writes the project into a folder and returns it."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
