"""Reports what a run did."""

from furytune.report.comparing import compare
from furytune.report.profiles import ChannelProfile, ChannelProfiles
from furytune.report.report import Report
from furytune.report.tally import ChannelCount, Counts, DropCount, Tally

__all__ = [
    "ChannelCount",
    "ChannelProfile",
    "ChannelProfiles",
    "Counts",
    "DropCount",
    "Report",
    "Tally",
    "compare",
]
