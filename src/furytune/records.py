"""The values that pass through a pipeline.

All are immutable. The repr of a pair shows the beginning of its question and answer. No other repr shows message text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import attrs
from attrs import field, frozen

from furytune._privacy.ids import PLATFORMS
from furytune._values.canonical import Json, digest
from furytune._values.checks import share
from furytune._values.shown import Shown, words
from furytune.errors import ConfigError
from furytune.reasons import Unit, check

__all__ = [
    "Attachment",
    "Author",
    "DataFile",
    "Dataset",
    "Dropped",
    "Embed",
    "Erased",
    "Estimate",
    "Evidence",
    "Finish",
    "JobFailure",
    "JobProgress",
    "Loss",
    "Message",
    "Passage",
    "Piece",
    "Poll",
    "Prompt",
    "QAPair",
    "Source",
    "Split",
    "TrainingRow",
    "TuningJob",
    "Unit",
    "Usage",
]

Split = Literal["train", "validation"]

# The model was done, it reached the limit of tokens, or a filter of the service withheld the rest.
Finish = Literal["stop", "length", "filter"]

Evidence = Literal[
    "thread",
    "native_reply",
    "addressed",
    "linked",
    "solution_mark",
    "solved_tag",
    "works_now",
    "thanked",
    "self_answer",
    "clarified",
    "reviewed",
]
"""What speaks for a pair, in this order. It was asked in a thread of its own; answered with a native reply; the answer
addresses the asker; a model linked them; a check mark on the answer; a tag of the thread; the asker said that it works;
the asker thanked; the asker found the answer; the asker added something before it."""


def _aware(_: object, attribute: attrs.Attribute[datetime | None], value: datetime | None) -> None:
    if value is not None and not isinstance(value, datetime):
        raise ConfigError(
            f"{attribute.name} must be a datetime with a time zone, not a {type(value).__name__}"
        )
    if value is not None and value.utcoffset() is None:
        raise ConfigError(f"{attribute.name} has no time zone; give it one, such as datetime.UTC")


def _one_line(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if "\n" in value or "\r" in value:
        raise ConfigError(f"{attribute.name} of a passage contains a line break; use a single line")


@frozen(kw_only=True)
class Source:
    """Where a record was read.

    Attributes:
        path: The file, relative to the collected folder, with forward slashes.
        line: The line in that file, counted from 1; None if the format has no lines.
        guild: Discord guild (server) id, or "".
        channel: Channel id, or "".
        thread: Thread or forum post id, or "".
        channel_name: Name of the channel, or of the thread's channel, for reports; "" if unknown. Manifests do not have it.
    """

    path: str = ""
    line: int | None = None
    guild: str = ""
    channel: str = ""
    thread: str = ""
    channel_name: str = field(default="", eq=False, repr=False)

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}" if self.line is not None else self.path or self.thread or self.channel
        )


@frozen(kw_only=True)
class Author:
    """Who wrote a message.

    Attributes:
        pseudonym: Keyed pseudonym. The same person has the same pseudonym under the same key.
        is_bot: True for bots and webhooks.
        roles: Names of the person's roles on the server.
    """

    pseudonym: str
    is_bot: bool = False
    roles: tuple[str, ...] = ()


@frozen(kw_only=True)
class Attachment:
    """A link to a file that was attached to a message, without the file.

    Attributes:
        name: The file's name.
        url: Its address; Discord's addresses expire.
        size: Its size in bytes.
    """

    name: str
    url: str = ""
    size: int = 0


@frozen(kw_only=True)
class Embed:
    """What a platform shows below a message, such as the preview of a link.

    Attributes:
        title: The heading.
        text: The description and the fields.
        url: The address it links to.
    """

    title: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    url: str = ""


@frozen(kw_only=True)
class Poll:
    """A poll.

    Attributes:
        question: The poll's question.
        answers: Each choice, and how many people chose it.
    """

    question: str = field(repr=False)
    answers: tuple[tuple[str, int], ...] = field(default=(), repr=False)


@frozen(kw_only=True, repr=False)
class Message(Shown):
    """One chat message.

    Attributes:
        id: The platform's id. A Discord snowflake stays a string.
        author: Who wrote it.
        content: Its text, as the platform stores it (mentions as ``<@id>``).
        sent_at: When it was sent.
        edited_at: When it was last edited; None if never.
        type: The platform's message type, such as "Default" or "Reply".
        reply_to: Id of the message it replies to.
        channel: Id of its channel or thread.
        attachments: Its attached files.
        embeds: What the platform shows below it.
        stickers: Names of its stickers.
        poll: Its poll, if it has one.
        reactions: Emoji name and count, for each reaction.
        solved: True if a check mark is among the reactions.
        tags: Names of the forum tags of its thread.
        pinned: True if it is pinned in its channel.
        forwarded: True if it forwards another message, whose content it has.
        source: Where it was read.
    """

    id: str
    author: Author
    content: str = field(repr=False)
    sent_at: datetime | None = field(default=None, validator=_aware)
    edited_at: datetime | None = field(default=None, validator=_aware)
    type: str = "Default"
    reply_to: str | None = None
    channel: str = ""
    attachments: tuple[Attachment, ...] = ()
    embeds: tuple[Embed, ...] = ()
    stickers: tuple[str, ...] = ()
    poll: Poll | None = None
    reactions: tuple[tuple[str, int], ...] = ()
    solved: bool = False
    tags: tuple[str, ...] = ()
    pinned: bool = False
    forwarded: bool = False
    source: Source = Source()


@frozen(kw_only=True, repr=False)
class QAPair(Shown):
    """A question and its answer.

    Attributes:
        id: The same in every run, on every machine, and when data are added.
        question: The raw question, as the bot would receive it. No step may edit it, except by a person's correction.
        answer: What the model should learn to say.
        group: The conversation that the pair belongs to. It is never in both train and validation.
        asked_at: When the question was asked. Retrieval finds nothing dated at or after it.
        answered_at: When question and answer were complete, later edits included. It is the date of a passage made from
            them.
        method: How question and answer were matched: "thread", "reply", "link" (a model says who answers whom), "given", or
            by a person's word about an answer of the bot: "confirmed", "corrected" or "proposed".
        asker: Pseudonym of who asked, or "".
        answerer: Pseudonym of who answered, or "".
        answerer_roles: Names of the roles of who answered, on the server; of several people, the roles that all of them
            have. None if they are not known.
        question_messages: Ids of the messages that make up the question.
        answer_messages: Ids of the messages that make up the answer.
        tags: Names of the forum tags of the thread.
        solved: True if a check mark among the answer's reactions, or a tag of the thread, marks it as the solution.
        confidence: How likely a maintainer would train on it, between 0 and 1; 1 for pairs that were given as such.
        evidence: What that is based on.
        source: Where the pair was read.
        edits: Names of the curation steps that changed the answer, in order. The pipeline adds them. ``question:`` before a
            name says that the step replaced the question by one that a person wrote.
        unedited: `digest` of the pair before its first edit; "" if nothing was edited. The pipeline adds it.
    """

    id: str
    question: str = field(repr=words)
    answer: str = field(repr=words)
    group: str
    asked_at: datetime | None = field(default=None, validator=_aware)
    answered_at: datetime | None = field(default=None, validator=_aware)
    method: str = "given"
    asker: str = ""
    answerer: str = ""
    # On another day, people have other roles, and the pair is the same.
    answerer_roles: tuple[str, ...] | None = field(default=None, eq=False)
    question_messages: tuple[str, ...] = ()
    answer_messages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    solved: bool = False
    confidence: float = field(default=1.0, validator=share)
    evidence: tuple[Evidence, ...] = ()
    source: Source = Source()
    edits: tuple[str, ...] = ()
    # Pairs with equal texts are equal, whatever their texts were before.
    unedited: str = field(default="", eq=False)

    @property
    def digest(self) -> str:
        """The 32 hex digits that identify question, answer and messages as they were collected, before any step's edit."""
        if self.unedited:
            return self.unedited
        told = [self.question, self.answer, self.question_messages, self.answer_messages]
        # In ASCII, because a pair may hold a lone surrogate until it is rendered.
        return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode("ascii")).hexdigest()[:32]

    @property
    def reviewed(self) -> bool:
        """True if a person reviewed the pair and wants it in. Steps that only guess let it pass."""
        return "reviewed" in self.evidence

    def _facts(self) -> Iterator[tuple[str, str]]:
        told = dict(super()._facts())
        yield from ((name, told[name]) for name in ("id", "question", "answer", "edits") if name in told)
        if self.source.path:
            yield "source", repr(self.source.path)


@frozen(kw_only=True, repr=False)
class Dropped(Shown):
    """Something that was left out, and why.

    Attributes:
        reason: A short word from a closed list, such as "no_reply" or "duplicate", see `furytune.reasons.REASONS`. A
            plugin's own reason has a prefix, such as "myplugin:too_short".
        unit: What was dropped.
        count: How many of them.
        ids: Their ids, if it is useful to list them.
        where: File and line, or channel.
        detail: More for people to read. Never message text.
        source: Channel or file that it was read from, for the report by channel.

    Raises:
        ConfigError: The reason has no prefix, and is not in the list for this unit.
    """

    reason: str
    unit: Unit = "pair"
    count: int = 1
    ids: tuple[str, ...] = ()
    where: str = ""
    detail: str = ""
    source: Source = field(default=Source(), eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        check(self.reason, self.unit)


@frozen(kw_only=True, repr=False)
class Passage(Shown):
    """A piece of knowledge that can go into a prompt.

    Attributes:
        id: Unique and stable inside its corpus.
        text: Exactly the text that is indexed and goes into the prompt.
        title: One line: symbol path or heading path.
        source: One line: path and lines, such as ``fury/actor.py:10-42``.
        url: Where a reader finds it, or "".
        date: When it was made. None means that it is always visible (code, documentation).
    """

    id: str = field(validator=_one_line)
    text: str = field(repr=False)
    title: str = field(default="", validator=_one_line)
    source: str = field(default="", validator=_one_line)
    url: str = field(default="", validator=_one_line)
    date: datetime | None = field(default=None, validator=_aware)

    @property
    def citation(self) -> str:
        """One line that names the passage, by title and by source in parentheses.

        It goes into prompts, so a passage made from chat messages is cited by its platform, such as "Discord": its source
        and id contain ids of messages and channels. ``url`` takes a reader there.
        """
        platform, colon, _ = self.source.partition(":")
        source = PLATFORMS.get(platform, self.source) if colon else self.source
        if self.title and source:
            return f"{self.title} ({source})"
        return self.title or source or self.id


@frozen(kw_only=True, repr=False)
class Prompt(Shown):
    """The text that a model reads, in training and in the bot alike.

    Attributes:
        text: The user part.
        system: The system instruction; "" without one.
        passages: The passages inside ``text``, best first, for citations.
        left_out: Ids of retrieved passages that the token budget left out.
    """

    text: str = field(repr=False)
    system: str = field(default="", repr=False)
    passages: tuple[Passage, ...] = ()
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "characters", str(len(self.system) + len(self.text))
        yield "passages", str(len(self.passages))

    def __bytes__(self) -> bytes:
        """The user part as UTF-8."""
        return self.text.encode("utf-8")

    @property
    def digest(self) -> str:
        """sha256 of system instruction and user part."""
        return digest({"system": self.system, "text": self.text})


@frozen
class Usage:
    """What an answer used, as the service counts it.

    Attributes:
        prompt: Tokens that the model read.
        completion: Tokens that it wrote.
    """

    prompt: int
    completion: int


@frozen(kw_only=True, repr=False)
class Piece(Shown):
    """A piece of a model's answer.

    Attributes:
        text: The next part of the answer; may be "".
        finish: Why the answer ended: "stop", "length" or "filter"; "" unless this is the last piece.
        usage: What the answer used; None unless this is the last piece and the service counts.
    """

    text: str = field(default="", repr=False)
    finish: Finish | Literal[""] = ""
    usage: Usage | None = None

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "characters", str(len(self.text))
        if self.finish:
            yield "finish", repr(self.finish)


@frozen(kw_only=True, repr=False)
class TrainingRow(Shown):
    """One example of a data set.

    Attributes:
        id: Id of the pair it was made from.
        group: The conversation it belongs to.
        split: "train" or "validation".
        prompt: Rendered by the contract.
        answer: What the model should say.
        at: The moment of the question. ``contract.prompt(question, at=row.at)`` renders the same prompt again.
        source: Where the pair was read.
        messages: Ids of the chat messages behind it.
    """

    id: str
    group: str
    split: Split
    prompt: Prompt
    answer: str = field(repr=False)
    at: datetime | None = field(default=None, validator=_aware)
    source: Source = Source()
    messages: tuple[str, ...] = ()


@frozen(kw_only=True, repr=False)
class DataFile(Shown):
    """One written file of a data set.

    Attributes:
        path: Where it is.
        split: The split of its rows.
        rows: Number of training examples.
        size: Its size in bytes.
        sha256: Digest of its bytes, as 64 hex digits.
    """

    path: str
    split: Split
    rows: int
    size: int
    sha256: str


@frozen(kw_only=True, repr=False)
class Dataset(Shown):
    """What an exporter wrote.

    Attributes:
        files: The data files, "train" first.
        manifest: Path of the manifest beside them.
        dialect: Wire form of the rows.
        fingerprint: Fingerprint of the contract that rendered the prompts.
        snapshot: Snapshot of the knowledge in the prompts.
    """

    files: tuple[DataFile, ...]
    manifest: str
    dialect: str
    fingerprint: str
    snapshot: str

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "manifest", repr(self.manifest)
        yield "dialect", repr(self.dialect)
        yield "rows", str(self.rows)
        yield "contract", repr(self.fingerprint[:12])

    def _cells(self) -> Iterator[tuple[str, str]]:
        for file in self.files:
            yield file.split, f"{file.rows:,} rows, {file.size:,} bytes: {file.path}"
        yield from (cell for cell in super()._cells() if cell[0] != "files")

    @property
    def rows(self) -> int:
        """Number of training examples in all splits."""
        return sum(f.rows for f in self.files)


@frozen(kw_only=True, repr=False)
class Estimate(Shown):
    """What a tuning job would cost, and what is wrong with its data.

    Attributes:
        tokens: Most billable training tokens over all epochs; None if unknown.
        cost: Highest cost in ``currency``; None if unknown.
        currency: ISO 4217 code.
        problems: One line for each thing that the service would refuse. If there are any, nothing is sent.
        notes: How the estimate was calculated, and what else is good to know.
        least_tokens: Fewest billable tokens; None if ``tokens`` is exact or unknown.
        least_cost: Lowest cost; None if ``cost`` is exact or unknown.
        warnings: One line for each thing that may turn out to be a problem. They stop nothing.
    """

    tokens: int | None = None
    cost: float | None = None
    currency: str = "USD"
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    least_tokens: int | None = None
    least_cost: float | None = None
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        tokens = "unknown" if self.tokens is None else f"{self.tokens:,}"
        if self.tokens is not None and self.least_tokens is not None and self.least_tokens < self.tokens:
            tokens = f"{self.least_tokens:,} to {tokens}"
        cost = "unknown" if self.cost is None else f"{self.cost:,.2f} {self.currency}"
        if self.cost is not None and self.least_cost is not None and self.least_cost < self.cost:
            cost = f"{self.least_cost:,.2f} to {cost}"
        lines = [f"tokens    {tokens}", f"cost      {cost}"]
        lines += [f"problem   {line}" for line in self.problems]
        lines += [f"warning   {line}" for line in self.warnings]
        return "\n".join([*lines, *(f"note      {line}" for line in self.notes)])


@frozen(kw_only=True)
class Loss:
    """A point of the loss curve.

    Attributes:
        step: Step, from 1.
        epoch: Epoch, from 1; 0 if the service does not say.
        loss: Mean loss.
        split: The split it was measured on.
    """

    step: int
    loss: float
    epoch: int = 0
    split: Split = "train"


@frozen(kw_only=True)
class JobProgress:
    """What a service last said about a tuning job.

    Attributes:
        detail: The service's own word for the state.
        percent: 0 to 100, None if the service does not say.
        losses: All reported losses, in order of step.
        endpoint: The endpoint that answers prompts, once there is one.
        dropped: Number of training rows that the service dropped or cut.
        dropped_ids: Ids of these rows, as far as the service lists them.
        dropped_reasons: The service's reasons. They may quote the data, so the repr does not show them.
        billed_tokens: Tokens that the service bills for, None if it does not say.
        experiment: Where the service's console shows the loss curve, "" if nowhere.
    """

    detail: str = ""
    percent: float | None = None
    losses: tuple[Loss, ...] = ()
    endpoint: str = ""
    dropped: int = 0
    dropped_ids: tuple[str, ...] = ()
    dropped_reasons: tuple[str, ...] = field(default=(), repr=False)
    billed_tokens: int | None = None
    experiment: str = ""

    def as_json(self) -> dict[str, Json]:
        """Returns what is known, by field name."""
        found: dict[str, Json] = {
            "detail": self.detail,
            "percent": self.percent,
            "losses": [attrs.asdict(loss) for loss in self.losses],
            "endpoint": self.endpoint,
            "billed_tokens": self.billed_tokens,
            "experiment": self.experiment,
        }
        known: dict[str, Json] = {n: value for n, value in found.items() if value not in (None, "", [])}
        if self.dropped:
            known["dropped"] = self.dropped
            known["dropped_ids"] = list(self.dropped_ids)
            known["dropped_reasons"] = list(self.dropped_reasons)
        return known


@frozen(kw_only=True)
class JobFailure:
    """Why a tuning job failed.

    Attributes:
        code: The service's error code, None if it gives none.
        message: The service's words. They may quote the data, so the repr does not show them.
    """

    code: int | None = None
    message: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Json]:
        """Returns both fields."""
        return {"code": self.code, "message": self.message}


@frozen(kw_only=True, repr=False)
class TuningJob(Shown):
    """A remote tuning job.

    Attributes:
        key: The idempotency key it was submitted under.
        name: The service's name for it.
        state: "queued", "running", "succeeded", "failed" or "cancelled".
        model: The tuned model, once it exists.
        fingerprint: Fingerprint of the contract that the model is bound to.
        progress: What the service last said about the job.
        failure: Why the job failed; None if it did not fail.
    """

    key: str
    name: str
    state: str
    model: str = ""
    fingerprint: str = ""
    progress: JobProgress = field(factory=JobProgress, repr=False)
    failure: JobFailure | None = field(default=None, repr=False)
    # Anything else that a tuner wants to keep. The argument has the name of the view that shows it.
    _extra: Mapping[str, Json] = field(factory=dict, repr=False, alias="details")

    def _cells(self) -> Iterator[tuple[str, str]]:
        yield from super()._cells()
        if self.progress.percent is not None:
            yield "percent", f"{self.progress.percent:.0f}"
        if self.progress.losses:
            last = self.progress.losses[-1]
            yield "loss", f"{last.loss:.4g} ({last.split}, step {last.step})"

    @property
    def details(self) -> Mapping[str, Json]:
        """Progress, failure and everything else that the service says, as JSON; read-only.

        It may quote the data, so the repr does not show it.
        """
        failure = {} if self.failure is None else {"error": self.failure.as_json()}
        return MappingProxyType({**self._extra, **self.progress.as_json(), **failure})


_UNITS = {
    "journal": "messages",
    "data set": "rows",
    "index": "passages",
    "decisions": "decisions",
    "feedback": "lines",
}


@frozen(kw_only=True)
class Erased:
    """What was removed from one place that contains people's words.

    Attributes:
        kind: "journal", "data set", "index", "decisions", or a plugin's own name.
        path: The place, as it was given.
        removed: How many messages, rows or passages were removed.
        left: How many rows or passages are left; None for a journal.
    """

    kind: str
    path: str
    removed: int
    left: int | None = None

    def __str__(self) -> str:
        total = "" if self.left is None else f"of {self.removed + self.left} "
        return f"{self.kind:<10}{self.removed:>9}  {total}{_UNITS.get(self.kind, 'items')} of {self.path}"
