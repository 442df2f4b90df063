"""Turns solved questions from the chat into passages, each visible only to questions asked after its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from furytune._privacy.ids import PLATFORMS
from furytune._python_source.files import address, check_address
from furytune.errors import ConfigError, TextError
from furytune.normalize import Normalizer
from furytune.records import Dropped, Passage, QAPair

__all__ = ["chat"]

_URL = "https://discord.com/channels/{guild}/{channel}/{message}"
_SLOTS = ("guild", "channel", "message")
_NORMALIZER = Normalizer()


def chat(
    pairs: Iterable[QAPair | Dropped], *, url: str = _URL, normalizer: Normalizer = _NORMALIZER
) -> Iterator[Passage | Dropped]:
    """Turns question-answer pairs into passages.

    Each pair becomes one passage, question first, dated by ``answered_at``. So a question never sees its own answer, or
    an answer that was given later. The id is ``chat:`` followed by the pair's id. The source names every message of the
    pair, ``discord:GUILD/CHANNEL/ID,ID,...`` (with the thread instead of the channel, if there is one), so that furytune
    finds the passages made from a message that must be erased. The passage has no title, because titles are shown in
    places where the text of messages is not.

    Questions and answers are normalised as in a training row: mentions lose their ids, people have the same number in
    both, and secrets become placeholders. Nothing else is changed, so pass pairs that curators have checked, without
    outdated answers.

    Args:
        pairs: From a collector, such as ``collector.collect()``, or a list. A `Dropped` is passed on.
        url: Pattern for the passages' URLs, with ``{guild}``, ``{channel}`` and ``{message}`` (the first message of
            the question). A pair without one of these values has no URL.
        normalizer: Normalises the texts. Pass your pipeline's normaliser if it is not the default one.

    Yields:
        A passage for each pair, or a `Dropped`: ``undated`` (without ``answered_at``, it would be visible to its own
        question), ``answered_before_asked``, ``empty_text``, ``bot_words``
        (the bot's own answer, even if a person confirmed it), ``unusable_question`` and ``unusable_answer`` (nothing is
        left after normalising, or the text is damaged).

    Raises:
        ConfigError: The pattern has an unknown slot, ``normalizer`` is not a `Normalizer`, or an item is not a pair.
    """
    check_address(url, _SLOTS)
    if not isinstance(normalizer, Normalizer):
        raise ConfigError(f"normalizer must be a furytune.Normalizer, not a {type(normalizer).__name__}")
    if isinstance(pairs, (str, bytes, Mapping)) or not isinstance(pairs, Iterable):
        raise ConfigError(
            f"chat takes pairs, such as collector.collect() returns, not a {type(pairs).__name__}"
        )
    return _read(pairs, url, normalizer)


def _read(pairs: Iterable[QAPair | Dropped], url: str, normalizer: Normalizer) -> Iterator[Passage | Dropped]:
    """Yields a passage or a drop for each pair, and passes drops on."""
    for pair in pairs:
        if isinstance(pair, Dropped):
            yield pair
            continue
        if not isinstance(pair, QAPair):
            raise ConfigError(
                f"chat takes question-answer pairs, not a {type(pair).__name__}; pass QAPair objects"
            )
        yield _made(pair, url, normalizer)


def _made(pair: QAPair, url: str, normalizer: Normalizer) -> Passage | Dropped:
    """Returns the passage of a pair, or why it has none."""

    def dropped(reason: str, detail: str = "") -> Dropped:
        return Dropped(reason=reason, ids=(pair.id,), where=_where(pair), detail=detail)

    if reason := _refused(pair):
        return dropped(reason)
    try:
        question = normalizer(pair.question)
    except TextError as error:
        return dropped("unusable_question", str(error))
    try:
        answer = normalizer(pair.answer, after=pair.question)
    except TextError as error:
        return dropped("unusable_answer", str(error))
    return _passage(pair, question.strip(), answer.strip(), url)


def _refused(pair: QAPair) -> str:
    """Returns why a pair cannot become a passage, "" if it can."""
    # Without a date, the passage would be visible to every question, also to the one that it answers.
    if pair.answered_at is None:
        return "undated"
    if pair.asked_at is not None and pair.answered_at < pair.asked_at:
        return "answered_before_asked"
    if not pair.question.strip() or not pair.answer.strip():
        return "empty_text"
    # The bot would answer from its own answers, and no one would notice when they become wrong.
    if pair.method == "confirmed":
        return "bot_words"
    return ""


def _passage(pair: QAPair, question: str, answer: str, url: str) -> Passage:
    """Builds the passage; its date is that of the answer."""
    source, messages = pair.source, (*pair.question_messages, *pair.answer_messages)
    values = {
        "guild": source.guild,
        "channel": source.thread or source.channel,
        "message": messages[0] if messages else "",
    }
    # A link with an empty part would lead to another place.
    complete = all(values[slot] for slot in _SLOTS if f"{{{slot}}}" in url)
    complete = complete and (url != _URL or _where(pair).startswith("discord:"))
    return Passage(
        id=f"chat:{pair.id}",
        text=f"Question:\n{question}\n\nAnswer:\n{answer}",
        source=_where(pair),
        url=address(url, **values) if complete else "",
        date=pair.answered_at,
    )


def _where(pair: QAPair) -> str:
    """Returns one line that names the messages, or the file and line of the pair."""
    source, messages = pair.source, (*pair.question_messages, *pair.answer_messages)
    if messages:
        platform = pair.id.partition(":")[0]
        # Ready pairs may name messages too; they have no platform, and before there were others it was Discord.
        platform = platform if platform in PLATFORMS else "discord"
        return (
            f"{platform}:{source.guild}/{source.thread or source.channel}/{','.join(dict.fromkeys(messages))}"
        )
    return source.path if source.line is None else f"{source.path}:{source.line}"
