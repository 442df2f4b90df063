"""Small models, written as the files that embedders read."""

from __future__ import annotations

import hashlib
import json
import random
import struct

import numpy as np

WORD_LIST = (
    "sphere cube actor opacity scene window camera light color texture slice volume fiber tensor animate timeline "
    "render shader network layout text label axes grid mesh surface peak odf how to set make show save load image"
)
WORDS = WORD_LIST.split()


def write_tokenizer(path, words=WORDS):
    vocabulary = {"[UNK]": 0, **{w: i for i, w in enumerate(words, 1)}}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }
    path.write_text(json.dumps(tokenizer))


def table(rows, dimension=16, seed=1):
    rnd = random.Random(seed)
    return np.array([[rnd.gauss(0, 1) for _ in range(dimension)] for _ in range(rows)], dtype=np.float32)


def safetensors(arrays, kinds):
    header, body = {}, b""
    for name, array in arrays.items():
        raw = array.tobytes()
        header[name] = {
            "dtype": kinds[name],
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    head = json.dumps({"__metadata__": {"format": "np"}, **header}).encode()
    return struct.pack("<Q", len(head)) + head + body


def static_model(folder, seed=1):
    """A folder with a static model in half precision; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors = table(len(WORDS) + 1, seed=seed).astype(np.float16)
    (folder / "model.safetensors").write_bytes(safetensors({"embeddings": vectors}, {"embeddings": "F16"}))
    write_tokenizer(folder / "tokenizer.json")
    return folder


def _varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def _field(number, value):
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _value(name, kind, shape):
    dims = b"".join(_field(1, _field(2, d) if isinstance(d, str) else _field(1, d)) for d in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, dims)))


def onnx_model(folder, seed=2):
    """A folder with an ONNX model that looks each token up in a table; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors = table(len(WORDS) + 1, seed=seed)
    tensor = b"".join(_field(1, d) for d in vectors.shape) + _field(2, 1)
    tensor += _field(8, "table") + _field(9, vectors.tobytes())
    node = _field(1, "table") + _field(1, "input_ids") + _field(2, "last_hidden_state") + _field(4, "Gather")
    graph = _field(1, node) + _field(2, "g") + _field(5, tensor)
    graph += _field(11, _value("input_ids", 7, ["batch", "tokens"]))
    graph += _field(12, _value("last_hidden_state", 1, ["batch", "tokens", vectors.shape[1]]))
    model = _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))
    (folder / "model.onnx").write_bytes(model)
    write_tokenizer(folder / "tokenizer.json")
    return folder


class Counting:
    """An embedder of no file: a vector from a text's digest; it counts what it was given."""

    def __init__(self, name="counting", dimension=8):
        self.spec = {"name": name, "dimension": dimension}
        self.calls = []

    def embed(self, texts, *, kind):
        self.calls.append((kind, list(texts)))
        rows = []
        for text in texts:
            raw = hashlib.sha256(text.encode()).digest()[: self.spec["dimension"]]
            rows.append([b - 127.5 for b in raw])
        return np.array(rows, dtype=np.float32)

    @property
    def passages(self):
        return [t for kind, texts in self.calls if kind == "passage" for t in texts]
