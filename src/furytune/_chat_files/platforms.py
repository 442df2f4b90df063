"""Finds out which platform an export is from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from attrs import frozen

from furytune._chat_files.collecting import Opened, Opener
from furytune._chat_files.files import ExportFiles, open_exports
from furytune._chat_files.mattermost.archive import is_mattermost, open_mattermost
from furytune._chat_files.rows import Faults
from furytune._chat_files.slack.archive import open_slack, roots_of
from furytune._chat_files.zulip.archive import open_zulip, realms_of
from furytune._readers.json_stream import LIMIT
from furytune.errors import FurytuneError

__all__ = ["OPENERS", "Found", "find_chat", "platform_of"]

_LOOKED_AT = 50

OPENERS: Mapping[str, Opener] = MappingProxyType(
    {"slack": open_slack, "mattermost": open_mattermost, "zulip": open_zulip}
)
"""The opener of each platform. A new platform is entered here, and in `platform_of`."""


@frozen
class Found:
    """An export that was found.

    Attributes:
        platform: Such as "slack".
        channels: Names of its channels that may be read.
    """

    platform: str
    channels: tuple[str, ...]


def platform_of(exports: list[ExportFiles]) -> str:
    """Returns the platform of some exports, or ""."""
    for files in exports:
        if realms_of(files.names):
            return "zulip"
        if roots_of(files.names):
            return "slack"
        shallow = (name for name in files.names if "/" not in name)
        if any(is_mattermost(files, name) for name in islice(shallow, _LOOKED_AT)):
            return "mattermost"
    return ""


def find_chat(path: Path) -> Found | None:
    """Returns what export a folder or file is; None if it is from another platform, or cannot be read."""
    with ExitStack() as stack:
        try:
            exports = open_exports(path, lambda _: None, stack)
            platform = platform_of(exports)
            if not platform:
                return None
            faults = Faults(skip=True, on_drop=lambda _: None, limit=LIMIT)
            archive = OPENERS[platform](Opened(root=path, exports=exports, private=False, faults=faults))
        except FurytuneError:
            return None
        return Found(platform, tuple(channel.name for channel in archive.channels))
