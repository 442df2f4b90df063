"""Finds question and answer in a JSON record: two texts, or chat turns as OpenAI, TRL or Gemini write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from furytune.collectors._json_lines import Twins, twin_key
from furytune.collectors._names import shown
from furytune.collectors._pair_files import Flaw
from furytune.collectors._pairs import WANTED, Columns, find_columns, find_extras, flaw

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Exchange", "Shape", "exchange_of", "shape_of"]

Shape: TypeAlias = tuple[str, str, dict[str, str]]
"""Key of the question, key of the answer ("" for one list of turns), keys of the optional values."""

Exchange: TypeAlias = tuple[str, str, int, dict[str, str]]
"""Question, answer, number of turns left out, and the optional texts."""

Turns: TypeAlias = list[tuple[str, str]]


def shape_of(keys: tuple[str, ...], columns: Columns) -> Shape:
    """Returns key of the question, key of the answer ("" for a list of turns), keys of the optional columns."""
    extras = {name: keys[i] for name, i in find_extras(keys, columns).items()}
    found = find_columns(keys, columns)
    if found is not None:
        return keys[found["question"]], keys[found["answer"]], extras
    if columns.question is None:
        folded = {key.casefold(): key for key in keys}
        for name in ("messages", "contents"):
            if name in folded:
                return folded[name], "", extras
    return "", "", extras


def exchange_of(found: Mapping[str, Any], shape: Shape, line: int) -> Exchange | Flaw:
    """Returns question, answer, number of earlier turns and optional texts of a record."""
    q, a, names = shape
    extras: dict[str, str] = {}
    for name, key in names.items():
        value = found[key]
        if isinstance(value, str):
            extras[name] = value
        elif isinstance(value, int) and not isinstance(value, bool) and name in {"id", "group"}:
            extras[name] = str(value)
        elif value is not None:
            return Flaw(
                reason="type",
                problem=f"its {name} is not text",
                line=line,
                column=1,
                hint="write it as a string",
            )
    if not q and not a:
        return Flaw(
            reason="columns",
            problem=f"no keys for question and answer; found {shown(found, 'key')}",
            line=line,
            column=1,
            hint=f"recognised are {WANTED}, messages and contents; name them by `question=` and `answer=`",
        )
    question = found[q]
    answer = found[a] if a else None
    if isinstance(question, str) and isinstance(answer, str):
        return question, answer, 0, extras
    if a and not (isinstance(question, list) and isinstance(answer, list)):
        return Flaw(
            reason="type",
            problem="question and answer are neither two texts nor two lists of messages",
            line=line,
            column=1,
            hint="write both as strings",
        )
    turns = turns_of(question, line)
    if a and not isinstance(turns, Flaw):
        more = turns_of(answer, line)
        turns = more if isinstance(more, Flaw) else turns + more
    if isinstance(turns, Flaw):
        return turns
    last = last_exchange(turns, line)
    return last if isinstance(last, Flaw) else (*last, extras)


def turns_of(value: Any, line: int) -> Turns | Flaw:
    """Returns role and text of chat turns, as OpenAI, TRL or Gemini write them."""
    if not isinstance(value, list):
        return flaw(line, "type", "the turns are not a list", "write a list of messages")
    turns: Turns = []
    for item in value:
        if isinstance(item, Twins):
            return twin_key(line, item)
        if not isinstance(item, dict):
            return flaw(
                line, "type", "a turn is not an object", "write turns as objects with a role and a text"
            )
        role = item.get("role", "user")
        text = _text(item.get("content") if "content" in item else item.get("parts"))
        if not isinstance(role, str) or text is None:
            return flaw(line, "not_text", "a turn has no role or is not plain text", "leave out the record")
        turns.append((role, text))
    return turns


def _text(value: Any) -> str | None:
    """Returns a turn's text; None if any part of it is something else."""
    if value is None or isinstance(value, str):
        return value or ""
    if not isinstance(value, list):
        return None
    if len(value) == 1 and type(value[0]) is dict:
        text = value[0].get("text")
        return text if isinstance(text, str) else None
    parts = [
        part.get("text") if isinstance(part, dict) and not isinstance(part, Twins) else None for part in value
    ]
    if not all(isinstance(part, str) for part in parts):
        return None
    return "".join(part for part in parts if part)


def last_exchange(turns: Turns, line: int) -> tuple[str, str, int] | Flaw:
    """Returns the last user turn, the final assistant turn, and how many other turns there are.

    A system instruction is not a turn.
    """
    spoken = [turn for turn in turns if turn[0] not in {"system", "developer"}]
    if not spoken or spoken[-1][0] not in {"assistant", "model"}:
        return flaw(line, "no_answer", "the last turn is not the assistant's", "leave out the record")
    questions = [text for role, text in spoken[:-1] if role == "user"]
    if not questions:
        return flaw(line, "no_question", "no turn is the user's", "leave out the record")
    return questions[-1], spoken[-1][1], len(spoken) - 2
