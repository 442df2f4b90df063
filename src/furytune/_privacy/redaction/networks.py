"""IP addresses, and the addresses of devices. Addresses that identify no one stay.

The ranges are written out, because the answers of `ipaddress` change between versions of Python.
"""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before
from furytune._privacy.redaction.values import luhn_is_valid

__all__ = ["SHAPES"]

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# RFC 1122, 1918, 3927, 5737, 5771, 6598 and 2544: loopback, private, link-local, documentation, multicast, carriers, tests
_IPV4: Final = Lazy(
    r"(?<![\w.+-])(?<![=~<>!\]]=)(?<![A-Za-z_\]]/)"
    r"(?!0\.|10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|22[4-9]\.|2[3-5]\d\.|192\.0\.[02]\.|198\.51\.100\."
    r"|203\.0\.113\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|198\.1[89]\.)"
    rf"{_OCTET}(?:\.{_OCTET}){{3}}(?!\w|[.+]\w|-[A-Za-z])",
    re.ASCII,
)
_RESOLVERS: Final = frozenset(
    """
    8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 4.2.2.1 4.2.2.2
    1.2.3.4 1.1.1.2 1.1.1.3 94.140.14.14 94.140.15.15 64.6.64.6 76.76.2.0 11.22.33.44 12.34.56.78 123.45.67.89
    111.111.111.111
    """.split()
)
_VERSION: Final = Lazy(
    r"(?i)(?<![a-z])(?:versions?|ver|release|build|driver|drivers|assembly|installer|firmware|package|section|sections|chapter|manual|paragraph|"
    r"clause|oid|(?:object)?identifier|snmp|upgraded?|updated?|downgraded?|chrome|chromium|edge|nvidia|cuda|lib\w{2,12}|sdk|bios|kernel|patch|\bv|tag|"
    r"revision|rev|fileversion|\w{2,20}==|\.dll|\.exe|\.jar|\.so|nuget|npm|pip|plugin|rfc|figure|table|appendix|§)\b"
    r"[^\d\n]{0,24}(?:\d+(?:\.\d+){1,3}[^\d\n]{0,16}){0,2}\Z"
)
_HOST: Final = Lazy(
    r"(?i)(?:(?<!\[)\bip(?:v4)?s?\b|\bip[_-]|(?<!\[)addr|host|server|\bping|\bssh\b|telnet|connect|\bdns\b|gateway|router|peer|client|remote|"
    r"\bnmap\b|traceroute|tracert|curl|wget|listen|bind|@|://|\bban(?:ned)?\b|from|adresse|serveur|servidor)[^\d\n]{0,24}\Z"
)
_THREE_DIGITS: Final = Lazy(r"\d{3}")
_PORT_AFTER: Final = Lazy(r":\d{2,5}\b|/(?:2\d|3[0-2])\b|\s?,?\s?(?:on\s)?port\b", re.IGNORECASE)


def _is_ipv4(match: re.Match[str]) -> bool:
    if match[0] in _RESOLVERS:
        return False
    start = before(match, 60)
    long = sum(len(octet) > 1 for octet in match[0].split("."))
    clearly = (
        _HOST.search(start[-40:]) is not None or _PORT_AFTER.match(match.string, match.end()) is not None
    )
    # What is not said to be an address may be a version number. Of a hundred public addresses, two have no number of
    # three digits.
    return (clearly or (long >= 2 and _THREE_DIGITS.search(match[0]) is not None)) and (
        _VERSION.search(start) is None or start.endswith(("@", "://"))
    )


_HEX: Final = r"[0-9A-Fa-f]{1,4}"
# RFC 4291: only global addresses. RFC 3849 and 9637 are for documentation.
_IPV6: Final = Lazy(
    r"(?<![\w:.])(?!2001:0?[dD][bB]8:|3[fF]{2}[fF]:|2001:4860:4860::|2606:4700:4700::|2620:[fF][eE]::)(?=[23])"
    rf"(?:{_HEX}(?::{_HEX}){{7}}|[23][0-9A-Fa-f]{{3}}(?::{_HEX}){{1,6}}::(?:{_HEX}(?::{_HEX}){{0,5}})?|[23][0-9A-Fa-f]{{3}}::{_HEX}(?::{_HEX}){{0,5}})"
    r"(?![\w:])",
    re.ASCII,
)

_PAIR: Final = r"[0-9A-Fa-f]{2}"
_MAC: Final = Lazy(
    rf"(?<![\w:.-])(?:{_PAIR}(?::{_PAIR}){{5}}|{_PAIR}(?:-{_PAIR}){{5}}|[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}})(?![\w:-]|\.\w)",
    re.ASCII,
)
_NO_MAC: Final = frozenset(
    [
        "aabbccddeeff",
        "112233445566",
        "001122334455",
        "0123456789ab",
        "123456789abc",
        "1234567890ab",
        "deadbeefcafe",
        "deadbeef0001",
        "abcdefabcdef",
    ]
)


_SAID: Final = Lazy(r"(?i)mac|ether|phys|addr|hw|bssid|station|(?<!\[)device")
_NO_MARKS: Final = str.maketrans("", "", ":-.")


def _is_mac(match: re.Match[str]) -> bool:
    digits = match[0].lower().translate(_NO_MARKS)
    # All the same digit, examples, and groups: RFC 1112, 2464, 7042.
    return (
        len(set(digits)) > 2
        and digits not in _NO_MAC
        and not digits.startswith(("01005e", "3333", "00005e00", "0180c2"))
        and (not digits.isdigit() or _SAID.search(before(match, 40)) is not None)
        and ("." not in match[0] or not digits.isdigit())
    )


SHAPES: Final = (
    Shape(
        "ips",
        hints=(".",),
        pattern=_IPV4,
        check=_is_ipv4,
        core=Lazy(r"\d\.\d{1,3}\.\d", re.ASCII),
        digit=True,
    ),
    Shape(
        "ips",
        hints=(":",),
        pattern=_IPV6,
        core=Lazy(r"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]", re.ASCII),
        digit=True,
    ),
    Shape(
        "devices",
        hints=(":", "-", "."),
        pattern=_MAC,
        check=_is_mac,
        core=Lazy(rf"[:-]{_PAIR}[:-]{_PAIR}[:-]|\.{_PAIR}{_PAIR}\.", re.ASCII),
        digit=True,
    ),
    Shape(
        "devices",
        words=("imei",),
        pattern=Lazy(r"(?P<keep>(?i:imei)[^\d\n]{0,12})\d{2}[ -]?\d{6}[ -]?\d{6}[ -]?\d(?!\w)", re.ASCII),
        check=lambda match: luhn_is_valid(match[0]),
        digit=True,
    ),
)
