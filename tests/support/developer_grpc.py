"""The Developer API's service on loopback behind real gRPC: each call becomes the REST request it stands for."""

from __future__ import annotations

import json
from concurrent import futures

import google.ai.generativelanguage as glm
import grpc
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2, json_format

from furytune.testing._fakes.developer_api import DeveloperService
from furytune.testing.fake_developer_api import Recorded

_CODES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}
_STATUS = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
_V1 = "google.ai.generativelanguage.v1beta"


class GrpcApi:
    """Serves `DeveloperService` over gRPC, without TLS unless a private key and a certificate are given.

    Attributes:
        calls: Name of each method that was called.
        metadata: What came with each call.
        faults: HTTP status to refuse a method's next calls with, by its name.
    """

    def __init__(self, *, tls=None, **service):
        self.service = DeveloperService(**service)
        self.calls: list[str] = []
        self.metadata: list[dict[str, str]] = []
        self.faults: dict[str, list[int]] = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers(tuple(self._handlers()))
        self.tls = tls
        if tls:
            self.port = self._server.add_secure_port("localhost:0", grpc.ssl_server_credentials([tls]))
        else:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def url(self):
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.stop(None).wait()

    def _handlers(self):
        def get(request):
            return ("GET", request["name"], {}, None)

        def page(path):
            return lambda request: (
                "GET",
                path.format(**request),
                {k: str(request[k]) for k in ("pageSize", "pageToken") if k in request},
                None,
            )

        def create(request):
            return ("POST", "tunedModels", {"tunedModelId": request["tunedModelId"]}, request["tunedModel"])

        def generate(request):
            return ("POST", f"{request['model']}:generateContent", {}, request)

        def permit(request):
            return ("POST", f"{request['parent']}/permissions", {}, request["permission"])

        operation = operations_pb2
        services = {
            f"{_V1}.ModelService": {
                "ListModels": (glm.ListModelsRequest, glm.ListModelsResponse, page("models")),
                "CreateTunedModel": (glm.CreateTunedModelRequest, operation.Operation, create),
                "GetTunedModel": (glm.GetTunedModelRequest, glm.TunedModel, get),
                "ListTunedModels": (
                    glm.ListTunedModelsRequest,
                    glm.ListTunedModelsResponse,
                    page("tunedModels"),
                ),
                "DeleteTunedModel": (
                    glm.DeleteTunedModelRequest,
                    empty_pb2.Empty,
                    lambda r: ("DELETE", r["name"], {}, None),
                ),
            },
            f"{_V1}.PermissionService": {
                "CreatePermission": (glm.CreatePermissionRequest, glm.Permission, permit),
                "ListPermissions": (
                    glm.ListPermissionsRequest,
                    glm.ListPermissionsResponse,
                    page("{parent}/permissions"),
                ),
            },
            f"{_V1}.GenerativeService": {
                "GenerateContent": (glm.GenerateContentRequest, glm.GenerateContentResponse, generate),
                "StreamGenerateContent": (glm.GenerateContentRequest, glm.GenerateContentResponse, generate),
            },
            "google.longrunning.Operations": {
                "ListOperations": (
                    operation.ListOperationsRequest,
                    operation.ListOperationsResponse,
                    page("{name}/operations"),
                ),
            },
        }
        for service, methods in services.items():
            yield grpc.method_handlers_generic_handler(
                service, {name: self._method(name, *kinds) for name, kinds in methods.items()}
            )

    def _method(self, name, asked, answered, route):
        def act(request, context):
            self.calls.append(name)
            self.metadata.append(dict(context.invocation_metadata()))
            if statuses := self.faults.get(name):
                context.abort(grpc.StatusCode[_STATUS[statuses.pop(0)]], "a fault was asked for")
            method, path, query, body = route(_as_json(asked, request))
            key = self.metadata[-1].get("x-goog-api-key", "")
            raw = json.dumps(body).encode()
            reply = self.service(
                Recorded(
                    method=method,
                    path=f"/v1beta/{path}",
                    query=query,
                    headers={"x-goog-api-key": key},
                    raw=raw,
                    body=body,
                )
            )
            if reply.status != 200:
                context.abort(grpc.StatusCode[_CODES[reply.status]], reply.body["error"]["message"])
            return _of_json(answered, reply.body)

        def stream(request, context):
            yield act(request, context)

        reads = asked.deserialize if hasattr(asked, "deserialize") else asked.FromString
        writes = (
            answered.serialize
            if hasattr(answered, "serialize")
            else lambda message: message.SerializeToString()
        )
        if name.startswith("Stream"):
            return grpc.unary_stream_rpc_method_handler(stream, reads, writes)
        return grpc.unary_unary_rpc_method_handler(act, reads, writes)


def _as_json(kind, message):
    raw = kind.pb(message) if hasattr(kind, "pb") else message
    return json_format.MessageToDict(raw, use_integers_for_enums=True)


def _of_json(kind, body):
    if hasattr(kind, "from_json"):
        return kind.from_json(json.dumps(body), ignore_unknown_fields=True)
    return json_format.ParseDict(body, kind(), ignore_unknown_fields=True)
