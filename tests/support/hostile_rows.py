"""Rows whose texts break careless readers and writers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from attrs import Factory, frozen

from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.records import Dataset, Prompt, Source, TrainingRow
from furytune.template import PromptTemplate

__all__ = ["ROWS", "SYSTEM", "Rendered", "csv", "jsonl"]

SYSTEM = "You help.\nAlways."


@frozen
class Rendered:
    """The part of a prompt contract that an exporter reads."""

    fingerprint: str = "f" * 64
    snapshot: str = "sha256:" + "a" * 64
    form: object = Factory(lambda: {"template": PromptTemplate("Q:\n{question}", system=SYSTEM).spec})


def _row(number, text, answer, **more):
    return TrainingRow(
        id=f"r{number}",
        group=f"g{number}",
        prompt=Prompt(text=text, system=SYSTEM),
        answer=answer,
        **{"split": "train", **more},
    )


ROWS = [
    _row(
        1,
        "plain",
        "words",
        source=Source(path="a/b.json", line=3, guild="1", channel="2", thread="3"),
        messages=("10", "11"),
        at=datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=timezone(timedelta(hours=2))),
    ),
    _row(2, "Ünï 😀\u2028\x00", 'say "hi",\r\nthen\rgo', split="validation"),
    _row(3, "=1+1", "=HYPERLINK(1)"),
    _row(4, f"{SYSTEM}\n\n{SYSTEM}", "'quoted"),
    _row(5, "NA", "null"),
    _row(6, '","\r\n"', '""\n"'),
    _row(7, '"', "\rx"),
    _row(8, "12", "34"),
]


def jsonl(folder, dialect) -> Dataset:
    return JsonlExporter(folder / f"{dialect}.jsonl", dialect=dialect).export(ROWS, contract=Rendered())


def csv(folder, **options) -> Dataset:
    return CsvExporter(folder / "cells.csv", **options).export(ROWS, contract=Rendered())
