"""Where requests may go."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from furytune.errors import ConfigError

__all__ = ["checked_endpoint"]


def checked_endpoint(endpoint: str) -> str:
    """Returns an endpoint without its trailing slash; "" stays "", the service's own.

    Raises:
        ConfigError: It is no address, holds a user name, or would carry a credential over a network in the
            clear.
    """
    if not isinstance(endpoint, str):
        raise ConfigError(f'endpoint is a text, "" for the service itself, not a {type(endpoint).__name__}')
    if not endpoint:
        return ""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("endpoint must be an address such as https://example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "endpoint must be scheme, host and path only; credentials have arguments of their own"
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ConfigError(
            "endpoint must begin with https://: over plain http the key could be read on the way"
        )
    return endpoint.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
