"""Reports what a run did."""

from furytune.report.comparing import compare
from furytune.report.report import Report
from furytune.report.tally import Tally

__all__ = ["Report", "Tally", "compare"]
