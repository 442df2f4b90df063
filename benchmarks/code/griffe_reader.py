"""Measures griffe on the same answers: the same reading of the code, but griffe finds the names and signatures.

    pip install griffe
    python benchmarks/code/griffe_reader.py numpy new gold.jsonl

griffe loads the package without importing it, resolves aliases and wildcard imports, and expands inherited members. A name is
called missing if griffe knows its parent, the parent is not an alias that it cannot resolve, and no module-level
``__getattr__`` may provide it.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path

import griffe
from measure import score

import furytune.curation._code.usage as usage
from furytune._python_source.kinds import MISSING, PRESENT, UNKNOWN
from furytune.curation._code import snippets


class Table:
    """Answers the questions of the reader of uses with griffe's model. Symbols are griffe's objects."""

    def __init__(self, package: str, folder: str) -> None:
        self.package = package
        self.loader = griffe.GriffeLoader(search_paths=[folder], allow_inspection=False)
        self.root = self.loader.load(package)
        self.loader.resolve_aliases(implicit=True, external=False)
        self.patches = lambda _: set()

    def module(self, dotted: str):
        found = self.lookup(dotted)[0]
        return found if getattr(found, "is_module", False) else None

    def lookup(self, dotted: str):
        symbol, head, *rest = self.root, *dotted.split(".")
        for name in rest:
            head = f"{head}.{name}"
            symbol = self.attribute(symbol, name)
            if symbol in (MISSING, UNKNOWN, PRESENT):
                return symbol, head
        return symbol, head

    def attribute(self, symbol, name):
        if symbol in (MISSING, UNKNOWN, PRESENT):
            return UNKNOWN
        try:
            if symbol.is_alias:
                symbol = symbol.final_target
            found = (symbol.all_members if symbol.is_class else symbol.members).get(name)
            if found is None:
                dynamic = "__getattr__" in symbol.members or (name.startswith("__") and name.endswith("__"))
                bases = symbol.is_class and len(symbol.resolved_bases) < len(symbol.bases)
                known = symbol.is_module or symbol.is_class
                return UNKNOWN if dynamic or bases or not known else MISSING
            return found.final_target if found.is_alias else found  # noqa: TRY300
        except (griffe.AliasResolutionError, griffe.CyclicAliasError):
            return PRESENT

    def offers(self, _dotted: str, _name: str):
        return True

    def starred(self, dotted: str, name: str):
        return self.attribute(self.module(dotted), name)

    def only_dynamic(self, _symbol, _name):
        return False

    def result(self, symbol):
        return usage.Instance((symbol,)) if getattr(symbol, "is_class", False) else UNKNOWN

    def public(self, symbol):
        return symbol.path


class Reader(usage._Reader):
    """Calls are checked against griffe's parameters."""

    def taken(self, inner, name, node):
        on = inner.symbol.classes[0] if isinstance(inner.symbol, usage.Instance) else inner.symbol
        if (
            on in (PRESENT, UNKNOWN)
            or getattr(on, "is_function", False)
            or getattr(on, "is_attribute", False)
        ):
            return None
        symbol = self.table.attribute(on, name)
        self.record(node, f"{inner.dotted}.{name}", "name", symbol, on)
        return None if symbol is MISSING else usage._Value(symbol, f"{inner.dotted}.{name}")

    def called(self, node, scope):
        if usage._expects(node):
            return None
        function = self.value(node.func, scope)
        self.expressions([a.value if isinstance(a, usage.ast.Starred) else a for a in node.args], scope)
        self.expressions([k.value for k in node.keywords], scope)
        if function is None:
            return None
        self.parameters(node, function)
        result = self.table.result(function.symbol)
        return usage._Value(result, function.dotted) if result is not UNKNOWN else None

    def parameters(self, node, function):
        symbol = function.symbol
        try:
            skip = getattr(symbol, "is_class", False) or (
                getattr(symbol, "is_function", False) and symbol.parent is not None and symbol.parent.is_class
            )
            if getattr(symbol, "is_class", False):
                symbol = symbol.all_members.get("__init__")
            known = [*symbol.parameters] if symbol is not None and symbol.is_function else None
            decorated = symbol is not None and symbol.is_function and symbol.decorators
        except (griffe.AliasResolutionError, griffe.CyclicAliasError, AttributeError):
            return
        if known is None or decorated:
            return
        known = known[1 if skip else 0 :]
        kinds = {p.kind.value for p in known}
        if "variadic keyword" not in kinds:
            for keyword in node.keywords:
                if keyword.arg and keyword.arg not in {p.name for p in known}:
                    self.add(
                        keyword, f"{function.dotted}({keyword.arg})", "argument", "missing", PRESENT, PRESENT
                    )
        place = [p for p in known if p.kind.value in {"positional-only", "positional or keyword"}]
        if "variadic positional" not in kinds and len(node.args) > len(place):
            self.add(node, f"{function.dotted}(place)", "argument", "missing", PRESENT, PRESENT)


def verdict(answer: str, table: Table) -> str:
    trees = [t for t, _ in map(snippets.tree, snippets.snippets(answer)) if t is not None]
    if not trees:
        return "prose"
    reader = Reader(table, {})
    reader.prepare(trees)
    for number, tree in enumerate(trees):
        reader.block = number
        reader.body(tree.body, reader.scope)
    reader.finish()
    uses = [u for u in reader.uses if not reader.sets(u)]
    return "stale" if any(u.status == "missing" for u in uses) else "works"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("package")
    parser.add_argument("new")
    parser.add_argument("gold", type=Path)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(10_000)
    gold = [json.loads(line) for line in options.gold.read_text("utf-8").splitlines()]
    start = time.perf_counter()
    table = Table(options.package, options.new)
    built = time.perf_counter() - start
    start = time.perf_counter()
    found = [verdict(g["answer"], table) for g in gold]
    took = time.perf_counter() - start
    figures = score(found, gold)
    print(
        f"{options.package}: griffe, {len(gold)} answers, precision {figures['precision']:.3f}, "
        f"recall {figures['recall']:.3f}, table {built:.1f} s, {len(gold) / took:.0f} answers/s"
    )


if __name__ == "__main__":
    main()
