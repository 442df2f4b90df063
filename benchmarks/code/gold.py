"""Makes answers whose truth is known, from two releases of a package that are really imported.

Both releases are installed into folders, without touching the environment:

    pip install --target old numpy==1.26.4
    pip install --target new "numpy<2.4"
    python benchmarks/code/gold.py numpy old new gold.jsonl

Each answer uses some names of the older release in a form that people use in chats. Its label is what the newer release
really does with it: each name is imported, and each call is bound to the real signature.

    works         everything exists, and each call binds
    stale         something is missing, or a call does not bind
    compiled      so too, but what is missing belongs to compiled code, of which no source says so
    prose         there is no Python

No text of a package is copied: answers consist of names and arguments.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import pkgutil
import random
import subprocess
import sys
import warnings
from pathlib import Path

SKIPPED = (
    "test",
    "conftest",
    "__main__",
    "setup",
    "distutils",
    "f2py",
    "_pyinstaller",
    "sphinxext",
    "backends",
)
HIDDEN = {"annotations", "TYPE_CHECKING"}


def modules(top: str) -> list[str]:
    """Returns the public modules of a package."""
    package = importlib.import_module(top)
    found = [top]
    for info in pkgutil.walk_packages(getattr(package, "__path__", []), f"{top}.", onerror=lambda _: None):
        parts = info.name.split(".")
        if any(p.startswith("_") or p.startswith(SKIPPED) for p in parts) or len(parts) > 4:
            continue
        found.append(info.name)
    return found


def inventory(top: str) -> dict:
    """Returns the public functions and classes of each public module, with their parameters and methods."""
    found: dict[str, dict] = {}
    for name in modules(top):
        try:
            module = importlib.import_module(name)
        except BaseException:  # noqa: BLE001  # an optional dependency
            continue
        names = {}
        offered = getattr(module, "__all__", None)
        for attribute in dir(module):
            if attribute.startswith("_") or attribute in HIDDEN or (offered and attribute not in offered):
                continue
            try:
                value = getattr(module, attribute)
            except BaseException:  # noqa: BLE001
                continue
            own = getattr(value, "__module__", top) or top
            if inspect.ismodule(value) or not str(own).startswith(top):
                continue
            names[attribute] = described(value)
        found[name] = names
    return found


def described(value: object) -> dict:
    """Describes a function, class or value."""
    entry: dict = {"kind": "class" if isinstance(value, type) else "function" if callable(value) else "value"}
    entry["parameters"] = parameters(value)
    if isinstance(value, type):
        entry["methods"] = {
            m: parameters(
                member, skip=not isinstance(inspect.getattr_static(value, m), (classmethod, staticmethod))
            )
            for m in dir(value)
            if not m.startswith("_") and callable(member := getattr(value, m, None))
        }
    return entry


def parameters(value: object, *, skip: bool = False) -> list | None:
    try:
        found = [*inspect.signature(value).parameters.values()]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, p.default is not p.empty] for p in found[1 if skip else 0 :]]


# --- the newer release decides


def compiled(value: object) -> bool:
    """Returns whether something is compiled, so that no source describes it."""
    if inspect.ismodule(value):
        return not str(getattr(value, "__file__", "") or "").endswith(".py")
    try:
        return inspect.getsourcefile(value) is None  # type: ignore[arg-type]
    except TypeError:
        return True


def outcome(use: dict) -> str:
    """Returns what the imported package does with one use: "works", "stale" or "compiled"."""
    path = use["path"]
    value: object = None
    try:
        value = importlib.import_module(use["module"])
    except ImportError:
        return "stale"
    if use.get("star"):
        scope: dict = {}
        exec(f"from {use['module']} import *", scope)
        if path[0] not in scope:
            return "stale"
    for name in path:
        before = value
        try:
            value = getattr(value, name)
        except AttributeError:
            if isinstance(before, type) and hasattr(before, "__getattr__"):
                try:
                    return "works" if hasattr(before(), name) else "stale"
                except Exception:  # noqa: BLE001
                    return "unknown"
            return "compiled" if compiled(before) else "stale"
        except ImportError:
            return "stale"
    for on, args, keywords, needs_self in use["calls"]:
        target = importlib.import_module(use["module"])
        for name in on:
            target = getattr(target, name)
        owner = use["path"][:-1] if needs_self else []
        static = False
        if needs_self:
            holder = importlib.import_module(use["module"])
            for name in owner:
                holder = getattr(holder, name)
            static = isinstance(inspect.getattr_static(holder, on[-1]), (classmethod, staticmethod))
        try:
            signature = inspect.signature(target)
        except (TypeError, ValueError):
            return "compiled" if keywords else "works"
        try:
            signature.bind(
                *([object()] if needs_self and not static else []),
                *[object()] * args,
                **dict.fromkeys(keywords),
            )
        except TypeError:
            return "compiled" if compiled(inspect.unwrap(target)) else "stale"
    return "works"


def tried(use: dict) -> str:
    """Returns the outcome of a use, "unknown" if looking at it fails."""
    try:
        return outcome(use)
    except Exception:  # noqa: BLE001  # a package may raise anything
        return "unknown"


# --- answers


def call(parameters: list | None, rng: random.Random, *, keywords: bool) -> tuple[int, list[str]]:
    """Returns a call that fits some parameters: how many positional arguments, and which keyword arguments."""
    if parameters is None:
        return 0, []
    place = [p for p in parameters if p[1] in {"POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD"}]
    needed = [p for p in place if not p[2]]
    named = [p[0] for p in parameters if p[1] in {"POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY"}]
    required = [p[0] for p in parameters if p[1] == "KEYWORD_ONLY" and not p[2]]
    extra = rng.choice((0, 0, 0, 1)) if len(place) > len(needed) else 0
    args = len(needed) + extra
    free = [n for n in named if n not in {p[0] for p in place[:args]} and n not in required]
    chosen = rng.sample(free, min(len(free), rng.choice((1, 1, 2)))) if keywords else []
    return args, [*required, *chosen]


def written(name: str, args: int, keywords: list[str]) -> str:
    values = ["a", "b", "c", "d", "e", "f", "g", "h"]
    parts = [values[i % 8] for i in range(args)] + [f"{k}={values[i % 8]}" for i, k in enumerate(keywords)]
    return f"{name}({', '.join(parts)})"


def use_of(module: str, name: str, entry: dict, rng: random.Random, kind: str) -> dict | None:
    """Returns one use of a name, as lines of code and as what has to be checked."""
    keywords = kind == "argument"
    if kind == "method":
        methods = [*(entry.get("methods") or {})]
        if not methods or entry["parameters"] is None:
            return None
        method = entry.get("chosen") or rng.choice(methods)
        args, named = call(entry["parameters"], rng, keywords=False)
        margs, mnamed = call(entry["methods"][method], rng, keywords=rng.random() < 0.5)
        return {
            "module": module,
            "path": [name, method],
            "calls": [[[name], args, named, False], [[name, method], margs, mnamed, True]],
            "code": [f"x = {{}}{written('', args, named)}", f"x.{written(method, margs, mnamed)}"],
        }
    if entry["kind"] == "value":
        return {"module": module, "path": [name], "calls": [], "code": ["x = {}"]}
    args, named = call(entry["parameters"], rng, keywords=keywords)
    if entry.get("chosen"):
        named = [*dict.fromkeys([*named, entry["chosen"]])]
        args = min(args, [p[0] for p in entry["parameters"]].index(entry["chosen"]))
    return {
        "module": module,
        "path": [name],
        "calls": [[[name], args, named, False]],
        "code": [f"x = {{}}{written('', args, named)}"],
    }


def answer(uses: list[dict], top: str, rng: random.Random) -> tuple[str, str]:
    """Writes an answer in one of the forms that people use."""
    short = {"numpy": "np", "pandas": "pd", "networkx": "nx"}.get(top, top[:2])
    imports, lines = [], []
    style = rng.choice(("alias", "from", "full", "sub", "star"))
    if style == "star" and len({use["module"] for use in uses}) > 1:
        style = "from"
    for use in uses:
        module, name = use["module"], use["path"][0]
        if style == "from":
            imports.append(f"from {module} import {name}")
            reached = name
        elif style == "star" and use.get("exported"):
            imports.append(f"from {module} import *")
            use["star"] = True
            reached = name
        elif style == "alias" and module == top:
            imports.append(f"import {top} as {short}")
            reached = f"{short}.{name}"
        elif style == "sub" and module != top:
            leaf = module.rpartition(".")[2]
            imports.append(f"from {module.rpartition('.')[0]} import {leaf} as {leaf}_")
            reached = f"{leaf}_.{name}"
        else:
            imports.append(f"import {module}")
            reached = f"{module}.{name}"
        lines += [line.replace("{}", reached) for line in use["code"]]
    imports = [*dict.fromkeys(imports)]
    code = [*imports, *lines]
    form = rng.choice(
        (
            "fence",
            "fence",
            "fence",
            "bare",
            "doctest",
            "fenced doctest",
            "ipython",
            "indented",
            "diff",
            "function",
            "shell",
            "inline",
            "two",
        )
    )
    text = "\n".join(code)
    if form == "inline" and (any(len(u["code"]) > 1 for u in uses) or style == "star"):
        form = "fence"
    if form == "bare":
        return form, f"try\n```\n{text}\n```"
    if form == "doctest":
        return form, "This works here:\n\n" + "\n".join(f">>> {line}" for line in code) + "\n42\n"
    if form == "fenced doctest":
        return form, "```pycon\n" + "\n".join(f">>> {line}" for line in code) + "\n'out'\n```"
    if form == "ipython":
        cells = "\n\n".join(f"In [{i}]: {line}" for i, line in enumerate(code, 1))
        return form, f"```\n{cells}\nOut[{len(code)}]: 42\n```"
    if form == "indented":
        return form, "You can do it like so:\n\n" + "\n".join(
            f"    {line}" for line in code
        ) + "\n\nHope that helps."
    if form == "diff":
        removed = [f"-x = {top}.surely_gone_name(1)"]
        body = [f" {line}" for line in imports] + removed + [f"+{line}" for line in lines]
        return form, "```diff\n" + "\n".join(body) + "\n```"
    if form == "function":
        inner = "\n".join(f"    {line}" for line in lines)
        return form, "```py\n" + "\n".join(
            imports
        ) + f"\n\ndef main(a, b, c, d, e, f, g, h):\n{inner}\n    return x\n```"
    if form == "shell":
        return form, f"```python\n!pip install -U {top}\n%matplotlib inline\n{text}\n```"
    if form == "inline":
        pieces = [line.removeprefix("x = ") for line in lines]
        return form, "`" + "`, `".join(imports) + "` first. Then call `" + "` and `".join(pieces) + "`."
    if form == "two":
        return form, "First\n```py\n" + "\n".join(imports) + "\n```\nand then\n```py\n" + "\n".join(
            lines
        ) + "\n```"
    return form, f"Here you go:\n```python\n{text}\n```\nCheers"


def decoys(top: str, gone: list[tuple[str, str]], rng: random.Random) -> list[tuple[str, str, str]]:
    """Returns answers that must not be called stale, although they contain names that are gone."""
    if not gone:
        return []
    module, name = rng.choice(gone)
    return [
        (
            "guarded",
            f"```py\ntry:\n    from {module} import {name}\nexcept ImportError:\n    {name} = None\n```",
            "works",
        ),
        ("shadowed", f"```py\nimport {top}\n\ndef f({top}):\n    return {top}.{name}(1)\n```", "works"),
        ("rebound", f"```py\nimport {top}\n{top} = object()\n{top}.{name}\n```", "works"),
        ("removed", f"`{module}.{name}` was removed, so update your code.", "prose"),
        ("other", f"```bash\npython -c 'import {module}; {module}.{name}'\n```", "prose"),
        ("comment", f"```py\nimport {top}\n# {module}.{name}()\nprint({top})\n```", "works"),
        ("own", f"```py\nclass A:\n    def {name}(self): ...\n\nx = A()\nx.{name}()\n```", "works"),
        ("text", f"No idea, maybe {name} in the docs?", "prose"),
    ]


def make(top: str, old: str, new: str, count: int, seed: int) -> list[dict]:
    """Returns answers with labels."""
    rng = random.Random(seed)
    before, after = (asked(folder, "inventory", top) for folder in (old, new))
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    everything = [(m, n, e) for m, names in before.items() for n, e in names.items()]
    gone = [(m, n, e) for m, n, e in everything if n not in after.get(m, {})]
    kept = [(m, n, e) for m, n, e in everything if n in after.get(m, {})]
    changed = []
    methods = []
    for m, n, e in kept:
        now = after[m][n]
        if e["parameters"] and now["parameters"] is not None:
            names = {p[0] for p in now["parameters"]}
            if "VAR_KEYWORD" not in {p[1] for p in now["parameters"]}:
                lost = [
                    p[0]
                    for p in e["parameters"]
                    if p[0] not in names and p[1] in {"POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY"}
                ]
                changed += [(m, n, {**e, "chosen": lost_one}) for lost_one in lost]
        for method in e.get("methods") or {}:
            if method not in (now.get("methods") or {}):
                methods.append((m, n, {**e, "chosen": method}))
    drafts = []
    while len(drafts) < count:
        pool = rng.choice(
            ("gone", "gone", "kept", "kept", "kept", "changed", "methods", "calls", "kept methods")
        )
        source = {"gone": gone, "changed": changed, "methods": methods}.get(pool, kept)
        if not source:
            source = kept
        kind = {
            "methods": "method",
            "kept methods": "method",
            "changed": "argument",
            "calls": "argument",
        }.get(pool, "name")
        # People use what the package itself offers more than the names of its inner modules.
        shown = [one for one in source if one[0] == top]
        picked = [(*rng.choice(shown if shown and rng.random() < 0.5 else source), kind)]
        for _ in range(rng.choice((0, 1, 2, 3))):
            picked.append((*rng.choice(kept), rng.choice(("name", "argument", "method"))))
        rng.shuffle(picked)
        uses = []
        for m, n, e, k in picked:
            found = use_of(m, n, e, rng, k if e["kind"] == "class" or k != "method" else "name")
            if found:
                # Only what the older release exports by `*` may be used through it.
                found["exported"] = True
                uses.append(found)
        if uses:
            form, text = answer(uses, top, rng)
            drafts.append({"answer": text, "form": form, "uses": uses, "pool": pool})
    for folder in (old, new):
        truths = asked(folder, "truth", top, [d["uses"] for d in drafts])
        for draft, found in zip(drafts, truths, strict=True):
            draft["old" if folder == old else "new"] = found
    gold = []
    for draft in drafts:
        # What did not work in the older release is not an answer that someone gave then.
        if {*draft["old"]} - {"works", "compiled"}:
            continue
        results = {*draft["new"]}
        if "unknown" in results:
            continue
        label = "stale" if "stale" in results else "compiled" if "compiled" in results else "works"
        gold.append({"answer": draft["answer"], "form": draft["form"], "pool": draft["pool"], "label": label})
    names = [(m, n) for m, n, _ in gone]
    for _ in range(max(count // 40, 1)):
        gold += [
            {"answer": a, "form": f, "pool": "decoy", "label": label}
            for f, a, label in decoys(top, names, rng)
        ]
    return gold


def asked(folder: str, what: str, top: str, uses: object = None) -> object:
    """Runs this file in another process, with one release on its path."""
    code = [sys.executable, __file__, "--child", what, top, folder]
    done = subprocess.run(code, input=json.dumps(uses), capture_output=True, text=True, check=True)
    return json.loads(done.stdout.rpartition("\x1e")[2])


def child(what: str, top: str, folder: str) -> None:
    sys.path.insert(0, str(Path(folder).absolute()))
    warnings.simplefilter("ignore")
    given = json.load(sys.stdin)
    result = inventory(top) if what == "inventory" else [[tried(u) for u in uses] for uses in given]
    sys.stdout.write("\x1e" + json.dumps(result))


def main() -> None:
    """Writes the labelled answers."""
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:5])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("package")
    parser.add_argument("old", help="folder with the older release")
    parser.add_argument("new", help="folder with the newer release")
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    gold = make(options.package, options.old, options.new, options.count, options.seed)
    options.out.write_text("".join(json.dumps(g) + "\n" for g in gold), "utf-8")
    labels = [g["label"] for g in gold]
    print(options.package, {label: labels.count(label) for label in sorted({*labels})})


if __name__ == "__main__":
    main()
