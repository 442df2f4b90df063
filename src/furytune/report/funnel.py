"""What became of the messages and pairs of each channel, and what could be done about the losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from furytune.reasons import advice
from furytune.report.tally import ChannelCount, Counts, DropCount

__all__ = ["advised", "funnel"]

_SHOWN = 10  # channels; all of them are in `Counts.channels`
_REASONS = 3  # for each channel
_ADVISED = 5
_LEAST = 0.02  # share of the messages or pairs that a loss must have to be worth advice
_NAME = 24
_WIDTH = 100
_INDENT = " " * 10


def advised(counts: Counts) -> Iterator[str]:
    """Yields lines of advice for the largest losses that a user can do something about."""
    totals = {"message": counts.messages, "pair": counts.pairs}
    worth = [
        d
        for d in counts.dropped
        if advice(d.unit, d.reason) and d.count >= _LEAST * totals.get(d.unit, d.count)
    ]
    for dropped in sorted(worth, key=lambda d: -d.count)[:_ADVISED]:
        yield f"advice    {dropped.count:>9,}  {dropped.unit:<8} {dropped.reason}{_most(dropped, counts.channels)}"
        yield from wrap(
            advice(dropped.unit, dropped.reason),
            _WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_on_hyphens=False,
            break_long_words=False,
        )


def funnel(channels: Sequence[ChannelCount]) -> Iterator[str]:
    """Yields a table of channels, the one with the most messages first; nothing if there are none."""
    if not channels:
        return
    yield f"{'channel':<{_NAME}}  messages  in pairs     pairs      rows"
    for channel in channels[:_SHOWN]:
        name = channel.name if len(channel.name) <= _NAME else f"{channel.name[: _NAME - 1]}…"
        numbers = (channel.messages, channel.messages_used, channel.pairs, channel.rows)
        yield f"{name:<{_NAME}}{''.join(f'{n:>10,}' for n in numbers)}"
        losses = sorted(channel.dropped.items(), key=lambda item: -item[1])[:_REASONS]
        if losses:
            yield f"{_INDENT}lost: {', '.join(_loss(*key, n) for key, n in losses)}"
    if more := channels[_SHOWN:]:
        yield f"and {len(more):,} more channels with {sum(c.messages for c in more):,} messages"


def _loss(unit: str, reason: str, count: int) -> str:
    return f"{count:,} {reason}" if unit == "message" else f"{count:,} {unit}s {reason}"


def _most(dropped: DropCount, channels: Sequence[ChannelCount]) -> str:
    """Returns which channel has the most of a loss."""
    if not channels:
        return ""
    key = dropped.unit, dropped.reason
    top = max(channels, key=lambda c: c.dropped.get(key, 0))
    count = top.dropped.get(key, 0)
    return f" ({count:,} in {top.name})" if count else ""
