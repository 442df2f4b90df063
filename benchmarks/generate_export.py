"""Writes a synthetic DiscordChatExporter JSON export of English questions, answers and replies, from a seed.

usage: python benchmarks/generate_export.py MESSAGES OUT.json[.gz] [--layout two|four|tab|compact] [--seed N] [--bare]
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TextIO

LAYOUTS: dict[str, str | None] = {"two": "  ", "four": "    ", "tab": "\t", "compact": None}

_EPOCH = 1_420_070_400_000
_SUBJECTS = "the actor|a scene|my window|the shader|this texture|the camera|a sphere|the colormap|an animation|the slicer"
_VERBS = "renders|loads|rotates|blends|disappears|resizes|updates|fades|crashes|flickers|exports|scales"
_ADVERBS = "twice|slowly|only on Linux|without a warning|after the first frame|in a notebook|when I resize it|at random"
_STARTS = (
    "How do I make sure that|Why is it that|What does it mean when|Is it expected that|Does anybody know why"
)
_ADVICE = "Call update after you change it|Pass the data as float32|Set the opacity first|Pin the version|Read the tutorial on it"
_WORDS = [
    "buffer",
    "vertex",
    "plane",
    "light",
    "volume",
    "mesh",
    "index",
    "matrix",
    "kernel",
    "window",
    "frame",
    "stream",
    "layer",
    "pixel",
    "query",
    "batch",
]


def _sentence(rnd: random.Random) -> str:
    subject, verb, adverb = (rnd.choice(x.split("|")) for x in (_SUBJECTS, _VERBS, _ADVERBS))
    more = " ".join(rnd.choice(_WORDS) for _ in range(rnd.randrange(2, 14)))
    return f"{subject} {verb} {adverb} with {more} {rnd.randrange(10_000)}"


def _content(rnd: random.Random, *, question: bool) -> str:
    if question:
        return f"{rnd.choice(_STARTS.split('|'))} {_sentence(rnd)}?" + (
            f" {_sentence(rnd)}." if rnd.random() < 0.5 else ""
        )
    body = f"{rnd.choice(_ADVICE.split('|'))}: " + ". ".join(
        _sentence(rnd) for _ in range(rnd.choice((1, 1, 2, 4)))
    )
    if rnd.random() < 0.08:
        body += '\n```py\nshow("frame")\n```\n😀'
    return body


def _people(rnd: random.Random, count: int) -> list[dict[str, Any]]:
    roles = [
        {"id": str(700_000_000_000_000_000 + i), "name": f"role-{i}", "color": "#3498DB", "position": i}
        for i in range(9)
    ]
    people = []
    for i in range(count):
        uid = str(100_000_000_000_000_000 + rnd.randrange(10**17))
        people.append(
            {
                "id": uid,
                "name": f"person_{i}",
                "discriminator": "0000",
                "nickname": f"Persön {i}",
                "color": "#E91E63" if i % 3 else None,
                "isBot": i % 57 == 56,
                "roles": rnd.sample(roles, rnd.choice((0, 1, 1, 2, 3))),
                "avatarUrl": f"https://cdn.discordapp.com/avatars/{uid}/{rnd.getrandbits(128):032x}.png?size=512",
            }
        )
    return people


def messages(count: int, *, seed: int = 1, bare: bool = False) -> Iterator[dict[str, Any]]:
    """Yields messages in order of time; a quarter of them reply to one of the last twenty.

    Args:
        count: How many.
        seed: Same seed, same messages.
        bare: No roles, embeds, reactions or mentions: about a third of the size.
    """
    rnd = random.Random(seed)
    people = _people(rnd, 400)
    weights = [1 / (i + 1) ** 0.8 for i in range(len(people))]
    moment = datetime(2021, 1, 1, tzinfo=UTC)
    recent: list[tuple[str, int]] = []
    for i in range(count):
        moment += timedelta(milliseconds=rnd.randrange(1000, 240_000))
        uid = str(((int(moment.timestamp() * 1000) - _EPOCH) << 22) + i % 4096)
        who = rnd.choices(range(len(people)), weights)[0]
        reply = rnd.random() < 0.25 and bool(recent)
        target, asker = rnd.choice(recent) if reply else ("", 0)
        author = {k: v for k, v in people[who].items() if not (bare and k == "roles")}
        stamp = moment.isoformat(timespec="milliseconds")
        luck = rnd.random()
        message: dict[str, Any] = {
            "id": uid,
            "type": "Reply" if reply else "Default",
            "timestamp": stamp,
            "timestampEdited": stamp if luck < 0.05 else None,
            "callEndedTimestamp": None,
            "isPinned": False,
            "content": _content(rnd, question=not reply and luck < 0.6),
            "author": author,
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [],
            "mentions": [],
        }
        if luck > 0.96:
            message["attachments"] = [
                {
                    "id": uid,
                    "url": f"https://example.org/{uid}/image.png",
                    "fileName": "image.png",
                    "fileSizeBytes": 12345,
                }
            ]
        if 0.90 < luck < 0.94:
            message["embeds"] = [
                {
                    "title": "link",
                    "url": "https://example.org/a",
                    "timestamp": None,
                    "description": _sentence(rnd),
                    "images": [],
                    "fields": [],
                }
            ]
        if not bare and 0.45 < luck < 0.57:
            fans = [
                {k: v for k, v in p.items() if k != "roles"} for p in rnd.sample(people, rnd.randint(1, 3))
            ]
            emoji = {
                "id": "",
                "name": rnd.choice("👍🔥🎉✅"),
                "code": "x",
                "isAnimated": False,
                "imageUrl": "https://example.org/e.svg",
            }
            message["reactions"] = [{"emoji": emoji, "count": len(fans), "users": fans}]
        if reply:
            if not bare:
                message["mentions"] = [people[asker]]
            message["reference"] = {
                "messageId": target,
                "channelId": "300000000000000001",
                "guildId": "200000000000000001",
            }
        message["inlineEmojis"] = []
        yield message
        recent.append((uid, who))
        del recent[:-20]


def _head() -> dict[str, Any]:
    return {
        "guild": {"id": "200000000000000001", "name": "Synthetic", "iconUrl": "https://example.org/icon.png"},
        "channel": {
            "id": "300000000000000001",
            "type": "GuildTextChat",
            "categoryId": "300000000000000000",
            "category": "Support",
            "name": "help",
            "topic": None,
        },
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-01-01T00:00:00+00:00",
    }


def _writer(indent: str | None) -> Callable[[Any, int], str]:
    separators = (",", ":") if indent is None else (",", ": ")

    def dump(value: Any, level: int) -> str:
        text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
        return text if indent is None else text.replace("\n", "\n" + indent * level)

    return dump


def write(
    count: int,
    path: Path,
    *,
    layout: str = "two",
    seed: int = 1,
    source: Callable[..., Iterator[dict[str, Any]]] = messages,
) -> None:
    """Writes an export, in constant memory.

    Args:
        count: How many messages.
        path: The file.
        layout: One of `LAYOUTS`.
        seed: Same seed, same messages.
        source: Makes the messages.
    """
    indent = LAYOUTS[layout]
    dump = _writer(indent)
    line, one, two = ("", "", "") if indent is None else ("\n", indent, indent * 2)
    colon = ":" if indent is None else ": "
    with _open(path) as file:
        file.write(dump(_head(), 0)[: -1 - len(line)] + "," + line + one + f'"messages"{colon}[')
        for i, message in enumerate(source(count, seed=seed)):
            file.write(("," if i else "") + line + two + dump(message, 2))
        file.write(line + one + "]," + line + one + f'"messageCount"{colon}{count}' + line + "}")


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "wt", encoding="utf-8", compresslevel=3)
    return path.open("w", encoding="utf-8", newline="\n", buffering=1 << 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--layout", choices=LAYOUTS, default="two")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bare", action="store_true", help="leave out roles, reactions and mentions")
    args = parser.parse_args()
    source = partial(messages, bare=args.bare)
    write(args.messages, args.out, layout=args.layout, seed=args.seed, source=source)


if __name__ == "__main__":
    main()
