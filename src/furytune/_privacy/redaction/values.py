"""Tells a real password or key from a placeholder, from a word and from code."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from typing import Final

from furytune._privacy.redaction.lazy import Lazy

__all__ = [
    "iban_is_valid",
    "is_code",
    "is_key",
    "is_login",
    "is_password",
    "is_placeholder",
    "is_real",
    "luhn_is_valid",
]

# What examples and documentation write in place of a value. Compared without case and punctuation.
_STANDS_FOR_VALUE: Final = frozenset(
    """
    password passwd pass pwd pw passphrase passcode secret token key apikey api changeme changeit change example
    test testing tester dummy foo foobar bar baz qux none null nil true false undefined string str int integer
    bool boolean bytes text value values val var param params arg args required optional hidden redacted removed
    masked censored root admin administrator postgres postgresql mysql mariadb mongo redis rabbit rabbitmq user
    username usr guest default empty any input output credentials credential creds login email mail name
    localhost env environ environment prompt wrong incorrect invalid correct expired missing abc abcd asdf xyz
    field hash hashed encrypted plaintext plain passwordinput textinput textfield textbox pwdinput passwordfield
    newpassword currentpassword oldpassword confirmpassword confirm confirmation repeat mypassword mypass
    mysecret mytoken mykey yourpassword yourpass yoursecret yourtoken yourkey yourapikey supersecret topsecret
    secretkey secrettoken secretpassword accesstoken accesskey authtoken refreshtoken bearertoken bearer basic
    apitoken clientsecret strongpassword securepassword somepassword thepassword apassword userpassword
    dbpassword rootpassword passwort kennwort geheim motdepasse mdp contrasena contraseña senha parola haslo
    hasło пароль 密码 密碼 パスワード hello world data file stdin interactive auto random generated unknown same nothing
    blank here there something anything whatever xxx x y z it this that not the your my
    """.split()
)
_STANDS_FOR_PART: Final = Lazy(
    r"your|example|placeholder|changeme|change[_-]?(?:me|this|it)\b|replace[_-]?(?:me|this|with)|insert[_-]|redacted"
    r"|x{4}|\*{3}|\.\.\.|…|\$[({]|\{\{|%[(]|<|>|to[_-]?do\b|[_-]here\b|\bdummy|\bsample|\bfake|\bmy[_-]|super[_-]?secret"
    r"|not[_-]?(?:a[_-]?)?real|(?:pass(?:word|wd)?|token|secret|key|value)[_-]?goes|some[_-](?:pass|secret|token|key)"
)
_NOT_ALNUM: Final = Lazy(r"[\W_]+")
_FEW: Final = 2

_VARIABLE: Final = Lazy(r"\$\w+|%\w+%|@\w+|\$env:\w+|#\w+#|:\w+", re.ASCII)
# A name, a dotted name, or a number. What contains a capital after a digit, or ends in several digits, is a password.
_EXPRESSION: Final = Lazy(
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|[A-Za-z]\w{0,40}_[A-Za-z_]{1,40}\d{0,2}|_\w+|&[a-z]{2,6}"
    r"|[+-]?\d+(?:[.,:]\d+)*(?:[a-z%]{0,5}|[KMGT]i?[Bb]?)|v?\d+(?:\.\d+)+[\w.+-]*|0x[0-9A-Fa-f]{1,16}"
    r"|\d+-?(?:char|bit|byte|digit|day|hour|minute|second|letter|word)\w{0,10}",
    re.ASCII,
)
_PLACE: Final = Lazy(r"[.~]{0,2}/|[A-Za-z]:[\\/]|[A-Za-z][A-Za-z+.-]{1,15}://|\\\\|--|-[a-zA-Z]$")
_TERM: Final = Lazy(
    r"(?i:md|sha|hmac|utf|base|argon|bcrypt|scrypt|pbkdf|oauth|open|python|py|win|u?int|float|bfloat|complex|datetime|aes|rsa|"
    r"des|rc|http|https|ipv|ws|tls|ssl|ntlmv|x|v|h|p|t|type|step|part|user|field|test|option|line|page|row|col|level|layer|"
    r"case|chapter|version|room|group|team|site|node|host|server|db|item|entry|slot|round|attempt|try|number|nr|no|web|"
    r"k8s|ec|s|vec|mat|texture|vector|level|windows|ubuntu|debian|angular|vue|react|es|ps|rtx|gtx|esp|stm|atmega|pico|rpi|"
    r"auth|token|key|secret|pass|password|passwd|pwd|pw|login|id|uid|arg|param|var|val|value|input|str|obj|file|dir|path|"
    r"log4j|neo4j|i18n|l10n|mp|jdk|java|node|php|perl|ruby|lua|gcc|clang|cuda|opengl|gl)[-_ .]?(?:v?\d{1,4})(?:[-_.][\w.-]*|id|d|f|i|u|[a-z]{0,2})?",
    re.ASCII,
)
_INNER_MARK: Final = Lazy(r"[A-Za-z0-9][!@#$%^&*+~]+[A-Za-z0-9]|[A-Za-z0-9]{4}[!#$%^&*+~]+\Z", re.ASCII)
_NO_SMALL: Final = Lazy(r"[A-Z0-9]")
_MANY_DIGITS: Final = Lazy(r"\d{5}")
_TAKING_TURNS: Final = Lazy(r"[A-Za-z]\d+[A-Za-z]+\d+[A-Za-z]")
_PARTS: Final = Lazy(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", re.ASCII)


def is_placeholder(value: str) -> bool:
    """Returns True if a value stands for a value: ``your-token-here``, ``xxxx``, ``changeme``, ``$TOKEN``."""
    lower = value.lower()
    bare = _NOT_ALNUM.compiled.sub("", lower)
    if len(set(bare)) <= _FEW or bare in _STANDS_FOR_VALUE or _STANDS_FOR_PART.search(lower):
        return True
    if bare.isalpha() and ("password" in bare or "passwd" in bare):
        return True
    stem = bare.rstrip("0123456789")
    return (
        (stem in _STANDS_FOR_VALUE and (len(bare) - len(stem) <= 3 or bare.endswith("1234")))
        or _VARIABLE.fullmatch(value) is not None
        or value.endswith(("EXAMPLE", "EXAMPLEKEY"))  # the key of Amazon's documentation
    )


def is_real(value: str) -> bool:
    """Returns True unless a value is a placeholder."""
    return not is_placeholder(value)


def is_code(value: str) -> bool:
    """Returns True if a value without quotes is an expression, a path or a number."""
    return _EXPRESSION.fullmatch(value) is not None or _PLACE.match(value) is not None


def is_password(value: str) -> bool:
    """Returns True if a value without quotes can only be a password: letters and digits, or letters and marks."""
    if value.isalpha():
        return _is_random_letters(value) and not is_placeholder(value)
    return (
        any(c.isalpha() for c in value)
        and (any(c.isdigit() for c in value) or _INNER_MARK.search(value) is not None)
        and not is_code(value)
        and _TERM.fullmatch(value) is None
        and not is_placeholder(value)
    )


def is_login(login: str) -> bool:
    """Returns True if "name:password" is not one that everyone knows, such as ``postgres:postgres``."""
    user, _, password = login.partition(":")
    return user != password and not is_placeholder(password)


def _is_random_letters(value: str) -> bool:
    """Returns True if capitals and small letters take turns as in no name: ``kWqZtRbe``."""
    parts = _PARTS.compiled.findall(value)
    return len(value) >= 8 and len(parts) >= 4 and sum(map(len, parts)) < 3 * len(parts)


def is_key(value: str) -> bool:
    """Returns True if a value looks random: it does not consist of words and short numbers."""
    return not _is_wordy(value) and not is_placeholder(value)


def _is_wordy(value: str) -> bool:
    if _NO_SMALL.search(value) is None:
        return True
    parts = _PARTS.compiled.findall(value)
    # In random text, capitals, small letters and digits take turns after one or two characters.
    if sum(map(len, parts)) < 3 * len(parts):
        return False
    return _MANY_DIGITS.search(value) is None and _TAKING_TURNS.search(value) is None


def basic_login(value: str) -> str | None:
    """Returns "name:password" out of a Basic header (RFC 7617), or None if the value is not one."""
    try:
        login = b64decode(value, validate=True).decode("utf-8")
    except (Error, ValueError):
        return None
    return login if ":" in login and login.isprintable() else None


_IBAN_LENGTHS: Final = {
    **dict.fromkeys(["NO"], 15),
    **dict.fromkeys(["BE"], 16),
    **dict.fromkeys(["DK", "FI", "FO", "GL", "NL"], 18),
    **dict.fromkeys(["MK", "SI"], 19),
    **dict.fromkeys(["AT", "BA", "EE", "KZ", "LT", "LU", "XK"], 20),
    **dict.fromkeys(["CH", "CR", "HR", "LI", "LV"], 21),
    **dict.fromkeys(["BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"], 22),
    **dict.fromkeys(["AE", "GI", "IL", "IQ", "TL", "OM"], 23),
    **dict.fromkeys(["AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"], 24),
    **dict.fromkeys(["LY", "PT", "ST"], 25),
    **dict.fromkeys(["IS", "TR"], 26),
    **dict.fromkeys(["BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"], 27),
    **dict.fromkeys(["AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV", "SD"], 28),
    **dict.fromkeys(["BR", "EG", "PS", "QA", "UA"], 29),
    **dict.fromkeys(["JO", "KW", "MU"], 30),
    **dict.fromkeys(["MT", "SC"], 31),
    "LC": 32,
    "RU": 33,
}


def iban_is_valid(number: str) -> bool:
    """Returns True if country, length and check digits fit (ISO 13616, ISO 7064 MOD 97-10)."""
    number = number.replace(" ", "").replace("-", "").upper()
    if _IBAN_LENGTHS.get(number[:2]) != len(number):
        return False
    return int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97 == 1


def luhn_is_valid(number: str) -> bool:
    """Returns True if the last digit is the check digit of the others (ISO 7812-1)."""
    digits = [int(c) for c in number if "0" <= c <= "9"]
    doubled = (2 * d for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0
