"""The protocol of a service that runs tuning jobs, and the values that all such services share.

A service only makes requests: it never sleeps, never retries and never writes a file. Every failed request is a
`ServiceError`, raised ``from None``, because the vendors' exceptions may quote what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

from attrs import field, frozen

from furytune._values.canonical import Json
from furytune.records import Dataset, JobFailure, Loss

__all__ = [
    "JobService",
    "Loss",
    "Problem",
    "Snapshot",
    "State",
    "Survey",
    "TuningSettings",
    "Uploaded",
]

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


@frozen(kw_only=True)
class TuningSettings:
    """The settings of a job. Every field changes the job, so all of them are part of its key.

    Attributes:
        model: The service's name for the base model.
        epochs: Passes over the training rows; always sent, because a service's own default can be 40.
        learning_rate_multiplier: Multiplies the service's own rate; None leaves it to the service.
        adapter_size: 1, 2, 4, 8 or 16; None leaves it to the service. Vertex only.
        batch_size: None leaves it to the service. Developer API only.
        learning_rate: None leaves it to the service. Developer API only.
        display_name: A name for people to read.
    """

    model: str
    epochs: int
    learning_rate_multiplier: float | None = None
    adapter_size: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    display_name: str = ""


@frozen(kw_only=True)
class Problem:
    """A documented limit that the data or the settings break.

    Attributes:
        detail: What the limit is and what to do; never message text.
        ids: Ids of the first 20 rows; empty for a problem that is not about rows.
        count: Number of rows; 0 for a problem that is not about rows.
    """

    detail: str
    ids: tuple[str, ...] = ()
    count: int = 0

    def __str__(self) -> str:
        if not self.count:
            return self.detail
        more = f" and {self.count - len(self.ids)} more" if self.count > len(self.ids) else ""
        return f"{self.count} row{'s' * (self.count != 1)}: {self.detail} ({', '.join(self.ids)}{more})"


@frozen(kw_only=True)
class Survey:
    """What reading a data set found.

    Attributes:
        tokens: Most training tokens of one epoch; None if the service does not bill by token.
        counted: How the tokens were counted.
        problems: What the service would refuse.
        least: Least training tokens of one epoch.
        doubts: What the service would refuse if the highest token count is the right one.
    """

    tokens: int | None
    counted: str
    problems: tuple[Problem, ...] = ()
    least: int = 0
    doubts: tuple[Problem, ...] = ()


@frozen(kw_only=True)
class Uploaded:
    """Where the service finds the files; empty if the rows are sent inside the request.

    Attributes:
        train: URI of the training rows.
        validation: URI of the validation rows, or "".
    """

    train: str = ""
    validation: str = ""


@frozen(kw_only=True)
class Snapshot:
    """A remote job at one moment.

    Attributes:
        state: State of the job; a state that the library does not know counts as "running".
        detail: The service's own word for the state.
        percent: 0 to 100, None if the service does not say.
        losses: All reported losses, in order of step.
        model: Resource to share and delete, once there is one.
        endpoint: The endpoint that answers prompts, once there is one.
        fingerprint: Fingerprint of the contract that rendered the data, "" if the service does not keep it.
        dropped: Number of training rows that the service dropped or cut (Vertex uses both words for them).
        dropped_rows: Their row numbers in the training file, from 1, as far as the service lists them.
        dropped_reasons: The service's reasons. They may quote the data, so no repr shows them.
        failure: Why a failed job failed.
        billed_tokens: Tokens that the service bills for, None if it does not say.
        experiment: Where the service's console shows the loss curve, "" if nowhere.
        more: Anything else worth keeping, such as checkpoints; no message text.
    """

    state: State
    detail: str = ""
    percent: float | None = None
    losses: tuple[Loss, ...] = ()
    model: str = ""
    endpoint: str = ""
    fingerprint: str = ""
    dropped: int = 0
    dropped_rows: tuple[int, ...] = ()
    dropped_reasons: tuple[str, ...] = field(default=(), repr=False)
    failure: JobFailure | None = None
    billed_tokens: int | None = None
    experiment: str = ""
    more: Mapping[str, Json] = field(factory=dict)


@runtime_checkable
class JobService(Protocol):
    """**Protocol:** a service that runs tuning jobs. Every method may raise `ServiceError`."""

    @property
    def name(self) -> str:
        """Short name, also in ledger and key: "vertex" or "developer"."""
        ...

    @property
    def dialect(self) -> str:
        """Dialect of its rows and requests, a key of `furytune.dialects.DIALECTS`."""
        ...

    @property
    def place(self) -> str:
        """Where its jobs run (project and location, or host); part of the key. Contains no secret."""
        ...

    @property
    def settle(self) -> float:
        """Seconds within which `find` shows a job whose answer was lost; 0 if ids are unique."""
        ...

    def survey(self, dataset: Dataset, settings: TuningSettings) -> Survey:
        """Reads the files once, in constant memory; sends nothing."""
        ...

    def ready(self, settings: TuningSettings) -> None:
        """Checks, before anything is uploaded, whether the service can tune the model, if the service can tell."""
        ...

    def upload(self, dataset: Dataset) -> Uploaded:
        """Uploads the files to where the service reads them. Doing it twice does no harm.

        Raises:
            TuningError: A file is not the one that the manifest lists (sha256).
        """
        ...

    def submit(self, dataset: Dataset, uploaded: Uploaded, settings: TuningSettings, key: str) -> str:
        """Creates the job under a key, with one request and no retry, and returns the service's name for it.

        Args:
            dataset: The data. If the rows are sent inside the request, their sha256 is checked again.
            uploaded: The result of `upload`.
            settings: The settings of the job.
            key: 32 hexadecimal digits; the label or the id of the job is made of it.
        """
        ...

    def find(self, key: str) -> tuple[str, ...]:
        """Returns the names of all jobs under a key, the oldest first; jobs of the same time by name."""
        ...

    def snapshot(self, name: str) -> Snapshot:
        """Asks once for the state of a job."""
        ...

    def cancel(self, name: str) -> None:
        """Asks the service to stop a job."""
        ...
