"""The reasons of drops: a closed list, of which every word is used and every used word is explained."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from furytune.corpora._text.rst import LEFT_OUT
from furytune.curation.lint import RULES
from furytune.errors import ConfigError
from furytune.reasons import REASONS, as_markdown
from furytune.records import Dropped

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "furytune"

# What takes a reason without its name, and the place of the argument.
POSITIONS = {
    "add": 0,
    "all": 0,
    "Bad": 0,
    "blank": 2,
    "drop": 0,
    "dropped": 0,
    "flaw": 1,
    "gone_line": 1,
    "Unread": 2,
    "unread": 1,
    "UnfitError": 0,
    "UnreadableFile": 0,
    "_dropped": 1,
}
# Modules whose functions return a reason, or keep it in a variable of another name.
RETURNED = {
    "collector.py": {"_left_out"},
    "consent.py": {"refusal"},
    "participants.py": {"refusal", "refusal_of_copy"},
    "selection.py": {"problem"},
    "survey.py": {"_problem"},
    "replies.py": {"target"},
    "chat.py": {"_refused", "rest"},
    "build.py": {"_unfit"},
    "json_lines.py": {"_beyond_grammar"},
    "mdx.py": {"_marks"},
}
# They count no drops, or only pass on what others count.
ELSEWHERE = {"reasons.py", "report", "testing", "tuners"}
WORD = re.compile(r"[a-z0-9_]+")
VARIABLES = {"reason", "drop", "why", "_OUT"}
COUNTERS = {"dropped", "counts"}


def words(node: ast.AST | None) -> Iterator[str]:
    """The words that an expression can have as its value, in either branch of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*words(node.body), *words(node.orelse))
    elif isinstance(node, ast.Tuple):
        for item in node.elts:
            yield from words(item)
    elif isinstance(node, ast.BoolOp):
        for item in node.values:
            yield from words(item)


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def reasons_in(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            place = POSITIONS.get(name_of(node.func), -1)
            if 0 <= place < len(node.args):
                yield from words(node.args[place])
            for keyword in node.keywords:
                if keyword.arg == "reason":
                    yield from words(keyword.value)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield from assigned(target, node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
            if name_of(node.target.value) in COUNTERS:
                yield from words(node.target.slice)
        elif isinstance(node, ast.FunctionDef) and node.name in RETURNED.get(path.name, ()):
            for inner in ast.walk(node):
                if isinstance(inner, (ast.Return, ast.Yield)):
                    yield from words(inner.value)


def assigned(target: ast.expr, value: ast.expr | None) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from assigned(one, other)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.IfExp):
        yield from (*assigned(target, value.body), *assigned(target, value.orelse))
    elif name_of(target) in VARIABLES:
        yield from words(value)


def used() -> dict[str, str]:
    """Every reason in the source, and a file that gives it."""
    found = dict.fromkeys(LEFT_OUT.values(), "rst.py")
    found |= {rule.name: "lint.py" for rule in RULES.values() if rule.edit is None}
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).parts[0] not in ELSEWHERE:
            found |= {reason: path.name for reason in reasons_in(path) if WORD.fullmatch(reason)}
    return found


def test_the_source_gives_exactly_the_reasons_of_the_table() -> None:
    assert used().keys() == {name for _, name in REASONS}


def test_the_page_is_what_the_table_says() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "furytune.reasons"], capture_output=True, check=True, encoding="utf-8"
    )

    assert made.stderr == ""
    assert made.stdout == as_markdown() == (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")


def test_every_reason_is_explained_in_sentences() -> None:
    for reason in REASONS.values():
        for text in (reason.meaning, reason.remedy):
            assert text.endswith("."), reason
            assert "|" not in text, reason  # it would end the cell


@pytest.mark.parametrize("reason", ["no_reply", "mine:no_reply", "my-plugin:1:x"])
def test_a_drop_has_a_reason_of_the_table_or_one_with_a_prefix(reason) -> None:
    assert Dropped(reason=reason, unit="message").reason == reason


@pytest.mark.parametrize(
    "reason", ["", "short", "No_reply", ":short", "mine:", "mine :short", "mine:is too short"]
)
def test_any_other_reason_is_refused(reason) -> None:
    with pytest.raises(ConfigError, match='a plugin uses a prefix, such as "myplugin:too_short"'):
        Dropped(reason=reason)


def test_a_reason_for_another_unit_is_refused() -> None:
    with pytest.raises(ConfigError, match="'no_answer' is for the unit message or record, not for 'pair'"):
        Dropped(reason="no_answer")


def test_a_text_in_the_place_of_a_reason_is_not_quoted() -> None:
    with pytest.raises(ConfigError) as refused:
        Dropped(reason="my password is hunter2")

    assert "hunter2" not in str(refused.value)
