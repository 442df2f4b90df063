"""Says how a data set differs from an earlier one: rows that are new, gone, edited or moved to the other split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b

from attrs import field, frozen

from furytune._values.shown import Shown
from furytune.dataset_rows import head_of, read_rows, template_of
from furytune.errors import TemplateError
from furytune.records import Dataset, Split, TrainingRow
from furytune.template import PromptTemplate

__all__ = ["DatasetDiff", "DatasetOutline", "RowDigests", "diff_datasets", "outline"]


@frozen
class RowDigests:
    """What a row said.

    Attributes:
        split: Its split.
        pair: Digest of question and answer.
        prompt: Digest of the whole prompt.
    """

    split: Split
    pair: bytes
    prompt: bytes


@frozen(kw_only=True, repr=False)
class DatasetOutline(Shown):
    """The ids, splits and digests of a data set's rows, without their text.

    Take it before the next run overwrites the files.

    Attributes:
        fingerprint: Fingerprint of the contract that rendered the prompts.
        snapshot: Snapshot of the knowledge in the prompts.
        rows: What each row said, by id, in the order of the data set.
    """

    fingerprint: str = ""
    snapshot: str = ""
    rows: Mapping[str, RowDigests] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "rows", str(len(self))
        yield "contract", repr(self.fingerprint[:12])


@frozen(kw_only=True, repr=False)
class DatasetDiff(Shown):
    """What changed from one data set to another; print it. All lists are in the order of their data set.

    Attributes:
        new: Ids of rows that only the newer one has.
        gone: Ids of rows that only the older one has.
        edited: Ids of rows whose question or answer differs.
        rerendered: Ids of rows with the same question and answer, but another prompt: other passages or another template.
        moved: Ids of rows that are in the other split now. They can be in ``edited`` or ``rerendered`` too.
        same: How many rows are in both, in the same split and with the same text.
        contract: True if another contract rendered the prompts.
        knowledge: True if the prompts hold another snapshot of the knowledge.
    """

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    rerendered: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    same: int = 0
    contract: bool = False
    knowledge: bool = False

    def __bool__(self) -> bool:
        """True if any row differs."""
        return bool(self.new or self.gone or self.edited or self.rerendered or self.moved)

    def __str__(self) -> str:
        lines = [
            f"new       {len(self.new):>9,}",
            f"gone      {len(self.gone):>9,}",
            f"edited    {len(self.edited):>9,}  question or answer",
            f"rendered  {len(self.rerendered):>9,}  same pair, another prompt",
            f"moved     {len(self.moved):>9,}  between train and validation",
            f"same      {self.same:>9,}",
        ]
        if self.contract:
            lines.append("the contract is another one")
        if self.knowledge:
            lines.append("the knowledge is another snapshot")
        return "\n".join(lines)


def outline(dataset: Dataset) -> DatasetOutline:
    """Returns the outline of a data set.

    Raises:
        ExportError: A file cannot be read, or does not have the rows that the manifest lists.
    """
    template = template_of(head_of(dataset))
    return DatasetOutline(
        fingerprint=dataset.fingerprint,
        snapshot=dataset.snapshot,
        rows={row.id: _digests(row, template) for row in read_rows(dataset)},
    )


def diff_datasets(old: Dataset | DatasetOutline, new: Dataset | DatasetOutline) -> DatasetDiff:
    """Returns what changed from an old data set to a new one.

    Rows are the same if they have the same id. Dialect and file format do not matter.

    Args:
        old: The earlier data set, or its outline if its files were overwritten.
        new: The later data set.

    Raises:
        ExportError: A file cannot be read, or does not have the rows that its manifest lists.
    """
    before = outline(old) if isinstance(old, Dataset) else old
    after = outline(new) if isinstance(new, Dataset) else new
    both = [(uid, before.rows[uid], row) for uid, row in after.rows.items() if uid in before.rows]
    edited = tuple(uid for uid, was, now in both if was.pair != now.pair)
    rerendered = tuple(uid for uid, was, now in both if was.pair == now.pair and was.prompt != now.prompt)
    moved = tuple(uid for uid, was, now in both if was.split != now.split)
    return DatasetDiff(
        new=tuple(uid for uid in after.rows if uid not in before.rows),
        gone=tuple(uid for uid in before.rows if uid not in after.rows),
        edited=edited,
        rerendered=rerendered,
        moved=moved,
        same=len(both) - len({*edited, *rerendered, *moved}),
        contract=before.fingerprint != after.fingerprint,
        knowledge=before.snapshot != after.snapshot,
    )


def _digests(row: TrainingRow, template: PromptTemplate | None) -> RowDigests:
    return RowDigests(
        split=row.split,
        pair=_digest(_question(row, template), row.answer),
        prompt=_digest(row.prompt.system, row.prompt.text),
    )


def _question(row: TrainingRow, template: PromptTemplate | None) -> str:
    """Returns the question inside a prompt; the whole prompt if its template is unknown."""
    try:
        return template.parse(row.prompt.text).question if template else row.prompt.text
    except TemplateError:
        return row.prompt.text


def _digest(*texts: str) -> bytes:
    state = blake2b(digest_size=16)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        # The length keeps two texts from being taken for two others with the same characters.
        state.update(len(data).to_bytes(8, "big") + data)
    return state.digest()
