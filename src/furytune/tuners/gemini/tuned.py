"""The tuned Gemini model, under its older address."""

from furytune.models import TunedModel

__all__ = ["TunedModel"]
