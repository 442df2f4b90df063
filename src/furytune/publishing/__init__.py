"""Describes data sets for other programs: a data set card, and Croissant metadata."""

from __future__ import annotations

from furytune.publishing.writing import Card, write_card

__all__ = ["Card", "write_card"]
