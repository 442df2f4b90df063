"""Finds what probably replaces a name that is gone.

The evidence, best first: what the newer release says in the error for the old name; the deprecation note of the older
release; the name that an alias stood for; the same name elsewhere; a definition with nearly the same body, which is a
renamed one; and a name that is spelt nearly the same.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from furytune._python_source.bindings import Module, last_name
from furytune._python_source.kinds import MISSING, UNKNOWN, Class, Function, Instance, Symbol
from furytune._python_source.members import ancestors, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from furytune._python_source.symbols import SymbolTable
    from furytune.curation._code.known import Known
    from furytune.curation._code.usage import Use

__all__ = ["Gone", "Successors"]

_CUE: Final = re.compile(
    r"deprecat|remov|renam|replac|instead|in favou?r of|superseded|moved|use |available as|alias",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(
    r":(?:\w+:)?(?:func|meth|class|attr|mod|obj|data|exc|py:\w+|ref):`~?\.?([^`<]+?)`|`{1,2}~?([A-Za-z_][\w.]*)(?:\([^`]*\))?`{1,2}"
    r"|[\"']([A-Za-z_][\w.]*)[\"']"
)
_POINTED: Final = re.compile(
    r"(?:\b[Uu]se|\bsee|\bto|\bby|\bwith|favou?r of|\bas|\bwas|\bis)\s+(?:the\s+)?(?:new\s+)?(\.?)([A-Za-z_][\w.]*[\w])(\()?"
)
_OTHER: Final = re.compile(r"\b[Uu]se `{1,2}([a-z_]\w*(?:\.\w+)+)(?:\(\))?`{1,2}")
_SENTENCES: Final = re.compile(r"(?<=[.!?;])\s+|\n\s*\n|\n(?=\s*\.\. )")
_ALIKE: Final = 0.82
_NEAR: Final = 0.7
_RELATED: Final = 0.5
_SAME_BODY: Final = 0.8
_LEAST_WORDS: Final = 12


@frozen
class Gone:
    """A use that does not work any more.

    Attributes:
        use: In the newest release.
        before: The same use in the last older release in which it worked.
        release: That release.
    """

    use: Use
    before: Use | None = None
    release: Known | None = None


@define(eq=False, slots=False)
class Successors:
    """What the newest release offers."""

    table: SymbolTable
    aliases: Mapping[str, str] = field(factory=dict, repr=False)
    _words: dict[ast.AST, Counter[str]] = field(factory=dict, repr=False)

    def of(self, gone: Gone) -> tuple[str, str]:
        """Returns the likely new name and how it was found; two empty texts without one."""
        ways = (
            (self._argument,)
            if gone.use.kind == "argument"
            else (self._said, self._noted, self._aliased, self._moved, self._renamed, self._spelt)
        )
        for way in ways:
            instead, why = way(gone)
            if instead and instead != gone.use.symbol:
                return instead, why
        return "", ""

    @cached_property
    def _full(self) -> re.Pattern[str]:
        """Matches names that begin with the package, in full or in short."""
        tops = "|".join(map(re.escape, sorted({self.table.package, *self.aliases})))
        return re.compile(rf"\b(?:{tops})(?:\.\w+)+")

    def _said(self, gone: Gone) -> tuple[str, str]:
        """Reads the error that the newer release raises for the old name."""
        on = gone.use.on
        if not isinstance(on, Module) or on.getattr is None:
            return "", ""
        message = self.table.asked(on, gone.use.symbol.rpartition(".")[2]).message
        return self._mentioned(message, gone), "the error that it raises"

    def _noted(self, gone: Gone) -> tuple[str, str]:
        """Reads the deprecation note of the older release."""
        target = _written(gone)
        if target is None or gone.release is None:
            return "", ""
        release = gone.release.name or "the older release"
        for text in _notes(target.node):
            if instead := self._mentioned(text, gone):
                return instead, f"deprecation note in {release}"
        return "", ""

    def _mentioned(self, text: str, gone: Gone) -> str:
        """Returns the first name in a note that exists in the newest release, or in another package."""
        leaf = gone.use.symbol.rpartition(".")[2]
        for sentence in _SENTENCES.split(text.replace("\0", "")):
            if not _CUE.search(sentence):
                continue
            names = [next(filter(None, m.groups())) for m in _QUOTED.finditer(sentence)]
            names += [m[2] for m in _POINTED.finditer(sentence) if m[1] or "." in m[2] or "_" in m[2] or m[3]]
            names += [m[0] for m in self._full.finditer(sentence)]
            for written in names:
                name = written.strip(". ").removesuffix("()")
                if name.rpartition(".")[2] == leaf and "." not in name:
                    continue
                if (found := self._resolved(name, gone)) is not None:
                    return found
            # Something of another package cannot be looked up, but "use `ast.literal_eval`" leaves no doubt.
            for other in _OTHER.finditer(sentence):
                top = other[1].partition(".")[0]
                if top != self.table.package and top not in self.aliases and not top[0].isupper():
                    return other[1]
        return ""

    def _resolved(self, name: str, gone: Gone) -> str | None:
        """Returns the full name of something that a note mentions, if the newest release has it."""
        parent = gone.use.symbol.rpartition(".")[0]
        top, _, rest = name.partition(".")
        tries = []
        if top == self.table.package or top in self.aliases:
            tries.append(f"{self.aliases.get(top, top)}.{rest}" if rest else "")
        else:
            above = parent
            while above:
                tries.append(f"{above}.{name}")
                above = above.rpartition(".")[0]
            if isinstance(gone.use.on, Instance | Class):
                cls = gone.use.on.classes[0] if isinstance(gone.use.on, Instance) else gone.use.on
                tries.insert(0, f"{self.table.public(cls)}.{name}")
        for dotted in filter(None, tries):
            symbol, upto = self.table.lookup(dotted)
            if upto == dotted and symbol not in {MISSING, UNKNOWN} and dotted != gone.use.symbol:
                return dotted
        return None

    def _aliased(self, gone: Gone) -> tuple[str, str]:
        """Follows an alias of the older release, or a function that only calls another one."""
        target = _written(gone)
        if target is None or gone.release is None:
            return "", ""
        leaf = gone.use.symbol.rpartition(".")[2]
        name = target.node.name
        if name == leaf and isinstance(target, Function):
            called = _only_call(target)
            inner = gone.release.table.resolve(called.func, target.module) if called is not None else None
            if not isinstance(inner, Function | Class):
                return "", ""
            target, name = inner, inner.node.name
        if name == leaf:
            return "", ""
        found = self._nearest(name, target, gone)
        return (found, f"alias in {gone.release.name or 'the older release'}") if found else ("", "")

    def _moved(self, gone: Gone) -> tuple[str, str]:
        """Looks for the same name elsewhere."""
        before = gone.before.target if gone.before else None
        leaf = gone.use.symbol.rpartition(".")[2]
        if isinstance(before, Module):
            return self._moved_module(leaf, gone)
        found = self._nearest(leaf, before, gone)
        return (found, "the same name elsewhere") if found else ("", "")

    def _nearest(self, name: str, before: Symbol | None, gone: Gone) -> str:
        """Returns the definition of a name that is most like the old one."""
        same = [*self.table.defined(name)]
        if isinstance(before, Function | Class):
            same = [d for d in same if isinstance(before, type(d))]
        if gone.use.kind == "name" or isinstance(before, Class):
            same = [d for d in same if isinstance(d, Class) or d.owner is None]
        else:
            same = [d for d in same if isinstance(d, Function) and d.owner is not None]
            return self._of_same_class(same, gone)
        shown = {self.table.public(d): d for d in same}
        public = {n: d for n, d in shown.items() if not any(p.startswith("_") for p in n.split("."))}
        ranked = sorted(public or shown, key=lambda n: (-self._likeness(before, shown[n]), n.count("."), n))
        ranked = [n for n in ranked if n != gone.use.symbol and (n in public or "._" in gone.use.symbol)]
        return ranked[0] if ranked else ""

    def _of_same_class(self, methods: list[Function | Class], gone: Gone) -> str:
        """Returns a method of the class that the old one belonged to, or of a class of the same name."""
        on = gone.use.on
        cls = on.classes[0] if isinstance(on, Instance) else on if isinstance(on, Class) else None
        if cls is None:
            return ""
        for method in methods:
            if isinstance(self.table.attribute(cls, method.node.name), Function):
                return f"{gone.use.symbol.rpartition('.')[0]}.{method.node.name}"
        return ""

    def _moved_module(self, leaf: str, gone: Gone) -> tuple[str, str]:
        """Looks for a module of the same name, with or without an underscore."""
        names = [self.table.files.module_of(file, self.table.package) for file in self.table.files.sources()]
        same = [
            n for n in names if n.rpartition(".")[2].strip("_") == leaf.strip("_") and n != gone.use.symbol
        ]
        same.sort(key=lambda n: (any(p.startswith("_") for p in n.split(".")), n.count("."), n))
        return (same[0], "the same name elsewhere") if same else ("", "")

    def _renamed(self, gone: Gone) -> tuple[str, str]:
        """Looks for a new definition with nearly the same body."""
        before = _written(gone)
        if before is None or gone.release is None:
            return "", ""
        words = self._bag(before.node)
        if sum(words.values()) < _LEAST_WORDS:
            return "", ""
        old = gone.release.table.definitions
        beside = self._modules_beside(before.module.name)
        best, score = "", _SAME_BODY
        for name, modules in self.table.definitions.items():
            near = [m for m in modules if m in beside]
            if name in old or not near:
                continue  # it is not new, or elsewhere
            for one in self.table.defined(name, near):
                if type(one) is type(before) and _is_method(one) == _is_method(before):
                    likeness = self._likeness(before, one)
                    if likeness > score:
                        best, score = self.table.public(one), likeness
        return (best, "nearly the same body") if best else ("", "")

    def _modules_beside(self, module: str) -> set[str]:
        """Returns the modules of the package that a module was in, and those of its last name anywhere."""
        parent, _, leaf = module.rpartition(".")
        names = [self.table.files.module_of(file, self.table.package) for file in self.table.files.sources()]
        return {
            n
            for n in names
            if n in {module, parent}
            or n.rpartition(".")[0] in {module, parent}
            or n.rpartition(".")[2].strip("_") == leaf.strip("_")
        }

    def _spelt(self, gone: Gone) -> tuple[str, str]:
        """Looks for a name beside the old one that is spelt nearly the same."""
        parent, _, leaf = gone.use.symbol.rpartition(".")
        names = self._beside(gone.use.on)
        close = difflib.get_close_matches(leaf, sorted(names), n=1, cutoff=_ALIKE)
        if close:
            symbol, _ = self.table.lookup(f"{parent}.{close[0]}")
            if symbol is not MISSING:
                return f"{parent}.{close[0]}", "spelt nearly the same"
        return "", ""

    def _beside(self, on: Symbol) -> set[str]:
        """Returns the public names of a module or class."""
        if isinstance(on, Module):
            names = {*on.bindings, *on.hints}
            for star in on.stars:
                if (module := self.table.module(star)) is not None:
                    names |= {*module.bindings}
            return {n for n in names if not n.startswith("_")}
        cls = on.classes[0] if isinstance(on, Instance) else on
        if isinstance(cls, Class):
            return {
                n.name
                for n in cls.node.body
                if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and n.name[0] != "_"
            }
        return set()

    def _likeness(self, before: Symbol | None, after: Function | Class) -> float:
        """Returns how alike two definitions are, from 0 to 1, by the words of their code and docstrings."""
        if not isinstance(before, Function | Class):
            return 0.0
        first, second = self._bag(before.node), self._bag(after.node)
        dot = sum(count * second[word] for word, count in first.items())
        size = math.sqrt(sum(c * c for c in first.values()) * sum(c * c for c in second.values()))
        return dot / size if size else 0.0

    def _bag(self, node: ast.AST) -> Counter[str]:
        if node not in self._words:
            self._words[node] = Counter(_words(node))
        return self._words[node]

    def _argument(self, gone: Gone) -> tuple[str, str]:
        """Looks for the argument that replaces one."""
        use = gone.use
        if not isinstance(use.target, Function | Class):
            return "", ""
        signature = self.table.signature(use.target)
        leaf = use.symbol.partition("(")[2].removesuffix(")")
        before = (
            gone.before.target if gone.before and isinstance(gone.before.target, Function | Class) else None
        )
        old = gone.release.table.signature(before) if before is not None and gone.release else None
        if leaf.startswith("argument "):
            place = int(leaf.split()[1])
            named = old.positional[place - 1] if old is not None and place <= len(old.positional) else ""
            if named not in signature.named and isinstance(use.target, Function):
                # Arguments that must be named usually follow in the order of the old ones.
                only = [a.arg for a in use.target.node.args.kwonlyargs][
                    place - len(signature.positional) - 1 :
                ]
                named = only[0] if only else ""
            return (f"{named}=", "the same argument by name") if named in signature.named else ("", "")
        if leaf.startswith("needs "):
            return "", ""
        fresh = signature.named - (old.named if old is not None else frozenset())
        nodes = [use.target, *([before] if before is not None else [])]
        for symbol in nodes:
            for text in _notes(symbol.node):
                for sentence in _SENTENCES.split(text):
                    if re.search(rf"\b{re.escape(leaf)}\b", sentence) and _CUE.search(sentence):
                        words = [
                            w for w in re.findall(r"\w+", sentence) if w in signature.named and w != leaf
                        ]
                        best = [w for w in words if w in fresh] or words
                        if best:
                            return f"{best[0]}=", "deprecation note"
        if old is not None:
            lost = old.named - signature.named
            order = [*signature.positional, *_only_named(use.target)]
            place = old.positional.index(leaf) if leaf in old.positional else len(order)
            if place < len(order) and order[place] in fresh:
                return f"{order[place]}=", "the same place"
            only_one = next(iter(fresh)) if len(lost) == len(fresh) == 1 else ""
            if difflib.SequenceMatcher(None, leaf, only_one).ratio() >= _RELATED:
                return f"{only_one}=", "the only new argument"
        close = [
            *difflib.get_close_matches(leaf, sorted(fresh), n=1, cutoff=_NEAR),
            *difflib.get_close_matches(leaf, sorted(signature.named), n=1, cutoff=_NEAR),
        ]
        return (f"{close[0]}=", "spelt nearly the same") if close else ("", "")


def _written(gone: Gone) -> Function | Class | None:
    """Returns the definition of a name in the older release, also if other code might have replaced it there."""
    if gone.before is None or isinstance(gone.before.target, Function | Class):
        return (
            gone.before.target if gone.before and isinstance(gone.before.target, Function | Class) else None
        )
    on = gone.before.on
    classes = on.classes if isinstance(on, Instance) else [on]
    if gone.release is not None:
        for cls in classes:
            for one in ancestors(cls, gone.release.table).classes if isinstance(cls, Class) else ():
                node = find(one, gone.use.symbol.rpartition(".")[2])
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    return Function(node, one.module, one)
    return None


def _only_named(symbol: Function | Class) -> list[str]:
    """Returns the parameters that must be named, in order."""
    return [a.arg for a in symbol.node.args.kwonlyargs] if isinstance(symbol, Function) else []


def _is_method(symbol: Function | Class) -> bool:
    return isinstance(symbol, Function) and symbol.owner is not None


def _notes(node: ast.AST) -> Iterator[str]:
    """Yields the texts of a definition that may say what replaces it: decorators, warnings, then the docstring."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for decorator in node.decorator_list:
        text = " ".join(_strings(decorator))
        if text:
            yield f"{last_name(decorator)} {text}"
    for part in ast.walk(node):
        warns = isinstance(part, ast.Call) and re.search("warn|deprecat", last_name(part), re.IGNORECASE)
        message = isinstance(part, ast.Assign) and "msg" in last_name(part.targets[0])
        if (warns or message) and (text := " ".join(_strings(part))):
            yield f"deprecated {text}"
    doc = ast.get_docstring(node) or ""
    for m in re.finditer(r"(?:\.\. deprecated::|(?i:deprecated|obsolete))[\s\S]{0,400}", doc):
        yield m[0]


def _strings(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _only_call(function: Function) -> ast.Call | None:
    """Returns the call that a function consists of, if it does nothing else but warn."""
    body = [n for n in function.node.body if not isinstance(n, ast.Expr | ast.Import | ast.ImportFrom)]
    value = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
    return value if isinstance(value, ast.Call) else None


def _words(node: ast.AST) -> Iterator[str]:
    """Yields the words that a definition consists of, without its own name."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, ast.Constant):
            yield from str(part.value).split()[:200]
        elif isinstance(part, ast.stmt):
            yield type(part).__name__
