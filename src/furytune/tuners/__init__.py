"""Tuners: they train models on data sets."""

from furytune.records import Loss
from furytune.tuners._jobs.service import TuningSettings

__all__ = ["Loss", "TuningSettings"]
