"""Exporters: they write training rows to files."""

from __future__ import annotations

from furytune.exporters._writing.manifest import load_dataset

__all__ = ["load_dataset"]
