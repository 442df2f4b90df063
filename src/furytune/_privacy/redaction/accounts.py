"""Numbers of cards, bank accounts and people. Check digits tell them from other numbers."""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before
from furytune._privacy.redaction.values import iban_is_valid, luhn_is_valid

__all__ = ["SHAPES"]

# The examples of standards and of banks
_NO_IBAN: Final = frozenset(
    """
    DE89370400440532013000 GB82WEST12345698765432 GB29NWBK60161331926819 FR1420041010050500013M02606
    CH9300762011623852957 GB33BUKB20201555555555 NL91ABNA0417164300 ES9121000418450200051332
    IT60X0542811101000000123456 BE68539007547034 AT611904300234573201 PL61109010140000071219812874
    SE4550000000058398257466 FR7630006000011234567890189
    """.split()
)
# The numbers that payment services give for tests
_NO_CARD: Final = frozenset(
    """
    4111111111111111 4242424242424242 4000056655665556 5555555555554444 2223003122003222 5200828282828210
    5105105105105100 378282246310005 371449635398431 378734493671000 6011111111111117 6011000990139424
    3056930009020004 36227206271667 3566002020360505 6200000000000005 4012888888881881 4222222222222
    5019717010103742 4000000000000002 4000000000009995 4000002500003155 4000000000003220 4000000000000077
    4000000000000069 4000000000000127 4000000000000119 30569309025904 38520000023237 3530111333300000
    5431111111111111 4917610000000000 4444333322221111 4917484589897107 4532015112830366 5425233430109903
    2222420000001113 374245455400126 4263982640269299 4007702835532454 2720992593319364 4035501000000008
    4988438843884305 2222400070000005 5555341244441115 5577000055770004 370000000000002 1234567812345670
    """.split()
)
_MADE_UP: Final = 3

_CARD: Final = Lazy(
    r"(?<![\w.+-])(?:(?:4\d{3}|5[0-9]\d\d|2[2-7]\d\d|6\d{3}|35\d\d|3[0689]\d\d)(?P<sep>[ -]?)\d{4}(?P=sep)\d{4}(?P=sep)\d{2,4}(?:(?P=sep)\d{1,3})?"
    r"|3[47]\d\d(?P<sep2>[ -]?)\d{6}(?P=sep2)\d{5})(?![\w-]|\.\d)",
    re.ASCII,
)
_CARD_NEAR: Final = Lazy(
    r"(?i)card|\bcc\b|visa|master|amex|american express|credit|debit|discover|karte|carte|tarjeta|carta|cartão|kaart|kort\b|"
    r"cvc|cvv|\bexp\b|expir|payment|\bpay\b|paid|checkout|charge|卡|карт|カード"
)
_PREFIX: Final = Lazy(
    r"4|5[0-8]|2(?:2[2-9]|[3-6]\d|7[01]|720)|6(?:011|2|4[4-9]|5|3|7|0)|35(?:2[89]|[3-8])|3[47]|3(?:0[0-5]|[689])"
)


def _is_card(match: re.Match[str]) -> bool:
    digits = "".join(c for c in match[0] if c.isdigit())
    if (
        digits in _NO_CARD
        or not luhn_is_valid(digits)
        or _PREFIX.match(digits) is None
        or len(set(digits)) <= _MADE_UP
    ):
        return False
    # One of ten random numbers has the right check digit, so a number without groups must be said to be a card.
    end = match.end()
    return (
        digits != match[0]
        or _CARD_NEAR.search(before(match, 60) + " " + match.string[end : end + 40]) is not None
    )


def _is_iban(match: re.Match[str]) -> bool:
    return iban_is_valid(match[0]) and match[0].replace(" ", "").upper() not in _NO_IBAN


_NO_SSN: Final = frozenset(["123-45-6789", "078-05-1120", "219-09-9999", "111-11-1111", "987-65-4321"])


def _is_ssn(match: re.Match[str]) -> bool:
    number = match[0][len(match["keep"]) :].replace(" ", "-")
    return number not in _NO_SSN and len(set(number)) > _MADE_UP


SHAPES: Final = (
    Shape(
        "accounts",
        pattern=Lazy(
            r"(?<![\w.-])[A-Z]{2}\d{2}(?:(?P<sep>[ -]?)[A-Z0-9]{4}(?:(?P=sep)[A-Z0-9]{4}){2,6}(?:(?P=sep)[A-Z0-9]{1,4})?)(?![\w-])",
            re.ASCII,
        ),
        check=_is_iban,
        core=Lazy(r"(?<!\w)[A-Z]{2}\d\d[ -]?[A-Z0-9]{4}", re.ASCII),
        digit=True,
    ),
    Shape(
        "accounts",
        words=("iban",),
        pattern=Lazy(
            r"(?P<keep>(?i:iban)[^\w\n]{0,4}(?:\w{2,4}\s)?)(?i:[a-z]{2})\d{2}(?:\s?[A-Za-z0-9]{4}){2,7}(?:\s?[A-Za-z0-9]{1,4})?(?!\w)",
            re.ASCII,
        ),
        check=lambda match: (
            iban_is_valid(match[0][len(match["keep"]) :])
            and match[0][len(match["keep"]) :].replace(" ", "").upper() not in _NO_IBAN
        ),
        digit=True,
    ),
    Shape(
        "accounts",
        pattern=_CARD,
        check=_is_card,
        core=Lazy(r"\d{4}[ -]?\d{4,6}[ -]?\d{4}", re.ASCII),
        digit=True,
    ),
    Shape(
        "accounts",
        words=("ssn", "social", "tax", "taxid", "itin"),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z])(?i:ssn|social(?: security)?(?: number| no| nr)?|tax ?id|itin)[^\d\n]{0,16})(?!000|666)\d{3}[ -]\d{2}[ -](?!0000)\d{4}(?![\w-])",
            re.ASCII,
        ),
        check=_is_ssn,
        digit=True,
    ),
    Shape(
        "accounts",
        words=(
            "account",
            "acct",
            "konto",
            "kontonummer",
            "kontonr",
            "routing",
            "sort",
            "cuenta",
            "compte",
            "blz",
        ),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z])(?i:(?:bank )?(?:account|acct)\.? (?:number|no\.?|nr\.?)|kontonummer|konto-?nr\.?|routing (?:number|no\.?)|sort code|"
            r"número de cuenta|numéro de compte|blz)(?:\s(?:is|ist|es|est))?\s?[:#=]?\s{0,2})(?:\d{2}-\d{2}-\d{2}|\d{6,17})(?![\w-])",
        ),
        digit=True,
    ),
    # The three or four digits beside a card
    Shape(
        "accounts",
        words=("cvc", "cvv"),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z])(?i:cvc2?|cvv2?)(?:\s(?:is|code))?\s?[:=]?\s)\d{3,6}(?![\w.-])", re.ASCII
        ),
        digit=True,
    ),
)
