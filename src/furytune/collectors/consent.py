"""Who takes part in a collection."""

from furytune._privacy.consent import Consent

__all__ = ["Consent"]
