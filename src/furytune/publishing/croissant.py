"""Writes Croissant 1.0 metadata (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from furytune.publishing.folder import About, Part, Tree
from furytune.records import DataFile

__all__ = ["croissant"]

# As the specification gives it, terms that are not used here included: validators compare it.
_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

# Removes the quote that `furytune._storage.manifests.escape_formula` puts before a cell.
_UNESCAPED: Final = r"(?:'(?=[=+\-@\t\r\0']))?([\s\S]*)"


def croissant(about: About, parts: Sequence[Part], description: str) -> bytes:
    """Returns the metadata of a folder: each file with size and sha256, and one record set for each split."""
    pairs = [(part, file) for part in parts for file in part.files]
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": about.name,
        "description": description,
        "license": about.licence,
        **({"inLanguage": list(about.languages)} if about.languages else {}),
        "keywords": ["furytune", *about.tags],
        "distribution": [_file(part, file) for part, file in pairs],
        "recordSet": [_records(part, file) for part, file in pairs],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _file_id(part: Part, file: DataFile) -> str:
    return f"{part.name}-{file.split}-file"


def _file(part: Part, file: DataFile) -> dict[str, Any]:
    name = Path(file.path).name
    return {
        "@type": "cr:FileObject",
        "@id": _file_id(part, file),
        "name": name,
        "contentUrl": name,
        "contentSize": f"{file.size} B",
        "encodingFormat": "text/csv" if part.csv else "application/jsonlines",
        "sha256": file.sha256,
    }


def _records(part: Part, file: DataFile) -> dict[str, Any]:
    own = f"{part.name}-{file.split}"
    return {
        "@type": "cr:RecordSet",
        "@id": own,
        "name": own,
        "description": f"{file.rows} rows for {file.split}, in the form {part.dataset.dialect}.",
        "field": [
            _field(f"{own}/{_id(i, column)}", column, value, _file_id(part, file), escaped=part.escaped)
            for i, (column, value) in enumerate(part.sample.items(), 1)
        ],
    }


def _id(number: int, column: str) -> str:
    """Returns a column's name if it can be part of an id, which must not contain blanks."""
    return column if re.fullmatch(r"[A-Za-z0-9_.-]+", column) else f"column-{number}"


def _field(own: str, column: str, value: Tree, file: str, *, escaped: bool) -> dict[str, Any]:
    field: dict[str, Any] = {"@type": "cr:Field", "@id": own, "name": column}
    source: dict[str, Any] = {"fileObject": {"@id": file}, "extract": {"column": column}}
    if isinstance(value, str):
        if escaped:
            source["transform"] = {"regex": _UNESCAPED}
        return {**field, "dataType": "sc:Text", "source": source}
    if isinstance(value, list):
        field["repeated"] = True
    element = value[0] if isinstance(value, list) else value
    field["subField"] = [
        {
            "@type": "cr:Field",
            "@id": f"{own}/{'/'.join(names)}",
            "name": "/".join(names),
            "dataType": "sc:Text",
            "source": {**source, "transform": {"jsonPath": path}},
        }
        for names, path in _leaves(element)
    ]
    return field


def _leaves(
    value: Tree, names: tuple[str, ...] = (), path: str = ""
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the place of each text inside an element, as its names and as a JSON path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*names, key), f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        yield from _leaves(value[0], names, f"{path}[*]")
    else:
        yield names, path
