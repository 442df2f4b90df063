"""E-mail addresses. Reserved domains and examples stay."""

from __future__ import annotations

import re
from typing import Final

from furytune._privacy.redaction.lazy import Lazy
from furytune._privacy.redaction.shape import Shape, before

__all__ = ["SHAPES"]

# Top-level domains are all of two letters, and these. Others are attributes in code, as in the product `x@model.bias`.
_DOMAINS: Final = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|mobi|asia|jobs|tel|cat|coop|aero|museum|travel|xyz|online|site|website|top|shop|"
    "store|club|app|dev|tech|cloud|page|blog|email|mail|live|life|world|today|news|media|digital|agency|studio|design|systems|solutions|"
    "services|software|company|team|zone|space|host|hosting|fun|icu|wiki|click|works|ltd|gmbh|inc|llc|health|care|school|"
    "academy|university|institute|foundation|science|engineer|engineering|consulting|art|games|network|social|chat|community|"
    "london|berlin|hamburg|koeln|paris|nyc|tokyo|amsterdam|wien|bzh|eus|gal|scot|swiss|africa|ngo|ong|earth|eco|green|energy|"
    "bio|law|legal|bank|finance|capital|ventures|partners|group|global|international|center|city|house|land|farm|photo|photos|"
    "video|music|film|tv|audio|band|radio|cafe|bar|pub|pizza|coffee|beer|wine|rocks|ninja|guru|expert|codes|computer|tools|build|run|"
    "sh|moe|lol|one|vip|plus|ink|rip|gay|dog|baby|family|church|money|tax|doctor|dental|clinic|pharmacy|museum|gallery|events|"
    "tours|reisen|immo|auto|cars|bike|fit|fitness|yoga|run|ski|surf|golf|football|hockey|soccer|tennis|google|microsoft|apple"
)
# RFC 5321, 4.5.3.1: at most 64 characters before the @. Spared: git@host, image@2x.png, and the matrix product a@self.b or
# a@b.f(c) of Python.
_EMAIL: Final = Lazy(
    r"(?<![\w/])(?!git@)\w[\w.+%-]{0,63}@(?!(?:self|cls)\.|\d{1,2}x\.)"
    r"(?:\w(?:[\w-]{0,61}\w)?\.){1,8}"
    rf"(?:(?i:{_DOMAINS})|[a-z]{{2}}|[A-Z]{{2}}|xn--[a-z0-9-]{{2,40}}|[^\W\d_]{{2,24}}(?<=[^\x00-\x7f]))(?![\w(]|-\w|\.\w|[:]~?/)"
)
# RFC 2606 and 6761, and what stands for a domain in examples.
_RESERVED: Final = Lazy(
    r"(?i)@(?:openssh\.com|libssh\.org|(?:[\w-]+\.)*example\.[a-z.]{2,6}|(?:[\w.-]+\.)?(?:test|invalid|localhost|example|local|lan|internal|home|corp|localdomain)"
    r"|(?:[\w-]+\.)*(?:your-?|my-?|some-?|any-?|the-?)?(?:domain|company|mail-?server|organi[sz]ation|email-?provider|website|host|provider|server)\.(?:com|org|net|io|tld|de|xx)"
    r"|your[\w-]*\.[a-z.]{2,6}|(?:foo|bar|baz|foobar|a|b|x|abc|xyz|xxx|test|sample|placeholder|somewhere|nowhere|dummy|fake|acme)\.(?:com|org|net)"
    r"|(?:[\w-]+\.)*(?:noreply|no-reply)\.[\w.]+)\Z"
)
_STANDS_FOR_NAME: Final = Lazy(
    r"(?i)(?:your|my)[._-]?(?:name|e?mail|user(?:name)?|address)?|(?:user|e?mail|name|some(?:one|body)?|me|you|test|foo|bar|example|sample|"
    r"first[._-]?(?:name)?[._-]?last(?:name)?|username|address|xxx+|abc|no-?reply|do-?not-?reply)\d{0,3}"
)
_NO_REPLY: Final = frozenset(["your", "noreply", "no-reply", "no_reply", "donotreply", "do-not-reply"])
_SOME_HOST: Final = Lazy(
    r"(?i)(?:e?mail|gmail|domain|server\w{0,12}|company|test|abc|xyz|host|address|server|site|mysite|website|provider)\.\w{2,5}\Z"
)


def _is_email(match: re.Match[str]) -> bool:
    if _RESERVED.search(match[0]):
        return False
    local, _, domain = match[0].partition("@")
    if (
        local.lower() in _NO_REPLY
        or local.lower() == domain.partition(".")[0].lower()
        or (_STANDS_FOR_NAME.fullmatch(local) and _SOME_HOST.match(domain))
    ):
        return False
    # ssh://git@host and user@host in a command are logins.
    return not before(match, 8).endswith(("ssh ", "scp ", "sftp ", "://"))


_SPELLED: Final = Lazy(
    r"(?<![\w.@])(?i:[a-z0-9][\w.+-]{1,40}(?:\s?(?:\(at\)|\[at\]|\{at\}|<at>|_at_|-at-)\s?|\sat\s))"
    r"(?i:[a-z0-9][a-z0-9-]{1,40}(?:(?:\s?(?:\(dot\)|\[dot\]|\{dot\}|<dot>|\(punkt\)|_dot_|-dot-)\s?|\sdot\s|\.)[a-z][a-z0-9-]{1,20}){1,3})(?!\w)",
    re.ASCII,
)
_MAIL: Final = Lazy(
    r"(?i)(?:gmail|googlemail|hotmail|outlook|yahoo|gmx|web|icloud|aol|proton(?:mail)?|mail|posteo|fastmail|live|msn|yandex|qq|163|me)\W"
)
_BRACKETED_AT: Final = Lazy(r"(?i)[(\[{<_-]at[)\]}>_-]")
_ENDS_IN_DOMAIN: Final = Lazy(rf"(?i)(?<![a-z])(?:{_DOMAINS}|[a-z]{{2}})\Z")


def _is_spelled(match: re.Match[str]) -> bool:
    """Without brackets, "look at example dot com" has the same form."""
    at = _BRACKETED_AT.search(match[0])
    local, _, domain = match[0].partition(at[0] if at else " at ")
    return (
        _ENDS_IN_DOMAIN.search(match[0]) is not None
        and not domain.strip().lower().startswith(("example", "domain", "your"))
        and (at is not None or _MAIL.match(domain.strip()) is not None or not local.isalpha())
    )


SHAPES: Final = (
    Shape("emails", hints=("@",), pattern=_EMAIL, check=_is_email),
    Shape(
        "emails",
        hints=("(at)", "[at]", "{at}", "<at>", "_at_", "-at-"),
        words=("dot",),
        pattern=_SPELLED,
        check=_is_spelled,
        core=Lazy(r"(?i)[(\[{<_-](?:at|dot|punkt)[)\]}>_-]|\sdot\s"),
    ),
)
