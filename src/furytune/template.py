r"""Prompt templates whose prompts can be parsed back into their parts.

A template is text with two slots, ``{question}`` and ``{context}``. Write ``{{`` and ``}}`` for braces.
Each line that begins with text of the template is a *marker line*. A line of a question or passage that
begins like a marker line gets a leading backslash. If it already has backslashes, it gets one more (the
mboxrd format does the same). So no text can forge a section of the prompt, text without marker lines passes
through byte for byte, and ``parse(render(x)) == x`` for every x. Only a line feed ends a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, Self, TypeAlias

from attrs import field, frozen

from furytune._values.canonical import Json
from furytune.errors import ContractMismatchError, TemplateError
from furytune.records import Passage

__all__ = ["Parsed", "PromptTemplate", "Section"]

_VERSION = 1
_TOKEN = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}|[{}]")


SectionKind: TypeAlias = Literal["template", "heading", "passage", "question"]


@frozen
class Section:
    """A stretch of a rendered prompt.

    Attributes:
        kind: "template" (its fixed text), "heading" (number and citation of a passage), "passage" or "question".
        text: As it is in the prompt, with the backslashes of escaped lines.
    """

    kind: SectionKind
    text: str = field(repr=False)


@frozen
class Parsed:
    """The parts of a rendered prompt.

    Attributes:
        question: As it was given to `PromptTemplate.render`.
        passages: Citation and text of each passage.
    """

    question: str = field(repr=False)
    passages: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def _split(text: str, slots: Sequence[str], what: str) -> tuple[list[str], list[str]]:
    """Splits a template into literals and slot names. There is one more literal than slots.

    Raises:
        TemplateError: Braces enclose something that is not a slot.
    """
    literals, names, at = [""], [], 0
    for token in _TOKEN.finditer(text):
        literals[-1] += text[at : token.start()]
        at = token.end()
        found = token.group()
        if found in ("{{", "}}"):
            literals[-1] += found[0]
        elif found[1:-1] in slots and len(found) > 1:
            names.append(found[1:-1])
            literals.append("")
        else:
            line = text.count("\n", 0, token.start()) + 1
            known = ", ".join("{" + s + "}" for s in slots)
            raise TemplateError(
                f"{what}, line {line}: {found} is not a slot; use {known}, and write a brace twice to keep it as text"
            )
    literals[-1] += text[at:]
    return literals, names


def _marker(literal: str) -> tuple[int, str] | None:
    """Returns offset and text of the first marker line inside a literal; None without one."""
    at = literal.find("\n") + 1
    while at:
        line = literal[at:].split("\n", 1)[0].rstrip()
        if line:
            return at, line
        at = literal.find("\n", at) + 1
    return None


@frozen
class _Plan:
    """A template prepared for rendering and parsing.

    Attributes:
        literals: The fixed texts between the slots.
        slots: Names of the slots, in their order.
        heading: The fixed texts of a passage heading.
        escape: Finds lines that a value must not contain unescaped.
        unescape: Finds escaped lines.
        headings: Finds passage headings.
    """

    literals: tuple[str, ...]
    slots: tuple[str, ...]
    heading: tuple[str, ...]
    escape: re.Pattern[str]
    unescape: re.Pattern[str]
    headings: re.Pattern[str]


def _plan(text: str, passage: str, empty: str) -> _Plan:
    """Prepares a template, and refuses one whose prompts could not be parsed.

    Args:
        text: The template.
        passage: The heading of each passage.
        empty: The line for a prompt without passages.

    Raises:
        TemplateError: Two different inputs could give the same prompt.
    """
    literals, slots = _split(text, ("question", "context"), "template")
    for name, least in (("question", 1), ("context", 0)):
        if not least <= slots.count(name) <= 1:
            raise TemplateError(
                f"the template must contain {{{name}}} once, but contains it {slots.count(name)} times"
            )
    for name, literal in zip(slots[:-1], literals[1:-1], strict=True):
        # The end of a value is found by the next line of the template; without such a line, a question could
        # contain it.
        if not literal.startswith("\n") or _marker(literal) is None:
            raise TemplateError(
                f"after {{{name}}} the template needs a line break and a line that is not blank before "
                "the next slot, so that its prompts can be parsed; write for example "
                "'{context}\\n\\nQuestion:\\n{question}'"
            )
    heading, numbered = _split(passage, ("number", "citation"), "passage heading")
    if len(heading) == 3 and not heading[1]:
        raise TemplateError("the passage heading needs some text between {number} and {citation}")
    if "\n" in passage or numbered not in (["number"], ["number", "citation"]):
        raise TemplateError(
            "the passage heading must be a single line with {number}, and may have {citation} after it"
        )
    if numbered == ["number", "citation"] and heading[2]:
        raise TemplateError("the passage heading must not have text after {citation}")
    # NUL marks a slot. Only the fixed text of a line up to its first slot can be recognised later.
    whole = "".join("\0" if i % 2 else part for i, part in enumerate(_woven(literals)))
    lines = [line.split("\0", 1)[0].rstrip() for line in whole.split("\n")]
    markers = {re.escape(line) for line in lines if line}
    # A line of a passage that looks like a heading must be escaped, with any number.
    opened = re.escape(heading[0]) + "[0-9]+" + re.escape(heading[1].rstrip())
    if "context" in slots:
        markers.add(opened)
    if "context" in slots and any(_could_begin(heading[0], line) for line in lines if line):
        raise TemplateError("a line of the template begins like the passage heading; change one of them")
    if any(line.startswith("\\") for line in [*lines, heading[0]]):
        raise TemplateError(
            "a line of a template must not begin with a backslash, because a backslash marks escaped lines"
        )
    any_marker = "|".join(sorted(markers)) or r"(?!)"  # matches nothing: without markers, nothing is escaped
    # Existing backslashes are matched too: each escape adds one, so that each can be taken away again.
    escape = re.compile(rf"^(\\*)(?={any_marker})", re.MULTILINE)
    if "\n" in empty or not empty.strip() or escape.search(empty):
        raise TemplateError(
            "`empty` must be a single line that cannot be mistaken for a line of the template"
        )
    return _Plan(
        literals=tuple(literals),
        slots=tuple(slots),
        heading=tuple(heading),
        escape=escape,
        unescape=re.compile(rf"^\\(\\*)(?={any_marker})", re.MULTILINE),
        headings=re.compile(
            rf"^{re.escape(heading[0])}([0-9]+){re.escape(heading[1])}(.*)$"
            if len(heading) == 3
            else rf"^{re.escape(heading[0])}([0-9]+){re.escape(heading[1])}()$",
            re.MULTILINE,
        ),
    )


def _could_begin(heading: str, line: str) -> bool:
    """Returns whether a line of the template and a passage heading can be mistaken for each other."""
    if not heading:
        return line[0].isdigit()
    return line.startswith(heading) or heading.startswith(line)


def _woven(literals: Sequence[str]) -> list[str]:
    """Returns literals with an empty place between each two."""
    woven = [""] * (2 * len(literals) - 1)
    woven[::2] = literals
    return woven


@frozen
class PromptTemplate:
    r"""The fixed text around a question and its passages.

    Args:
        text: Contains ``{question}`` once and ``{context}`` at most once.
        system: The system instruction: fixed text without slots, or "" for none.
        passage: Heading line of each passage, with ``{number}`` and ``{citation}``.
        empty: A single line that replaces ``{context}`` if no passage was found.

    Raises:
        TemplateError: Prompts of this template could not be parsed.

    Example:
        >>> template = PromptTemplate("Answer briefly.\n\nQuestion:\n{question}")
        >>> print(template.render("Question: is it escaped?"))
        Answer briefly.
        <BLANKLINE>
        Question:
        \Question: is it escaped?
    """

    text: str
    system: str = field(default="", kw_only=True)
    passage: str = field(default="[{number}] {citation}", kw_only=True)
    empty: str = field(default="(none)", kw_only=True)
    _plan: _Plan = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        for name in ("text", "system", "passage", "empty"):
            value = getattr(self, name)
            if "\r" in value or "\0" in value or not _encodes(value):
                raise TemplateError(
                    f"the template's {name} contains a carriage return, NUL or lone surrogate; use only line feeds"
                )
        object.__setattr__(self, "_plan", _plan(self.text, self.passage, self.empty))

    @property
    def takes_context(self) -> bool:
        """True if there is a ``{context}`` slot."""
        return "context" in self._plan.slots

    @property
    def spec(self) -> dict[str, Json]:
        """Everything in the template that shapes a prompt."""
        return {
            "version": _VERSION,
            "text": self.text,
            "system": self.system,
            "passage": self.passage,
            "empty": self.empty,
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json]) -> Self:
        """Builds the template of a contract.

        Raises:
            ContractMismatchError: The contract was made under other template rules.
        """
        parts = {k: v for k, v in spec.items() if k != "version"}
        if spec.get("version") != _VERSION:
            raise ContractMismatchError(
                "template",
                f"the contract has version {spec.get('version')} of its rules and this library has {_VERSION}; "
                "install the furytune that made the contract",
            )
        return cls(**parts)  # type: ignore[arg-type]

    def without_context(self) -> PromptTemplate:
        """Returns the template without its ``{context}`` slot and the lines that introduce it.

        Removes the paragraph around the slot, up to the nearest blank lines. If the question is in the same
        paragraph, it removes only the slot's own line.
        """
        if not self.takes_context:
            return self
        paragraphs = self.text.split("\n\n")
        (at,) = (i for i, p in enumerate(paragraphs) if "{context}" in _bare(p))
        if "{question}" in _bare(paragraphs[at]):
            lines = paragraphs[at].split("\n")
            paragraphs[at] = "\n".join(line for line in lines if "{context}" not in _bare(line))
        else:
            alone = paragraphs[at].strip() == "{context}"
            before = paragraphs[at - 1].rstrip() if at else ""
            if alone and before.endswith(":") and "\n" not in before and "{question}" not in before:
                del paragraphs[at - 1 : at + 1]  # a heading in its own paragraph, such as "Context:"
            else:
                del paragraphs[at]
        return PromptTemplate(
            "\n\n".join(paragraphs), system=self.system, passage=self.passage, empty=self.empty
        )

    def render(self, question: str, passages: Sequence[Passage] = ()) -> str:
        """Fills the slots in one pass.

        Args:
            question: Any text.
            passages: Best first; they are numbered from 1.

        Returns:
            The prompt's user part.

        Raises:
            TemplateError: There are passages, but no ``{context}`` slot.
        """
        plan = self._plan
        if passages and not self.takes_context:
            raise TemplateError(
                "there are passages, but the template has no {context}; add it, or use IdentityAugmenter()"
            )
        out = [plan.literals[0]]
        for slot, literal in zip(plan.slots, plan.literals[1:], strict=True):
            # In one pass: a question that contains "{context}" must not be filled again.
            out.append(self._escape(question) if slot == "question" else self._context(passages))
            out.append(literal)
        return "".join(out)

    def parse(self, prompt: str) -> Parsed:
        """Parses a rendered prompt into question and passages.

        Raises:
            TemplateError: This template did not render the text.
        """
        values = self._values(prompt)
        question = self._plan.unescape.sub(r"\1", values["question"])
        return Parsed(question, self._passages(values.get("context", self.empty)))

    def sections(self, prompt: str) -> tuple[Section, ...]:
        """Takes a rendered prompt apart, so that each stretch can be shown for what it is. Joined, they are the prompt.

        Raises:
            TemplateError: This template did not render the text.
        """
        plan, values = self._plan, self._values(prompt)
        found = [Section("template", plan.literals[0])]
        for slot, literal in zip(plan.slots, plan.literals[1:], strict=True):
            if slot == "question":
                found.append(Section("question", values[slot]))
            else:
                found += self._stretches(values[slot])
            found.append(Section("template", literal))
        return tuple(section for section in found if section.text)

    def _values(self, prompt: str) -> dict[str, str]:
        """Returns what fills each slot of a rendered prompt.

        Raises:
            TemplateError: This template did not render the text.
        """
        plan = self._plan
        if not prompt.startswith(plan.literals[0]):
            raise TemplateError("the text does not begin like this template")
        at = len(plan.literals[0])
        values: dict[str, str] = {}
        for i, slot in enumerate(plan.slots, 1):
            end = self._end(prompt, at, i)
            values[slot] = prompt[at:end]
            at = end + len(plan.literals[i])
        return values

    def _stretches(self, context: str) -> list[Section]:
        """Returns headings and passages of a context, with the blank lines between them as fixed text."""
        heads = [] if context == self.empty else list(self._plan.headings.finditer(context))
        if not heads or heads[0].start() != 0:
            return [Section("template", context)]
        found: list[Section] = []
        for head, after in zip(heads, [*heads[1:], None], strict=True):
            body = head.end() + 1
            end = len(context) if after is None else max(body, after.start() - 2)
            found.append(Section("heading", context[head.start() : body]))
            found.append(Section("passage", context[body:end]))
            if after is not None:
                found.append(Section("template", context[end : after.start()]))
        return found

    def _escape(self, text: str) -> str:
        return self._plan.escape.sub(r"\\\1", text)

    def _context(self, passages: Sequence[Passage]) -> str:
        """Writes the passages with their headings."""
        heading = self._plan.heading
        return (
            "\n\n".join(
                f"{heading[0]}{n}{heading[1]}{p.citation if len(heading) == 3 else ''}\n{self._escape(p.text)}"
                for n, p in enumerate(passages, 1)
            )
            or self.empty
        )

    def _end(self, prompt: str, start: int, i: int) -> int:
        """Returns the end of the value that begins at ``start``, just before literal ``i``.

        Raises:
            TemplateError: The next line of the template is missing.
        """
        literal = self._plan.literals[i]
        if i == len(self._plan.literals) - 1:
            end = len(prompt) - len(literal)
        else:
            marker = _marker(literal)
            assert marker is not None
            offset, line = marker
            # Escaping changed every line of a value that begins like this, so the first hit is the template's own.
            hit = re.compile("^" + re.escape(line), re.MULTILINE).search(prompt, start)
            end = hit.start() - offset if hit else -1
        if end < start or not prompt.startswith(literal, end):
            raise TemplateError(f"the text has no {literal.strip()!r} where this template has it")
        return end

    def _passages(self, context: str) -> tuple[tuple[str, str], ...]:
        """Takes the written passages apart again.

        Raises:
            TemplateError: The context is not written as in this template.
        """
        if context == self.empty:
            return ()
        plan = self._plan
        heads = list(plan.headings.finditer(context))
        if not heads or heads[0].start() != 0:
            raise TemplateError("the context does not begin with a passage heading")
        found = []
        for n, (head, after) in enumerate(zip(heads, [*heads[1:], None], strict=True), 1):
            end = len(context) if after is None else after.start() - 2
            body = context[head.end() + 1 : end]
            if (
                head.group(1) != str(n)
                or context[head.end() : head.end() + 1] != "\n"
                or (after is not None and context[end : end + 2] != "\n\n")
            ):
                raise TemplateError(f"passage {n} of the context is not written as in this template")
            found.append((head.group(2), plan.unescape.sub(r"\1", body)))
        return tuple(found)


def _bare(text: str) -> str:
    return text.replace("{{", "").replace("}}", "")


def _encodes(text: str) -> bool:
    """Returns whether UTF-8 can encode a text."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
