"""Passages from installed packages, found by name."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import furytune
from furytune.corpora.python_package import python_package
from furytune.errors import KnowledgeError
from furytune.records import Passage


def read(source):
    return {p.id: p for p in python_package(source) if isinstance(p, Passage)}


class TestInstalled:
    def test_a_package_is_read_by_name_without_importing_it(self):
        code = (
            "import sys\n"
            "from furytune.corpora.python_package import python_package\n"
            "found = [p for p in python_package('wsgiref') if hasattr(p, 'title')]\n"
            "assert any(p.title == 'wsgiref.simple_server.make_server' for p in found)\n"
            "assert 'wsgiref' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_sub_packages_and_single_modules_keep_their_full_names(self):
        assert "xml.etree.ElementTree.Element.find" in read("xml.etree")
        assert read("xml.etree")["xml.etree.ElementTree"].source.startswith("xml/etree/ElementTree.py:")
        assert "textwrap.dedent" in read("textwrap")
        assert read("textwrap")["textwrap.dedent"].source.startswith("textwrap.py:")

    def test_an_installed_dependency_can_be_read(self):
        import attr

        found = read("attr")
        documented = {n for n in ("asdict", "astuple", "evolve", "fields") if getattr(attr, n).__doc__}

        assert documented <= {p.title.rpartition(".")[2] for p in found.values()}

    def test_the_version_is_that_of_the_distribution_or_empty(self):
        python, attrs = platform.python_version(), metadata.version("attrs")

        assert all(p.source.endswith(f"@{python}") for p in read("json").values())
        assert all(p.source.endswith(f"@{attrs}") for p in read("attr").values())
        editable = not Path(furytune.__file__).is_relative_to(
            metadata.distribution("furytune").locate_file("")
        )
        own = next(p for p in python_package("furytune") if isinstance(p, Passage))
        assert editable is not ("@" in own.source)

    def test_a_compiled_module_has_no_source_to_read(self):
        with pytest.raises(KnowledgeError, match="without Python source"):
            python_package("_json" if "_json" not in sys.builtin_module_names else "sys")

    def test_a_distribution_name_leads_to_its_package(self):
        with pytest.raises(KnowledgeError, match=r"provides .*yaml|install it"):
            python_package("PyYAML-of-nobody")
        with pytest.raises(KnowledgeError, match=r"provides .*_pytest"):
            python_package("PyTest")
