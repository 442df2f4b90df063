"""Passwords and keys that are assigned to a name: in code, JSON, YAML, `.env`, ini, connection strings, URLs, XML."""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before
from furytune._privacy.redaction.values import is_code, is_key, is_login, is_password, is_placeholder, is_real

__all__ = ["SHAPES"]

# A name ends with one of these words, so that `tokenizer` and `password_field` do not match. What stands in front of the
# word, as in `DB_PASSWORD` or `userPwd`, need not be looked at.
_LOGIN: Final = (
    r"(?i:pass(?:word|wd|phrase|code|wort)|pwd|kennwort|mot_?de_?passe|contrase[nñ]a|senha|keymaterial"
    r"|wpa[_-]?psk|pre[_-]?shared[_-]?key|(?<![A-Za-z])(?:psk|pw|pass|mdp)|(?<=[a-z])(?-i:P(?:w|ass)))"
)
_LOGIN_HINTS: Final = ("pass", "pwd", "psk", "pw")
_LOGIN_WORDS: Final = ("kennwort", "mot", "contraseña", "contrasena", "senha", "keymaterial", "shared", "mdp")
_KEY: Final = (
    r"(?i:secret(?:[_-]?(?:access[_-]?)?key(?:[_-]?base)?)?|(?:api|access|private|auth|account|encryption|signing|master|license"
    r"|deploy|service|signature|hmac|app|storage|subscription|sas|jwt|consumer|session|crypt|salt)[_ -]?key"
    r"|token|sharedaccess(?:key|signature)|credentials?|apikey|salt|sid_?secret|webhook[_-]?(?:url|secret))"
)
_KEY_HINTS: Final = ("secret", "key", "token", "sharedaccess")
_KEY_WORDS: Final = ("credential", "credentials", "salt", "webhook")
_SESSION: Final = (
    r"(?<![A-Za-z0-9])(?i:(?:__(?:host|secure)-)?(?:session(?:[_-]?(?:id|token))?|sess(?:ion)?id|phpsessid|jsessionid|"
    r"connect\.sid|sid|ssid|asp\.net_sessionid|aspsessionid\w{0,12}|laravel_session|ci_session|\w{1,30}_session|cf_clearance|"
    r"(?:x-)?(?:csrf|xsrf)[_-]?(?:token)?|csrfmiddlewaretoken|remember[_-](?:me|token|user_token)|auth|authorization|"
    r"access|refresh|jwt|id_token|token_v2|\.roblosecurity|\.aspxauth|user_session|_gh_sess))"
)
_SESSION_HINTS: Final = ("sess", "sid=", "csrf", "xsrf", "token")
_SESSION_WORDS: Final = (
    "sid", "ssid", "clearance", "remember", "auth", "aspxauth", "access", "refresh", "jwt", "li", "roblosecurity",
    "authorization", "connect", "ds",
)  # fmt: skip

_TYPE: Final = r"(?:\s?:\s?[A-Za-z]{1,20}(?=\s?=))?"
_ASSIGN: Final = r"(?:\\?[\"'`]\]?)?\s{0,4}(?:=>|:=|==?|:)\s{0,4}(?:[bruf]{1,2}(?=[\"']))?\\?[\"'`]"
_QUOTED: Final = r"[^\s\"'`\[\]<>{}\\]"
_END_QUOTE: Final = r"(?=\\?[\"'`])"
_PLAIN_ASSIGN: Final = r"(?:[\"']\]?)?\s{0,3}(?:=>|:=|=|:)[ \t]{0,4}"
# A full stop or a question mark belongs to the value only if something follows.
_PLAIN: Final = r"(?:[^\s\"'`;&,()\[\]{}<>|\\.?:]|[.?:](?![\s\"'`;&,)<]|\Z))"
_END: Final = r"(?=[\s\"'`;&,)<}|\\.?:]|\Z)"


def _value(match: re.Match[str]) -> str:
    return match[0][len(match["keep"]) :]


def _is_quoted_login(match: re.Match[str]) -> bool:
    return is_real(_value(match))


def _is_quoted_key(match: re.Match[str]) -> bool:
    value = _value(match)
    return is_key(value) or (
        any(c.isdigit() for c in value) and not is_placeholder(value) and not _worded(value)
    )


_WORDED: Final = Lazy(
    r"(?:[A-Za-z]{2,}\d{0,2}|\d{1,4}[A-Za-z]?)(?:[/_.:~-]+(?:[A-Za-z]+\d{0,2}|\d{1,4}[A-Za-z]?))*[/_.:~-]*"
)


def _worded(value: str) -> bool:
    return _WORDED.fullmatch(value.lstrip("/._~-")) is not None


_BESIDE: Final = Lazy(
    r"(?im)(?:user(?:name)?|login|host(?:name)?|url|e?mail|benutzer|server|database|dbname|port)[\"']?\s{0,3}[=:]"
)


def _is_plain_login(match: re.Match[str]) -> bool:
    value = _value(match)
    if is_password(value):
        return True
    if not (value.isalpha() and value.islower()) or is_placeholder(value):
        return False
    # A word alone is a password only between the other settings of a login, each on a line of its own.
    name = before(match, 80).strip(" -\"'").replace("_", "")
    alone = not name or name.isalnum()
    window = (
        match.string[max(0, match.start() - 80) : match.start()]
        + match.string[match.end() : match.end() + 80]
    )
    ends_line = match.string[match.end() : match.end() + 1] in ("", "\n")
    return alone and ends_line and _BESIDE.search(window) is not None


def _is_plain_key(match: re.Match[str]) -> bool:
    value = _value(match)
    return not is_code(value) and is_key(value) and not _worded(value)


def _is_env(match: re.Match[str]) -> bool:
    value = _value(match)
    return is_real(value) and not is_code(value) and not _worded_key(match["keep"], value)


def _worded_key(name: str, value: str) -> bool:
    return "PASS" not in name and _worded(value)


def _is_session(match: re.Match[str]) -> bool:
    value = _value(match)
    return is_key(value.replace("%", "")) and not is_code(value) and any(c.isalpha() for c in value)


def _is_url_login(match: re.Match[str]) -> bool:
    return is_login(_value(match))


def _is_url_token(match: re.Match[str]) -> bool:
    return is_key(_value(match))


_NAME_IN_URL: Final = r"(?<=[?&])(?i:key|k|auth|code|sig|signature|hash|pwd|pass|sid|hmac|x-amz-(?:signature|security-token|credential))="

_SEPARATOR: Final = Lazy(r"[=:,][>=]?\s{0,4}(?:[bruf]{1,2}(?=[\"']))?\\?[\"'`]?[^\s=:>]")

_QUOTED_BESIDE: Final = Lazy(r"[A-Za-z]\s{1,8}[\"'`][^\s\"'`]")

SHAPES: Final = (
    # RFC 3986, 3.2.1
    Shape(
        "secrets",
        hints=("://",),
        pattern=Lazy(
            r"(?<![A-Za-z0-9])(?P<keep>[A-Za-z][A-Za-z0-9+.-]{1,20}://)"
            r"[^\s:@/?#\[\]<>{}\"'`]{0,100}:[^\s@/?#\[\]<>{}\"'`]{1,200}(?=@)",
            re.ASCII,
        ),
        check=_is_url_login,
        core=Lazy(r"://[^\s/@]{0,300}@"),
    ),
    Shape(
        "secrets",
        hints=("://",),
        pattern=Lazy(
            r"(?<![A-Za-z0-9])(?P<keep>[A-Za-z][A-Za-z0-9+.-]{1,20}://)[\w.~-]{20,200}(?=@)", re.ASCII
        ),
        check=_is_url_token,
        core=Lazy(r"://[^\s/@]{0,300}@"),
    ),
    # jdbc:oracle:thin:scott/tiger@host
    Shape(
        "secrets",
        hints=("jdbc:",),
        pattern=Lazy(r"(?P<keep>jdbc:oracle:\w{2,4}:\w{1,60}/)[^\s@/\[\]\"']{1,100}(?=@)", re.ASCII),
        check=lambda match: is_real(_value(match)),
    ),
    Shape(
        "secrets",
        hints=_LOGIN_HINTS,
        words=_LOGIN_WORDS,
        core=_SEPARATOR,
        pattern=Lazy(rf"(?P<keep>{_LOGIN}{_TYPE}{_ASSIGN}){_QUOTED}{{4,200}}{_END_QUOTE}"),
        check=_is_quoted_login,
    ),
    Shape(
        "secrets",
        hints=_KEY_HINTS,
        words=_KEY_WORDS,
        core=_SEPARATOR,
        pattern=Lazy(rf"(?P<keep>{_KEY}{_TYPE}{_ASSIGN}){_QUOTED}{{12,400}}{_END_QUOTE}"),
        check=_is_quoted_key,
        long=False,
    ),
    Shape(
        "secrets",
        hints=_LOGIN_HINTS,
        words=_LOGIN_WORDS,
        core=_SEPARATOR,
        pattern=Lazy(rf"(?P<keep>{_LOGIN}{_PLAIN_ASSIGN})(?![$\"'`/<{{*]){_PLAIN}{{4,200}}+{_END}"),
        check=_is_plain_login,
    ),
    Shape(
        "secrets",
        hints=_KEY_HINTS,
        words=_KEY_WORDS,
        core=_SEPARATOR,
        pattern=Lazy(rf"(?P<keep>{_KEY}{_PLAIN_ASSIGN})(?![$\"'`<{{*]){_PLAIN}{{16,800}}+{_END}"),
        check=_is_plain_key,
        long=True,
    ),
    # The `.env` form: an upper-case name, no spaces, no quotes, a value that is not an expression.
    Shape(
        "secrets",
        hints=("secret=", "key=", "token=", "passw", "pass=", "pwd=", "pw="),
        pattern=Lazy(
            r"(?P<keep>(?<![a-z])(?:(?:PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|(?<![A-Z])PW)=(?=[\w+/=!%^&*~-]{4})"
            r"|(?:SECRET|KEY|TOKEN)=(?=[\w+/=.:~-]{0,200}\d)(?=[\w+/=~-]{16})))[\w+/=!%^&*~-]++(?![.(])",
            re.ASCII,
        ),
        check=_is_env,
    ),
    # define('DB_PASSWORD', 'value'), os.environ.setdefault("API_KEY", "value"), setenv NAME value, ENV NAME value
    Shape(
        "secrets",
        hints=("secret", "key", "token", "pass", "pwd"),
        pattern=Lazy(
            r"(?P<keep>(?:[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|PASS|PWD|SECRET|KEY|TOKEN)[\"']\s?,\s?[\"']))"
            rf"{_QUOTED}{{6,200}}{_END_QUOTE}",
        ),
        check=lambda match: is_password(_value(match)),
        core=Lazy(r"(?:S|D|T|Y|N)[\"']\s?,"),
    ),
    Shape(
        "secrets",
        words=("setenv", "env", "setx"),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z])(?:ENV|setenv|setx)\s[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|PASS|PWD|SECRET|KEY|TOKEN)\s"
            rf"[\"']?){_PLAIN}{{6,200}}+{_END}",
        ),
        check=lambda match: is_password(_value(match)),
    ),
    # #define API_KEY "value", WITH PASSWORD 'value', IDENTIFIED BY 'value'
    Shape(
        "secrets",
        hints=_LOGIN_HINTS,
        words=("identified", *_LOGIN_WORDS),
        core=_QUOTED_BESIDE,
        pattern=Lazy(
            rf"(?P<keep>(?:{_LOGIN}|(?i:identified\s(?:with\s\w{{1,30}}\s)?by))\s{{1,8}}[\"'`]){_QUOTED}{{4,200}}{_END_QUOTE}"
        ),
        check=lambda match: is_password(_value(match)),
    ),
    Shape(
        "secrets",
        hints=_KEY_HINTS,
        core=_QUOTED_BESIDE,
        pattern=Lazy(rf"(?P<keep>(?:SECRET|TOKEN|KEY)\s{{1,8}}[\"']){_QUOTED}{{16,400}}{_END_QUOTE}"),
        check=lambda match: is_key(_value(match)),
        long=True,
    ),
    # A list of names and values, as in Kubernetes
    Shape(
        "secrets",
        words=("value",),
        pattern=Lazy(
            r"(?P<keep>(?:PASSWORD|PASSWD|PASS|PWD|PW|SECRET|TOKEN|KEY|[Pp]assword|[Ss]ecret|[Tt]oken)[\"']?,?\s{1,20}[\"']?[Vv]alue[\"']?\s?[:=]\s?[\"']?)"
            rf"(?![$<{{*]){_PLAIN}{{6,400}}+{_END}"
        ),
        check=lambda match: is_password(_value(match)) or is_key(_value(match)),
    ),
    # .pgpass
    Shape(
        "secrets",
        hints=(":5432:",),
        pattern=Lazy(r"(?P<keep>(?<!\S)[\w.*-]{1,100}:5432:[\w*-]{1,60}:[\w.-]{1,60}:)[^\s\"'`\[\]]{4,100}"),
        check=lambda match: is_real(_value(match)),
    ),
    # Cookies
    Shape(
        "secrets",
        hints=_SESSION_HINTS,
        words=_SESSION_WORDS,
        core=_SEPARATOR,
        pattern=Lazy(
            rf"(?P<keep>{_SESSION}(?:[\"']?\s?[=:]\s?[\"']?|[\"']\s?,\s?[\"']))[\w.%~+/|=!-]{{16,2000}}(?<![.:?])(?=[\s\"'`;,)&}}]|\Z)",
            re.ASCII,
        ),
        check=_is_session,
        long=True,
    ),
    Shape(
        "secrets",
        words=("cookie", "cookies"),
        pattern=Lazy(r"(?P<keep>(?i:cookie)[\"']?\s?[:=]\s?[\"']?)[\w.-]{1,60}=[^\n\"'`\[\]]{16,4000}"),
        each=Lazy(
            r"(?<==)(?=[\w.%~+/|=!-]{0,300}\d)(?=[\w.%~+/|=!-]{0,300}[A-Za-z])(?!GA\d|Mozilla|fb\.\d)[\w%~+/|!-][\w.%~+/|=!-]{19,}",
            re.ASCII,
        ),
        long=True,
    ),
    # In the query of a URL, names are short.
    Shape(
        "secrets",
        hints=("?", "&"),
        pattern=Lazy(rf"(?P<keep>{_NAME_IN_URL})[\w.%~+/=-]{{16,600}}(?![\w.%~+/=-])", re.ASCII),
        check=_is_session,
        core=Lazy(r"[?&][\w-]{1,30}=[\w.%~+/=-]{16}", re.ASCII),
        long=True,
    ),
    Shape(
        "secrets",
        hints=("otpauth://",),
        pattern=Lazy(r"(?P<keep>otpauth://[^\s\[\]]{0,200}?(?<=[?&])secret=)[A-Za-z2-7]{8,200}=*"),
    ),
    Shape(
        "secrets",
        hints=("wifi:",),
        pattern=Lazy(r"(?P<keep>WIFI:(?:[TSHR]:[^;\s\[\]]{0,60};){0,4}P:)[^;\n\[\]]{4,100}(?=;)"),
        check=lambda match: is_real(_value(match)),
    ),
    # XML
    Shape(
        "secrets",
        hints=("</",),
        pattern=Lazy(
            rf"(?P<keep>(?:{_LOGIN}|{_KEY})[\"']?(?:\s[^<>\n\[\]]{{0,60}})?>\s?)[^\s<>\[\]{{}}]{{4,400}}(?=\s?</)"
        ),
        check=lambda match: is_password(_value(match)) or is_key(_value(match)),
        core=Lazy(r"(?i)(?:pass\w{0,6}|pwd|secret|token|key|keymaterial)[\"']?(?:\s[^<>\n]{0,60})?>"),
    ),
)
