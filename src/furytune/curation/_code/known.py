"""One release of a package whose names can be looked up."""

from __future__ import annotations

from attrs import frozen

from furytune._python_source.symbols import SymbolTable

__all__ = ["Known"]


@frozen(eq=False)
class Known:
    """One release.

    Attributes:
        name: Its name, "" if it is not known.
        table: Its names.
    """

    name: str
    table: SymbolTable
