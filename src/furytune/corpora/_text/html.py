"""Reads HTML pages: the main part as Markdown, each heading with its anchor on the page."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from attrs import evolve

from furytune._python_source.files import UnfitError
from furytune.corpora._text.blocks import Document
from furytune.corpora._text.markdown import markdown
from furytune.errors import MissingExtraError

__all__ = ["html", "html_ready"]

_MAIN = ("main", "[role=main]", "article", "body")
_NOISE = (
    "script,style,title,nav,template,noscript,svg,iframe,form,button,input,footer,.headerlink,.sphinxsidebar,.toctree-wrapper,"
    ".related,.linenos,.viewcode-link,.viewcode-back,[role=navigation],[role=search],[aria-hidden=true]"
)
_HEADINGS = tuple(f"h{n}" for n in range(1, 7))
_OBJECTS = frozenset(
    [
        "py",
        "c",
        "cpp",
        "js",
        "std",
        "class",
        "function",
        "method",
        "attribute",
        "data",
        "exception",
        "classmethod",
        "staticmethod",
        "property",
        "describe",
    ]
)
_LANGUAGE = re.compile(r"(?:^|\s)(?:highlight|language|lang)-([\w+#-]+)")
_OPEN, _CLOSE = "\ue000", "\ue001"
_BLANKS = re.compile(r"[ \t\r\n]+")
_SECTION_END = re.compile(r"\]\s*+\]\s*+>")
_MOST_DEEP = 200  # nested elements; later steps visit all parents of each element
_MOST_CLASSES = 20
_MARK = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")


def html_ready() -> None:
    """Checks that HTML can be read.

    Raises:
        MissingExtraError: Beautiful Soup or markdownify is not installed.
    """
    _converter()


@cache
def _converter() -> Any:
    """Returns the converter to Markdown, made once."""
    try:
        from markdownify import MarkdownConverter
    except ImportError as error:
        raise MissingExtraError("reading HTML", "html") from error

    class Converter(MarkdownConverter):
        def convert_pre(self, el: Any, text: str, *more: Any, **options: Any) -> str:
            text = _without_blank_ends(text)
            return str(super().convert_pre(el, text, *more, **options))  # type: ignore[misc]

    return Converter(
        strip_pre=None,  # markdownify's own way takes quadratic time
        heading_style="ATX",
        bullets="-",
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
        code_language_callback=_language,
        strip=["a", "img"],
    )


def _without_blank_ends(text: str) -> str:
    """Removes blank lines at both ends, and spaces at the end; the first line keeps its indentation."""
    text = text.rstrip(" \n")
    indentation = len(text) - len(text.lstrip(" \n"))
    return text[text.rfind("\n", 0, indentation) + 1 :]


def _language(pre: Any) -> str:
    """Returns the language of a code block, as Sphinx or a highlighter marks it."""
    for element in (pre, pre.parent, getattr(pre.parent, "parent", None), pre.find("code")):
        classes = list(element.get("class") or [])[:_MOST_CLASSES] if element is not None else []
        found = _LANGUAGE.search(" ".join(classes))
        if found and found[1] not in ("default", "none", "text", "notranslate"):
            return found[1]
    return ""


def html(text: str, path: str) -> Document:
    """Reads a page.

    Navigation, scripts and forms are left out; links keep their text without the address. Described objects, as Sphinx
    writes them (``<dt id="json.dump">``), count as headings.

    Raises:
        MissingExtraError: Beautiful Soup or markdownify is not installed.
        RecursionError: Elements are nested too deeply.
        UnfitError: ``not_html``: the page cannot be parsed.
    """
    from bs4 import BeautifulSoup
    from bs4.builder import ParserRejectedMarkup

    try:
        # The two marks are private characters of Unicode; any that the page contains could forge an anchor.
        soup = BeautifulSoup(_closed(text.replace(_OPEN, "").replace(_CLOSE, "")), "html.parser")
    except ParserRejectedMarkup as error:
        raise UnfitError("not_html", "the page contains a malformed declaration", path=path) from error
    _check_depth(soup)
    title = " ".join(soup.title.get_text().split()) if soup.title is not None else ""
    # From the most precise to the whole page: menus and footers are outside the main part.
    main = next((found for found in map(soup.select_one, _MAIN) if found is not None), soup)
    dropped = {"navigation": 0, "image": len(main.select("img"))}
    # Anchors are found before the noise is removed, because links to a heading are part of the noise.
    anchors = {}
    before: Any = None
    for element in main.find_all(_HEADINGS):
        anchors[id(element)] = _anchor(element, before)
        before = element
    for element in main.select(_NOISE):
        dropped["navigation"] += 1
        element.extract()
    for element in main.find_all(_HEADINGS):
        # The converter drops ids, so the anchor travels through it as marked text in the heading.
        element.append(f"{_OPEN}{anchors.get(id(element), '')}{_CLOSE}")
    _name_objects(soup, main)
    _collapse_blanks(main)
    lines = _converter().convert_soup(main).split("\n")
    found = markdown([line.rstrip() for line in lines], indented_code=False, settings=False)
    headings = []
    for heading in found.headings:
        mark = _MARK.search(heading.text)
        plain = " ".join(_MARK.sub("", heading.text).split())
        headings.append(evolve(heading, text=plain, anchor=mark[1] if mark else ""))
    counts = found.dropped
    counts.update({reason: count for reason, count in dropped.items() if count})
    return evolve(
        found,
        lines=[_MARK.sub("", line) for line in found.lines],
        headings=[h for h in headings if h.text],
        title="" if headings else title,
        unit="anchor",
    )


def _closed(text: str) -> str:
    """Escapes tags and comments that never end, because the parser searches for the end of each in the whole file."""
    text = _escaped_after(text, text.rfind(">"), "<")
    text = _escaped_after(text, text.rfind("-->"), "<!--")
    last = 0
    for last_section in _SECTION_END.finditer(text):
        last = last_section.start()
    return _escaped_after(text, last, "<![")


def _escaped_after(text: str, at: int, opening: str) -> str:
    at = max(at, 0)
    return text[:at] + text[at:].replace(opening, f"&lt;{opening[1:]}")


def _check_depth(soup: Any) -> None:
    """Raises RecursionError for a page that is nested too deeply."""
    depths = {id(soup): 0}
    for element in soup.find_all():
        depths[id(element)] = depth = depths[id(element.parent)] + 1
        if depth > _MOST_DEEP:
            raise RecursionError


def _collapse_blanks(main: Any) -> None:
    """Reduces runs of spaces outside ``pre`` to one, as a browser does; the converter takes quadratic time for them."""
    from bs4.element import NavigableString

    # A list, because replacing a string while walking the tree would skip its neighbours.
    for string in list(main.find_all(string=_BLANKS)):
        if type(string) is NavigableString and string.find_parent("pre") is None:
            string.replace_with(_BLANKS.sub(lambda run: "\n" if "\n" in run[0] else " ", string))


def _anchor(heading: Any, before: Any) -> str:
    """Returns the id that leads to a heading: its own, its link to itself, or that of the section it opens.

    Args:
        heading: The element.
        before: The previous heading in the page, or None.
    """
    if heading.get("id"):
        return str(heading["id"])
    link = heading.find("a", href=re.compile("^#."))
    if link is not None:
        return str(link["href"][1:])
    named = heading.find("a", attrs={"name": True})
    if named is not None:
        return str(named["name"])
    around = heading.parent
    if around is None or around.name not in ("section", "div"):
        return ""
    # Only the first heading in a section can use the section's id.
    opens = before is None or all(above is not around for above in before.parents)
    return str(around.get("id") or "") if opens else ""


def _name_objects(soup: Any, main: Any) -> None:
    """Adds a heading before each described object, one level below the heading above it."""
    level, around = 1, dict[int, Any]()
    for element in main.find_all([*_HEADINGS, "dt"]):
        if element.name != "dt":
            level = int(element.name[1])
            continue
        described = element.find_parent("dl")
        if described is None or not element.get("id") or not _OBJECTS & set(described.get("class") or ()):
            continue
        heading = soup.new_tag(f"h{min(level + 1 + len(element.find_parents('dd')), 6)}")
        # Sphinx describes objects in lists without headings, so each gets one, to become a passage of its
        # own.
        heading.string = f"{element['id']}{_OPEN}{element['id']}{_CLOSE}"
        element.insert_before(heading)
        signature = soup.new_tag("pre")
        signature.string = " ".join(element.get_text().split())
        element.replace_with(signature)
        around[id(described)] = described
    for described in around.values():
        # A description list would be indented and then read as a single block.
        for part in described.find_all("dd", recursive=False):
            part.name = "div"
        described.name = "div"
