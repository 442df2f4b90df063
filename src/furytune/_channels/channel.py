"""What is known about one channel or thread."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Channel"]


@frozen(kw_only=True)
class Channel:
    """The channel of a file, as described around its messages.

    Attributes:
        guild: Server id, "" if the export has none.
        id: Channel or thread id, or "".
        parent: For a thread, the id of its channel; otherwise the id of the category. "" if unknown.
        kind: DiscordChatExporter's channel type, such as "GuildTextChat".
        name: Its name, or "".
        category: Name of the parent, or "".
        tags: Names of the forum tags of a thread; exports do not contain them.
        since: Time of the export's filter before which the file leaves everything out, or "".
        until: Time after which the file contains nothing, "" if it does not say.
        exported: Time of the export, "" if the file does not say.
    """

    guild: str = ""
    id: str = ""
    parent: str = ""
    kind: str = ""
    name: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    exported: str = ""

    @property
    def is_thread(self) -> bool:
        """True for threads and forum posts."""
        return "Thread" in self.kind
