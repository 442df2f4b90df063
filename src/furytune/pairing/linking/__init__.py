"""Finds out of flat chat which message answers which."""

from __future__ import annotations

from furytune.pairing.linking.linker import Linker

__all__ = ["Linker"]
