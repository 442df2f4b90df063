"""Tuners: they train models on data sets."""

from furytune.tuners._jobs.service import Loss, TuningSettings

__all__ = ["Loss", "TuningSettings"]
