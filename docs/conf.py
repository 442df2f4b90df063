"""Sphinx configuration: warnings are errors, and every reference must resolve."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import furytune

project = "furytune"
author = "The furytune maintainers"
copyright = "2026, the furytune maintainers"
release = furytune.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "furytune"
exclude_patterns = ["_build"]

nitpicky = True
nitpick_ignore_regex = [
    # Other projects' names; their inventories cannot be fetched without a network.
    ("py:.*", r"(collections|pathlib|datetime|typing|os|re|types|attr|attrs|hypothesis|enum|contextlib)\..*"),
    ("py:.*", r"(Path|datetime|Mapping|Sequence|Iterable|Iterator|Callable|Any|Self|SearchStrategy|Collection)"),
    ("py:.*", r"(Literal|Unit|Split|Json|OnError|Wire|Role|T|Curator|Fitted|collections|os\.PathLike|attr.*)"),
    ("py:.*", r"(str|int|float|bool|bytes|None|dict|list|tuple|set|object|optional|.*\|.*)"),
    ("py:.*", r".*\b_[a-z].*"),
]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "py:obj"
suppress_warnings = ["myst.header"]
