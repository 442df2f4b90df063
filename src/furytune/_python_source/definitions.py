"""Lists what a Python file defines: each module, class, function and method with signature, docstring and lines."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence

from attrs import frozen

__all__ = ["Definition", "definitions", "exported", "module_docstring"]

Function = ast.FunctionDef | ast.AsyncFunctionDef
AnyDefinition = Function | ast.ClassDef
_ACCESSORS = ("setter", "getter", "deleter")
_LONG = 200


@frozen(kw_only=True)
class Definition:
    """A class, a function, or a module.

    Attributes:
        symbol: Its path, such as "fury.actor.sphere".
        head: Decorators and signature, one for each overload and accessor; empty for a module.
        doc: Cleaned docstring, or "".
        start: First line, including decorators, counted from 1.
        end: Last line.
        doc_lines: The line in the file for each line of ``doc``; empty if that is not known.
        hidden: Whether it is private, so that it is only counted.
    """

    symbol: str
    head: str
    doc: str
    start: int
    end: int
    doc_lines: Sequence[int] = ()
    hidden: bool = False


def module_docstring(tree: ast.Module, symbol: str) -> Definition | None:
    """Returns the docstring of a module as a definition, if it has one."""
    doc, lines = _docstring(tree)
    if not doc:
        return None
    first = tree.body[0]
    return Definition(
        symbol=symbol,
        head="",
        doc=doc,
        start=first.lineno,
        end=first.end_lineno or first.lineno,
        doc_lines=lines,
    )


def definitions(tree: ast.Module, module: str, *, private: bool) -> Iterator[Definition]:
    """Yields what a module defines, in the order of the source, except definitions inside functions.

    Overloads and their function are one definition, and so are the accessors of a property.

    Args:
        tree: The module.
        module: Its name.
        private: Whether to include names that begin with an underscore and are not in ``__all__``.
    """
    shown = exported(tree)
    # An explicit stack instead of recursion, because files may nest deeply.
    waiting: list[tuple[list[AnyDefinition] | ast.stmt, str]] = _grouped(tree.body, module)
    while waiting:
        item, prefix = waiting.pop()
        if not isinstance(item, list):
            waiting += _grouped(_branches(item), prefix)
            continue
        node = item[-1]
        inner = prefix == module and node.name in shown
        if not private and not inner and node.name.startswith("_") and not _is_dunder(node.name):
            # Hidden definitions are yielded too: their lines must not count as the text of another
            # definition.
            yield _definition(item, prefix, hidden=True)
            continue
        yield _definition(item, prefix)
        if isinstance(node, ast.ClassDef):
            waiting += _grouped(node.body, f"{prefix}.{node.name}")


def exported(tree: ast.Module) -> frozenset[str]:
    """Returns the names in ``__all__`` that are written as plain strings."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        else:
            continue
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            found |= {
                e.value
                for e in getattr(node.value, "elts", ())
                if isinstance(e, ast.Constant) and isinstance(e.value, str)
            }
    return frozenset(found)


def _grouped(body: list[ast.stmt], prefix: str) -> list[tuple[list[AnyDefinition] | ast.stmt, str]]:
    """Returns statements in reverse order, with definitions of the same symbol grouped."""
    groups: list[tuple[list[AnyDefinition] | ast.stmt, str]] = []
    for node in body:
        last = groups[-1][0] if groups else None
        if not isinstance(node, AnyDefinition):
            groups.append((node, prefix))
        elif isinstance(last, list) and last[-1].name == node.name and _continues(last[-1], node):
            last.append(node)
        else:
            groups.append(([node], prefix))
    # The caller takes them from the end.
    return groups[::-1]


def _continues(before: AnyDefinition, node: AnyDefinition) -> bool:
    """Returns whether a definition belongs to the one before it, as overloads and property setters do."""

    def name(decorator: ast.expr) -> str:
        return decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")

    # Overloads and the parts of a property are one symbol to a reader.
    return any(name(d) == "overload" for d in before.decorator_list) or any(
        isinstance(d, ast.Attribute) and d.attr in _ACCESSORS and getattr(d.value, "id", "") == node.name
        for d in node.decorator_list
    )


def _definition(nodes: list[AnyDefinition], prefix: str, *, hidden: bool = False) -> Definition:
    """Returns one symbol made of all its definitions."""
    symbol = f"{prefix}.{nodes[0].name}"
    start = min([nodes[0].lineno, *(d.lineno for d in nodes[0].decorator_list)])
    end = nodes[-1].end_lineno or nodes[-1].lineno
    if hidden:
        return Definition(symbol=symbol, head="", doc="", start=start, end=end, hidden=True)
    said = [_docstring(node) for node in nodes]
    docs = list(dict.fromkeys(doc for doc, _ in said if doc))
    # Lines are known only if a single docstring makes up the text.
    lines = next((lines for doc, lines in said if doc), ()) if len(docs) == 1 else ()
    return Definition(
        symbol=symbol,
        head="\n".join(_signature(node) for node in nodes),
        doc="\n\n".join(docs),
        start=start,
        end=end,
        doc_lines=lines,
    )


def _docstring(node: AnyDefinition | ast.Module) -> tuple[str, Sequence[int]]:
    """Returns the cleaned docstring, and the line in the file of each of its lines."""
    raw = ast.get_docstring(node, clean=False)
    if raw is None:
        return "", ()
    doc = inspect.cleandoc(raw)
    place = node.body[0]
    first, last = place.lineno, place.end_lineno or place.lineno
    if raw.count("\n") != last - first:
        return doc, ()  # its line ends are written as escapes, so its lines are not lines of the file
    lead = next((i for i, line in enumerate(raw.expandtabs().split("\n")) if line.strip()), 0)
    # `cleandoc` drops blank lines at the beginning, so the first line of the text may be further down.
    return doc, range(first + lead, first + lead + doc.count("\n") + 1)


def _is_dunder(name: str) -> bool:
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def _branches(node: ast.stmt) -> list[ast.stmt]:
    """Returns the statements inside a statement, such as both sides of an ``if``."""
    inner: list[ast.stmt] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            inner.append(child)
        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
            inner += child.body
    return inner


def _signature(node: AnyDefinition) -> str:
    """Writes a definition's head: decorators, name, parameters or bases, return type, and the fields of a class."""
    # A copy without a body, because `ast.unparse` would write all of it.
    head = type(node)(**{**dict(ast.iter_fields(node)), "body": []})
    try:
        written = ast.unparse(ast.fix_missing_locations(head)).strip().removesuffix(":")
    except RecursionError:  # a default of thousands of terms
        return f"{'class' if isinstance(node, ast.ClassDef) else 'def'} {node.name}(...)"
    return "\n".join([written, *_fields(node)]) if isinstance(node, ast.ClassDef) else written


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """Yields the annotated fields of a class and the members of an enum, which are often its only signature."""
    members = any(ast.unparse(base).endswith(("Enum", "Flag")) for base in node.bases if not _deep(base))
    for inner in node.body:
        if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            name = inner.target.id
        elif members and isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
            name = inner.targets[0].id
        else:
            continue
        if name.startswith("_") or _deep(inner):
            continue
        text = ast.unparse(inner)
        # A long default, such as a table, says less than the type.
        if len(text) > _LONG and isinstance(inner, ast.AnnAssign):
            text = f"{name}: {ast.unparse(inner.annotation)}"
        yield f"    {text[:_LONG]}"


def _deep(node: ast.AST) -> bool:
    """Returns whether an expression is nested too deeply to be written out."""
    try:
        ast.unparse(node)
    except RecursionError:
        return True
    return False
