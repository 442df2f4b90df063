"""Takes out of a model's answer what could lead people, or a chat program, where they did not ask to go."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import define

from furytune.answering.text.hosts import Hosts
from furytune.answering.text.invisible import INVISIBLE, visible

__all__ = ["Safety", "safe"]

_LONGEST = 2_000
"""Most characters that are held back while code inside a line, or the first line of a code block, has not ended."""

_INFO = 200
"""Most characters of a code block's first line after its fence."""
_KNOWN = 40
"""Characters of a line's start that are remembered."""
_USUAL = {"http": ":80", "https": ":443"}
_DOMAINS = "com|net|org|info|biz|xyz|ru|cn|top|site|online|shop|club|click|link|gg|ly|tk|gift|zip|mov"
_ENTITIES = "amp|lt|gt|quot|nbsp|apos"
_RUN = re.compile(f"`[`{INVISIBLE}]{{0,200}}")
_BOUNDARY = re.compile(r"[ \t\n\u3000-\u9fff\uac00-\ud7a3\uff01\uff0c\uff1a\uff1b\uff1f]")
_DOT = re.compile(r"\.(?=[A-Za-z0-9-])")
_RISKY = frozenset("*_~|[]")
_TEXT = re.compile(
    rf"""
      (?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{{0,30}})://(?P<host>[A-Za-z0-9.\-]*)(?!://)(?P<port>:[0-9]{{1,5}})?
    | (?P<bare>(?<![A-Za-z0-9.\-@＠])(?:(?:[A-Za-z0-9\-]{{1,63}}\.){{1,8}}(?:{_DOMAINS})|www(?:\.[A-Za-z0-9\-]{{1,63}}){{1,8}})
        (?![A-Za-z0-9\-]|(?:://|\[:\]//)))
    | (?P<code>(?<![A-Za-z0-9_.\]/])(?:javascript|vbscript|data(?=:[a-z]{{1,20}}/)))(?P<colon>:)(?=\S)
    | (?P<into>\]\()
    | (?P<defines>\]:)
    | (?P<all>@)(?=(?:everyone|here)(?![A-Za-z0-9]))
    | <(?P<sign>[@\#/])
    | (?P<tag><)(?=[A-Za-z!?:])
    | &(?!(?:{_ENTITIES});)(?P<entity>\#?[A-Za-z0-9]{{1,31}};)
    | (?P<escaped>\\[!-%'-;=>?\[-_{{-~])
    | (?P<mark>\*+|_+|~+|\|\|+|[\[\])])
    | (?P<space>[ \t]+)
    | (?P<line>\n)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ALLOWED = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.\-]+)(?!://)(?P<port>:[0-9]{1,5})?", re.IGNORECASE | re.ASCII
)
_KEPT_TAG = re.compile(r"<(?:a?:[A-Za-z0-9_]{2,32}:[0-9]{15,21}|t:-?[0-9]{1,13}(?::[tTdDfFR])?)>")
_FULL = {"@": "＠", "#": "＃", "/": "／"}  # they look alike and do nothing
_START = frozenset(" >-+*0123456789.)")


@define
class _Fence:
    """A code block.

    Attributes:
        length: Ticks of its fence.
        indent: Blanks before it.
        guarded: Whether an open mark before the block may end inside it, for some programs.
        seen: Whether it contains something.
    """

    length: int
    indent: int
    guarded: bool
    seen: bool = False


def safe(text: str, hosts: Iterable[str] | Hosts | None = None) -> str:
    """Returns a model's answer without what could harm those who read it in a chat program or a browser.

    - Links lead only to ``hosts``. Any other address becomes text that no program makes a link of:
      ``https[:]//evil[.]example``. A masked link to it loses its link, so people see where it led.
    - Mentions of everyone, people, roles, channels and commands become text, with another sign for ``@``, ``#`` or ``/``.
    - Tags of HTML become text.
    - Characters that show nothing, and those that turn the direction of writing, are removed.
    - Code blocks stay as they are, because nothing in them can be clicked, and so does code inside a line. Where programs
      disagree about what is code, such as after an unpaired tick, links and mentions become text there, too.

    It can be applied again without further change, and makes no text longer than twice its length. Line ends become LF.

    Args:
        text: The answer.
        hosts: Names of hosts that it may link to, such as "fury.gl"; "*.fury.gl" stands for all names below it. By default
            none. A port other than the usual one is part of the name.

    Raises:
        ConfigError: ``hosts`` contains something else.

    Example:
        >>> safe("See [the docs](https://fury.gl/x) or https://evil.example @everyone", ["fury.gl"])
        'See [the docs](https://fury.gl/x) or https[:]//evil[.]example ＠everyone'
    """
    work = Safety(hosts)
    return work.feed(text) + work.end()


class Safety:
    """Does the same as `safe` to an answer that arrives in pieces, whatever the pieces.

    It holds back the word that has not ended, and code inside a line until its end.

    Args:
        hosts: As in `safe`.

    Raises:
        ConfigError: ``hosts`` is not a list of host names.
    """

    def __init__(self, hosts: Iterable[str] | Hosts | None = None) -> None:
        self._hosts = Hosts.of(hosts)
        self._held: list[str] = []
        self._size = 0
        self._before = ""  # the last character of the text before
        self._line = ""  # how the line begins that has not ended
        self._fence: _Fence | None = None
        self._doubt = False  # programs disagree about what is code from here on
        self._open = set[str]()  # marks that a program may pair with one inside code
        self._depth = 0  # of square brackets
        self._link = False  # inside the parentheses of a link
        self._address = False  # inside an address
        self._definition = False  # in a line that may define an address

    def feed(self, piece: str) -> str:
        """Takes the next piece, and returns what is certain."""
        self._held.append(piece)
        self._size += len(piece)
        wanted = "\n" in piece if self._fence else "`" in piece or _BOUNDARY.search(piece)
        # Long words are put together rarely, so that many small pieces take linear time.
        return self._work(final=False) if wanted or self._size > _LONGEST else ""

    def end(self) -> str:
        """Returns the rest."""
        return self._work(final=True)

    def _work(self, *, final: bool) -> str:
        text, keep = "".join(self._held), ""
        if not final and text.endswith("\r"):
            text, keep = text[:-1], "\r"
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        out: list[str] = []
        at = 0
        while at < len(text):
            step = self._code_line if self._fence else self._step
            done = step(text, at, out, final)
            if done is None:
                break
            at = done
        self._held = [text[at:], keep]
        self._size = 0
        return "".join(out)

    def _step(self, text: str, at: int, out: list[str], final: bool) -> int | None:  # noqa: FBT001
        """Works on the text up to the next tick, or on ticks. Returns where it stopped, None if more is needed."""
        if text[at] == "`":
            return self._ticks(text, at, out, final)
        tick = text.find("`", at)
        end = tick if tick >= 0 else len(text)
        if tick < 0 and not final:
            end = _last_boundary(text, at)
            if end == at:
                return None
        after = "`" if tick >= 0 else ""
        out.append(self._neutral(visible(text[at:end], self._before, after), after))
        return end

    def _ticks(self, text: str, at: int, out: list[str], final: bool) -> int | None:  # noqa: FBT001
        run = _RUN.match(text, at)
        assert run is not None
        end = run.end()
        if end == len(text) and not final and len(run[0]) <= 200:
            return None
        count = run[0].count("`")
        if self._before == "\\" or self._address or self._doubt:
            return self._doubtful(count, end, out)
        if count >= 3:
            return self._fence_line(text, end, count, out, final)
        limit = min(len(text), end + _LONGEST)
        line_end = text.find("\n", end, limit)
        stop = limit if line_end < 0 else line_end
        closing = _RUN.search(text, end, stop)
        if closing is None:
            if line_end < 0 and limit == len(text) and not final:
                return None
            return self._doubtful(count, end, out)
        if closing.end() == len(text) and not final:
            return None
        content = visible(text[end : closing.start()])
        if closing[0].count("`") != count or not content.strip() or closing.end() == limit < len(text):
            return self._doubtful(count, end, out)
        if self._open or self._depth or self._link or _RISKY.intersection(content):
            content = self._inside_code(content)
        out.append("`" * count + content + "`" * count)
        self._before = "`"
        self._line = (self._line + "`")[:_KNOWN]
        return closing.end()

    def _doubtful(self, count: int, end: int, out: list[str]) -> int:
        self._doubt = True
        out.append("`" * count)
        self._before = "`"
        self._line = (self._line + "`" * count)[:_KNOWN]
        return end

    def _fence_line(self, text: str, end: int, count: int, out: list[str], final: bool) -> int | None:  # noqa: FBT001
        """Opens a code block."""
        if self._line.strip(" ") or len(self._line) > 3 or self._link:
            return self._doubtful(count, end, out)
        line_end = text.find("\n", end, end + _INFO)
        if line_end < 0:
            if len(text) - end < _INFO and not final:
                return None
            return self._doubtful(count, end, out)
        if "`" in text[end:line_end]:
            return self._doubtful(count, end, out)
        self._fence = _Fence(count, len(self._line), bool(self._open or self._depth))
        out.append("`" * count + visible(text[end:line_end]) + "\n")
        self._ended_line()
        return line_end + 1

    def _code_line(self, text: str, at: int, out: list[str], final: bool) -> int | None:  # noqa: FBT001
        """Passes on a line of a code block. If programs disagree on where the block ends, the rest is text."""
        fence = self._fence
        assert fence is not None
        end = text.find("\n", at) + 1
        if not end:
            if not final:
                return None
            end = len(text)
        line = text[at:end]
        inner = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        closes = len(inner) >= fence.length and not inner.strip("`")
        if closes and fence.seen and (indent == fence.indent or (not fence.indent and indent <= 3)):
            self._fence = None
            out.append(line)
            self._ended_line()
            if not line.endswith("\n"):
                self._before, self._line = "`", inner[:_KNOWN]
            return end
        if "```" in line or (inner and indent < fence.indent):
            self._fence, self._doubt = None, True
            return at
        fence.seen = fence.seen or bool(inner)
        out.append(self._inside_code(line) if fence.guarded else line)
        return end

    def _ended_line(self) -> None:
        self._before, self._line, self._address, self._definition = "\n", "", False, self._depth > 0
        if self._link:
            self._link, self._doubt = False, True

    def _inside_code(self, text: str) -> str:
        """Returns code of which some program may think that it is text."""

        def replaced(match: re.Match[str]) -> str:
            if match["scheme"] is not None or match["bare"] is not None:
                return self._link_to(match, text, "`")[0]
            if match["into"]:
                return "](" if self._may_lead(text, match.end(), "`") else "] ("
            return self._simple(match) if match["all"] or match["sign"] else match[0]

        return _TEXT.sub(replaced, text)

    def _neutral(self, text: str, after: str) -> str:
        out: list[str] = []
        at = line = 0
        for match in _TEXT.finditer(text):
            if match.start() > at:
                out.append(text[at : match.start()])
            at = match.end()
            before = out[-1][-1:] if out else self._before
            if match["scheme"] is not None or match["bare"] is not None:
                shown, linked = self._link_to(match, text, after)
                self._address = self._address or linked
                out.append(shown)
            elif match["space"]:
                self._ended_word()
                out.append(match[0])
            elif match["line"]:
                self._ended_word()
                self._ended_line()
                line = at
                out.append("\n")
            elif match["mark"]:
                self._marked(match, text, line, before, text[at : at + 1] or after)
                out.append(match[0])
            elif match["into"] or match["defines"]:
                self._depth = max(0, self._depth - 1)
                out.append(self._destination(match, text, after))
            elif match["tag"]:
                out.append("<" if self._kept(text, match.start(), after) else "‹")
            else:
                out.append(self._simple(match))
        out.append(text[at:])
        rest = text[line:]
        self._line = (self._line + rest)[:_KNOWN]
        self._before = text[-1:] or self._before
        return "".join(out)

    def _ended_word(self) -> None:
        self._address = False
        if self._link:
            # Where this link ends depends on the program.
            self._link, self._doubt = False, True

    def _simple(self, match: re.Match[str]) -> str:
        if match["all"]:
            return _FULL["@"]
        if match["sign"]:
            return f"<{_FULL[match['sign']]}"
        if match["entity"]:
            return f"＆{match['entity']}"
        if match["code"]:
            return f"{match['code']}[:]"
        return match[0]

    def _link_to(self, match: re.Match[str], text: str, after: str) -> tuple[str, bool]:
        """Returns an address as it is if it may be linked, otherwise as a text; and whether it is an address."""
        if match["bare"] is not None:
            host = match["bare"]
            return (host, True) if self._hosts.allows(host) else (_DOT.sub("[.]", host), False)
        host, port = match["host"], match["port"] or ""
        following = text[match.end() : match.end() + 1] or after
        if self._may(match, following):
            # With a slash, no sign behind it can become a part of the host.
            slash = "" if not following or following in "/?# \t\n" else "/"
            return f"{match[0]}{slash}", True
        return f"{_DOT.sub('[.]', match['scheme'])}[:]//{_DOT.sub('[.]', host)}{port}", False

    def _may(self, match: re.Match[str], following: str) -> bool:
        scheme, host, port = match["scheme"].lower(), match["host"], match["port"] or ""
        if scheme not in {"http", "https"} or not host or (following and following in "@\\%"):
            return False
        return self._hosts.allows(host + ("" if port == _USUAL[scheme] else port))

    def _destination(self, match: re.Match[str], text: str, after: str) -> str:
        if match["defines"]:
            return "] :" if self._definition else "]:"
        allowed = self._may_lead(text, match.end(), after)
        self._link = self._link or allowed
        return "](" if allowed else "] ("

    def _may_lead(self, text: str, at: int, after: str) -> bool:
        """Returns whether a link may lead to the address at a position."""
        found = _ALLOWED.match(text, at)
        following = (text[found.end() : found.end() + 1] or after) if found else ""
        return bool(found and self._may(found, following) and following in {"/", "?", "#", ")"})

    def _kept(self, text: str, at: int, after: str) -> bool:
        """Returns whether an angle bracket stays: of an emoji, a time, or an allowed address."""
        if _KEPT_TAG.match(text, at):
            return True
        found = _ALLOWED.match(text, at + 1)
        return bool(found and self._may(found, text[found.end() : found.end() + 1] or after))

    def _marked(self, match: re.Match[str], text: str, line: int, before: str, following: str) -> None:
        """Notes marks that open and close something."""
        sign, start, end = match["mark"][0], match.start(), match.end()
        if sign == "[":
            begun = (self._line if not line else "") + text[line : min(start, line + _KNOWN)]
            if len(begun) < _KNOWN and not set(begun) - _START:
                self._definition = True
            self._depth += 1
        elif sign == "]":
            self._depth = max(0, self._depth - 1)
        elif sign == ")":
            self._link = False
        elif sign == "~" and end - start >= 3:
            self._doubt = True  # a fence for CommonMark, and a text for Discord
        elif sign in self._open:
            if before.strip():
                self._open.discard(sign)
        elif following.strip() and not (sign == "_" and before.isalnum()):
            self._open.add(sign)


def _last_boundary(text: str, start: int) -> int:
    """Returns the end of the last word that has ended."""
    for at in range(len(text), start, -1):
        if _BOUNDARY.match(text, at - 1):
            return at
    return start
