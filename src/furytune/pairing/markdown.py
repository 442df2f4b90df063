"""Reads what people write in forums: Markdown with mentions, quotes, pictures and the remains of templates.

It needs the text alone, so a bot gets the same bytes from the same post.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

from attrs import frozen

from furytune.pairing.titles import titled

__all__ = [
    "GITHUB",
    "MENTION",
    "PROFILE",
    "Markdown",
    "Names",
    "forum_question",
    "forum_text",
    "mention",
    "parts",
    "read_markdown",
    "without_people",
]

_GHOST = "ghost"
"""The account that GitHub shows for people who are gone."""


# GitHub allows 39 characters. Accounts that a company manages end with "_" and its short name.
_LOGIN = r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}(?:_[A-Za-z0-9]{1,15})?"
# Not after a word or a slash, as in an e-mail address or a link; not before a dot, slash or bracket that
# continues a name of code, such as "@app.route", "@types/node" or "@cache(1)".
MENTION = re.compile(rf"(?<![\w@/`=])@(?P<login>{_LOGIN})(?:\[bot\])?(?!-?\w)(?![@/(])(?!\.\w)", re.ASCII)
"""A mention of a person, outside of code."""

PROFILE = re.compile(
    rf"https?://(?:www\.)?github\.com/(?:sponsors/)?(?P<login>{_LOGIN})/?(?![\w/%-])(?!\.\w)", re.ASCII
)
"""A link to a person's profile."""

_PAGES = frozenset(
    [
        "about",
        "apps",
        "codespaces",
        "collections",
        "contact",
        "copilot",
        "customer-stories",
        "discussions",
        "enterprise",
        "events",
        "explore",
        "features",
        "issues",
        "join",
        "login",
        "marketplace",
        "mobile",
        "new",
        "notifications",
        "orgs",
        "pricing",
        "pulls",
        "readme",
        "search",
        "security",
        "settings",
        "site",
        "sponsors",
        "stars",
        "topics",
        "trending",
        "watching",
    ]
)


@frozen
class Names:
    """How a platform writes the names of accounts.

    Attributes:
        mention: A mention of a person, outside of code.
        profile: A link to a person's profile.
        pages: What looks like a name in such a link, and is not.
        groups: What looks like a mention, and means a group that every forum has.
    """

    mention: re.Pattern[str]
    profile: re.Pattern[str]
    pages: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


GITHUB = Names(MENTION, PROFILE, _PAGES)

_TOKEN = re.compile(
    r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})|(?P<ticks>`+)|(?P<comment><!--)",
    re.MULTILINE,
)
_TICKS = re.compile("`+")
_BLANK = re.compile(r"\n[ \t]*\n")
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,2000}\)|<img\b[^>]{0,2000}>", re.IGNORECASE)
_LINKED_IMAGE = re.compile(r"\[\x00\]\([^)\n]{0,2000}\)")
_EMPTIED = re.compile(r"^[ \t]*\x00[ \t\x00]*(?:\n|\Z)", re.MULTILINE)
_UNANSWERED = re.compile(r"^#{1,6}[ \t][^\n]*\n[ \t\n]*_No response_[ \t]*(?:\n|\Z)", re.MULTILINE)
_DECORATOR = re.compile(r"[ \t]*@[A-Za-z_][\w.]*(?:\(|[ \t]*$)", re.ASCII)
_DEFINITION = re.compile(r"[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]")
_WROTE = re.compile(r"On [^\n]{1,300} wrote:[ \t]*")


@frozen
class Markdown:
    """A post as it goes into a pair.

    Attributes:
        text: Its text.
        logins: Whom it mentions, in lower case, each once.
        images: How many pictures were removed.
    """

    text: str
    logins: tuple[str, ...] = ()
    images: int = 0


def forum_question(title: str, body: str) -> str:
    """Returns the question of a discussion or topic, as a bot must pass it on.

    Training pairs from GitHub Discussions and Discourse are made this way, so a bot asks with
    ``contract.request(forum_question(discussion.title, discussion.body))``.

    Mentions become ``<@NUMBER>``, which the contract's normaliser turns into ``@user1``. Comments of templates, pictures and
    empty fields of forms are removed. Code stays as it is, and so do e-mail addresses, decorators and names of packages such
    as ``@types/node``. Title and body are joined as in ``furytune.pairing.titled``.

    Args:
        title: The title.
        body: The Markdown of the opening post.
    """
    return titled(read_markdown(title).text, read_markdown(body).text)


def forum_text(body: str) -> str:
    """Returns the text of a comment or reply, as it is in pairs; see `forum_question`.

    A quotation before the answer is removed, if it is the only one, and so is the message below an answer by e-mail.

    Args:
        body: The Markdown of the comment.
    """
    return read_markdown(body, reply=True).text


def mention(login: str) -> str:
    """Returns the markup for a mention, with a number that says nothing about the person.

    The same person has the same number in all posts, so the normaliser can number the people of a pair.
    """
    digest = hashlib.sha256(login.casefold().encode("utf-8", "surrogatepass")).digest()
    return f"<@{10**15 + int.from_bytes(digest[:8], 'big') % 10**15}>"


def without_people(text: str, gone: Callable[[str], bool], names: Names = GITHUB) -> str:
    """Returns a text in which some people are called "ghost", also in code.

    Args:
        text: The Markdown.
        gone: Returns True for the name of an account, in lower case, that must not be in the text.
        names: How the platform writes names.
    """

    def mask(found: re.Match[str]) -> str:
        login = found["login"]
        return found[0].replace(login, _GHOST) if gone(login.casefold()) else found[0]

    return names.profile.sub(mask, names.mention.sub(mask, text)) if "@" in text or "://" in text else text


def read_markdown(body: str, *, reply: bool = False, names: Names = GITHUB) -> Markdown:
    """Reads a post.

    Args:
        body: Its Markdown.
        reply: Whether it answers another post, so that its quotation repeats what is known.
        names: How the platform writes names.
    """
    text = body.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if reply:
        text = _without_quotes(text)
    logins: dict[str, None] = {}
    images = 0
    decorators = _decorators(text) if "@" in text else frozenset[int]()
    done: list[str] = []
    for start, part, is_code in parts(text):
        if is_code or not part:
            done.append(part)
            continue
        # Zero bytes mark what is removed, so that a line with nothing else goes too.
        said = (
            _with_mentions(part, start, decorators, logins, names) if "@" in part or "://" in part else part
        )
        said, count = _IMAGE.subn("\0", said)
        images += count
        done.append(said)
    text = "".join(done)
    if "\0" in text:
        text = _EMPTIED.sub("", _LINKED_IMAGE.sub("\0", text)).replace("\0", "")
    if "_No response_" in text:
        text = _UNANSWERED.sub("", text)
    return Markdown(_stripped(text), tuple(logins), images)


def _stripped(text: str) -> str:
    """Returns a text without blank lines at both ends. The first line keeps its indent, which may be code."""
    lines = text.rstrip().split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    return "\n".join(lines[first:])


def _with_mentions(
    text: str, start: int, decorators: frozenset[int], logins: dict[str, None], names: Names
) -> str:
    """Replaces mentions, and then links to profiles.

    Args:
        text: Prose, without code.
        start: Its place in the whole text.
        decorators: Places of decorators in the whole text.
        logins: Gets whom it mentions.
        names: How the platform writes names.
    """

    def person(found: re.Match[str]) -> str:
        login = found["login"].casefold()
        logins[login] = None
        return mention(login)

    def mentioned(found: re.Match[str]) -> str:
        code = start + found.start() in decorators
        return found[0] if code or found["login"].casefold() in names.groups else person(found)

    def linked(found: re.Match[str]) -> str:
        return found[0] if found["login"].casefold() in names.pages else person(found)

    if "@" in text:
        text = names.mention.sub(mentioned, text)
    return names.profile.sub(linked, text) if "://" in text else text


def _decorators(text: str) -> frozenset[int]:
    """Returns where the "@" of each decorator is: of lines before a definition, also without a code block around them."""
    found = set[int]()
    lines = text.split("\n")
    end = len(text) + 1
    before_definition = False
    for line in reversed(lines):
        end -= len(line) + 1
        decorates = before_definition and _DECORATOR.match(line) is not None
        if decorates:
            found.add(end + line.index("@"))
        before_definition = decorates or _DEFINITION.match(line) is not None
    return frozenset(found)


def parts(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yields the parts of a text with their places: code as it is, prose, and a zero byte for each comment."""
    runs: dict[int, list[int]] = {}
    for run in _TICKS.finditer(text):
        runs.setdefault(run.end() - run.start(), []).append(run.start())
    blanks = [found.start() for found in _BLANK.finditer(text)]
    closed = True
    told = at = 0
    while (token := _TOKEN.search(text, at)) is not None:
        at = token.end()
        if token["comment"]:
            end = text.find("-->", at) if closed else -1
            if end < 0:
                closed = False
                if text[text.rfind("\n", 0, token.start()) + 1 : token.start()].strip(" "):
                    continue
                # At the beginning of a line, a comment without an end hides everything after it.
                end = len(text)
            yield told, text[told : token.start()], False
            yield token.start(), "\0", True
            told = at = min(end + 3, len(text))
            continue
        if token["fence"]:
            end = _fence_end(text, token)
        else:
            end = _span_end(token, runs, blanks)
            if not end:
                continue
        yield told, text[told : token.start()], False
        yield token.start(), text[token.start() : end], True
        told = at = end
    yield told, text[told:], False


def _fence_end(text: str, opening: re.Match[str]) -> int:
    """Returns where a code block ends: after a fence that is at least as long, or with the text."""
    fence = opening["fence"]
    closing = re.compile(rf"^[ \t>]*{fence[0]}{{{len(fence)},}}[ \t]*$", re.MULTILINE)
    line_end = text.find("\n", opening.end())
    found = closing.search(text, line_end + 1) if line_end >= 0 else None
    return found.end() if found is not None else len(text)


def _span_end(opening: re.Match[str], runs: dict[int, list[int]], blanks: list[int]) -> int:
    """Returns where inline code ends, 0 if nothing closes it in its paragraph."""
    length = len(opening["ticks"])
    same = runs.get(length, [])
    following = bisect_left(same, opening.end())
    if following == len(same):
        return 0
    start = same[following]
    blank = bisect_left(blanks, opening.end())
    if blank < len(blanks) and blanks[blank] < start:
        return 0
    return start + length


def _without_quotes(text: str) -> str:
    """Returns a reply without the quotation at its beginning, and without the message that an e-mail answers.

    If there are several quotations, each has its own answer below it, and all stay.
    """
    lines = text.split("\n")
    end = _email_start(lines)
    first = next((i for i, line in enumerate(lines[:end]) if line.strip()), end)
    after = first
    while after < end and lines[after].startswith(">"):
        after += 1
    rest = lines[after:end]
    if after == first or any(line.startswith(">") for line in rest) or not any(map(str.strip, rest)):
        return "\n".join(lines[:end])
    return "\n".join(rest)


def _email_start(lines: list[str]) -> int:
    """Returns the number of lines before "On ... wrote:" and the quotation to the end, all lines if there is none."""
    at = len(lines)
    while at and not lines[at - 1].strip():
        at -= 1
    quoted = at
    while quoted and lines[quoted - 1].startswith(">"):
        quoted -= 1
    head = quoted
    while head and not lines[head - 1].strip():
        head -= 1
    if quoted < at and head > 1 and _WROTE.fullmatch(lines[head - 1]):
        return head - 1
    return len(lines)
