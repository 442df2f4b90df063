"""Replaces secrets and personal data in a text by placeholders.

`engine` runs the shapes, `shape` says what one is, and the other modules list them, one module for each subject:
`tokens` of services, `assignments`, `commands` and `prose` for passwords, then `emails`, `phones`,
`places`, `people`, `networks` and `accounts`.
`values` tells a real value from a placeholder or from code.
"""

from __future__ import annotations

from furytune._privacy.redaction.engine import KINDS, PLACEHOLDERS, VERSION, chosen, redact

__all__ = ["KINDS", "PLACEHOLDERS", "VERSION", "chosen", "redact"]
