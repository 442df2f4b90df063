"""Serves a contract as an OpenAI-compatible endpoint. A fake model answers, so it needs no account and no network.

python examples/serve.py [bot.contract.json] [--port 8000]

Without a contract file, it makes one in a folder of its own. Ask it from another terminal:

curl 127.0.0.1:8000/v1/chat/completions --json '{"model": "furytune", "messages": [{"role": "user", "content": "How?"}]}'
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path

import furytune as ft
from furytune.serving import Settings, serve
from furytune.testing.fake_chat import FakeChat


def made(folder: str) -> Path:
    """Saves a contract without retrieval."""
    template = ft.PromptTemplate("Question:\n{question}", system="You help with our library.")
    path = Path(folder) / "bot.contract.json"
    ft.PromptContract(template=template, augmenter=ft.IdentityAugmenter(), dialects=["openai"]).save(path)
    return path


def answer(prompt: str) -> list[str]:
    """Answers in pieces, as a model does."""
    return ["I am a fake model. ", "I was asked:\n\n", prompt]


def main() -> None:
    """Serves until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Serves a contract with a fake model.")
    parser.add_argument("contract", nargs="?")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    with tempfile.TemporaryDirectory() as folder, FakeChat(answer) as server:
        # For a real model: ft.ChatService("http://127.0.0.1:11434/v1").model("qwen2.5:7b")
        model = ft.ChatService(server.url).model("fake")
        serve(given.contract or made(folder), model=model, settings=Settings(footnotes=True), port=given.port)


if __name__ == "__main__":
    main()
