"""What became of the messages and pairs of each channel, and what could be done about the losses, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from furytune._privacy.printable import one_line
from furytune.reasons import advice
from furytune.report.overview import ChannelCounts
from furytune.report.tally import Counts, DropCount

__all__ = ["advised", "funnel"]

_SHOWN = 10  # channels; all of them are in `Overview.channels`
_REASONS = 3  # for each channel
_ADVISED = 5
_LEAST = 0.02  # share of the messages or pairs that a loss must have to be worth advice
_NAME = 24
_WIDTH = 100
_INDENT = " " * 10


def advised(counts: Counts, channels: Sequence[ChannelCounts] = ()) -> Iterator[str]:
    """Yields lines of advice for the largest losses that a user can do something about."""
    totals = {"message": counts.messages, "pair": counts.pairs}
    worth = [
        d
        for d in counts.dropped
        if advice(d.unit, d.reason) and d.count >= _LEAST * totals.get(d.unit, d.count)
    ]
    for dropped in sorted(worth, key=lambda d: -d.count)[:_ADVISED]:
        yield f"advice    {dropped.count:>9,}  {dropped.unit:<8} {dropped.reason}{_most(dropped, channels)}"
        yield from wrap(
            advice(dropped.unit, dropped.reason),
            _WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_on_hyphens=False,
            break_long_words=False,
        )


def funnel(channels: Sequence[ChannelCounts]) -> Iterator[str]:
    """Yields a table of channels, the one with the most messages first; nothing if no channel has messages."""
    read = sorted((c for c in channels if c.messages), key=lambda c: -c.messages)
    if not read:
        return
    yield f"{'channel':<{_NAME}}  messages  in pairs     pairs      rows"
    for channel in read[:_SHOWN]:
        name = _named(channel)
        name = name if len(name) <= _NAME else f"{name[: _NAME - 1]}\u2026"
        numbers = (channel.messages, channel.messages_used, channel.pairs, channel.rows)
        yield f"{name:<{_NAME}}{''.join(f'{n:>10,}' for n in numbers)}"
        if channel.dropped:
            losses = (_loss(*loss) for loss in channel.dropped[:_REASONS])
            yield f"{_INDENT}lost: {', '.join(losses)}"
    if more := read[_SHOWN:]:
        yield f"and {len(more):,} more channels with {sum(c.messages for c in more):,} messages"


def _named(channel: ChannelCounts) -> str:
    return f"#{one_line(channel.name)}" if channel.name else one_line(channel.id) or "(no channel)"


def _loss(unit: str, reason: str, count: int) -> str:
    if unit == "message":
        return f"{count:,} {reason}"
    return f"{count:,} {unit}{'' if count == 1 else 's'} {reason}"


def _most(dropped: DropCount, channels: Sequence[ChannelCounts]) -> str:
    """Returns which channel has the most of a loss."""
    found = [
        (count, channel)
        for channel in channels
        for unit, reason, count in channel.dropped
        if (unit, reason) == (dropped.unit, dropped.reason)
    ]
    if not found:
        return ""
    count, channel = max(found, key=lambda item: item[0])
    return f" ({count:,} in {_named(channel)})"
