"""Finds question and answer in a JSON record: two texts, or chat turns as OpenAI, TRL or Gemini write them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from attrs import frozen

from furytune._privacy.printable import shown
from furytune._readers.files import Flaw
from furytune._readers.json_lines import Twins, twin_key
from furytune._readers.pairs.pairs import WANTED, Columns, find_columns, find_extras, flaw, joined
from furytune._readers.pairs.unused import Unused, marked, not_for_training, unused_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Exchange", "Shape", "exchange_of", "shape_of"]


@frozen
class Shape:
    """The keys of a record that are read.

    Attributes:
        question: Keys of the question, whose texts are joined, or the key of the chat turns; () if unknown.
        answer: Key of the answer, "" for a single list of turns.
        extras: Keys of the optional values.
        unused: Positions of the other keys.
    """

    question: tuple[str, ...]
    answer: str
    extras: Mapping[str, str]
    unused: Unused | None


class Exchange(NamedTuple):
    """The question and answer of a record.

    Attributes:
        question: Text of the question.
        answer: Text of the answer.
        earlier: Number of earlier turns that are left out.
        system: Number of system instructions among the turns.
        extras: The optional texts.
    """

    question: str
    answer: str
    earlier: int = 0
    system: int = 0
    extras: Mapping[str, str] = MappingProxyType({})


class Turn(NamedTuple):
    """A chat turn; ``trained`` is False if the file says not to train on it."""

    role: str
    text: str
    trained: bool


Turns: TypeAlias = list[Turn]

_SYSTEM = {"system", "developer"}


def shape_of(keys: tuple[str, ...], columns: Columns) -> Shape:
    """Returns the keys of a record that are read."""
    named = columns.question is not None
    found = find_columns(keys, columns)
    if found is not None:
        question, answer, used = found.question, keys[found.answer], set(found.used)
    else:
        folded = {key.casefold(): i for i, key in enumerate(keys)}
        turns = next((folded[name] for name in ("messages", "contents") if name in folded), None)
        question, answer = () if turns is None or named else (turns,), ""
        used = {*question, *find_extras(keys, columns).values()}
    extras = {name: keys[i] for name, i in find_extras(keys, columns).items()}
    unused = unused_fields(keys, used, named=named, turns=not answer)
    return Shape(tuple(keys[i] for i in question), answer, extras, unused)


def exchange_of(found: Mapping[str, Any], shape: Shape, line: int) -> Exchange | Flaw:
    """Returns the question and answer of a record, or its flaw."""
    extras: dict[str, str] = {}
    for name, key in shape.extras.items():
        value = found[key]
        if isinstance(value, str):
            extras[name] = value
        # Ids of databases are often numbers; dates and names are not.
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
    if not shape.question:
        return Flaw(
            reason="columns",
            problem=f"no keys for question and answer; found {shown(found, 'key')}",
            line=line,
            column=1,
            hint=f"furytune recognises {WANTED}, messages and contents; name other keys with `question=` and `answer=`",
        )
    a = shape.answer
    question = found[shape.question[0]] if len(shape.question) == 1 else _joined(found, shape.question)
    answer = found[a] if a else None
    if isinstance(question, str) and isinstance(answer, str):
        return Exchange(question, answer, 0, 0, extras)
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
    return last_exchange(turns, line, extras)


def _joined(found: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Joins the texts of several keys; None if one is not text. A key without a value counts as empty."""
    texts = ["" if found[key] is None else found[key] for key in keys]
    return joined(texts) if all(isinstance(text, str) for text in texts) else None


def turns_of(value: Any, line: int) -> Turns | Flaw:
    """Returns the roles and texts of chat turns in the form of OpenAI, TRL or Gemini."""
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
        trained = not any(key in item and marked(key, item[key]) for key in ("weight", "train", "training"))
        turns.append(Turn(role, text, trained))
    return turns


def _text(value: Any) -> str | None:
    """Returns the text of a turn; None if any part of it is not text."""
    if value is None or isinstance(value, str):
        return value or ""
    if not isinstance(value, list):
        return None
    # The usual form, and the only one of most files.
    if len(value) == 1 and type(value[0]) is dict:
        text = value[0].get("text")
        return text if isinstance(text, str) else None
    parts = [
        part.get("text") if isinstance(part, dict) and not isinstance(part, Twins) else None for part in value
    ]
    if not all(isinstance(part, str) for part in parts):
        return None
    return "".join(part for part in parts if part)


def last_exchange(turns: Turns, line: int, extras: Mapping[str, str]) -> Exchange | Flaw:
    """Returns the last user turn and the final assistant turn, or a flaw, for example if the file excludes the answer.

    System instructions do not count as turns.
    """
    # Tool calls and other roles count as turns, so a record that ends with one has no answer.
    spoken = [turn for turn in turns if turn.role not in _SYSTEM]
    if not spoken or spoken[-1].role not in {"assistant", "model"}:
        return flaw(line, "no_answer", "the last turn is not the assistant's", "leave out the record")
    questions = [turn.text for turn in spoken[:-1] if turn.role == "user"]
    if not questions:
        return flaw(line, "no_question", "the user has no turn", "leave out the record")
    if not spoken[-1].trained:
        return not_for_training(line, "its answer has weight 0 or a mark of that kind")
    instructions = sum(turn.role in _SYSTEM and bool(turn.text.strip()) for turn in turns)
    return Exchange(questions[-1], spoken[-1].text, len(spoken) - 2, instructions, extras)
