"""``python -m furytune`` is the command ``furytune``."""

import sys

from furytune.cli import main

if __name__ == "__main__":
    sys.exit(main())
