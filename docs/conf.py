"""Sphinx configuration: warnings are errors, and every reference must resolve."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from sphinx.util.nodes import make_refnode

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
html_search_scorer = str(Path(__file__).parent / "scorer.js")
exclude_patterns = ["_build"]

nitpicky = True
nitpick_ignore_regex = [
    # Other projects' names; their inventories cannot be fetched without a network.
    (
        "py:.*",
        r"(msgspec|collections|concurrent|pathlib|datetime|typing|os|re|types|attr|attrs|hypothesis|enum|contextlib|pa|pd|pl)\..*",
    ),
    (
        "py:.*",
        r"(Path|datetime|timedelta|Mapping|Sequence|Iterable|Iterator|Callable|Any|Self|SearchStrategy|Collection)",
    ),
    (
        "py:.*",
        r"(StagedGroup|Literal|Unit|Split|Json|OnError|Wire|Role|T|furytune\.config\.deployments\.T|.*GeminiService|.*LiveForum|collections|os\.PathLike|attr.*)",
    ),
    ("py:.*", r"(str|int|float|bool|bytes|None|dict|list|tuple|set|object|optional|.*\|.*)"),
    ("py:.*", r".*\b_[A-Za-z].*"),
]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "py:obj"


def as_imported(name):
    """Returns `furytune.Pipeline.run` for `furytune.pipeline.Pipeline.run`: what one imports is what the pages name."""
    for exported, home in furytune._HOME.items():  # noqa: SLF001
        inner = f"furytune.{home}.{exported}"
        if name == inner or name.startswith(f"{inner}."):
            return f"furytune.{exported}" + name.removeprefix(inner)
    # `furytune.answering.Served` for `furytune.answering.current.Served`.
    package, _, rest = name.removeprefix("furytune.").partition(".")
    exported = rest.rpartition(".")[2]
    if exported in getattr(sys.modules.get(f"furytune.{package}"), "__all__", ()):
        return f"furytune.{package}.{exported}"
    return name


def resolve_short_name(app, env, node, contnode):
    """Finds `Dropped` or `PromptContract.load` by the end of its full name, where that is one object."""
    if node.get("refdomain") != "py":
        return None
    domain = env.domains["py"]
    target = as_imported(node["reftarget"])
    # An attribute is described with its class, so `QAPair.edits` leads to QAPair.
    for wanted in (target, target.rpartition(".")[0]):
        found = {
            n: o
            for n, o in domain.objects.items()
            if (n == wanted or n.endswith("." + wanted)) and not o.aliased
        }
        if wanted and len(found) == 1:
            ((name, entry),) = found.items()
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, name)
    return None


def setup(app):
    """Connects the resolver."""
    app.connect("missing-reference", resolve_short_name)


suppress_warnings = ["myst.header"]
