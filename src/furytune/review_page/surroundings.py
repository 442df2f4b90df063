"""Keeps the messages around pairs, as far as a collector can give messages."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol, runtime_checkable

from attrs import define, field, frozen

from furytune.errors import FurytuneError, TextError
from furytune.records import Message, QAPair

__all__ = ["Around", "Surroundings", "gives_messages"]

_NEAR: Final = 3  # messages before and after each message of a pair
_SHOWN: Final = 60  # messages around one pair


@runtime_checkable
class _Messages(Protocol):
    def messages(self) -> Iterator[Message]:
        """Yields every message of those who take part."""
        ...


def gives_messages(collector: object) -> bool:
    """Returns whether a collector can give single messages, and not only pairs."""
    return isinstance(collector, _Messages)


@frozen(kw_only=True)
class Around:
    """A message near a pair.

    Attributes:
        id: Its id.
        speaker: Pseudonym of who wrote it.
        bot: True if a bot wrote it.
        text: Its text, redacted; "" if it has none.
        at: When it was sent, in ISO 8601; "" if unknown.
        place: Its place in its channel, from 0. Between places that do not follow each other, messages are left out.
    """

    id: str
    speaker: str
    bot: bool
    text: str
    at: str
    place: int


@define
class _Channel:
    """What is kept of a channel while it is read."""

    kept: list[Around] = field(factory=list)
    before: deque[tuple[int, Message]] = field(factory=lambda: deque(maxlen=_NEAR))
    read: int = 0
    keep: int = 0


class Surroundings:
    """Reads the messages of some collectors once, in the background, and keeps those near the pairs.

    Args:
        collectors: The collectors. They withhold the messages of people who do not take part.
        pairs: The pairs.
        clean: Redacts a text.
    """

    def __init__(
        self, collectors: Sequence[object], pairs: Iterable[QAPair], clean: Callable[[str], str]
    ) -> None:
        self._collectors = [collector for collector in collectors if isinstance(collector, _Messages)]
        self._clean = clean
        self._wanted = {uid for pair in pairs for uid in (*pair.question_messages, *pair.answer_messages)}
        self._channels: dict[str, _Channel] = defaultdict(_Channel)
        self._found: dict[str, tuple[_Channel, int]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="furytune-surroundings", daemon=True)
        self.problem = (
            "" if self._collectors else "This source has pairs only, without the messages around them."
        )
        self._thread.start()

    @property
    def reading(self) -> bool:
        """True until all messages are read."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Waits until all messages are read."""
        self._thread.join()

    def stop(self) -> None:
        """Stops reading."""
        self._stopped.set()
        self._thread.join()

    def of(self, pair: QAPair) -> list[Around]:
        """Returns the messages around a pair, in order; those that were found until now."""
        near: dict[int, Around] = {}
        own = dict.fromkeys((*pair.question_messages, *pair.answer_messages))
        channels = []
        for uid in own:
            channel, at = self._found.get(uid, (None, 0))
            if channel is None:
                continue
            if channel not in channels:
                channels.append(channel)
            # A thread and the channel that it was opened in do not mix.
            offset = channels.index(channel) << 32
            for found in channel.kept[max(at - _NEAR, 0) : at + _NEAR + 1]:
                if abs(found.place - channel.kept[at].place) <= _NEAR:
                    near[offset + found.place] = found
        return [near[place] for place in sorted(near)][:_SHOWN]

    def _read(self) -> None:
        try:
            for collector in self._collectors:
                for message in collector.messages():
                    if self._stopped.is_set():
                        return
                    self._take(message)
        except FurytuneError as error:
            self.problem = f"The messages around the pairs cannot be read: {error}"
        except Exception as error:  # noqa: BLE001  (a collector's own fault must not end the review)
            self.problem = f"The messages around the pairs cannot be read ({type(error).__name__})."

    def _take(self, message: Message) -> None:
        channel = self._channels[message.channel or message.source.path]
        place = channel.read
        channel.read += 1
        if message.id in self._wanted:
            for earlier, waiting in channel.before:
                channel.kept.append(self._seen(waiting, earlier))
            channel.before.clear()
            channel.keep = _NEAR
            channel.kept.append(self._seen(message, place))
            # Last, because other threads look for it.
            self._found[message.id] = channel, len(channel.kept) - 1
        elif channel.keep:
            channel.keep -= 1
            channel.kept.append(self._seen(message, place))
        else:
            channel.before.append((place, message))

    def _seen(self, message: Message, place: int) -> Around:
        try:
            text = self._clean(message.content)
        except TextError:  # blank, or half of a character
            text = ""
        return Around(
            id=message.id,
            speaker=message.author.pseudonym,
            bot=message.author.is_bot,
            text=text,
            at=message.sent_at.isoformat() if message.sent_at else "",
            place=place,
        )
