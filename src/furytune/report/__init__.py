"""Reports what a run did."""

from furytune.report.comparing import compare
from furytune.report.profiles import ChannelProfile, ChannelProfiles
from furytune.report.report import Report
from furytune.report.tally import Counts, DropCount, Tally

__all__ = [
    "ChannelProfile",
    "ChannelProfiles",
    "Counts",
    "DropCount",
    "Report",
    "Tally",
    "compare",
]
