"""How long a passage may be, in tokens."""

from __future__ import annotations

from attrs import field, frozen

from furytune._values.checks import at_least, of_type
from furytune.budget import TokenBudget

__all__ = ["MAX_TOKENS", "Beside", "Sizes"]

MAX_TOKENS = 600
_BYTES = 3


@frozen
class Sizes:
    """An upper bound on the tokens of a passage.

    Without an encoding a token is reckoned as three bytes of UTF-8, which needs no package and is the same on every
    machine. Of 8,475 passages of over 300 characters (documentation, source and notebooks of six projects)
    the median had 4.5 bytes a token in o200k_base, and ninety-nine in a hundred had 3.07 or more. So 22 of them were
    over a bound of 600, the worst by a fifth.

    Attributes:
        max_tokens: Most tokens.
        encoding: tiktoken's name of a vocabulary for an exact count, or "" for the estimate.

    Raises:
        ConfigError: An argument makes no sense.
        MissingExtraError: tiktoken is asked for and not installed.
        VocabularyUnavailableError: tiktoken has no such vocabulary at hand.
    """

    max_tokens: int = field(validator=at_least(50))
    encoding: str = field(default="", validator=of_type(str))
    _budget: TokenBudget | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        if self.encoding:
            budget = TokenBudget(self.max_tokens, encoding=self.encoding)
            budget.ready()
            object.__setattr__(self, "_budget", budget)

    def fits(self, text: str, *, beside: str = "") -> bool:
        """Tells whether a text, in the same passage as another, is within the bound."""
        text = f"{beside}\n\n{text}\n" if beside else text
        size = len(text.encode("utf-8", "surrogatepass"))
        if self._budget is None:
            return size <= self.max_tokens * _BYTES
        # No token of tiktoken's vocabularies is longer than 128 bytes, so a text beyond is not worth counting.
        return size <= self.max_tokens or (
            size <= self.max_tokens * 128 and self._budget.count(text) <= self.max_tokens
        )

    def beside(self, text: str) -> Sizes | Beside:
        """Returns the bound that another text leaves in its passage; the whole one if it leaves less than a half."""
        return Beside(self, text) if self.fits(text, beside=text) else self


@frozen
class Beside:
    """The bound of what shares a passage with a text, such as a heading."""

    sizes: Sizes
    text: str

    def fits(self, text: str) -> bool:
        """Tells whether both are within the bound."""
        return self.sizes.fits(text, beside=self.text)

    def beside(self, text: str) -> Sizes | Beside:
        """Returns the bound that a further text leaves."""
        return self.sizes.beside(f"{self.text}\n{text}")
