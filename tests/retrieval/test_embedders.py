"""Models that turn texts into vectors."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from models import Counting, onnx_model, safetensors, static_model, table, write_tokenizer
from scoring import LENGTH, whole

from furytune.augmenters._search.safetensors import read_tensors
from furytune.augmenters.embedders import Embedder, LanceEmbedder, OnnxEmbedder, StaticEmbedder
from furytune.errors import ConfigError, KnowledgeError, MissingExtraError

TEXTS = [
    "sphere",
    "set opacity actor",
    "how to render text in the scene",
    "sphere sphere",
    "nothing known",
    "",
]


@pytest.fixture
def static(tmp_path):
    return StaticEmbedder(static_model(tmp_path / "static"))


@pytest.fixture
def onnx(tmp_path):
    return OnnxEmbedder(onnx_model(tmp_path / "onnx"))


@pytest.fixture(params=["static", "onnx"])
def embedder(request):
    return request.getfixturevalue(request.param)


class TestBoth:
    def test_it_fits_the_interface(self, embedder):
        assert isinstance(embedder, Embedder)
        assert isinstance(LanceEmbedder("openai"), Embedder)

    def test_a_vector_does_not_depend_on_the_batch(self, embedder):
        together = embedder.embed(TEXTS, kind="passage")
        alone = [embedder.embed([t], kind="passage")[0] for t in TEXTS]

        assert together.tobytes() == np.stack(alone).tobytes()

    def test_the_digests_of_the_files_are_its_identity(self, embedder, tmp_path):
        kind, before = type(embedder), embedder.spec
        again = kind(embedder.path, tokenizer=embedder.tokenizer)
        assert before == again.spec
        assert str(tmp_path) not in str(before)
        embedder.tokenizer.write_text(embedder.tokenizer.read_text() + "\n")

        assert before["tokenizer"] != kind(embedder.path).spec["tokenizer"]
        assert before["model"] == kind(embedder.path).spec["model"]

    def test_it_can_be_pickled_after_use(self, embedder):
        vectors = embedder.embed(TEXTS, kind="question")
        again = pickle.loads(pickle.dumps(embedder))

        assert again == embedder
        assert vectors.tobytes() == again.embed(TEXTS, kind="question").tobytes()

    def test_missing_files_are_an_error_at_once(self, tmp_path):
        for kind in (StaticEmbedder, OnnxEmbedder):
            with pytest.raises(ConfigError, match=r"model\.(safetensors|onnx).*this file is missing"):
                kind(tmp_path)

    def test_an_invalid_model_is_an_error(self, embedder):
        (embedder.path / "model.safetensors").write_bytes(b"not a model")
        (embedder.path / "model.onnx").write_bytes(b"not a model")
        with pytest.raises(KnowledgeError, match="model"):
            embedder.embed(["x"], kind="passage")

    def test_an_invalid_tokenizer_is_an_error(self, embedder):
        embedder.tokenizer.write_text("{}")
        with pytest.raises(KnowledgeError, match=r"not a valid tokenizer\.json"):
            embedder.embed(["x"], kind="passage")

    def test_a_missing_package_names_the_extra(self, embedder, monkeypatch):
        extra = "static" if isinstance(embedder, StaticEmbedder) else "onnx"
        for name in ("tokenizers", "onnxruntime"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match=rf"furytune\[{extra}\]"):
            embedder.embed(["x"], kind="passage")

    def test_making_one_imports_no_vendor(self, static, onnx):
        code = (
            "import sys\n"
            "from furytune.augmenters.embedders import StaticEmbedder, OnnxEmbedder, LanceEmbedder\n"
            "StaticEmbedder(sys.argv[1]).spec, OnnxEmbedder(sys.argv[2]).spec, LanceEmbedder('openai').spec\n"
            "assert not {'lancedb', 'numpy', 'tokenizers', 'onnxruntime'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code, static.path, onnx.path], check=True)


class TestStatic:
    def test_it_is_the_mean_of_the_known_tokens(self, static):
        vectors = table(4).astype(np.float16).astype(np.float64)
        (found,) = static.embed(["sphere unknown cube"], kind="passage")

        assert np.allclose(found, (vectors[1] + vectors[2]) / 2)

    def test_a_text_without_known_tokens_is_zero(self, static):
        assert not static.embed(["unknown", ""], kind="passage").any()

    def test_weights_and_rows_of_tokens_are_used(self, tmp_path):
        """Newer model2vec files share rows between tokens and have a weight for each token."""
        vectors, weights = table(2), np.array([0, 1, 3], dtype=np.float32)
        arrays = {"embeddings": vectors, "weights": weights, "mapping": np.array([0, 0, 1], dtype=np.int64)}
        kinds = {"embeddings": "F32", "weights": "F32", "mapping": "I64"}
        (tmp_path / "model.safetensors").write_bytes(safetensors(arrays, kinds))
        write_tokenizer(tmp_path / "tokenizer.json", ["sphere", "cube"])
        (found,) = StaticEmbedder(tmp_path).embed(["sphere cube"], kind="passage")

        assert np.allclose(found, (vectors[0] * 1 + vectors[1] * 3) / 2)

    def test_a_tokenizer_of_another_model_is_refused(self, static):
        write_tokenizer(static.tokenizer, [f"w{i}" for i in range(10_000)])
        with pytest.raises(KnowledgeError, match="more tokens"):
            static.embed(["w9999"], kind="passage")

    def test_a_model_from_a_package_finds_the_nearest_text(self):
        spec = importlib.util.find_spec("wordllama")
        if spec is None:
            pytest.skip("no package with weights: pip install wordllama")
        folder = Path(spec.origin).parent
        model = StaticEmbedder(
            folder / "weights" / "l2_supercat_256.safetensors",
            tokenizer=folder / "tokenizers" / "l2_supercat_tokenizer_config.json",
        )
        a, b, c = model.embed(["a car drives", "an automobile on the road", "boil the soup"], kind="passage")

        assert a @ b / np.linalg.norm(b) > a @ c / np.linalg.norm(c)


class TestOnnx:
    def test_it_is_the_mean_over_the_tokens(self, onnx):
        (found,) = onnx.embed(["sphere cube"], kind="passage")
        vectors = table(3, seed=2).astype(np.float64)

        assert np.allclose(found, (vectors[1] + vectors[2]) / 2, atol=1e-6)

    def test_the_first_token_can_be_used_alone(self, onnx):
        first = OnnxEmbedder(onnx.path, pooling="cls").embed(["cube sphere"], kind="passage")
        assert np.array_equal(first, onnx.embed(["cube"], kind="passage"))

    def test_questions_and_passages_can_have_prefixes(self, onnx):
        model = OnnxEmbedder(onnx.path, question_prefix="cube ", passage_prefix="sphere ")

        assert np.array_equal(
            model.embed(["text"], kind="question"), onnx.embed(["cube text"], kind="passage")
        )
        assert np.array_equal(
            model.embed(["text"], kind="passage"), onnx.embed(["sphere text"], kind="passage")
        )

    def test_text_beyond_the_token_limit_is_ignored(self, onnx):
        short = OnnxEmbedder(onnx.path, max_tokens=2)
        assert np.array_equal(
            short.embed(["sphere cube text"], kind="passage"), onnx.embed(["sphere cube"], kind="passage")
        )

    @pytest.mark.parametrize("wrong", [{"max_tokens": 0}, {"pooling": "max"}, {"question_prefix": None}])
    def test_invalid_arguments_are_refused(self, onnx, wrong):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            OnnxEmbedder(onnx.path, **wrong)


class TestLance:
    def test_a_secret_is_kept_out_of_the_contract(self):
        with pytest.raises(ConfigError, match=r"api_key.*environment") as caught:
            LanceEmbedder("openai", {"api_key": "sk-canary"})
        assert "canary" not in str(caught.value)

    def test_an_unknown_function_is_an_error(self):
        with pytest.raises(ConfigError, match="nobody"):
            LanceEmbedder("nobody").embed(["x"], kind="passage")

    def test_a_registry_function_is_called(self):
        from lancedb.embeddings import TextEmbeddingFunction, get_registry

        @get_registry().register("furytune-test")
        class Lengths(TextEmbeddingFunction):
            def generate_embeddings(self, texts):
                return [[float(len(t)), 1.0] for t in texts]

            def ndims(self):
                return 2

        model = LanceEmbedder("furytune-test")
        assert model.embed(["ab", "abc"], kind="passage").tolist() == [[2.0, 1.0], [3.0, 1.0]]
        assert model.embed(["ab"], kind="question").tolist() == [[2.0, 1.0]]
        assert model.spec["verified"] is False


class TestWhole:
    def test_products_stay_exact_in_single_precision(self):
        rnd = np.random.default_rng(0)
        for dimension in (1, 2, 64, 384, 1536, 4096):
            vectors = np.concatenate([rnd.normal(size=(50, dimension)), np.ones((1, dimension))])
            numbers = whole(vectors, 51, "x").astype(np.float64)
            assert (numbers * numbers).sum(axis=1).max() <= LENGTH**2

    def test_similarities_are_kept(self):
        vectors = np.random.default_rng(1).normal(size=(200, 384))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        numbers = whole(vectors, 200, "x").astype(np.float64) / LENGTH

        assert np.abs(numbers @ numbers.T - vectors @ vectors.T).max() < 0.01

    def test_length_does_not_matter_and_zero_stays_zero(self):
        vector = np.array([[3.0, -4.0], [0.0, 0.0]])
        assert np.array_equal(whole(vector, 2, "x"), whole(vector * 1e-30, 2, "x"))
        assert np.array_equal(whole(vector, 2, "x"), whole(vector * 1e30, 2, "x"))
        assert not whole(vector, 2, "x")[1].any()

    @pytest.mark.parametrize(
        "wrong",
        [np.zeros((2, 3)), np.zeros(3), np.zeros((1, 3), dtype=int), np.full((1, 3), np.nan), [["a"]]],
    )
    def test_output_without_one_row_per_text_is_refused(self, wrong):
        with pytest.raises(KnowledgeError, match="the embedder x"):
            whole(wrong, 1, "x")

    def test_the_test_embedder_is_an_embedder(self):
        assert isinstance(Counting(), Embedder)


class TestSafetensors:
    def test_both_half_precision_types_are_read(self, tmp_path):
        exact = np.array([[1.0, -2.5], [0.0, 3.0]], dtype=np.float32)
        brain = (exact.view(np.uint32) >> 16).astype(np.uint16)
        path = tmp_path / "m.safetensors"
        path.write_bytes(safetensors({"a": exact.astype(np.float16), "b": brain}, {"a": "F16", "b": "BF16"}))

        assert all(np.array_equal(t, exact) for t in read_tensors(path).values())

    def test_damage_always_raises_knowledge_error(self, tmp_path):
        path = tmp_path / "m.safetensors"
        good = safetensors({"a": np.ones((2, 2), dtype=np.float32)}, {"a": "F32"})
        cases = [good[:n] for n in range(len(good))]
        cases += [good.replace(b"F32", b"F99"), good.replace(b"[0, 16]", b"[9, 25]"), b"\xff" * 40]
        cases += [good.replace(b"[2, 2]", b"[2,-2]"), good.replace(b'"shape"', b'"shipe"'), os.urandom(64)]
        for raw in cases:
            path.write_bytes(raw)
            with pytest.raises(KnowledgeError, match="safetensors"):
                read_tensors(path)
