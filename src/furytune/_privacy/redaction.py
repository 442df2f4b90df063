r"""Replaces secrets and personal data in a text by placeholders: ``[secret]``, ``[e-mail]``, ``[ip]``, ``[phone]``.

One function without state: equal texts give equal results in every process, and redacting twice gives the
same as redacting once. It runs on questions too, in training and in the bot alike, so `VERSION` is raised
whenever the result changes for any text.

Why the shapes are safe and fast:

* A shape is tried only if one of its ``hints`` is in the text. Most messages contain none.
* A shape starts and ends at a word boundary or takes every further character of its alphabet, so
  replacing one span rarely uncovers another. If it does, the passes repeat until none is left.
* Every repetition is bounded, or starts at a boundary that its own characters cannot contain, so time is
  linear in the length of the text.
* No shape contains a square bracket, so a placeholder is never part of a later match.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from attrs import frozen

from furytune.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["KINDS", "VERSION", "redact"]

VERSION: Final = 1
"""Raised whenever the result changes for any text; part of the contract's fingerprint."""

KINDS: Final = ("secrets", "emails", "ips", "phones")
"""What can be redacted, in this order."""

_PLACEHOLDER: Final = {"secrets": "[secret]", "emails": "[e-mail]", "ips": "[ip]", "phones": "[phone]"}


@frozen
class _Shape:
    """One thing to look for.

    Attributes:
        kind: Which of `KINDS` it belongs to.
        hints: Lower-case literals. Every match contains one of them.
        pattern: What is replaced. A group named ``keep`` stays in front of the placeholder.
        core: A piece of every match that is faster to find than the whole, for shapes with common hints.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    core: re.Pattern[str] | None = None

    def replace(self, text: str) -> tuple[str, int]:
        """Returns the text with placeholders, and the number of spans replaced."""
        # The pattern begins with a long word, so it would be tried at each word; the core is rare and fast to
        # find.
        if self.core is not None and not self.core.search(text):
            return text, 0
        mark = _PLACEHOLDER[self.kind]
        if "keep" in self.pattern.groupindex:
            mark = rf"\g<keep>{mark}"
        return self.pattern.subn(mark, text)


def _token(prefix: str, body: str, *hints: str) -> _Shape:
    """Returns the shape of a token that begins with a known prefix and is not inside a longer word."""
    return _Shape("secrets", hints, re.compile(rf"(?<![A-Za-z0-9])(?:{prefix}){body}", re.ASCII))


_BASE64_LINES: Final = r"(?:(?:[\s>]|\\[nr])*[A-Za-z0-9+/=]{16,})+"
_PRIVATE_KEY: Final = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:(?:[^\[\]-]++|-(?!----))*+-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----|{_BASE64_LINES})"
)
_URL_LOGIN: Final = (
    r"(?<![A-Za-z0-9])(?P<keep>[A-Za-z][A-Za-z0-9+.-]{1,20}://)"
    r"[^\s:@/?#\[\]<>{}\"'`]{0,100}:[^\s@/?#\[\]<>{}\"'`]{1,200}(?=@)"
)
# The name must end with the word, so that `tokenizer` and `password_field` do not match.
_LOGIN_NAME: Final = r"(?i:(?:[\w-]{0,40}[_-])?(?:password|passwd|passphrase|pwd))"
_KEY_NAME: Final = r"(?i:(?:[\w-]{0,40}[_-])?(?:secret(?:[_-]?key)?|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|token))"
_ASSIGN: Final = r"[\"']?\s{0,4}(?:=|:|=>)\s{0,4}[bru]?[\"']"
_DIGIT_AHEAD: Final = r"(?=[\w+/=.:~-]{0,200}\d)"


def _assigned(name: str, value: str, *hints: str) -> _Shape:
    """Returns the shape of a quoted value that code assigns to a name; the name stays."""
    return _Shape(
        "secrets",
        hints,
        re.compile(rf"(?<![A-Za-z0-9_-])(?P<keep>{name}{_ASSIGN}){value}(?=[\"'])", re.ASCII),
    )


_SECRETS: Final = (
    _Shape("secrets", ("-----begin ",), re.compile(_PRIVATE_KEY)),
    # Discord: https://discord.com/developers/docs/reference; the last part has 27 characters or more.
    _Shape(
        "secrets",
        (".",),
        re.compile(r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6,7}\.[\w-]{27,}", re.ASCII),
        re.compile(r"\.[\w-]{6,7}\.", re.ASCII),
    ),
    _token(r"mfa\.", r"[\w-]{60,}", "mfa."),
    _token(
        r"https?://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/api/(?:v\d{1,3}/)?webhooks/",
        r"\d{5,25}/[\w-]{8,}",
        "/webhooks/",
    ),
    _token(r"https://hooks\.slack\.com/(?:services|workflows)/", r"[\w/-]{16,}", "hooks.slack.com"),
    _token(r"gh[opsur]_", r"\w{36,}", "gho_", "ghp_", "ghs_", "ghu_", "ghr_"),
    _token(r"github_pat_", r"\w{36,}", "github_pat_"),
    _token(r"gl(?:pat|dt|rt|ptt)-", r"[\w-]{20,}", "glpat-", "gldt-", "glrt-", "glptt-"),
    _token(r"AIza", r"[\w-]{35,}", "aiza"),
    _token(r"ya29\.", r"[\w-]{20,}", "ya29."),
    _token(r"GOCSPX-", r"[\w-]{20,}", "gocspx-"),
    _token(r"sk-(?:proj|svcacct|admin|ant|or|lf)-", r"[\w-]{20,}", "sk-"),
    _token(r"sk-", r"[A-Za-z0-9]{20,}[\w-]*", "sk-"),
    _token(r"xox[abceoprs]-", r"[\w-]{10,}", "xox"),
    _token(r"xapp-", r"\d-[\w-]{20,}", "xapp-"),
    _token(r"A(?:KIA|SIA|BIA|CCA)", r"[A-Z0-9]{16}(?![A-Za-z0-9])", "akia", "asia", "abia", "acca"),
    _token(r"[rs]k_(?:live|test)_", r"\w{16,}", "k_live_", "k_test_"),
    _token(r"whsec_", r"[\w+/=-]{24,}", "whsec_"),
    _token(r"pypi-", r"[\w-]{50,}", "pypi-"),
    _token(r"npm_", r"[A-Za-z0-9]{36,}\w*", "npm_"),
    _token(r"hf_", r"[A-Za-z0-9]{30,}\w*", "hf_"),
    _token(r"SG\.", r"[\w-]{16,32}\.[\w-]{32,}", "sg."),
    _token(r"do[opr]_v1_", r"[0-9a-f]{40,}", "_v1_"),
    _token(r"dckr_pat_", r"[\w-]{20,}", "dckr_pat_"),
    _token(r"\d{8,12}:AA", r"[\w-]{30,}", ":aa"),  # Telegram
    _token(r"eyJ", r"[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?", "eyj"),  # JSON Web Token, RFC 7519
    _Shape("secrets", ("://",), re.compile(_URL_LOGIN, re.ASCII)),  # RFC 3986, 3.2.1
    _Shape(
        "secrets",
        ("bearer",),
        re.compile(
            rf"(?<![A-Za-z0-9])(?P<keep>(?i:bearer)\s{{1,4}}){_DIGIT_AHEAD}[\w+/=.~-]{{20,}}", re.ASCII
        ),
    ),
    _assigned(_LOGIN_NAME, r"[^\s\"'\[\]<>{}$]{4,200}", "passw", "passphrase", "pwd"),
    _assigned(_KEY_NAME, _DIGIT_AHEAD + r"[\w+/=.:~-]{12,200}", "secret", "key", "token"),
    # The `.env` form: an upper-case name, no spaces, no quotes, a value that is not an expression.
    _Shape(
        "secrets",
        ("secret", "key", "token", "passw"),
        re.compile(
            r"(?<![A-Za-z0-9_])(?P<keep>(?:[A-Z0-9_]{0,40}_)?"
            rf"(?:PASSWORD=(?=[\w+/=!%^&*~-]{{4}})|(?:SECRET|KEY|TOKEN)={_DIGIT_AHEAD}(?=[\w+/=~-]{{16}})))"
            r"[\w+/=!%^&*~-]++(?![.(])",
            re.ASCII,
        ),
    ),
)

# RFC 5321, 4.5.3.1: at most 64 characters before the @. Spared: git@host, image@2x.png, and the matrix
# product a@self.b or a@b.f(c) of Python.
_EMAIL: Final = (
    r"(?<!\w)(?!git@)\w[\w.+%-]{0,63}@(?!(?:self|cls)\.|\d{1,2}x\.)"
    r"(?:\w(?:[\w-]{0,61}\w)?\.){1,8}[^\W\d_]{2,24}(?![\w(])"
)

# Spared: addresses that identify no one (loopback, private, link-local, unspecified, multicast; RFC 1122,
# 1918, 3927, 5771), and what may as well be the number of a version or a section: an address with fewer
# than two octets of two or more digits, which is true of one public address in four thousand.
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4: Final = (
    r"(?<![\w.+-])(?<![=~<>!\]]=)(?<![\w\]]/)(?<![Vv]ersion )(?<![Vv]ersion: )"
    r"(?!0\.|10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|22[4-9]\.|2[3-5]\d\.)"
    r"(?=(?:\d{1,3}\.){0,2}\d{2,3}\.(?:\d{1,3}\.){0,2}\d{2})"
    rf"{_OCTET}(?:\.{_OCTET}){{3}}(?!\w|[.+-]\w)"
)
_HEX: Final = r"[0-9A-Fa-f]{1,4}"
_IPV6: Final = (
    rf"(?<![\w:.])(?:{_HEX}(?::{_HEX}){{7}}|[23][0-9A-Fa-f]{{3}}(?::{_HEX}){{1,5}}::{_HEX}(?::{_HEX}){{0,4}})"
    r"(?![\w:])"
)

# ITU-T E.164: a plus sign, then at most 15 digits.
_PHONE: Final = (
    r"(?<![\w+])\+(?=[1-9](?:[ .()-]{0,2}\d){7})"
    r"\d{1,3}(?:\d{7,11}|(?:[ .-]|[ .-]?\(\d{1,4}\)[ .-]?)\d{1,8}(?:[ .-]\d{1,8}){0,6})(?!\w)"
)

_SHAPES: Final = (
    *_SECRETS,
    _Shape("emails", ("@",), re.compile(_EMAIL)),
    _Shape("ips", (".",), re.compile(_IPV4, re.ASCII)),
    _Shape("ips", ("::", ":"), re.compile(_IPV6, re.ASCII)),
    _Shape("phones", ("+",), re.compile(_PHONE, re.ASCII)),
)
_ORDER: Final = {shape: n for n, shape in enumerate(_SHAPES)}


def redact(text: str, kinds: Collection[str]) -> tuple[str, int]:
    """Replaces secrets and personal data by placeholders.

    Only well-known shapes are replaced. Version numbers, line numbers, tracebacks, Discord ids, commit
    ids, UUIDs, digests and file paths stay, unless one of them has the shape of a known secret.

    Args:
        text: Any text.
        kinds: Which of `KINDS` to replace.

    Returns:
        The new text, and the number of replaced spans.

    Raises:
        ConfigError: A kind is unknown.
    """
    hinted = _hinted(tuple(kinds))
    count = 0
    # Until nothing is found: a replacement can bring two parts together that form a new secret, and the
    # result must not change when it is redacted again.
    while shapes := _promising(text, hinted):
        found = 0
        for shape in shapes:
            text, n = shape.replace(text)
            found += n
        if not found:
            break
        count += found
    return text, count


_Gated = tuple[tuple[str, tuple[tuple[str, tuple[_Shape, ...]], ...]], ...]


@cache
def _hinted(kinds: tuple[str, ...]) -> _Gated:
    """Groups the shapes by hint, and the hints by a rare character that they contain, to rule out many hints at once."""
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ConfigError(f"cannot redact {', '.join(unknown)}; choose from {', '.join(KINDS)}")
    by_hint: dict[str, list[_Shape]] = {}
    for shape in _SHAPES:
        if shape.kind in kinds:
            for hint in shape.hints:
                by_hint.setdefault(hint, []).append(shape)
    gates: dict[str, list[tuple[str, tuple[_Shape, ...]]]] = {}
    for hint, shapes in by_hint.items():
        # Most lines of chat contain none of these characters, so four tests rule out most hints.
        gate = next((c for c in "_-:/" if c in hint), "")
        gates.setdefault(gate, []).append((hint, tuple(shapes)))
    return tuple((gate, tuple(hints)) for gate, hints in gates.items())


def _promising(text: str, gated: _Gated) -> list[_Shape]:
    """Returns the shapes that may be in the text. Most texts contain none, so this is most of the work."""
    lower = text.lower()
    found = {
        id(shape): shape
        for gate, hints in gated
        if gate in lower
        for hint, shapes in hints
        if hint in lower
        for shape in shapes
    }
    return sorted(found.values(), key=_ORDER.__getitem__) if len(found) > 1 else list(found.values())
