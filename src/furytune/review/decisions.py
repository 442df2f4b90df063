"""What people decided about pairs: a curation step, a place to decide, and a place to forget."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from furytune._privacy.printable import printable
from furytune._readers.files import paths_of
from furytune.errors import ConfigError, StaleDecisionError
from furytune.protocols import Curator
from furytune.records import Erased, QAPair
from furytune.review.agreement import Agreement, Calibration, agreement_of, calibration_of
from furytune.review.applying import DecidingPass, last_decisions, standing
from furytune.review.decision import Decision, about, checked_line, checked_text, decided
from furytune.review.journal import Journal, State
from furytune.review.queue import Queue
from furytune.review.sheets import SheetRead, record, write_rows

__all__ = ["Decisions"]

OnError = Literal["raise", "skip"]


@frozen
class Decisions:
    """Curation step: applies what people decided about single pairs. It is also where they decide.

    A decision belongs to the id of a pair and to its `QAPair.digest`, so it holds in every later run, also after the same
    messages are collected again. If the question, the answer or the messages change, the decision is void: the pair is not
    touched, and the report counts and names it as ``source_changed``.

    =========  ========================================================================================
    decision   what the step does
    =========  ========================================================================================
    accept     sets the confidence to 1 and adds the evidence "reviewed", so that steps that only guess,
               such as `MinConfidence` and `JudgePairs`, let the pair pass
    corrected  the same, with the question or the answer that the person wrote
    drop       drops the pair as "rejected"
    merge      drops the pair as "merged", because another pair says the same
    =========  ========================================================================================

    Put it first. It then sees all pairs, and rules about which there is no doubt still apply to accepted and corrected ones:
    secrets are redacted, and code that no longer works is dropped.

    The file is JSON lines, and only grows: the last decision about a pair counts. Several processes and threads may decide at
    the same time. A decision is on disk when the call returns. It contains the texts that people typed; give the object to
    ``furytune.forget(places=[...])`` to erase what concerns a person.

    With several files, such as one for each reviewer, a pair about which they say different things is not touched, and
    counted as ``conflicting``. To decide, use an object with one file.

    Args:
        path: The file, or several. It is created with the first decision.

    Raises:
        ConfigError: The path is not a path.
        SourceError: While it is used: a file cannot be read, or has another format.
        SourceFormatError: While it is used: a line is damaged.
    """

    path: tuple[Path, ...] = field(converter=paths_of)
    _journals: tuple[Journal, ...] = field(init=False, repr=False, eq=False)

    @_journals.default
    def _open(self) -> tuple[Journal, ...]:
        return tuple(map(Journal, self.path))

    @path.validator
    def _each_once(self, _: object, value: tuple[Path, ...]) -> None:
        if len({os.path.realpath(path) for path in value}) < len(value):
            raise ConfigError("the same file of decisions is given twice; give each once")

    @property
    def name(self) -> str:
        """Name in reports, and in `QAPair.edits`."""
        return "decisions"

    def start(self) -> Curator:
        """Returns a step for one pass over the pairs, with the decisions of now."""
        # Read from the beginning, because someone may have edited an earlier line by hand.
        return DecidingPass({path: Journal(path).look(lambda state: state) for path in self.path})

    # Deciding

    def accept(self, pair: QAPair, *, by: str = "", note: str = "", revision: int | None = None) -> Decision:
        """Records that the pair goes in as it was collected. An earlier correction no longer counts.

        Args:
            pair: The pair, from any place in a pipeline.
            by: The reviewer: a pseudonym, or any name.
            note: Anything else.
            revision: What `revision` was when the reviewer saw the pair. If someone decided about it since, nothing is
                recorded. None does not check.

        Returns:
            The decision as it is recorded.

        Raises:
            StaleDecisionError: Someone decided about the pair after ``revision``.
            CurationError: The file cannot be written. Nothing was recorded.
        """
        return self._decide(pair, lambda _: {"action": "accept"}, by, note, revision)

    def drop(
        self, pair: QAPair, *, reason: str, by: str = "", note: str = "", revision: int | None = None
    ) -> Decision:
        """Records that the pair stays out; otherwise like `accept`.

        Args:
            pair: The pair.
            reason: Why. One or two plain words, such as "wrong", are shown where drops are explained.
            by: The reviewer.
            note: Anything else.
            revision: See `accept`.
        """
        reason = checked_line(reason, "the reason")
        if not reason:
            raise ConfigError('a drop needs a reason, such as reason="wrong"')
        return self._decide(pair, lambda _: {"action": "drop", "reason": reason}, by, note, revision)

    def answer(
        self, pair: QAPair, text: str, *, by: str = "", note: str = "", revision: int | None = None
    ) -> Decision:
        """Records that the pair goes in with this answer; otherwise like `accept`. A corrected question stays.

        Args:
            pair: The pair.
            text: The whole corrected answer.
            by: The reviewer.
            note: Anything else.
            revision: See `accept`.

        Raises:
            TextError: The answer is blank, too long, or contains a control character or half of a character.
        """
        answer = checked_text(text, "answer")
        return self._decide(
            pair,
            lambda now: {"action": "accept", "question": now.question if now else "", "answer": answer},
            by,
            note,
            revision,
        )

    def question(
        self, pair: QAPair, text: str, *, by: str = "", note: str = "", revision: int | None = None
    ) -> Decision:
        """Records that the pair goes in with this question; otherwise like `accept`. A corrected answer stays.

        Training renders the prompt of the corrected question, as the bot does when someone asks it, and the manifest counts
        it as edited by a person.

        Args:
            pair: The pair.
            text: The whole corrected question.
            by: The reviewer.
            note: Anything else.
            revision: See `accept`.

        Raises:
            TextError: The question is blank, too long, or contains a control character or half of a character.
        """
        question = checked_text(text, "question")
        return self._decide(
            pair,
            lambda now: {"action": "accept", "question": question, "answer": now.answer if now else ""},
            by,
            note,
            revision,
        )

    def merge(
        self, pair: QAPair, *, into: QAPair, by: str = "", note: str = "", revision: int | None = None
    ) -> Decision:
        """Records that another pair says the same, so that this one is left out; otherwise like `accept`.

        Args:
            pair: The pair to leave out.
            into: The pair that stands for both. It is not changed; correct its answer if something is missing.
            by: The reviewer.
            note: Anything else.
            revision: See `accept`.

        Raises:
            ConfigError: The pairs are the same.
        """
        target = about(into).pair
        if target == about(pair).pair:
            raise ConfigError("a pair cannot be merged into itself; give another pair as into=")
        return self._decide(pair, lambda _: {"action": "merge", "into": target}, by, note, revision)

    def undo(self, pair: QAPair, *, by: str = "", note: str = "", revision: int | None = None) -> Decision:
        """Records that nothing is decided about the pair any more; otherwise like `accept`. The history stays."""
        return self._decide(pair, lambda _: {"action": "undo"}, by, note, revision)

    def _decide(
        self,
        pair: QAPair,
        change: Callable[[Decision | None], dict[str, Any]],
        by: str,
        note: str,
        revision: int | None,
    ) -> Decision:
        """Records a decision.

        Args:
            pair: The pair.
            change: Gets the decision so far, if it accepts this form of the pair, and returns action and texts.
            by: The reviewer.
            note: Anything else.
            revision: What the reviewer knew.
        """
        subject = about(pair)
        by, note = checked_line(by, "by"), checked_line(note, "the note")
        found: list[Decision] = []

        def decide(state: State) -> list[Decision]:
            last = state.last(subject.pair)
            if last is not None and revision is not None and last.revision > revision:
                raise StaleDecisionError(
                    f"{printable(self.path[0])}: someone decided about the pair {subject.pair} after revision {revision}; "
                    "nothing was recorded; look at the pair again",
                    revision=last.revision,
                )
            kept = last if last and (last.action, last.digest) == ("accept", subject.digest) else None
            new = decided(subject, by=by, note=note, before=last, **change(kept))
            if new.repeats(last):
                found.append(last or new)
                return []
            return [new]

        return [*self._only().append(decide), *found][0]

    # Looking

    @property
    def revision(self) -> int:
        """Number of decisions that the file ever had. It grows with each decision of anyone, and never goes back."""
        return self._only().look(lambda state: state.revision)

    def of(self, pair: QAPair | str) -> Decision | None:
        """Returns the last decision about a pair, also if it is void; None if there is none or it was taken back.

        Args:
            pair: The pair, or its id.
        """
        uid = _id_of(pair)
        last = self._only().look(lambda state: state.last(uid))
        return None if last is None or last.action == "undo" else last

    def history(self, pair: QAPair | str) -> tuple[Decision, ...]:
        """Returns all decisions about a pair, oldest first."""
        uid = _id_of(pair)
        return self._only().look(lambda state: tuple(state.decisions.get(uid, ())))

    def since(self, revision: int) -> tuple[Decision, ...]:
        """Returns what was decided after a revision, such as by other people who review at the same time."""
        return self._only().look(lambda state: tuple(d for d in state.in_order() if d.revision > revision))

    def to_review(self, pairs: Iterable[QAPair], n: int = 50, *, near: float = 0.5) -> list[QAPair]:
        """Chooses the pairs that a person should look at first.

        First come pairs whose decision is void or in conflict, then undecided ones by the distance of their confidence to
        ``near``. Each further pair of a channel stands a little behind, so that no channel fills the queue alone. The order
        of the pairs makes no difference, and memory does not grow with their number.

        Args:
            pairs: The pairs, such as ``pipeline.evolve(curators=[]).pairs()``, so that no other step has dropped any.
            n: How many.
            near: Where the doubt is largest: 0.5, or the threshold of `MinConfidence`.

        Raises:
            ConfigError: ``n`` is below 1, or ``near`` is not between 0 and 1.
        """
        _at_least_one("n", n)
        if isinstance(near, bool) or not isinstance(near, int | float) or not 0 <= near <= 1:
            raise ConfigError("near must be a number between 0 and 1")
        found = Queue(n, near)
        files = [journal.look(last_decisions) for journal in self._journals]
        for pair in pairs:
            uid = about(pair).pair
            said = [last[uid] for last in files if uid in last]
            decision, _ = standing(said, pair)
            if decision is None:
                found.add(pair, again=bool(said))
        return found.pairs()

    def agreement(self) -> Agreement:
        """Compares two files of decisions: how often the reviewers agree, and about which pairs they do not.

        Raises:
            ConfigError: There are not exactly two files.
        """
        if len(self._journals) != 2:
            raise ConfigError(
                "agreement compares two files: Decisions(['anna.jsonl', 'ben.jsonl']).agreement()"
            )
        one, other = (journal.look(last_decisions) for journal in self._journals)
        return agreement_of(one, other)

    def calibration(self, bins: int = 10) -> Calibration:
        """Compares the confidence of pairs with what people decided.

        The last decision about each pair counts, in each file. Pairs that no model judged have no confidence.

        Args:
            bins: Number of ranges of confidence.

        Raises:
            ConfigError: ``bins`` is below 1.
        """
        _at_least_one("bins", bins)
        files = [journal.look(last_decisions) for journal in self._journals]
        return calibration_of((d for last in files for d in last.values()), bins)

    # Spreadsheets

    def write_sheet(
        self, path: str | os.PathLike[str], pairs: Iterable[QAPair], *, delimiter: str = ","
    ) -> int:
        """Writes a table for a spreadsheet, with a row for each pair and the decision that holds.

        A CSV has a byte order mark, so that Excel reads it as UTF-8. A cell that a spreadsheet would run as a formula gets a
        leading ``'``, and so does an id that it would take for a number.

        Args:
            path: A name that ends with .csv or .jsonl.
            pairs: The pairs, such as those of `to_review`.
            delimiter: Comma, semicolon or tab. Excel expects a semicolon where the decimal mark is a comma.

        Returns:
            Number of rows.

        Raises:
            ConfigError: The path or the delimiter does not fit.
            CurationError: The table cannot be written. An earlier one is unchanged.
        """
        last, revision = self._only().look(lambda state: (last_decisions(state), state.revision))

        def rows() -> Iterator[tuple[QAPair, Decision | None]]:
            for pair in pairs:
                found = last.get(about(pair).pair)
                yield pair, standing([found] if found else [], pair)[0]

        return write_rows(Path(path), rows(), revision=revision, delimiter=delimiter)

    def read_sheet(
        self,
        path: str | os.PathLike[str],
        *,
        by: str = "",
        on_error: OnError = "raise",
        encoding: str | None = None,
    ) -> SheetRead:
        """Records what people typed into a table that `write_sheet` wrote. Reading it again records nothing more.

        A row counts if its "decision" is accept, drop, merge or undo, or if it has a corrected text. A row about whose pair
        someone else has decided since the table was written is refused.

        Args:
            path: The table. A CSV may be separated by commas, semicolons or tabs.
            by: The reviewer of rows that name no one.
            on_error: "raise" records nothing if any row is refused. "skip" records the other rows, and lists the refused ones.
            encoding: UTF-8, or UTF-16 with its mark, unless you name another.

        Raises:
            SourceError: The table cannot be read.
            SourceFormatError: It is not such a table, or rows are refused; with line and reason.
            CurationError: The file of decisions cannot be written. Nothing was recorded.
        """
        if on_error not in ("raise", "skip"):
            raise ConfigError("on_error must be 'raise' or 'skip'")
        return record(
            self._only(), Path(path), by=checked_line(by, "by"), skip=on_error == "skip", encoding=encoding
        )

    # Forgetting

    def check(self) -> None:
        """Checks that all files can be erased. Changes nothing.

        Raises:
            ConfigError: A file does not exist, or may not be changed.
            SourceError: A file cannot be read.
        """
        for journal in self._journals:
            journal.check()

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes the decisions about pairs that contain one of the messages, with their history.

        A decision that names one of the people in a text is removed too. A reviewer's name is only taken out.

        Args:
            messages: Ids of chat messages.
            people: Ids of people.

        Raises:
            CurationError: A file cannot be replaced. Call it again to continue.
        """
        done = [journal.erase(messages, people) for journal in self._journals]
        return Erased(
            kind="decisions",
            path=", ".join(erased.path for erased in done),
            removed=sum(erased.removed for erased in done),
            left=sum(erased.left or 0 for erased in done),
        )

    def _only(self) -> Journal:
        """Returns the file, if there is only one.

        Raises:
            ConfigError: There are several.
        """
        if len(self._journals) != 1:
            raise ConfigError("this needs an object with one file, such as Decisions('review.jsonl')")
        return self._journals[0]


def _at_least_one(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name} must be a whole number, at least 1")


def _id_of(pair: QAPair | str) -> str:
    return pair if isinstance(pair, str) else about(pair).pair
