"""CheckCode: an answer is dropped only if the source proves it wrong, and no code is imported or run."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unpacking import SAFELY

from furytune._python_source.kinds import MISSING, UNKNOWN, Class, Function, Instance
from furytune._python_source.opening import open_package
from furytune._python_source.symbols import SymbolTable
from furytune.curation.code import CheckCode
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped, QAPair

FIXTURES = Path(__file__).parents[1] / "fixtures" / "curation"
OLD = CheckCode("gallery", path=FIXTURES / "old")
NEW = CheckCode("gallery", path=FIXTURES / "new")


def pair(answer: str) -> QAPair:
    return QAPair(id="p1", question="how?", answer=answer, group="g")


def fence(code: str, language: str = "python") -> str:
    return f"Try this:\n```{language}\n{code}\n```\nHope it helps!"


def verdict(step: CheckCode, answer: str) -> str:
    """Returns the reason and detail of a drop, or "kept"; a kept pair must be the same object."""
    given_pair = pair(answer)
    result = step(given_pair)
    if isinstance(result, Dropped):
        assert result.ids == ("p1",)
        assert result.unit == "pair"
        return f"{result.reason}: {result.detail}"
    assert result is given_pair
    return "kept"


def package(folder: Path, **modules: str) -> CheckCode:
    """Writes a package named pack and returns the step that knows it."""
    (folder / "pack").mkdir()
    for name, source in {"__init__": "", **modules}.items():
        (folder / "pack" / f"{name}.py").write_text(source, "utf-8")
    return CheckCode("pack", path=folder)


class TestNames:
    @pytest.mark.parametrize(
        "code",
        [
            "import gallery\ngallery.actor.sphere([0], colors=1)",
            "import gallery.ui.elements\ngallery.ui.elements.Button('x', label='y')",
            "import gallery.window as w\nw.ShowManager(reset_camera=False)",
            "from gallery import actor, window, Scene, show\nshow(Scene(size=(2, 2)), size=(1, 1))",
            "from gallery.ui import Button, Knob, Panel\nKnob('x', label='y')\nPanel(size=3)",
            "from gallery import *\nactor.sphere(1, colors=2)\nwhatever.else_()",
            "from gallery.actor import np, HAVE_NUMPY, backend, _color",
            "from gallery.window import record_twice, __doc__\nfrom gallery import __version__, __file__",
            "gallery.actor.sphere(1, radii=2)",
        ],
    )
    def test_code_that_fits_is_kept(self, code):
        assert verdict(OLD, fence(code)) == "kept"

    @pytest.mark.parametrize(
        ("code", "detail"),
        [
            ("import gallery\ngallery.actor.disk()", "gallery.actor.disk"),
            ("import gallery.gltf", "gallery.gltf"),
            ("import gallery.ui.gone as x\nx.y()", "gallery.ui.gone"),
            ("from gallery import pick, actor\npick.Picker()", "gallery.pick"),
            ("from gallery.pick import Picker", "gallery.pick"),
            ("from gallery.window import Scenes as S\nS()", "gallery.window.Scenes"),
            ("from gallery import window as w\nw.rec(w.Scene())", "gallery.window.rec"),
            ("def f():\n    from gallery import ui\n    return ui.Slider()", "gallery.ui.Slider"),
            ("from gallery import *\nactor.disk()", "gallery.actor.disk"),
            ("gallery.actor.disk", "gallery.actor.disk"),
            ("import gallery\nclass A(gallery.window.Win): ...", "gallery.window.Win"),
            ("import gallery\ngallery.b; gallery.a; gallery.b.c", "gallery.a, gallery.b"),
        ],
    )
    def test_a_missing_name_is_stale(self, code, detail):
        """The detail lists each missing name once, up to the first part that is missing."""
        assert verdict(OLD, fence(code)) == f"stale_code: {detail}"

    def test_the_same_code_is_stale_against_a_later_release(self):
        code = "from gallery import ui, window\nui.Panel(size=1)\nwindow.record(window.Scene())"
        assert verdict(OLD, fence(code)) == "kept"
        assert verdict(NEW, fence(code)) == "stale_code: gallery.ui, gallery.window.record"
        assert verdict(CheckCode("gallery", path=FIXTURES / "new", on_unknown="keep"), fence(code)) == "kept"

    def test_the_blocks_of_an_answer_share_their_imports(self):
        answer = fence("from gallery import actor") + fence("actor.disk()")
        assert verdict(OLD, answer) == "stale_code: gallery.actor.disk"

    @pytest.mark.parametrize(
        "code",
        [
            "from gallery import actor\nactor = actor.sphere(1)\nactor.disk()",
            "from gallery import actor\ndef f(actor):\n    actor.disk()",
            "from gallery import actor\nfor actor in x:\n    actor.disk()",
            "from gallery import actor\n[actor.disk() for actor in x]",
            "from gallery import actor\nwith x as actor:\n    actor.disk()",
            "from gallery import actor\nimport other.actor as actor\nactor.disk()",
            "from gallery import actor\nif (actor := x):\n    actor.disk()",
            "from gallery import actor\nmatch x:\n    case {**actor}:\n        actor.disk()",
            "import gallery\ngallery = 1\ngallery.disk",
            "import gallery\ngallery.mine = 1\nprint(gallery.mine)",
            "from other import actor\nactor.disk()",
            "from .gallery import actor\nactor.disk()",
            "actor.disk()\nscene.gone()",
            "x.gallery.disk()",
        ],
    )
    def test_a_reassigned_name_is_not_judged(self, code):
        assert verdict(OLD, fence(code)) == "kept"

    @pytest.mark.parametrize(
        "code",
        [
            "try:\n    from gallery import pick\nexcept ImportError:\n    pick = None",
            "try:\n    import gallery.pick\nexcept (ValueError, ImportError):\n    pass\nelse:\n    gallery.pick.x()",
            "try:\n    gallery.disk()\nexcept AttributeError:\n    gallery.actor.sphere(1, 1)",
            "import gallery\nif gallery.__version__ >= '2':\n    gallery.disk()\nelse:\n    gallery.info()",
            "import gallery\nif hasattr(gallery, 'disk'):\n    gallery.disk()",
            "import gallery\n# gallery.disk()\n'gallery.disk()'",
        ],
    )
    def test_code_that_expects_a_missing_name_is_kept(self, code):
        assert verdict(OLD, fence(code)) == "kept"

    @pytest.mark.parametrize(
        "code",
        [
            "with suppress(AttributeError):\n    gallery.disk()",
            "with contextlib.suppress(KeyError, ImportError):\n    import gallery.pick",
            "with suppress(*ERRORS):\n    gallery.disk()",
            "with open(x), pytest.raises(AttributeError, match='disk'):\n    gallery.disk()",
            "with pytest.raises((KeyError, TypeError)):\n    gallery.actor.sphere(1, radius=2)",
            "with pytest.raises(expected_exception=TypeError):\n    gallery.info(colour=2)",
            "pytest.raises(AttributeError, lambda: gallery.disk)",
            "async def f():\n    with self.assertRaises(AttributeError):\n        gallery.disk()",
        ],
    )
    def test_code_under_a_guard_that_expects_the_error_is_kept(self, code):
        assert verdict(OLD, fence(code)) == "kept"
        assert verdict(OLD, fence(f"{code}\ngallery.gone")) == "stale_code: gallery.gone"

    @pytest.mark.parametrize(
        "guard", ["open(x)", "suppress(KeyError)", "pytest.raises(ValueError, match='a')"]
    )
    def test_a_guard_against_other_errors_does_not_count(self, guard):
        assert verdict(OLD, fence(f"with {guard}:\n    gallery.disk()")) == "stale_code: gallery.disk"

    @pytest.mark.parametrize(
        "code",
        [
            "setattr(gallery.actor, 'mine', 1)\ngallery.actor.mine()",
            "import gallery.actor as a\na.mine = 1\nfrom gallery.actor import mine",
            "setattr(gallery.actor, name, 1)\ngallery.actor.mine()\ngallery.actor.sphere(1, radius=2)",
            "monkeypatch.setattr(gallery.actor, 'mine', 1)\ngallery.actor.mine",
            "monkeypatch.setattr('gallery.actor.mine', 1)\ngallery.actor.mine",
            "gallery.actor.sphere = f\ngallery.actor.sphere(1, radius=2)",
            "vars(gallery.actor).update(mine=1)\ngallery.actor.mine",
            "gallery.actor.__dict__['mine'] = 1\ngallery.actor.mine",
            "import sys as _sys\n_sys.modules['gallery.mine'] = x\nimport gallery.mine",
        ],
    )
    def test_names_that_the_answer_sets_are_not_stale(self, code):
        assert verdict(OLD, fence(f"import gallery\n{code}")) == "kept"

    def test_setting_one_name_does_not_excuse_others(self):
        code = "import gallery\nsetattr(gallery.actor, 'mine', 1)\nsetattr(self, k, v)\ngallery.actor.disk()"
        assert verdict(OLD, fence(code)) == "stale_code: gallery.actor.disk"

    @pytest.mark.parametrize(
        ("source", "proved"),
        [
            ("from pack import actor\nactor.helper = len", "x"),
            ("from . import actor as a\na.helper: int = 3", "x"),
            ("import pack.actor\ndef f():\n    pack.actor.a = pack.actor.helper = len", "x"),
            ("import pack\nact = pack.actor\nact.helper, b = 1, 2", "x"),
            ("from pack.again import again\nsetattr(again, 'helper', len)", "x"),
            ("import sys\nsys.modules['pack.actor'].helper = len", "x"),
            ("from importlib import import_module\nm = import_module('pack.actor')\nm.helper = len", "x"),
            ("from pack import actor\nfor name in names:\n    setattr(actor, name, len)", ""),
            ("from pack import actor\nvars(actor).update(names)", ""),
            ("from pack import actor\nactor.__dict__.update(names)", ""),
        ],
    )
    def test_names_set_by_another_module_are_not_stale(self, tmp_path, source, proved):
        """``proved``: a name that is still known to be missing, or None if any name may be set."""
        step = package(
            tmp_path, actor="def sphere(a): ...", again="from pack import actor as again", main=source
        )
        assert verdict(step, fence("import pack\npack.actor.helper(1, x=2)")) == "kept"
        assert verdict(step, fence("import pack\npack.actor.x")) == (
            "stale_code: pack.actor.x" if proved else "kept"
        )
        assert verdict(step, fence("import pack\npack.again.x")) == "stale_code: pack.again.x"

    @pytest.mark.parametrize(
        "source",
        [
            "import sys as _sys\nm = _sys.modules[__name__]\nm.x = 1",
            "from sys import modules\nmodules[__name__].x = 1",
            "from sys import modules as loaded\nloaded[__name__].x = 1",
            "import importlib\nme = importlib.import_module(__name__)\nsetattr(me, n, 1)",
            "from importlib import import_module as load\nload(name=__name__).x = 1",
            "__import__(__name__).x = 1",
        ],
    )
    def test_a_module_that_looks_itself_up_is_not_judged(self, tmp_path, source):
        step = package(tmp_path, actor=source, other="import logging\nlog = logging.getLogger(__name__)")
        assert verdict(step, fence("import pack\npack.actor.x")) == "kept"
        assert verdict(step, fence("import pack\npack.other.x")) == "stale_code: pack.other.x"

    @pytest.mark.parametrize("module", ["dynamic", "starred", "registry"])
    def test_a_module_that_adds_names_at_run_time_is_not_judged(self, module):
        code = f"from gallery.{module} import anything\nimport gallery\ngallery.{module}.more(x=1)"
        assert verdict(OLD, fence(code)) == "kept"

    def test_a_preamble_adds_missing_imports(self):
        step = CheckCode("gallery", path=FIXTURES / "old", preamble="from gallery import actor")
        assert verdict(step, fence("actor.disk()")) == "stale_code: gallery.actor.disk"
        assert verdict(step, fence("actor = 1\nactor.disk()")) == "kept"
        assert verdict(step, "no code") == "kept"


class TestArguments:
    @pytest.mark.parametrize(
        ("call", "symbol"),
        [
            ("actor.sphere(1, colors=2, radius=3)", "gallery.actor.sphere(radius)"),
            ("actor.sphere(centers=1)", "gallery.actor.sphere(centers)"),  # positional-only
            ("actor.cone(1, size=3)", "gallery.actor.cone(size)"),
            ("window.Scene(background=1)", "gallery.window.Scene(background)"),  # inherited __init__
            ("window.ShowManager(window.Scene(), self=1)", "gallery.window.ShowManager(self)"),
            ("ui.Button('x', size=1)", "gallery.ui.Button(size)"),  # its own __init__, not its base's
            ("gallery.show(1, reset=2, size=3)", "gallery.show(reset)"),  # re-exported by a lazy loader
        ],
    )
    def test_a_keyword_that_is_not_accepted_is_stale(self, call, symbol):
        code = f"import gallery\nfrom gallery import actor, window, ui\n{call}"
        assert verdict(OLD, fence(code)) == f"stale_argument: {symbol}"

    @pytest.mark.parametrize(
        "call",
        [
            "actor.cube(1, anything=2)",
            "actor.arrow(1, scale=2)",  # a decorator that may rename
            "actor.sphere(1, **options)",
            "actor.ring(1, size=2)",  # defined twice
            "gallery.ui.slider(1, color=2)",  # a function and a module of one name
            "gallery.ui.slider.Gone",
            "window.Table(a=1)",
            "window.Side(value=1)",
            "window.Made(whatever=1)",
            "window.Child(whatever=1)",
            "window.Scene.add.other(x=1)",
        ],
    )
    def test_unprovable_faults_are_kept(self, call):
        assert verdict(OLD, fence(f"from gallery import actor, window\n{call}")) == "kept"

    def test_a_missing_name_comes_before_a_missing_argument(self):
        code = "from gallery import actor\nactor.sphere(1, radius=1)\nactor.disk()"
        assert verdict(OLD, fence(code)) == "stale_code: gallery.actor.disk, gallery.actor.sphere(radius)"


PASTED = {
    "a session": ">>> import gallery\n>>> gallery.info()\n'0.9'\n>>> for i in range(2):\n...     print(i)\n0\n1",
    "a session out of an editor": ">>> import gallery\n>>>\n@cached\ndef f():\n    pass\n>>> gallery.info(\n    1,\n)\n'0 9'",
    "a session of IPython": "In [1]: import gallery\n\nIn [2]: gallery.info()\nOut[2]: '0.9'",
    "shell lines": "!pip install gallery\npip install -U gallery\n$ python -m x\n%matplotlib inline\nimport gallery",
    "omitted lines": "import gallery\n...\nfor i in x:\n    a()\n        ...\ngallery.info()\n[...]",
    "an indented cut": "    a = 1\n    if a:\n        b()",
    "a cut-off first indent": "a = 1\n    b = 2\n    c(a)",
    "a branch alone": "else:\n    b()",
    "a handler alone": "except ValueError:\n    pass",
    "a head alone": "import gallery\ndef f(x):",
    "a traceback": "Traceback (most recent call last):\n  File 'x', line 1\nValueError: x = = y",
    "awaiting": "await gallery.info()\nreturn 3",
    "nothing": "\n\n",
    "a bad escape": "a = '\\d'\nb = 1if a else 2\nc is 3",
}


class TestBlocks:
    @pytest.mark.parametrize("code", PASTED.values(), ids=PASTED.keys())
    @pytest.mark.parametrize("language", ["py", "Python", "python3", "pycon"])
    def test_code_as_people_paste_it_is_not_broken(self, code, language):
        assert verdict(OLD, fence(code, language)) == "kept"

    def test_only_the_input_of_a_session_is_checked(self):
        session = (
            ">>> import gallery\n>>> gallery.info(\n    gallery.gone)\ngallery.output\n>>> gallery.gone2\n"
        )
        assert verdict(OLD, fence(session)) == "stale_code: gallery.gone, gallery.gone2"

    @pytest.mark.parametrize(
        "code", ["print 'x'", "a = = b", "foo(", "x = <your value", "f(.., = b)", "f? = 3", "a\x00b"]
    )
    def test_python_that_does_not_parse_is_broken(self, code):
        answer = "```\nx\n```" + fence(code)
        assert verdict(OLD, answer) == "broken_code: code block 2 is not Python"
        assert verdict(CheckCode("gallery", path=FIXTURES / "old", on_broken="keep"), answer) == "kept"

    @pytest.mark.parametrize(
        ("code", "stale"),
        [
            ("actor.sphere(1, colors=c, ...)", ""),
            ("actor.sphere(centers, colors=c, \u2026)", ""),
            ("x = (c, \u2026)\ny = [1, 2, ...]\nz = {'a': 1, ...}", ""),
            ("actor.sphere(<your centers>, colors=<your-colors>)", ""),
            ("x = <your value>", ""),
            ("window.show(scene, size=(1, 1) ...)", ""),
            ("def f(a, ...):\n    return a", ""),
            ("actor.sphere(1, colors=c, ..., radius=2)", "gallery.actor.sphere(radius)"),
            ("actor.disk(centers=c, ...)", "gallery.actor.disk"),
            ("actor.disk(<your centers>)", "gallery.actor.disk"),
        ],
    )
    def test_placeholders_are_accepted_and_the_rest_is_checked(self, code, stale):
        result = verdict(OLD, fence(f"from gallery import actor, window\n{code}"))
        assert result.partition(": ")[2] == stale

    @pytest.mark.parametrize(
        "line",
        [
            "actor.sphere?",
            "actor.sphere??",
            "?actor.sphere",
            "%timeit actor.sphere(1, 2)",
            "%%time",
            "%matplotlib",
            "!./build.sh --all",
            "files = !ls *.png",
            "where = %pwd",
        ],
    )
    def test_ipython_lines_are_accepted_and_the_rest_is_checked(self, line):
        code = f"from gallery import actor\n{line}\nfor i in x:\n    {line}\n"
        assert verdict(OLD, fence(code)) == "kept"
        assert verdict(OLD, fence(f"{code}actor.disk()")) == "stale_code: gallery.actor.disk"
        assert verdict(OLD, fence(f"In [1]: import gallery\n\nIn [2]: {line}\nOut[2]: 1 2")) == "kept"

    @pytest.mark.parametrize("cell", ["%%bash\necho a b", "%%html\n<b>x</b> y", "\n%%writefile x.txt\na b"])
    def test_a_cell_in_another_language_is_not_broken(self, cell):
        assert verdict(OLD, fence(cell)) == "kept"

    @pytest.mark.parametrize("language", ["", "py", "diff"])
    @pytest.mark.parametrize(
        "code",
        [
            "- gallery.actor.disk()\n+ gallery.actor.sphere(1, 2)",
            "-gallery.actor.disk()\n+gallery.actor.sphere(1, 2)",
            " import gallery\n-x = gallery.disk\n y = 1",
            "  - import gallery.disk\n  + import gallery",
        ],
    )
    def test_the_removed_side_of_a_diff_is_not_checked(self, code, language):
        assert verdict(OLD, fence(code, language)) == "kept"

    @pytest.mark.parametrize(
        "code",
        [
            "-1\ngallery.disk",
            "x = (3\n    -1)\ngallery.disk",
            ">>> gallery.disk\n--+--",
            '"""Some:\n- a\n+ b\n---\n"""\ngallery.disk',
        ],
    )
    def test_a_leading_sign_alone_is_not_a_diff(self, code):
        assert verdict(OLD, fence(code)) == "stale_code: gallery.disk"

    @pytest.mark.parametrize(
        "code",
        [
            """print(f"{d['a']} {d["a"]}")""",
            "print(f\"{'\\n'.join(x)}\")",
            'print(f"{x!r:>{w}} {\n    y\n}")',
            'print(f"""{\nx  # a comment\n}""")',
        ],
    )
    def test_newer_f_strings_are_kept_on_every_python(self, code):
        assert verdict(OLD, fence(code)) == "kept"
        assert verdict(OLD, fence('a = = f"{b} {c}"')) == "broken_code: code block 1 is not Python"

    @pytest.mark.parametrize(
        "code",
        [
            "try:\n    f()\nexcept KeyError, ValueError:\n    pass",
            "type Size[T] = tuple[T, T]",
            "def f[T: int](x: T) -> T:\n    return x",
            "class A[T]:\n    pass",
            'x = t"{y}"',
        ],
    )
    def test_newer_statements_get_the_same_verdict_on_every_python(self, code):
        assert verdict(OLD, fence(code)) == "kept"
        assert verdict(OLD, fence(f"{code}\ngallery.disk")) == "stale_code: gallery.disk"

    @pytest.mark.parametrize("language", ["", "bash", "text", "cpp", "json", "diff"])
    def test_only_a_block_marked_as_python_can_be_broken(self, language):
        assert verdict(OLD, fence("a = = b", language)) == "kept"

    @pytest.mark.parametrize(
        ("answer", "stale"),
        [
            (fence("import gallery.gone", ""), True),
            (fence("import gallery.gone", "bash"), False),
            (fence("import gallery.gone", "py title='x'"), True),
            ("```import gallery.gone\nx()```", True),
            ("```import gallery.gone```", True),
            ("````py\nimport gallery.gone\n````", True),
            ("~~~py\nimport gallery.gone\n~~~", True),
            ("```py\nimport gallery.gone", True),
            ("> ```py\n> import gallery\n> if 1:\n>     gallery.gone\n> ```", True),
            ("1. so:\n   ```py\n   import gallery.gone\n   ```", True),
            ("```py\r\nimport gallery.gone\r\n```", True),
            ("use `gallery.gone()`", False),
            ("use gallery.gone()", False),
            ("", False),
        ],
    )
    def test_where_code_is_found_in_an_answer(self, answer, stale):
        assert verdict(OLD, answer) == ("stale_code: gallery.gone" if stale else "kept")

    def test_inline_code_is_checked_on_request(self):
        step = CheckCode("gallery", path=FIXTURES / "old", inline=True)
        assert verdict(step, "use `gallery.gone()`") == "stale_code: gallery.gone"
        assert verdict(step, "use `gallery.info()`, not `a = = b`") == "kept"

    @given(st.text(), st.sampled_from(["", "py", "pycon"]))
    def test_any_answer_gets_a_verdict(self, text, language):
        """Any answer is either kept unchanged or dropped with a documented reason."""
        assert verdict(OLD, fence(text, language)).split(":")[0] in {"kept", "stale_code", "broken_code"}

    @pytest.mark.parametrize(
        "piece",
        [
            *["`", "``` ", "> ", "~~~\n", ">>> x\n", ">>> (\n", "... \n", "word", "```py\n"],
            *["import a\n(\n", "    a\n\n", "`a.b` was removed. ", "+a\n", "`a` "],
            *[", ...", "<a", "- a\n", "-", 'f"{', 'f"""{', "{#", "%a\n", "a?\n", "except a,", "def a["],
        ],
    )
    def test_a_long_hostile_answer_takes_linear_time(self, piece):
        """With quadratic time, this test would take a minute."""
        step = CheckCode("gallery", path=FIXTURES / "old", inline=True)
        for before in ("", "```py\n", "```py\n>>> x\n", "`"):
            answer = before + piece * (40_000 // len(piece))
            assert verdict(step, answer).split(":")[0] in {"kept", "broken_code"}

    @pytest.mark.parametrize(
        "code", ["(" * 5000, "-" * 50_000 + "1", "a" + ".b" * 50_000, "[" * 90 + "]" * 90]
    )
    def test_deep_nesting_does_not_crash(self, code):
        assert verdict(OLD, fence(code)).split(":")[0] in {"kept", "broken_code"}


class TestArgumentsOfTheStep:
    def test_a_missing_package_is_refused_at_once(self, tmp_path):
        with pytest.raises(ConfigError, match="'surely_absent' is not installed"):
            CheckCode("surely_absent")
        with pytest.raises(ConfigError, match="found no package 'gallery' here"):
            CheckCode("gallery", path=tmp_path)
        with pytest.raises(ConfigError, match="not the name of a top-level package"):
            CheckCode("gallery.actor", path=FIXTURES / "old")
        with pytest.raises(ConfigError, match="preamble"):
            CheckCode("gallery", path=FIXTURES / "old", preamble="import (")
        with pytest.raises(ConfigError, match="on_unknown must be 'drop' or 'keep'"):
            CheckCode("gallery", path=FIXTURES / "old", on_unknown="ask")  # type: ignore[arg-type]

    def test_a_path_names_the_package_or_its_parent(self):
        inner = CheckCode("gallery", path=FIXTURES / "old" / "gallery")
        assert verdict(inner, fence("gallery.disk")) == verdict(OLD, fence("gallery.disk"))

    def test_the_package_is_never_imported(self):
        assert verdict(OLD, fence("import gallery.actor; gallery.ui.Gone")) != "kept"
        assert not any(name.split(".")[0] == "gallery" for name in sys.modules)

    def test_an_installed_package_is_found_without_a_path(self):
        step = CheckCode("json")
        assert verdict(step, fence("import json\njson.decoder.JSONDecoder(strict=False)")) == "kept"
        assert verdict(step, fence("import json\njson.read('x')")) == "stale_code: json.read"


@pytest.mark.parametrize(
    "top", ["json", "asyncio", "email", "logging", "xml", "http", "attr", "hypothesis", "furytune"]
)
def test_the_table_agrees_with_the_running_package(top):
    """No name or member that exists at run time is called missing, and no argument that is accepted is refused."""
    table = SymbolTable(top, open_package(top, None))
    package = importlib.import_module(top)
    names = [top]
    names += [m.name for m in pkgutil.iter_modules(package.__path__, f"{top}.") if "__main__" not in m.name]
    claims = signatures = members = 0
    for name in names:
        try:
            module = importlib.import_module(name)
        except (ImportError, ConfigError):  # an adapter whose vendor is not installed
            continue
        for attribute, value in list(vars(module).items()):
            if not attribute.isidentifier():
                continue
            symbol, _ = table.lookup(f"{name}.{attribute}")
            assert symbol is not MISSING, f"{name}.{attribute}"
            claims += symbol is not UNKNOWN
            signatures += accepts(table, symbol, value, f"{name}.{attribute}")
            if isinstance(symbol, Class) and isinstance(value, type):
                for member in (m for m in dir(value) if not m.startswith("_")):
                    found = table.attribute(Instance((symbol,)), member)
                    assert found is not MISSING, f"{name}.{attribute}.{member}"
                    members += found is not UNKNOWN
        assert table.lookup(f"{name}.surely_absent")[0] in {MISSING, UNKNOWN}
    assert claims
    assert signatures
    assert members


def accepts(table: SymbolTable, symbol: object, value: object, name: str) -> bool:
    """Asserts that no argument that a callable accepts is refused; returns whether any would be refused."""
    if not isinstance(symbol, Function | Class):
        return False
    signature = table.signature(symbol)
    if not signature.any_named:
        taken, rest = keywords(value)
        assert not rest, name
        assert taken <= signature.named, name
    return not signature.any_named


def keywords(value: object) -> tuple[set[str], bool]:
    """Returns the keywords that a callable accepts according to `inspect`, and whether it accepts any keyword."""
    try:
        parameters = inspect.signature(value).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return set(), False
    kinds = inspect.Parameter
    named = {p.name for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)}
    return named, any(p.kind is kinds.VAR_KEYWORD for p in parameters)


@pytest.fixture(scope="module")
def releases(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fury")
    for version in ("0.12.0", "2.0.0"):
        with tarfile.open(shared_data / "fury" / f"fury-v{version}-docs-and-source.tar.xz") as archive:
            archive.extractall(folder / version, **SAFELY)
    return folder


@pytest.mark.shared_data
class TestFury:
    """FURY changed its API between 0.12 and 2.0; its own examples show what each release accepts."""

    @staticmethod
    def kept(releases, examples, version):
        step = CheckCode("fury", path=releases / version)
        scripts = sorted((releases / examples / "docs" / "examples").rglob("*.py"))
        kept = [s.name for s in scripts if verdict(step, fence(s.read_text("utf-8"))) == "kept"]
        return kept, len(scripts)

    @pytest.mark.parametrize("version", ["0.12.0", "2.0.0"])
    def test_no_example_is_stale_in_its_own_release(self, releases, version):
        kept, scripts = self.kept(releases, version, version)
        assert len(kept) == scripts >= 40

    def test_most_examples_of_the_old_release_are_stale_in_the_new_one(self, releases):
        kept, scripts = self.kept(releases, "0.12.0", "2.0.0")
        assert len(kept) <= scripts // 20


class TestPositions:
    SOURCE = (
        "def plain(a, b=1, *, c=2): ...\n"
        "def first(a, /, b): ...\n"
        "def many(a, *rest): ...\n"
        "@warn_on_args_to_kwargs()\n"
        "def adapted(a, *, b=1): ...\n"
        "@traced\n"
        "def traced_one(a): ...\n"
        "class Named:\n    def __init__(self, *, scene=None): ...\n"
        "class Child(Named): ...\n"
        "class Static:\n    def __init__(self, size): ...\n"
    )

    @pytest.mark.parametrize(
        ("call", "stale"),
        [
            ("plain(1, 2, 3)", "plain(argument 3 without a name)"),
            ("first(1, 2, 3)", "first(argument 3 without a name)"),
            ("Named(scene)", "Named(argument 1 without a name)"),
            ("Child(scene)", "Child(argument 1 without a name)"),
            ("Static(1, 2)", "Static(argument 2 without a name)"),
        ],
    )
    def test_too_many_positional_arguments_are_stale(self, tmp_path, call, stale):
        step = package(tmp_path, shapes=self.SOURCE)
        code = f"from pack import shapes\nscene = 1\nshapes.{call}"
        assert verdict(step, fence(code)) == f"stale_argument: pack.shapes.{stale}"

    @pytest.mark.parametrize(
        "call",
        [
            "plain(1, 2, c=3)",
            "plain(*values, 4)",
            "first(1, 2)",
            "many(1, 2, 3)",
            "adapted(1, 2)",
            "traced_one(1, 2)",
            "Named(scene=1)",
            "Static(1)",
        ],
    )
    def test_fitting_or_unknown_positions_are_kept(self, tmp_path, call):
        step = package(tmp_path, shapes=self.SOURCE)
        assert verdict(step, fence(f"from pack import shapes\nvalues = []\nshapes.{call}")) == "kept"


def git(folder: Path, *arguments: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    who = ["-c", "user.name=A", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", folder, *who, *arguments], env=environment, check=True, capture_output=True)


def sdist(place: Path, release: str, folder: str) -> Path:
    with tarfile.open(place, "w:gz") as archive:
        archive.add(FIXTURES / release / "gallery", f"gallery-1.0/{folder}gallery")
    return place


def wheel(place: Path, release: str) -> Path:
    with zipfile.ZipFile(place, "w") as archive:
        for file in sorted((FIXTURES / release / "gallery").rglob("*.py*")):
            archive.write(file, file.relative_to(FIXTURES / release))
        archive.writestr("gallery-1.0.dist-info/METADATA", "Version: 1.0\n")
        archive.writestr("gallery/fast.cpython-311-x86_64-linux-gnu.so", b"")
    return place


class TestReleases:
    """A release is read as it is published: an archive, or a tag of a git repository."""

    CODES = (
        "import gallery\ngallery.actor.sphere([0], colors=1)",
        "import gallery.ui.elements\ngallery.ui.elements.Button('x', label='y')",
        "import gallery\ngallery.ui.Gone",
        "from gallery import actor\nactor.surely_absent()",
        "from gallery import window\nwindow.Scene(surely_absent=1)",
        "import gallery\ngallery.disk",
    )

    def verdicts(self, step: CheckCode) -> list[str]:
        return [verdict(step, fence(code)) for code in self.CODES]

    @pytest.fixture
    def expected(self):
        found = {"old": self.verdicts(OLD), "new": self.verdicts(NEW)}
        assert found["old"] != found["new"]
        return found

    @pytest.mark.parametrize("release", ["old", "new"])
    @pytest.mark.parametrize("folder", ["", "src/"])
    def test_an_sdist_says_what_its_folder_says(self, tmp_path, expected, release, folder):
        place = sdist(tmp_path / "gallery-1.0.tar.gz", release, folder)

        assert self.verdicts(CheckCode("gallery", path=place)) == expected[release]

    @pytest.mark.parametrize("release", ["old", "new"])
    def test_a_wheel_says_what_its_folder_says_and_nothing_of_compiled_code(
        self, tmp_path, expected, release
    ):
        step = CheckCode("gallery", path=wheel(tmp_path / "gallery-1.0-py3-none-any.whl", release))

        assert self.verdicts(step) == expected[release]
        assert verdict(step, fence("from gallery import fast\nfast.anything()")) == "kept"
        assert step.unread == ()

    @pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
    def test_a_tag_counts_whatever_the_working_tree_holds(self, tmp_path, expected):
        shutil.copytree(FIXTURES / "old", tmp_path / "checkout" / "src")
        root = tmp_path / "checkout"
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "one")
        git(root, "tag", "v1")
        shutil.rmtree(root / "src" / "gallery")
        shutil.copytree(FIXTURES / "new" / "gallery", root / "src" / "gallery")

        assert self.verdicts(CheckCode("gallery", path=root)) == expected["new"]
        for path in (root, root / "src", root / "src" / "gallery"):
            assert self.verdicts(CheckCode("gallery", path=path, revision="v1")) == expected["old"]
        with pytest.raises(KnowledgeError, match="has no revision 'v2'"):
            CheckCode("gallery", path=root, revision="v2")
        with pytest.raises(ConfigError, match="found no package 'museum' here"):
            CheckCode("museum", path=root, revision="v1")

    def test_a_module_by_itself_is_found_in_an_sdist(self, tmp_path):
        (tmp_path / "solo.py").write_text("def f(a): ...\n", "utf-8")
        with tarfile.open(tmp_path / "solo-1.0.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / "solo.py", "solo-1.0/solo.py")
            archive.add(tmp_path / "solo.py", "solo-1.0/setup.py")
        step = CheckCode("solo", path=tmp_path / "solo-1.0.tar.gz")

        assert verdict(step, fence("import solo\nsolo.f(a=1)")) == "kept"
        assert verdict(step, fence("import solo\nsolo.g()")) == "stale_code: solo.g"

    def test_nothing_is_claimed_of_what_an_archive_links_to(self, tmp_path):
        with tarfile.open(sdist(tmp_path / "old.tar.gz", "old", "")) as before:
            before.extractall(tmp_path, **SAFELY)
        (tmp_path / "gallery-1.0" / "gallery" / "outer.py").symlink_to("/etc/hostname")
        with tarfile.open(tmp_path / "gallery-1.1.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / "gallery-1.0", "gallery-1.1")
        step = CheckCode("gallery", path=tmp_path / "gallery-1.1.tar.gz")

        assert [(d.reason, d.where) for d in step.unread] == [("link_outside", "outer.py")]
        assert verdict(step, fence("from gallery import outer\nouter.gone()")) == "kept"

    def test_a_revision_without_a_repository_is_refused(self, tmp_path):
        (tmp_path / "gallery").mkdir()
        place = wheel(tmp_path / "gallery-1.0-py3-none-any.whl", "old")
        with pytest.raises(ConfigError, match="needs path="):
            CheckCode("gallery", revision="v1")
        with pytest.raises(ConfigError, match="not in a git repository"):
            CheckCode("gallery", path=tmp_path, revision="v1")
        with pytest.raises(ConfigError, match="leave revision= out"):
            CheckCode("gallery", path=place, revision="v1")
