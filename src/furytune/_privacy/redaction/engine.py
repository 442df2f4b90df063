r"""Runs the shapes over a text.

One function without state: equal texts give equal results in every process, and redacting twice gives the
same as redacting once. It runs on questions too, in training and in the bot alike, so `VERSION` is raised
whenever the result changes for any text.

Why the shapes are safe and fast:

* A shape is tried only if one of its ``hints`` is in the text. Most messages contain none.
* The passes repeat until nothing is found, because a replacement may uncover another span.
* Every repetition is bounded, or starts at a boundary that its own characters cannot contain, so time is
  linear in the length of the text.
* What is replaced contains no square bracket, so a placeholder is never a part of a later match, and is not taken for
  context either.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from attrs import frozen

from furytune._privacy.redaction import (
    accounts,
    assignments,
    commands,
    emails,
    networks,
    people,
    phones,
    places,
    prose,
    tokens,
)
from furytune._privacy.redaction.shape import PLACEHOLDERS
from furytune.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["KINDS", "PLACEHOLDERS", "VERSION", "chosen", "redact"]

VERSION: Final = 2
"""Raised whenever the result changes for any text; part of the contract's fingerprint."""

KINDS: Final = tuple(PLACEHOLDERS)
"""What can be redacted, in this order."""

_SHAPES: Final = (
    *tokens.SHAPES,
    *assignments.SHAPES,
    *commands.SHAPES,
    *prose.SHAPES,
    *emails.SHAPES,
    *phones.SHAPES,
    *places.SHAPES,
    *people.SHAPES,
    *networks.SHAPES,
    *accounts.SHAPES,
)


def chosen(kinds: str | Iterable[str]) -> tuple[str, ...]:
    """Returns kinds in their fixed order, each once; "all" stands for every kind.

    Raises:
        ConfigError: One of them is unknown.
    """
    wanted = {kinds} if isinstance(kinds, str) else set(kinds)
    unknown = sorted(map(str, wanted - {*KINDS, "all"}))
    if unknown:
        raise ConfigError(f"cannot redact {', '.join(unknown)}; choose from {', '.join(KINDS)}, or all")
    return KINDS if "all" in wanted else tuple(kind for kind in KINDS if kind in wanted)


def redact(text: str, kinds: Collection[str]) -> tuple[str, int]:
    """Replaces secrets and personal data by placeholders.

    Version numbers, line numbers, tracebacks, Discord ids, commit ids, UUIDs and digests stay, unless one of them has the
    shape of a known secret. Placeholders, reserved domains and addresses that identify no one stay too.

    Args:
        text: Any text.
        kinds: Which of `KINDS` to replace.

    Returns:
        The new text, and the number of replaced spans.

    Raises:
        ConfigError: A kind is unknown.
    """
    plan = _planned(tuple(kinds))
    count = 0
    # Until nothing is found: a replacement can bring two parts together that form a new secret, and the
    # result must not change when it is redacted again.
    while shapes := _promising(text, plan):
        found = 0
        for at in shapes:
            text, n = _SHAPES[at].replace(text)
            found += n
        if not found:
            break
        count += found
    return text, count


@frozen
class _Hints:
    """What to look for in a text.

    Attributes:
        gates: Hints with their shapes, grouped by a rare character that they contain, to rule out many at once.
        wide: Hints that are not ASCII, with their shapes.
        words: Words with their shapes.
        always: Shapes that nothing rules out.
    """

    gates: tuple[tuple[str, tuple[tuple[str, tuple[int, ...]], ...]], ...]
    wide: tuple[tuple[str, tuple[int, ...]], ...]
    words: dict[str, tuple[int, ...]]
    always: tuple[int, ...]


@frozen
class _Plan:
    """The shapes of some kinds by what a text must contain. A shape is its place in the order.

    Attributes:
        any: Those that any text may contain.
        digit: Those that need a digit.
        long: Those that need a long word.
    """

    any: _Hints
    digit: _Hints
    long: _Hints


_DIGIT: Final = re.compile("[0-9]")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_LONG: Final = 12
_OPAQUE: Final = re.compile(rf"(?=[a-z_+=~-]{{0,{_LONG - 1}}}[0-9A-Z])[A-Za-z0-9_+=~-]{{{_LONG}}}")


@cache
def _planned(kinds: tuple[str, ...]) -> _Plan:
    wanted = chosen(kinds)
    any_: list[int] = []
    digit: list[int] = []
    long: list[int] = []
    for at, shape in enumerate(_SHAPES):
        if shape.kind in wanted:
            (long if shape.long else digit if shape.digit else any_).append(at)
    return _Plan(_hints(any_), _hints(digit), _hints(long))


def _hints(shapes: list[int]) -> _Hints:
    by_hint: dict[str, list[int]] = {}
    by_word: dict[str, list[int]] = {}
    for at in shapes:
        for hint in _SHAPES[at].hints:
            by_hint.setdefault(hint, []).append(at)
        for word in _SHAPES[at].words:
            by_word.setdefault(word, []).append(at)
    gates: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for hint, found in by_hint.items():
        if hint.isascii():
            # Most lines of chat contain none of these characters, so a few tests rule out most hints.
            gates.setdefault(next((c for c in "_=-:/@." if c in hint), ""), []).append((hint, tuple(found)))
    return _Hints(
        gates=tuple((gate, tuple(hints)) for gate, hints in gates.items()),
        wide=tuple((hint, tuple(found)) for hint, found in by_hint.items() if not hint.isascii()),
        words={word: tuple(found) for word, found in by_word.items()},
        always=tuple(at for at in shapes if not _SHAPES[at].hints and not _SHAPES[at].words),
    )


def _promising(text: str, plan: _Plan) -> list[int]:
    """Returns the shapes that may be in the text. Most texts contain none, so this is most of the work."""
    lower = text.lower()
    wide = not text.isascii()
    words = set(_LETTERS.findall(lower))
    found: set[int] = set()
    _look(lower, wide, words, plan.any, found)
    if _DIGIT.search(text):
        _look(lower, wide, words, plan.digit, found)
    if max(map(len, text.split()), default=0) >= _LONG and _OPAQUE.search(text):
        _look(lower, wide, words, plan.long, found)
    return sorted(found)


def _look(lower: str, wide: bool, words: set[str], hints: _Hints, found: set[int]) -> None:  # noqa: FBT001
    found.update(hints.always)
    for word in hints.words.keys() & words:
        found.update(hints.words[word])
    for gate, inside in hints.gates:
        if gate in lower:
            for hint, shapes in inside:
                if hint in lower:
                    found.update(shapes)
    if wide:
        for hint, shapes in hints.wide:
            if hint in lower:
                found.update(shapes)
