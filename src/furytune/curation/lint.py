"""Drops answers that teach a model nothing, and repairs what is broken only in form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs
from attrs import field, frozen

from furytune.curation._lint.hidden import hidden_text, visible
from furytune.curation._lint.leftovers import (
    closed_early,
    cut_off,
    grading_text,
    moving_link,
    prompt_text,
    refusal,
    time_bound,
)
from furytune.curation._lint.pointing import (
    leans_on_file,
    leans_on_talk,
    lost_file,
    no_text,
    only_asks,
    only_links,
    only_promises,
    only_thanks,
    points_back,
    same_trouble,
)
from furytune.curation._lint.python import broken_indentation, closed, indented
from furytune.errors import ConfigError
from furytune.reasons import REASONS
from furytune.records import Dropped, QAPair

__all__ = ["RULES", "LintAnswers", "Rule"]


@frozen(kw_only=True)
class Rule:
    """One rule of `LintAnswers`. It has exactly one of the three functions.

    Attributes:
        name: Its name. It is also the reason of its drops, see `furytune.reasons`.
        answer: Takes an answer; returns whether to drop its pair, or None, or what to say about the drop.
        question: The same for a question.
        edit: Takes an answer, and returns a better one.
        does: What the edit does, as a sentence.
        default: Whether the rule is on unless it is switched off.
    """

    name: str
    answer: Callable[[str], bool | str | None] | None = None
    question: Callable[[str], bool | str | None] | None = None
    edit: Callable[[str], str] | None = None
    does: str = ""
    default: bool = True

    @property
    def meaning(self) -> str:
        """What it finds or does, as a sentence."""
        return self.does or REASONS["pair", self.name].meaning

    def flaw(self, pair: QAPair) -> str | None:
        """Returns what to say about the drop of a pair, "" for nothing; None if the rule has nothing against it."""
        if self.answer is not None:
            found = self.answer(pair.answer)
        elif self.question is not None:
            found = self.question(pair.question)
        else:
            return None
        return found if isinstance(found, str) else "" if found else None


_IN_ORDER: Final = (
    # Before the edits, because they remove what it looks for.
    Rule(
        name="hidden_text",
        answer=hidden_text,
    ),
    Rule(
        name="invisible_characters",
        edit=visible,
        does="Removes control and zero-width characters, except where a script or an emoji needs them.",
    ),
    Rule(
        name="unclosed_fence",
        edit=closed,
        does="Closes a code block at the end of the answer.",
    ),
    Rule(
        name="cut_indentation",
        edit=indented,
        does="Repairs the indentation of Python if only one reading is possible.",
    ),
    Rule(
        name="closing_words",
        edit=closed_early,
        does='Removes "Hope this helps!", "Is it what you need?" and the like at the end.',
    ),
    Rule(
        name="no_text",
        answer=no_text,
    ),
    Rule(
        name="only_thanks",
        answer=only_thanks,
    ),
    Rule(
        name="only_links",
        answer=only_links,
    ),
    Rule(
        name="lost_file",
        answer=lost_file,
    ),
    Rule(
        name="points_back",
        answer=points_back,
    ),
    Rule(
        name="only_asks",
        answer=only_asks,
    ),
    Rule(
        name="only_promises",
        answer=only_promises,
    ),
    Rule(
        name="same_trouble",
        answer=same_trouble,
    ),
    Rule(
        name="grading_text",
        answer=grading_text,
    ),
    Rule(
        name="refusal",
        answer=refusal,
    ),
    Rule(
        name="prompt_text",
        answer=prompt_text,
    ),
    Rule(
        name="cut_off",
        answer=cut_off,
    ),
    Rule(
        name="broken_indentation",
        answer=broken_indentation,
    ),
    Rule(
        name="moving_link",
        answer=moving_link,
        default=False,
    ),
    Rule(
        name="time_bound",
        answer=time_bound,
        default=False,
    ),
    Rule(
        name="question_lost_file",
        question=leans_on_file,
        default=False,
    ),
    Rule(
        name="question_points_back",
        question=leans_on_talk,
        default=False,
    ),
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in _IN_ORDER})
"""Every rule by its name, in the order in which they are applied."""


_UNSEEN: Final = frozenset({"hidden_text", "invisible_characters"})
"""They find what the person who accepted a pair did not see."""


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    """Converts names of rules.

    Raises:
        ConfigError: One of them is unknown.
    """
    wanted = (value,) if isinstance(value, str) else tuple(value)
    unknown = [name for name in wanted if name not in RULES]
    if unknown:
        named = ", ".join(map(repr, unknown[:3]))
        raise ConfigError(f"LintAnswers has no rule {named}; choose from {', '.join(RULES)}")
    return tuple(name for name in RULES if name in wanted)


@frozen(kw_only=True)
class LintAnswers:
    """Curation step: drops answers that teach nothing, and repairs what is broken only in form.

    It applies the rules of ``furytune.curation.lint.RULES``: first "hidden_text", then the edits, then all other rules to
    the edited answer. The first rule that has something against a pair drops it, and its name is the reason. If a person
    accepted the pair (`QAPair.reviewed`), only the rules about invisible characters are applied.

    Attributes:
        off: Names of rules that are on by default, to switch off.
        on: Names of rules that are off by default, to switch on.

    Raises:
        ConfigError: A rule is unknown, or in both lists.
    """

    off: tuple[str, ...] = field(default=(), converter=_names)
    on: tuple[str, ...] = field(default=(), converter=_names)

    def __attrs_post_init__(self) -> None:
        if both := set(self.on) & set(self.off):
            raise ConfigError(f"LintAnswers: on and off both name {', '.join(sorted(both))}; choose one")

    @property
    def name(self) -> str:
        """Name in `QAPair.edits` and in reports."""
        return "lint_answers"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that are on, in the order in which they are applied."""
        return tuple(
            rule
            for rule in RULES.values()
            if rule.name in self.on or (rule.default and rule.name not in self.off)
        )

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair, edits its answer, or drops it."""
        for rule in self.rules:
            if pair.reviewed and rule.name not in _UNSEEN:
                continue
            if rule.edit is not None:
                answer = rule.edit(pair.answer)
                if answer != pair.answer:
                    pair = attrs.evolve(pair, answer=answer)
            elif (detail := rule.flaw(pair)) is not None:
                return Dropped(reason=rule.name, ids=(pair.id,), where=pair.source.path, detail=detail)
        return pair

    def flaws(self, pair: QAPair) -> tuple[str, ...]:
        """Returns the names of all rules that would drop or edit a pair as it is, whether they are on or off.

        It is meant for reports, such as one on links that will go stale.
        """
        return tuple(
            rule.name
            for rule in RULES.values()
            if (rule.edit is not None and rule.edit(pair.answer) != pair.answer)
            or rule.flaw(pair) is not None
        )
