"""How many tokens a text has for Gemini, as well as can be told without asking."""

from __future__ import annotations

import math
from collections.abc import Callable

from furytune.budget import TokenBudget
from furytune.errors import MissingExtraError, VocabularyUnavailableError

__all__ = ["token_counter"]

_MARGIN = 1.1


def token_counter() -> tuple[Callable[[str], int], str]:
    """Returns a function that counts tokens, and how it does.

    With tiktoken the count is its own and 10 % more, since Gemini's vocabulary is another one. Without, it
    is the number of bytes: no text has more tokens than that, and usually it has a quarter.
    """
    budget = TokenBudget(1)
    try:
        budget.count("")
    except (MissingExtraError, VocabularyUnavailableError):
        return lambda text: len(text.encode()), (
            "bytes, an upper bound about four times too high; `pip install 'furytune[tokens]'` for an estimate"
        )
    return lambda text: math.ceil(budget.count(text) * _MARGIN), "tiktoken o200k_base and 10 % more"
