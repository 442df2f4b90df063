"""The handle of a tuned Gemini model."""

from furytune.models import TunedModel

__all__ = ["TunedModel"]
