"""What a reviewer sees of each pair, and what happens when the reviewer decides. It knows nothing about HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from attrs import evolve, field, frozen

from furytune._privacy.redaction import redact
from furytune._values.canonical import Json
from furytune.curation.secrets import RedactSecrets
from furytune.errors import ConfigError, FurytuneError, TextError
from furytune.normalize import Normalizer
from furytune.pipeline import Pipeline
from furytune.protocols import Named
from furytune.records import Dropped, QAPair, Source
from furytune.review.applying import standing
from furytune.review.decision import Decision, about, printable_id
from furytune.review.decisions import Decisions
from furytune.review_page.similar import SharedWords
from furytune.review_page.surroundings import Surroundings
from furytune.review_page.wording import reasons_for

__all__ = ["Choice", "Desk", "Filter"]

_LABEL: Final = 100  # characters of a question in the queue
_SIMILAR: Final = 5
_STATUS: Final = {"accept": "accepted", "correct": "corrected", "drop": "dropped", "merge": "merged"}


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """What the page sends when a reviewer decides.

    Attributes:
        id: Id of the pair.
        action: "accept", "drop", "answer", "question", "merge", or "restore", which takes the last decision back.
        revision: The revision of the file when the reviewer saw the pair.
        text: The corrected answer or question.
        reason: Why the pair is dropped.
        into: Id of the pair that says the same.
        before: For "restore": revision of the decision that held before; 0 if there was none.
    """

    id: str
    action: str
    revision: int
    text: str = ""
    reason: str = ""
    into: str = ""
    before: int = 0


class Filter(msgspec.Struct, forbid_unknown_fields=True):
    """Which pairs to list.

    Attributes:
        state: "todo" (undecided, or the decision is void), "decided", a status, or "" for all.
        channel: Name of a channel, or "".
        least: Lowest confidence.
        most: Highest confidence.
        search: Words that must all be in the question or the answer.
    """

    state: str = ""
    channel: str = ""
    least: float = 0.0
    most: float = 1.0
    search: str = ""


@frozen(kw_only=True)
class _Item:
    """A pair on the desk.

    Attributes:
        pair: As it was collected.
        question: As the model would learn it, if the pair is accepted.
        answer: As the model would learn it.
        channel: Where it was asked, for people.
        left_out: Name of the step that leaves it out even if everything is accepted; "" if none does.
        question_problem: Why no prompt can hold the question; "" if one can.
        answer_problem: Why no prompt can hold the answer; "" if one can.
    """

    pair: QAPair
    question: str = field(repr=False)
    answer: str = field(repr=False)
    channel: str = ""
    left_out: str = ""
    question_problem: str = ""
    answer_problem: str = ""


@frozen
class _Some:
    """Collects pairs that are known already."""

    pairs: Sequence[QAPair]

    def collect(self) -> Iterator[QAPair | Dropped]:
        yield from self.pairs


class Desk:
    """All pairs of a pipeline, and the decisions about them.

    Collects the pairs once, and applies all steps but the decisions to them as if every pair were accepted. So the reviewer
    sees the texts that the model would learn, with secrets redacted, and steps that only guess do not ask their models.

    Args:
        pipeline: Where the pairs come from.
        decisions: Where decisions are recorded; one file.
        by: The reviewer.
        near: The confidence of the most doubtful pairs, which come first.

    Raises:
        FurytuneError: The pairs cannot be collected, or the decisions cannot be read.
    """

    def __init__(self, pipeline: Pipeline, decisions: Decisions, *, by: str, near: float) -> None:
        self._pipeline = pipeline.evolve(curators=(), exporter=None, tuner=None)
        self._decisions = decisions
        self._by = by
        self._lock = threading.RLock()
        self._last: dict[str, Decision] = {}
        self._revision = 0
        kinds = {"secrets", "emails", *pipeline.normalizer.redact}
        kinds.update(k for step in pipeline.curators if isinstance(step, RedactSecrets) for k in step.kinds)
        self._kinds = tuple(sorted(kinds))

        collected = list(self._pipeline.pairs())
        steps = [step for step in pipeline.curators if not isinstance(step, Decisions)]
        learnt, left_out = self._learnt(collected, steps)
        doubtful = decisions.to_review(collected, max(len(collected), 1), near=near)
        # Pairs about which someone has decided come last, in the order of the source.
        ordered = {about(pair).pair: pair for pair in (*doubtful, *collected)}
        self._items = {
            uid: self._item(pair, learnt[pair.id], left_out.get(pair.id, "")) for uid, pair in ordered.items()
        }
        self._similar = SharedWords((uid, item.question) for uid, item in self._items.items())
        self._channels = sorted({item.channel for item in self._items.values() if item.channel})
        self._states = dict.fromkeys(self._items, "undecided")
        self._todo = len(self._states)
        self._refresh()
        self._around = Surroundings(pipeline.collector, collected, self._clean)

    def stop(self) -> None:
        """Ends what runs in the background."""
        self._around.stop()

    def settle(self) -> None:
        """Waits for what runs in the background."""
        self._around.join()

    # What the page asks

    def queue(self, chosen: Filter) -> Json:
        """Returns the pairs that a filter lets through, in order, with everything that the page needs to know at once."""
        words = chosen.search.casefold().split()
        with self._lock:
            self._refresh()
            items: list[Json] = []
            for uid, item in self._items.items():
                status = self._states[uid]
                if not _in_state(status, chosen.state) or chosen.channel not in ("", item.channel):
                    continue
                if not chosen.least <= round(item.pair.confidence, 2) <= chosen.most:
                    continue
                if words:
                    decision = self._last.get(uid)
                    typed = f"{decision.question}\n{decision.answer}" if decision else ""
                    text = f"{item.question}\n{item.answer}\n{typed}".casefold()
                    if not all(word in text for word in words):
                        continue
                items.append([uid, status, _label(item.question)])
            return {**self.progress(), "items": items}

    def progress(self) -> dict[str, Json]:
        """Returns how much is done."""
        with self._lock:
            return {
                "by": self._by,
                "all": len(self._items),
                "todo": self._todo,
                "channels": self._channels,
                "revision": self._revision,
            }

    def since(self, revision: int) -> Json:
        """Returns the pairs about which someone decided after a revision, each with its status now."""
        with self._lock:
            self._refresh()
            changed = dict.fromkeys(d.pair for d in self._decisions.since(revision) if d.pair in self._items)
            return {**self.progress(), "changed": [[uid, self._states[uid]] for uid in changed]}

    def view(self, uid: str) -> Json:
        """Returns everything about one pair.

        Raises:
            ConfigError: There is no such pair.
        """
        item = self._known(uid)
        with self._lock:
            self._refresh()
            decision, void = self._decision(uid)
            revision = self._revision
        pair = item.pair
        question = decision.question if decision and decision.question else item.question
        answer = decision.answer if decision and decision.answer else item.answer
        # What a person wrote has been checked.
        problem = item.question_problem if question is item.question else ""
        problem = problem or (item.answer_problem if answer is item.answer else "")
        return {
            "id": uid,
            "revision": revision,
            "channel": item.channel,
            "asked_at": pair.asked_at.isoformat() if pair.asked_at else "",
            "confidence": round(pair.confidence, 2),
            "why": list(reasons_for(pair)),
            "tags": list(pair.tags),
            "question": question,
            "answer": answer,
            "collected": [item.question, item.answer],
            "left_out": item.left_out,
            "problem": problem,
            "decision": self._told(decision),
            "void": void,
            "around": self._surroundings(pair),
            "similar": [self._like(other, share) for other, share in self._similar.like(uid, _SIMILAR)],
            "prompt": {"problem": problem} if problem else self._prompt(pair, question, answer),
        }

    def decide(self, choice: Choice) -> Json:
        """Records a decision.

        Returns:
            The decision, what held before, and whether anything was recorded.

        Raises:
            ConfigError: There is no such pair, or the choice makes no sense.
            StaleDecisionError: Someone decided about the pair after the reviewer saw it.
            CurationError: The file cannot be written. Nothing was recorded.
        """
        item = self._known(choice.id)
        act = self._acts().get(choice.action)
        if act is None:
            raise ConfigError("the action must be accept, drop, answer, question, merge or restore")
        with self._lock:
            self._refresh()
            before = self._last.get(choice.id)
            made = act(item.pair, choice)
            self._refresh()
            recorded = made.revision > (before.revision if before else 0)
            return {
                **self.progress(),
                "decision": self._told(self._decision(choice.id)[0]),
                "status": self._states[choice.id],
                "made": made.revision if recorded else 0,
                "before": before.revision if before and before.action != "undo" else 0,
            }

    def _acts(self) -> dict[str, Callable[[QAPair, Choice], Decision]]:
        decisions, by = self._decisions, self._by
        return {
            "accept": lambda pair, c: decisions.accept(pair, by=by, revision=c.revision),
            "drop": lambda pair, c: decisions.drop(pair, reason=c.reason, by=by, revision=c.revision),
            "answer": lambda pair, c: decisions.answer(pair, c.text, by=by, revision=c.revision),
            "question": lambda pair, c: decisions.question(pair, c.text, by=by, revision=c.revision),
            "merge": lambda pair, c: decisions.merge(
                pair, into=self._known(c.into).pair, by=by, revision=c.revision
            ),
            "restore": self._restore,
        }

    def _restore(self, pair: QAPair, choice: Choice) -> Decision:
        """Makes an earlier decision hold again, or none."""
        decisions, by = self._decisions, self._by
        old = next((d for d in decisions.history(pair) if d.revision == choice.before), None)
        if old is None or old.digest != pair.digest or old.action == "undo":
            return decisions.undo(pair, by=by, revision=choice.revision)
        if old.action == "drop":
            return decisions.drop(pair, reason=old.reason, by=by, note=old.note, revision=choice.revision)
        if old.action == "merge":
            into = self._known(old.into).pair
            return decisions.merge(pair, into=into, by=by, note=old.note, revision=choice.revision)
        # A correction keeps the other text that was corrected before, so what is to hold now is built from nothing.
        made = decisions.accept(pair, by=by, note=old.note, revision=choice.revision)
        if old.question:
            made = decisions.question(pair, old.question, by=by, note=old.note, revision=made.revision)
        if old.answer:
            made = decisions.answer(pair, old.answer, by=by, note=old.note, revision=made.revision)
        return made

    # How it is shown

    def _learnt(
        self, collected: list[QAPair], steps: Sequence[Any]
    ) -> tuple[dict[str, QAPair], dict[str, str]]:
        """Returns each pair after all steps as if it were accepted, and the step that left it out, by id."""
        sure = [evolve(p, confidence=1.0, evidence=(*p.evidence, "reviewed")) for p in collected]
        kept = {pair.id: pair for pair in sure}
        out: dict[str, QAPair] = {}
        left_out: dict[str, str] = {}
        for step in steps:
            passed = self._after(step, kept.values())
            # A pair that one step leaves out is still redacted by those after it.
            out = {**out, **self._after(step, out.values())}
            for uid in kept.keys() - passed.keys():
                out[uid] = kept[uid]
                left_out[uid] = step.name if isinstance(step, Named) else type(step).__name__
            kept = passed
        return {**out, **kept}, left_out

    def _after(self, step: Any, pairs: Iterable[QAPair]) -> dict[str, QAPair]:
        some = _Some(tuple(pairs))
        return {pair.id: pair for pair in self._pipeline.evolve(collector=some, curators=step).pairs()}

    def _item(self, pair: QAPair, learnt: QAPair, left_out: str) -> _Item:
        question, problem = _normal(self._pipeline.normalizer, learnt.question)
        answer, other = _normal(self._pipeline.normalizer, learnt.answer, after=learnt.question)
        if left_out:  # perhaps by the step that found nothing but secrets in it
            answer, _ = redact(answer, self._kinds)
        return _Item(
            pair=pair,
            question=question,
            answer=answer,
            channel=_channel(pair.source),
            left_out=left_out,
            question_problem=problem,
            answer_problem=other,
        )

    def _clean(self, text: str) -> str:
        return redact(self._pipeline.normalizer(text), self._kinds)[0]

    def _known(self, uid: str) -> _Item:
        found = self._items.get(uid)
        if found is None:
            raise ConfigError("there is no such pair; reload the page")
        return found

    def _refresh(self) -> None:
        now = self._decisions.revision
        if now == self._revision:
            return
        if now < self._revision:  # another file is there, such as an older copy
            self._last.clear()
            self._states = dict.fromkeys(self._items, "undecided")
            self._todo, self._revision = len(self._states), 0
        new = self._decisions.since(self._revision)
        for decision in new:
            self._last[decision.pair] = decision
            self._revision = decision.revision
        for uid in {decision.pair for decision in new} & self._items.keys():
            status = self._judged(uid)
            self._todo += _in_state(status, "todo") - _in_state(self._states[uid], "todo")
            self._states[uid] = status

    def _decision(self, uid: str) -> tuple[Decision | None, bool]:
        """Returns the decision that holds, and whether one is void."""
        last = self._last.get(uid)
        if last is None or last.action == "undo":
            return None, False
        decision, reason = standing([last], self._items[uid].pair)
        return decision, bool(reason)

    def _judged(self, uid: str) -> str:
        """Returns the status of a pair."""
        decision, void = self._decision(uid)
        if decision is None:
            return "changed" if void else "undecided"
        return _STATUS[decision.verdict]

    def _told(self, decision: Decision | None) -> Json:
        if decision is None:
            return None
        return {
            "status": _STATUS[decision.verdict],
            "by": decision.by,
            "at": decision.at.isoformat() if decision.at else "",
            "reason": decision.reason,
            "note": decision.note,
            "into": decision.into,
            "into_question": self._items[decision.into].question if decision.into in self._items else "",
            "revision": decision.revision,
        }

    def _like(self, uid: str, share: float) -> Json:
        item = self._items[uid]
        return {
            "id": uid,
            "question": item.question,
            "answer": item.answer,
            "share": round(share, 2),
            "status": self._states[uid],
        }

    def _surroundings(self, pair: QAPair) -> Json:
        people: dict[str, str] = {pair.asker: "Asker", pair.answerer: "Answerer"}
        if pair.asker == pair.answerer:
            people[pair.asker] = "Asker and answerer"
        messages: list[Json] = []
        place: int | None = None
        for around in self._around.of(pair):
            if around.speaker not in people:
                number = sum(name.startswith("Person") for name in people.values())
                people[around.speaker] = f"Person {number + 1}"
            messages.append(
                {
                    "who": "Bot" if around.bot else people[around.speaker],
                    "part": "question"
                    if around.id in pair.question_messages
                    else "answer"
                    if around.id in pair.answer_messages
                    else "",
                    "text": around.text,
                    "at": around.at,
                    "gap": place is not None and around.place != place + 1,
                }
            )
            place = around.place
        return {"reading": self._around.reading, "problem": self._around.problem, "messages": messages}

    def _prompt(self, pair: QAPair, question: str, answer: str) -> Json:
        """Returns the prompt that training would render, or why there is none."""
        some = _Some((evolve(pair, question=question, answer=answer),))
        try:
            with self._lock:  # not every index can be searched by several threads
                row = next(self._pipeline.evolve(collector=some).rows(), None)
                if row is None:  # the error says why
                    self._pipeline.prompt(question, at=pair.asked_at)
        except FurytuneError as error:
            return {"problem": str(error)}
        if row is None:
            return {"problem": "no prompt can hold the answer"}
        return {
            "system": row.prompt.system,
            "text": row.prompt.text,
            "passages": len(row.prompt.passages),
            "split": row.split,
        }


def _in_state(status: str, state: str) -> bool:
    if state in ("todo", "decided"):
        return (status in ("undecided", "changed")) == (state == "todo")
    return state in ("", status)


def _channel(source: Source) -> str:
    """Returns how people call the place where a pair was read."""
    return printable_id(f"#{source.channel_name}" if source.channel_name else source.channel or source.path)


def _label(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LABEL else line[:_LABEL] + "…"


def _normal(normalizer: Normalizer, text: str, *, after: str = "") -> tuple[str, str]:
    """Returns a text as a prompt has it, and what is wrong with it."""
    try:
        return normalizer(text, after=after), ""
    except TextError as error:
        # The text may be half of a character; people see a mark in its place.
        return text.encode("utf-8", "replace").decode(), str(error)
