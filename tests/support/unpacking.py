"""How tests unpack archives of their own."""

from __future__ import annotations

import tarfile

SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # since Python 3.11.4
