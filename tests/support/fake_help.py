"""Asks the fake Discord without a client library, and fills it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from furytune.testing.fake_discord import FakeDiscord


def ask(service, path, token="rehearsal"):
    request = urllib.request.Request(service.url + path, headers={"Authorization": f"Bot {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, json.load(refusal)


def everything(service: FakeDiscord) -> dict[str, str]:
    """Fills a guild with all kinds of channels and messages; returns the ids that paths are made of."""
    category = service.add_channel("talk", "category")
    where = service.add_channel("help", category=category, topic="ask here")
    places = [
        service.add_channel(kind, kind) for kind in ("announcement", "voice", "stage", "forum", "media")
    ]
    service.overwrite(where, service.everyone, deny=["SEND_MESSAGES"])
    author = service.add_member("alice", roles=[service.add_role("helpers")])
    first = service.post(where, author, f"hello <@{service.bot.id}> @everyone")
    service.edit(first, "hello again")
    reply = service.post(where, "bob", "answer", reply_to=first, attachments=["log.txt"], stickers=["wave"])
    service.react(first, "\N{THUMBS UP SIGN}", 3)
    service.pin(first)
    service.post(where, "bob", forward_of=reply)
    service.post(
        where, "news", "from outside", webhook=True, embeds=["preview", {"title": "t", "fields": []}]
    )
    service.post(where, service.bot, "result", command="ask")
    service.end_poll(service.post(where, author, poll=("which?", ["a", "b"])))
    service.post(where, "carol", type=7)
    sound = {"filename": "voice.ogg", "content_type": "audio/ogg", "duration_secs": 1.5, "waveform": "AA=="}
    service.post(where, author, attachments=[sound], flags=1 << 13)
    gone = service.post(where, author, "soon gone")
    service.post(where, "bob", "to nobody", reply_to=gone)
    service.delete(gone)
    started = service.add_thread(where, "on a message", starter=first, joined=True)
    service.post(started, "bob", "inside")
    service.add_thread(where, "without a message", content="x", archived=True, locked=True)
    service.add_thread(where, "private", content="x", private=True, joined=True)
    service.add_thread(where, "private, closed", content="x", private=True, archived=True, joined=True)
    service.add_thread(places[0], "about news", content="x")
    for forum in places[3:]:
        service.add_thread(forum, "open", content="x", tags=["bug"])
        service.add_thread(forum, "closed", content="x", tags=["bug", "solved"], archived=True)
    return {
        "guild": service.guild,
        "member": author.id,
        "channel": where.id,
        "thread": started.id,
        "message": first.id,
        "forum": places[3].id,
    }
