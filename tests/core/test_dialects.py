"""One literal row and request for each dialect, as its provider documents them."""

from __future__ import annotations

import pytest

from furytune.dialects import get
from furytune.errors import ConfigError
from furytune.records import Prompt

BOTH = Prompt(system="S", text="Q")
BARE = Prompt(text="Q")

ROWS = {
    ("gemini", True): {
        "systemInstruction": {"role": "system", "parts": [{"text": "S"}]},
        "contents": [{"role": "user", "parts": [{"text": "Q"}]}, {"role": "model", "parts": [{"text": "A"}]}],
    },
    ("gemini", False): {
        "contents": [{"role": "user", "parts": [{"text": "Q"}]}, {"role": "model", "parts": [{"text": "A"}]}]
    },
    ("gemini-developer", True): {"text_input": "S\n\nQ", "output": "A"},
    ("gemini-developer", False): {"text_input": "Q", "output": "A"},
    ("openai", True): {
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "Q"},
            {"role": "assistant", "content": "A"},
        ]
    },
    ("openai", False): {
        "messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    },
    ("trl", True): {
        "prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}],
        "completion": [{"role": "assistant", "content": "A"}],
    },
    ("trl", False): {
        "prompt": [{"role": "user", "content": "Q"}],
        "completion": [{"role": "assistant", "content": "A"}],
    },
    ("plain", True): {"input": "S\n\nQ", "output": "A"},
    ("plain", False): {"input": "Q", "output": "A"},
}

REQUESTS = {
    ("gemini", True): {
        "systemInstruction": {"role": "system", "parts": [{"text": "S"}]},
        "contents": [{"role": "user", "parts": [{"text": "Q"}]}],
    },
    ("gemini", False): {"contents": [{"role": "user", "parts": [{"text": "Q"}]}]},
    ("gemini-developer", True): {"contents": [{"role": "user", "parts": [{"text": "S\n\nQ"}]}]},
    ("gemini-developer", False): {"contents": [{"role": "user", "parts": [{"text": "Q"}]}]},
    ("openai", True): {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]},
    ("openai", False): {"messages": [{"role": "user", "content": "Q"}]},
    ("trl", True): {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]},
    ("trl", False): {"messages": [{"role": "user", "content": "Q"}]},
    ("plain", True): {"input": "S\n\nQ"},
    ("plain", False): {"input": "Q"},
}


@pytest.mark.parametrize(("name", "system"), ROWS)
def test_a_row_is_as_documented(name, system) -> None:
    assert get(name).row(BOTH if system else BARE, "A") == ROWS[name, system]


@pytest.mark.parametrize(("name", "system"), REQUESTS)
def test_a_request_is_as_documented(name, system) -> None:
    assert get(name).request(BOTH if system else BARE) == REQUESTS[name, system]


@pytest.mark.parametrize(("name", "system"), ROWS)
def test_the_texts_of_a_row_end_with_the_answer(name, system) -> None:
    texts = get(name).texts(ROWS[name, system])
    assert texts[-1] == "A"
    assert "\n\n".join(texts[:-1]) == ("S\n\nQ" if system else "Q")


def test_an_unknown_dialect_is_refused_and_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="choose from gemini, gemini-developer, openai, plain, trl"):
        get("claude")
