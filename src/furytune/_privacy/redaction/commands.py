"""Passwords and keys on a command line, in a call that logs in, and in the headers of a request."""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape
from furytune._privacy.redaction.values import (
    basic_login,
    is_code,
    is_key,
    is_login,
    is_password,
    is_placeholder,
    is_real,
)

__all__ = ["SHAPES"]

_WORD: Final = r"(?![-$%<{*])[^\s\"'`<>\[\]{}|;&()]"
_MORE: Final = r"[^\s\"'`<>\[\]{}|;&()]"
_NUMBERS: Final = Lazy(r"[\d:./]+")


def _value(match: re.Match[str]) -> str:
    return match[0][len(match["keep"]) :]


def _is_argument(match: re.Match[str]) -> bool:
    value = _value(match)
    return not is_placeholder(value) and _NUMBERS.fullmatch(value) is None


def _is_strong(match: re.Match[str]) -> bool:
    return is_password(_value(match))


def _is_flag(match: re.Match[str]) -> bool:
    value = _value(match)
    quoted = match["keep"][-1] in "\"'"
    return is_password(value) or is_key(value) or (quoted and is_real(value) and not is_code(value))


def _is_random(match: re.Match[str]) -> bool:
    return is_key(_value(match))


def _is_basic(match: re.Match[str]) -> bool:
    login = basic_login(_value(match))
    return login is not None and is_login(login) and "open sesame" not in login  # RFC 7617's example


def _is_credential(match: re.Match[str]) -> bool:
    value = _value(match)
    login = basic_login(value)
    if login is not None:
        return is_login(login) and "open sesame" not in login
    return (
        not is_code(value)
        and not is_placeholder(value)
        and (any(c.isdigit() for c in value) or is_key(value))
    )


def _is_user_password(match: re.Match[str]) -> bool:
    return is_login(match["user"] + ":" + _value(match)) and not is_code(_value(match))


def _after(commands: str, flags: str, value: str) -> Lazy:
    """Returns the pattern of an argument that follows one of the flags of one of the commands, in the same line."""
    return Lazy(
        rf"(?P<keep>(?<![\w./-])(?:{commands})\s(?:[^\n]{{0,200}}?\s)??(?:{flags})[\"']?){value}", re.ASCII
    )


_VALUE: Final = rf"{_WORD}{_MORE}{{2,200}}"

SHAPES: Final = (
    Shape("secrets", words=("sshpass",), pattern=_after("sshpass", r"-p\s?", _VALUE), check=_is_argument),
    Shape(
        "secrets",
        hints=("mongo",),
        words=(
            "login",
            "twine",
            "mosquitto",
            "sqlcmd",
            "bcp",
            "influx",
            "cqlsh",
            "zip",
            "unzip",
            "rabbitmqadmin",
        ),
        pattern=_after(
            r"(?:docker|podman|nerdctl|helm registry|oras|skopeo|buildah|az|oc|cf|npm|fly|argocd|vault) login|twine upload|"
            r"mongo(?:sh|dump|restore|export|import)?|mosquitto_(?:pub|sub)|sqlcmd|bcp|influx|cqlsh|(?:un)?zip|rabbitmqadmin",
            r"-[pP]\s+",
            _VALUE,
        ),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        hints=("mysql", "mariadb"),
        words=("z", "za", "rar", "unrar", "xtrabackup"),
        pattern=_after(
            r"(?:mysql|mariadb)\w{0,12}(?:-\w{1,12})?|mysqldump|7za?|(?:un)?rar|xtrabackup",
            r"-(?:p|hp)",
            _VALUE,
        ),
        check=_is_strong,
    ),
    Shape("secrets", words=("redis",), pattern=_after("redis-cli", r"-a\s+", _VALUE), check=_is_argument),
    Shape(
        "secrets",
        hints=("ldap",),
        pattern=_after(r"ldap(?:search|modify|add|delete|whoami|passwd)", r"-w\s+", _VALUE),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("smbclient", "rpcclient", "smbmap", "net"),
        pattern=Lazy(
            r"(?P<keep>(?<!\w)(?:smbclient|rpcclient|smbmap|net)\s[^\n]{0,200}?-U\s?[\"']?[\w\\.-]{1,60}%)[^\s\"'`\[\]]{3,100}"
        ),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        hints=("freerdp",),
        words=("rdesktop",),
        pattern=_after(r"[wx]?l?freerdp3?|rdesktop", r"/p:|-p\s+", _VALUE),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("net",),
        pattern=Lazy(r"(?P<keep>(?i:net use)\s[^\n]{0,120}?/user:\S{1,60}\s)[^\s\"'`\[\]/*]{4,100}"),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        hints=("pass:",),
        pattern=Lazy(r"(?P<keep>-pass(?:in|out)?\s[\"']?pass:)[^\s\"'`\[\]]{3,100}"),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("htpasswd",),
        pattern=Lazy(
            r"(?P<keep>(?<!\w)htpasswd\s-\w{0,4}b\w{0,4}\s(?:-\w{1,4}\s)?\S{1,120}\s\S{1,60}\s[\"']?)[^\s\"'`\[\]|;&]{3,100}"
        ),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("htpasswd",),
        pattern=Lazy(
            r"(?P<keep>(?<!\w)htpasswd\s-\w{0,4}n\w{0,4}b\w{0,4}\s\S{1,60}\s[\"']?)[^\s\"'`\[\]|;&]{3,100}"
        ),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("sudo", "stdin"),
        pattern=Lazy(
            r"(?P<keep>(?<!\w)(?:echo|printf)\s(?:-[ne]{1,2}\s)?[\"']?)[^\s\"'`\[\]|;&$<]{3,100}(?=(?:\\n)?[\"']?\s?\|[^\n]{0,60}?(?:sudo\s-S|-stdin))"
        ),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("chpasswd",),
        pattern=Lazy(
            r"(?P<keep>(?<!\w)(?:echo|printf)\s(?:-[ne]{1,2}\s)?[\"']?[\w.-]{1,40}:)[^\s\"'`\[\]|;&$<]{3,100}(?=(?:\\n)?[\"']?\s?\|[^\n]{0,60}?chpasswd)"
        ),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("wpa", "nmcli"),
        pattern=Lazy(
            r"(?P<keep>(?<!\w)(?:wpa_passphrase\s(?:\"[^\"\n]{1,40}\"|'[^'\n]{1,40}'|\S{1,40})\s|nmcli\s[^\n]{0,120}?\s(?:password|psk|wifi-sec\.psk)\s)[\"']?)"
            r"[^\s\"'`\[\]|;&$<]{8,64}"
        ),
        check=_is_argument,
    ),
    Shape(
        "secrets",
        words=("sqlplus", "rman", "expdp", "impdp", "sqlldr", "requirepass", "masterauth"),
        pattern=Lazy(
            r"(?P<keep>(?<![\w./-])(?:(?:sqlplus|rman|expdp|impdp|sqlldr)\s[^\n]{0,60}?(?<=\s)\w{1,40}/|(?:requirepass|masterauth)\s{1,4}[\"']?))"
            r"[^\s\"'`\[\]@/]{4,100}"
        ),
        check=_is_argument,
    ),
    # curl -u name:password
    Shape(
        "secrets",
        words=("curl", "wget", "http", "https", "xh", "xhs"),
        pattern=Lazy(
            r"(?P<keep>(?<![\w/.-])(?:curl|wget|https?|xhs?)(?:\.exe)?\s(?:[^\n]{0,300}?\s)??"
            r"(?:-[A-Za-z]{0,4}[uUa]|--user|--proxy-user|--auth)[ =]?[\"']?(?P<user>[^\s:\"'\[\]]{0,80}):)[^\s\"'`\[\]<>]{1,200}",
        ),
        check=_is_user_password,
        core=Lazy(r"\s(?:-[A-Za-z]{0,4}[uUa]|--user|--proxy-user|--auth)[ =]?[\"']?[^\s:\"']{0,80}:"),
    ),
    Shape(
        "secrets",
        words=("lftp",),
        pattern=Lazy(r"(?P<keep>(?<!\w)lftp\s[^\n]{0,80}?-u\s?[\"']?[\w.@-]{1,60},)[^\s\"'`\[\]]{3,100}"),
        check=_is_argument,
    ),
    # --password value, --token=value; `is_flag` needs more than a word, because people write about options too
    Shape(
        "secrets",
        hints=("-pass", "-pwd", "-token", "-secret", "-key", "key ", "-auth", "-apikey", "token "),
        pattern=Lazy(
            r"(?P<keep>(?<![\w-])--?(?:[a-z]{1,20}-){0,3}(?i:pass(?:word|wd|phrase|code)?|pwd|token|secret|api-?key|(?:access|secret|auth|account)-?key"
            rf"|auth-?token|authkey|client-?secret)[ =]\s?[\"']?){_WORD}{_MORE}{{3,400}}",
        ),
        check=_is_flag,
    ),
    # Commands whose last argument is a key
    Shape(
        "secrets",
        words=("login", "authtoken", "auth", "kubeadm", "token"),
        pattern=Lazy(
            r"(?P<keep>(?<![\w-])(?:(?:wandb|vault|terraform|huggingface-cli|hf|replicate|railway|netlify|supabase|doppler|infisical|gh|snyk|"
            r"comet|neptune|modal|cachix|flyctl|fly|heroku|cf|npm|firebase|databricks|prefect|clearml|aim|zenml|dvc)\s"
            r"(?:(?:auth\s)?(?:login|auth|token(?:\sset)?|authtoken))(?:\s(?:token|--relogin|--token|--with-token|--cloud|-method=token))?\s(?:token=)?"
            r"|ngrok\s(?:config\s)?(?:add-)?authtoken\s|kubeadm\sjoin\s[^\n]{0,120}?--token\s)[\"']?)[\w.=~-]{16,400}(?![\w/])",
            re.ASCII,
        ),
        check=_is_random,
        digit=True,
        long=True,
    ),
    # A call that logs in with a name and a password
    Shape(
        "secrets",
        words=(
            "auth",
            "authentication",
            "login",
            "authenticate",
            "credential",
            "credentials",
            "basicauth",
            "digestauth",
            "httpbasicauth",
            "httpdigestauth",
        ),
        pattern=Lazy(
            r"(?P<keep>(?i:auth(?:entication)?\s?=\s?|basicauth|digestauth|\.login|\.authenticate|credentials?\s?=?\s?|\.auth)\s?\(\s{0,20}[bruf]?[\"'](?P<user>[^\"'\n\[\]]{0,80})[\"']\s?,\s{0,20}[bruf]?[\"'])"
            r"[^\s\"'`\[\]<>{}]{3,200}(?=[\"'])",
        ),
        check=_is_user_password,
    ),
    Shape(
        "secrets",
        words=("fernet",),
        pattern=Lazy(r"(?P<keep>Fernet\(\s?b?[\"'])[\w=-]{43,44}(?=[\"'])", re.ASCII),
        long=True,
    ),
    # Headers: RFC 9110, 11.6.2. The scheme stays.
    Shape(
        "secrets",
        words=("authorization",),
        pattern=Lazy(
            r"(?P<keep>(?i:authorization)(?:\\?[\"'`]\]?\s{0,2}[:=,]|\s{0,2}[:=])\s{0,2}(?:[bruf](?=[\"']))?\\?[\"'`]?(?:(?!Bearer\b|bearer\b)[A-Za-z][A-Za-z0-9-]{1,24}\s{1,3}|(?i:bearer)\s{1,3})?)"
            r"(?![$<{*%]|(?:realm|username|credential|keyid|oauth_\w{1,20}|Credential|keyId)=)(?=[\w+/=.:~-]{8})[\w+/=.:~-]{8,2000}+(?![({\[])",
            re.ASCII,
        ),
        check=_is_credential,
    ),
    Shape(
        "secrets",
        words=("basic",),
        pattern=Lazy(r"(?P<keep>(?<![A-Za-z0-9])[Bb]asic\s)[A-Za-z0-9+/]{8,400}={0,2}(?![\w+/=])", re.ASCII),
        check=_is_basic,
    ),
    Shape(
        "secrets",
        words=("bearer",),
        pattern=Lazy(
            r"(?P<keep>(?<![A-Za-z0-9])(?i:bearer)\s{1,4})(?=[\w+/=.:~-]{0,200}\d)[\w+/=.~-]{20,}", re.ASCII
        ),
        check=lambda match: is_real(_value(match)),
        long=True,
    ),
)
