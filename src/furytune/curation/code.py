"""Drops answers whose code no longer works with the package it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

from furytune._python_source.bindings import parse
from furytune._python_source.opening import open_package
from furytune._python_source.symbols import SymbolTable
from furytune.curation._code import snippets
from furytune.curation._code.usage import check
from furytune.curation.verdicts import CodeVerdict, Finding
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

if TYPE_CHECKING:
    import ast
    from pathlib import Path

__all__ = ["CheckCode"]

_NAMED = 12


@frozen
class CheckCode:
    """Curation step: checks that the Python in an answer still works with a package.

    The package's source is parsed, never imported, and the answer's code is never run. An answer is dropped only if the
    source proves it wrong; an answer without Python is kept.

    ==================  =========================================================================
    reason              meaning
    ==================  =========================================================================
    ``stale_code``      a module, function, class or constant that the package does not have
    ``stale_argument``  an argument that the function or class does not take, by its name or its place
    ``broken_code``     a block marked as Python that is not Python
    ==================  =========================================================================

    Attributes:
        package: Top-level name, such as "fury".
        path: Folder of the package or its parent folder, such as a checkout of the revision that the bot answers for; or an
            archive, such as an sdist or a wheel, which is read in memory. Links that lead out of it are not followed: they
            are counted as ``link_outside``, and their names are not judged. None means the installed package.
        revision: Tag, commit or branch of the git repository that contains ``path``. It is read from git's objects, so the
            state of the working tree does not matter.
        on_unknown: What to do with a pair that uses names the package does not have: "drop" or "keep".
        on_broken: What to do with a pair whose Python does not parse: "drop" or "keep".
        inline: Whether to check code between single backticks too. Such code often names removed symbols on purpose
            ("``fury.x`` was removed").
        preamble: Python that readers take for granted, such as ``from fury import actor, window``. Answers often leave
            imports out, and without imports nothing can be proved about their names.

    Raises:
        ConfigError: The package is not found, or an argument is not valid.
        KnowledgeError: The archive is damaged, or git has no such revision.
    """

    package: str
    path: str | Path | None = field(default=None, kw_only=True)
    revision: str = field(default="", kw_only=True)
    on_unknown: Literal["drop", "keep"] = field(default="drop", kw_only=True)
    on_broken: Literal["drop", "keep"] = field(default="drop", kw_only=True)
    inline: bool = field(default=False, kw_only=True)
    preamble: str = field(default="", kw_only=True)
    _table: SymbolTable = field(init=False, repr=False, eq=False)
    _given: ast.Module = field(init=False, repr=False, eq=False)

    @_table.default
    def _find(self) -> SymbolTable:
        return SymbolTable(self.package, open_package(self.package, self.path, self.revision))

    @_given.default
    def _parse_preamble(self) -> ast.Module:
        """Parses the preamble once, for all answers."""
        tree = parse(self.preamble)
        if tree is None:
            raise ConfigError("CheckCode(preamble=...) does not parse as Python; correct its syntax")
        return tree

    def __attrs_post_init__(self) -> None:
        for name in ("on_unknown", "on_broken"):
            if getattr(self, name) not in ("drop", "keep"):
                raise ConfigError(
                    f"CheckCode({name}={getattr(self, name)!r}): {name} must be 'drop' or 'keep'"
                )

    @property
    def unread(self) -> tuple[Dropped, ...]:
        """Files of the package that are not read, such as links out of ``path``. Their names are not judged."""
        return self._table.files.dropped

    @property
    def name(self) -> str:
        """Name in reports."""
        return "check_code"

    def verdict(self, answer: str) -> CodeVerdict:
        """Returns whether the code in an answer works with the package, with evidence."""
        trees = [self._given]
        for snippet in (*snippets.fenced(answer), *snippets.inline(answer)):
            tree, _ = snippets.tree(snippet)
            trees += [tree] if tree is not None else []
        if len(trees) == 1:
            return CodeVerdict(outcome="prose")
        try:
            stale = check(trees, self._table)
        except RecursionError:
            return CodeVerdict(outcome="unverifiable")
        return CodeVerdict(
            outcome="stale" if stale else "works",
            findings=tuple(
                Finding(symbol=s.symbol, kind="argument" if s.is_argument else "name", snippet=0, line=1)
                for s in stale
            ),
        )

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        # The preamble is judged together with the answer, as if each answer began with it.
        trees = [self._given]
        for snippet in snippets.fenced(pair.answer):
            tree, broken = snippets.tree(snippet)
            if broken and self.on_broken == "drop":
                return _dropped(pair, "broken_code", f"code block {snippet.number} is not Python")
            trees += [tree] if tree is not None else []
        if self.inline:
            parsed = (snippets.tree(snippet)[0] for snippet in snippets.inline(pair.answer))
            trees += [tree for tree in parsed if tree is not None]
        if self.on_unknown == "keep" or len(trees) == 1:
            return pair
        try:
            stale = check(trees, self._table)
        except RecursionError:  # nested too deeply to prove anything
            return pair
        if not stale:
            return pair
        arguments_only = all(s.is_argument for s in stale)
        symbols = sorted(s.symbol for s in stale)
        named = ", ".join(symbols[:_NAMED]) + (
            f" and {len(symbols) - _NAMED} more" if symbols[_NAMED:] else ""
        )
        return _dropped(pair, "stale_argument" if arguments_only else "stale_code", named)


def _dropped(pair: QAPair, reason: str, detail: str) -> Dropped:
    return Dropped(reason=reason, ids=(pair.id,), where=pair.source.path, detail=detail)
