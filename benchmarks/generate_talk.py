"""Makes the messages of a busy synthetic channel, from a seed: help in several threads at once, team talk and chatter.

`generate_export.write` writes them as an export. Lengths follow those of real support channels: half of the messages have
fewer than 110 characters, one in ten more than 370.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = 1_420_070_400_000
_NAMES = "ann bob cem dan eva fay gus hal ida jon kim leo mia ned ola pia quin rob sue tom una vic wes xena yan zoe"
_NOUNS = "the actor|a scene|my window|the shader|this texture|the camera|a sphere|the colormap|the slicer|the volume"
_VERBS = "renders|loads|rotates|blends|disappears|resizes|updates|flickers|exports|scales|crashes"
_WAYS = "twice|only on Linux|without a warning|after the first frame|in a notebook|when I resize it|at random"
_WORDS = (
    "buffer vertex plane light volume mesh index matrix kernel window frame stream layer pixel query batch array "
    "driver version notebook python package branch example tutorial error value shape color opacity"
)
_ACTS: dict[str, Sequence[str]] = {
    "question": (
        "How do I make sure that {s}?",
        "Hi all, why is it that {s}?",
        "I'm trying to use it and {s}. Any idea?",
        "Getting an error: {s}\n```\nTraceback (most recent call last):\nValueError: {n}\n```",
        "Does anybody know what it means when {s}",
        "It does not work here, {s}",
    ),
    "asking back": (
        "Which version are you on?",
        "can you post your code? {s}",
        "@{who} do you mean that {s}?",
        "what does `show()` print?",
    ),
    "detail": ("version {n}", "sure, {s}", "yes, and {s}", "```py\nshow({n})\nupdate()\n```\nthen {s}"),
    "advice": (
        "You need to call `update({n})` after you change it. {s}",
        "@{who} try to pass the data as float32",
        "That's a known bug, it is fixed in {n}. {s}",
        "use the new function, see https://example.org/{n} {s}",
        "{who}: set the opacity first",
    ),
    "failing": ("still the same error", "hm, that did not help, {s}", "no luck"),
    "thanks": (
        "thanks, that fixed it",
        "Thank you {who}!",
        "works now, turns out that {s}",
        "great, thanks!",
    ),
    "team": (
        "Should we release it on Friday? {s}",
        "can you review my PR {n}?",
        "I'll merge it tomorrow. {s}",
        "let's talk about it in the meeting",
        "we just released {n}, {s}",
    ),
    "chatter": ("lol", "good morning!", "ok", "+1", "nice one, {s}", "yeah", ":joy:", "same here"),
}
_HELP = ("question", "asking back", "detail", "advice", "failing", "advice", "thanks")
_LENGTHS = (22, 57, 111, 219, 374, 1016)
_SHARES = (10, 25, 25, 25, 12, 3)
_OPEN = 4


def _sentence(rnd: random.Random) -> str:
    noun, verb, way = (rnd.choice(x.split("|")) for x in (_NOUNS, _VERBS, _WAYS))
    more = " ".join(rnd.choices(_WORDS.split(), k=rnd.randrange(1, 9)))
    return f"{noun} {verb} {way} with {more}"


def _text(rnd: random.Random, act: str, who: str) -> str:
    said = rnd.choice(_ACTS[act])
    length = rnd.choices(_LENGTHS, _SHARES)[0]
    sentences = [_sentence(rnd)]
    while sum(map(len, sentences)) < length and "{s}" in said:
        sentences.append(_sentence(rnd))
    return said.format(s=". ".join(sentences), n=rnd.randrange(10_000), who=who)


class _Talk:
    """A conversation that goes on: who takes part, what comes next, and the messages that it has."""

    def __init__(self, rnd: random.Random, people: Sequence[int]) -> None:
        kind = rnd.choices(("help", "team", "chatter"), (6, 2, 2))[0]
        self.people = people
        helpful = [act for act in _HELP if act in ("question", "advice") or rnd.random() < 0.6]
        self.acts = helpful if kind == "help" else [kind] * rnd.randrange(1, 8)
        self.said: list[tuple[str, int]] = []

    def next(self, rnd: random.Random) -> tuple[str, int]:
        """Returns what is said next, and by whom."""
        act = self.acts.pop(0)
        asker = act in ("question", "detail", "failing", "thanks")
        return act, self.people[0] if asker else rnd.choice(self.people[1:])


def messages(count: int, *, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yields messages in order of time; about a quarter are native replies.

    Args:
        count: How many.
        seed: Same seed, same messages.
    """
    rnd = random.Random(seed)
    names = [f"{name}_{i}" if i else name for i in range(16) for name in _NAMES.split()]
    weights = [1 / (i + 1) ** 0.8 for i in range(len(names))]
    moment = datetime(2021, 1, 1, tzinfo=UTC)
    talks: list[_Talk] = []
    for i in range(count):
        if len(talks) < _OPEN and (not talks or rnd.random() < 0.3):
            talks.append(_Talk(rnd, rnd.choices(range(len(names)), weights, k=4)))
        # The conversation that spoke last is the likeliest to go on.
        talk = talks.pop(rnd.choices(range(len(talks)), [3**k for k in range(len(talks))])[0])
        act, who = talk.next(rnd)
        moment += timedelta(seconds=rnd.choice((5, 20, 60, 300, 1800)))
        uid = str(((int(moment.timestamp() * 1000) - _EPOCH) << 22) + i % 4096)
        others = [said for said in talk.said if said[1] != who]
        target = others[-1] if others and rnd.random() < 0.35 else None
        called = names[(target or (others[-1] if others else ("", who)))[1]]
        message: dict[str, Any] = {
            "id": uid,
            "type": "Reply" if target else "Default",
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "timestampEdited": None,
            "content": _text(rnd, act, called),
            "author": {
                "id": str(100_000_000_000_000_000 + who),
                "name": names[who],
                "nickname": names[who].title(),
                "isBot": False,
            },
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [],
            "mentions": [],
        }
        if target:
            message["reference"] = {
                "messageId": target[0],
                "channelId": "300000000000000001",
                "guildId": "200000000000000001",
            }
        yield message
        talk.said.append((uid, who))
        if talk.acts:
            talks.append(talk)
