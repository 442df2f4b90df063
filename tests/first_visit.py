"""Does what README says, in order, as its first reader: in a copy of the tree, in the environment that its first command makes.

    python tests/first_visit.py FOLDER

Afterwards the folder holds the copy, the environment in ``.venv``, and all Python blocks in ``readme.py``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WANTED = ("src", "examples", "pyproject.toml", "README.md", "LICENSE")
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main(folder: Path) -> None:
    folder.mkdir()
    for name in WANTED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    commands = [text for kind, text in blocks if kind == "sh" and "pytest" not in text]
    for command in commands:
        subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, check=True)
    code = "\n\n".join(text for kind, text in blocks if kind == "python")
    assert commands, "README has no command"
    assert code.count("import furytune") > 2, "README has lost its blocks"
    (folder / "readme.py").write_text(code, encoding="utf-8")
    subprocess.run([folder / ".venv" / "bin" / "python", "-W", "error", "readme.py"], cwd=folder, check=True)
    print("README does what it says")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
