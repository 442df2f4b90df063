"""Checks the address that requests go to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from furytune.errors import ConfigError

__all__ = ["checked_endpoint"]


def checked_endpoint(endpoint: str) -> str:
    """Returns an endpoint without its trailing slash. "" means the service's own and stays "".

    Raises:
        ConfigError: It is not an address, contains a user name, or would send a credential over a network
            unencrypted.
    """
    if not isinstance(endpoint, str):
        raise ConfigError(
            f'endpoint must be a string, or "" for the service itself, not a {type(endpoint).__name__}'
        )
    if not endpoint:
        return ""
    # The messages below never repeat the address, because it may contain a password.
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("endpoint must be an address such as https://example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "endpoint must contain only scheme, host and path; pass credentials in their own arguments"
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ConfigError(
            "endpoint must begin with https://, because others could read the key over plain http"
        )
    return endpoint.rstrip("/")


def _is_loopback(host: str) -> bool:
    """Returns True for this machine itself, where no one else can listen."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
