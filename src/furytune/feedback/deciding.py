"""Turns what people said about answers into decisions about the pairs of the next run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from attrs import frozen

from furytune._values.copies import sketch
from furytune._values.shown import Shown
from furytune.errors import FurytuneError
from furytune.feedback.lines import unpacked
from furytune.feedback.log import FeedbackLog
from furytune.feedback.rules import Confirmer, Judgement, gathered, judged
from furytune.records import QAPair
from furytune.review.applying import standing
from furytune.review.decisions import Decisions

__all__ = ["Decided", "decide"]

_SHARE = 0.8


@frozen(kw_only=True, repr=False)
class Decided(Shown):
    """What feedback decided; print it.

    Attributes:
        accepted: Pairs that a person confirmed.
        corrected: Pairs that a helper corrected.
        kept: Pairs about which a person had decided before. That decision stays.
        to_review: Pairs about which a person should decide. Nothing is decided about them.
    """

    accepted: int = 0
    corrected: int = 0
    kept: int = 0
    to_review: tuple[QAPair, ...] = ()

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield from (("accepted", str(self.accepted)), ("corrected", str(self.corrected)))
        yield from (("kept", str(self.kept)), ("to_review", str(len(self.to_review))))

    def __str__(self) -> str:
        return (
            f"accepted   {self.accepted:>6}\ncorrected  {self.corrected:>6}\n"
            f"kept       {self.kept:>6}  decided before by a person\nto review  {len(self.to_review):>6}"
        )


def decide(
    log: FeedbackLog,
    pairs: Iterable[QAPair],
    decisions: Decisions,
    *,
    confirmed_by: Collection[Confirmer] = ("asker", "helper", "mark"),
) -> Decided:
    """Records what people said about answers as decisions about pairs.

    A pair is meant if its id, or one of its answer's messages, is the id of an answer in the log. A confirmed pair is accepted,
    and one that a helper corrected gets the correction. What a person decided before stays.

    A pair is to be reviewed, and nothing is recorded, if people contradict each other, if a member corrected it, or if it did
    not help; also if the bot gave nearly its answer to someone, whom it did not help: then the pair taught the bot that answer.

    Args:
        log: The log.
        pairs: The pairs of the next run, such as ``pipeline.evolve(curators=[]).pairs()``.
        decisions: Where to record.
        confirmed_by: See `furytune.feedback.FeedbackCollector`.

    Raises:
        SourceError: The log or the file of decisions cannot be read.
        CurationError: The file of decisions cannot be written.
    """
    said, sketches = _said(log, confirmed_by)
    accepted = corrected = kept = 0
    queue: list[QAPair] = []
    for pair in pairs:
        judgement = next(
            (said[uid] for uid in (pair.id.removeprefix("feedback:"), *pair.answer_messages) if uid in said),
            None,
        )
        if judgement is None:
            if sketches and _taught(pair, sketches):
                queue.append(pair)
            continue
        if judgement.state == "not_confirmed":
            continue
        earlier = decisions.of(pair)
        if earlier is not None and standing([earlier], pair)[0] is not None:
            kept += 1
        elif judgement.state == "confirmed":
            decisions.accept(pair, by="feedback", note=str(judgement))
            accepted += 1
        elif judgement.state == "corrected" and _answer(decisions, pair, judgement):
            corrected += 1
        else:
            queue.append(pair)
    return Decided(accepted=accepted, corrected=corrected, kept=kept, to_review=tuple(queue))


def _answer(decisions: Decisions, pair: QAPair, judgement: Judgement) -> bool:
    try:
        if pair.answer.strip() == judgement.text.strip():
            decisions.accept(pair, by="feedback", note=str(judgement))
        else:
            decisions.answer(pair, judgement.text, by="feedback", note=str(judgement))
    except FurytuneError:
        return False
    return True


def _said(
    log: FeedbackLog, confirmed_by: Collection[Confirmer]
) -> tuple[dict[str, Judgement], dict[int, list[tuple[int, int]]]]:
    """Returns what people think of each answer, and the sketches of those that did not help, by hash."""
    said: dict[str, Judgement] = {}
    sketches: dict[int, list[tuple[int, int]]] = {}
    with log.opened() as lines:
        for number, about in enumerate(gathered(lines).values()):
            if not about.voices:
                continue
            found = said[about.answer] = judged(about, confirmed_by)
            exchange = None if about.exchange is None else lines.exchange(about.exchange)
            if exchange is not None and found.state not in ("confirmed", "not_confirmed"):
                words = unpacked(exchange.words)
                for one in words:
                    sketches.setdefault(one, []).append((number, len(words)))
    return said, sketches


def _taught(pair: QAPair, sketches: dict[int, list[tuple[int, int]]]) -> bool:
    """Tells whether an answer that did not help is nearly the answer of the pair."""
    mine = sketch(pair.answer)
    common: dict[tuple[int, int], int] = {}
    for one in mine:
        for owner in sketches.get(one, ()):
            common[owner] = common.get(owner, 0) + 1
    return any(count >= _SHARE * max(size, len(mine)) for (_, size), count in common.items())
