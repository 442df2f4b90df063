"""Says whether the code in an answer still works with the package it uses, and drops answers whose code does not."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

from furytune._python_source.bindings import parse
from furytune._python_source.opening import open_package
from furytune._python_source.symbols import SymbolTable
from furytune.curation._code import snippets
from furytune.curation._code.history import History
from furytune.curation._code.known import Known
from furytune.curation._code.usage import Block, read_uses
from furytune.curation.verdicts import CodeVerdict, Finding, Outcome
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

if TYPE_CHECKING:
    from furytune.curation._code.usage import Use

__all__ = ["CheckCode", "Release"]

_NAMED = 12


@frozen(kw_only=True)
class Release:
    """Where the source of one release of a package is.

    Attributes:
        path: As in `CheckCode`.
        revision: As in `CheckCode`.
        name: How findings call the release; by default its revision, or the version that its source states.
    """

    path: str | Path | None = None
    revision: str = ""
    name: str = ""


def _releases(older: Sequence[Release | str | os.PathLike[str]]) -> tuple[Release, ...]:
    if isinstance(older, str | os.PathLike | Release):
        raise ConfigError("CheckCode(older=...) must be a list of releases, even if there is only one")
    return tuple(one if isinstance(one, Release) else Release(path=Path(one)) for one in older)


@frozen
class CheckCode:
    """Curation step: checks that the Python in an answer still works with a package.

    The package's source is parsed, never imported, and the answer's code is never run. An answer is dropped only if the
    source proves it wrong; an answer without Python is kept. `verdict` says more: what is gone, since when, and what
    probably replaces it.

    ==================  =========================================================================
    reason              meaning
    ==================  =========================================================================
    ``stale_code``      a module, function, class, constant or method that the package does not have
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
        older: Older releases, oldest first, each a `Release` or a path. They tell since when a name is gone and what
            probably replaces it. They also prove that methods are gone whose class has a ``__getattr__``.
        on_unknown: What to do with a pair that uses names the package does not have: "drop" or "keep".
        on_broken: What to do with a pair whose Python does not parse: "drop" or "keep".
        inline: Whether to drop a pair because of code between single backticks alone. Such code often names removed symbols
            on purpose ("``fury.x`` was removed"). `verdict` reports it in any case.
        preamble: Python that readers take for granted, such as ``from fury import actor, window``. Answers often leave
            imports out, and without imports nothing can be proved about their names.

    Raises:
        ConfigError: The package is not found, or an argument is not valid.
        KnowledgeError: The archive is damaged, or git has no such revision.
    """

    package: str
    path: str | Path | None = field(default=None, kw_only=True)
    revision: str = field(default="", kw_only=True)
    older: tuple[Release, ...] = field(default=(), converter=_releases, kw_only=True)
    on_unknown: Literal["drop", "keep"] = field(default="drop", kw_only=True)
    on_broken: Literal["drop", "keep"] = field(default="drop", kw_only=True)
    inline: bool = field(default=False, kw_only=True)
    preamble: str = field(default="", kw_only=True)
    _history: History = field(init=False, repr=False, eq=False)
    _given: ast.Module = field(init=False, repr=False, eq=False)

    @_history.default
    def _find(self) -> History:
        def known(release: Release) -> Known:
            files = open_package(self.package, release.path, release.revision)
            return Known(release.name or release.revision or files.release, SymbolTable(self.package, files))

        newest = known(Release(path=self.path, revision=self.revision))
        return History(newest, tuple(known(release) for release in self.older))

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
        return self._history.newest.table.files.dropped

    @property
    def name(self) -> str:
        """Name in reports."""
        return "check_code"

    def verdict(self, answer: str) -> CodeVerdict:
        """Returns whether the code in an answer works with the package, with evidence."""
        return self._read(answer)[0]

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        verdict, broken = self._read(pair.answer)
        if broken and self.on_broken == "drop":
            return _dropped(pair, "broken_code", f"code block {broken} is not Python")
        stale = [f for f in verdict.findings if self.inline or f.form != "inline"]
        if not stale or self.on_unknown == "keep":
            return pair
        arguments_only = all(f.kind == "argument" for f in stale)
        symbols = sorted({f.symbol for f in stale})
        named = ", ".join(symbols[:_NAMED]) + (
            f" and {len(symbols) - _NAMED} more" if symbols[_NAMED:] else ""
        )
        return _dropped(pair, "stale_argument" if arguments_only else "stale_code", named)

    def _read(self, answer: str) -> tuple[CodeVerdict, int]:
        """Returns the verdict, and the number of the first block that is marked as Python but is not Python."""
        release = self._history.newest.name
        read = [(s, *snippets.tree(s)) for s in snippets.snippets(answer)]
        broken = next((s.number for s, _, fault in read if fault), 0)
        code = [(s, tree) for s, tree, _ in read if tree is not None]
        certain = bool(broken) or any(_is_code(s, tree) for s, tree in code)
        if not code:
            return CodeVerdict(outcome="unverifiable" if certain else "prose", release=release), broken
        # The preamble is judged together with the answer, as if each answer began with it.
        blocks = [Block(self._given), *(Block(tree, whole=s.form != "inline") for s, tree in code)]
        try:
            uses = read_uses(blocks, self._history.newest.table, self._history.aliases)
            gone = self._history.gone(blocks, uses)
        except RecursionError:  # nested too deeply to prove anything
            return CodeVerdict(outcome="unverifiable", release=release), broken
        findings = []
        for use, since, instead, why in gone:
            snippet = code[use.block - 1][0] if use.block else None
            findings.append(
                Finding(
                    symbol=use.symbol,
                    kind=use.kind,
                    form=snippet.form if snippet else "preamble",
                    snippet=snippet.number if snippet else 0,
                    line=use.line if snippet else 0,
                    gone_since=since,
                    instead=instead,
                    why=why,
                )
            )
        verdict = CodeVerdict(
            outcome=_outcome(uses, findings, code=certain or any(use.block for use in uses)),
            findings=tuple(findings),
            found=_names(u for u in uses if u.status == "found" and u.kind != "argument"),
            unknown=_names(u for u in uses if u.status in {"unknown", "dynamic"}),
            release=release,
        )
        return verdict, broken


def _outcome(uses: Sequence[Use], findings: Sequence[Finding], *, code: bool) -> Outcome:
    if not code:
        return "prose"
    if findings:
        return "stale"
    if any(use.status in {"unknown", "dynamic"} for use in uses):
        return "unverifiable"
    return "works" if any(use.status == "found" and use.block for use in uses) else "unverifiable"


def _is_code(snippet: snippets.Snippet, tree: ast.Module) -> bool:
    """Returns whether a snippet is code beyond doubt: a single word between backticks or a quoted text is not."""
    if snippet.form == "fenced" and snippet.marked:
        return True
    plain = (ast.Name, ast.Constant, ast.Attribute, ast.Pass)
    return any(
        not isinstance(statement.value if isinstance(statement, ast.Expr) else statement, plain)
        for statement in tree.body
    )


def _names(uses: Iterable[Use]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(use.symbol for use in uses))


def _dropped(pair: QAPair, reason: str, detail: str) -> Dropped:
    return Dropped(reason=reason, ids=(pair.id,), where=pair.source.path, detail=detail)
