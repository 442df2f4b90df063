"""Hypothesis strategies: texts that break naive code, and the library's own values."""

from __future__ import annotations

from datetime import UTC, datetime

from furytune.errors import MissingExtraError

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtraError("furytune.testing.strategies", "testing") from error

from furytune._values.canonical import digest
from furytune.budget import TokenBudget
from furytune.normalize import Normalizer
from furytune.records import Passage, QAPair
from furytune.template import PromptTemplate

__all__ = [
    "NASTY",
    "budgets",
    "lines",
    "moments",
    "normalizers",
    "pairs",
    "passages",
    "questions",
    "templates",
    "texts",
]

NASTY = (
    "Question:",
    "Context:",
    "\\Question:",
    "\\\\Context: x",
    "[1] x (y.py:1-2)",
    "\\[2]",
    "(none)",
    "{question}",
    "{context}",
    "{{}}",
    "%s {0.__class__}",
    "| ",
    "> ",
    "> From ",
    "\r",
    "\r\n",
    "\n",
    "\n\n",
    "\t",
    "\x0b",
    "\x0c",
    "\x85",
    "\u2028",
    "\u2029",
    "\0",
    "\ufeff",
    "\u200b",
    "\u202e",
    "\u00e9",
    "e\u0301",
    "\U0001f469\u200d\U0001f680",
    "<@1>",
    "<@!1>",
    "<@&2>",
    "<#3>",
    "<:wave:4>",
    "<a:b:5>",
    "<@",
    ">",
    "@everyone",
    "```py\nprint(1)\n```",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "'",
    '"',
    ",",
    ";",
    "<|endoftext|>",
    "\\",
    "0",
    " ",
)
"""Strings that some program somewhere treats as markup."""

# Surrogates are refused everywhere, and tests of that name them.
_characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def texts(*, min_size: int = 0, max_size: int = 10) -> st.SearchStrategy[str]:
    """Any text without lone surrogates, mixed with `NASTY` strings.

    Args:
        min_size: Minimum number of pieces.
        max_size: Maximum number of pieces.
    """
    piece = st.one_of(st.sampled_from(NASTY), _characters)
    return st.lists(piece, min_size=min_size, max_size=max_size).map("".join)


def questions() -> st.SearchStrategy[str]:
    """Texts that are not empty after normalisation."""
    return st.builds(lambda a, b: f"{a}how{b}", texts(max_size=6), texts(max_size=6))


def lines() -> st.SearchStrategy[str]:
    """Texts without line breaks."""
    return texts(max_size=3).map(lambda t: "".join(t.split("\n")).replace("\r", ""))


def moments() -> st.SearchStrategy[datetime]:
    """Times since Discord exists, in UTC."""
    return st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def passages(*, dated: bool | None = None, max_size: int = 6) -> st.SearchStrategy[list[Passage]]:
    """Lists of passages with distinct ids.

    Args:
        dated: All dated, none dated, or None for both kinds.
        max_size: Maximum number of passages.
    """
    date = {True: moments(), False: st.none(), None: st.none() | moments()}[dated]
    one = st.builds(
        Passage,
        id=st.integers(0, 10**6).map(lambda n: f"p{n}"),
        text=st.builds(lambda a, b: f"{a} how {b}", texts(max_size=4), texts(max_size=4)),
        title=lines(),
        source=lines(),
        date=date,
    )
    return st.lists(one, max_size=max_size, unique_by=lambda p: p.id)


def templates(*, context: bool | None = None) -> st.SearchStrategy[PromptTemplate]:
    """Templates of many shapes.

    Args:
        context: All with ``{context}``, all without, or None for both kinds.
    """
    heads = ["", "You help.\n\n", "Be short.\nQuote sources.\n", "A {{brace}}\n", "\n\n  \n"]
    tails = ["", "\n", "\n\nAnswer:", " END", "\n\n"]
    context_first = ["Context:\n{context}\n\nQuestion:\n{question}", "{context}\n---\n{question}"]
    question_first = ["Question: {question}\nContext: {context}", "Q {question}\n\n\nC\n{context}"]
    bodies = {
        True: [*context_first, *question_first],
        False: ["{question}", "Question:\n{question}", "<q>{question}"],
    }
    wanted = bodies[True] + bodies[False] if context is None else bodies[context]
    return st.builds(
        lambda head, body, tail, system, passage, empty: PromptTemplate(
            head + body + tail, system=system, passage=passage, empty=empty
        ),
        st.sampled_from(heads),
        st.sampled_from(wanted),
        st.sampled_from(tails),
        st.sampled_from(["", "You are the helper.", "Line one\nQuestion:\nline three"]),
        st.sampled_from(
            ["[{number}] {citation}", "<{number}>{citation}", "Passage {number}:", "{number}. {citation}"]
        ),
        st.sampled_from(["(none)", "nothing found"]),
    )


def normalizers() -> st.SearchStrategy[Normalizer]:
    """Normalisers with every option."""
    return st.builds(
        Normalizer,
        bot_ids=st.lists(st.sampled_from(["1", "2", "44"]), max_size=2),
        mentions=st.booleans(),
        redact=st.lists(st.sampled_from(["secrets", "emails", "ips"]), unique=True),
    )


def budgets() -> st.SearchStrategy[TokenBudget | None]:
    """No budget, or one so large that no tokens are counted."""
    return st.none() | st.integers(100_000, 10**6).map(TokenBudget)


def pairs(*, max_size: int = 8) -> st.SearchStrategy[list[QAPair]]:
    """Lists of pairs with distinct ids, some in one conversation, some without a date.

    Args:
        max_size: Maximum number of pairs.
    """

    def build(items: list[tuple[str, str, int, datetime | None]]) -> list[QAPair]:
        return [
            QAPair(
                id=f"{n}-{digest([question, answer])[:8]}",
                question=question,
                answer=answer,
                group=f"thread-{group}",
                asked_at=asked_at,
                question_messages=(f"{n}0",),
                answer_messages=(f"{n}1",),
            )
            for n, (question, answer, group, asked_at) in enumerate(items)
        ]

    one = st.tuples(questions(), questions(), st.integers(0, 4), st.none() | moments())
    return st.lists(one, max_size=max_size).map(build)
