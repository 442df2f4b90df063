"""The values that travel through a pipeline.

All are immutable. The repr of a pair shows the beginning of its question and answer; no other repr shows message text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

import attrs
from attrs import field, frozen

from furytune._values.canonical import Json, digest
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
    "Message",
    "Passage",
    "Poll",
    "Prompt",
    "QAPair",
    "Source",
    "Split",
    "TrainingRow",
    "TuningJob",
    "Unit",
]

Split = Literal["train", "validation"]


def _aware(_: object, attribute: attrs.Attribute[datetime | None], value: datetime | None) -> None:
    if value is not None and not isinstance(value, datetime):
        raise ConfigError(f"{attribute.name} is a datetime with a time zone, not a {type(value).__name__}")
    if value is not None and value.utcoffset() is None:
        raise ConfigError(f"{attribute.name} has no time zone; give it one, such as datetime.UTC")


def _one_line(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if "\n" in value or "\r" in value:
        raise ConfigError(f"{attribute.name} of a passage holds a line break; keep it to one line")


@frozen(kw_only=True)
class Source:
    """Where a record comes from.

    Attributes:
        path: File, relative to the folder that was collected, with forward slashes.
        line: Line in that file, counted from 1, where the format has lines.
        guild: Discord guild (server) id, or "".
        channel: Channel id, or "".
        thread: Thread or forum post id, or "".
    """

    path: str = ""
    line: int | None = None
    guild: str = ""
    channel: str = ""
    thread: str = ""


@frozen(kw_only=True)
class Author:
    """Who wrote a message.

    Attributes:
        pseudonym: Keyed pseudonym; the same person has the same one under the same key.
        is_bot: True for bots and webhooks.
        roles: Names of the roles the person holds in the guild.
    """

    pseudonym: str
    is_bot: bool = False
    roles: tuple[str, ...] = ()


@frozen(kw_only=True)
class Attachment:
    """A file that came with a message: a reference, without the file.

    Attributes:
        name: Its name.
        url: Where it was; Discord's addresses expire.
        size: Bytes.
    """

    name: str
    url: str = ""
    size: int = 0


@frozen(kw_only=True)
class Embed:
    """What a platform shows below a message, such as the preview of a link.

    Attributes:
        title: Its heading.
        text: Its description, and its fields.
        url: Where it leads.
    """

    title: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    url: str = ""


@frozen(kw_only=True)
class Poll:
    """A poll.

    Attributes:
        question: What is asked.
        answers: Each answer to choose from, and how many chose it.
    """

    question: str = field(repr=False)
    answers: tuple[tuple[str, int], ...] = field(default=(), repr=False)


@frozen(kw_only=True, repr=False)
class Message(Shown):
    """One chat message.

    Attributes:
        id: The platform's id; a Discord snowflake stays a string.
        author: Who wrote it.
        content: Its text, as the platform stores it (mentions as ``<@id>``).
        sent_at: When it was sent.
        edited_at: When it was last edited, if it was.
        type: The platform's message type, such as "Default" or "Reply".
        reply_to: Id of the message it replies to.
        channel: Id of the channel or thread that holds it.
        attachments: The files that came with it.
        embeds: What the platform shows below it.
        stickers: Names of its stickers.
        poll: The poll in it.
        reactions: Emoji name and count, for each reaction.
        pinned: True if it is pinned in its channel.
        forwarded: True if its content is that of another message, which it forwards.
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
    pinned: bool = False
    forwarded: bool = False
    source: Source = Source()


@frozen(kw_only=True, repr=False)
class QAPair(Shown):
    """A question and its answer.

    Attributes:
        id: Stable across runs, machines and growing data.
        question: The raw question, as the bot would receive it; no step may edit it.
        answer: What the model shall learn to say.
        group: Conversation the pair belongs to; train and validation never share one.
        asked_at: When the question was asked. Retrieval shows nothing dated at or after it.
        answered_at: When question and answer were complete, later edits included. A passage made of them is dated so.
        method: How the two were matched: "thread", "reply" or "given".
        asker: Pseudonym of who asked, or "".
        answerer: Pseudonym of who answered, or "".
        question_messages: Ids of the messages that make up the question.
        answer_messages: Ids of the messages that make up the answer.
        tags: Names of the forum tags of the thread.
        solved: True if it is marked as the solution: by a check mark among the reactions to the answer, or by a tag
            of the thread that says so.
        source: Where the pair was read.
        edits: Names of the curation steps that changed the answer, in order. The pipeline writes them; a step need not.
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
    question_messages: tuple[str, ...] = ()
    answer_messages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    solved: bool = False
    source: Source = Source()
    edits: tuple[str, ...] = ()

    def _facts(self) -> Iterator[tuple[str, str]]:
        told = dict(super()._facts())
        yield from ((name, told[name]) for name in ("id", "question", "answer", "edits") if name in told)
        if self.source.path:
            yield "source", repr(self.source.path)


@frozen(kw_only=True, repr=False)
class Dropped(Shown):
    """Something that did not go on, and why.

    Attributes:
        reason: A short word from a closed list, such as "no_reply" or "duplicate"; see `furytune.reasons.REASONS`. A
            plugin's own reason has a prefix, such as "myplugin:too_short".
        unit: What was dropped.
        count: How many of them.
        ids: Their ids, where it is useful to list them.
        where: File and line, or channel.
        detail: More for a person to read; never message text.

    Raises:
        ConfigError: The reason has no prefix, and is not in the list for this unit.
    """

    reason: str
    unit: Unit = "pair"
    count: int = 1
    ids: tuple[str, ...] = ()
    where: str = ""
    detail: str = ""

    def __attrs_post_init__(self) -> None:
        check(self.reason, self.unit)


@frozen(kw_only=True, repr=False)
class Passage(Shown):
    """A piece of knowledge that can stand in a prompt.

    Attributes:
        id: Unique and stable inside its corpus.
        text: Exactly the text that is indexed and that stands in the prompt.
        title: One line: symbol path or heading path.
        source: One line: path and lines, such as ``fury/actor.py:10-42``.
        url: Where a reader finds it, or "".
        date: When it came into being. None means always visible (code, documentation).
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

        It gets into prompts, so a passage made of chat messages is just "Discord": its source and id are ids of messages
        and channels. ``url`` leads a reader there.
        """
        source = "Discord" if self.source.startswith("discord:") else self.source
        if self.title and source:
            return f"{self.title} ({source})"
        return self.title or source or self.id


@frozen(kw_only=True, repr=False)
class Prompt(Shown):
    """What a model is asked with, in training and in the bot alike.

    Attributes:
        text: The user part.
        system: The system instruction, "" for none.
        passages: The passages inside ``text``, best first; for citations.
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
        """sha256 over system instruction and user part."""
        return digest({"system": self.system, "text": self.text})


@frozen(kw_only=True, repr=False)
class TrainingRow(Shown):
    """One example of a data set.

    Attributes:
        id: Id of the pair it was made from.
        group: Conversation it belongs to.
        split: "train" or "validation".
        prompt: Rendered by the contract.
        answer: What the model shall say.
        at: The moment the prompt was rendered for: ``contract.prompt(question, at=row.at)`` gives it again.
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
        split: Which split it holds.
        rows: Number of examples.
        size: Bytes.
        sha256: Of its bytes, as 64 hex digits.
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
        files: The data files; "train" first.
        manifest: Path of the sidecar manifest.
        dialect: Wire form of the rows.
        fingerprint: Of the contract that rendered the prompts.
        snapshot: Of the knowledge the prompts were rendered with.
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

    @property
    def rows(self) -> int:
        """Number of examples in all splits."""
        return sum(f.rows for f in self.files)


@frozen(kw_only=True, repr=False)
class Estimate(Shown):
    """What a tuning job would cost, and what is wrong with its data.

    Attributes:
        tokens: Billable training tokens over all epochs, at most; None where unknown.
        cost: In ``currency``, at most; None where unknown.
        currency: ISO 4217 code.
        problems: One line for each thing the service would refuse. With problems nothing is sent.
        notes: How it was reckoned, and what else is good to know.
        least_tokens: As ``tokens``, at least; None where ``tokens`` is exact or unknown.
        least_cost: As ``cost``, at least; None where ``cost`` is exact or unknown.
        warnings: One line for each thing that may be a problem, which nobody can tell before. They stop nothing.
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


@frozen(kw_only=True, repr=False)
class TuningJob(Shown):
    """A remote tuning job.

    Attributes:
        key: The idempotency key it was submitted under.
        name: The service's name for it.
        state: "queued", "running", "succeeded", "failed" or "cancelled".
        model: The tuned model, once there is one.
        fingerprint: Of the contract the model is bound to.
        details: What else the service says. It may quote the data, so the repr does not show it.
    """

    key: str
    name: str
    state: str
    model: str = ""
    fingerprint: str = ""
    details: Mapping[str, Json] = field(factory=dict, repr=False)


_UNITS = {"journal": "messages", "data set": "rows", "index": "passages"}


@frozen(kw_only=True)
class Erased:
    """What was removed from one place that holds people's words.

    Attributes:
        kind: "journal", "data set", "index", or what a plugin calls its own.
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
