"""Phone numbers. Without a plus sign, a word for them must stand in front."""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before

__all__ = ["SHAPES"]

# ITU-T E.164: a plus sign, then at most 15 digits.
_INTERNATIONAL: Final = Lazy(
    r"(?<![\w+\]])\+(?=[1-9](?:[ .()/-]{0,3}\d){7})"
    r"\d{1,4}(?:\d{6,12}(?!\d)|(?:[ ./-]|[ .-]?\(\d{1,5}\)[ .-]?)\d{1,11}(?:[ ./-]{1,3}\d{1,8}){0,6})(?!\w)",
    re.ASCII,
)
_NUMBER: Final = Lazy(
    r"(?<![\w.+:/(-])(?:\d{8,15}|(?:\(\d{2,5}\)\s?)?\d{1,6}(?:(?:[ ./-]|\s?\(\d{1,4}\)\s?|\s[-/]\s)\d{1,8}){1,7})"
    r"(?![\w(]|[-.:/]\w)",
    re.ASCII,
)
_NANP: Final = Lazy(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}", re.ASCII)
_DATE: Final = Lazy(
    r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d|\d{1,3}(?:\.\d{1,3}){3}|\d+\.\d+",
    re.ASCII,
)
_PHONE: Final = Lazy(
    r"(?i)(?<![a-z_\[])(?:(?:tele)?phone(?: ?(?:number|no|nr|n°|#)\.?)?|mobile(?: ?(?:number|no|nr)\.?)?|cell(?: ?phone)?(?: ?(?:number|no)\.?)?|"
    r"whats ?app|signal|telegram|viber|wechat|tel|ph|fax|hotline|telefon(?:nummer|nr)?|handy(?:nummer|nr)?|mobil(?:nummer|nr)?|festnetz|r[üu]ckruf|rufnummer|"
    r"durchwahl|num[ée]ro(?: de t[ée]l[ée]phone)?|t[ée]l[ée]phone|portable|fixe|tel[ée]fono|m[óo]vil|celular|cellulare|telem[óo]vel|telefone|"
    r"n[úu]mero|numer(?: telefonu)?|telefoon(?:nummer)?|mobiel|puhelin|тел|телефон|моб|номер|電話|电话|手机|office number|home number|"
    r"(?:my|his|her|our|their|work|contact) (?:number|no\.?|nr\.?)|number is)(?![a-z])[^\w\n]{0,4}(?:(?:is|ist|est|es|è|at|on|under|unter|au|al|no|nr|number|:)[\s.:]{1,3}){0,2}[^\d\n(){}=;<>\"+]{0,14}(?:\(|\")?\Z"
)
_CALL: Final = Lazy(
    r"(?i)(?<![a-z_.\[])(?:call|ring|dial|text|sms|reach|phone|contact|ruf|rufen|anrufen|ruft|erreichbar|erreichst|erreiche|appelle[rz]?|joindre|joignable|"
    r"ll[áa]mame|llama|llamar|chiama(?:mi)?|chiamare|liga|ligar|bel|zadzwoń|dzwoń|звони|звоните)(?![a-z])[^\d\n(){}=;<>\".+]{0,24}(?:\(|)?\Z"
)
_CALL_ME: Final = Lazy(
    r"(?i)(?<![a-z])(?:me|us|him|her|them|mich|uns|ihn|moi|nous|le|la|noi|mij|mnie)(?![a-z])[^\d\n]{0,12}\Z"
)
_GROUPS: Final = 6
_AFTER_PHONE: Final = Lazy(
    r"(?i)\s?[,(]?\s?(?:\((?:mobile|whatsapp|cell|home|work|office)|is my (?:phone|cell|mobile|number|whatsapp))"
)
_OTHER_NUMBER: Final = Lazy(r"(?i)(?:isbn|id|serial|part|order|ticket|model|sku|uuid|#)\W{0,6}\Z")
_GROUP: Final = Lazy(r"\d+")
_LEAST: Final = 8
_MOST: Final = 15


def _digits(text: str) -> str:
    return "".join(c for c in text if "0" <= c <= "9")


def _is_sequence(digits: str) -> bool:
    return digits in "01234567890123456789" or digits in "98765432109876543210" or len(set(digits)) <= 2


def _is_national(match: re.Match[str]) -> bool:
    text = match[0]
    digits = _digits(text)
    if not _LEAST <= len(digits) <= _MOST or _DATE.fullmatch(text) or _is_sequence(digits):
        return False
    start = before(match, 48)
    if _PHONE.search(start) or _AFTER_PHONE.match(match.string, match.end()):
        return True
    if _NANP.fullmatch(text) and _OTHER_NUMBER.search(start) is None:
        return text[0] == "(" or text.count("-") >= 2 or _CALL.search(start) is not None
    # "call" has other meanings, so without "me" the number must look like one.
    if len(_GROUP.compiled.findall(text)) > _GROUPS or _CALL.search(start) is None:
        return False
    return (
        digits[0] == "0"
        or text[0] == "("
        or _NANP.fullmatch(text) is not None
        or _CALL_ME.search(start) is not None
    )


SHAPES: Final = (
    Shape(
        "phones",
        hints=("+",),
        pattern=_INTERNATIONAL,
        check=lambda match: not _is_sequence(_digits(match[0])[1:]),
        digit=True,
    ),
    Shape(
        "phones",
        pattern=_NUMBER,
        check=_is_national,
        core=Lazy(r"(?:\d[ ./()-]{0,3}){7}\d", re.ASCII),
        digit=True,
    ),
)
