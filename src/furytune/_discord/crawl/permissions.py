"""Computes what a bot may do in a channel, by the algorithm that Discord publishes.

The source is discord-api-docs, ``topics/permissions``: "Permission Overwrites", "Implicit Permissions" and "Inherited
Permissions (Threads)". The API cannot be asked: without Read Message History, it shows an empty channel instead of
refusing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

__all__ = ["CONNECT", "MANAGE_THREADS", "READ_HISTORY", "VIEW", "Permissions", "needed"]

_ADMINISTRATOR = 1 << 3
VIEW = 1 << 10
READ_HISTORY = 1 << 16
CONNECT = 1 << 20
MANAGE_THREADS = 1 << 34
_ALL = ~0
_NAMES = {
    VIEW: "View Channel",
    READ_HISTORY: "Read Message History",
    CONNECT: "Connect",
    MANAGE_THREADS: "Manage Threads",
}


@frozen
class Permissions:
    """The permissions of one member of a server.

    Args:
        guild: The server's id, which is also the id of the role @everyone.
        member: The member's id.
        roles: Ids of the member's roles.
        base: Bits that apply unless a channel overwrites them; all bits for the owner and administrators.
    """

    guild: str
    member: str
    roles: frozenset[str]
    base: int

    @classmethod
    def of(cls, guild: Mapping[str, Any], member: Mapping[str, Any]) -> Permissions:
        """Returns the permissions of a member.

        Args:
            guild: The server as the API returns it, with its roles.
            member: The member as the API returns it.
        """
        number, who = str(guild["id"]), str(member["user"]["id"])
        roles = frozenset(map(str, member.get("roles", ())))
        bits = 0
        for role in guild.get("roles", ()):
            # The role @everyone has the id of the server.
            if role["id"] == number or role["id"] in roles:
                bits |= int(role["permissions"])
        # Both ignore all overwrites of channels.
        if bits & _ADMINISTRATOR or guild.get("owner_id") == who:
            bits = _ALL
        return cls(number, who, roles, bits)

    def within(self, channel: Mapping[str, Any]) -> int:
        """Returns the bits that apply in a channel and its threads; without View Channel, no other bit counts."""
        if self.base == _ALL:
            return _ALL
        written = {entry["id"]: entry for entry in channel.get("permission_overwrites") or ()}
        bits = self.base
        # The order matters: everyone, all roles together, the member; and in each step, denials before grants.
        for ids in ({self.guild}, self.roles, {self.member}):
            found = [written[number] for number in sorted(ids & written.keys())]
            for entry in found:
                bits &= ~int(entry["deny"])
            for entry in found:
                bits |= int(entry["allow"])
        return bits


def needed(bits: int, wanted: Iterable[int]) -> str:
    """Returns which permissions are missing, as Discord names them: "needs View Channel", or "" for none."""
    names = [_NAMES[bit] for bit in wanted if not bits & bit]
    return f"needs {' and '.join(names)}" if names else ""
