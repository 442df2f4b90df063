"""Finds out since when a name is gone, by reading the same code against older releases."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final

from attrs import define, evolve

from furytune._python_source.kinds import Class, Function
from furytune.curation._code.successors import Gone, Successors
from furytune.curation._code.usage import read_uses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from furytune._python_source.symbols import SymbolTable
    from furytune.curation._code.known import Known
    from furytune.curation._code.usage import Block, Use

__all__ = ["History"]

_LEAST: Final = 3


@define(eq=False, slots=False)
class History:
    """The releases of a package.

    Attributes:
        newest: The release that code is compared with.
        older: Older ones, oldest first.
    """

    newest: Known
    older: tuple[Known, ...] = ()

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """What short names stand for where the package's own source and docstrings import it, such as "np"."""
        table = self.newest.table
        pattern = re.compile(
            rf"^[ \t]*(?:>>> )?import ({re.escape(table.package)}(?:\.\w+)*) as (\w+)[ \t]*$", re.MULTILINE
        )
        counts: Counter[tuple[str, str]] = Counter()
        for name in table.files.files:
            text = (table.files.read(name) or b"").decode("utf-8", "replace") if name.endswith(".py") else ""
            counts.update((m[2], m[1]) for m in pattern.finditer(text))
        best: dict[str, str] = {}
        for (short, dotted), count in counts.most_common():
            if count >= _LEAST and not short.startswith("_"):
                best.setdefault(short, dotted)
        return best

    @cached_property
    def _successors(self) -> Successors:
        return Successors(self.newest.table, self.aliases)

    def gone(self, blocks: Sequence[Block], uses: Sequence[Use]) -> list[tuple[Use, str, str, str]]:
        """Returns each use that does not work, the release it is gone since, what replaces it, and how that is known."""
        suspects = [use for use in uses if use.status in {"missing", "dynamic", "lacking"}]
        if not suspects:
            return []
        before = [
            {use.key: use for use in read_uses(blocks, known.table, self.aliases)} for known in self.older
        ]
        releases = [*self.older, self.newest]
        found: dict[str, tuple[Use, str, str, str]] = {}
        for use in suspects:
            had = [
                i
                for i, one in enumerate(before)
                if use.key in one and _proves(use, one[use.key], self.older[i].table)
            ]
            # Without a release in which it worked, nothing is proved.
            if (use.status != "missing" and not had) or use.symbol in found:
                continue
            since = releases[had[-1] + 1].name if had else ""
            found[use.symbol] = (use, since, *self._instead(use, had[-1] if had else None, before))
        return [*found.values()]

    def _instead(
        self, use: Use, last: int | None, before: Sequence[Mapping[tuple[int, int, int, str], Use]]
    ) -> tuple[str, str]:
        """Returns what replaces a use, and how that is known; ``last`` is the last older release that had it."""
        if last is None:
            return self._successors.of(Gone(use))
        known = self.older[last]
        # Of a module that is gone, the reader needs what the code takes from it.
        for inner in before[last].values():
            if inner.symbol.startswith(f"{use.symbol}.") and isinstance(inner.target, Function | Class):
                instead, why = self._successors.of(Gone(evolve(use, symbol=inner.symbol), inner, known))
                if instead:
                    return instead, f"{why}, for {inner.symbol}"
        return self._successors.of(Gone(use, before[last][use.key], known))


def _proves(use: Use, before: Use, table: SymbolTable) -> bool:
    """Returns whether an older release certainly had what is missing now."""
    if before.status != "found" or use.status != "dynamic":
        return before.status == "found"
    # Unless the older source says what it is, it may have been set at run time then, too.
    leaf = use.symbol.rpartition(".")[2]
    return table.writes(before.on, leaf) or isinstance(before.target, Function | Class)
