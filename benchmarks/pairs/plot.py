"""Draws precision over recall, for pages in light and in dark colours. `train_worth.py --plot FILE.svg` calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from attrs import frozen
from matplotlib.figure import Figure

__all__ = ["Point", "draw"]

_INK = "#808080"  # readable on white and on black
_LINES = ("#808080", "#0072b2", "#d55e00", "#009e73", "#aa4499")
_FEWEST = 10  # pairs; the share of fewer is mostly chance
_STYLE = {
    "svg.fonttype": "none",  # text stays text, so the file is small
    "svg.hashsalt": "furytune",  # the same curves give the same bytes
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


@frozen
class Point:
    """What is reached if all pairs down to a confidence are kept.

    Attributes:
        recall: The share of the good pairs that is found.
        precision: The share of the found pairs that is good.
        confidence: The lowest confidence that is kept.
    """

    recall: float
    precision: float
    confidence: float


def draw(curves: Mapping[str, Sequence[Point]], path: Path) -> None:
    """Writes a picture with one line for each curve.

    Args:
        curves: Points by name, from the highest confidence to the lowest. The first is drawn thicker.
        path: Where to write the SVG.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        for number, (name, points) in enumerate(curves.items()):
            shown = points[_FEWEST - 1 :]
            axes.plot(
                [point.recall for point in shown],
                [point.precision for point in shown],
                label=name,
                color=_LINES[number % len(_LINES)],
                linewidth=1.5 if number else 3,
            )
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
        axes.grid(alpha=0.25, color=_INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, labelcolor=_INK)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, transparent=True, metadata={"Date": None})
