"""Vertex AI's tuning jobs and Cloud Storage, in memory; `FakeVertex` serves them.

Rules and answers follow Google's reference of tuningJobs (v1beta1) and of the JSON API of Cloud Storage.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from attrs import define, field

from furytune import dialects
from furytune.testing._fakes.loopback import Recorded, Reply

__all__ = ["STATES", "Object", "VertexService"]

Json = dict[str, Any]

STATES = (
    "JOB_STATE_PENDING",
    "JOB_STATE_RUNNING TUNING_JOB_STATE_PROCESSING_DATASET",
    "JOB_STATE_RUNNING TUNING_JOB_STATE_TUNING",
    "JOB_STATE_SUCCEEDED",
)
"""States of a job, one for each request; the last one stays."""

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    412: "FAILED_PRECONDITION",
}
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_WHEN = "2026-01-01T00:00:00.100000Z"
_ADAPTERS = {f"ADAPTER_SIZE_{word}" for word in ("ONE", "TWO", "FOUR", "EIGHT", "SIXTEEN")}


class _Refusal(Exception):  # noqa: N818  (an answer, not a fault)
    """A refusal, with the answer that the service sends."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(code, {"error": {"code": code, "status": _STATUS[code], "message": message}})


@define
class Object:
    """A file in a bucket.

    Attributes:
        data: Its bytes.
        generation: Increases each time the object is written.
    """

    data: bytes = field(repr=False)
    generation: int = 1

    def view(self, bucket: str, name: str) -> Json:
        """Returns the object as Cloud Storage describes it."""
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "size": str(len(self.data)),
            "md5Hash": base64.b64encode(hashlib.md5(self.data, usedforsecurity=False).digest()).decode(),
            "generation": str(self.generation),
        }


@define
class _Job:
    """A tuning job.

    Attributes:
        name: Its resource name.
        asked: The request that created it.
        number: Number of the job, of its model and of its endpoint.
        born: When it was created, in seconds since 1970.
        polls: How often its state was asked for.
        forced: A state that it was forced into, such as cancelled.
    """

    name: str
    asked: Json = field(repr=False)
    number: int
    born: float
    polls: int = 0
    forced: str = ""


@define(kw_only=True)
class VertexService:
    """The state of Vertex AI and Cloud Storage, and their answers.

    Attributes:
        states: See `STATES`.
        delay: Seconds until the list of jobs contains a new job.
        now: Returns the time.
        stats: ``supervisedTuningDataStats`` of a job that succeeded; if empty, they are counted.
        error: ``error`` of a job that failed.
        more: Extra fields in answers about jobs, such as fields of a later API.
        answer: Returns a base model's answer to a text.
        objects: Files by bucket and name.
        jobs: Jobs by name.
    """

    states: Sequence[str] = STATES
    delay: float = 0.0
    now: Callable[[], float] = time.time
    stats: Json = field(factory=dict, repr=False)
    error: Json = field(repr=False, factory=lambda: {"code": 3, "message": "the dataset was refused"})
    more: Json = field(factory=dict, repr=False)
    answer: Callable[[str], str] = lambda _text: "I was not tuned."
    objects: dict[tuple[str, str], Object] = field(factory=dict)
    jobs: dict[str, _Job] = field(factory=dict)

    def __call__(self, request: Recorded) -> Reply:
        """Answers one request."""
        try:
            return self._route(request)
        except _Refusal as refusal:
            return refusal.reply

    def _route(self, request: Recorded) -> Reply:
        """Finds the function for a request."""
        if not re.fullmatch(r"Bearer \S+", request.headers.get("authorization", "")):
            raise _Refusal(401, "the request had no valid credentials")
        for pattern, verb, act in self._routes():
            found = re.fullmatch(pattern, request.path)
            if found and verb == request.method:
                return act(request, *map(unquote, found.groups()))
        raise _Refusal(404, f"{request.method} {request.path} is unknown")

    def _routes(self) -> Iterator[tuple[str, str, Callable[..., Reply]]]:
        """Yields the paths of the service, with their methods and functions."""
        place = r"/v1beta1/(projects/[^/]+/locations/[^/]+)"
        yield r"/upload/storage/v1/b/([^/]+)/o", "POST", self._upload
        yield r"/storage/v1/b/([^/]+)/o/([^/]+)", "GET", self._stored
        yield place + r"/tuningJobs", "POST", self._create
        yield place + r"/tuningJobs", "GET", self._list
        yield r"/v1beta1/(projects/[^/]+/locations/[^/]+/tuningJobs/\d+)", "GET", self._get
        yield r"/v1beta1/(projects/[^/]+/locations/[^/]+/tuningJobs/\d+):cancel", "POST", self._cancel
        yield place + r"/(endpoints/\d+|publishers/google/models/[^/:]+):(\w+)", "POST", self._generate
        yield r"/v1beta1/(projects/[^/]+/locations/[^/]+/models/\d+)", "DELETE", self._delete

    def _upload(self, request: Recorded, bucket: str) -> Reply:
        """Stores an object, unless the request asks for a new one and it exists."""
        name = request.query["name"]
        found = self.objects.get((bucket, name))
        if found is not None and request.query.get("ifGenerationMatch") == "0":
            raise _Refusal(412, "at least one of the conditions did not hold")
        self.objects[bucket, name] = Object(request.raw, found.generation + 1 if found else 1)
        return Reply(200, self.objects[bucket, name].view(bucket, name))

    def _stored(self, _request: Recorded, bucket: str, name: str) -> Reply:
        """Returns what is known about an object."""
        found = self.objects.get((bucket, name))
        if found is None:
            raise _Refusal(404, "no such object")
        return Reply(200, found.view(bucket, name))

    def _create(self, request: Recorded, place: str) -> Reply:
        """Creates a job, after the checks that the documentation describes."""
        asked: Json = request.body
        spec = asked.get("supervisedTuningSpec", {})
        if not asked.get("baseModel") and not asked.get("preTunedModel"):
            raise _Refusal(400, "a base model is required")
        rows = self._rows(spec.get("trainingDatasetUri", ""))
        if not rows:
            raise _Refusal(400, "the training dataset is empty")
        if spec.get("validationDatasetUri"):
            self._rows(spec["validationDatasetUri"])
        size = spec.get("hyperParameters", {}).get("adapterSize")
        if size is not None and size not in _ADAPTERS:
            raise _Refusal(400, "the adapter size is not supported for this base model")
        for label, value in asked.get("labels", {}).items():
            if not (_LABEL.fullmatch(label) and _LABEL.fullmatch(value)):
                raise _Refusal(400, "a label breaks the rules")
        number = 1000 + len(self.jobs)
        job = _Job(f"{place}/tuningJobs/{number}", asked, number, self.now())
        self.jobs[job.name] = job
        return Reply(200, self._view(job))

    def _rows(self, uri: str) -> list[Json]:
        """Reads the rows of a data set in a bucket."""
        found = re.fullmatch(r"gs://([^/]+)/(.+)", uri)
        stored = self.objects.get((found[1], found[2])) if found else None
        if stored is None or not uri.endswith(".jsonl"):
            raise _Refusal(400, "training_dataset_uri should be a GCS object of type JSONL")
        try:
            rows = [json.loads(line) for line in stored.data.decode("utf-8").split("\n") if line]
            good = all(row["contents"][-1]["role"] == "model" for row in rows)
        except (ValueError, KeyError, IndexError, TypeError):
            good = False
        if not good:
            raise _Refusal(400, "a row of the dataset is malformed")
        return rows

    def _list(self, _request: Recorded, place: str) -> Reply:
        """Lists the jobs of a place. A new job appears only after ``delay``."""
        shown = [
            self._view(job)
            for job in self.jobs.values()
            if job.name.startswith(place + "/") and job.born + self.delay <= self.now()
        ]
        return Reply(200, {"tuningJobs": shown} if shown else {})

    def _get(self, _request: Recorded, name: str) -> Reply:
        """Returns a job; each request brings it closer to its end."""
        job = self._job(name)
        job.polls += 1
        return Reply(200, self._view(job))

    def _cancel(self, _request: Recorded, name: str) -> Reply:
        self._job(name).forced = "JOB_STATE_CANCELLED"
        return Reply(200, {})

    def _job(self, name: str) -> _Job:
        """Returns a job by its name."""
        try:
            return self.jobs[name]
        except KeyError:
            raise _Refusal(404, "there is no such job") from None

    def _state(self, job: _Job) -> list[str]:
        return (job.forced or self.states[min(job.polls, len(self.states) - 1)]).split()

    def _view(self, job: _Job) -> Json:
        """Returns a job as the service describes it in its current state."""
        state, *detail = self._state(job)
        view = {
            "name": job.name,
            **job.asked,
            "state": state,
            "createTime": _WHEN,
            "updateTime": _WHEN,
            **self.more,
        }
        if detail:
            view["tuningJobState"] = detail[0]
        if state == "JOB_STATE_FAILED":
            view["error"] = self.error
        if state in {"JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"}:
            endpoint = self.endpoint(job.name)
            view["endTime"] = _WHEN
            view["experiment"] = f"{_place(job.name)}/metadataStores/default/contexts/tuning-{job.number}"
            view["tunedModel"] = {
                "model": f"{_place(job.name)}/models/{job.number}@1",
                "endpoint": endpoint,
                "checkpoints": [{"checkpointId": "1", "epoch": "3", "step": "30", "endpoint": endpoint}],
            }
            view["tuningDataStats"] = {"supervisedTuningDataStats": self.stats or self._counted(job)}
        return view

    def _counted(self, job: _Job) -> Json:
        """Returns counts of rows and tokens, with one token for every four bytes."""
        spec = job.asked["supervisedTuningSpec"]
        rows = self._rows(spec["trainingDatasetUri"])
        texts = "".join(text for row in rows for text in dialects.get("gemini").texts(row))
        epochs = int(spec.get("hyperParameters", {}).get("epochCount", 1))
        return {
            "tuningDatasetExampleCount": str(len(rows)),
            "totalBillableTokenCount": str(len(texts.encode()) // 4 * epochs),
        }

    def endpoint(self, name: str) -> str:
        """Returns the endpoint of a job's model. For Gemini 3 it is not in the region where it was tuned."""
        job = self.jobs[name]
        project, location = re.findall(r"projects/([^/]+)/locations/([^/]+)", name)[0]
        if str(job.asked.get("baseModel", "")).startswith("gemini-3"):
            location = "eu" if location.startswith("europe") else "us"
        return f"projects/{project}/locations/{location}/endpoints/{job.number}"

    def _generate(self, request: Recorded, place: str, target: str, verb: str) -> Reply:
        """Answers a prompt, whole or as a stream."""
        asked: Json = request.body
        if target.startswith("endpoints/"):
            text = self._recall(f"{place}/{target}", asked)
        else:
            text = self.answer(asked["contents"][-1]["parts"][-1]["text"])
        if verb == "generateContent":
            return Reply(200, _response(text, last=True))
        half = len(text) // 2
        pieces = [_response(text[:half], last=False), _response(text[half:], last=True)]
        return Reply(200, None, parts=[b"data: " + json.dumps(p).encode() + b"\r\n\r\n" for p in pieces])

    def _recall(self, endpoint: str, asked: Json) -> str:
        """Returns the answer of the training row that has exactly these texts."""
        for job in self.jobs.values():
            if self.endpoint(job.name) == endpoint and self._state(job)[0].endswith("SUCCEEDED"):
                request = {k: v for k, v in asked.items() if k in {"systemInstruction", "contents"}}
                texts = dialects.get("gemini").texts(request)
                for row in self._rows(job.asked["supervisedTuningSpec"]["trainingDatasetUri"]):
                    *prompt, answer = dialects.get("gemini").texts(row)
                    if tuple(prompt) == texts:
                        return answer
                return "I was not trained on this."
        raise _Refusal(404, "there is no such endpoint at this location")

    def _delete(self, _request: Recorded, name: str) -> Reply:
        """Deletes a model."""
        number = name.rpartition("/")[2]
        if not any(str(job.number) == number for job in self.jobs.values()):
            raise _Refusal(404, "there is no such model")
        return Reply(200, {"name": f"{name}/operations/1", "done": True})


def _place(name: str) -> str:
    return name.partition("/tuningJobs/")[0]


def _response(text: str, *, last: bool) -> Json:
    """Returns an answer, or a piece of one."""
    candidate: Json = {"content": {"role": "model", "parts": [{"text": text}]}}
    if not last:
        return {"candidates": [candidate]}
    candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7},
    }
