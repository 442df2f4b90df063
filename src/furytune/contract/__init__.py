"""The prompt contract: renders every prompt, in training and in the bot."""

from furytune.contract.contract import BEFORE_ALL_DATES, Deviation, PromptContract

__all__ = ["BEFORE_ALL_DATES", "Deviation", "PromptContract"]
