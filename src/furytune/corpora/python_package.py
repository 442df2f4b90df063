"""Turns Python source into passages: one for each module, class, function and method.

The source is parsed with `ast` and never imported, so a package need not work or be safe to run.
"""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from attrs import evolve, frozen

from furytune._python_source.definitions import Definition, definitions, module_docstring
from furytune._python_source.exports import public_names, relative_imports, star_names
from furytune._python_source.files import (
    OnError,
    UnfitError,
    check_address,
    check_on_error,
    excluded,
    text_of,
)
from furytune._python_source.forges import lines_of
from furytune._python_source.installed import version_of
from furytune._python_source.opening import check_folder, open_installed, open_tree
from furytune._python_source.trees import Entry, Tree, below_folder
from furytune.corpora._text.blocks import Document, Section, pieces
from furytune.corpora._text.cells import is_gallery, script
from furytune.corpora._text.passages import Making, cut_code_note, passages_of
from furytune.corpora._text.rst import rst
from furytune.corpora._text.sizes import MAX_TOKENS, Sizes
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped, Passage

__all__ = ["python_package"]

_SLOTS = ("path", "start", "end", "revision")


@frozen(kw_only=True)
class _Options:
    """The arguments that decide which definitions are read.

    Attributes:
        tests: Whether tests are read.
        private: Whether private definitions are read.
        exclude: Patterns of files to leave out.
        on_error: What to do with a file that cannot be used.
    """

    tests: bool
    private: bool
    exclude: tuple[str, ...]
    on_error: OnError


@frozen(kw_only=True)
class _Parsed:
    """A parsed file: what a module defines, or the text of an example. Keeping its syntax tree would take far more memory.

    Attributes:
        entry: The file.
        module: Its dotted name.
        text: Text of an example, "" for a module.
        found: What the module defines, in the order of the source.
        offered: Names that ``import *`` would import.
        imports: Imports of an ``__init__``.
    """

    entry: Entry
    module: str
    text: str = ""
    found: tuple[Definition, ...] = ()
    offered: frozenset[str] = frozenset()
    imports: tuple[ast.ImportFrom, ...] = ()


def python_package(
    source: str | os.PathLike[str],
    *,
    revision: str = "",
    folder: str = "",
    exclude: tuple[str, ...] = (),
    tests: bool = False,
    private: bool = False,
    max_tokens: int = MAX_TOKENS,
    encoding: str = "",
    max_bytes: int = 4 << 20,
    url: str = "",
    repository: str = "",
    on_error: OnError = "skip",
) -> Iterator[Passage | Dropped]:
    """Turns a package into passages: installed, in a folder or archive, or at a revision of a git repository.

    The title and id of a passage are the path of the symbol where it is defined (``fury.actor.curved.sphere``). The text
    is the signature with decorators, annotations and defaults (for a class, its annotated fields too), followed by the
    cleaned docstring. If a parent package exports the symbol under a shorter name, a comment says so first
    (``# fury.actor.sphere``). The text of a module is its docstring. The source is ``fury/actor.py:10-42@0.12.0``, with
    the version if it is known. A text of more than ``max_tokens`` is split between the docstring's paragraphs. A symbol
    that is defined twice, as in both branches of an ``if``, gets a digest of its text as a suffix of its id. Overloads
    and their function make one passage, and so do the accessors of a property.

    A script outside a package that is written for sphinx-gallery is read as an example: code with its prose, split between
    its cells. Such a script has a docstring that begins with a title, and prose in comments below ``# %%`` or a row of
    ``#``.

    Functions inside functions are left out, because no one can call them. A module whose name begins with an underscore is
    read like any other, because packages often define there what they export elsewhere.

    Args:
        source: Name of an importable package or module, such as ``attrs`` or ``xml.etree``; or a path to a folder, a
            file, an archive (sdist or wheel, read in memory), or a git checkout. A value counts as a path if it is a
            `pathlib.Path`, contains a separator, or exists.
        revision: Tag, commit or branch of the git repository that contains ``source``. Files are read from git's objects;
            the working tree does not matter. For a folder without git, furytune trusts what you pass.
        folder: Read only this folder below the source, such as ``src/fury``. The default is all but hidden folders.
        exclude: Files to leave out, as patterns of their path below the source, such as ``benchmarks/*``.
        tests: Whether to read folders named ``test`` or ``tests``, and files named ``test_*.py``,
            ``*_test.py`` and ``conftest.py``.
        private: Whether to include names that begin with an underscore. Special names such as ``__init__``, and names in
            ``__all__``, are always included.
        max_tokens: Maximum size of a passage in tokens: estimated as three bytes of UTF-8 each, or counted.
        encoding: Name of a tiktoken vocabulary to count tokens exactly (extra ``tokens``).
        max_bytes: Larger files are left out without being read.
        url: Pattern for the passages' URLs, with ``{path}``, ``{start}``, ``{end}`` and ``{revision}``, such as
            ``https://github.com/fury-gl/fury/blob/{revision}/{path}#L{start}-L{end}``.
        repository: Address of the repository on GitHub, GitLab, Codeberg or Bitbucket, as your browser shows it, from which
            the passages' URLs are made: ``https://github.com/fury-gl/fury/tree/v0.12.0``, with the folder behind it that the
            package's folder is in, if there is one (``.../tree/v0.12.0/src``). Without ``/tree/...``, the revision is that of
            the source. URLs are never part of a prompt, but of the snapshot of the knowledge.
        on_error: What to do with a file that cannot be used: "skip" it and yield a drop, or "raise".

    Yields:
        Passages in order of path and line, and a `Dropped` for everything that was left out: ``not_python`` (with file and
        line), ``too_large``, ``unreadable``, ``link``, ``bad_name``, ``excluded``, ``test_file``, ``private``,
        ``no_docstring`` (a module without any text), and what `markup` leaves out of examples and docstrings.

    Raises:
        ConfigError: An option is not valid, or git is needed and not installed.
        KnowledgeError: The package, revision or folder does not exist, or contains no Python source.
        SourceFormatError: A file cannot be used, with ``on_error="raise"``.
    """
    check_on_error(on_error)
    if url and repository:
        raise ConfigError("pass either url= or repository=, because both say where the passages are")
    url = lines_of(repository) if repository else url
    check_address(url, _SLOTS)
    sizes = Sizes(max_tokens, encoding)
    tree = _find(source, revision, folder, max_bytes)
    making = Making(sizes=sizes, url=url, revision=tree.revision)
    options = _Options(tests=tests, private=private, exclude=exclude, on_error=on_error)
    return _read(tree, making, options)


def _wanted(name: str) -> bool:
    return name.endswith(".py") or name == "__init__.pyi"


def _find(source: str | os.PathLike[str], revision: str, folder: str, max_bytes: int) -> Tree:
    """Lists the files of a package, given as a name or a path.

    Raises:
        KnowledgeError: There is no Python source.
        ConfigError: An argument does not fit the kind of source.
    """
    text = os.fspath(source)
    # A name of an installed package and a relative folder look alike; a folder that exists wins.
    as_path = not isinstance(source, str) or any(c in text for c in "/\\") or os.path.lexists(text)
    if not as_path:
        tree = _installed(text, revision, folder, max_bytes)
    else:
        root = Path(text).absolute()
        base = _base(root)
        if base is None or _in_git(root, revision):
            tree = open_tree(source, wanted=_wanted, revision=revision, folder=folder, max_bytes=max_bytes)
        elif folder:
            tree = open_tree(source, wanted=_wanted, revision=revision, folder=folder, max_bytes=max_bytes)
            tree = _with_packages_above(tree, root / check_folder(folder), root)
        else:
            tree = below_folder(root, base, wanted=_wanted, max_bytes=max_bytes, revision=revision)
            tree = _with_packages_above(tree, root, base)
    # If files were dropped, the report explains why nothing came out.
    told = any(drop.reason != "other_suffix" for drop in tree.dropped)
    if not any(e.name.endswith(".py") for e in tree.entries) and not told:
        raise KnowledgeError(f"{text}: found no Python source here; pass the folder with the .py files")
    return tree


def _in_git(root: Path, revision: str) -> bool:
    """Returns whether a revision must be read from git."""
    from furytune._python_source.git import checkout_of

    return bool(revision) and checkout_of(root) is not None


def _installed(name: str, revision: str, folder: str, max_bytes: int) -> Tree:
    """Lists the files of an installed package, with the packages above it.

    Raises:
        ConfigError: A revision or folder was given for an installed package.
    """
    if revision or folder:
        raise ConfigError(
            f"{name} is an installed package; to use revision= or folder=, pass the path of its source"
        )
    found = open_installed(name, wanted=_wanted, max_bytes=max_bytes)
    up = len(name.split("."))
    trees = [_with_packages_above(tree, root, root.parents[up - 1]) for root, tree in found]
    return Tree(
        entries=tuple(e for t in trees for e in t.entries),
        dropped=tuple(d for t in trees for d in t.dropped),
        # A top-level installed module is never an example, even if its docstring begins with a title.
        packages=frozenset({""}).union(*(t.packages for t in trees)),
        revision=version_of(name, found[0][0]),
    )


def _base(root: Path) -> Path | None:
    """Returns the folder that contains the top package of a folder or module; None for other paths."""
    if root.is_file() and root.suffix == ".py":
        root = root.parent
    if not root.is_dir():
        return None
    while (root / "__init__.py").exists():
        root = root.parent
    return root


def _with_packages_above(tree: Tree, root: Path, base: Path) -> Tree:
    """Adds the packages between two folders, whose own files are not read."""
    above = PurePosixPath(root.relative_to(base).as_posix())
    known = {p.as_posix() for p in (above, *above.parents) if p.name and (base / p / "__init__.py").exists()}
    return evolve(tree, packages=tree.packages | known)


def _module(name: str, packages: frozenset[str]) -> str:
    """Returns a file's module name, from the first package in its path, or else from the top folder."""
    *folders, file = name.split("/")
    for depth in range(len(folders)):
        if "/".join(folders[: depth + 1]) in packages:
            folders = folders[depth:]
            break
    stem = file.removesuffix("i").removesuffix(".py")
    return ".".join(folders if stem == "__init__" and folders else (*folders, stem))


def _is_test(path: str) -> bool:
    """Returns whether a path below the source is a test. A source that is itself named ``tests`` is read."""
    *folders, file = path.split("/")
    return (
        any(f in ("test", "tests") for f in folders)
        or file == "conftest.py"
        or file.startswith("test_")
        or file.endswith("_test.py")
    )


def _read(tree: Tree, making: Making, options: _Options) -> Iterator[Passage | Dropped]:
    """Yields the passages of all files, and counts what is left out."""
    yield from tree.dropped
    counts: Counter[str] = Counter()
    parsed, refused = list[_Parsed](), list[Dropped]()
    for entry in tree.entries:
        if _is_test(entry.below) and not options.tests:
            counts["test_file"] += 1
        elif excluded(entry.below, options.exclude):
            counts["excluded"] += 1
        else:
            try:
                parsed.append(_parse(entry, tree.packages, private=options.private))
            except UnfitError as error:
                if options.on_error == "raise":
                    raise
                refused.append(error.dropped())
    # All files are parsed before the first passage, because any `__init__` may give a shorter name to a
    # symbol.
    shorter = _shorter(parsed)
    yield from refused
    for file in parsed:
        if file.text:
            yield from passages_of(script(file.text), file.entry.name, file.entry.below, making)
        elif file.entry.name.endswith(".py"):
            yield from _passages(file, shorter, making)
    for reason, count in sorted(counts.items()):
        yield Dropped(reason=reason, unit="file", count=count)


def _parse(entry: Entry, packages: frozenset[str], *, private: bool) -> _Parsed:
    """Reads one file: an example of a gallery, or a module.

    Raises:
        UnfitError: It is not Python, or cannot be read.
    """
    data = entry.read()
    module = _module(entry.name, packages)
    # A module of a package is never an example, even if its docstring begins with a title.
    if entry.name.rpartition("/")[0] not in packages:
        text = _text(data, entry.name)
        if is_gallery(text):
            return _Parsed(entry=entry, module=module, text=text)
    try:
        with warnings.catch_warnings():
            # Warnings about escape sequences in other people's code do not concern the user.
            warnings.simplefilter("ignore")
            # The bytes, not the text: the parser knows Python's encoding declarations.
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        syntax = error if isinstance(error, SyntaxError) else None
        raise UnfitError(
            "not_python",
            f"this is not Python {sys.version_info[0]}.{sys.version_info[1]}"
            f" ({syntax.msg if syntax else type(error).__name__})",
            path=entry.name,
            line=(syntax.lineno if syntax else None) or 1,
            column=syntax.offset if syntax else None,
        ) from error
    own = module_docstring(tree, module)
    return _Parsed(
        entry=entry,
        module=module,
        found=(*([own] if own else []), *definitions(tree, module, private=private)),
        offered=star_names(tree),
        imports=relative_imports(tree) if _is_init(entry.name) else (),
    )


def _is_init(name: str) -> bool:
    return PurePosixPath(name).stem == "__init__"


def _text(data: bytes, name: str) -> str:
    """Returns the text of a file, "" if it is not UTF-8."""
    try:
        return text_of(data, name)
    except UnfitError:
        return ""  # another encoding: the parser reads Python's own encoding declaration


def _shorter(parsed: list[_Parsed]) -> dict[str, str]:
    """Returns the shortest public name of each symbol."""
    return public_names(
        {p.module: p.imports for p in parsed if p.imports}, {p.module: p.offered for p in parsed}
    )


def _passages(file: _Parsed, shorter: dict[str, str], making: Making) -> Iterator[Passage | Dropped]:
    """Yields the passages of a module, then its drops."""
    name = file.entry.name
    dropped: Counter[str] = Counter()
    if not any(not d.head and not d.hidden for d in file.found):
        dropped["no_docstring"] += 1
    for found in file.found:
        if found.hidden:
            dropped["private"] += 1
        else:
            yield from _of_definition(found, name, shorter.get(found.symbol, ""), making, dropped)
    cut = dropped.pop("cut_code_block", 0)
    for reason, count in sorted((+dropped).items()):
        yield Dropped(reason=reason, unit="record", count=count, where=name)
    if cut:
        yield cut_code_note(cut, name)


def _of_definition(
    found: Definition, name: str, alias: str, making: Making, dropped: Counter[str]
) -> Iterator[Passage]:
    """Yields the passages of one definition: signature, then docstring, with their lines in the file.

    Args:
        found: The definition.
        name: Path of its file.
        alias: A shorter public name, "" without one.
        making: Makes the passages.
        dropped: Counts what is left out.
    """
    head = [*([f"# {alias}"] if alias else []), *(found.head.split("\n") if found.head else [])]
    doc = rst(found.doc.split("\n"), headings=False) if found.doc else None
    gap = [""] if head and doc else []
    shift = len(head) + len(gap)
    # The head is one block of code, so it is never split from its own lines.
    code = [1] * len(head) + [0] * len(gap)
    document = Document(
        lines=[*head, *gap, *(doc.lines if doc else ())],
        code=code + ([number and number + 1 for number in doc.code] if doc else []),
        spans=[(a + shift, b + shift) for a, b in doc.spans] if doc else (),
    )
    if doc:
        dropped.update(doc.dropped)
    section = Section(document=document, end=len(document.lines))
    made = list(pieces(section, making.sizes))
    for piece in made:
        start, end = found.start, found.end
        if len(made) > 1 and found.doc_lines:
            start = found.start if piece.start < shift else found.doc_lines[piece.start - shift]
            end = found.doc_lines[piece.end - 1 - shift] if piece.end > shift else start
        dropped["cut_code_block"] += piece.cut
        yield making.passage(
            found.symbol,
            title=found.symbol,
            text=piece.text,
            file=name,
            where=f":{start}-{end}",
            start=start,
            end=end,
        )
