"""Compares whole processes, from a chat export to JSONL, with scripts that you could write in an afternoon.

usage: python benchmarks/end_to_end.py [--messages 200000] [--questions 10000] [--passages 5000] [--repeats 3]

identity   export -> reply pairs -> token limit -> JSONL, against json.load, tiktoken and json.dumps
retrieval  export -> reply pairs -> top 5 passages -> prompt -> JSONL, against a loop of LanceDB full-text queries,
           and against LlamaIndex's BM25 retriever if llama-index-retrievers-bm25 is installed

Times include imports, because a user waits for them. The scorers differ, so the rankings differ too; all ways write
the same number of rows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 2_000
PROMPT = "Answer from the context.\n\nContext:\n{context}\n\nQuestion:\n{question}"


def furytune_identity(folder: Path) -> int:
    import furytune as ft
    from furytune.pairing import ReplyPairer

    run = ft.Pipeline(
        collector=ft.DiscordExportCollector(folder / "export.json", pairers=[ReplyPairer()]),
        exporter=ft.JsonlExporter(folder / "furytune.jsonl", dialect="gemini-developer"),
        budget=ft.TokenBudget(LIMIT),
        splitter=ft.GroupSplitter(0),
    ).run()
    return run.datasets[0].rows


def script_identity(folder: Path) -> int:
    import tiktoken

    from furytune.budget import _bundled

    with _bundled("o200k_base"):
        encoding = tiktoken.get_encoding("o200k_base")
    messages = json.loads((folder / "export.json").read_text(encoding="utf-8"))["messages"]
    by_id = {m["id"]: m for m in messages}
    rows = 0
    with (folder / "script.jsonl").open("w", encoding="utf-8") as out:
        for m in messages:
            asked = by_id.get((m.get("reference") or {}).get("messageId"))
            if asked is None or m["author"]["isBot"]:
                continue
            texts = (asked["content"], m["content"])
            if sum(len(encoding.encode(text, disallowed_special=())) for text in texts) > LIMIT:
                continue
            row = {"text_input": asked["content"], "output": m["content"]}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows += 1
    return rows


def furytune_retrieval(folder: Path) -> int:
    import furytune as ft

    run = ft.Pipeline(
        collector=ft.JsonlCollector(folder / "pairs.jsonl"),
        augmenter=ft.RagAugmenter(folder / "corpus.lance", k=5),
        template=ft.PromptTemplate(PROMPT),
        exporter=ft.JsonlExporter(folder / "furytune.jsonl", dialect="gemini-developer"),
        splitter=ft.GroupSplitter(0),
    ).run()
    return run.datasets[0].rows


def _pairs(folder: Path) -> list[dict[str, str]]:
    return [
        json.loads(line) for line in (folder / "pairs.jsonl").read_text(encoding="utf-8").split("\n") if line
    ]


def _write(folder: Path, name: str, found: object) -> int:
    rows = 0
    with (folder / name).open("w", encoding="utf-8") as out:
        for pair, context in found:  # type: ignore[attr-defined]
            text = PROMPT.format(context=context, question=pair["question"])
            out.write(json.dumps({"text_input": text, "output": pair["answer"]}, ensure_ascii=False) + "\n")
            rows += 1
    return rows


def lancedb_loop(folder: Path) -> int:
    import lancedb

    table = lancedb.connect(folder).open_table("full_text")

    def found():
        for pair in _pairs(folder):
            hits = (
                table.search(pair["question"], query_type="fts").select(["text", "_score"]).limit(5).to_list()
            )
            yield pair, "\n\n".join(h["text"] for h in hits)

    return _write(folder, "lancedb.jsonl", found())


def llama_index(folder: Path) -> int:
    from llama_index.core.schema import TextNode
    from llama_index.retrievers.bm25 import BM25Retriever

    texts = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
    retriever = BM25Retriever.from_defaults(nodes=[TextNode(text=t) for t in texts], similarity_top_k=5)

    def found():
        for pair in _pairs(folder):
            yield pair, "\n\n".join(n.node.get_content() for n in retriever.retrieve(pair["question"]))

    return _write(folder, "llama.jsonl", found())


WAYS = {
    f.__name__: f for f in (furytune_identity, script_identity, furytune_retrieval, lancedb_loop, llama_index)
}


def prepare(folder: Path, messages: int, questions: int, passages: int) -> None:
    """Writes the export, the pairs and both tables."""
    import generate_export
    import lancedb
    import pyarrow as pa
    from lancedb.index import FTS

    import furytune as ft

    generate_export.write(messages, folder / "export.json")
    found = []
    for pair in ft.Pipeline(collector=ft.DiscordExportCollector(folder / "export.json")).pairs():
        found.append({"question": pair.question, "answer": pair.answer})
        if len(found) == questions:
            break
    (folder / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in found), encoding="utf-8")
    texts: list[ft.Passage] = []
    for name in sorted(sys.stdlib_module_names):
        if len(texts) >= passages or name.startswith("_"):
            continue
        try:
            texts += [
                p for p in ft.python_package(name, on_error="skip") if isinstance(p, ft.Passage) and p.text
            ]
        except ft.FurytuneError:
            continue
    texts = texts[:passages]
    ft.build_index(folder / "corpus.lance", texts)
    (folder / "passages.json").write_text(json.dumps([p.text for p in texts]), encoding="utf-8")
    table = lancedb.connect(folder).create_table("full_text", pa.table({"text": [p.text for p in texts]}))
    table.create_index("text", config=FTS())
    print(f"{messages} messages, {len(found)} questions, {len(texts)} passages")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--passages", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        name, folder = options.way
        if name == "prepare":
            prepare(Path(folder), options.messages, options.questions, options.passages)
        else:
            print(WAYS[name](Path(folder)), "rows")
        return
    from _process import compare

    def commands(*names: str) -> dict[str, list[str]]:
        return {n: [sys.executable, __file__, "--way", n, folder] for n in names}

    with tempfile.TemporaryDirectory() as folder:
        # In its own process, because a child's peak memory starts from its parent's.
        subprocess.run([sys.executable, *sys.argv, "--way", "prepare", folder], check=True)
        compare(commands("furytune_identity", "script_identity"), options.repeats)
        compare(commands("furytune_retrieval", "lancedb_loop"), options.repeats)
        if importlib.util.find_spec("llama_index"):
            compare(commands("furytune_retrieval", "llama_index"), options.repeats)
        else:
            print("skipping LlamaIndex: llama-index-retrievers-bm25 is not installed")


if __name__ == "__main__":
    main()
