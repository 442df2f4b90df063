"""What type checkers say of wrong parts of a pipeline. Nothing here is run.

Each comment names an error that there has to be: mypy refuses a comment that it does not need.
"""

from __future__ import annotations

from furytune import (
    DiscordExportCollector,
    Dropped,
    IdentityAugmenter,
    JsonlExporter,
    Pipeline,
    QAPair,
    RedactSecrets,
)


def own_step(pair: QAPair) -> QAPair | Dropped:
    """Keeps every pair."""
    return pair


def right(collector: DiscordExportCollector, exporter: JsonlExporter) -> Pipeline:
    """Uses one part or several of each kind."""
    Pipeline(collector=collector, curators=own_step, exporter=exporter)
    several = Pipeline(
        collector=[collector, collector], curators=[RedactSecrets(), own_step], exporter=[exporter]
    )
    return several.evolve(augmenter=IdentityAugmenter(), exporter=exporter, tuner=None)


def wrong(collector: DiscordExportCollector, exporter: JsonlExporter) -> None:
    """Uses what does not fit."""
    Pipeline(collector=42)  # type: ignore[arg-type]
    Pipeline(collector=exporter)  # type: ignore[arg-type]
    Pipeline(collector=collector, exporter="train.jsonl")  # type: ignore[arg-type]
    Pipeline(collector=collector, curators=[exporter])  # type: ignore[list-item]
    Pipeline(collector=collector, augmenter=exporter)  # type: ignore[arg-type]
    Pipeline(collector=collector, tuner=exporter)  # type: ignore[arg-type]
    Pipeline(collector=collector).evolve(exporter=42)  # type: ignore[arg-type]
    Pipeline(collector=collector).evolve(exporters=exporter)  # type: ignore[call-arg]
