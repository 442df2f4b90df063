"""Makes passages out of Python source: one for each module, class, function and method.

The source is read with `ast` and never imported, so a package need not work, or be safe to run, to be read.
"""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path, PurePath

from attrs import frozen

from furytune.corpora._files import OnError, Unique, address, check_address, check_on_error, files_below
from furytune.errors import KnowledgeError, SourceFormatError
from furytune.records import Dropped, Passage

__all__ = ["python_package"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef


@frozen(kw_only=True)
class _File:
    path: Path
    name: str  # relative to the package's parent, with forward slashes
    module: str
    is_test: bool


@frozen(kw_only=True)
class _Options:
    private: bool
    url: str


def python_package(
    name_or_path: str | os.PathLike[str],
    *,
    tests: bool = False,
    private: bool = False,
    url: str = "",
    on_error: OnError = "raise",
) -> Iterator[Passage | Dropped]:
    """Reads an installed package or a folder of source code.

    A passage's title and id are the symbol's path (``fury.actor.sphere``); what is defined twice, as overloads and
    conditional definitions are, gets ``#2``, ``#3`` behind its id by order. The text is the signature with
    decorators, annotations and defaults, and below it the docstring, cleaned and whole, however long.
    A module's text is its docstring. The source is ``fury/actor.py:10-42``, relative to the package's parent.

    Functions inside functions are left out: nobody can call them. A module whose name begins with an underscore is
    read like any other, since packages often define in such modules what they publish elsewhere.

    Args:
        name_or_path: Name of an importable package or module, ``attrs`` or ``xml.etree``; or a path
            (anything that is a `pathlib.Path`, holds a separator, or exists) to a folder or a file.
        tests: Whether to read folders named ``test`` or ``tests``, and files named ``test_*.py``,
            ``*_test.py`` and ``conftest.py``.
        private: Whether to take names that begin with an underscore; ``__init__`` and its kind are always taken.
        url: Pattern of the passages' addresses, with ``{path}``, ``{start}`` and ``{end}`` in it, such as
            ``https://example.org/blob/v1/{path}#L{start}-L{end}``.
        on_error: What to do about a file that does not parse: "raise", or "skip" it and yield a drop.

    Yields:
        Passages in order of path and line, and a `Dropped` for what was left out: ``not_python`` (with file and line),
        ``test_file``, ``private``, ``no_docstring`` (a module that says nothing).

    Raises:
        ConfigError: An option that cannot work.
        KnowledgeError: There is no such package, or it holds no Python source.
        SourceFormatError: A file does not parse, with ``on_error="raise"``.
    """
    check_on_error(on_error)
    check_address(url)
    files = _find(name_or_path)
    return _read(files, tests=tests, options=_Options(private=private, url=url), on_error=on_error)


def _find(name_or_path: str | os.PathLike[str]) -> list[_File]:
    text = os.fspath(name_or_path)
    as_path = not isinstance(name_or_path, str) or any(c in text for c in "/\\") or Path(text).exists()
    roots = [Path(text).absolute()] if as_path else _installed(text)
    files = []
    for root in roots:
        if not root.exists():
            raise KnowledgeError(f"{text}: no such file or folder; give a folder of Python source")
        files += _below(root, text if not as_path else "")
    if not files:
        raise KnowledgeError(
            f"{text}: there is no Python source here; give the folder that holds the .py files"
        )
    return files


def _installed(name: str) -> list[Path]:
    """Returns the folders or the file of a package, without importing it or its parents."""
    top, *rest = name.split(".")
    try:
        # find_spec also knows editable installs; it imports nothing for a name without a period.
        spec = PathFinder.find_spec(top) or find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise KnowledgeError(f"no package is called {name!r} here{_import_name(name)}")
    origin = [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []
    roots = [Path(p) for p in spec.submodule_search_locations or ()] or origin
    for part in rest:
        roots = [found for root in roots for found in (root / part, root / f"{part}.py") if found.exists()][
            :1
        ]
    if not roots:
        raise KnowledgeError(
            f"{name!r} is installed without Python source; give a folder of its source instead"
        )
    return roots


def _import_name(name: str) -> str:
    """Helps who gave the name of a distribution, which is not always that of its package."""
    wanted = name.lower().replace("_", "-")
    names = [
        package
        for package, distributions in packages_distributions().items()
        if wanted in (d.lower().replace("_", "-") for d in distributions)
    ]
    if names:
        return f"; the distribution {name} brings {', '.join(sorted(names))}: give one of these"
    return f"; install it for {sys.executable}, or give the folder of its source"


def _below(root: Path, name: str) -> list[_File]:
    """Lists the source files with their module names.

    Args:
        root: A folder or a file.
        name: Full module name, if the package was asked for by name.
    """
    paths = [root] if root.is_file() else files_below(root, lambda n: n.endswith(".py"))
    up = len(name.split(".")) if name else int(root.is_file() or (root / "__init__.py").exists())
    parent = root.parents[up - 1] if up else root
    while not name and up and (parent / "__init__.py").exists():
        parent = parent.parent
    return [
        _File(
            path=p,
            name=p.relative_to(parent).as_posix(),
            module=_module(parent, p.relative_to(parent).parts),
            is_test=_is_test(p.relative_to(root)),
        )
        for p in paths
    ]


def _module(parent: Path, parts: tuple[str, ...]) -> str:
    """Returns a file's module name: counted from the first package on its way, else from the top."""
    folders = parts[:-1]
    for depth in range(len(folders)):
        if parent.joinpath(*folders[: depth + 1], "__init__.py").exists():
            folders = folders[depth:]
            break
    stem = parts[-1].removesuffix(".py")
    return ".".join(folders if stem == "__init__" and folders else (*folders, stem))


def _is_test(path: PurePath) -> bool:
    """Judges by the path below what was asked for: who asks for a folder called ``tests`` wants it."""
    *folders, file = path.parts or ("",)
    return (
        any(f in ("test", "tests") for f in folders)
        or file == "conftest.py"
        or file.startswith("test_")
        or file.endswith("_test.py")
    )


def _read(
    files: list[_File], *, tests: bool, options: _Options, on_error: OnError
) -> Iterator[Passage | Dropped]:
    unique = Unique()
    skipped = 0
    for file in files:
        if file.is_test and not tests:
            skipped += 1
            continue
        try:
            tree = _parse(file)
        except SourceFormatError as error:
            if on_error == "raise":
                raise
            where = f"{file.name}:{error.line or 1}"
            yield Dropped(reason="not_python", unit="file", where=where, detail=error.problem)
        else:
            yield from _passages(file, tree, unique, options)
    if skipped:
        yield Dropped(reason="test_file", unit="file", count=skipped)


def _parse(file: _File) -> ast.Module:
    try:
        with warnings.catch_warnings():
            # What the compiler thinks of other people's escape sequences is not this reader's concern.
            warnings.simplefilter("ignore")
            return ast.parse(file.path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        syntax = error if isinstance(error, SyntaxError) else None
        raise SourceFormatError(
            f"this is not Python {sys.version_info[0]}.{sys.version_info[1]}"
            f" ({syntax.msg if syntax else type(error).__name__})",
            path=file.name,
            line=(syntax.lineno if syntax else None) or 1,
            column=syntax.offset if syntax else None,
            hint='give on_error="skip" to leave such files out and count them',
        ) from error


def _passages(
    file: _File, tree: ast.Module, unique: Unique, options: _Options
) -> Iterator[Passage | Dropped]:
    docstring = ast.get_docstring(tree)
    if docstring:
        first = tree.body[0]
        yield _passage(file, file.module, docstring, first.lineno, first.end_lineno or 1, unique, options)
    else:
        yield Dropped(reason="no_docstring", unit="record", where=file.name)
    hidden = 0
    # A stack of its own, for deep nesting is a matter of data, and the order is that of the source.
    waiting: list[tuple[ast.stmt, str]] = [(node, file.module) for node in reversed(tree.body)]
    while waiting:
        node, prefix = waiting.pop()
        if not isinstance(node, _Definition):
            waiting += [(inner, prefix) for inner in reversed(_branches(node))]
            continue
        if not options.private and node.name.startswith("_") and not _is_dunder(node.name):
            hidden += 1
            continue
        symbol = f"{prefix}.{node.name}"
        text = "\n\n".join(filter(None, (_signature(node), ast.get_docstring(node))))
        start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        yield _passage(file, symbol, text, start, node.end_lineno or start, unique, options)
        if isinstance(node, ast.ClassDef):
            waiting += [(inner, symbol) for inner in reversed(node.body)]
    if hidden:
        yield Dropped(reason="private", unit="record", count=hidden, where=file.name)


def _passage(
    file: _File, symbol: str, text: str, start: int, end: int, unique: Unique, options: _Options
) -> Passage:
    return Passage(
        id=unique(symbol),
        text=text,
        title=symbol,
        source=f"{file.name}:{start}-{end}",
        url=address(options.url, file.name, start, end),
    )


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


def _signature(node: _Definition) -> str:
    """Writes a definition's head: decorators, name, parameters or bases, and what it returns."""
    head = type(node)(**{**dict(ast.iter_fields(node)), "body": []})
    try:
        return ast.unparse(ast.fix_missing_locations(head)).strip().removesuffix(":")
    except RecursionError:  # a default of thousands of terms
        return f"{'class' if isinstance(node, ast.ClassDef) else 'def'} {node.name}(...)"
