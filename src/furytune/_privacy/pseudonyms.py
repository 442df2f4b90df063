"""Keyed pseudonyms. The same key gives a person the same pseudonym; without the key, no one can tell who it is."""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import secrets

from furytune.errors import ConfigError

__all__ = ["ENVIRONMENT", "Pseudonyms"]

ENVIRONMENT = "FURYTUNE_AUTHOR_KEY"
"""Environment variable with the default key."""


@functools.cache
def _process_key() -> bytes:
    return secrets.token_bytes(32)


# A dict with `__missing__` computes each pseudonym once; after that, a look-up costs no Python call.
class Pseudonyms(dict[str, str]):
    """Maps a platform's user id to a pseudonym: 32 hex digits of HMAC-SHA256.

    Args:
        key: Secret key. None takes the key from the environment, or else a random key for this process.

    Raises:
        ConfigError: The key is empty.
    """

    def __init__(self, key: bytes | None = None) -> None:
        super().__init__()
        if key is None and ENVIRONMENT in os.environ:
            key = os.environ[ENVIRONMENT].encode()
        elif key is None:
            key = _process_key()
        # An empty key would make the pseudonyms a plain hash, which anyone can compute for all ids.
        if not key:
            raise ConfigError(f"the author key is empty; pass some bytes, or unset {ENVIRONMENT}")
        self._key = key

    def __missing__(self, user: str) -> str:
        found = hmac.new(self._key, user.encode(), hashlib.sha256).hexdigest()[:32]
        self[user] = found
        return found

    def __repr__(self) -> str:
        return f"<Pseudonyms of {len(self)} people>"
