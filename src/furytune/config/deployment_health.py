"""Checks what a program that answers needs: contract, model, port, keys. It asks the model's server for its list of models."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from furytune._privacy.printable import one_line, printable
from furytune.answering import AnswerSettings
from furytune.config.deployments import ContractModel, Deployment
from furytune.config.findings import Finding, note, ok, private, problem, writable
from furytune.config.tables import Serve
from furytune.contract import PromptContract
from furytune.errors import ConfigError, FurytuneError
from furytune.models.chat import ChatService
from furytune.models.tuned import TunedModel

__all__ = ["examine_deployment"]

_SECONDS = 5.0
_LIMIT = 1 << 20  # bytes of a list of models
_MAKE = "`furytune serve --new-key` makes one, and keys_file names the file with its hash"


def examine_deployment(deployment: Deployment[Any]) -> Iterator[Finding]:
    """Yields what would keep a program from answering, for the table of any program.

    Args:
        deployment: What its settings file says.
    """
    contract = None
    try:
        contract = PromptContract.load(deployment.contract)
        yield ok("contract to serve", f"{printable(deployment.contract)}: fits this installation")
    except FurytuneError as error:
        yield problem("contract to serve", str(error))
    yield from _model(deployment.model, contract)
    table = deployment.table
    if isinstance(table, AnswerSettings):
        for name, path in (("audit", table.audit), ("feedback", table.feedback)):
            if path is not None:
                yield writable(name, path)
    if isinstance(table, Serve):
        yield from _served(table)


def _served(table: Serve) -> Iterator[Finding]:
    try:
        settings = table.settings()
    except ConfigError as error:
        yield problem("keys", str(error))
    else:
        for path in filter(None, (table.keys_file, table.admin_keys_file)):
            yield private("keys", path)
        if not settings.keys and not table.local:
            yield problem("keys", f"everyone who reaches {table.host} could ask; {_MAKE}")
        elif not settings.keys:
            yield note("keys", f"there are no keys, so everyone on this machine may ask; {_MAKE}")
        else:
            yield ok(
                "keys", f"{len(settings.keys)} for clients, {len(settings.admin_keys)} for /admin/reload"
            )
    yield _port(table.host, table.port)


def _port(host: str, port: int) -> Finding:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.create_server((host, port), family=family):
            return ok("port", f"{host}:{port}: is free")
    except OSError as error:
        if _answers(host, port):
            return ok("port", f"{host}:{port}: a server of furytune answers here already")
        return problem("port", f"{host}:{port}: cannot be used: {error.strerror or 'the address is unknown'}")


def _answers(host: str, port: int) -> bool:
    """Returns True if a server of furytune answers at a port."""
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (all addresses, so this one too)
    try:
        status, body = _get(http.client.HTTPConnection(asked, port, timeout=_SECONDS), "/healthz", {})
    except (OSError, http.client.HTTPException):
        return False
    return status == 200 and b"alive" in body


def _model(model: Any, contract: PromptContract | None) -> Iterator[Finding]:
    if model is None:
        yield note("model", "there is no [model], so only prompts are served")
        return
    if isinstance(model, ContractModel):
        if contract is None:
            return
        try:
            model = model(contract)
        except FurytuneError as error:
            yield problem("model", str(error))
            return
    # Its public face is the service that made it.
    service = model._backend if isinstance(model, TunedModel) else None  # noqa: SLF001
    name = one_line(str(model.spec["name"]))
    if isinstance(service, ChatService):
        yield _chat(service, name)
    else:
        yield note("model", f"{name}: was not asked, because its service may charge for an answer")


def _chat(service: ChatService, name: str) -> Finding:
    """Asks an OpenAI-compatible server for its models, which costs nothing."""
    parts = urlsplit(service.endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    place = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    try:
        headers = (
            {"authorization": f"Bearer {service.api_key.reveal()}"} if service.api_key is not None else {}
        )
        status, body = _get(
            kind(parts.hostname or "", parts.port, timeout=_SECONDS), f"{parts.path}/models", headers
        )
    except ConfigError:
        return problem("model", f"{place}: was not asked, because its key is missing")
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
        return problem(
            "model", f"{place}: does not answer ({reason}); start the model's server, or correct endpoint"
        )
    if status in (401, 403):
        return problem("model", f"{place}: refuses the key ({status}); correct api_key")
    known = _names(body) if status == 200 else None
    if known is None:
        return note("model", f"{place}: answers, but does not list its models ({status})")
    if name not in known and f"{name}:latest" not in known:
        listed = one_line(", ".join(sorted(known)[:10])) or "nothing"
        return problem("model", f"{place}: has no model {name!r}; it has {listed}")
    return ok("model", f"{place}: answers, and has {name}")


def _names(body: bytes) -> set[str] | None:
    try:
        return {str(one["id"]) for one in json.loads(body)["data"]}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_LIMIT)
    finally:
        connection.close()
