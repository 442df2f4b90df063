"""The feedback log: what people said about the bot's answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from attrs import define, field, frozen

from furytune._privacy.consent import Consent
from furytune._privacy.lineage import names, whole_numbers
from furytune._privacy.printable import printable
from furytune._readers.limits import MAX_PAIR, over
from furytune._storage.appending import append, oldest
from furytune._storage.system import system_errors_as
from furytune._values.checks import of_type
from furytune._values.copies import sketch
from furytune.errors import AnswerError, ConfigError, SourceError
from furytune.feedback.file import lines, replace
from furytune.feedback.lines import MAX_LINE, Exchange, Line, Role, Said, Verdict, decode, encode, packed
from furytune.feedback.wording import wording
from furytune.records import Dropped, Erased
from furytune.review.decision import checked_text

__all__ = ["FeedbackLog", "Opened", "Reading"]

_VERDICTS: Final = ("helped", "did_not_help", "corrected")
_ROLES: Final = ("member", "helper")
_WORD: Final = 300  # characters of an id or a name


def _as_path(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"a feedback log is a file, so give its path, not a {type(path).__name__}")
    return Path(path)


@define
class Reading:
    """One pass over a log.

    Attributes:
        missing: True if there is no log.
        damaged: Number of lines that are not feedback, or are longer than any.
        torn: True if the last line was cut off, as a crash or a lost connection to a disk leaves it.
    """

    missing: bool = False
    damaged: int = 0
    torn: bool = False

    def drops(self, path: Path) -> Iterator[Dropped]:
        """Yields what could not be read."""
        where = printable(path)
        if self.missing:
            yield Dropped(reason="no_feedback", unit="file", where=where)
        if self.damaged:
            yield Dropped(reason="bad_feedback", unit="record", count=self.damaged, where=where)
        if self.torn:
            yield Dropped(reason="torn", unit="record", where=where)


@frozen
class Opened:
    """A log that is open; iterate over it for the lines, each with its place in the file."""

    file: IO[bytes]
    reading: Reading

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        for at, line, said in lines(self.file):
            if said is not None:
                yield at, said
            elif line and not line.endswith(b"\n"):
                self.reading.torn = True
            else:
                self.reading.damaged += 1

    def exchange(self, at: int) -> Exchange | None:
        """Returns the exchange at a place. Its texts are read only when they are needed, so memory does not grow with them."""
        self.file.seek(at)
        found = decode(self.file.readline(MAX_LINE))
        return found if isinstance(found, Exchange) else None


@frozen
class FeedbackLog:
    """A file to which bots and servers append what people say about answers.

    Several programs may write at the same time, and each line is written with one call: a program that is killed leaves all of
    it or nothing. When a call returns, its line is on disk. Only the owner of the file can read it. Give the object to
    ``furytune.forget(places=[...])`` to erase what concerns a person.

    The log has ids, digests, verdicts and corrections. It has the texts of questions and answers only with ``keep_texts``. For
    Discord they are not needed, because the next export or journal has them. For a server there is no other copy.

    Args:
        path: The file. The first line creates it.
        keep_texts: Whether `exchange` stores the question and the answer. Tell your members before you switch it on, and give a
            `prune` its time.
        consent: Whose texts may be stored. Of an exchange of anyone else, ids and digests are stored, and no text.

    Raises:
        ConfigError: The path is not a path.
    """

    path: Path = field(converter=_as_path)
    keep_texts: bool = field(default=False, kw_only=True, validator=of_type(bool))
    consent: Consent = field(default=Consent(), kw_only=True, validator=of_type(Consent))

    # Writing

    def note(
        self,
        answer: str,
        question: str,
        verdict: Verdict,
        text: str | None = None,
        by: str = "",
        role: Role = "member",
        at: datetime | None = None,
        source: str = "",
    ) -> None:
        """Notes what a person says about an answer. The latest word of a person about an answer counts.

        Args:
            answer: Id of the answer, such as the id of the bot's message, or that of a completion; the one that
                `exchange` was given.
            question: Id of the question's message, or the question's digest; "" if it is not known.
            verdict: "helped", "did_not_help" or "corrected".
            text: With "corrected", the whole answer as it should have been. With another verdict, a comment, which is never
                trained on.
            by: Id of the person, such as a Discord user id, so that each person has one voice and can be forgotten. All who
                are not named have one voice together.
            role: "helper" for someone whose corrections the community trusts. Only the bot knows; never believe a client.
            at: When; by default now.
            source: Where it was said, such as "button", "reaction" or "solved_tag".

        Raises:
            ConfigError: An argument cannot be used.
            TextError: The text is blank, too long, or contains a control character or half of a character.
            AnswerError: The line cannot be written.
        """
        if verdict not in _VERDICTS:
            raise ConfigError(f"verdict must be one of {', '.join(_VERDICTS)}")
        if role not in _ROLES:
            raise ConfigError(f"role must be one of {', '.join(_ROLES)}")
        said = Said(
            time=_moment(at),
            answer=_id("answer", answer, needed=True),
            verdict=verdict,
            question=_id("question", question),
            text="" if text is None else checked_text(text, "answer"),
            by=_id("by", by),
            role=role,
            source=_id("source", source),
        )
        self._append(said)

    def exchange(
        self,
        answer: str,
        question: str,
        *,
        asker: str = "",
        asked: str = "",
        told: str = "",
        prompt: str = "",
        fingerprint: str = "",
        snapshot: str = "",
        model: str = "",
        citations: Iterable[str] = (),
        parts: Iterable[str] = (),
        before: Iterable[str] = (),
        roles: Collection[str] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Notes that the bot answered, so that a later verdict is known to be the asker's, and about which prompt.

        Give the texts always: without ``keep_texts``, the log stores neither, only digests and a sketch, by which the texts and
        copies of the answer are recognised in collected data.

        Args:
            answer: Id of the answer.
            question: Id of the question's message, or the question's digest.
            asker: Id of the person who asked.
            asked: The question, raw, as the contract took it.
            told: The answer, without footnotes.
            prompt: `furytune.records.Prompt.digest` of the prompt.
            fingerprint: Fingerprint of the contract.
            snapshot: Snapshot of the knowledge.
            model: Name of the model.
            citations: `furytune.records.Passage.citation` of the passages in the prompt.
            parts: Ids of the further messages of the answer, if it is longer than a message.
            before: Ids of the earlier messages that belong to the question, in order, if the bot only asked back.
            roles: Ids of the roles of who asked, as ``consent`` names them. If it has rules by role and this is None, no text is
                stored.
            at: When; by default now.

        Raises:
            ConfigError: An argument cannot be used.
            AnswerError: The line cannot be written.
        """
        for name, text in (("asked", asked), ("told", told)):
            if not isinstance(text, str):
                raise ConfigError(f"{name} must be a text, not a {type(text).__name__}")
        willing = not self.consent.refusal(asker, roles or ()) and (
            roles is not None or not self.consent.needs_roles
        )
        kept = self.keep_texts and willing and not over(MAX_PAIR, asked + told)
        if kept and not (_encodable(asked) and _encodable(told)):
            kept = False  # no training row could have it
        self._append(
            Exchange(
                time=_moment(at),
                answer=_id("answer", answer, needed=True),
                question=_id("question", question),
                asker=_id("asker", asker),
                prompt=_id("prompt", prompt),
                fingerprint=_id("fingerprint", fingerprint),
                snapshot=_id("snapshot", snapshot),
                model=_id("model", model),
                citations=tuple(_id("citations", one, most=2000) for one in citations),
                parts=tuple(_id("parts", one, needed=True) for one in parts),
                before=tuple(_id("before", one, needed=True) for one in before),
                words=packed(sketch(told)),
                wording=(wording(asked), wording(told)),
                asked=asked if kept else "",
                told=told if kept else "",
            )
        )

    def _append(self, line: Line) -> None:
        try:
            append(self.path, encode(line) + b"\n", sync=True)
        except OSError as error:
            why = error.strerror or str(error) or "the line was cut off"
            raise AnswerError(
                f"{printable(self.path)}: feedback cannot be written ({why}); make room, or give the right to write"
            ) from error

    # Reading

    def lines(self, reading: Reading | None = None) -> Iterator[Line]:
        """Yields the lines in the order in which they were written.

        Args:
            reading: Counts what could not be read.

        Raises:
            SourceError: The log cannot be read.
        """
        with system_errors_as(SourceError, self.path), self.opened(reading) as found:
            yield from (line for _, line in found)

    @contextmanager
    def opened(self, reading: Reading | None = None) -> Iterator[Opened]:
        """Opens the log as it is now, whatever is removed from it meanwhile.

        Args:
            reading: Counts what could not be read.

        Raises:
            SourceError: The log cannot be read.
        """
        found = reading if reading is not None else Reading()
        with system_errors_as(SourceError, self.path):
            try:
                file: IO[bytes] = self.path.open("rb")
            except FileNotFoundError:
                found.missing, file = True, BytesIO()
        with file:
            yield Opened(file, found)

    # Removing

    def prune(self, days: float) -> Erased:
        """Removes all lines that are older than so many days. Programs may append meanwhile.

        Args:
            days: 0 removes everything.

        Raises:
            ConfigError: ``days`` is not a number from 0.
            AnswerError: The log cannot be replaced, and is as it was.
        """
        first = oldest(days)
        return self._without(lambda line: line.time < first)

    def check(self) -> None:
        """Checks that the log can be erased. Changes nothing.

        Raises:
            ConfigError: There is no such file, or it may not be replaced.
        """
        if not self.path.is_file():
            raise ConfigError(
                f"{printable(self.path)}: this feedback log does not exist; nothing was changed; check the path"
            )
        if not os.access(self.path.resolve().parent, os.W_OK | os.X_OK):
            raise ConfigError(
                f"{printable(self.path.parent)}: may not be changed; nothing was changed; give yourself the permission to "
                "write there"
            )

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes every line about one of the messages, of one of the people, or that names one of them in a text.

        Args:
            messages: Ids of chat messages.
            people: Ids of people.

        Raises:
            SourceError: The log cannot be read.
            AnswerError: The log cannot be replaced. Call it again to continue.
        """
        wanted, naming = set(messages), whole_numbers(people)
        # A verdict names the last message of a question. Without its exchange, that one would look like all of it.
        wanted |= {
            line.answer
            for line in self.lines()
            if isinstance(line, Exchange) and not wanted.isdisjoint(line.before)
        }

        def theirs(line: Line) -> bool:
            text = encode(line)
            return not wanted.isdisjoint((line.answer, line.question, *names(text.decode()))) or (
                naming is not None and naming.search(text) is not None
            )

        return self._without(theirs)

    def _without(self, unwanted: Callable[[Line], bool]) -> Erased:
        with system_errors_as(AnswerError, self.path, "the log is as it was"):
            removed, left = replace(self.path, lambda line: not unwanted(line))
        return Erased(kind="feedback", path=str(self.path), removed=removed, left=left)


def _moment(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise ConfigError("at must be a datetime with a time zone, such as datetime.now(UTC)")
    return at.astimezone(UTC)


def _id(name: str, value: object, *, needed: bool = False, most: int = _WORD) -> str:
    """Returns an id. The error never shows it, because it may be a text."""
    if not isinstance(value, str) or len(value) > most or not _encodable(value) or (needed and not value):
        raise ConfigError(
            f"{name} must be a text of {'1' if needed else '0'} to {most} characters, such as a message id or a digest"
        )
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
