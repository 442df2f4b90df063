"""Looks at what is in a folder, and writes the settings file that fits it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import tomli_w
from attrs import frozen

from furytune._chat_files.platforms import Found, find_chat
from furytune._privacy.ids import PLATFORMS
from furytune._privacy.printable import one_line, printable
from furytune._storage.durable import make_folder, write_file
from furytune._storage.manifests import manifest_path
from furytune.config.schema import schema
from furytune.errors import ConfigError

__all__ = ["DEMO", "SCHEMA", "Draft", "draft", "write_draft"]

SCHEMA = "furytune.schema.json"
_DECISIONS = "review.jsonl"
DEMO = "furytune-demo.txt"
"""A file that marks the folder of a demo."""


_DOCS = (".md", ".markdown", ".mdx", ".rst", ".ipynb", ".html", ".htm")
_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".jsonl")
_SKIPPED = {"node_modules", "__pycache__", "site-packages", "build", "dist", "venv", "env"}
_ASIDE = {"tests", "test", "docs", "examples", "benchmarks"}
_MOST = 20_000
"""How many files of a folder are looked at."""
_CHANNELS = 40
_OURS = re.compile(rb'<meta name="generator" content="furytune">|^{"format":"furytune-review/')
_EXPORT = re.compile(r'\s*\{\s*"(?:guild|channel)"\s*:')


@frozen(kw_only=True)
class Draft:
    """A settings file that fits what was found.

    Attributes:
        text: The file: TOML with comments.
        found: One line for each thing that was found.
        missing: One line for each thing that you have to add before the first run.
    """

    text: str
    found: tuple[str, ...]
    missing: tuple[str, ...]


@frozen(kw_only=True)
class _Found:
    """What is in the folders."""

    exports: tuple[Path, ...] = ()
    chats: tuple[tuple[str, Path], ...] = ()
    channels: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()
    docs: tuple[Path, ...] = ()
    html: bool = False
    packages: tuple[Path, ...] = ()
    journal: str = ""
    token: bool = False
    rag: bool = False
    project: str = ""
    community: str = ""


def draft(
    *folders: str | os.PathLike[str],
    base: str | os.PathLike[str] = ".",
    environment: Mapping[str, str] | None = None,
) -> Draft:
    """Writes a settings file for exports, documentation and packages.

    Args:
        folders: What to look at: folders and files. Without any, the folders below ``base``.
        base: The folder of the settings file; paths in it are relative to it.
        environment: Tells whether there is a bot's token; None means that of the process.

    Raises:
        ConfigError: A folder does not exist.
    """
    root = Path(base)
    places = [Path(folder) for folder in folders]
    for place in places:
        if not place.exists():
            raise ConfigError(
                f"{printable(place)}: this does not exist; give folders of exports or documentation"
            )
    found = _look(places or _below(root), os.environ if environment is None else environment)
    return Draft(text="".join(_lines(found, root)), found=tuple(_told(found)), missing=tuple(_needed(found)))


def write_draft(made: Draft, path: str | os.PathLike[str], *, replace: bool = False) -> None:
    """Writes a settings file, and beside it the schema for editors and a file for decisions.

    Args:
        made: The settings file.
        path: Where to write it.
        replace: Whether to replace a file that exists.

    Raises:
        ConfigError: The file exists, or cannot be written.
    """
    target = Path(path)
    if target.exists() and not replace:
        raise ConfigError(
            f"{printable(target)}: this file exists and is unchanged; edit it, name another with --config, or replace it "
            "with --force"
        )
    try:
        make_folder(target.parent)
        described = json.dumps(schema(), indent=1, ensure_ascii=False)
        write_file(target.with_name(SCHEMA), described.encode("utf-8") + b"\n")
        write_file(target, made.text.encode("utf-8"))
        # So a run need not report that no one has decided yet.
        target.with_name(_DECISIONS).touch()
    except OSError as error:
        raise ConfigError(f"{printable(target)}: cannot be written: {error.strerror}") from None


def _below(root: Path) -> list[Path]:
    """Returns the folders and files that a command without arguments looks at."""
    try:
        found = sorted(one for one in root.iterdir() if not _hidden(one.name))
    except OSError as error:
        raise ConfigError(f"{printable(root)}: cannot be read: {error.strerror}") from None
    return [one for one in found if not _made(one)]


def _made(place: Path) -> bool:
    """Returns True for what furytune wrote: a data set, a card, decisions, a report, or the folder of a demo."""
    train = place.with_name(place.name.replace(".validation.", "."))
    return manifest_path(train).exists() or (place / DEMO).exists() or _marked(place)


def _marked(place: Path) -> bool:
    """Returns True for a file that says in its head that furytune wrote it, and for an empty one."""
    if place.name == "README.md" and place.with_name("croissant.json").exists():
        return True  # a card
    if place.suffix not in (".html", ".jsonl"):
        return False
    try:
        with place.open("rb") as file:
            head = file.read(4096)
            return not head or bool(_OURS.search(head))
    except OSError:
        return False


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED or name.endswith((".lance", ".egg-info", ".dist-info"))


def _look(places: Sequence[Path], environment: Mapping[str, str]) -> _Found:
    exports: list[Path] = []
    tables: list[Path] = []
    docs: list[Path] = []
    packages: list[Path] = []
    channels: dict[str, None] = {}
    html, journal, community = False, "", ""
    chats: list[tuple[str, Path]] = []
    for place in places:
        others = list(_chats(place))
        for one, chat in others:
            chats.append((chat.platform, one))
            channels |= dict.fromkeys(map(one_line, chat.channels))
        if others:
            continue
        files = list(islice(_files(place), _MOST))
        heads = [head for file in files if (head := _export(file))]
        named = dict.fromkeys(channel for _, channel in heads)
        channels |= named
        community = community or next((name for name, _ in heads if name), "")
        if named:
            exports.append(place)
        if (place / "journal.json").is_file():
            journal = place.as_posix()
        if place.is_file() and place.suffix in (".csv", ".jsonl"):
            tables.append(place)
        inside = [file for file in files if file.suffix.lower() in _DOCS and not _marked(file)]
        roots = _packages(place)
        packages += roots
        # A package often has a README beside its code; a folder of documentation has little else.
        if inside and not named and not roots:
            docs.append(place)
            html |= any(file.suffix.lower().startswith(".htm") for file in inside)
    from importlib.util import find_spec

    return _Found(
        exports=tuple(exports),
        chats=tuple(chats),
        channels=tuple(channels),
        tables=tuple(tables),
        docs=tuple(docs),
        html=html,
        packages=tuple(packages),
        journal=journal,
        token=bool(environment.get("DISCORD_TOKEN")),
        rag=find_spec("lancedb") is not None,
        project=packages[0].name if packages else "",
        community=community,
    )


def _chats(place: Path) -> Iterator[tuple[Path, Found]]:
    """Yields the exports of Slack, Mattermost and Zulip that a place is, or directly contains."""
    if found := find_chat(place):
        yield place, found
    elif place.is_dir():
        inside = (one for one in sorted(place.iterdir()) if not _hidden(one.name))
        for one in islice((one for one in inside if one.is_dir() or one.suffix in _ARCHIVES), _CHANNELS):
            if found := find_chat(one):
                yield one, found


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for folder, names, files in os.walk(place):
        names[:] = sorted(name for name in names if not _hidden(name))
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))


def _packages(place: Path) -> list[Path]:
    """Returns the package that a folder is or directly contains, also below ``src``."""
    if not place.is_dir():
        return []
    if (place / "__init__.py").is_file():
        return [place] if place.name not in _ASIDE else []
    found = [
        init.parent
        for pattern in ("*/__init__.py", "src/*/__init__.py")
        for init in sorted(place.glob(pattern))
        if not _hidden(init.parent.name) and init.parent.name not in _ASIDE
    ]
    return [one for one in found if one.name.isidentifier()]


def _export(file: Path) -> tuple[str, str] | None:
    """Returns the names of the server and the channel that a file exports, None if it is not an export.

    The head of an export is short, so the file is not read further than that.
    """
    name = file.name.lower()
    if not name.endswith((".json", ".json.gz")):
        return None
    try:
        if name.endswith(".gz"):
            import gzip

            with gzip.open(file, "rb") as packed:
                head = packed.read(8192)
        else:
            with file.open("rb") as plain:
                head = plain.read(8192)
    except (OSError, EOFError):
        return None
    text = head.decode("utf-8-sig", "ignore")
    # Manifests of data sets name channels too, but begin with something else.
    channel = _named(text, "channel") if _EXPORT.match(text) else ""
    return (_named(text, "guild"), channel) if channel else None


def _named(text: str, key: str) -> str:
    """Returns the name, or else the id, of an object in the head of an export; "" if there is none."""
    at = text.find(f'"{key}"')
    if at < 0 or (brace := text.find("{", at)) < 0:
        return ""
    try:
        found, _ = json.JSONDecoder().raw_decode(text, brace)
    except (ValueError, RecursionError):
        return "(name too long)"
    if not isinstance(found, dict):
        return ""
    return one_line(str(found.get("name") or found.get("id") or ""))


def _told(found: _Found) -> Iterator[str]:
    if found.exports or found.chats:
        names = ", ".join(f"#{name}" for name in found.channels[:_CHANNELS])
        more = f" and {len(found.channels) - _CHANNELS} more" if len(found.channels) > _CHANNELS else ""
        places = [*found.exports, *(place for _, place in found.chats)]
        yield f"exports    {_and(places)}: {len(found.channels)} channels and threads: {names}{more}"
    if found.journal:
        yield f"journal    {found.journal}"
    if found.token:
        yield "bot token  in the environment variable DISCORD_TOKEN"
    if found.tables:
        yield f"pairs      {_and(found.tables)}"
    if found.docs:
        yield f"docs       {_and(found.docs)}"
    if found.packages:
        yield f"packages   {_and(found.packages)}"


def _and(paths: Iterable[Path]) -> str:
    return ", ".join(printable(path) for path in paths)


def _needed(found: _Found) -> Iterator[str]:
    if not (found.exports or found.chats or found.journal or found.tables):
        if found.token:
            yield "the server's id and your permission, under [collector] in the file"
        else:
            yield (
                "a chat export: put the JSON files of DiscordChatExporter into the folder that [collector] names, or give an "
                "export of Slack, Mattermost or Zulip"
            )
    if (found.docs or found.packages) and not found.rag:
        yield "the extra for retrieval: pip install 'furytune[rag]'"


def _lines(found: _Found, root: Path) -> Iterator[str]:
    """Yields the settings file, piece by piece."""
    knowledge = bool(found.docs or found.packages)
    yield f"#:schema ./{SCHEMA}\n"
    yield "# Settings for furytune. `furytune run` makes the data set, `furytune doctor` checks this file.\n"
    yield "# Paths begin at the folder of this file. `furytune schema` lists every key.\n\n"
    yield 'contract = "furytune.contract.json"  # the bot reads this file\n'
    yield 'report = "report.html"  # what you show to people, before anything is trained\n'
    yield f"title = {_quoted(found.community or found.project or 'Our community')}  # its heading\n\n"
    yield from _collector(found, root)
    yield "# Steps that keep a pair, edit it or drop it, in this order. Remove those that you do not want.\n"
    yield "# What you decide in `furytune review` is kept in this file.\n"
    yield _table("[curators]", type="decisions", path=_DECISIONS)
    yield "# Drops doubtful pairs. A lower number keeps more, a higher one only the clear pairs.\n"
    yield _table("[curators]", type="min-confidence", least=0.5)
    yield '# Drops answers that teach nothing, such as "never mind", and cleans the form of others.\n'
    yield _table("[curators]", type="lint-answers")
    for package in found.packages[:1]:
        yield "# Drops answers whose code no longer works with the package.\n"
        yield _table("[curators]", type="check-code", package=package.name, path=_relative(package, root))
    yield "# Of questions that were asked several times in nearly the same words, keeps the best answer.\n"
    yield _table("[curators]", type="near-duplicates")
    yield "# Replaces passwords, keys, e-mail addresses and other personal data in answers.\n"
    yield _table("[curators]", type="redact-secrets")
    if knowledge:
        yield "# The passages that go into a prompt, and what they are made from.\n"
        yield _table("augmenter", type="rag", path="furytune-index.lance", k=4)
        for folder in found.docs:
            table: dict[str, object] = {"type": "markup", "source": _relative(folder, root)}
            if found.html:
                table["suffixes"] = [".md", ".markdown", ".mdx", ".rst", ".txt", ".ipynb", ".html", ".htm"]
            yield _table("[knowledge]", **table)
        for package in found.packages:
            yield _table("[knowledge]", type="python-package", source=_relative(package, root))
    name = found.project or "our project"
    yield "# The fixed text of every prompt.\n[template]\n"
    context = "Context:\n{context}\n\n" if knowledge else ""
    yield f'text = """\nYou help the users of {name}.\n\n{context}Question:\n{{question}}"""\n\n'
    yield '# dialect: "gemini", "openai", "trl", "gemini-developer" or "plain".\n'
    yield _table("exporter", type="jsonl", path="train.jsonl", dialect="gemini")
    if knowledge:
        yield "# The same pairs in the same split, without passages. Remove this if you need only one data set.\n"
        yield _table("without_retrieval.exporter", type="jsonl", path="plain.jsonl", dialect="gemini")
    yield _TUNER


_TUNER = """\
# Training on Vertex AI. Remove the "# " to use it, then `furytune estimate` and `furytune tune`.
# [tuner]
# type = "gemini"
# model = "gemini-3.1-flash-lite"
# project = "my-project"
# bucket = "gs://my-bucket"
# max_cost = 5.0
"""


def _collector(found: _Found, root: Path) -> Iterator[str]:
    several = len(found.exports) + len(found.chats) + len(found.tables) + bool(found.journal) > 1
    head = "[collector]" if several else "collector"
    if found.exports or found.chats:
        names = ", ".join(found.channels[:8])
        yield f"# Channels and threads: {names}{', ...' if len(found.channels) > 8 else ''}\n"
        yield '# exclude = ["off-topic"] leaves some out; channels = ["help"] reads only these.\n'
    for place in found.exports:
        yield _table(head, type="discord-export", path=_relative(place, root))
    for platform, place in found.chats:
        yield f"# What a bot of {PLATFORMS[platform]} passes to the contract: {platform}_text(message).\n"
        yield _table(head, type=f"{platform}-export", path=_relative(place, root))
    if found.journal:
        yield "# What a bot has read from the server.\n"
        yield _table(head, type="journal", journal=_relative(Path(found.journal), root))
    for place in found.tables:
        yield _table(head, type=place.suffix.removeprefix("."), path=_relative(place, root))
    if found.exports or found.chats or found.journal or found.tables:
        return
    if found.token:
        yield "# Reads the server with your bot; see the page Collecting from Discord, live.\n"
        yield "[collector]\n"
        yield 'type = "discord"\n'
        yield 'guild = "0"  # the server\'s id\n'
        yield 'token = {env = "DISCORD_TOKEN"}\n'
        yield 'permission = "Who permitted this collection, and what for"\n'
        yield 'journal = "discord-journal"\n\n'
        return
    yield "# Export your channels with DiscordChatExporter as JSON, into this folder.\n"
    yield _table(head, type="discord-export", path="exports")


def _table(name: str, **values: object) -> str:
    """Returns a table. A name in brackets is that of a list of tables."""
    return f"[{name}]\n{tomli_w.dumps(values)}\n"


def _quoted(text: str) -> str:
    """Returns a text as TOML."""
    return tomli_w.dumps({"it": text}).removeprefix("it = ").rstrip()


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()
