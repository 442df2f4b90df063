"""Tunes with the Gemini Developer API, through google-generativeai."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

from attrs import field, frozen

from furytune._privacy.secret import Secret
from furytune.errors import ConfigError, ServiceError, TuningError, TuningUnavailableError
from furytune.models.service import Call, Permission, Role
from furytune.records import Dataset
from furytune.tuners._jobs.service import Snapshot, Survey, TuningSettings, Uploaded
from furytune.tuners.gemini._developer import asking, sharing
from furytune.tuners.gemini._developer.clients import GOOGLE, Clients, Place, connect, model_name
from furytune.tuners.gemini._developer.jobs import (
    described,
    of_model,
    of_operation,
    unpacked,
)
from furytune.tuners.gemini._developer.limits import DIALECT, examples, survey
from furytune.tuners.gemini._developer.sdk import UnreadableAnswerError, ask, require_sdk

__all__ = ["DeveloperBackend"]

_ABSENT = {404, 501}


def _secret(value: Secret | str) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


@frozen(kw_only=True, slots=False)
class DeveloperBackend:
    """Talks to the Gemini Developer API, or to a compatible server.

    Google's own service has tuned no model since May 2025: `ready` asks it, and raises `TuningUnavailableError`
    before any row is sent. A job of this service is a tuned model that is not ready yet. Its id is made of the
    key, so there can be only one.

    The SDK makes each request once: its own retries and its own waiting are switched off. Its process-wide
    configuration is neither read nor changed. A filter on the loggers below ``google`` removes headers and
    bodies from DEBUG records.

    Args:
        api_key: The key; `Secret.env` reads it from the environment only when it is used.
        endpoint: Scheme, host and port; Google's by default. Without TLS it must be on loopback.
        transport: "rest" or "grpc".
        timeout: Seconds to wait for each answer.

    Raises:
        ConfigError: An argument is malformed.
        MissingExtraError: google-generativeai is not installed.
    """

    api_key: Secret = field(converter=_secret)
    endpoint: str = GOOGLE
    transport: Literal["rest", "grpc"] = "rest"
    timeout: float = 60.0

    def __attrs_post_init__(self) -> None:
        Place.of(self.endpoint)
        if self.transport not in {"rest", "grpc"}:
            raise ConfigError(f"`transport=` must be 'rest' or 'grpc', not {self.transport!r}")
        if not self.timeout > 0:
            raise ConfigError("`timeout=` must be a number of seconds above 0")
        require_sdk()

    @property
    def name(self) -> str:
        """The backend's name, "developer"."""
        return "developer"

    @property
    def dialect(self) -> str:
        """The dialect of rows and requests, "gemini-developer"."""
        return DIALECT

    @property
    def place(self) -> str:
        """Host and port of the service."""
        return Place.of(self.endpoint).host

    @property
    def settle(self) -> float:
        """Seconds until a lost job is visible; 0, because the service makes no second job under the same id."""
        return 0.0

    @cached_property
    def _clients(self) -> Clients:
        return connect(self.api_key, Place.of(self.endpoint), self.transport, self.timeout)

    def survey(self, dataset: Dataset, settings: TuningSettings) -> Survey:
        """Checks rows and settings against the documented limits; sends nothing.

        Raises:
            TuningError: A file is not the one that the manifest lists.
        """
        return survey(dataset, settings)

    def ready(self, settings: TuningSettings) -> None:
        """Asks the service whether the model can be tuned.

        Raises:
            TuningUnavailableError: It cannot; on Google's service today, no model can.
            ServiceError: The service refused, or did not answer.
        """
        models = ask(
            "asking which models can be tuned",
            lambda: list(self._clients.models.list_models(page_size=50, **self._clients.once)),
        )
        able = sorted(m.name for m in models if "createTunedModel" in m.supported_generation_methods)
        if not able:
            raise TuningUnavailableError(
                f"none of the {len(models)} models of {self.place} can be tuned: Google ended tuning in the Gemini Developer "
                "API in May 2025, when it retired Gemini 1.5 Flash-001, and has no immediate plans to bring it back "
                "(ai.google.dev/gemini-api/docs/model-tuning, googleapis/python-genai#969). Nothing was sent. Tune on Vertex AI "
                "instead: replace the API key with `project=` and `bucket=`, and export with dialect='gemini'. Vertex AI bills "
                "for training tokens; see the estimate first"
            )
        if model_name(settings.model) not in able:
            raise TuningUnavailableError(
                f"{model_name(settings.model)} cannot be tuned at {self.place}; these can: {', '.join(able)}"
            )

    def upload(self, dataset: Dataset) -> Uploaded:  # noqa: ARG002
        """Does nothing, because the rows are sent inside the request that creates the job."""
        return Uploaded()

    def submit(self, dataset: Dataset, uploaded: Uploaded, settings: TuningSettings, key: str) -> str:  # noqa: ARG002
        """Creates the tuned model under an id made of the key, with one request.

        Returns:
            Its name. If the service says that the model exists already, an earlier request created it.

        Raises:
            TuningError: A file was changed since its export.
            ServiceError: The service refused, or did not answer.
        """
        # All rows travel in one request, which the service limits to 4 MiB, so they fit into memory.
        rows = [{"text_input": row.text, "output": row.output} for row in examples(dataset)]
        name = _tuned(key)
        try:
            ask(
                "creating the tuned model",
                lambda: self._clients.sdk.create_tuned_model(
                    model_name(settings.model),
                    rows,
                    id=name.removeprefix("tunedModels/"),
                    display_name=settings.display_name or None,
                    description=described(dataset.fingerprint),
                    epoch_count=settings.epochs,
                    batch_size=settings.batch_size,
                    learning_rate=settings.learning_rate,
                    client=self._clients.models,
                    request_options=self._clients.once,
                ),
            )
        except ServiceError as error:
            # The id is made of the key, so a conflict means that an earlier request got through.
            if error.code != 409 or error.status not in {"", "ALREADY_EXISTS"}:
                raise
            self._see_it_is_ours(name)
        return name

    def _see_it_is_ours(self, name: str) -> None:
        """Checks that this key may see a model that exists already."""
        try:
            self._get(name, "asking for the tuned model that exists already")
        except ServiceError as error:
            # The id is taken, so the model exists and will be visible later; only a refused key matters now.
            if error.code in {401, 403}:
                raise

    def find(self, key: str) -> tuple[str, ...]:
        """Returns the name of the job under a key, if the service has it."""
        name = _tuned(key)
        try:
            self._get(name, "asking for the tuned model")
        except ServiceError as error:
            # The service may answer 403 for an id that does not exist; the request that creates it will tell.
            if error.code in {403, 404}:
                return ()
            raise
        return (name,)

    def _get(self, name: str, doing: str) -> Any:
        """Returns a tuned model, after checking that the answer is about it."""
        found = ask(doing, lambda: self._clients.models.get_tuned_model(name=name, **self._clients.once))
        # An answer about another model must not count as proof that this job exists.
        if found.name != name:
            raise UnreadableAnswerError(doing, "it describes no model, or another one")
        return found

    def snapshot(self, name: str) -> Snapshot:
        """Asks once for a job's operation or, if that is gone, for the tuned model itself.

        Args:
            name: The name from `submit` or `find`.
        """
        operation = self._operation(name)
        if operation is None:
            return of_model(self._get(name, "asking for the tuned model"))
        glm = self._clients.sdk.protos
        metadata = unpacked(operation.metadata, glm.CreateTunedModelMetadata)
        model = unpacked(operation.response, glm.TunedModel)
        # A finished operation should contain its model; if it does not, or in another form, ask for the model.
        if operation.done and model is None and not operation.HasField("error"):
            model = self._get(name, "asking for the tuned model")
        return of_operation(operation, metadata, model)

    def _operation(self, name: str) -> Any:
        """Returns the newest operation of a tuned model; None if there is none, or it cannot be read."""
        try:
            found = ask(
                "asking for the job",
                lambda: list(self._clients.operations.list_operations(name, "", **self._clients.once)),
            )
        except UnreadableAnswerError:
            # Over REST the SDK's reader of operations refuses fields it does not know.
            return None
        except ServiceError as error:
            if error.code not in _ABSENT:
                raise
            return None
        # The list begins with the oldest operation.
        return found[-1] if found else None

    def cancel(self, name: str) -> None:
        """Asks the service to stop a job.

        Raises:
            TuningError: The service cannot stop jobs; the message says what to do instead.
            ServiceError: The service refused, or did not answer.
        """
        operation = self._operation(name)
        if operation is not None:
            cancel = self._clients.operations.cancel_operation
            try:
                ask("cancelling the job", lambda: cancel(operation.name, **self._clients.once))
            except ServiceError as error:
                if error.code not in _ABSENT:
                    raise
            else:
                return
        raise TuningError(f"the service cannot cancel jobs; delete the model {name} instead")

    def generate(self, call: Call) -> str:
        """Returns the model's text.

        Raises:
            NoTextError: The model gave no text.
            TuningError: The SDK cannot send the request.
            ServiceError: The service refused, or did not answer.
        """
        return asking.generate(self._clients, call)

    def stream(self, call: Call) -> Iterator[str]:
        """Yields the model's text in pieces; errors as in `generate`."""
        return asking.stream(self._clients, call)

    @property
    def access(self) -> str:
        """A sentence that says that each model has a list of permissions."""
        return "the Developer API keeps a list of permissions for each model: use share()"

    def share(self, model: str, grantee: str, role: Role) -> Permission:
        """Lets someone use a tuned model; sharing twice does no harm.

        Args:
            model: The tuned model.
            grantee: "everyone", "user:MAIL" or "group:MAIL".
            role: "reader" may ask it, "writer" may change and share it.

        Raises:
            ConfigError: The grantee or the role is not valid.
            ServiceError: The service refused, or did not answer.
        """
        return sharing.share(self._clients, model, grantee, role)

    def permissions(self, model: str) -> tuple[Permission, ...]:
        """Lists who may use a tuned model."""
        return sharing.permissions(self._clients, model)

    def revoke(self, permission: str) -> None:
        """Revokes a permission, by the name that `permissions` shows."""
        sharing.revoke(self._clients, permission)

    def transfer(self, model: str, mail: str) -> None:
        """Makes someone else the owner; this key remains a writer."""
        sharing.transfer(self._clients, model, mail)

    def delete(self, model: str, endpoint: str) -> None:  # noqa: ARG002
        """Deletes a tuned model, for everyone it was shared with."""
        delete = self._clients.models.delete_tuned_model
        ask("deleting the model", lambda: delete(name=model, **self._clients.once))

    def tuned_models(self) -> tuple[str, ...]:
        """Lists the names of the tuned models that the key may see, including those from before May 2025."""
        listed = self._clients.models.list_tuned_models
        return ask(
            "listing the tuned models",
            lambda: tuple(m.name for m in listed(page_size=50, **self._clients.once)),
        )


def _tuned(key: str) -> str:
    """Returns the name of a key's tuned model. Its id has 40 characters, the most the service takes."""
    return f"tunedModels/furytune{key}"
