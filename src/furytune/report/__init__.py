"""Reports what a run did."""

from furytune.report.report import Report, Tally, compare

__all__ = ["Report", "Tally", "compare"]
