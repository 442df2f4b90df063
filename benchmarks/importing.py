"""Measures how much longer `import furytune` takes than `import attrs`.

usage: python benchmarks/importing.py [--repeats 15]
"""

from __future__ import annotations

import argparse
import sys

from _process import compare

WAYS = {
    "import furytune": "import furytune",
    "... and Pipeline": "import furytune; furytune.Pipeline",
    "import lancedb": "import lancedb",
    "import attrs": "import attrs",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    found = compare(
        {name: [sys.executable, "-c", code] for name, code in WAYS.items()}, parser.parse_args().repeats
    )
    base = found["import attrs"][0]
    for name, (seconds, _) in found.items():
        print(f"{name:<20}{1000 * (seconds - base):>8.0f} ms more than importing attrs")


if __name__ == "__main__":
    main()
