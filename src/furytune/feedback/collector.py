"""Collects pairs from what people said about the bot's answers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import attrs
from attrs import field, frozen

from furytune._privacy.consent import Consent
from furytune._privacy.printable import printable
from furytune._readers.limits import MAX_PAIR, over
from furytune._storage.system import system_errors_as
from furytune._values.canonical import Json
from furytune._values.checks import of_type
from furytune.errors import ConfigError, SourceError
from furytune.feedback.lines import Exchange
from furytune.feedback.log import FeedbackLog, Reading
from furytune.feedback.rules import Answered, Confirmer, Judgement, State, gathered, ids_of, judged
from furytune.feedback.texts import Found, as_chat, looked_up, marked
from furytune.feedback.wording import shown_part
from furytune.pairing.asking import joined
from furytune.protocols import Collector, Provenance
from furytune.records import Dropped, Evidence, Message, QAPair, Source
from furytune.review.applying import standing
from furytune.review.decisions import Decisions

__all__ = ["FeedbackCollector"]

_CONFIRMERS: Final = ("asker", "helper", "mark", "member")
_EVIDENCE: Final[Mapping[str, tuple[Evidence, ...]]] = {
    "asker": ("works_now",),
    "helper": ("reviewed",),
    "mark": ("solution_mark",),
}
_DOUBT: Final = 0.5  # confidence of a pair about which a person must decide


def _as_log(log: FeedbackLog | str | os.PathLike[str]) -> FeedbackLog:
    return log if isinstance(log, FeedbackLog) else FeedbackLog(log)


def _confirmers(value: Iterable[Confirmer]) -> tuple[Confirmer, ...]:
    found = () if isinstance(value, str) else tuple(value)
    if isinstance(value, str) or not set(found) <= set(_CONFIRMERS):
        raise ConfigError(f"confirmed_by is a list of {', '.join(_CONFIRMERS)}")
    return found


def _chat(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and as_chat(value) is None:
        raise ConfigError(
            f"{attribute.name} must be a collector of chat messages, such as JournalCollector or DiscordExportCollector, "
            f"not a {type(value).__name__}"
        )


@frozen
class FeedbackCollector:
    """Pairs from answers of the bot that people confirmed or corrected.

    An answer of the bot becomes a pair only if a person confirmed it, and a correction only if a helper wrote it or a reviewer
    accepted it. Every other answer is counted with a reason. `to_review` has those about which a person should decide.

    The latest word of a person about an answer counts, and each person has one voice. Helpers outweigh everyone else. If those
    who count contradict each other, nothing follows from it.

    Args:
        log: The file of `FeedbackLog`.
        chat: The collector with the messages of questions and answers, such as `JournalCollector`. It also shows the check
            marks and solved tags that people gave to answers. None takes all texts from the log; see ``FeedbackLog.keep_texts``.
        confirmed_by: Whose "helped" confirms an answer: "asker", "helper", "mark" (a check mark or a solved tag), or "member"
            for anyone.
        decisions: File of `Decisions` about the pairs of `to_review`. Those that a reviewer accepted become pairs; the
            corrections of texts come from the step `Decisions`, so put that first.
        consent: Whose words may be used, by ids. Rules by role need the ``consent`` of ``chat``.
        fingerprint: If given, only answers under the contract with this fingerprint count.

    Raises:
        ConfigError: An argument cannot be used.
    """

    log: FeedbackLog = field(converter=_as_log)
    chat: Collector | None = field(default=None, kw_only=True, validator=_chat)
    confirmed_by: tuple[Confirmer, ...] = field(
        default=("asker", "helper", "mark"), kw_only=True, converter=_confirmers
    )
    decisions: Path | None = field(default=None, kw_only=True, converter=attrs.converters.optional(Path))
    consent: Consent = field(default=Consent(), kw_only=True, validator=of_type(Consent))
    fingerprint: str = field(default="", kw_only=True, validator=of_type(str))
    _used: Counter[str] = field(init=False, factory=Counter, repr=False, eq=False)

    @consent.validator
    def _ids_only(self, _: object, value: Consent) -> None:
        if value.needs_roles:
            raise ConfigError(
                "a feedback log does not know anyone's roles, so consent= takes opt_out and opt_in; give rules by role to "
                "the collector in chat="
            )

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields a pair or a drop for each answer of the log, in the order in which the log first names them.

        Raises:
            SourceError: The log or the chat cannot be read.
        """
        self._used.clear()
        decided = Decisions(self.decisions) if self.decisions is not None else None
        for item, judgement, fingerprint in self._answers():
            if isinstance(item, Dropped) or judgement is None:
                yield item
                continue
            if judgement.state in ("confirmed", "corrected"):
                accepted = True
            else:
                decision = decided.of(item) if decided is not None else None
                holds = standing([decision], item)[0] if decision is not None else None
                accepted = holds is not None and holds.action == "accept"
            if accepted:
                self._used[f"{item.method} under {fingerprint or 'an unknown contract'}"] += 1
                yield item
            else:
                yield _unused(item, judgement)

    def to_review(self) -> Iterator[QAPair]:
        """Yields pairs about which a person should decide: corrections of members, contradictions, and unhelpful answers.

        Give them to `Decisions.to_review` or write them into a sheet. A reviewer accepts, corrects or drops them, and the next
        run of a collector with ``decisions=`` has those that were accepted.

        Raises:
            SourceError: The log or the chat cannot be read.
        """
        for item, judgement, _ in self._answers():
            doubtful = judgement is not None and judgement.state in (
                "proposed",
                "contradicted",
                "not_helpful",
            )
            if doubtful and isinstance(item, QAPair):
                yield item

    def for_review(self) -> Collector:
        """Returns a collector of the pairs of `collect` and of `to_review`, for a review page. Do not train on them."""
        return _ForReview(self)

    @property
    def provenance(self) -> Mapping[str, Json]:
        """How many pairs came from which contract's answers, and where the chat is from."""
        chat: object = self.chat
        # A card shows the permission of the chat, so it stays where the chat's collector puts it.
        told = dict(chat.provenance) if isinstance(chat, Provenance) else {}
        if "collector" in told:
            told["chat"] = told["collector"]
        return {**told, "collector": "feedback", "pairs": dict(sorted(self._used.items()))}

    def _answers(self) -> Iterator[tuple[QAPair | Dropped, Judgement | None, str]]:
        """Yields what became of each answer, with what people think of it and its fingerprint."""
        reading = Reading()
        with system_errors_as(SourceError, self.log.path), self.log.opened(reading) as lines:
            answers = gathered(lines)
            chat = as_chat(self.chat)
            found = looked_up(chat, frozenset(ids_of(answers.values())))
            silent = Counter[str]()
            for about in answers.values():
                about.marked = marked(found.of(about.messages))
                unwilling = {by for by in about.voices if by and self.consent.refusal(by, ())}
                silent.update(self.consent.refusal(by, ()) for by in unwilling)
                judgement = judged(about, self.confirmed_by, unwilling)
                exchange = None if about.exchange is None else lines.exchange(about.exchange)
                made = self._made(about, judgement, exchange, found)
                yield made, judgement, about.fingerprint
            for reason, count in sorted(silent.items()):
                yield (
                    Dropped(reason=reason, unit="record", count=count, where=printable(self.log.path)),
                    None,
                    "",
                )
        for drop in reading.drops(self.log.path):
            yield drop, None, ""

    def _made(
        self, about: Answered, judgement: Judgement, exchange: Exchange | None, found: Found
    ) -> QAPair | Dropped:
        def dropped(reason: str) -> Dropped:
            return Dropped(
                reason=reason,
                unit="record",
                ids=(f"feedback:{about.answer}",),
                where=printable(self.log.path),
            )

        if self.fingerprint and about.fingerprint != self.fingerprint:
            return dropped("other_contract")
        if about.asker and (reason := self.consent.refusal(about.asker, ())):
            return dropped(reason)
        for uid in (*about.before, about.question, *about.messages):
            if reason := found.gone.get(uid, ""):
                return dropped(reason)
        asked, told = found.messages.get(about.question), found.messages.get(about.answer)
        earlier = [found.messages.get(uid) for uid in about.before]
        edits = [m.edited_at for m in (*earlier, asked, told) if m is not None and m.edited_at is not None]
        if judgement.at is not None and edits and max(edits) > judgement.at:
            return dropped("source_changed")
        question = exchange.asked if exchange is not None else ""
        question = question or _shown(exchange, 0, (*about.before, about.question), found)
        answer = judgement.text or (exchange.told if exchange is not None else "")
        answer = answer or _shown(exchange, 1, about.messages, found)
        if not question.strip() or not answer.strip():
            # It is not a loss if no one confirmed the answer, so the state is what a reader wants to know.
            open_ = judgement.state == "not_confirmed"
            return dropped("not_confirmed") if open_ else dropped("text_not_found")
        if over(MAX_PAIR, question + answer):
            return dropped("pair_too_long")
        return _pair(about, judgement, exchange, question, answer, asked, told)


def _shown(exchange: Exchange | None, which: int, ids: Iterable[str], found: Found) -> str:
    """Returns the text of messages as the bot read or wrote it; "" if the chat does not have it, or not as it was."""
    messages = [found.messages[uid].content if uid in found.messages else "" for uid in ids]
    if not all(messages):
        return ""
    # A question that took several messages is joined as in the data set; the parts of an answer are one text.
    whole = joined([text] for text in messages) if which == 0 else "\n".join(messages)
    return shown_part(whole, exchange.wording[which] if exchange is not None else "") or ""


@frozen
class _ForReview:
    of: FeedbackCollector

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs for a person to look at, and nothing else."""
        yield from (item for item in self.of.collect() if isinstance(item, QAPair) and item.confidence == 1)
        yield from self.of.to_review()


def _pair(
    about: Answered,
    judgement: Judgement,
    exchange: Exchange | None,
    question: str,
    answer: str,
    asked: Message | None,
    told: Message | None,
) -> QAPair:
    source = asked.source if asked is not None else told.source if told is not None else Source()
    moments = [exchange.time if exchange else None, judgement.at if judgement.text else None]
    for message in (asked, told):
        moments += [message.sent_at, message.edited_at] if message is not None else []
    known = [moment for moment in moments if moment is not None]
    sure = judgement.state in ("confirmed", "corrected")
    return QAPair(
        id=f"feedback:{about.answer}",
        question=question,
        answer=answer,
        group=source.thread or about.question or about.answer,
        asked_at=_asked_at(asked, exchange),
        answered_at=max(known, default=judgement.at),
        method=_METHODS.get(judgement.state) or ("proposed" if judgement.text else "confirmed"),
        asker=asked.author.pseudonym if asked is not None else "",
        question_messages=(*about.before, about.question) if asked is not None else (),
        answer_messages=about.messages if told is not None else (),
        tags=tuple(_tags(judgement, exchange)),
        solved=judgement.who == "mark",
        confidence=1.0 if sure else _DOUBT,
        evidence=_EVIDENCE.get(judgement.who, ()) if sure else (),
        source=source,
    )


# A reviewer who accepts any other pair confirms the answer in it.
_METHODS: Final[Mapping[State, str]] = {"confirmed": "confirmed", "corrected": "corrected"}


def _asked_at(asked: Message | None, exchange: Exchange | None) -> datetime | None:
    if asked is not None and asked.sent_at is not None:
        return asked.sent_at
    return exchange.time if exchange is not None else None


def _tags(judgement: Judgement, exchange: Exchange | None) -> Iterator[str]:
    """Yields what a reader of the pair wants to know about the answer."""
    if judgement.who:
        yield f"{judgement.state} by {'a mark' if judgement.who == 'mark' else judgement.who}"
    if exchange is not None:
        told = (
            ("model", exchange.model),
            ("fingerprint", exchange.fingerprint),
            ("snapshot", exchange.snapshot),
        )
        yield from (f"{name} {value}" for name, value in told if value)


def _unused(pair: QAPair, judgement: Judgement) -> Dropped:
    reason = _left_out(judgement.state)
    return Dropped(
        reason=reason,
        unit="record",
        ids=(pair.id,),
        where=pair.source.thread or pair.source.channel,
        detail=str(judgement) if reason == "contradicted" else "",
    )


def _left_out(state: State) -> str:
    """Returns why an answer does not become a pair."""
    if state == "proposed":
        return "proposed"
    if state == "contradicted":
        return "contradicted"
    return "not_helpful" if state == "not_helpful" else "not_confirmed"
