"""Dates of birth, and names of users in paths and prompts."""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before

__all__ = ["SHAPES"]

_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|janv|févr|mars|avr|juin|juil|août|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|out|fev)[a-zéûç]{0,9}\.?"
_ANY_DATE: Final = (
    r"(?:(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./ ]{1,2}\d{1,2}[-./ ]{1,2}(?:(?:19|20)\d\d|\d\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.|º)?\s(?:of\s|de\s|di\s)?(?i:{_MONTH}),?\s(?:de\s|del\s)?(?:19|20)\d\d|(?i:{_MONTH})\s\d{{1,2}}(?:st|nd|rd|th)?,?\s(?:19|20)\d\d"
    r"|(?:19|20)\d\d年\d{1,2}月\d{1,2}日|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))"
)
_BIRTH: Final = Lazy(
    r"(?P<keep>(?<![A-Za-z_])(?i:born|birth ?da(?:y|te)s?|b-?day|date of birth|d\.?o\.?b\.?|geboren|geb\.|geburtstag|geburtsdatum|née?|naissance|anniversaire|nacid[oa]|naci|nacimiento|cumpleaños|"
    r"nat[oa]|nascita|compleanno|nascid[oa]|nasci|nascimento|aniversário|geboortedatum|verjaardag|urodzon[ya]|urodzin|född|født|syntynyt|родил(?:ся|ась)|дата рождения|生日|生年月日|出生)"
    r"(?![A-Za-z])[^\d\n\[\]]{0,24}?(?<!\d))" + _ANY_DATE + r"(?!\w)"
)

_NO_ONE: Final = frozenset(
    """
    user users username user1 user2 usr user_name root ubuntu debian fedora centos vscode runner runneradmin pi
    app node jovyan shared public default all administrator admin docker travis circleci ec2-user azureuser
    vagrant me you name yourname your_name your-name youruser your_username yourusername your-username your_user
    myuser myusername my_user someuser some_user git www www-data work worker dev developer codespace gitpod
    appuser pyodide chroot urname coder sandbox build builder jenkins test tester testuser guest foo bar baz
    example sample johndoe john.doe jdoe person someone student opc core steam deck linuxbrew
    conda mambauser condauser airflow postgres mysql redis nginx apache service home local opt src source
    project projects code data workspace bin lib tmp temp folder path dir file index.html index.php page pages
    about assets static dashboard api images img css js public_html products settings login news profile main
    view views component components layout index desktop documents downloads library applications env venv
    username> container ci buildbot gitlab-runner github kali hduser hadoop spark oracle ftp samba media server
    minecraft web site ansible deploy deployer ec2 cloud user> nonroot default.migrated defaultuser0
    """.split()
)
_NAME: Final = r"[^\s/\\:*?\"'<>|\[\]{}()$%,;&=#`~]{1,40}"
_HOME_PATH: Final = Lazy(
    rf"(?P<keep>(?<![\w.@/\]-])(?:(?:file://)?(?:/(?:mnt|media|run/media|data|export|var|usr|private|net|cygdrive|host_mnt|System/Volumes/Data)(?:/[a-z]\w{{0,8}})?)?/(?:home|Users)/"
    rf"|/(?:c|d|mnt/[a-z])/(?:Users|users)/|[A-Za-z]:(?:\\\\?|/)(?:Users|users|USERS|Documents and Settings)(?:\\\\?|/)|\\\\\\\\?[\w.-]{{1,40}}\\\\?(?:c\$\\\\?)?Users\\\\?))"
    rf"{_NAME}(?=[/\\]|[\s\"'`:),;>]|\Z)"
)
_FILE: Final = Lazy(r"\.(?:html?|php|jsx?|tsx?|css|png|py|csv|json|txt|vue|md)\Z")
_ROUTE: Final = Lazy(
    r"(?i)(?:route|path|url|href|src|get|post|put|delete|patch|link|to|navigate|push)\W{0,4}\Z"
)


def _is_name(match: re.Match[str]) -> bool:
    name = match[0][len(match["keep"]) :].rstrip(".")
    if name.lower() in _NO_ONE or not any(c.isalpha() for c in name) or _FILE.search(name) is not None:
        return False
    if "xx" in name.lower()[:2] or name.lower().startswith(
        ("your", "my_", "my-", "some", "user", "test", "example")
    ):
        return False
    return not (match["keep"] == "/home/" and _ROUTE.search(before(match, 12)))


# `anna@laptop:~/code$ `, the prompt of a shell
_PROMPT: Final = Lazy(
    r"(?<![\w.@/:-])(?P<name>[a-z_][a-z0-9_.-]{1,31})(?=@[A-Za-z0-9][\w.-]{0,40}(?::(?:~|/)[^\n\[\]]{0,80}?[$#%>](?:\s|\Z)|[ :]~?[^\s\[\]]{0,60}\]?\s?[$#%](?:\s|\Z)))"
)


def _is_prompt(match: re.Match[str]) -> bool:
    return match["name"].lower() not in _NO_ONE


SHAPES: Final = (
    Shape(
        "birthdates",
        hints=("b-day", "d.o.b", "生日", "生年", "出生"),
        words=(
            "born",
            "birth",
            "birthday",
            "birthdate",
            "birthdates",
            "birthdays",
            "bday",
            "dob",
            "geboren",
            "geb",
            "geburtstag",
            "geburtsdatum",
            "né",
            "née",
            "naissance",
            "anniversaire",
            "nacido",
            "nacida",
            "naci",
            "nacimiento",
            "cumpleaños",
            "nato",
            "nata",
            "nascita",
            "compleanno",
            "nascido",
            "nascida",
            "nasci",
            "nascimento",
            "aniversário",
            "geboortedatum",
            "verjaardag",
            "urodzony",
            "urodzona",
            "urodzin",
            "född",
            "født",
            "syntynyt",
            "родился",
            "родилась",
            "рождения",
        ),
        pattern=_BIRTH,
        digit=True,
    ),
    Shape(
        "names",
        hints=("/home/", "users/", "users\\", "settings\\", "settings/"),
        pattern=_HOME_PATH,
        check=_is_name,
    ),
    Shape(
        "names", hints=("@",), pattern=_PROMPT, check=_is_prompt, core=Lazy(r"@[\w.-]{1,41}(?::[~/]|[ :])")
    ),
)
