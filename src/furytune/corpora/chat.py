"""Makes passages out of solved questions of the chat, each visible only to questions asked after it was answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from furytune.corpora._files import address, check_address
from furytune.errors import ConfigError
from furytune.records import Dropped, Passage, QAPair

__all__ = ["chat"]

_URL = "https://discord.com/channels/{guild}/{channel}/{message}"
_SLOTS = ("guild", "channel", "message")


def chat(pairs: Iterable[QAPair | Dropped], *, url: str = _URL) -> Iterator[Passage | Dropped]:
    """Reads pairs of question and answer.

    Each pair is one passage, question first, dated by ``answered_at``. So no question is ever shown its own answer,
    nor one that was not yet given when it was asked. The id is ``chat:`` with the pair's id behind it; the source
    names every message of the pair, ``discord:GUILD/CHANNEL/ID,ID,...`` (the channel is the thread's where there is
    one), so whoever has to erase a message finds the passages made of it. There is no title, for a title
    is shown where the text of messages is not.

    The texts are taken as they are: give pairs that curators went over, so that secrets are redacted and
    answers that no longer hold are gone.

    Args:
        pairs: From a collector, such as ``collector.collect()``, or a list. A `Dropped` among them is passed on.
        url: Pattern of the passages' addresses, with ``{guild}``, ``{channel}`` and ``{message}`` (the
            question's first) in it. A pair that lacks one of them has no address.

    Yields:
        A passage for each pair, or a `Dropped`: ``undated`` (no ``answered_at``, so it would be visible to its own question),
        ``answered_before_asked``, ``empty_text``.

    Raises:
        ConfigError: The pattern has another slot, or there is something else than pairs.
    """
    check_address(url, _SLOTS)
    if isinstance(pairs, (str, bytes, Mapping)) or not isinstance(pairs, Iterable):
        raise ConfigError(
            f"chat takes pairs, such as collector.collect() gives, not a {type(pairs).__name__}"
        )
    return _read(pairs, url)


def _read(pairs: Iterable[QAPair | Dropped], url: str) -> Iterator[Passage | Dropped]:
    for pair in pairs:
        if isinstance(pair, Dropped):
            yield pair
            continue
        if not isinstance(pair, QAPair):
            raise ConfigError(f"chat takes pairs of question and answer, not a {type(pair).__name__}")
        reason = _refused(pair)
        yield Dropped(reason=reason, ids=(pair.id,), where=_where(pair)) if reason else _passage(pair, url)


def _refused(pair: QAPair) -> str:
    if pair.answered_at is None:
        return "undated"
    if pair.asked_at is not None and pair.answered_at < pair.asked_at:
        return "answered_before_asked"
    if not pair.question.strip() or not pair.answer.strip():
        return "empty_text"
    return ""


def _passage(pair: QAPair, url: str) -> Passage:
    source, messages = pair.source, (*pair.question_messages, *pair.answer_messages)
    values = {
        "guild": source.guild,
        "channel": source.thread or source.channel,
        "message": messages[0] if messages else "",
    }
    complete = all(values[slot] for slot in _SLOTS if f"{{{slot}}}" in url)
    return Passage(
        id=f"chat:{pair.id}",
        text=f"Question:\n{pair.question.strip()}\n\nAnswer:\n{pair.answer.strip()}",
        source=_where(pair),
        url=address(url, **values) if complete else "",
        date=pair.answered_at,
    )


def _where(pair: QAPair) -> str:
    """Returns one line that names the messages, or the line of a file that holds the pair."""
    source, messages = pair.source, (*pair.question_messages, *pair.answer_messages)
    if messages:
        return f"discord:{source.guild}/{source.thread or source.channel}/{','.join(dict.fromkeys(messages))}"
    return source.path if source.line is None else f"{source.path}:{source.line}"
