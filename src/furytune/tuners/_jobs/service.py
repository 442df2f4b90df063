"""What a tuner asks of a service that runs tuning jobs, and the values that all such services share.

A service makes requests and nothing else: it never sleeps, never retries and writes no file. Whatever goes
wrong on the way is a `ServiceError`, raised ``from None``, since the vendors' exceptions may quote what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

from attrs import field, frozen

from furytune._values.canonical import Json
from furytune.records import Dataset, Split

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
    """What is asked of the service; every field changes the job, so all are part of its key.

    Attributes:
        model: The base model, as the service calls it.
        epochs: Passes over the training rows; always sent, since a service's own default can be 40.
        learning_rate_multiplier: Of the service's own rate; None leaves it to the service.
        adapter_size: 1, 2, 4, 8 or 16; None leaves it to the service. Vertex only.
        batch_size: None leaves it to the service. Developer API only.
        learning_rate: None leaves it to the service. Developer API only.
        display_name: For people.
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
        ids: Ids of the rows, the first 20 of them; empty if it is not about rows.
        count: Number of rows; 0 if it is not about rows.
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
    """What one reading of a data set found.

    Attributes:
        tokens: Training tokens of one epoch, at most; None where the service bills nothing by token.
        counted: How they were counted.
        problems: What the service would refuse.
        least: Training tokens of one epoch, at least.
        doubts: What the service would refuse if there are as many tokens as there may be.
    """

    tokens: int | None
    counted: str
    problems: tuple[Problem, ...] = ()
    least: int = 0
    doubts: tuple[Problem, ...] = ()


@frozen(kw_only=True)
class Uploaded:
    """Where the files lie for the service; empty where rows travel inside the request.

    Attributes:
        train: URI of the training rows.
        validation: URI of the validation rows, or "".
    """

    train: str = ""
    validation: str = ""


@frozen(kw_only=True)
class Loss:
    """A point of the loss curve.

    Attributes:
        step: Step, from 1.
        epoch: Epoch, from 1; 0 where the service does not say.
        loss: Mean loss.
        split: What it was measured on.
    """

    step: int
    loss: float
    epoch: int = 0
    split: Split = "train"


@frozen(kw_only=True)
class Snapshot:
    """A remote job at one moment.

    Attributes:
        state: Unknown words of the service count as "running".
        detail: The service's own word for it.
        percent: 0 to 100, None where the service does not say.
        losses: All it tells, in order of step.
        model: Resource to share and delete, once there is one.
        endpoint: What is called with a prompt, once there is one.
        fingerprint: Of the contract that the data was rendered with, where the service keeps it; else "".
        dropped: Training rows that the service dropped or cut (Vertex uses both words for them).
        dropped_rows: Their numbers in the training file, from 1, as far as the service lists them.
        dropped_reasons: Why, as the service puts it; it may quote the data, so no repr shows it.
        error_code: Of a failed job.
        error: What it says of the failure; it may quote the data, so no repr shows it.
        more: Anything else worth keeping (experiment, billed tokens, checkpoints); no message text.
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
    error_code: int | None = None
    error: str = field(default="", repr=False)
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
        """Wire form of its rows and requests, a key of `furytune.dialects.DIALECTS`."""
        ...

    @property
    def place(self) -> str:
        """Where its jobs live (project and location, or host); part of the key. No secret."""
        ...

    @property
    def settle(self) -> float:
        """Seconds after which a job whose answer was lost must show in `find`; 0 where ids are unique."""
        ...

    def survey(self, dataset: Dataset, settings: TuningSettings) -> Survey:
        """Reads the files once, in flat memory, and asks nobody."""
        ...

    def ready(self, settings: TuningSettings) -> None:
        """Asks the service, if it can tell, whether the model can be tuned; before anything is uploaded."""
        ...

    def upload(self, dataset: Dataset) -> Uploaded:
        """Brings the files to where the service reads them. Doing it twice does no harm.

        Raises:
            TuningError: A file is not the one that the manifest lists (sha256).
        """
        ...

    def submit(self, dataset: Dataset, uploaded: Uploaded, settings: TuningSettings, key: str) -> str:
        """Creates the job under a key, by one request without retry, and returns the service's name for it.

        Args:
            dataset: Checked against its sha256 again where rows travel in the request.
            uploaded: What `upload` gave.
            settings: What is asked for.
            key: 32 hexadecimal digits; the label or the id of the job is made of it.
        """
        ...

    def find(self, key: str) -> tuple[str, ...]:
        """Returns the names of all jobs under a key, the oldest first; jobs of one moment by name."""
        ...

    def snapshot(self, name: str) -> Snapshot:
        """Asks for a job once."""
        ...

    def cancel(self, name: str) -> None:
        """Asks the service to stop a job."""
        ...
