"""Checks parts, built in or from other packages, against the rules of their protocols.

Each function raises AssertionError with the rule that was broken, as its protocol words it (see
`furytune.protocols`). A part is held to its role and to every ability it has. Call them from the tests of your
plugin::

    def test_my_collector_keeps_the_rules():
        check_collector(lambda: MyCollector("fixture.json"))
"""

from furytune.testing.conformance.augmenters import check_augmenter, check_context_edit
from furytune.testing.conformance.collectors import check_collector, check_pairer
from furytune.testing.conformance.curation import check_curator, check_splitter
from furytune.testing.conformance.exporters import check_exporter
from furytune.testing.conformance.models import check_embedder, check_model, check_reranker
from furytune.testing.conformance.places import check_place
from furytune.testing.conformance.tuners import check_tuner

__all__ = [
    "check_augmenter",
    "check_collector",
    "check_context_edit",
    "check_curator",
    "check_embedder",
    "check_exporter",
    "check_model",
    "check_pairer",
    "check_place",
    "check_reranker",
    "check_splitter",
    "check_tuner",
]
