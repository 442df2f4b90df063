"""Reads what people write on Discourse: Markdown with tags in square brackets, such as quotations with a name.

The tags become what the same thing is in plain Markdown, and `furytune.pairing.markdown` reads the rest. It needs the text
alone, so a bot gets the same bytes from the same post.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from furytune.pairing.markdown import Markdown, Names, parts, read_markdown
from furytune.pairing.titles import titled

__all__ = ["DISCOURSE", "discourse_text", "read_discourse", "unquoted"]

# Discourse allows 60 characters. Names with letters of other scripts are possible, but in scripts without blanks no one can
# say where such a name ends.
_LOGIN = r"\w(?:[\w.-]{0,58}\w)?"

DISCOURSE = Names(
    mention=re.compile(rf"(?<![\w@/`=])@(?P<login>{_LOGIN})(?![\w@/(])(?![.-]\w)", re.ASCII),
    profile=re.compile(
        rf"https?://[\w.:-]{{1,100}}(?:/[\w-]{{1,40}})?/(?:u|users)/(?P<login>{_LOGIN})"
        r"(?:/(?:summary|activity|badges|messages|notifications|preferences))?/?(?![\w/%-])(?!\.\w)",
        re.ASCII,
    ),
    groups=frozenset(["admins", "all", "everyone", "here", "moderators", "staff"]),
)
"""How Discourse writes the names of accounts."""

_FENCE = re.compile(r"[ \t>]{0,40}(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
_OPEN = re.compile(
    r"[ \t]{0,3}\[(?P<tag>quote|code|poll|details)\b(?P<value>[^\]\n]{0,400})\]", re.IGNORECASE
)
_CLOSE = re.compile(r"\[/(?P<tag>quote|code|poll|details)\]$", re.IGNORECASE)
_CODE = re.compile(r"\[code\](?P<code>[^\[\]`\n]{1,300})\[/code\]", re.IGNORECASE)
_DEEPEST = 5
"""Most signs before a quotation in a quotation: with one for each, a short post would become a very long text."""

_TICKS = re.compile("`+")
_WHO = re.compile(r"\busername:[ \t]?(?P<login>[\w.-]{1,60})")

_SIZE = r"(?:[ \t]\([\d.,]{1,12}[ \t]\w{1,6}\))?"
_ATTACHED = re.compile(rf"\[(?P<name>[^\]\n|]{{1,200}})\|attachment\]\([^)\n]{{0,400}}\){_SIZE}")
_DATE = re.compile(r"\[date=(?P<day>[\d-]{8,10})(?P<more>[^\]\n]{0,300})\]", re.IGNORECASE)
_TIME = re.compile(r"\btime=\"?(?P<time>\d{1,2}:\d{2})")
_ZONE = re.compile(r"\btimezone=\"?(?P<zone>[\w/+-]{1,40})")
_IMG = re.compile(r"\[img\b[^\]\n]{0,60}\][^\[\n]{0,1000}\[/img\]", re.IGNORECASE)
_URL = re.compile(r"\[url=\"?(?P<url>[^\]\"\n]{1,1000})\"?\](?P<text>[^\[\n]{0,300})\[/url\]", re.IGNORECASE)
_TAG = re.compile(
    r"\[/?(?:b|i|u|s|center|details|floatl|floatr|grid|left|quote|right|spoiler|url|wrap)(?:=[^\]\n]{0,400})?\]",
    re.IGNORECASE,
)
_SKIN = re.compile(r":(?P<name>[a-z0-9_+-]{1,40}):t[2-6]:")


def discourse_text(raw: str, title: str = "") -> str:
    """Returns the text of a post on Discourse, as a bot must pass it on.

    Training pairs from Discourse are made this way, so a bot that is asked in a new topic sends
    ``contract.request(discourse_text(post["raw"], topic["title"]))``, and for a question in a reply
    ``contract.request(discourse_text(post["raw"]))``.

    - Mentions become ``<@NUMBER>``, which the contract's normaliser turns into ``@user1``.
    - ``[quote="ann, post:3, topic:12"]`` becomes a quotation with ``>``, without the name. In a reply, a quotation before the
      answer is removed, if it is the only one.
    - ``[code]`` becomes a code block. Code stays as it is.
    - Pictures and polls are removed. Of an attached file, the name stays.
    - ``[details="More"]`` leaves its title and its content, ``[date=...]`` the date, ``[b]`` and the like only the text.

    Args:
        raw: The post's ``raw``, its Markdown.
        title: The title of the topic if this is its opening post, "" for a reply.
    """
    if title:
        return titled(read_discourse(title).text, read_discourse(raw).text)
    return read_discourse(raw, reply=True).text


def read_discourse(body: str, *, reply: bool = False) -> Markdown:
    """Reads a post.

    Args:
        body: Its ``raw``.
        reply: Whether it answers another post, so that its quotation repeats what is known.
    """
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    if "[" in text:
        text = _in_markdown(text)
    if "[" in text or ":t" in text:
        text = "".join(part if is_code else _prose(part) for part, is_code in _coded(text))
    return read_markdown(text, reply=reply, names=DISCOURSE)


def unquoted(text: str, silent: Callable[[str], bool]) -> str:
    """Returns a post without the quotations of some people.

    Args:
        text: Its ``raw``.
        silent: Returns True for the name of an account, in lower case, whose words must not be in the text.
    """
    if "[quote" not in text.lower():
        return text
    # As Discourse stores it, except for the line ends, which no one sees.
    lines = text.replace("\r\n", "\n").split("\n")
    gone = set[int]()
    for first, (last, tag, value) in sorted(_blocks(lines).items()):
        # The inner quotations of one that is removed go with it.
        if tag == "quote" and first not in gone and (login := _quoted(value)) and silent(login):
            gone.update(range(first, last + 1))
    kept = [line for at, line in enumerate(lines) if at not in gone]
    # Without its end, the beginning of a quotation has the name as well.
    kept = [_OPEN.sub(lambda found: _nameless(found, silent), line, count=1) for line in kept]
    return "\n".join(kept) if gone or kept != lines else text


def _nameless(found: re.Match[str], silent: Callable[[str], bool]) -> str:
    login = _quoted(found["value"]) if found["tag"].lower() == "quote" else ""
    return "[quote]" if login and silent(login) else found[0]


def _quoted(value: str) -> str:
    """Returns the account that a quotation names, in lower case; "" if it names none."""
    named = _WHO.search(value)
    said = named["login"] if named else value.removeprefix("=").strip(' "').partition(",")[0]
    return said.strip().casefold()


def _blocks(lines: list[str]) -> dict[int, tuple[int, str, str]]:
    """Returns the tags that stand around lines: the first line, the last line, the tag, and its value.

    Tags in code mean nothing, and a tag without its end means nothing.
    """
    found: dict[int, tuple[int, str, str]] = {}
    # For each tag, the lines where it is open.
    open_: dict[str, list[tuple[int, str]]] = {}
    fence = ""
    last_code = max(
        (at for at, line in enumerate(lines) if line.rstrip().lower().endswith("[/code]")), default=-1
    )
    for at, line in enumerate(lines):
        if fence:
            bare = line.strip(" \t>")
            if fence == "code":
                if line.rstrip().lower().endswith("[/code]"):
                    fence = ""
                    first, value = open_["code"].pop()
                    found[first] = (at, "code", value)
            elif len(bare) >= len(fence) and not bare.strip(fence[0]):
                fence = ""
            continue
        if "[" not in line:
            fenced = _FENCE.match(line)
            fence = fenced["fence"] if fenced else ""
            continue
        opening = _OPEN.match(line)
        closing = _CLOSE.search(line.rstrip())
        if opening is not None and opening["tag"].lower() == "code":
            # Code within a line ends before the line does.
            end = line.lower().find("[/code]")
            opening = opening if end < 0 or (closing is not None and end == closing.start()) else None
        if opening is not None:
            tag = opening["tag"].lower()
            open_.setdefault(tag, []).append((at, opening["value"]))
        if closing is not None:
            tag = closing["tag"].lower()
            if open_.get(tag):
                first, value = open_[tag].pop()
                found[first] = (at, tag, value)
        elif opening is not None and opening["tag"].lower() == "code" and at < last_code:
            fence = "code"
        elif opening is None and (fenced := _FENCE.match(line)):
            fence = fenced["fence"]
    return found


def _in_markdown(text: str) -> str:
    """Returns a text with the tags around lines as Markdown."""
    lines = text.split("\n")
    blocks = _blocks(lines)
    if not blocks:
        return text
    ends: dict[int, list[int]] = {}
    for first, (last, _, _) in blocks.items():
        ends.setdefault(last, []).append(first)
    done: list[str] = []
    depth = 0
    begun = set[int]()
    poll = -1  # last line of the poll that is being left out
    ticks = ""  # the fence around the code that is being copied
    for at, line in enumerate(lines):
        begins = blocks.get(at)
        said, tag = line, begins[1] if begins else ""
        if begins and at > poll:
            begun.add(at)
            said = _OPEN.sub("", line, count=1)
            if tag == "quote":
                depth += 1
            elif tag == "poll":
                poll = begins[0]
            elif tag == "details":
                said = f"{begins[2].removeprefix('=').strip(' ').strip(chr(34))}\n{said}".rstrip("\n")
            elif tag == "code":
                ticks = _fence(lines[at : begins[0] + 1])
                done.append(_deep(f"{ticks}{_language(begins[2])}", depth))
        closed = [blocks[first][1] for first in ends.get(at, ()) if first in begun]
        if at <= poll:
            depth -= closed.count("quote")
            continue
        if closed:
            said = _CLOSE.sub("", said.rstrip())
        if said.strip() or not (begins or closed):
            done.extend(_deep(one, depth) for one in said.split("\n"))
        for ended in closed:
            if ended == "code":
                done.append(_deep(ticks, depth))
            depth -= ended == "quote"
    return "\n".join(done)


def _deep(line: str, depth: int) -> str:
    return f"{'> ' * min(depth, _DEEPEST)}{line}".rstrip() if depth else line


def _fence(lines: list[str]) -> str:
    """Returns a fence that is longer than everything like it in the code."""
    runs = (len(run[0]) for line in lines for run in _TICKS.finditer(line))
    return "`" * max(3, max(runs, default=0) + 1)


def _language(value: str) -> str:
    said = value.rpartition("=")[2].strip(' "')
    return said if said.isalnum() else ""


def _coded(text: str) -> list[tuple[str, bool]]:
    """Returns the parts of a text, and whether each is code. Comments are as they were."""
    found: list[tuple[str, bool]] = []
    at = 0
    for start, part, is_code in parts(text):
        if part == "\0":
            continue  # a comment, which the next reader removes
        if start > at:
            found.append((text[at:start], True))
        found.append((part, is_code))
        at = start + len(part)
    found.append((text[at:], True))
    return found


def _prose(text: str) -> str:
    if "[" in text:
        text = _ATTACHED.sub(lambda found: found["name"], text)
        text = _CODE.sub(lambda found: f"`{found['code']}`", text)
        text = _IMG.sub("![]()", text)
        text = _URL.sub(lambda found: f"[{found['text']}]({found['url']})", text)
        text = _DATE.sub(_date, text)
        text = _TAG.sub("", text)
    return _SKIN.sub(lambda found: f":{found['name']}:", text)


def _date(found: re.Match[str]) -> str:
    more = found["more"]
    clock, zone = _TIME.search(more), _ZONE.search(more)
    return " ".join(
        filter(None, (found["day"], clock["time"] if clock else "", zone["zone"] if zone else ""))
    )
