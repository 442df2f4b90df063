"""Mistakes in a settings file are named with file, line, key, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.config import load_settings
from furytune.config.document import Document
from furytune.errors import ConfigError, FurytuneError, MissingExtraError, SourceFormatError

GOOD = """\
# A comment.
contract = "bot.contract.json"

[collector]
type = "csv"
path = "pairs.csv"

[[curators]]
type = "min-confidence"
least = 0.5

[[curators]]
type = "deduplicate"

[augmenter]
type = "rag"
path = "corpus.lance"

[[knowledge]]
type = "markup"
source = "docs"

[template]
text = \"\"\"
Context:
{context}

Question:
{question}\"\"\"

[exporter]
type = "jsonl"
path = "train.jsonl"

[without_retrieval.exporter]
type = "jsonl"
path = "plain.jsonl"
"""


def settings(folder: Path, text: str | bytes, *changes: str, **environment: str):
    data = text.encode() if isinstance(text, str) else text
    (folder / "furytune.toml").write_bytes(data)
    return load_settings(folder / "furytune.toml", changes=changes, environment=environment)


def test_a_file_gives_both_variants(tmp_path) -> None:
    found = settings(tmp_path, GOOD)
    assert found.pipeline.augmenter.path == str(tmp_path / "corpus.lance")
    assert found.plain.augmenter == ft.IdentityAugmenter()
    assert found.plain.curators == found.pipeline.curators
    assert found.contract == tmp_path / "bot.contract.json"
    assert [p.name for p in found.manifests] == ["train.jsonl.manifest.json", "plain.jsonl.manifest.json"]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        (
            "least",
            "leest",
            10,
            "curators.min-confidence.leest: MinConfidence has no such key; did you mean 'least'?",
        ),
        ("least = 0.5", 'least = "half"', 10, "must be a number, not 'half'"),
        ("least = 0.5", "least = true", 10, "must be a number, not true"),
        ("least = 0.5", "least = 1.5", 10, "least is 1.5; give a number between 0 and 1"),
        ('"deduplicate"', '"dedup"', 13, "did you mean 'deduplicate'?"),
        ('type = "deduplicate"', 'by = "pair"', 12, "type is missing"),
        ("[augmenter]", "[augmentor]", 15, "did you mean 'augmenter'?"),
        ('path = "pairs.csv"', "", 4, "path is missing"),
        ('path = "pairs.csv"', 'path = "pairs.csv"\non_error = "skipp"', 7, "one of 'raise', 'skip'"),
        ('source = "docs"', 'sauce = "docs"', 21, "did you mean 'source'?"),
        ('path = "plain.jsonl"', 'path = "train.jsonl"', 35, "two exporters would write"),
        ("{question}", "", 23, "{question}"),
        (
            "[exporter]",
            'normalizer = {type = "x"}\n[exporter]',
            31,
            "template.normalizer: PromptTemplate has no such key",
        ),
        ("[template]", "[normalizer]\ntype = 'x'\n[template]", 24, "normalizer.type: this table has no type"),
        ("[exporter]", "[exporter.a]\n[exporter]", 31, "exporter.a: JsonlExporter has no such key"),
        ('"bot.contract.json"', "3", 2, "must be the path of a file"),
        ("[without_retrieval.exporter]", "[without_retrieval]\nexport = 1\n[x]", None, "without_retrieval"),
        ('type = "rag"\npath = "corpus.lance"', 'type = "identity"', 18, "knowledge needs an augmenter"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, old, new, line, said) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'furytune.toml'}{f':{line}: ' if line else ''}"), message
    assert said in message


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (GOOD.replace("least = 0.5", "least = "), ":10:9: ", "this is not TOML"),
        ('[collector]\ntype = "csv', ":2", "this is not TOML"),
        (b"# caf\xe9\n", ":1: ", "not UTF-8"),
        (b"\n\n# \xff", ":3: ", "not UTF-8"),
        ("a = " + "[" * 5000, "", "TOML"),
    ],
)
def test_a_file_that_is_not_toml_is_named_with_its_line(tmp_path, text, place, said) -> None:
    with pytest.raises(SourceFormatError, match=said) as caught:
        settings(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'furytune.toml'}{place}")


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_files_of_other_editors_mean_the_same(tmp_path, data) -> None:
    assert settings(tmp_path, data).pipeline == settings(tmp_path, GOOD).pipeline


def test_a_line_is_found_behind_a_text_of_several_lines_in_any_editor(tmp_path) -> None:
    wrong = GOOD.replace('path = "train.jsonl"', 'path = "train.jsonl"\ndialect = "gemeni"')
    for text in (wrong, wrong.replace("\n", "\r\n"), "\ufeff" + wrong):
        with pytest.raises(ConfigError, match=r"furytune\.toml:34: exporter\.dialect: .*gemini"):
            settings(tmp_path, text.replace("no dialect", ""))


def keys(value, way=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*way, step)
        yield from keys(inner, (*way, step))


NOISE = [
    "# \u2028 a comment",
    "",
    "other = [\n  1, # [x]\n  2,\n]",
    'text = """\n[collector]\n\n"""',
    "t2 = {a = 1}",
]


@given(st.lists(st.sampled_from(NOISE), max_size=4, unique=True))
def test_every_key_is_found_on_its_line(noise) -> None:
    text = "\n".join([*noise, GOOD])
    document = Document.parsed(text, Path("furytune.toml"))
    lines = text.split("\n")
    for key in keys(document.data):
        name = next(step for step in reversed(key) if isinstance(step, str))
        assert name in lines[document.line(key) - 1], key


SECRET = "mfa.hush-hush-hush-0123456789"


@pytest.mark.parametrize(
    "given_",
    [
        f'"{SECRET}"',
        f'{{value = "{SECRET}"}}',
        f'{{env = "{SECRET}"}}',
        f'["{SECRET}"]',
        f'{{env = "A", file = "{SECRET}"}}',
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path, given_) -> None:
    text = f'[collector]\ntype = "discord"\nguild = "81384788765712384"\npermission = "asked"\ntoken = {given_}\n'
    with pytest.raises(ConfigError, match=r"furytune\.toml:5: collector\.token") as caught:
        settings(tmp_path, text)
    assert SECRET not in str(caught.value)


def test_a_key_of_pseudonyms_is_a_secret_too(tmp_path) -> None:
    text = '[collector]\ntype = "discord-export"\npath = "exports"\nauthor_key = '
    with pytest.raises(ConfigError, match="must not be in a settings file"):
        settings(tmp_path, f'{text}"{SECRET}"')
    (tmp_path / "key.txt").write_text(SECRET)
    found = settings(tmp_path, f'{text}{{file = "key.txt"}}')
    assert found.pipeline.collector[0].author_key == SECRET.encode()
    with pytest.raises(ConfigError, match=r"furytune\.toml:4: .*absent\.txt") as caught:
        settings(tmp_path, f'{text}{{file = "absent.txt"}}')
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "environment", "least"),
    [
        (("curators.min-confidence.least=0.9",), {}, 0.9),
        (("curators.min_confidence.least=0.9",), {}, 0.9),
        (("curators.0.least = 0.9",), {}, 0.9),
        ((), {"FURYTUNE_CURATORS__MIN_CONFIDENCE__LEAST": "0.9"}, 0.9),
        (("curators.0.least=0.9",), {"FURYTUNE_CURATORS__0__LEAST": "0.1"}, 0.9),
        ((), {"FURYTUNE_AUTHOR_KEY": "0.9", "FURYTUNE_DATA": "x", "PATH": "x"}, 0.5),
    ],
)
def test_options_replace_variables_and_variables_replace_the_file(
    tmp_path, changes, environment, least
) -> None:
    assert settings(tmp_path, GOOD, *changes, **environment).pipeline.curators[0].least == least


def test_a_replaced_value_may_be_any_toml_or_a_bare_text(tmp_path) -> None:
    found = settings(
        tmp_path, GOOD, "exporter.path=other.jsonl", "normalizer.redact=['emails']", "augmenter.rag.k=8"
    )
    assert found.pipeline.exporter[0].path == tmp_path / "other.jsonl"
    assert found.pipeline.normalizer.redact == ("emails",)
    assert found.pipeline.augmenter.k == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("augmenter.q=8", "--set augmenter.q: augmenter.q: RagAugmenter has no such key"),
        ("curators.caps.most=8", "no entry has the type 'caps'; there is min-confidence, deduplicate"),
        ("augmenter.k", "give a key and a value"),
        ("augmenter.k=many", "--set augmenter.k: augmenter.k: must be a whole number, not 'many'"),
        ("contract.x.y=1", "--set contract.x.y"),
        ("=1", "not the name of a value"),
    ],
)
def test_a_wrong_option_is_named(tmp_path, change, said) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, GOOD, change)
    assert said in str(caught.value)


def test_a_wrong_variable_is_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match="the variable FURYTUNE_AUGMENTER__K"):
        settings(tmp_path, GOOD, FURYTUNE_AUGMENTER__K="many")


def test_a_missing_extra_stays_what_it_is(tmp_path, monkeypatch) -> None:
    def missing(*_, **__):
        raise MissingExtraError("tuning", "gemini-developer")

    monkeypatch.setattr("furytune.tuners.gemini.tuner.choose", missing)
    tuner = '[tuner]\ntype = "gemini"\nmodel = "m"\napi_key = {env = "KEY"}\n'
    with pytest.raises(MissingExtraError, match=r"furytune\[gemini-developer\]"):
        settings(tmp_path, GOOD + tuner)


def test_a_chat_can_be_knowledge(tmp_path) -> None:
    exports = Path(__file__).parents[2] / "examples" / "exports"
    knowledge = f"[[knowledge]]\ntype = 'chat'\npairs = {{type = 'discord-export', path = '{exports}'}}\n"
    found = settings(tmp_path, GOOD.partition("[[knowledge]]")[0] + knowledge)
    (passages,) = found.knowledge()
    assert any("font_size" in p.text for p in passages if isinstance(p, ft.Passage))


def test_an_installed_package_and_a_folder_are_both_sources(tmp_path) -> None:
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "__init__.py").write_text('"""Ours."""\n')
    text = GOOD.replace('"markup"\nsource = "docs"', '"python-package"\nsource = "json"')
    assert [p.text for p in settings(tmp_path, text).knowledge()[0]] == ["Ours."]
    text = text.replace('"json"', '"wave"')
    assert any(
        "Wave_read" in p.id for p in settings(tmp_path, text).knowledge()[0] if isinstance(p, ft.Passage)
    )


@given(st.text(max_size=60) | st.lists(st.sampled_from(GOOD.splitlines()), max_size=30).map("\n".join))
def test_any_text_gives_settings_or_one_clear_error(tmp_path_factory, text) -> None:
    folder = tmp_path_factory.mktemp("any")
    problem = "furytune.toml"
    try:
        settings(folder, text.encode("utf-8", "surrogatepass"))
    except FurytuneError as error:
        problem = str(error)
    assert "furytune.toml" in problem
