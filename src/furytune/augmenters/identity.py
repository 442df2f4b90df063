"""The augmenter that adds nothing: questions as they are."""

from furytune.contract.identity import IdentityAugmenter

__all__ = ["IdentityAugmenter"]
