"""Draws the report's few charts as static SVG.

Widths are percentages, so that a chart fills its column on any screen while its text keeps its size. Colours are classes, for
both themes. Labels are escaped here, because they are names that people chose.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from markupsafe import Markup

from furytune._privacy.printable import one_line

__all__ = ["Column", "bar", "columns", "interval"]

_HEIGHT, _FOOT = 150, 22
_TOP = 20
_LABELS = 5
_GAP = 0.16  # share of a column's width that is left empty
_WIDEST = 12  # percent; two months must not look like two walls


@frozen
class Column:
    """A column of a chart.

    Attributes:
        label: What it stands for.
        value: Height of its lower part.
        more: Height of the part above it.
    """

    label: str
    value: int
    more: int = 0


def bar(value: float, most: float) -> Markup:
    """Returns a horizontal bar. It is decoration: the number must be beside it."""
    width = 100 * value / most if most else 0
    # A bar that is too short to be seen would look like zero.
    width = max(width, 0.6) if value else 0
    return Markup(
        '<svg class="bar" width="100%" height="8" aria-hidden="true" focusable="false">'
        '<rect class="track" width="100%" height="8" rx="4"/><rect class="one" width="{:.2f}%" height="8" rx="4"/></svg>'
    ).format(width)


def columns(
    shown: Sequence[Column],
    name: str,
    *,
    limit: float | None = None,
    limit_name: str = "",
    ticks: Sequence[str] = (),
) -> Markup:
    """Returns a column chart.

    Args:
        shown: The columns, in order.
        name: What the chart shows, in a sentence, for people who do not see it.
        limit: Where to draw a vertical line, between 0 and 1.
        limit_name: What the line stands for.
        ticks: Labels at equal distances from the left to the right end; by default some labels of columns.
    """
    most = max((c.value + c.more for c in shown), default=0) or 1
    wide = 100 / max(len(shown), 1)
    parts = [_grid(most)]
    for i, column in enumerate(shown):
        width = min(wide * (1 - _GAP), _WIDEST)
        x = wide * (i + 0.5) - width / 2
        low = (_HEIGHT - _TOP) * column.value / most
        high = (_HEIGHT - _TOP) * column.more / most
        if column.more:
            parts.append(_rect("two", x, _HEIGHT - low - high, width, high))
        if column.value:
            parts.append(_rect("one", x, _HEIGHT - low, width, low))
    parts += _ends(ticks) if ticks else _some([c.label for c in shown], wide)
    if limit is not None and 0 <= limit <= 1:
        parts.append(_limit(100 * limit, limit_name))
    return Markup('<svg class="columns" width="100%" height="{}" role="img" aria-label="{}">{}</svg>').format(
        _HEIGHT + _FOOT, one_line(name), Markup("").join(parts)
    )


def interval(least: float, most: float, end: float, name: str) -> Markup:
    """Returns a range on a line from 0 to ``end``."""
    x, width = (100 * least / end, max(100 * (most - least) / end, 0.8)) if end else (0.0, 0.0)
    return Markup(
        '<svg class="interval" width="100%" height="16" role="img" aria-label="{}">'
        '<rect class="track" y="4" width="100%" height="8" rx="4"/>'
        '<rect class="one" x="{:.2f}%" y="2" width="{:.2f}%" height="12" rx="6"/></svg>'
    ).format(one_line(name), x, min(width, 100 - x))


def _grid(most: int) -> Markup:
    """Returns the base line, and a line at the height of the highest column with its value."""
    return Markup(
        '<line class="rule" x1="0" x2="100%" y1="{}" y2="{}"/><line class="base" x1="0" x2="100%" y1="{}" y2="{}"/>'
        '<text class="tick" x="0" y="{}">{}</text>'
    ).format(_TOP, _TOP, _HEIGHT, _HEIGHT, _TOP - 6, f"{most:,}")


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.3f}%" y="{:.1f}" width="{:.3f}%" height="{:.1f}"/>').format(
        kind, x, y, width, max(height, 1)
    )


def _some(labels: Sequence[str], wide: float) -> list[Markup]:
    """Returns labels of a few columns: as many as there is room for on a telephone."""
    last = len(labels) - 1
    count = min(_LABELS, len(labels))
    picked = sorted({round(i * last / max(count - 1, 1)) for i in range(count)})
    return [_tick(wide * (i + 0.5), labels[i]) for i in picked]


def _ends(ticks: Sequence[str]) -> list[Markup]:
    last = max(len(ticks) - 1, 1)
    return [_tick(100 * i / last, label) for i, label in enumerate(ticks)]


def _tick(x: float, label: str) -> Markup:
    anchor, x = ("start", 0.0) if x < 8 else ("end", 100.0) if x > 92 else ("middle", x)
    return Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(
        x, _HEIGHT + 16, anchor, one_line(label)
    )


def _limit(x: float, name: str) -> Markup:
    anchor, shift = ("end", -6) if x > 50 else ("start", 6)
    return Markup(
        '<line class="limit" x1="{:.2f}%" x2="{:.2f}%" y1="{}" y2="{}"/>'
        '<text class="limit" x="{:.2f}%" dx="{}" y="{}" text-anchor="{}">{}</text>'
    ).format(x, x, _TOP - 4, _HEIGHT, x, shift, _TOP + 10, anchor, one_line(name))
