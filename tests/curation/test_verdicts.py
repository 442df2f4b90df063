"""CheckCode.verdict: what is gone, since which release, and what replaces it; and what cannot be known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.curation.code import CheckCode, Release
from furytune.curation.verdicts import CodeVerdict
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

FIRST = {
    "__init__": '__version__ = "1.0"\nfrom pack import shapes, things\nfrom pack.things import Thing\n',
    "shapes": (
        "def disk(size, color=None):\n    '''Draws.\n\n    .. deprecated:: 1.0\n       Use `ring` instead.\n    '''\n\n"
        "def ball(center, colour=None):\n    points = [center, 1]\n    for point in points:\n        point.draw(colour)\n"
        "        point.show(center, scale=2)\n    return len(points)\n\n"
        "def cone(size): ...\n\ncircle = cone\n\n"
        "def paint(actor, alpha): ...\n"
    ),
    "things": "class Thing:\n    def __init__(self, size): ...\n    def start(self): ...\n    def stop(self): ...\n",
    "tools": "def turn(actor): ...\n",
    "loose": "class Frame:\n    def __getattr__(self, name): ...\n    def append(self, other): ...\n",
}
SECOND = FIRST | {
    "__init__": FIRST["__init__"].replace("1.0", "1.5"),
    "things": "class Thing:\n    def __init__(self, size): ...\n    def start(self): ...\n",
}
THIRD = {
    "__init__": '__version__ = "2.0"\nfrom pack import shapes, things\nfrom pack.things import Thing\n',
    "shapes": (
        "def ring(size, color=None): ...\n\n"
        "def sphere(center, colour=None):\n    points = [center, 1]\n    for point in points:\n        point.draw(colour)\n"
        "        point.show(center, scale=2)\n    return len(points)\n\n"
        "def cone(size): ...\n\n"
        "def paint(actor, *, opacity): ...\n"
    ),
    "things": "class Thing:\n    def __init__(self, size, depth): ...\n    def start(self, *, wait=False): ...\n",
    "moves": "def turn(actor): ...\n",
    "loose": "class Frame:\n    def __getattr__(self, name): ...\n",
}


def written(folder: Path, files: dict[str, str]) -> Path:
    (folder / "pack").mkdir(parents=True)
    for name, source in files.items():
        (folder / "pack" / f"{name}.py").write_text(source, "utf-8")
    return folder


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases")
    return [written(folder / str(i), files) for i, files in enumerate((FIRST, SECOND, THIRD))]


@pytest.fixture(scope="module")
def check(releases):
    return CheckCode("pack", path=releases[2], older=releases[:2])


@pytest.fixture(scope="module")
def alone(releases):
    return CheckCode("pack", path=releases[2])


def fence(code: str, language: str = "py") -> str:
    return f"Try:\n```{language}\n{code}\n```\n"


def found(verdict: CodeVerdict) -> list[tuple[str, str, str]]:
    return [(f.symbol, f.gone_since, f.instead) for f in verdict.findings]


class TestOutcomes:
    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            ("No idea.", "prose"),
            ("Ask `Anna`, or read `README.md`.", "prose"),
            (fence("pack.shapes.disk()", "bash"), "prose"),
            (fence("import pack\npack.shapes.ring(1, color=2)"), "works"),
            (fence("from pack import Thing\nthing = Thing(1, 2)\nthing.start(wait=True)"), "works"),
            (fence("import pack\npack.shapes.disk(1)"), "stale"),
            (fence("import other\nother.x()"), "unverifiable"),
            (fence("a = = b"), "unverifiable"),
            (fence("from pack.loose import Frame\nFrame().whatever()"), "unverifiable"),
        ],
    )
    def test_an_answer_has_one_of_four_outcomes(self, check, answer, outcome):
        verdict = check.verdict(answer)
        assert verdict.outcome == outcome
        assert bool(verdict.findings) == (outcome == "stale")
        assert verdict.release == "2.0"

    def test_the_names_that_were_looked_up_are_the_evidence(self, check):
        verdict = check.verdict(fence("from pack import Thing, loose\nThing(1, 2).start()\nloose.Frame().x"))
        assert {"pack.Thing", "pack.Thing.start", "pack.loose"} <= set(verdict.found)
        assert verdict.unknown == ("pack.loose.Frame.x",)

    @given(st.text(), st.sampled_from(["", "py", "pycon", "diff", "rust"]))
    def test_any_text_gets_a_verdict(self, check, text, language):
        for answer in (text, fence(text, language), f"`{text}`", f"    {text}"):
            assert check.verdict(answer).outcome in {"works", "stale", "unverifiable", "prose"}

    def test_dropping_and_verdict_agree(self, check):
        for code in ("pack.shapes.disk(1)", "pack.shapes.ring(1)", "pack.shapes.paint(1, alpha=2)"):
            answer = fence(f"import pack\n{code}")
            dropped = isinstance(check(QAPair(id="1", question="?", answer=answer, group="1")), Dropped)
            assert dropped == (check.verdict(answer).outcome == "stale")


class TestWhereCodeStands:
    @pytest.mark.parametrize(
        ("answer", "line", "snippet", "form"),
        [
            ("So:\n\n```py\nimport pack\n\npack.shapes.disk(1)\n```", 6, 1, "fenced"),
            ("```\nx\n```\n```py\n!pip install pack\nimport pack\npack.shapes.disk(1)\n```", 7, 2, "fenced"),
            ("> ```py\n> import pack\n> pack.shapes.disk(1)\n> ```", 3, 1, "fenced"),
            ("```py\n>>> import pack\n'out'\n>>> pack.shapes.disk(1)\n```", 4, 1, "fenced"),
            ("```\nIn [1]: import pack\n\nIn [2]: pack.shapes.disk(1)\nOut[2]: 3\n```", 4, 1, "fenced"),
            ("So:\n>>> import pack\n>>> pack.shapes.disk(1)\n3", 3, 0, "session"),
            ("So:\n\n    import pack\n    pack.shapes.disk(1)\n\nDone.", 4, 0, "indented"),
            ("Paste this\nimport pack\npack.shapes.disk(1)\ninto a file", 3, 0, "indented"),
            ("It is easy:\ncall `pack.shapes.disk(1)`.", 2, 0, "inline"),
            ("```diff\n import pack\n-pack.shapes.gone()\n+pack.shapes.disk(1)\n```", 4, 1, "fenced"),
            ("```py\nimport pack\n- pack.shapes.gone()\n+ pack.shapes.disk(1)\n```", 4, 1, "fenced"),
        ],
    )
    def test_a_finding_has_its_place(self, check, answer, line, snippet, form):
        (finding,) = check.verdict(answer).findings
        assert (finding.symbol, finding.line, finding.snippet, finding.form) == (
            "pack.shapes.disk",
            line,
            snippet,
            form,
        )

    @pytest.mark.parametrize(
        "answer",
        [
            "`pack.shapes.disk` was removed.",
            "Use `pack.shapes.ring` instead of `pack.shapes.disk`.",
            "It is called `ring`; `pack.shapes.disk` no longer exists.",
            fence("import pack\n-pack.shapes.disk(1)\n+pack.shapes.ring(1)", "diff"),
            fence("import pack\ndef f(pack):\n    return pack.disk"),
            fence("import pack\nfor pack in x:\n    pack.disk"),
            fence("import pack\n[pack.disk for pack in x]"),
            fence("from pack import shapes\nif x:\n    shapes = 1\nshapes.disk(1)"),
        ],
    )
    def test_what_does_not_count(self, check, answer):
        assert check.verdict(answer).outcome != "stale"

    def test_a_name_is_followed_until_it_is_bound_again(self, check):
        code = "from pack import shapes\nshapes.disk(1)\nshapes = 1\nshapes.ball(1)"
        assert found(check.verdict(fence(code)))[0][0] == "pack.shapes.disk"
        assert len(check.verdict(fence(code)).findings) == 1

    def test_a_parameter_hides_a_module_only_in_its_function(self, check):
        code = "from pack import shapes\ndef f(shapes):\n    shapes.ball()\ndef g():\n    shapes.disk(1)"
        assert [symbol for symbol, *_ in found(check.verdict(fence(code)))] == ["pack.shapes.disk"]


class TestHistory:
    @pytest.mark.parametrize(
        ("code", "symbol", "since", "instead"),
        [
            ("pack.shapes.disk(1)", "pack.shapes.disk", "2.0", "pack.shapes.ring"),  # its deprecation note
            ("pack.shapes.ball(1)", "pack.shapes.ball", "2.0", "pack.shapes.sphere"),  # the same body
            ("pack.shapes.circle(1)", "pack.shapes.circle", "2.0", "pack.shapes.cone"),  # an alias
            ("pack.tools.turn(1)", "pack.tools", "2.0", "pack.moves.turn"),  # the same name elsewhere
            ("pack.shapes.rinq(1)", "pack.shapes.rinq", "", ""),  # never there
            ("pack.Thing(1, 2).stop()", "pack.Thing.stop", "1.5", ""),
            ("pack.shapes.paint(1, alpha=2)", "pack.shapes.paint(alpha)", "2.0", "opacity="),
            ("pack.shapes.paint(1, 2)", "pack.shapes.paint(argument 2 without a name)", "2.0", "opacity="),
            ("pack.Thing(1)", "pack.Thing(needs depth)", "2.0", ""),
            ("pack.loose.Frame().append(1)", "pack.loose.Frame.append", "2.0", ""),
        ],
    )
    def test_a_finding_names_the_release_and_the_successor(self, check, code, symbol, since, instead):
        (first, *_) = found(check.verdict(fence(f"import pack, pack.loose\n{code}")))
        assert first[:2] == (symbol, since)
        if instead:
            assert first[2] == instead

    def test_without_older_releases_only_what_the_source_proves_is_stale(self, alone):
        assert found(alone.verdict(fence("import pack\npack.shapes.disk(1)"))) == [
            ("pack.shapes.disk", "", "")
        ]
        # A required argument may be left out for brevity, and `__getattr__` may provide the method.
        assert alone.verdict(fence("import pack\npack.Thing(1)")).outcome == "works"
        code = "from pack.loose import Frame\nFrame().append(1)"
        assert alone.verdict(fence(code)).outcome == "unverifiable"

    def test_releases_can_be_named(self, releases):
        check = CheckCode("pack", path=releases[2], older=[Release(path=releases[0], name="one")])
        (finding,) = check.verdict(fence("import pack\npack.shapes.circle(1)")).findings
        assert finding.why == "alias in one"
        with pytest.raises(ConfigError, match="must be a list"):
            CheckCode("pack", path=releases[2], older=releases[0])

    def test_a_name_of_a_star_import_is_gone_if_an_older_release_had_it(self, check, alone):
        answer = fence("from pack.shapes import *\ndisk(1)\nmine(2)")
        assert [f.symbol for f in check.verdict(answer).findings] == ["pack.shapes.disk"]
        assert alone.verdict(answer).findings == ()

    def test_a_verdict_reads_as_text(self, check):
        text = str(check.verdict(fence("import pack\npack.shapes.disk(1)")))
        assert text == (
            "stale with 2.0\n  line 4: pack.shapes.disk, gone since 2.0; use pack.shapes.ring (deprecation note in 1.5)"
        )


def module(folder: Path, **files: str) -> CheckCode:
    return CheckCode("pack", path=written(folder, {"__init__": "", **files}))


class TestLazyModules:
    SOURCES = (
        (
            "def __getattr__(name):\n    if name == 'old':\n        from pack import other\n        return other.old\n"
            "    raise AttributeError(name)"
        ),
        (
            "_LAZY = {'old': 'other'}\ndef __getattr__(name):\n    if name in _LAZY:\n"
            "        return getattr(importlib.import_module(f'pack.{_LAZY[name]}'), name)\n    raise AttributeError(f'no {name}')"
        ),
        (
            "_LAZY = {'old': ('pack', '.other')}\ndef __getattr__(name):\n    found = _LAZY.get(name)\n    if found is None:\n"
            "        raise AttributeError(name)\n    package, path = found\n    return getattr(import_module(path, package=package), name)"
        ),
        (
            "def _make(module):\n    def inner(name):\n        if f'{module}:{name}' in {'pack.lazy:old'}:\n            return 1\n"
            "        raise AttributeError(f'{module} has no {name}')\n    return inner\n__getattr__ = _make(__name__)"
        ),
        (
            "_NAMES = {n: n for n in ['old']}\ndef __getattr__(name):\n    try:\n        return load(_NAMES[name])\n"
            "    except KeyError:\n        raise AttributeError(name) from None"
        ),
    )

    def test_a_getattr_may_be_a_class_of_properties(self, tmp_path):
        check = module(tmp_path, lazy="@cached\nclass __getattr__:\n    old = property(len)\n")
        assert check.verdict(fence("import pack.lazy\npack.lazy.old")).outcome == "works"
        assert check.verdict(fence("import pack.lazy\npack.lazy.new")).outcome == "stale"

    @pytest.mark.parametrize("source", SOURCES)
    def test_a_getattr_of_a_module_is_followed(self, tmp_path, source):
        check = module(tmp_path, lazy=f"import importlib\n{source}", other="def old(): ...")
        assert check.verdict(fence("import pack.lazy\npack.lazy.old")).outcome == "works"
        assert check.verdict(fence("import pack.lazy\npack.lazy.new")).outcome == "stale"

    @pytest.mark.parametrize(
        "source",
        [
            "def __getattr__(name):\n    return load(name)",
            "def __getattr__(name):\n    if allowed(name):\n        return 1\n    raise AttributeError(name)",
            "def __getattr__(name):\n    for one in NAMES:\n        if one == name:\n            return 1\n    raise AttributeError",
            "__getattr__ = make()",
        ],
    )
    def test_what_cannot_be_followed_is_not_judged(self, tmp_path, source):
        check = module(tmp_path, lazy=source)
        assert check.verdict(fence("import pack.lazy\npack.lazy.new")).outcome != "stale"

    def test_the_error_of_a_removed_name_says_what_to_use(self, tmp_path):
        source = (
            "_GONE = {'old': 'Use `pack.fresh.new` instead.'}\ndef __getattr__(name):\n    if name in _GONE:\n"
            "        raise AttributeError(f'`{name}` was removed. {_GONE[name]}')\n    raise AttributeError(name)"
        )
        check = CheckCode("pack", path=written(tmp_path, {"__init__": source, "fresh": "def new(): ..."}))
        assert found(check.verdict(fence("import pack\npack.old"))) == [("pack.old", "", "pack.fresh.new")]


class TestClasses:
    BASE = (
        "class Base:\n    limit = 3\n    def __init__(self):\n        self.size = 1\n    def go(self): ...\n"
    )

    @pytest.mark.parametrize(
        ("source", "outcome"),
        [
            ("class A(Base): ...", "stale"),
            ("class A(Base, Generic[T]): ...", "stale"),
            ("class A(Base, dict): ...", "stale"),
            ("class A(Base):\n    def __getattr__(self, name): ...", "unverifiable"),
            ("class A(Other): ...", "unverifiable"),
            ("class A(Base):\n    def f(self, n):\n        setattr(self, n, 1)", "unverifiable"),
            ("@adding\nclass A(Base): ...", "unverifiable"),
            ("class A(Base, metaclass=Made): ...", "works"),  # what `A()` returns is not known
            ("class A(Base): ...\nA.gone = len", "works"),
            ("class A(Base): ...\nadd_methods(A)", "unverifiable"),
            (
                "def adding(cls):\n    cls.more = 1\n    return cls\nclass A(Base): ...\nA = adding(A)",
                "stale",
            ),
            ("class A(Base): ...\nA = adding(A)", "unverifiable"),
            ("class A(Base):\n    @classmethod\n    def add(cls):\n        cls.gone = len", "works"),
            ("class A(Base):\n    __slots__ = ('gone',)", "works"),
        ],
    )
    def test_an_attribute_is_missing_only_if_nothing_can_provide_it(self, tmp_path, source, outcome):
        check = module(tmp_path, a=f"from other import Other\n{self.BASE}\n{source}")
        code = "from pack.a import A\na = A()\na.{}"
        assert check.verdict(fence(code.format("gone()"))).outcome == outcome
        for name in ("go()", "size", "limit"):
            assert check.verdict(fence(code.format(name))).outcome != "stale"

    @pytest.mark.parametrize(
        ("source", "good", "bad"),
        [
            ("@dataclass\nclass A:\n    x: int\n    y: int = field(default=1, init=False)", "x=1", "y=2"),
            ("@dataclass(kw_only=True)\nclass A:\n    x: int\n    z: ClassVar[int] = 1", "x=1", "z=1"),
            ("@define\nclass A:\n    _x: int\n    y: int = field(init=False)", "x=1", "_x=1"),
            ("@attr.s\nclass A:\n    x = attr.ib()\n    y: int = 1", "x=1", "y=1"),
            ("@frozen\nclass A:\n    x: int = field(alias='z')", "z=1", "x=1"),
            ("class A(NamedTuple):\n    x: int\n    y: int = 1", "x=1", "z=1"),
            ("class A:\n    pass", "", "x=1"),
        ],
    )
    def test_generated_constructors_are_known(self, tmp_path, source, good, bad):
        check = module(tmp_path, a=source)
        assert check.verdict(fence(f"from pack.a import A\nA({good})")).outcome == "works"
        assert check.verdict(fence(f"from pack.a import A\nA({bad})")).outcome == "stale"

    def test_the_class_of_a_result_is_known_from_its_annotation(self, tmp_path):
        source = f"{self.BASE}\nclass Sub(Base):\n    def more(self): ...\ndef make() -> Base: ...\ndef maybe() -> 'Sub | None': ..."
        check = module(tmp_path, a=source)
        code = "from pack import a\n{}"
        assert check.verdict(fence(code.format("a.make().gone()"))).outcome == "stale"
        # The function may return a subclass.
        assert check.verdict(fence(code.format("a.make().more()"))).outcome == "unverifiable"
        assert check.verdict(fence(code.format("a.maybe().more()"))).outcome == "works"


class TestDecorators:
    WRAPPER = "def d(f):\n    @wraps(f)\n    def inner(*args, **kwargs):\n        {}return f(*args, **kwargs)\n    return inner\n"

    @pytest.mark.parametrize(
        ("decorator", "outcome"),
        [
            (WRAPPER.format(""), "stale"),
            ("def d(f):\n    f.marked = True\n    return f\n", "stale"),
            (WRAPPER.format("kwargs.pop('gone', None)\n        "), "unverifiable"),
            ("def d(f):\n    return register(f)\n", "unverifiable"),
            ("from elsewhere import d\n", "unverifiable"),
        ],
    )
    def test_arguments_are_judged_through_decorators_that_pass_them_on(self, tmp_path, decorator, outcome):
        check = module(tmp_path, a=f"from functools import wraps\n{decorator}\n@d\ndef f(x, y=1): ...")
        assert check.verdict(fence("from pack.a import f\nf(1, gone=2)")).outcome == outcome
        assert check.verdict(fence("from pack.a import f\nf(1, y=2)")).outcome == "works"

    @pytest.mark.parametrize(
        ("decorator", "outcome"),
        [
            ("@elsewhere", "unverifiable"),
            ("@d", "stale"),
            ("@d('gone')", "unverifiable"),
            ("@d(other)", "unverifiable"),
        ],
    )
    def test_an_older_release_proves_that_an_argument_is_gone_unless_a_decorator_knows_it(
        self, tmp_path, decorator, outcome
    ):
        decorators = "def d(f):\n    return register(f)\n\n@d(gone=1)\ndef other(): ...\n"
        old = written(tmp_path / "old", {"__init__": "", "a": "def f(x, gone=1): ..."})
        new = written(tmp_path / "new", {"__init__": "", "a": f"{decorators}\n{decorator}\ndef f(x): ..."})
        code = fence("from pack.a import f\nf(1, gone=2)")
        assert CheckCode("pack", path=new, older=[old]).verdict(code).outcome == outcome
        assert CheckCode("pack", path=new).verdict(code).outcome == "unverifiable"

    def test_overloads_do_not_hide_the_function(self, tmp_path):
        source = "@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(x: str) -> str: ...\ndef f(x, *, y=1): ..."
        check = module(tmp_path, a=source)
        assert check.verdict(fence("from pack.a import f\nf(1, y=2)")).outcome == "works"
        assert check.verdict(fence("from pack.a import f\nf(1, z=2)")).outcome == "stale"


def test_compiled_modules_are_never_stale(tmp_path):
    folder = written(tmp_path, {"__init__": "from pack.fast import run\n"})
    (folder / "pack" / "fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")
    (folder / "pack" / "fast.pyi").write_text("class Fast:\n    def go(self) -> None: ...\n", "utf-8")
    check = CheckCode("pack", path=folder)
    for code in ("pack.fast.gone()", "pack.fast.Fast().gone()", "pack.run(x=1)", "pack.fast.Fast(y=2)"):
        assert check.verdict(fence(f"import pack.fast\n{code}")).outcome == "unverifiable", code
    assert check.verdict(fence("import pack\npack.run")).outcome == "works"


def test_names_under_type_checking_do_not_exist(tmp_path):
    check = module(tmp_path, a="if TYPE_CHECKING:\n    from pack.b import Later\n", b="class Later: ...")
    assert check.verdict(fence("from pack.a import Later")).outcome == "stale"
    assert check.verdict(fence("from pack.b import Later")).outcome == "works"
