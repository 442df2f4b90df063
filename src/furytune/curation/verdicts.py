"""What is known about the code in an answer: whether it still works, and if not, why."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["CodeVerdict", "Finding", "FindingKind", "Form", "Outcome"]

Outcome = Literal["works", "stale", "unverifiable", "prose"]
"""``works``: each name that the code takes from the package exists, and each argument fits. ``stale``: something is
proved to be gone. ``unverifiable``: nothing is proved to be gone, but the source does not show that all of it works.
``prose``: the answer contains no Python."""

FindingKind = Literal["name", "attribute", "argument"]
"""``name``: a module, function, class or constant; ``attribute``: of a class or its instances; ``argument``: of a call."""

Form = Literal["fenced", "indented", "session", "inline", "preamble"]
"""How the code stands in the answer; ``preamble`` is code that was given to `CheckCode` for all answers."""


@frozen(kw_only=True)
class Finding:
    """Something that code uses and a package does not have.

    Attributes:
        symbol: The dotted name, such as "fury.ui.Slider"; of an argument the call, such as "fury.actor.sphere(radius)".
        kind: What is missing.
        form: How its code stands in the answer.
        snippet: The number of the fenced block in the answer, counted from 1; 0 for code outside fences.
        line: The line in the answer, counted from 1; 0 in the preamble.
        gone_since: The first known release that does not have it; "" if no older release is known to have it.
        instead: What probably replaces it; "" if that is not known.
        why: Where ``instead`` comes from, such as "deprecation note in 0.12.0"; "" without one.
    """

    symbol: str
    kind: FindingKind
    form: Form
    snippet: int
    line: int
    gone_since: str = ""
    instead: str = ""
    why: str = ""

    def __str__(self) -> str:
        since = f", gone since {self.gone_since}" if self.gone_since else ""
        instead = f"; use {self.instead} ({self.why})" if self.instead else ""
        return f"line {self.line}: {self.symbol}{since}{instead}"


@frozen(kw_only=True)
class CodeVerdict:
    """Whether the code in an answer works with one release of a package.

    Attributes:
        outcome: The verdict.
        findings: What is gone, in the order of the answer; empty unless the outcome is ``stale``.
        found: Names of the package that the code uses and that exist.
        unknown: What the code takes from the package and the source does not prove, such as names of compiled modules.
        release: The release that the code was compared with; "" if that is not known.
    """

    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    found: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    release: str = ""

    def __str__(self) -> str:
        against = f" with {self.release}" if self.release else ""
        return "\n".join([f"{self.outcome}{against}", *(f"  {finding}" for finding in self.findings)])
