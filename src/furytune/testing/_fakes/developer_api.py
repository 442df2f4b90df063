"""The Gemini Developer API as it was while it could tune, in memory; `FakeDeveloperApi` serves it.

Rules and answers follow Google's reference (ai.google.dev/api/tuning and .../permissions).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from attrs import define, field

from furytune.testing._fakes.loopback import Recorded, Reply

__all__ = ["DeveloperService"]

_TYPES = "type.googleapis.com/google.ai.generativelanguage.v1beta."
_ID = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_STATES = {"CREATING": 1, "ACTIVE": 2, "FAILED": 3}
_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
}
_WHEN = "2025-01-01T00:00:00.123456Z"

Json = dict[str, Any]


class _Refusal(Exception):  # noqa: N818  (an answer, not a fault)
    """A refusal, with the answer that the service sends."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(code, {"error": {"code": code, "status": _STATUS[code], "message": message}})


@define
class _Tuned:
    """A tuned model, its job and its permissions.

    Attributes:
        name: Resource name.
        owner: API key of the owner.
        asked: The request that created it, with its rows.
        steps: Steps that the training takes.
        hidden: Requests for which it does not seem to exist yet.
        polls: How often its state was asked for.
        operation: Name of its job.
        failure: Why it fails at the end, "" if it does not.
        permissions: Permissions by the last part of their names.
        writers: Keys that may change it.
    """

    name: str
    owner: str = field(repr=False)
    asked: Json = field(repr=False)
    steps: int
    hidden: int
    polls: int = 0
    operation: str = ""
    failure: str = ""
    permissions: dict[str, Json] = field(factory=dict)
    writers: set[str] = field(factory=set, repr=False)

    @property
    def examples(self) -> list[Json]:
        """The rows that the model was trained on."""
        found: list[Json] = self.asked["tuningTask"]["trainingData"]["examples"]["examples"]
        return found


@define
class DeveloperService:
    """Answers requests as the service did.

    Args:
        tunable: Models that can be tuned; by default none, as today.
        polls: Requests for the job until it ends.
        failure: Message that every job fails with; "" for success.
        hidden: How many requests for a new model get a 404, as if it had not reached all servers yet.
        hyperparameters: Extra hyperparameters in the answers; "learningRateMultiplier" replaces "learningRate".
        state: A state to report instead of the true one while a job runs.
        answer: Returns a base model's answer to a text.
    """

    tunable: tuple[str, ...] = ()
    polls: int = 4
    failure: str = ""
    hidden: int = 0
    hyperparameters: Mapping[str, Any] = field(factory=dict)
    state: int | None = None
    answer: Callable[[str], str] = field(default=lambda _: "I was not tuned for that.")
    tuned: dict[str, _Tuned] = field(factory=dict, init=False, repr=False)
    created: int = field(default=0, init=False)

    def __call__(self, request: Recorded) -> Reply:
        """Answers one request."""
        key = request.headers.get("x-goog-api-key", "")
        for pattern, act in _ROUTES if key else ():
            if found := re.fullmatch(pattern, request.line):
                try:
                    return act(self, request, key, *found.groups())
                except _Refusal as refusal:
                    return refusal.reply
        if key:
            return _Refusal(404, f"Unknown route {request.line}.").reply
        return _Refusal(403, "Method doesn't allow unregistered callers.").reply

    def models(self, request: Recorded, _key: str) -> Reply:
        """Lists base models; only those in ``tunable`` can be tuned."""
        names = dict.fromkeys((*self.tunable, "models/gemini-3.1-flash-lite", "models/embedding-001"))
        return _page("models", [self._base(name) for name in names], request)

    def model(self, _request: Recorded, _key: str, name: str) -> Reply:
        return Reply(200, self._base(name))

    def _base(self, name: str) -> Json:
        """Returns a base model as the service describes it."""
        methods = ["embedContent"] if "embedding" in name else ["generateContent", "countTokens"]
        if name in self.tunable:
            methods.append("createTunedModel")
        return {
            "name": name,
            "version": "001",
            "displayName": name.removeprefix("models/"),
            "inputTokenLimit": 1_000_000,
            "outputTokenLimit": 8192,
            "supportedGenerationMethods": methods,
        }

    def create(self, request: Recorded, key: str) -> Reply:
        """Starts a job. As with the real service, a model exists as soon as its job does."""
        body, name = deepcopy(request.body), request.query.get("tunedModelId", f"auto-{self.created}")
        if not isinstance(body, dict):
            raise _Refusal(400, "Invalid JSON payload received.")
        self._check(body, name, len(request.raw))
        if name in self.tuned:
            raise _Refusal(409, f"Tuned model tunedModels/{name} already exists.")
        asked = body["tuningTask"].setdefault("hyperparameters", {})
        for word, value in (("epochCount", 5), ("batchSize", 4), ("learningRate", 0.001)):
            asked.setdefault(word, value)
        rows = len(body["tuningTask"]["trainingData"]["examples"]["examples"])
        # Counted even if the client never gets the answer: tests count jobs here, not answers.
        self.created += 1
        self.tuned[name] = _Tuned(
            name=f"tunedModels/{name}",
            owner=key,
            asked=body,
            steps=math.ceil(rows / asked["batchSize"]) * asked["epochCount"],
            hidden=self.hidden,
            operation=f"tunedModels/{name}/operations/{name[:8]}-{self.created}",
            failure=self.failure,
        )
        return Reply(200, self._operation(self.tuned[name]))

    def _check(self, body: Json, name: str, size: int) -> None:
        """Refuses what the documentation says is refused."""
        base = body.get("baseModel", "")
        if base not in self.tunable:
            raise _Refusal(
                404,
                f"{base} is not found for API version v1beta, or is not supported for createTunedModel. "
                "Call ListModels to see the list of available models and their supported methods.",
            )
        rows = body.get("tuningTask", {}).get("trainingData", {}).get("examples", {}).get("examples", [])
        wrong = next(
            (
                text
                for broken, text in (
                    (not _ID.fullmatch(name), "Invalid tuned model id."),
                    (len(body.get("displayName", "")) > 40, "displayName is longer than 40 characters."),
                    (len(rows) < 20, "At least 20 examples are needed."),
                    (size > 4 << 20, "Request payload size exceeds the limit: 4194304 bytes."),
                    (any(len(r.get("textInput", "")) > 40_000 for r in rows), "An input is too long."),
                    (any(len(r.get("output", "")) > 5_000 for r in rows), "An output is too long."),
                    (any(not r.get("textInput") or not r.get("output") for r in rows), "A text is empty."),
                )
                if broken
            ),
            None,
        )
        if wrong:
            raise _Refusal(400, wrong)

    def _find(self, name: str, key: str, *, read: bool = False) -> _Tuned:
        """Returns a model if a key may see it.

        The real service hid a new model for a while, which ``hidden`` imitates: so many requests of its
        owner get a 404.
        """
        found = self.tuned.get(name)
        if found is None or (found.hidden and key == found.owner):
            if found is not None:
                found.hidden -= 1
            raise _Refusal(404, f"Tuned model tunedModels/{name} does not exist.")
        everyone = any(p["granteeType"] == 3 for p in found.permissions.values())
        if key != found.owner and key not in found.writers and not (read and everyone):
            raise _Refusal(403, f"You do not have permission to access tunedModels/{name}.")
        return found

    def tuned_models(self, request: Recorded, key: str) -> Reply:
        mine = [self._public(m) for m in self.tuned.values() if m.owner == key and not m.hidden]
        return _page("tunedModels", mine, request)

    def tuned_model(self, _request: Recorded, key: str, name: str) -> Reply:
        """Returns a model, with its state as of this poll."""
        found = self._find(name, key, read=True)
        found.polls += 1
        return Reply(200, self._public(found))

    def update(self, request: Recorded, key: str, name: str) -> Reply:
        """Changes the fields that a mask names."""
        found = self._find(name, key)
        for path in request.query.get("updateMask", "").split(","):
            word = re.sub(r"_(\w)", lambda m: m[1].upper(), path)
            found.asked[word] = request.body[word]
        return Reply(200, self._public(found))

    def delete(self, _request: Recorded, key: str, name: str) -> Reply:
        """Deletes a model."""
        self._find(name, key)
        del self.tuned[name]
        return Reply(200, {})

    def operation(self, _request: Recorded, key: str, name: str, _last: str) -> Reply:
        """Returns a job; each request brings it closer to its end."""
        found = self._find(name, key)
        if not found.operation.endswith(f"/{_last}"):
            raise _Refusal(404, "Operation not found.")
        found.polls += 1
        return Reply(200, self._operation(found))

    def operations(self, request: Recorded, key: str, name: str) -> Reply:
        """Lists the jobs of a model."""
        found = self._find(name, key)
        found.polls += 1
        return _page("operations", [self._operation(found)], request)

    def _ended(self, tuned: _Tuned) -> bool:
        return tuned.polls >= self.polls

    def _snapshots(self, tuned: _Tuned) -> list[Json]:
        """Returns the loss curve up to now."""
        count = min(tuned.polls, self.polls)
        epochs = tuned.asked["tuningTask"]["hyperparameters"]["epochCount"]
        return [
            {
                "step": max(1, tuned.steps * n // self.polls),
                "epoch": math.ceil(epochs * n / self.polls),
                "meanLoss": 4 / (n + 1),
                "computeTime": _WHEN,
            }
            for n in range(1, count + 1)
        ]

    def _operation(self, tuned: _Tuned) -> Json:
        """Returns a job as the service describes it, with its model once it has ended."""
        done = min(tuned.polls, self.polls)
        operation: Json = {
            "name": tuned.operation,
            "metadata": {
                "@type": _TYPES + "CreateTunedModelMetadata",
                "tunedModel": tuned.name,
                "totalSteps": tuned.steps,
                "completedSteps": tuned.steps * done // self.polls,
                "completedPercent": 100 * done / self.polls,
                "snapshots": self._snapshots(tuned),
            },
        }
        if not self._ended(tuned):
            return operation
        if tuned.failure:
            return {**operation, "done": True, "error": {"code": 3, "message": tuned.failure}}
        return {
            **operation,
            "done": True,
            "response": {"@type": _TYPES + "TunedModel", **self._public(tuned)},
        }

    def _public(self, tuned: _Tuned) -> Json:
        """Returns the model as the service shows it: without its training data."""
        task = {k: v for k, v in tuned.asked["tuningTask"].items() if k != "trainingData"}
        # The real service answered with values of its own.
        task["hyperparameters"] = {**task["hyperparameters"], **self.hyperparameters}
        if "learningRateMultiplier" in self.hyperparameters:
            del task["hyperparameters"]["learningRate"]
        task |= {"startTime": _WHEN, "snapshots": self._snapshots(tuned)}
        state: int = _STATES["CREATING"] if self.state is None else self.state
        if self._ended(tuned):
            state = _STATES["FAILED" if tuned.failure else "ACTIVE"]
            task["completeTime"] = _WHEN
        shown = {k: v for k, v in tuned.asked.items() if k != "tuningTask"}
        times = {"createTime": _WHEN, "updateTime": _WHEN}
        return {"name": tuned.name, **shown, **times, "state": state, "tuningTask": task}

    def permit(self, request: Recorded, key: str, name: str) -> Reply:
        """Grants a permission; one for each grantee."""
        found = self._find(name, key)
        body = request.body or {}
        kind, role, mail = body.get("granteeType", 0), body.get("role", 0), body.get("emailAddress", "")
        if kind not in {1, 2, 3} or role not in {2, 3}:
            raise _Refusal(400, "granteeType and role must be given; an owner is made by transferOwnership.")
        if bool(mail) == (kind == 3):
            raise _Refusal(400, "emailAddress must be set for a user or group, and not for everyone.")
        last = "everyone" if kind == 3 else f"{'user' if kind == 1 else 'group'}-{len(found.permissions)}"
        if any(
            (p["granteeType"], p.get("emailAddress", "")) == (kind, mail) for p in found.permissions.values()
        ):
            raise _Refusal(409, "A permission for this grantee already exists.")
        permission = {"name": f"{found.name}/permissions/{last}", **body}
        found.permissions[last] = permission
        return Reply(200, permission)

    def permissions(self, request: Recorded, key: str, name: str) -> Reply:
        return _page("permissions", list(self._find(name, key).permissions.values()), request)

    def revoke(self, _request: Recorded, key: str, name: str, last: str) -> Reply:
        """Revokes a permission."""
        if self._find(name, key).permissions.pop(last, None) is None:
            raise _Refusal(404, "Permission not found.")
        return Reply(200, {})

    def transfer(self, request: Recorded, key: str, name: str) -> Reply:
        """Makes someone else the owner; the old one remains a writer."""
        found = self._find(name, key)
        mail = (request.body or {}).get("emailAddress", "")
        if not mail:
            raise _Refusal(400, "emailAddress is needed.")
        found.writers.add(found.owner)
        found.owner = mail
        return Reply(200, {})

    def generate(self, request: Recorded, key: str, kind: str, name: str, verb: str) -> Reply:
        """Answers a prompt: a tuned model with the answer of the row that has this prompt."""
        text = "".join(p.get("text", "") for c in request.body["contents"] for p in c["parts"])
        if kind == "tunedModels":
            found = self._find(name, key, read=True)
            base = found.asked["baseModel"]
            if base not in self.tunable or not self._ended(found) or found.failure:
                raise _Refusal(404, f"tunedModels/{name} is not found, or is not supported for {verb}.")
            said = next((r["output"] for r in found.examples if r["textInput"] == text), None)
            answer = "I learnt nothing like that." if said is None else said
        else:
            answer = self.answer(text)
        if verb == "generateContent":
            return Reply(200, _said(answer, end=True))
        # Two pieces are enough to show whether a client joins them.
        half = len(answer) // 2
        pieces = (
            [_said(answer[:half], end=False), _said(answer[half:], end=True)]
            if half
            else [_said(answer, end=True)]
        )
        return Reply(200, None, _array(pieces))


def _said(text: str, *, end: bool) -> Json:
    """Returns an answer, or a piece of one."""
    candidate: Json = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if end:
        candidate["finishReason"] = 1
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 7}}


def _array(items: Sequence[Json]) -> Iterator[bytes]:
    """Yields the pieces of a JSON array, as the service streams over REST."""
    for n, item in enumerate(items):
        yield (b"," if n else b"[") + json.dumps(item).encode()
    yield b"]"


def _page(word: str, items: list[Json], request: Recorded) -> Reply:
    """Returns one page of a list, and the token of the next one."""
    start = int(request.query.get("pageToken") or 0)
    end = start + int(request.query.get("pageSize") or 50)
    page: Json = {word: items[start:end]}
    if end < len(items):
        page["nextPageToken"] = str(end)
    return Reply(200, page)


_ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    (r"GET /v1beta/models", DeveloperService.models),
    (r"GET /v1beta/(models/[^/:]+)", DeveloperService.model),
    (r"POST /v1beta/tunedModels", DeveloperService.create),
    (r"GET /v1beta/tunedModels", DeveloperService.tuned_models),
    (r"GET /v1beta/tunedModels/([^/:]+)", DeveloperService.tuned_model),
    (r"PATCH /v1beta/tunedModels/([^/:]+)", DeveloperService.update),
    (r"DELETE /v1beta/tunedModels/([^/:]+)", DeveloperService.delete),
    (r"GET /v1beta/tunedModels/([^/:]+)/operations/([^/:]+)", DeveloperService.operation),
    (r"GET /v1beta/tunedModels/([^/:]+)/operations", DeveloperService.operations),
    (r"POST /v1beta/tunedModels/([^/:]+)/permissions", DeveloperService.permit),
    (r"GET /v1beta/tunedModels/([^/:]+)/permissions", DeveloperService.permissions),
    (r"DELETE /v1beta/tunedModels/([^/:]+)/permissions/([^/:]+)", DeveloperService.revoke),
    (r"POST /v1beta/tunedModels/([^/:]+):transferOwnership", DeveloperService.transfer),
    (
        r"POST /v1beta/(models|tunedModels)/([^/:]+):(generateContent|streamGenerateContent)",
        DeveloperService.generate,
    ),
)
