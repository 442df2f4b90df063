"""What a name of a package can refer to."""

from __future__ import annotations

import ast
import enum
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from attrs import frozen

from furytune._python_source.bindings import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MISSING",
    "PRESENT",
    "UNKNOWN",
    "AnyFunction",
    "Class",
    "Function",
    "Instance",
    "Names",
    "Symbol",
    "Verdict",
]

AnyFunction: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Verdict(enum.Enum):
    """What is known about a name that is neither a module nor defined in the source."""

    MISSING = "missing"
    PRESENT = "present"  # it exists, but its nature is not known
    UNKNOWN = "unknown"  # it may or may not exist


MISSING: Final = Verdict.MISSING
PRESENT: Final = Verdict.PRESENT
UNKNOWN: Final = Verdict.UNKNOWN


@frozen
class Class:
    """A class of the package.

    Attributes:
        node: Its definition.
        module: The module that defines it.
    """

    node: ast.ClassDef
    module: Module

    @property
    def dotted(self) -> str:
        """Name by its module."""
        return f"{self.module.name}.{self.node.name}"


@frozen
class Function:
    """A function or method of the package.

    Attributes:
        node: Its definition.
        module: The module that defines it.
        owner: The class of a method.
        bound: Whether it is reached through an instance, which is then its first argument.
        overloads: Its other signatures, which only a type checker sees.
    """

    node: AnyFunction
    module: Module
    owner: Class | None = None
    bound: bool = False
    overloads: tuple[AnyFunction, ...] = ()

    @property
    def dotted(self) -> str:
        """Name by its module."""
        return ".".join([self.owner.dotted if self.owner else self.module.name, self.node.name])


@frozen
class Instance:
    """An object whose class is known.

    Attributes:
        classes: The classes that it may have.
        exact: Whether it cannot be of a subclass.
    """

    classes: tuple[Class, ...]
    exact: bool = True


Symbol: TypeAlias = Module | Class | Function | Instance | Verdict


class Names(Protocol):
    """**Protocol:** looks names up in a package."""

    def resolve(self, node: ast.expr, module: Module) -> Symbol:
        """Returns what an expression in a module's scope refers to."""
        ...

    def attribute(self, symbol: Symbol, name: str) -> Symbol:
        """Returns what an attribute refers to."""
        ...

    def patches(self, dotted: str) -> set[str]:
        """Returns the names that other code sets in a module or class; "" means any name."""
        ...

    def subclasses(self, dotted: str) -> Sequence[Class]:
        """Returns the classes of the package that may derive from a class."""
        ...
