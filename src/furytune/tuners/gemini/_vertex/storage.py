"""Uploads files to Cloud Storage with google-auth alone, one request per file.

An object is named by the sha256 of its bytes, and is created only if it does not exist
(``ifGenerationMatch=0``). So an upload that is repeated after a crash changes nothing.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from furytune.errors import ConfigError, ServiceError, TuningError
from furytune.records import DataFile
from furytune.tuners._jobs.rows import check_unchanged
from furytune.tuners.gemini._vertex.sdk import authorized

__all__ = ["Storage", "parse_uri"]

_HOST = "https://storage.googleapis.com"
_TIMEOUT = 600
_HINTS = {
    401: "the credentials were not accepted: run `gcloud auth application-default login`",
    403: "the caller needs roles/storage.objectUser on the bucket",
    404: "check that the bucket exists, and that the caller may see its project",
}


def parse_uri(uri: str) -> tuple[str, str]:
    """Returns the bucket and object name of a ``gs://`` URI.

    Raises:
        ConfigError: It is not the URI of a ``.jsonl`` object, which is all that Vertex takes.
    """
    found = re.fullmatch(r"gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])/(.+\.jsonl)", uri)
    if found is None:
        raise ConfigError(f"{uri!r} is not of the form gs://BUCKET/NAME.jsonl")
    return found[1], found[2]


@frozen(kw_only=True)
class Storage:
    """Cloud Storage, or a server that speaks its JSON API.

    Args:
        credentials: google-auth credentials.
        endpoint: Base address; "" is Google's.
    """

    credentials: Any = field(repr=False)
    endpoint: str = ""

    def upload(self, file: DataFile, bucket: str, prefix: str) -> str:
        """Uploads a file to a bucket, unless it is already there.

        Returns:
            The object's URI.

        Raises:
            TuningError: The file is not the one that the manifest lists, or the object of that name contains
                other bytes.
            ServiceError: The service refused or did not answer.
        """
        md5 = check_unchanged(file)
        # Named by content: the same file is uploaded once, and an object never changes under a running job.
        name = f"{prefix}/{file.sha256}.jsonl" if prefix else f"{file.sha256}.jsonl"
        uri = f"gs://{bucket}/{name}"
        stored = self._md5(bucket, name)
        if not stored:
            with Path(file.path).open("rb") as body:
                answer = self._request(
                    f"uploading to {uri}",
                    "POST",
                    f"/upload/storage/v1/b/{quote(bucket, safe='')}/o",
                    # `ifGenerationMatch=0` means: only if no such object exists.
                    params={"uploadType": "media", "name": name, "ifGenerationMatch": "0"},
                    data=body,
                    headers={"Content-Type": "application/octet-stream"},
                    accept=412,
                )
            # A 412 means that another process uploaded the same object meanwhile: compare what is there now.
            stored = _hex(answer.get("md5Hash")) or self._md5(bucket, name)
        # Compared after an upload too: bytes can change on the way, and another process may have been faster.
        if stored != md5:
            raise TuningError(
                f"{uri} contains other bytes than {file.path}: the file changed while it was read, or someone else wrote "
                "the object; delete the object and run again"
            )
        return uri

    def check(self, file: DataFile, uri: str) -> None:
        """Checks that an object that the user uploaded contains a file's bytes.

        Raises:
            TuningError: The object does not exist, or contains other bytes.
            ServiceError: The service refused or did not answer.
        """
        md5 = check_unchanged(file)
        stored = self._md5(*parse_uri(uri))
        if stored != md5:
            state = "contains other bytes than" if stored else "does not exist, or has no md5 to compare with"
            raise TuningError(f"{uri} {state} {file.path}; upload that file in one piece, and run again")

    def _md5(self, bucket: str, name: str) -> str:
        """Returns an object's md5 as hexadecimal digits, "" if the object does not exist."""
        found = self._request(
            f"looking for gs://{bucket}/{name}",
            "GET",
            f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}",
            accept=404,
        )
        return _hex(found.get("md5Hash"))

    def _request(self, doing: str, verb: str, path: str, *, accept: int, **more: Any) -> dict[str, Any]:
        """Makes one request; if it gets the status in ``accept``, returns {}.

        Args:
            doing: What the request is for, in errors.
            verb: HTTP method.
            path: Path and query.
            accept: A status that is an answer and not an error.
            more: Further arguments of the session.

        Raises:
            ServiceError: The service refused, or did not answer.
        """
        with authorized(doing, _HINTS):
            from google.auth.transport.requests import AuthorizedSession

            make: Any = AuthorizedSession
            with make(self.credentials) as session:
                answer = session.request(
                    verb, (self.endpoint or _HOST) + path, timeout=_TIMEOUT, allow_redirects=False, **more
                )
                if answer.status_code == accept:
                    return {}
                if not 200 <= answer.status_code < 300:
                    code = int(answer.status_code)
                    raise ServiceError(doing, code=code, hint=_HINTS.get(code, ""), said=answer.text[:2000])
                found = answer.json()
        return found if isinstance(found, dict) else {}


def _hex(encoded: object) -> str:
    """Returns a base64 digest as hexadecimal digits."""
    try:
        return base64.b64decode(str(encoded or ""), validate=True).hex()
    except ValueError:
        return ""
