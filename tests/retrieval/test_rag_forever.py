"""The same passages forever: 10,000 questions, asked in many ways, and no answer differs."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import lancedb
import pytest
from lancedb.index import FTS
from models import WORDS, static_model

from furytune.augmenters.embedders import StaticEmbedder
from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.records import Passage

START = datetime(2024, 1, 1, tzinfo=UTC)
COUNT = 10_000
CODE = """
import json, sys
from datetime import datetime
from furytune.augmenters.embedders import StaticEmbedder
from furytune.augmenters.rag import RagAugmenter
path, model, mode, asked = sys.argv[1:]
embedder = None if mode == "lexical" else StaticEmbedder(model)
rag = RagAugmenter(path, k=5, mode=mode, embedder=embedder)
for question, at in json.load(open(asked)):
    print(json.dumps([p.id for p in rag.context(question, at=datetime.fromisoformat(at))]))
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Returns similar passages with close scores, some with dates, and questions."""
    folder = tmp_path_factory.mktemp("world")
    rnd = random.Random(11)
    made = []
    for i in range(400):
        words = rnd.choices(WORDS, k=6) + rnd.choices(WORDS[:4], k=rnd.randrange(4))
        date = START + timedelta(days=rnd.randrange(30)) if rnd.random() < 0.3 else None
        made.append(Passage(id=f"p{rnd.randrange(10**9)}-{i}", text=" ".join(words), title="", date=date))
    made += [attrs.evolve(p, id=f"{p.id}-again") for p in made[:100]]
    asked = [
        (" ".join(rnd.choices(WORDS, k=rnd.randint(1, 5))), START + timedelta(days=rnd.choice([9, 20, 99])))
        for _ in range(COUNT)
    ]
    model = static_model(folder / "model")
    build_index(folder / "corpus.lance", made, embedder=StaticEmbedder(model))
    return folder, made, asked, model


@pytest.mark.parametrize("mode", ["lexical", "vector", "hybrid"])
def test_ten_thousand_questions_never_get_another_answer(world, mode):
    folder, made, asked, model = world
    embedder = StaticEmbedder(model)
    rag = RagAugmenter(
        folder / "corpus.lance", k=5, mode=mode, embedder=None if mode == "lexical" else embedder
    )
    questions, moments = [q for q, _ in asked], [at for _, at in asked]
    expected = [[p.id for p in c] for c in rag.contexts(questions, at=moments)]
    assert sum(map(bool, expected)) > COUNT * 0.9

    # Added in another order, to a table that contained something else before.
    other = folder / f"{mode}.lance"
    build_index(other, made[:7], embedder=embedder)
    rnd = random.Random(3)
    shuffled = rnd.sample(made, len(made))
    build_index(other, shuffled[:200], shuffled[200:], embedder=embedder)
    table = lancedb.connect(folder).open_table(mode)

    def agrees(again, part):
        """Asks some of the questions in batches of another size."""
        places = range(part, COUNT, 5)
        found = []
        for a in range(0, len(places), 37):
            batch = places[a : a + 37]
            found += again.contexts([questions[i] for i in batch], at=[moments[i] for i in batch])
        return [[p.id for p in c] for c in found] == [expected[i] for i in places]

    again = attrs.evolve(rag, path=other)
    assert agrees(again, 0)
    # An upsert of the same rows by LanceDB itself, then its index and compaction.
    rows = table.to_arrow()
    table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(rows)
    assert agrees(again.latest(), 1)
    table.create_index("text", config=FTS())
    table.optimize()
    assert agrees(again.latest(), 2)
    # Opened again without the copy.
    for copy in (other / "_furytune").iterdir():
        copy.unlink()
    assert agrees(attrs.evolve(again.latest(), k=5), 3)
    # In another process, one question at a time.
    places = range(4, COUNT, 5)
    part = folder / f"{mode}.json"
    part.write_text(json.dumps([(questions[i], moments[i].isoformat()) for i in places]))
    run = subprocess.run(
        [sys.executable, "-c", CODE, folder / "corpus.lance", model, mode, part],
        capture_output=True,
        check=True,
        env={"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert [json.loads(line) for line in run.stdout.splitlines()] == [expected[i] for i in places]


def test_a_matrix_product_is_exact_in_any_batch(world):
    """Compares bits, not only the order, so that the test above does not depend on luck."""
    folder, _, asked, model = world
    rag = RagAugmenter(Path(folder, "corpus.lance"), mode="vector", embedder=StaticEmbedder(model))
    questions = [q for q, _ in asked[:64]]
    seen = [400] * 64
    together = rag.searched.scores(questions, seen)[0]
    for n in (1, 2, 3, 8, 33):
        parts = [rag.searched.scores(questions[a : a + n], seen[a : a + n])[0] for a in range(0, 64, n)]
        assert b"".join(p.tobytes() for p in parts) == together.tobytes()
