"""Measures how the work of a function grows with its input, and makes the inputs that regular expressions are slow on."""

from __future__ import annotations

import ast
import gc
import importlib
import pkgutil
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import attrs

import furytune
from furytune._privacy.redaction.lazy import Lazy

_SHORT = 0.004
"""Seconds. Below, a run is not worth measuring again; no assertion depends on it."""
_AFFORDED = 2.0
"""Seconds. No larger input is tried if it would take longer."""
_TIMES = 16
_MOST = 64.0
"""16 times the input may take up to this many times the work: 16 is linear, 256 quadratic. Far from both, for noise."""

_TRIES = 3
"""A busy machine may slow one of the two down; what is really slow is so each time."""


def cost(act: Callable[[], Any], times: int) -> float:
    """Least processor time of several runs."""
    least = float("inf")
    for _ in range(times):
        begin = time.process_time()
        act()
        least = min(least, time.process_time() - begin)
    return least


def grows_too_fast(act: Callable[[Any], Any], make: Callable[[int], Any], sizes: tuple[int, ...]) -> str:
    """Compares the work for n and 16n; returns a description if it grows faster than in proportion."""
    gc.disable()
    try:
        for n in sizes:
            large, small = make(n), make(n // _TIMES)
            if cost(lambda given=large: act(given), 1) < _SHORT:
                continue
            ratio = float("inf")
            for _ in range(_TRIES):
                spent = cost(lambda given=large: act(given), 3)
                ratio = min(ratio, spent / max(cost(lambda given=small: act(given), 5), 1e-6))
                if ratio <= _MOST:
                    break
            # What is bounded may grow fast up to its bound, so only the largest size that can be afforded counts.
            if ratio > _MOST and (n == sizes[-1] or spent * ratio > _AFFORDED):
                return f"{ratio:.0f} times the work for {_TIMES} times the input, at {n}"
    finally:
        gc.enable()
    return ""


def calls(act: Callable[[], Any]) -> int:
    """How many calls of functions an act makes: the same on every machine, however busy it is."""
    made = 0

    def count(_frame: Any, event: str, _of: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
    return made


# Patterns -----------------------------------------------------------------------------------------------------------


def modules() -> Iterator[Any]:
    """All modules that run on the data of others."""
    for found in pkgutil.walk_packages(furytune.__path__, "furytune."):
        if not found.name.startswith("furytune.testing"):
            yield importlib.import_module(found.name)


@cache
def patterns() -> dict[str, tuple[re.Pattern[Any], frozenset[str]]]:
    """Every pattern that a module holds or writes into a call, with the methods that it is used with."""
    found: dict[str, tuple[re.Pattern[Any], frozenset[str]]] = {}
    for module in modules():
        source = Path(module.__file__).read_text(encoding="utf-8")
        for name, value in vars(module).items():
            for at, pattern in enumerate(_within(value, 4)):
                used = re.findall(
                    rf"\b{name}\.(match|fullmatch|search|sub|subn|split|findall|finditer)\b", source
                )
                found.setdefault(f"{module.__name__}.{name}.{at}", (pattern, frozenset(used or ["search"])))
        for call in _calls(source):
            method, text, flags = call
            key = f"{module.__name__}: re.{method}({text!r})"
            found[key] = (re.compile(text, flags), frozenset([method]))
    unique: dict[tuple[Any, int, frozenset[str]], str] = {}
    for key, (pattern, used) in found.items():
        unique.setdefault((pattern.pattern, pattern.flags, used), key)
    return {key: found[key] for key in unique.values()}


def _within(value: Any, depth: int) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Lazy):
        yield value.compiled
    elif depth and isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from _within(item, depth - 1)
    elif depth and isinstance(value, dict):
        yield from _within([*value, *value.values()], depth - 1)
    elif depth and attrs.has(type(value)):
        yield from _within([getattr(value, f.name, None) for f in attrs.fields(type(value))], depth - 1)


def _calls(source: str) -> Iterator[tuple[str, str, int]]:
    """Calls such as ``re.sub("pattern", ...)`` with the pattern written out."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            flags = 0
            for keyword in node.keywords:
                if keyword.arg == "flags":
                    flags = int(eval(ast.unparse(keyword.value), {"re": re}))
            method = "match" if node.func.attr == "compile" else node.func.attr
            yield method, node.args[0].value, flags


def attack(pattern: re.Pattern[Any], methods: frozenset[str], every: int = 1) -> str:
    """Looks for an input that takes a pattern more than linear time, in every so many-th; returns it described, or ""."""
    is_bytes = isinstance(pattern.pattern, bytes)
    acts = []
    if methods & {"search", "sub", "subn", "split", "findall", "finditer"}:
        acts.append(lambda text: sum(1 for _ in pattern.finditer(text)))
    if "match" in methods:
        acts.append(pattern.match)
    if "fullmatch" in methods:
        acts.append(pattern.fullmatch)
    text = pattern.pattern.decode() if is_bytes else pattern.pattern
    parsed = _parser.parse(text, pattern.flags & ~re.UNICODE if is_bytes else pattern.flags)
    for before, pump, after in islice(_inputs(parsed), 0, None, every):

        def make(n: int, before: str = before, pump: str = pump, after: str = after) -> Any:
            made = before + pump * (n // len(pump)) + after
            return made.encode() if is_bytes else made

        for act in acts:
            if said := grows_too_fast(act, make, (32, 256, 2048, 16_384)):
                return f"{before!r} + n * {pump!r} + {after!r}: {said}"
    return ""


def _inputs(parsed: Any) -> Iterator[tuple[str, str, str]]:
    """What to put before, what to repeat, what to end with, made from the parts of a pattern."""
    befores = list(dict.fromkeys(_beginnings(parsed)))[:12]
    characters = list(dict.fromkeys([*_characters(parsed), *" \na0"]))[:24]
    wholes = [w for w in dict.fromkeys(_wholes(parsed)) if 1 < len(w) <= 40][:12]
    pumps = [*characters, *wholes]
    pumps += [a + b for a in characters[:8] for b in characters[:8] if a != b]
    chance = random.Random(0)
    pumps += ["".join(chance.choices(characters[:12], k=chance.randint(3, 6))) for _ in range(40)]
    for pump in dict.fromkeys(pumps):
        for before in befores if len(pump) == 1 else befores[:3]:
            for after in ("", "\0", "x\n") if len(pump) == 1 else ("", "\0"):
                yield before, pump, after


def _beginnings(parsed: Any) -> Iterator[str]:
    """Shortest strings that bring a match as far as each of its parts."""
    yield ""
    done = ""
    for part in parsed:
        for inner in _branches(part):
            for begun in _beginnings(inner):
                yield done + begun
        done += _shortest([part])


def _wholes(parsed: Any) -> Iterator[str]:
    """Shortest strings that each repeated part of a pattern matches, and the whole."""
    yield _shortest(parsed)
    for part in parsed:
        for inner in _branches(part):
            yield from _wholes(inner)


def _branches(part: Any) -> list[Any]:
    op, value = str(part[0]), part[1]
    if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return [value[2]]
    if op == "SUBPATTERN":
        return [value[3]]
    if op == "BRANCH":
        return list(value[1])
    if op == "ATOMIC_GROUP":
        return [value]
    if op in ("ASSERT", "ASSERT_NOT"):
        return [value[1]] if value[0] > 0 else []
    return []


def _shortest(parsed: Any) -> str:
    text = ""
    for part in parsed:
        op, value = str(part[0]), part[1]
        if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            text += _shortest(value[2]) * min(max(value[0], 1), 40)
        elif op == "SUBPATTERN":
            text += _shortest(value[3])
        elif op == "BRANCH":
            text += _shortest(value[1][0])
        elif op == "ATOMIC_GROUP":
            text += _shortest(value)
        elif op not in ("ASSERT", "ASSERT_NOT", "AT"):
            text += next(_of(part), "")
    return text


def _characters(parsed: Any) -> Iterator[str]:
    for part in parsed:
        yield from _of(part)
        for inner in _branches(part):
            yield from _characters(inner)


_CATEGORY = {
    "CATEGORY_DIGIT": "0",
    "CATEGORY_SPACE": " ",
    "CATEGORY_WORD": "a",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_SPACE": "a",
    "CATEGORY_NOT_WORD": "-",
}


def _of(part: Any) -> Iterator[str]:
    """A few characters that a part for one character matches."""
    op, value = str(part[0]), part[1]
    if op == "LITERAL":
        yield chr(value)
    elif op == "NOT_LITERAL":
        yield "a" if value != ord("a") else "b"
    elif op == "ANY":
        yield "a"
    elif op == "CATEGORY":
        yield _CATEGORY[str(value)]
    elif op == "IN":
        if str(value[0][0]) == "NEGATE":
            taken = {c for item in value[1:] for c in _of(item)}
            yield from [c for c in "a .-0`<\n" if c not in taken][:3]
        else:
            for item in value:
                yield from _of(item)
    elif op == "RANGE":
        yield chr(value[0])
