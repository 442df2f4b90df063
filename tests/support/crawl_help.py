"""Collects from the fake Discord, and looks at what the journal holds then."""

from __future__ import annotations

import json
from datetime import timedelta

import journals

from furytune import DiscordCollector, JournalCollector, Secret
from furytune.collectors.discord import Patience

QUICK = Patience(first=0.001, most=0.01, rate=1e6)
ALWAYS = timedelta(days=30_000)
KEY = b"a key of the tests"


def collector(service, folder, **options):
    return DiscordCollector(
        guild=service.guild,
        token=Secret(service.token),
        permission="a rehearsal",
        journal=JournalCollector(folder, author_key=KEY),
        endpoint=service.url,
        **{"patience": QUICK, "recheck": ALWAYS, **options},
    )


def said(folder):
    """Texts by message id, of all that the journal still says."""
    return {m.id: m.content for m in JournalCollector(folder).messages()}


def gone(folder):
    """Why, by message id."""
    return {
        found["gone"]: found["why"]
        for log in journals.lines_of(folder).values()
        for found in map(json.loads, log.values())
        if "gone" in found
    }


def words(folder):
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def is_page(request):
    return request.path.endswith("/messages") and request.query.get("limit") == "100"


def talk(service, name="talk", number=5, who="ann"):
    room = service.add_channel(name)
    return room, [service.post(room, who, f"{name} {i}") for i in range(number)]
