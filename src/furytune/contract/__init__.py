"""The prompt contract: renders every prompt, in training and in the bot."""

from furytune.contract.contract import BEFORE_ALL_DATES, Deviation, PromptContract
from furytune.contract.model import ModelName

__all__ = ["BEFORE_ALL_DATES", "Deviation", "ModelName", "PromptContract"]
