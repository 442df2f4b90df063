"""What is documented about Gemini models: limits, prices, retirement dates, regions. It only advises.

A model that is not listed can be used too: its cost is unknown unless the caller gives a price, and the
service checks its limits. Check the dates before you trust a number.

Sources:

- limits and regions: docs.cloud.google.com/gemini-enterprise-agent-platform/models/tuning/supervised-tuning,
  page of 2026-09-25;
- prices: the Vertex AI price page as users quoted it in September 2026; we have not seen the page itself;
- retirement dates: Google's notices to customers, as public issue threads of 2026 quote them.
"""

from __future__ import annotations

from datetime import date

from attrs import frozen

__all__ = [
    "ADAPTER_SIZES",
    "MAX_BYTES",
    "MAX_ROWS",
    "MAX_TOKENS",
    "MAX_VALIDATION",
    "MAX_VALIDATION_SHARE",
    "MODELS",
    "PRICE_SOURCE",
    "KnownModel",
    "known",
]

PRICE_SOURCE = "from Google's price page as users quoted it"
"""Where the prices come from."""

MAX_TOKENS = 131_072
"""Most tokens of one training example on Vertex, prompt and answer together."""

MAX_ROWS = 10_000_000
"""Most rows of one training file on Vertex."""

MAX_BYTES = 1_000_000_000
"""Most bytes of one training file on Vertex; we take "1 GB" for the smaller of its two meanings."""

MAX_VALIDATION = 5_000
"""Most validation rows on Vertex."""

MAX_VALIDATION_SHARE = 0.3
"""Most validation rows as a share of the training rows, if there are more than 1,000 validation rows."""

ADAPTER_SIZES = (1, 2, 4, 8, 16)
"""Adapter sizes of models that are not listed."""


@frozen(kw_only=True)
class KnownModel:
    """What is known about a model.

    Attributes:
        name: The model's name on Vertex.
        price: US dollars per million training tokens; None if unknown.
        priced: When the price was quoted.
        adapter_sizes: Adapter sizes that the model supports.
        regions: Where it can be tuned; empty if it can be tuned in every region with Gemini.
        retires: When Google switches it off.
        thinking: Lowest setting, as fields of ``thinkingConfig``; empty to send none.
    """

    name: str
    price: float | None = None
    priced: date = date(2026, 9, 1)
    adapter_sizes: tuple[int, ...] = ADAPTER_SIZES
    regions: tuple[str, ...] = ()
    retires: date | None = None
    thinking: tuple[tuple[str, str | int], ...] = ()

    def remarks(self, *, location: str, today: date) -> list[str]:
        """Returns what a user should know before tuning it.

        Args:
            location: Where the job will run.
            today: Today's date.
        """
        found = []
        if self.retires is not None:
            word = "was to be" if today >= self.retires else "is to be"
            found.append(f"{self.name} {word} switched off on {self.retires}; its tuned models end with it")
        if self.regions and location not in self.regions:
            found.append(
                f"{self.name} is documented to be tuned in {' and '.join(self.regions)}, not in {location}"
            )
        return found


_NEW_PLACES = ("us-central1", "europe-west4")
_MINIMAL = (("thinkingLevel", "MINIMAL"),)
_NONE = (("thinkingBudget", 0),)

MODELS: dict[str, KnownModel] = {
    m.name: m
    for m in (
        KnownModel(name="gemini-3.5-flash", price=10.0, regions=_NEW_PLACES, thinking=_MINIMAL),
        KnownModel(name="gemini-3.5-flash-lite", regions=_NEW_PLACES, thinking=_MINIMAL),
        KnownModel(name="gemini-3.1-flash-lite", price=3.0, regions=_NEW_PLACES, thinking=_MINIMAL),
        KnownModel(name="gemini-2.5-flash", price=5.0, retires=date(2027, 3, 31), thinking=_NONE),
        KnownModel(name="gemini-2.5-flash-lite", price=1.5, retires=date(2027, 1, 28), thinking=_NONE),
        KnownModel(
            name="gemini-2.5-pro",
            price=25.0,
            adapter_sizes=(1, 2, 4, 8),
            retires=date(2027, 3, 31),
            thinking=(("thinkingBudget", 128),),
        ),
    )
}
"""Every model that the documentation lists for supervised tuning."""


def known(name: str) -> KnownModel:
    """Returns what is known about a model; for a model that is not listed, only its name.

    Args:
        name: Name of the model, with or without ``models/`` or ``publishers/google/models/``.
    """
    # A model may be given as "publishers/google/models/NAME".
    short = name.rpartition("/")[2]
    return MODELS.get(short) or KnownModel(name=short)
