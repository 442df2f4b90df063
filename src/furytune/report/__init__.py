"""What a run did, for people."""

from furytune.report.report import Report, Tally, compare

__all__ = ["Report", "Tally", "compare"]
