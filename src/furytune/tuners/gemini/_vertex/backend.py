"""Tunes and calls Gemini on Vertex AI (now Gemini Enterprise Agent Platform), with google-genai."""

from __future__ import annotations

import re
import threading
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from attrs import field, frozen

from furytune._network.endpoint import checked_endpoint
from furytune.errors import ConfigError, NoTextError, ServiceError
from furytune.models.service import Call
from furytune.records import DataFile, Dataset, Finish, Piece, Usage
from furytune.tuners._jobs.labels import KEY, labels
from furytune.tuners._jobs.service import Snapshot, Survey, TuningSettings, Uploaded
from furytune.tuners.gemini._vertex import limits, sdk
from furytune.tuners.gemini._vertex.jobs import snapshot_of
from furytune.tuners.gemini._vertex.storage import Storage, parse_uri

__all__ = ["VertexBackend"]

_JOB = r"projects/[^/]+/locations/[^/]+/tuningJobs/[^/]+"
_TIMEOUT_MS = 120_000
# Google does not document how soon a new job is listed. This is our guess; see docs/unverified.md.
_SETTLE = 30.0
_ADAPTERS = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN"}
# Every other reason, such as SAFETY or RECITATION, means that the service withheld the rest.
_FINISHES: dict[str, Finish] = {
    "STOP": "stop",
    "None": "stop",
    "FINISH_REASON_UNSPECIFIED": "stop",
    "MAX_TOKENS": "length",
}
_HINTS = {
    400: "the service refused the request, and `error.said` says why; if it could not read the file, give the "
    "project's Vertex service agent read access to the bucket",
    401: "the credentials were not accepted: run `gcloud auth application-default login`",
    403: "the caller needs roles/aiplatform.user in the project, and the Vertex AI API must be enabled there",
    404: "nothing with this name exists at this location; Gemini 3 models are tuned in us-central1 or europe-west4, "
    "and a tuned model answers only at the location in its endpoint's name",
    429: "a quota is used up; by default a project runs one tuning job at a time, in all regions together",
}


def _age(job: Any) -> tuple[float, str]:
    """Returns the sort key of a job: when it was created, then its name."""
    # Without a time, a job counts as the newest, so an older one is never cancelled for it.
    return (job.create_time.timestamp() if job.create_time else float("inf"), str(job.name))


def _slashless(prefix: str) -> str:
    return prefix.strip("/")


@frozen(kw_only=True, slots=False)
class VertexBackend:
    """Tunes and calls Gemini on Vertex AI.

    Args:
        project: Google Cloud project.
        location: Where jobs run.
        bucket: Where files are uploaded to.
        prefix: Folder in the bucket.
        uploaded: URIs of files that the user has uploaded: training rows, then validation rows if any.
        credentials: google-auth credentials; None loads the machine's own when they are first needed.
        endpoint: Base address of all requests; "" is Google's.

    Raises:
        ConfigError: An argument is missing or malformed.
    """

    project: str
    location: str
    bucket: str = ""
    prefix: str = field(default="furytune", converter=_slashless)
    uploaded: tuple[str, ...] = ()
    credentials: Any = field(default=None, repr=False, eq=False)
    endpoint: str = field(default="", converter=checked_endpoint)
    _clients: dict[str, Any] = field(factory=dict, init=False, repr=False, eq=False)
    _lock: Any = field(factory=threading.Lock, init=False, repr=False, eq=False)

    name = "vertex"
    dialect = "gemini"
    settle = _SETTLE

    def __attrs_post_init__(self) -> None:
        # Passes the dict and not self: a finalizer that refers to its object would keep it alive.
        weakref.finalize(self, _close, self._clients)
        # The name becomes part of an address; a slash in it would lead to another resource.
        if not re.fullmatch(r"[a-z0-9][a-z0-9.:-]*", self.project):
            raise ConfigError(
                f"project {self.project!r} is not a valid Google Cloud project id; check project="
            )
        if not re.fullmatch(r"[a-z0-9-]+", self.location):
            raise ConfigError(
                f"location {self.location!r} is not a Vertex AI location; an example is us-central1"
            )
        if self.bucket.startswith("gs://") or "/" in self.bucket:
            raise ConfigError(
                "bucket must be the bucket's name alone, without a folder; give the folder as `prefix`"
            )
        if len(self.uploaded) > 2:
            raise ConfigError(
                "uploaded takes at most two URIs: one for the training rows and one for the validation rows"
            )
        for uri in self.uploaded:
            parse_uri(uri)

    @property
    def place(self) -> str:
        """Project and location."""
        return f"projects/{self.project}/locations/{self.location}"

    def survey(self, dataset: Dataset, settings: TuningSettings) -> Survey:
        """Checks data and settings against the documented limits."""
        return limits.survey(dataset, settings)

    def ready(self, settings: TuningSettings) -> None:
        """Checks that there is a place for the files; Vertex has no request that lists what can be tuned.

        Raises:
            ConfigError: There is neither a bucket nor an uploaded file.
        """
        if not self.bucket and not self.uploaded:
            raise ConfigError(
                f"{settings.model} is tuned from a file in Cloud Storage: give GeminiTuner bucket='NAME', or uploaded=('gs://...',)"
            )

    def upload(self, dataset: Dataset) -> Uploaded:
        """Uploads the files under the sha256 of their bytes, or checks those that the user uploaded.

        Raises:
            ConfigError: The uploaded files are not one for each split.
            TuningError: An object has other bytes than its file.
        """
        storage = Storage(credentials=self._credentials, endpoint=self.endpoint)
        files: dict[str, DataFile] = {f.split: f for f in dataset.files if f.rows}
        if not self.uploaded:
            return Uploaded(
                **{split: storage.upload(f, self.bucket, self.prefix) for split, f in files.items()}
            )
        uris = dict(zip(("train", "validation"), self.uploaded, strict=False))
        if uris.keys() != files.keys():
            raise ConfigError(
                f"uploaded names files for {', '.join(uris)}, but the data set has {', '.join(files)}; name one file for each"
            )
        for split, file in files.items():
            storage.check(file, uris[split])
        return Uploaded(**uris)

    def submit(self, dataset: Dataset, uploaded: Uploaded, settings: TuningSettings, key: str) -> str:
        """Creates the job.

        Args:
            dataset: The data set.
            uploaded: Where its files are.
            settings: Model and hyper-parameters.
            key: The key, which becomes a label.

        Raises:
            ServiceError: The service refused, or the answer was lost.
        """
        types = sdk.sdk().types
        size = settings.adapter_size
        config = types.CreateTuningJobConfig(
            tuned_model_display_name=settings.display_name or None,
            epoch_count=settings.epochs,
            learning_rate_multiplier=settings.learning_rate_multiplier,
            adapter_size=f"ADAPTER_SIZE_{_ADAPTERS.get(size, str(size))}" if size else None,
            # Each exported checkpoint gets an endpoint of its own.
            export_last_checkpoint_only=True,
            labels=labels(key, dataset.fingerprint),
            validation_dataset=types.TuningValidationDataset(gcs_uri=uploaded.validation)
            if uploaded.validation
            else None,
        )
        client = self._client(self.location)
        with sdk.authorized("creating the tuning job", _HINTS), _no_warnings():
            job = client.tunings.tune(
                base_model=settings.model,
                training_dataset=types.TuningDataset(gcs_uri=uploaded.train),
                config=config,
            )
        if not re.fullmatch(_JOB, job.name or ""):
            raise ServiceError("creating the tuning job", status="(an answer without the job's name)")
        return str(job.name)

    def find(self, key: str) -> tuple[str, ...]:
        """Lists all jobs and compares their labels: it is not documented whether the service can filter by label."""
        client = self._client(self.location)
        with sdk.authorized("listing the tuning jobs", _HINTS), _no_warnings():
            jobs = client.tunings.list(config={"page_size": 100})
            ours = [job for job in jobs if (job.labels or {}).get(KEY) == key]
        return tuple(str(job.name) for job in sorted(ours, key=_age))

    def snapshot(self, name: str) -> Snapshot:
        """Asks for the state of a job."""
        client = self._client(self._location_of(name))
        with sdk.authorized("asking for the tuning job", _HINTS), _no_warnings():
            job = client.tunings.get(name=name)
        return snapshot_of(job)

    def cancel(self, name: str) -> None:
        """Cancels a job."""
        client = self._client(self._location_of(name))
        with sdk.authorized("cancelling the tuning job", _HINTS):
            client.tunings.cancel(name=name)

    def generate(self, call: Call) -> str:
        """Asks a model.

        Raises:
            TuningError: The answer has no text.
        """
        client, arguments = self._prepared(call)
        with sdk.authorized("asking the model", _HINTS):
            response = client.models.generate_content(**arguments)
        text = _text(response)
        if not text:
            raise NoTextError(
                f"the model gave no text ({_reason(response)}); ask again, or rephrase the question"
            )
        return text

    def stream(self, call: Call) -> Iterator[str]:
        """Asks a model and yields its answer in pieces as they arrive."""
        for response in self._responses(call):
            text = _text(response)
            if text:
                yield text

    def pieces(self, call: Call) -> Iterator[Piece]:
        """Asks a model and yields its answer as it arrives, and at the end why it ended and what it used.

        Raises:
            NoTextError: The answer has no text.
        """
        said, reason, used = False, "no candidate", None
        for response in self._responses(call):
            text, reason = _text(response), _reason(response)
            used = response.usage_metadata or used
            if text:
                said = True
                yield Piece(text=text)
        if not said:
            raise NoTextError(f"the model gave no text ({reason}); ask again, or rephrase the question")
        yield Piece(finish=_FINISHES.get(reason, "filter"), usage=_usage(used))

    def _responses(self, call: Call) -> Iterator[Any]:
        client, arguments = self._prepared(call)
        with sdk.authorized("asking the model", _HINTS):
            yield from client.models.generate_content_stream(**arguments)

    @property
    def access(self) -> str:
        """A sentence that says that access is granted for a whole project."""
        return (
            "Vertex AI has no permissions for a single tuned model: everyone with roles/aiplatform.user in the project "
            f"{self.project} may call it; grant or revoke that role under IAM"
        )

    def delete(self, model: str, endpoint: str) -> None:
        """Deletes a tuned model."""
        client = self._client(self._location_of(model))
        hint = f"it may still be deployed: delete its endpoint {endpoint} in the console first"
        with sdk.authorized("deleting the model", {**_HINTS, 400: hint, 409: hint}):
            # The part after "@" names one version; delete the whole model.
            client.models.delete(model=model.partition("@")[0])

    def _prepared(self, call: Call) -> tuple[Any, dict[str, Any]]:
        """Returns the client for a call's location, and the arguments; the fields are sent unchanged."""
        types = sdk.sdk().types
        config = types.GenerateContentConfig(
            system_instruction=call.fields.get("systemInstruction"),
            temperature=call.temperature,
            max_output_tokens=call.max_output_tokens,
            thinking_config=types.ThinkingConfig.model_validate(dict(call.thinking))
            if call.thinking
            else None,
        )
        client = self._client(self._location_of(call.target))
        return client, {"model": call.target, "contents": call.fields["contents"], "config": config}

    def _location_of(self, name: str) -> str:
        """Returns the location in a resource's name, because the service knows the resource only there."""
        found = re.match(r"projects/[^/]+/locations/([a-z0-9-]+)/", name)
        return found[1] if found else self.location

    def _client(self, location: str) -> Any:
        """Returns the client for a location. It is kept, because the SDK closes a client without references."""
        with self._lock:
            if location not in self._clients:
                genai = sdk.sdk()
                self._clients[location] = genai.Client(
                    vertexai=True,
                    project=self.project,
                    location=location,
                    credentials=self._credentials,
                    http_options=genai.types.HttpOptions(base_url=self.endpoint or None, timeout=_TIMEOUT_MS),
                )
            return self._clients[location]

    @cached_property
    def _credentials(self) -> Any:
        return self.credentials if self.credentials is not None else sdk.default_credentials()


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Silences the SDK's warnings that tuning is experimental and that it does not know a state.

    Under ``-W error`` they would be exceptions, and a job in a new state could not be followed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _close(clients: dict[str, Any]) -> None:
    """Closes the connections of a backend that is no longer used."""
    for client in clients.values():
        with suppress(Exception):
            client.close()


def _text(response: Any) -> str:
    """Returns the text of a response, without its thoughts."""
    candidates = response.candidates or []
    content = candidates[0].content if candidates else None
    return "".join(p.text for p in (content.parts if content else None) or [] if p.text and not p.thought)


def _reason(response: Any) -> str:
    """Returns the service's word for why an answer ended."""
    candidates = response.candidates or []
    reason = candidates[0].finish_reason if candidates else "no candidate"
    return str(getattr(reason, "value", reason))


def _usage(used: Any) -> Usage | None:
    """Returns the counts of a response; thoughts count as written, because they are billed so."""
    if used is None:
        return None
    written = (used.candidates_token_count or 0) + (used.thoughts_token_count or 0)
    return Usage(used.prompt_token_count or 0, written)
