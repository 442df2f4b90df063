"""Labels that identify a remote job: at most 63 characters of [a-z0-9_-]."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

__all__ = ["CONTRACT", "KEY", "fingerprint_of", "labels"]

KEY = "furytune_key"
CONTRACT = "furytune_contract"

_SHA256 = re.compile(r"[0-9a-f]{64}")


def labels(key: str, fingerprint: str) -> dict[str, str]:
    """Returns the labels of a job.

    Args:
        key: 32 hexadecimal digits.
        fingerprint: Fingerprint of the contract. Its 64 digits are one too many for a label, so it becomes base32.
    """
    found = {KEY: key}
    if _SHA256.fullmatch(fingerprint):
        # 64 hex digits do not fit a label of 63 characters; in base 32 they take 52.
        found[CONTRACT] = base64.b32encode(bytes.fromhex(fingerprint)).decode().rstrip("=").lower()
    return found


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """Returns the contract fingerprint from a job's labels, or ""."""
    word = labels.get(CONTRACT, "").upper()
    try:
        return base64.b32decode(word + "=" * (-len(word) % 8)).hex()
    except ValueError:
        return ""
