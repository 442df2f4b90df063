"""Passwords, keys and codes that someone writes about, in the languages that chats are written in most."""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before, line_around
from furytune._privacy.redaction.values import is_code, is_key, is_password, is_placeholder

__all__ = ["SHAPES"]

_WORD: Final = (
    r"(?<![A-Za-z0-9_.-])(?i:pass ?words?|pass-?(?:phrase|code|wd)s?|pwd?|passwort|passwörter|kennwort|mot de passe|mdp|contraseñas?|contrasenas?|"
    r"clave|senhas?|palavra-passe|parola(?: d'ordine)?|wachtwoord|hasło|haslo|heslo|lösenord(?:et)?|losenord|adgangskoden?|passord(?:et)?|"
    r"salasana|jelszó|jelszo|şifre(?:m|si)?|sifre|parol[ae]?|kata sandi|mật khẩu|лозинка|пароль|пароля)"
    r"|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호"
)
_PASSWORD_HINTS: Final = (
    "pass",
    "mật khẩu",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "暗証番号",
    "비밀번호",
    "암호",
)
_PASSWORD_WORDS: Final = (
    "pw", "pwd", "kennwort", "mdp", "contraseña", "contraseñas", "contrasena", "contrasenas", "clave", "senha", "senhas",
    "palavra", "parola", "parole", "parol", "wachtwoord", "hasło", "haslo", "heslo", "lösenord", "lösenordet", "losenord",
    "adgangskode", "adgangskoden", "salasana", "jelszó", "jelszo", "şifre", "şifrem", "şifresi", "sifre", "kata", "лозинка",
    "пароль", "пароля",
)  # fmt: skip
_IS: Final = (
    r"(?:\s{0,3}(?:=>|->|→|[:=：])\s{0,3}|,\s(?:it is|it's|es ist|c'est|es)\s|\s{1,2}[-–]\s{1,2}|\s{1,3}(?i:is|was|are|to|ist|lautet|war|sind|est|sont|es|era|é|è|jest|är|er|on|este|je|это|from|"
    r"is now|is still|is set to|was set to|should be|would be|has to be|must be|changed to|ist jetzt|lautet jetzt)\s?[:=]?\s{1,3}"
    r"|\s?(?:是|为|為|は|が|는|은|：|:)\s?)"
)
# "the password for the staging box is ..."
_FOR: Final = r"(?:\s(?i:for|of|on|to|für|von|vom|zum|zur|pour|de|du|del|para|per|do|da|voor|til|till)\s[^\n.:;=\"'`!?,]{1,40}?)?"
_QUOTE: Final = r"[\"'`*_“„«|(]{0,2}"
_VALUE: Final = r"[^\s\"'`;,<>()\[\]{}|“”„«»。、，]{4,100}"
_TRAIL: Final = ".?:,*_"


def _value(match: re.Match[str]) -> str:
    return match[0][len(match["keep"]) :].rstrip(_TRAIL)


def _is_said(match: re.Match[str]) -> bool:
    value = _value(match)
    if is_password(value):
        return "@" not in value or "." not in value.rpartition("@")[2]
    if value.isdigit() and value.isascii():
        return len(value) >= 6 and not is_placeholder(value)
    quoted = match["keep"][-1] in "\"'`“„«" and match.string[match.end() : match.end() + 1] in "\"'`”“»"
    return quoted and len(value) >= 6 and not is_placeholder(value) and not is_code(value) and value.isalnum()


_SEVERAL_DIGITS: Final = Lazy(r"\d.*\d|[!@#$%^&*+~]")


def _is_beside(match: re.Match[str]) -> bool:
    """The value follows without a verb, so only what cannot be anything else counts."""
    value = _value(match)
    return (
        len(value) >= (7 if _SEVERAL_DIGITS.search(value) else 9)
        and is_password(value)
        and value[0] not in "#@"
    )


_ACCOUNT: Final = Lazy(
    r"(?i)wi-?fi|wlan|ssid|hotspot|router|netw|user|login|log ?in|(?<!\[)account|admin|creds|e-?mail|acces|réseau|benutzer|usuario|konto|server|vpn|ftp|ssh|box\b"
)


_WIFI: Final = Lazy(r"(?i)wi-?fi|wlan|ssid|hotspot|router|netzwerk|network|réseau|red\b|\brete\b")


def _is_account(match: re.Match[str]) -> bool:
    # "code" and "key" have other meanings, except beside the name of a network.
    near = _ACCOUNT if match["keep"][:4].lower() == "pass" else _WIFI
    return near.search(before(match, 80)) is not None and is_password(_value(match))


def _is_key_said(match: re.Match[str]) -> bool:
    value = _value(match)
    return not is_code(value) and is_key(value) and any(c.isalpha() for c in value)


def _is_login_pair(match: re.Match[str]) -> bool:
    return "/" not in _value(match) and is_password(_value(match)) and _UUID.fullmatch(_value(match)) is None


_UUID: Final = Lazy(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_NO_CODE: Final = Lazy(
    r"(?i)(?:error|exit|status|return|http|https|country|zip|post(?:al)?|area|colou?r|source|response|result|qr|bar|key|char|"
    r"hex|unicode|ascii|reason|stop|sqlstate|errno|op|event|discount|product|course|room|hs|class|line|python|fehler|erreur|state)[- ]?$"
)
_ONE_TIME: Final = Lazy(
    r"(?i)sent|send|valid|verif|confirm|2fa|mfa|\botp\b|one[- ]?time|log ?in|sign ?in|\bsms\b|text(?:ed|s)? me|expires?|authenticat|security|"
    r"minutes|e-?mail|geschickt|bestätig|gültig|anmelde|reçu|envoy|enviado|código|recib|codice|ricev|type it|enter|(?:your|my) code"
)


def _is_one_time(match: re.Match[str]) -> bool:
    return (
        _NO_CODE.search(before(match, 12).rstrip()) is None
        and _ONE_TIME.search(line_around(match, 80)) is not None
    )


_HEX_NEAR: Final = Lazy(
    r"(?i)auth[ _-]?token|api[ _-]?key|(?<!\[)secret|password|access[ _-]?(?:token|key)|private[ _-]?key"
)
_DIGEST_NEAR: Final = Lazy(
    r"(?i)sha\d*|md5|digest|hash|commit|checksum|etag|revision|uuid|fingerprint|public|keccak|integrity|blob|tree|rev\b"
)


def _is_secret_hex(match: re.Match[str]) -> bool:
    line = line_around(match, 120)
    return (
        _HEX_NEAR.search(line) is not None
        and _DIGEST_NEAR.search(line) is None
        and not is_placeholder(match[0])
    )


_RECOVERY_CODE: Final = r"(?<![A-Za-z0-9-])(?:[A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{3,8}){1,7}|(?=[A-Za-z]{0,15}\d)[A-Za-z0-9]{8,16}|\d{4} \d{4})(?![A-Za-z0-9-])"


def _is_recovery(match: re.Match[str]) -> bool:
    return any(c.isdigit() for c in match[0][len(match["keep"]) :])


def _is_whole(match: re.Match[str]) -> bool:
    return len(match[0]) >= 7 and is_password(match[0])


def _is_pin(match: re.Match[str]) -> bool:
    return "gpio" not in before(match, 30).lower()


SHAPES: Final = (
    # "is ... a good password?"
    Shape(
        "secrets",
        words=("password", "passphrase", "passwort"),
        pattern=Lazy(
            r"(?<=[\s\"'`])[^\s\"'`;,<>()\[\]{}|]{7,64}(?=[\"'`]?\s(?:as |is |für )?(?:a|an|the|my|mein|das)\s(?:\w{1,12}\s)?(?i:password|passphrase|passwort)(?![A-Za-z]))"
        ),
        check=_is_whole,
    ),
    Shape(
        "secrets",
        words=("pin",),
        pattern=Lazy(
            rf"(?P<keep>(?<![A-Za-z0-9_-])(?i:pin)(?:[ -]?code)?{_FOR}\s?(?:is|was|ist|est|:)\s{{1,2}}[\"'`*]{{0,2}})\d{{4,8}}(?![\w-]|\.\d)"
        ),
        check=_is_pin,
        digit=True,
    ),
    Shape(
        "secrets",
        words=("fa", "otp", "totp", "mfa", "authenticator"),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z0-9])(?i:2fa|otp|totp|mfa|authenticator)[ _-]?(?i:secret|key|seed|code)?(?:\s(?:is|ist))?\s?[:=]?\s?[\"'`]?)[A-Z2-7]{16,64}(?![\w=])"
        ),
        long=True,
    ),
    Shape(
        "secrets",
        words=("code",),
        pattern=Lazy(
            r"(?<![\w.,-])(?:\d{6}|\d{3}[ -]\d{3})(?=\s(?:as|is)\s(?:a|the|my|your)\s(?:[\w-]{1,20}\s){0,2}code(?![a-z]))"
        ),
        digit=True,
    ),
    Shape(
        "secrets",
        hints=_PASSWORD_HINTS,
        words=_PASSWORD_WORDS,
        pattern=Lazy(rf"(?P<keep>(?:{_WORD}){_FOR}{_IS}{_QUOTE}){_VALUE}(?<![.?:,*_])"),
        check=_is_said,
    ),
    Shape(
        "secrets",
        hints=_PASSWORD_HINTS,
        words=_PASSWORD_WORDS,
        pattern=Lazy(rf"(?P<keep>(?:{_WORD})\s{{1,2}}{_QUOTE}){_VALUE}(?<![.?:,*_])"),
        check=_is_beside,
    ),
    Shape(
        "secrets",
        words=("pass", "key", "code", "clé", "clave", "schlüssel", "netzwerkschlüssel", "chiave"),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z0-9_.])(?i:pass|key|code|schlüssel|netzwerkschlüssel|clé|clave|chiave)(?:\s?[:=]\s?|\s(?:is|ist|est|es|è)\s|\s)"
            rf"{_QUOTE}){_VALUE}(?<![.?:,*_])"
        ),
        check=_is_account,
    ),
    # A user and a password, with a slash or a colon between
    Shape(
        "secrets",
        words=(
            "login",
            "logins",
            "log",
            "cred",
            "creds",
            "credential",
            "credentials",
            "zugangsdaten",
            "identifiant",
            "identifiants",
            "acceso",
            "user",
        ),
        pattern=Lazy(
            r"(?P<keep>(?<![\w./-])(?i:logins?|log in|creds?|credentials?|zugangsdaten|identifiants?|acceso|user/pass(?:word)?)(?![-/])"
            r"(?:\s(?:is|are|as|with|sind|for [\w ]{1,20}))?\s?[:=]?\s{0,2}[\"'`]?[\w.@-]{2,40}[\"'`]?\s?(?:/|:|\|)\s?[\"'`]?)"
            rf"(?!/){_VALUE}(?<![.?:,*_])"
        ),
        check=_is_login_pair,
        core=Lazy(r"[\w.@-]\s?[/:|]\s?[\"'`]?\w"),
    ),
    Shape(
        "secrets",
        hints=("secret", "key", "token"),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z0-9_.])(?i:(?:api|access|auth|deploy|license|licence|encryption|account|master|bot|app|secret|personal access)[ _-]?(?:key|token)|secrets?|token|apikey|authtoken)"
            rf"{_FOR}(?:{_IS}|\s{{1,2}}){_QUOTE})[\w+/=.~-]{{20,400}}(?<![.])(?![\w(/]|\.\w)",
            re.ASCII,
        ),
        check=_is_key_said,
        long=True,
    ),
    # A key in quotes beside the words for it, as in a call with a comment
    Shape(
        "secrets",
        hints=("token", "key", "secret", "password"),
        pattern=Lazy(r"(?P<keep>[\"'])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?=[\"'])", re.ASCII),
        check=_is_secret_hex,
        digit=True,
        long=True,
    ),
    Shape(
        "secrets",
        words=("private", "privatekey", "priv", "privkey", "wallet", "signing"),
        pattern=Lazy(
            r"(?P<keep>(?i:private[ _-]?key|privatekey|priv(?:ate)?_?key|wallet key|signing key)[^\n\[\]]{0,60}?(?<![A-Za-z0-9]))(?:0x)?[0-9a-fA-F]{64}(?![A-Za-z0-9])",
        ),
        digit=True,
        long=True,
    ),
    # The 12 to 24 words of a wallet, BIP 39
    Shape(
        "secrets",
        words=("phrase", "mnemonic", "words"),
        pattern=Lazy(
            r"(?P<keep>(?i:(?:seed|recovery|secret|backup|mnemonic|wallet)[ _-]?(?:phrase|words)|mnemonic)(?:\s(?:is|are|was))?\s?[:=]?\s?[\"'`]?)(?:[a-z]{3,8} ){11,23}[a-z]{3,8}(?![a-z])"
        ),
        core=Lazy(r"(?:[a-z]{3,8} ){11}"),
    ),
    # Codes that are valid once
    Shape(
        "secrets",
        words=(
            "code",
            "passcode",
            "otp",
            "totp",
            "código",
            "codice",
            "pin",
            "tan",
            "verification",
            "security",
            "confirmation",
            "fa",
            "mfa",
            "sms",
            "login",
            "password",
            "gcode",
            "bestätigungscode",
            "sicherheitscode",
            "anmeldecode",
            "einmalcode",
        ),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z0-9_])(?i:(?:verification|security|confirmation|one[- ]?time|2fa|mfa|otp|totp|sms|login|log-in|sign-in|access|authenticator|auth|bestätigungs|sicherheits|anmelde|einmal)[- ]?"
            r"(?:code|pin|passcode|password|tan)?|(?<!the )(?:[Cc]ode|código|codice) de (?:vérification|sécurité|verificación|seguridad|confirmation)|G-?code|my (?:sms |bank )?(?:pin|tan)|(?:sim|card|door|alarm|unlock) (?:pin|code))"
            r"(?:\s(?:is|was|ist|est|es|lautet))?\s?[:=]?\s{0,2}[\"'`*]{0,2}(?:G-)?)(?:\d{5,8}|\d{3}[ -]\d{3}|(?<=in )\d{4}|(?<=is )\d{4}|(?<=: )\d{4})(?![\w-]|\.\d)",
        ),
        check=lambda match: _NO_CODE.search(before(match, 12).rstrip()) is None,
        digit=True,
    ),
    Shape(
        "secrets",
        hints=("验证码", "コード"),
        words=("code", "código", "codice", "код"),
        pattern=Lazy(
            r"(?P<keep>(?:(?<![A-Za-z0-9_])(?i:code|código|codice|код)|验证码|コード)(?:\s(?:is|was|ist|est|es|lautet))?\s?[:=：]?\s?[\"'`*]{0,2}|(?<![\w-])G-)(?:\d{6,8}|\d{3}[ -]\d{3})(?![\w-]|\.\d)",
        ),
        check=_is_one_time,
        digit=True,
    ),
    Shape(
        "secrets",
        words=("codes", "keys", "code", "key"),
        pattern=Lazy(
            r"(?P<keep>(?i:(?:recovery|backup|rescue|scratch|emergency|2fa|wiederherstellungs|reserve|one[- ]time|mfa)(?:[- ](?:recovery|backup|rescue|scratch|login))?[- ]?(?:codes?|keys?))[^\n:=\[\]]{0,40}[:=]?\s{0,4})"
            rf"(?:{_RECOVERY_CODE}[\s,;|]{{0,4}}){{2,30}}"
        ),
        check=_is_recovery,
        each=Lazy(_RECOVERY_CODE),
        digit=True,
    ),
    Shape(
        "secrets",
        words=("code", "codes", "key", "keys", "recoverycode"),
        pattern=Lazy(
            r"(?P<keep>(?i:(?:recovery|backup|rescue|scratch|emergency|wiederherstellungs)[- ]?(?:codes?|keys?)(?:\s(?:is|was|ist))?\s?[:=]?\s{0,2})[\"'`]?)"
            rf"{_RECOVERY_CODE}"
        ),
        check=_is_recovery,
        digit=True,
    ),
)
