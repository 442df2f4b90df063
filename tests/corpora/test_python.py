"""Passages from Python source."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.corpora.python_package import python_package
from furytune.errors import ConfigError, KnowledgeError, SourceFormatError
from furytune.records import Dropped, Passage


@pytest.fixture
def package(tmp_path):
    """Writes the files of a package called ``pack`` and returns its folder."""

    def write(**files):
        root = tmp_path / "pack"
        root.mkdir(exist_ok=True)
        for name, text in {"__init__": "", **files}.items():
            target = root.joinpath(*name.split("__in__")).with_suffix(".py")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode("utf-8"))
        return root

    return write


def read(source, **options):
    return {p.id: p for p in python_package(source, **options) if isinstance(p, Passage)}


def drops(source, **options):
    return [d for d in python_package(source, **options) if isinstance(d, Dropped)]


class TestSymbols:
    def test_a_function_has_its_signature_and_docstring(self, package):
        root = package(
            actor='''
            @deprecated("2.0", since=1)
            @other
            async def sphere(centers: list[float], /, colors=(1, 0, 0), *, radii: float = 1.0, **more) -> Actor:
                """Draw spheres.

                    Indented more.
                Less.
                """
                return 1
            '''
        )
        (sphere,) = read(root).values()

        assert sphere.id == sphere.title == "pack.actor.sphere"
        assert sphere.source == "pack/actor.py:2-10"
        assert sphere.text == (
            "@deprecated('2.0', since=1)\n@other\nasync def sphere(centers: list[float], /, colors=(1, 0, 0), *,"
            " radii: float=1.0, **more) -> Actor\n\nDraw spheres.\n\n    Indented more.\nLess."
        )

    def test_a_written_signature_parses_to_the_same_one(self, package):
        """Any signature, followed by a body, parses to the same signature."""
        root = package(
            m="""
            def f(a, b=[1, "x"], *args: "int", c, d=lambda q: q + 1, **kw): ...
            class C(Base[int], metaclass=M, key="v"): ...
            @a.b(c)
            def g() -> "D | None": ...
            def h(x=f"{1!r:>{2}}"): ...
            """
        )
        for found in read(root).values():
            compile(f"{found.text}: pass", "head", "exec")

    def test_a_function_without_docstring_has_only_its_signature(self, package):
        found = read(package(m="def f(a): pass\nclass C: pass\n"))

        assert {"def f(a)", "class C"} == {p.text for p in found.values()}
        assert not any("None" in p.text for p in found.values())

    def test_later_methods_belong_to_the_outer_class(self, package):
        found = read(
            package(
                m="""
                class Outer:
                    def first(self): pass
                    class Inner:
                        def deep(self): pass
                    def later(self): pass
                """
            )
        )

        assert list(found) == [
            "pack.m.Outer",
            "pack.m.Outer.first",
            "pack.m.Outer.Inner",
            "pack.m.Outer.Inner.deep",
            "pack.m.Outer.later",
        ]

    def test_symbols_defined_twice_differ_by_a_digest(self, package):
        found = read(
            package(
                m="""
                if WINDOWS:
                    def f(a): pass
                else:
                    def f(b): pass
                try:
                    import x
                except ImportError:
                    def g(): pass
                """
            )
        )
        first, second, third = found

        assert (first, third) == ("pack.m.f", "pack.m.g")
        assert re.fullmatch(r"pack\.m\.f~[0-9a-f]{8}", second)
        assert found[second].text == "def f(b)"
        assert found[second].title == "pack.m.f"

    def test_overloads_and_accessors_make_one_passage(self, package):
        found = read(
            package(
                m="""
                @overload
                def f(a: int) -> int: ...
                @typing.overload
                def f(a: str) -> str: ...
                def f(a):
                    "Give it back."
                    return a
                class C:
                    @property
                    def v(self):
                        "The value."
                    @v.setter
                    def v(self, value):
                        "Sets it."
                    def w(self): pass
                """
            )
        )

        assert list(found) == ["pack.m.f", "pack.m.C", "pack.m.C.v", "pack.m.C.w"]
        assert found["pack.m.f"].text == (
            "@overload\ndef f(a: int) -> int\n@typing.overload\ndef f(a: str) -> str\ndef f(a)\n\nGive it back."
        )
        assert found["pack.m.f"].source == "pack/m.py:2-8"
        assert found["pack.m.C.v"].text == (
            "@property\ndef v(self)\n@v.setter\ndef v(self, value)\n\nThe value.\n\nSets it."
        )

    def test_ids_do_not_change_with_other_definitions(self, package):
        doc = "\n\n    ".join(f"{'word ' * 50}p{i}." for i in range(20))
        source = f"def f():\n    'One.'\ndef g(): pass\ndef h():\n    '''{doc}'''\n"
        before = {i: p.text for i, p in read(package(m=source)).items()}
        after = {i: p.text for i, p in read(package(m="import x\ndef new(): 'N.'\n" + source)).items()}

        assert len(before) > 4
        assert before.items() <= after.items()

    def test_classes_show_fields_and_enums_show_members(self, package):
        found = read(
            package(
                m="""
                @frozen
                class Point:
                    "A point."
                    x: float
                    y: float = field(default=0.0)
                    _z: int = 1
                    w = 2
                class Colour(enum.Enum):
                    RED = 1
                    BLUE = auto()
                """
            )
        )

        assert found["pack.m.Point"].text == (
            "@frozen\nclass Point\n    x: float\n    y: float = field(default=0.0)\n\nA point."
        )
        assert found["pack.m.Colour"].text == "class Colour(enum.Enum)\n    RED = 1\n    BLUE = auto()"

    def test_long_values_are_shortened(self, package):
        table = ", ".join(map(str, range(200)))
        deep = "+".join("1" * 700)
        found = read(package(m=f"class C({deep}):\n    a: int\n"))
        assert found["pack.m.C"].text == "class C(...)"

        found = read(package(m=f"class C:\n    a: int = [{table}]\n    b: {deep} = 1\n    c: str\n"))
        assert found["pack.m.C"].text == "class C\n    a: int\n    c: str"

    def test_split_code_in_a_docstring_is_counted(self, package):
        root = package(m='def f():\n    r"""Sum::\n\n' + "        x = 1\n\n" * 100 + '    End.\n    """\n')

        (note,) = [d for d in drops(root, max_tokens=60) if d.reason == "cut_code_block"]
        assert (note.unit, note.where) == ("record", "pack/m.py")
        assert sum(p.text.count("x = 1") for p in read(root, max_tokens=60).values()) == 100

    def test_a_docstring_with_escaped_line_ends_has_the_lines_of_the_function(self, package):
        root = package(m='def f():\n    "' + "word\\n\\n" * 300 + '"\n')
        first, *others = read(root, max_tokens=60).values()

        assert others
        assert {p.source for p in others} == {first.source} == {"pack/m.py:1-2"}

    def test_a_shorter_public_name_comes_first(self, package):
        root = package(
            __init__="from pack._impl import shown as offered, other as _private\nfrom .sub import *\nfrom os import path\n",
            _impl="def shown(): pass\ndef other(): pass\n",
            sub__in____init__="from ._deep import star\n__all__ = ['star']\n",
            sub__in___deep="def star(): pass\n",
        )
        found = read(root)

        assert found["pack._impl.shown"].text == "# pack.offered\ndef shown()"
        assert found["pack._impl.other"].text == "def other()"
        assert found["pack.sub._deep.star"].text == "# pack.sub.star\ndef star()"

    def test_names_in_all_are_always_public(self, package):
        names = "__all__ = ['_shown']\n__all__ += ['_too']\n"
        root = package(m=f"{names}def _shown(): pass\ndef _too(): pass\ndef _not(): pass\n")

        assert list(read(root)) == ["pack.m._shown", "pack.m._too"]

    def test_roles_in_docstrings_are_readable(self, package):
        (found,) = read(package(m='def f():\n    """See :func:`~pack.m.g` and ``:x:`y```."""\n')).values()

        assert found.text == "def f()\n\nSee pack.m.g and ``:x:`y```."

    def test_functions_inside_functions_are_left_out(self, package):
        assert list(read(package(m="def f():\n    def g(): pass\n    class C: pass\n"))) == ["pack.m.f"]

    def test_a_module_passage_is_its_docstring(self, package):
        found = read(package(__init__='"""The pack."""\n', m='\n"""Two\n\nlines."""\nx = 1\n'))

        assert {p.title: p.text for p in found.values()} == {"pack": "The pack.", "pack.m": "Two\n\nlines."}
        assert found["pack.m"].source == "pack/m.py:2-4"

    def test_private_names_are_counted_unless_included(self, package):
        root = package(
            _m="def f(): pass\ndef _g(): pass\nclass _C:\n    def h(self): pass\n    def __init__(self): pass\n"
        )

        assert list(read(root)) == ["pack._m.f"]
        assert [(d.count, d.where) for d in drops(root) if d.reason == "private"] == [(2, "pack/_m.py")]
        assert "pack._m._C.__init__" in read(root, private=True)
        assert not [d for d in drops(root, private=True) if d.reason == "private"]

    def test_parts_of_a_long_docstring_have_their_own_lines(self, package):
        doc = "Sum.\n\n    " + "\n\n    ".join(f"{'word ' * 20}p{i}." for i in range(30))
        root = package(m=f'\ndef f(a):\n    """{doc}\n    """\n    return a\n')
        lines = (root / "m.py").read_text().split("\n")
        found = list(read(root, max_tokens=150).values())

        assert len(found) > 5
        assert found[0].text.startswith("def f(a)\n\nSum.")
        assert {p.title for p in found} == {"pack.m.f"}
        for i in range(30):
            (holder,) = [p for p in found if f" p{i}." in p.text]
            start, _, end = holder.source.partition(":")[2].partition("-")
            assert any(f" p{i}." in line for line in lines[int(start) - 1 : int(end)])
        assert all(len(p.text) <= 450 for p in found)

    def test_a_url_has_path_and_lines(self, package):
        root = package(m="\ndef f(): pass\n")
        (found,) = read(root, url="https://example.org/v1/{path}#L{start}-L{end}").values()

        assert found.url == "https://example.org/v1/pack/m.py#L2-L2"
        with pytest.raises(ConfigError, match=r"\{line\}"):
            python_package(root, url="x#{line}")

    @given(st.recursive(st.just([]), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=12))
    def test_ids_are_unique_at_any_nesting(self, tmp_path_factory, tree):
        def source(children, depth):
            pad = "    " * depth
            for i, child in enumerate(children):
                yield f"{pad}class C{i % 2}:\n"
                yield from source(child, depth + 1)
                yield f"{pad}    def f(self): pass\n"

        folder = tmp_path_factory.mktemp("nested")
        (folder / "m.py").write_text("".join(source(tree, 0)) + "def end(): pass\n")
        items = [p for p in python_package(folder) if isinstance(p, Passage)]

        assert len({p.id for p in items}) == len(items)
        assert items == [p for p in python_package(folder) if isinstance(p, Passage)]


class TestFiles:
    def test_files_that_do_not_parse_are_dropped_with_their_line(self, package):
        root = package(bad="x = 1\ndef f(:\n    pass\n", good="def f(): pass\n")

        with pytest.raises(SourceFormatError, match=r"pack/bad\.py:2:\d+: .*on_error") as caught:
            read(root, on_error="raise")
        assert (caught.value.path, caught.value.line) == ("pack/bad.py", 2)
        assert list(read(root)) == ["pack.good.f"]
        assert ("not_python", "file", "pack/bad.py:2") in [(d.reason, d.unit, d.where) for d in drops(root)]

    @pytest.mark.parametrize(
        "content",
        [
            b"print 'two'\n",
            b"x = '\xff'\n",
            b"\0\n",
            b"(" * 5000,
            b"# -*- coding: nonsense -*-\n",
            b"  x\n y\n",
        ],
    )
    def test_anything_that_is_not_python_is_skipped(self, package, content):
        root = package(bad=content, good="def f(): pass\n")

        assert list(read(root)) == ["pack.good.f"]

    def test_encodings_and_line_ends_are_read_like_python_does(self, package):
        root = package(
            a='# -*- coding: latin-1 -*-\ndef f():\n    """Größe"""\n'.encode("latin-1"),
            b='\ufeffdef f():\r\n    """One\r\n\r\n    two 日本"""\r\n'.encode(),
        )
        found = read(root)

        assert found["pack.a.f"].text.endswith("Größe")
        assert found["pack.b.f"].text.endswith("One\n\ntwo 日本")

    def test_a_default_too_deep_to_write_is_shortened(self, package):
        root = package(m=f"def f(a={'+'.join('1' * 700)}): pass\ndef g(): pass\n")

        assert [p.text for p in read(root).values()][-1:] == ["def g()"]

    def test_a_script_in_another_encoding_is_a_module(self, tmp_path):
        text = '# -*- coding: latin-1 -*-\n"""\nGröße\n=====\n"""\ndef f(): pass\n'
        (tmp_path / "m.py").write_bytes(text.encode("latin-1"))

        assert list(read(tmp_path)) == ["m", "m.f"]

    def test_invalid_escapes_show_no_warning(self, package):
        assert read(package(m='def f():\n    "\\d"\n'))

    def test_test_files_are_counted_unless_included(self, package):
        root = package(
            m="def f(): pass\n",
            tests__in__helpers="def h(): pass\n",
            test_m="def t(): pass\n",
            m_test="def t(): pass\n",
            conftest="def c(): pass\n",
            testing="def p(): pass\n",
        )

        assert sorted(read(root)) == ["pack.m.f", "pack.testing.p"]
        assert [(d.unit, d.count) for d in drops(root) if d.reason == "test_file"] == [("file", 4)]
        assert "pack.tests.helpers.h" in read(root, tests=True)
        assert list(read(root / "tests")) == ["helpers.h"] or list(read(root / "tests")) == ["helpers.h"]

    def test_a_folder_of_packages_uses_their_own_names(self, tmp_path, package):
        package(m="def f(): pass\n", sub__in____init__="", sub__in__n="def g(): pass\n")
        (tmp_path / "loose.py").write_text("def h(): pass\n")
        (tmp_path / ".hidden").mkdir()
        (tmp_path / ".hidden" / "x.py").write_text("def no(): pass\n")
        found = read(tmp_path)

        assert sorted(found) == ["loose.h", "pack.m.f", "pack.sub.n.g"]
        assert found["pack.m.f"].source == "pack/m.py:1-1"
        assert {"pack.sub.n.g"} == set(read(tmp_path / "pack" / "sub"))
        assert {"pack.m.f"} == set(read(tmp_path / "pack" / "m.py"))

    def test_nothing_to_read_is_an_error(self, tmp_path):
        for source in (tmp_path, tmp_path / "absent", "no_such_package_anywhere", ""):
            with pytest.raises(KnowledgeError):
                python_package(source)
        with pytest.raises(ConfigError, match="on_error"):
            python_package(tmp_path, on_error="ignore")
