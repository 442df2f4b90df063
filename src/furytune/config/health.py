"""Checks what a settings file needs on this machine: packages, files, folders, secrets. It shows no secret."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs

import furytune
from furytune._chat_files.collecting import ChatExportCollector
from furytune._privacy.printable import printable
from furytune._privacy.secret import Secret
from furytune.augmenters.embedders import LanceEmbedder, OnnxEmbedder, StaticEmbedder
from furytune.augmenters.rag import RagAugmenter
from furytune.budget import TokenBudget
from furytune.collectors.discord import DiscordCollector
from furytune.collectors.discord_export import DiscordExportCollector
from furytune.collectors.forum import ForumCollector
from furytune.collectors.journal import JournalCollector
from furytune.collectors.live_forum import LiveForum
from furytune.collectors.tabular import CsvCollector, JsonlCollector
from furytune.config.deployment_health import examine_deployment
from furytune.config.deployments import load_deployment
from furytune.config.document import Document
from furytune.config.findings import Finding, State, existing, note, ok, private, problem, writable
from furytune.config.settings import Settings, load_settings
from furytune.config.tables import TABLES, Bot, Serve
from furytune.contract import PromptContract
from furytune.errors import ConfigError, FurytuneError
from furytune.exporters import load_dataset
from furytune.protocols import WritesFiles
from furytune.tuners.gemini.tuner import GeminiTuner

__all__ = ["EXTRAS", "Finding", "State", "examine"]

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "rag": ("lancedb", "pyarrow"),
    "discord": ("discord.py", "aiohttp"),
    "gemini": ("google-genai", "google-auth"),
    "gemini-developer": ("google-generativeai",),
    "static": ("lancedb", "pyarrow", "tokenizers"),
    "onnx": ("lancedb", "pyarrow", "onnxruntime", "tokenizers"),
    "tokens": ("tiktoken",),
    "html": ("beautifulsoup4", "markdownify"),
    "plot": ("matplotlib",),
    "report": ("jinja2",),
    "tables": ("pandas", "polars", "pyarrow"),
    "serve": ("httptools", "prometheus-client", "starlette", "uvicorn", "uvloop"),
}
"""The packages of each extra."""

_NEEDED: Mapping[type, str] = {
    RagAugmenter: "rag",
    DiscordCollector: "discord",
    StaticEmbedder: "static",
    OnnxEmbedder: "onnx",
    LanceEmbedder: "rag",
    TokenBudget: "tokens",
}
_ANSWERING: Mapping[type, str] = {Serve: "serve", Bot: "discord"}
_ROOM = 200 << 20
"""Bytes that should be free where files are written."""


def examine(path: str | os.PathLike[str], *, changes: Iterable[str] = ()) -> list[Finding]:
    """Checks this machine and, if there is one, a settings file.

    Args:
        path: The settings file.
        changes: Values that replace those of the file; see `furytune.config.load_settings`.
    """
    found = [*_machine()]
    if not Path(path).exists():
        found += _extras(())
        return [*found, note("settings", f"there is no {printable(path)}; `furytune init` writes one")]
    try:
        document = Document.read(path)
        document.replace_all(changes, os.environ)
        # A server has the contract alone, and its file no collector.
        answering = [kind for name, kind in TABLES.items() if name in document.data]
        settings = (
            load_settings(path, changes=changes) if "collector" in document.data or not answering else None
        )
        deployments = [load_deployment(kind, path, changes=changes) for kind in answering]
    except FurytuneError as error:
        return [*found, *_extras(()), problem("settings", str(error))]
    needed = [*(_needs(settings) if settings is not None else ()), *(_ANSWERING[kind] for kind in answering)]
    found += _extras(
        tuple(needed), wanted=("report",) if settings is not None and settings.report is not None else ()
    )
    found.append(ok("settings", printable(path)))
    if settings is not None:
        found += _inputs(settings)
        found += _secrets(settings.pipeline)
        found += _outputs(settings)
    for deployment in deployments:
        found += _secrets(deployment)
        found += examine_deployment(deployment)
    # Two programs may share contract and model.
    return [*dict.fromkeys(found)]


def _machine() -> Iterator[Finding]:
    yield ok("furytune", furytune.__version__)
    yield ok("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    encoding = sys.getfilesystemencoding()
    if encoding.lower() != "utf-8":
        yield note("file names", f"their encoding is {encoding}; set PYTHONUTF8=1 if names look wrong")
    # A clock that is behind makes services refuse signatures, and hides new passages from questions.
    newest = Path(furytune.__file__).stat().st_mtime
    if time.time() < newest - 86400:
        yield problem("clock", "it is behind the date of furytune's own files; set it")
    else:
        yield ok("clock", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))


def _extras(needed: tuple[str, ...], wanted: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Says which extras are installed.

    Args:
        needed: Extras without which a run fails.
        wanted: Extras without which a run leaves something out.
    """
    for extra, packages in EXTRAS.items():
        there = {package: found for package in packages if (found := _version(package))}
        if len(there) == len(packages):
            yield ok(f"extra {extra}", ", ".join(f"{name} {number}" for name, number in there.items()))
        elif extra in needed:
            yield problem(
                f"extra {extra}",
                f"the settings need it: run pip install 'furytune[{extra}]', or '.[{extra}]' in a clone",
            )
        elif extra in wanted:
            yield note(
                f"extra {extra}",
                f"a run leaves the {extra} out: run pip install 'furytune[{extra}]', or '.[{extra}]' in a clone",
            )
        else:
            yield note(f"extra {extra}", "not installed, and not needed by the settings")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _parts(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yields a part and all parts that it is made from."""
    yield value
    if isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item, depth + 1)
    elif isinstance(value, Mapping):
        yield from _parts([*value.values()], depth)
    elif attrs.has(type(value)) and depth < 6:
        for field in attrs.fields(type(value)):
            if field.init and field.eq:
                yield from _parts(getattr(value, field.name), depth + 1)


def _needs(settings: Settings) -> Iterator[str]:
    for part in _parts(settings.pipeline):
        if type(part) in _NEEDED:
            yield _NEEDED[type(part)]
        if isinstance(part, GeminiTuner):
            yield "gemini" if part.service.name == "vertex" else "gemini-developer"
    for table in settings.sources:
        if any(str(suffix).lower().startswith(".htm") for suffix in table.get("suffixes", ())):
            yield "html"
        if table.get("encoding") and table.get("type") in ("markup", "python-package"):
            yield "tokens"


def _inputs(settings: Settings) -> Iterator[Finding]:
    for collector in settings.pipeline.collector:
        if isinstance(collector, DiscordExportCollector | ChatExportCollector):
            yield _readable("exports", collector.path)
        elif isinstance(collector, CsvCollector | JsonlCollector):
            yield from (_readable("pairs", path) for path in collector.path)
        elif isinstance(collector, JournalCollector):
            yield _readable("journal", collector.journal.path)
        elif isinstance(collector, ForumCollector):
            yield _readable("discussions", collector.source)
        elif isinstance(collector, DiscordCollector | LiveForum):
            yield writable("journal", collector.journal.journal.path)
    for table in settings.sources:
        source = table.get("source")
        if isinstance(source, str) and (
            (place := settings.path.parent / source).exists() or re.search(r"[/\\]", source)
        ):
            yield _readable("knowledge", place)


def _readable(subject: str, path: Path) -> Finding:
    """Says whether a file, or each file of a folder, can be read."""
    if not path.exists():
        return problem(subject, f"{printable(path)}: this does not exist")
    # With a right to enter a folder only, its files cannot be found.
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        return problem(subject, f"{printable(path)}: you may not read this")
    files = (
        [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
        if path.is_dir()
        else [path]
    )
    shut = [file for file in files if not os.access(file, os.R_OK)]
    if shut:
        return problem(subject, f"{printable(shut[0])}: you may not read this, and {len(shut) - 1} more")
    return ok(subject, f"{printable(path)}: {len(files)} files" if path.is_dir() else printable(path))


def _outputs(settings: Settings) -> Iterator[Finding]:
    exporters = [*settings.pipeline.exporter, *(settings.plain.exporter if settings.plain else ())]
    targets = [e.targets[0] for e in exporters if isinstance(e, WritesFiles)]
    yield from (writable("data set", path) for path in targets)
    for path in settings.manifests:
        if path.exists():
            try:
                load_dataset(path)
            except FurytuneError as error:
                yield note("data set", f"{error}")
    index = settings.pipeline.augmenter
    if isinstance(index, RagAugmenter):
        place = Path(index.path)
        if not place.exists() and not settings.has_knowledge:
            yield problem("index", f"{printable(place)}: this does not exist; add [[knowledge]], or build it")
        else:
            yield writable("index", place)
    if settings.report is not None:
        yield writable("report", settings.report)
    yield writable("contract", settings.contract)
    if settings.contract.exists():
        try:
            PromptContract.load(settings.contract)
            yield ok("contract", f"{printable(settings.contract)}: fits this installation")
        except FurytuneError as error:
            yield note("contract", f"{error}; `furytune run` writes a new one")
    folder = existing(settings.contract)
    free = shutil.disk_usage(folder).free
    state = ok if free >= _ROOM else problem
    yield state("disk", f"{free / (1 << 30):,.1f} GiB are free in {printable(folder)}")


def _secrets(value: Any) -> Iterator[Finding]:
    for secret in (part for part in _parts(value) if isinstance(part, Secret)):
        where = " ".join(secret.place.values())
        try:
            secret.reveal()
        except ConfigError as error:
            yield problem("secret", str(error))
            continue
        if "file" in secret.place:
            yield private("secret", Path(where))
        else:
            yield ok("secret", f"{where}: is set")
