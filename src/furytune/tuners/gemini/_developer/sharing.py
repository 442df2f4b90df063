"""Controls who may use a tuned model of the Developer API."""

from __future__ import annotations

from typing import Any

from furytune.errors import ConfigError, ServiceError
from furytune.models.service import Permission, Role
from furytune.tuners.gemini._developer.clients import Clients
from furytune.tuners.gemini._developer.jobs import word_of
from furytune.tuners.gemini._developer.sdk import ask

__all__ = ["permissions", "revoke", "share", "transfer"]

_ROLES = {"writer": 2, "reader": 3}
_KINDS = {"user": 1, "group": 2}
_EVERYONE = 3


def share(clients: Clients, model: str, grantee: str, role: Role) -> Permission:
    """Lets someone use a model; the service refuses a mail address for "everyone".

    Raises:
        ConfigError: The grantee or the role is not valid.
        ServiceError: The service refused, or did not answer.
    """
    kind, _, mail = grantee.partition(":")
    if grantee != "everyone" and (kind not in _KINDS or "@" not in mail):
        raise ConfigError("the grantee must be 'everyone', 'user:MAIL' or 'group:MAIL'")
    if role not in _ROLES:
        raise ConfigError("the role must be 'reader' or 'writer'; use transfer() to change the owner")
    asked = clients.sdk.protos.Permission(grantee_type=_KINDS.get(kind, _EVERYONE), role=_ROLES[role])
    if mail:
        asked.email_address = mail
    create = clients.permissions.create_permission
    try:
        return _read(ask("sharing the model", lambda: create(parent=model, permission=asked, **clients.once)))
    except ServiceError as error:
        if error.code != 409:
            raise
        same = [p for p in permissions(clients, model) if (p.grantee, p.role) == (grantee, role)]
        if not same:
            raise
        return same[0]


def permissions(clients: Clients, model: str) -> tuple[Permission, ...]:
    """Lists who may use a model."""
    listed = clients.permissions.list_permissions
    return ask(
        "asking who may use the model",
        lambda: tuple(map(_read, listed({"parent": model}, **clients.once))),
    )


def revoke(clients: Clients, permission: str) -> None:
    """Revokes a permission."""
    delete = clients.permissions.delete_permission
    ask("revoking the permission", lambda: delete(name=permission, **clients.once))


def transfer(clients: Clients, model: str, mail: str) -> None:
    """Makes someone else the owner."""
    act = clients.permissions.transfer_ownership
    request = {"name": model, "email_address": mail}
    ask("transferring the model", lambda: act(request, **clients.once))


def _read(found: Any) -> Permission:
    """Returns a permission as the tuner's own value."""
    raw = type(found).pb(found)
    kind = word_of(raw, "grantee_type").lower()
    grantee = kind if kind == "everyone" else f"{kind}:{raw.email_address}"
    return Permission(name=raw.name, grantee=grantee, role=word_of(raw, "role").lower())
