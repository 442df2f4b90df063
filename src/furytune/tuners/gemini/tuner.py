"""Estimates, starts and follows the tuning of a Gemini model."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from attrs import asdict, evolve, field, frozen, validators

from furytune._privacy.secret import Secret
from furytune._values.canonical import Json, digest
from furytune.contract import ModelName, PromptContract
from furytune.errors import ConfigError, ContractMismatchError, TuningError
from furytune.models.tuned import TunedModel
from furytune.records import Dataset, Estimate, TuningJob
from furytune.tuners._jobs.following import ENDED, follow
from furytune.tuners._jobs.jobs import known_job, polled_job
from furytune.tuners._jobs.ledger import Ledger
from furytune.tuners._jobs.retries import Clock, patiently
from furytune.tuners._jobs.service import Survey, TuningSettings
from furytune.tuners._jobs.submission import Submission
from furytune.tuners.gemini import models
from furytune.tuners.gemini.choosing import GeminiService, choose
from furytune.tuners.gemini.estimate import estimate

__all__ = ["GeminiTuner", "gemini_model"]

_positive = validators.and_(validators.instance_of(int | float), validators.gt(0))
_count = validators.and_(validators.instance_of(int), validators.ge(1))


def _is_model(_: object, __: object, value: str) -> None:
    if not re.fullmatch(r"\w[\w./@:-]*", value, re.ASCII) or ".." in value:
        raise ConfigError(f"{value!r} is not a valid model name; an example is gemini-3.1-flash-lite")


def _secret(value: Secret | str | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value


def _bucket(value: str) -> str:
    return value.removeprefix("gs://").rstrip("/")


def _uris(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen(slots=False)
class GeminiTuner:
    """Tunes Gemini on a data set, with one of two services.

    - **vertex**: Vertex AI, now Gemini Enterprise Agent Platform. It can tune, and it costs money. It needs a
      project, Google Cloud credentials and a bucket.
    - **developer**: the Gemini Developer API with an API key. Google's own service has tuned nothing since May
      2025, and `submit` says so before anything is sent. A compatible server may still tune.

    One data set, one contract and one set of settings make one job, even if a run is repeated or killed: the
    job carries a key made of them, and every step is written to disk before it is taken.

    Args:
        model: Base model, such as "gemini-3.1-flash-lite". Names that the library does not know work too.
        backend: "vertex", "developer", or "auto": project, bucket or credentials mean vertex, an API key
            alone means developer. The tuner never switches from one to the other by itself.
        project: Google Cloud project.
        location: Where the job runs. Gemini 3 models: us-central1 or europe-west4.
        bucket: Bucket for the files, with or without ``gs://``; files are named by their content.
        prefix: Folder in the bucket.
        uploaded: ``gs://`` URIs of files that you have uploaded yourself, training rows first. They are
            checked, and ``bucket`` is not used.
        credentials: google-auth credentials; None uses the machine's own.
        api_key: Key of the Developer API; `Secret.env` names the environment variable that contains it.
        endpoint: Base address of another server. For plain http it must be on this machine.
        transport: "rest" or "grpc", for the Developer API.
        epochs: Passes over the data. Always sent, because the service's own choice can be 40, and the cost
            grows with it. Three is a cautious first try.
        learning_rate_multiplier: Multiplies the service's own rate; best left alone at first.
        adapter_size: 1, 2, 4, 8 or 16; best left alone at first. Vertex only.
        batch_size: Developer API only.
        learning_rate: Developer API only.
        display_name: A name for people to read.
        attempt: Raise it to run the same job once more, for example after a failure.
        max_cost: Maximum cost in US dollars. A run is refused if the lower end of its estimate is higher or its
            cost is unknown. If only the upper end is higher, there is a warning.
        price: US dollars per million training tokens, for a model whose price in `models.MODELS` is missing
            or out of date.
        ledger: Folder with the records of all runs; keep it.
        clock: Source of the time.

    Raises:
        ConfigError: The arguments contradict each other, or one is missing.
        MissingExtraError: The backend's package is not installed.
    """

    model: str = field(validator=_is_model)
    backend: Literal["auto", "vertex", "developer"] = field(default="auto", kw_only=True)
    project: str = field(default="", kw_only=True)
    location: str = field(default="us-central1", kw_only=True)
    bucket: str = field(default="", converter=_bucket, kw_only=True)
    prefix: str = field(default="furytune", kw_only=True)
    uploaded: tuple[str, ...] = field(default=(), converter=_uris, kw_only=True)
    credentials: Any = field(default=None, repr=False, eq=False, kw_only=True)
    api_key: Secret | None = field(default=None, converter=_secret, kw_only=True)
    endpoint: str = field(default="", kw_only=True)
    transport: Literal["rest", "grpc"] = field(default="rest", kw_only=True)
    epochs: int = field(default=3, validator=_count, kw_only=True)
    learning_rate_multiplier: float | None = field(
        default=None, validator=validators.optional(_positive), kw_only=True
    )
    adapter_size: int | None = field(default=None, validator=validators.optional(_count), kw_only=True)
    batch_size: int | None = field(default=None, validator=validators.optional(_count), kw_only=True)
    learning_rate: float | None = field(default=None, validator=validators.optional(_positive), kw_only=True)
    display_name: str = field(default="furytune", kw_only=True)
    attempt: int = field(default=1, validator=_count, kw_only=True)
    max_cost: float | None = field(default=None, kw_only=True)
    price: float | None = field(default=None, kw_only=True)
    ledger: Path = field(default=Path("tuning-jobs"), converter=Path, kw_only=True)
    clock: Clock = field(default=Clock(), repr=False, eq=False, kw_only=True)
    _surveys: dict[str, Survey] = field(factory=dict, init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # Choosing the service checks the arguments: a wrong one should raise here, not at the first request.
        _ = self.service

    @cached_property
    def service(self) -> GeminiService:
        """The service that tunes."""
        return choose(
            self.backend,
            api_key=self.api_key,
            transport=self.transport,
            endpoint=self.endpoint,
            project=self.project,
            location=self.location,
            bucket=self.bucket,
            prefix=self.prefix,
            uploaded=self.uploaded,
            credentials=self.credentials,
        )

    @property
    def dialect(self) -> str:
        """Dialect of the rows that the service trains on."""
        return self.service.dialect

    @property
    def settings(self) -> TuningSettings:
        """The settings that are sent to the service."""
        return TuningSettings(
            model=self.model,
            epochs=self.epochs,
            learning_rate_multiplier=self.learning_rate_multiplier,
            adapter_size=self.adapter_size,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            display_name=self.display_name,
        )

    def estimate(self, dataset: Dataset) -> Estimate:
        """Estimates the cost, and lists everything that the service is known to refuse; sends nothing.

        Args:
            dataset: A data set from an exporter, or from `furytune.exporters.load_dataset`.

        Returns:
            Ranges for cost and for the tokens of all epochs; problems and warnings with the ids of their rows; and notes
            on how the numbers were calculated.

        Raises:
            TuningError: A file is not the one that the manifest lists.
        """
        # `submit` estimates again, usually right after `estimate`: the files are read only once for both.
        key = digest([dataset.manifest, dataset.dialect, *(f.sha256 for f in dataset.files)])
        if key not in self._surveys:
            self._surveys[key] = self.service.survey(dataset, self.settings)
        return estimate(
            self._surveys[key],
            self.settings,
            price=self._price,
            own_price=self.price is not None,
            max_cost=self.max_cost,
            remarks=models.known(self.model).remarks(
                location=self.location, today=datetime.fromtimestamp(self.clock.now(), UTC).date()
            )
            if self.service.name == "vertex"
            else [],
        )

    def submit(self, dataset: Dataset, *, key: str) -> TuningJob:
        """Uploads the data and starts the job, or returns the job that is already there.

        You can call it again after anything: a crash, a lost answer, an error. A possible problem, such as a cost that may
        be over ``max_cost``, becomes a Python warning and stops nothing.

        Args:
            dataset: The data to train on.
            key: Names the run, together with the settings.

        Raises:
            TuningError: There are problems, the job would cost more than ``max_cost``, or a file was changed. Nothing
                was sent.
            TuningUnavailableError: The service cannot tune this model. Nothing was sent.
            ServiceError: The service refused or did not answer.
        """
        estimate = self.estimate(dataset)
        if estimate.problems:
            raise TuningError(f"nothing was sent: {'; '.join(estimate.problems)}")
        for doubt in estimate.warnings:
            # Doubts do not stop a job: the estimate cannot be exact without the service's own tokenizer.
            warnings.warn(doubt, stacklevel=2)
        entry = self._submission(key).submit(dataset, self.settings, key)
        return known_job(entry, run=key)

    def find(self, key: str) -> TuningJob | None:
        """Returns the job of a run from the ledger or, if it is not there, by its label at the service.

        Args:
            key: The key that was given to `submit`.

        Raises:
            TuningError: Two jobs carry the label, or the ledger was edited.
            ServiceError: The service refused or did not answer.
        """
        entry, name = self._submission(key).find()
        if not name:
            return None
        if entry is not None:
            return known_job(entry, run=key)
        return patiently(lambda: self.poll(TuningJob(key=key, name=name, state="running")), self.clock)

    def job(self, name: str) -> TuningJob:
        """Returns the job that the service knows under a name.

        Args:
            name: The job's name, such as "projects/P/locations/L/tuningJobs/1".

        Raises:
            ServiceError: The service does not know the job, or did not answer.
        """
        entry = next((e for e in Ledger(self.ledger).entries() if e.name == name), None)
        job = known_job(entry) if entry else TuningJob(key="", name=name, state="running")
        return patiently(lambda: self.poll(job), self.clock)

    def jobs(self) -> list[TuningJob]:
        """Returns all jobs in the ledger, as it knows them, in the order of their last step. Sends nothing.

        A job without a name was interrupted before it was submitted; the next `submit` of its run continues it.

        Raises:
            TuningError: A record is damaged, was edited, or cannot be read.
        """
        return [known_job(entry) for entry in sorted(Ledger(self.ledger).entries(), key=lambda e: e.at)]

    def poll(self, job: TuningJob) -> TuningJob:
        """Asks once for the job's state, without retries.

        Raises:
            ServiceError: The service refused or did not answer. The job continues.
        """
        ledger = Ledger(self.ledger)
        entry = ledger.read(self._key(job.key)) if job.key else None
        # A job of another run or attempt must not change this entry.
        entry = entry if entry is not None and entry.name == job.name else None
        found = polled_job(job, self.service.snapshot(job.name), entry, backend=self.service.name)
        # Written once, so that `forget` knows the model even after the service has dropped the job.
        if entry is not None and entry.step != "ENDED" and found.state in ENDED:
            ledger.write(
                evolve(
                    entry,
                    step="ENDED",
                    at=self.clock.now(),
                    state=found.state,
                    model=found.model,
                    endpoint=found.progress.endpoint,
                )
            )
        return found

    def wait(
        self,
        job: TuningJob,
        *,
        every: float = 30.0,
        timeout: float | None = None,
        seen: Callable[[TuningJob], object] | None = None,
    ) -> TuningJob:
        """Waits until a job has ended, and shows its progress if standard error is a terminal.

        Ctrl-C stops the waiting, not the job, and prints how to come back.

        Args:
            job: A job from `submit`, `find` or `job`.
            every: Seconds between two requests.
            timeout: Maximum seconds to wait; None waits as long as it takes.
            seen: Called with the job after each answer.

        Returns:
            The job in its final state, which is "succeeded", "failed" or "cancelled".

        Raises:
            TuningError: The job did not end in time.
            ServiceError: The service refused four requests in a row.
        """
        return follow(job, self.poll, self.clock, every=every, timeout=timeout, seen=seen)

    def cancel(self, job: TuningJob) -> None:
        """Asks the service to stop a job; `wait` returns when it has stopped.

        Raises:
            TuningError: The service cannot stop jobs.
            ServiceError: The service refused or did not answer.
        """
        patiently(lambda: self.service.cancel(job.name), self.clock)

    def tuned(self, job: TuningJob, contract: PromptContract, **options: Any) -> TunedModel:
        """Returns the tuned model, bound to the contract that it was trained with.

        The model's ``contract`` names the model. If a bot loads that one, it needs no tuner; see
        `furytune.tuners.gemini.answering.tuned_gemini`.

        Args:
            job: A job that succeeded.
            contract: `Pipeline.contract`, or `PromptContract.load`.
            **options: ``temperature``, ``max_output_tokens`` or ``thinking`` of `TunedModel`.

        Raises:
            ContractMismatchError: The model was trained with prompts of another contract.
            TuningError: The job has no model.
            ServiceError: The service refused or did not answer.
        """
        if not job.progress.endpoint:
            unpolled = job
            job = patiently(lambda: self.poll(unpolled), self.clock)
        target = job.progress.endpoint
        if not target:
            next_step = {
                "failed": "job.failure.message says why; raise attempt= to run it once more",
                "cancelled": "raise attempt= to run it once more",
            }.get(job.state, "wait for it with tuner.wait(job)")
            raise TuningError(f"{job.name} is {job.state} and has no model; {next_step}")
        # A bot with another template would ask in a form that the model never saw.
        if job.fingerprint != contract.fingerprint:
            trained = f"a contract {job.fingerprint[:12]}" if job.fingerprint else "an unknown contract"
            raise ContractMismatchError(
                "fingerprint",
                f"the model was trained with prompts of {trained}, this one is {contract.fingerprint[:12]}; "
                "load the contract that was saved with its training file",
            )
        named = ModelName(name=target, base=self.model, job=job.name)
        return TunedModel(
            target=target,
            model=job.model,
            contract=evolve(contract, model=named),
            backend=self.service,
            **{"thinking": self._thinking, **options},
        )

    def base_model(
        self, contract: PromptContract | None = None, *, model: str = "", **options: Any
    ) -> TunedModel:
        """Returns a model that was not tuned, to compare the tuned one with.

        Args:
            contract: Renders the prompts of `TunedModel.ask`.
            model: Its name; the tuner's base model by default. It is called at the tuner's location, unless
                the name contains another: ``projects/P/locations/L/publishers/google/models/NAME``.
            **options: ``temperature``, ``max_output_tokens`` or ``thinking`` of `TunedModel`.
        """
        thinking: Mapping[str, Any] = dict(models.known(model or self.model).thinking)
        return TunedModel(
            target=model or self.model,
            contract=contract,
            backend=self.service,
            **{"thinking": thinking if self.service.name == "vertex" else {}, **options},
        )

    @property
    def _thinking(self) -> Mapping[str, Any]:
        return dict(models.known(self.model).thinking) if self.service.name == "vertex" else {}

    @property
    def _price(self) -> float | None:
        """The price per million training tokens, None if it is not known."""
        if self.price is not None:
            return self.price
        return models.known(self.model).price if self.service.name == "vertex" else None

    def _key(self, run: str) -> str:
        """Returns the key of the remote job, made of the run and of everything that distinguishes jobs."""
        # Every setting is part of the key, so a changed setting starts a new job, and the same one never
        # does.
        return digest([run, self.service.name, self.service.place, asdict(self.settings), self.attempt])[:32]

    def _submission(self, run: str) -> Submission:
        """Returns the submission of a run."""
        if not run:
            raise ConfigError("the key of a run must not be empty; give submit() or find() a key")
        return Submission(
            backend=self.service, ledger=Ledger(self.ledger), clock=self.clock, key=self._key(run)
        )


def gemini_model(
    name: str,
    *,
    project: str = "",
    location: str = "us-central1",
    api_key: Secret | None = None,
    endpoint: str = "",
    temperature: float | None = None,
    max_output_tokens: int | None = None,
    thinking: Mapping[str, Json] | None = None,
) -> TunedModel:
    """Returns a Gemini model that was not tuned, in one step, as a settings file names it.

    Args:
        name: The model, such as "gemini-3.1-flash-lite".
        project: Google Cloud project, for Vertex AI.
        location: Where Vertex AI runs the model.
        api_key: Key of the Developer API, instead of a project.
        endpoint: Base address of another server.
        temperature: Sent only if given.
        max_output_tokens: Sent only if given.
        thinking: Fields of Google's ``thinkingConfig``. By default the lowest known setting of the model.

    Raises:
        ConfigError: The arguments contradict each other, or one is missing.
        MissingExtraError: The service's package is not installed.
    """
    tuner = GeminiTuner(name, project=project, location=location, api_key=api_key, endpoint=endpoint)
    options: dict[str, Any] = {} if thinking is None else {"thinking": thinking}
    return tuner.base_model(temperature=temperature, max_output_tokens=max_output_tokens, **options)
