"""A guild in memory that tests edit while it is crawled."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from threading import RLock
from typing import Any

from furytune.testing import _discord_payloads as payloads
from furytune.testing._discord_model import (
    PERMISSIONS,
    Channel,
    Message,
    Role,
    User,
    iso,
    snowflake,
)

__all__ = ["World"]

_MENTION = re.compile(r"<@!?(\d{15,20})>")
_FORUMS = ("forum", "media")


class World:
    """A guild, its members, channels and messages; every method is safe to call from any thread.

    Args:
        start: Milliseconds since 1970 of the first thing that is made.
        tick: Milliseconds that pass with everything that is made or done. 0 stops the clock: ids then differ
            by their increment only.
        name: Of the guild.

    Attributes:
        now: Milliseconds since 1970, set it to let time pass.
        bot: The account that reads.
        content_intent: Whether it may read the text of others.
        members_intent: Whether it may list members.
    """

    def __init__(self, *, start: int = 1_704_067_200_000, tick: int = 1000, name: str = "Workshop") -> None:
        self.lock = RLock()
        self.now = start
        self.tick = tick
        self.name = name
        self.content_intent = True
        self.members_intent = True
        self.remember = True
        self._increment = 0
        self.channels: dict[int, Channel] = {}
        self.users: dict[int, User] = {}
        self.roles: dict[int, Role] = {}
        self.guild_number = self._number()
        wanted = ("VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "CONNECT")
        self.everyone = Role(self.guild_number, "@everyone", sum(PERMISSIONS[n] for n in wanted))
        self.roles[self.guild_number] = self.everyone
        self.owner = self.add_member("owner")
        reader = self.add_role("reader", "MANAGE_THREADS")
        self.bot = self.add_member("furytune", bot=True, roles=[reader])

    @property
    def guild(self) -> str:
        """The guild's id."""
        return str(self.guild_number)

    def _number(self) -> int:
        self.now += self.tick
        self._increment = (self._increment + 1) % 4096 if not self.tick else 0
        return snowflake(self.now, self._increment)

    def add_role(self, name: str, *permissions: str) -> Role:
        """Makes a role that grants permissions by their published names."""
        with self.lock:
            bits = sum(PERMISSIONS[p] for p in permissions)
            role = Role(self._number(), name, bits, position=len(self.roles))
            self.roles[role.number] = role
            return role

    def add_member(self, name: str, *, bot: bool = False, roles: Iterable[Role] = ()) -> User:
        """Makes an account that is a member of the guild."""
        with self.lock:
            number = self._number()
            who = User(number, name, bot, list(roles), joined=self.now)
            self.users[number] = who
            return who

    def leave(self, who: User) -> None:
        """Takes an account out of the guild; its messages stay."""
        with self.lock:
            who.member = False

    def add_channel(
        self,
        name: str,
        kind: str = "text",
        *,
        category: Channel | None = None,
        topic: str | None = None,
        tags: Iterable[str] = (),
        nsfw: bool = False,
    ) -> Channel:
        """Makes a channel: text, announcement, voice, stage, forum, media or category."""
        with self.lock:
            where = Channel(self._number(), name, kind, category, len(self.channels), topic, nsfw)
            where.tags = {tag: self._number() for tag in tags}
            self.channels[where.number] = where
            return where

    def add_thread(
        self,
        parent: Channel,
        title: str,
        *,
        author: User | str = "asker",
        content: str | None = None,
        starter: Message | None = None,
        tags: Iterable[str] = (),
        archived: bool = False,
        private: bool = False,
        locked: bool = False,
        joined: bool = False,
    ) -> Channel:
        """Makes a thread, or the post of a forum.

        Args:
            parent: Its channel.
            title: Its name.
            author: Who starts it.
            content: First message; a forum's post has always one.
            starter: Message of the parent that it is started on, whose id it takes.
            tags: Of a forum's post; made where the forum does not have them.
            archived: Whether it is closed. A message that is posted later leaves it closed, but at a later
                time: as if it had been opened by the message and closed again.
            private: Whether only its members and those who manage threads see it.
            locked: Whether only those who manage threads may open it.
            joined: Whether the bot is a member of it.
        """
        with self.lock:
            who = self._who(author)
            kind = "private_thread" if private else "public_thread"
            if parent.kind == "announcement":
                kind = "announcement_thread"
            number = self._number() if starter is None else starter.number
            thread = Channel(number, title, kind, parent, owner=who, archived=archived, archived_at=self.now)
            thread.locked, thread.joined = locked, joined
            for tag in tags:
                thread.applied.append(parent.tags.setdefault(tag, self._number()))
            self.channels[number] = thread
            if parent.kind in _FORUMS:
                parent.last = number
                self._append(thread, Message(number, thread, who, content or ""))
                return thread
            if starter is not None:
                starter.thread = thread
                about = self._reference(starter)
                first = Message(self._number(), thread, who, "", 21, reply_to=starter, extra=about)
                self._append(thread, first)
            elif not private:
                about = {"message_reference": {"type": 0, "channel_id": thread.id, "guild_id": self.guild}}
                self._append(parent, Message(self._number(), parent, who, title, 18, extra=about))
            if content is not None:
                self._append(thread, Message(self._number(), thread, who, content))
            return thread

    def post(
        self,
        channel: Channel,
        author: User | str,
        content: str = "",
        *,
        reply_to: Message | None = None,
        forward_of: Message | None = None,
        attachments: Sequence[str | Mapping[str, Any]] = (),
        embeds: Sequence[str | Mapping[str, Any]] = (),
        stickers: Sequence[str] = (),
        poll: tuple[str, list[str]] | None = None,
        webhook: bool = False,
        command: str = "",
        type: int | None = None,  # noqa: A002  (the payload's name)
    ) -> Message:
        """Posts a message.

        Args:
            channel: Where.
            author: Who, or the name of a member, who is made at the first use.
            content: Text; ``<@id>`` mentions a member.
            reply_to: Message that it answers.
            forward_of: Message that it forwards.
            attachments: File names, or fields of the payload.
            embeds: Descriptions, or fields of the payload.
            stickers: Names.
            poll: Question and answers.
            webhook: Whether it came through a webhook of this name.
            command: Name of the bot's command that it answers.
            type: As published, such as 7 for "has joined"; else that of a message or a reply.
        """
        with self.lock:
            who = self._who(author, webhook=webhook)
            message = Message(self._number(), channel, who, content)
            extra: dict[str, Any] = {}
            if attachments:
                made = [payloads.attachment(self._number(), a, channel.id) for a in attachments]
                extra["attachments"] = made
            if embeds:
                extra["embeds"] = [payloads.embed(e) for e in embeds]
            if stickers:
                extra["sticker_items"] = [payloads.sticker(self._number(), name) for name in stickers]
            if poll:
                extra["poll"] = payloads.poll(poll[0], list(poll[1]), iso(self.now + 86_400_000))
            if reply_to is not None:
                message.type, message.reply_to = 19, reply_to
                extra |= self._reference(reply_to)
            if forward_of is not None:
                extra |= self._forward(forward_of)
            if webhook:
                extra["webhook_id"] = who.id
            if command:
                message.type = 20
                extra |= self._command(who, command)
            if type is not None:
                message.type = type
            found = (self.users.get(int(n)) for n in _MENTION.findall(content))
            message.mentions = tuple(dict.fromkeys(u for u in found if u is not None))
            message.extra = extra or None
            self._append(channel, message)
            return message

    def _append(self, channel: Channel, message: Message) -> None:
        channel.numbers.append(message.number)
        channel.messages.append(message)
        channel.last = message.number
        channel.sent += 1
        if channel.archived:
            channel.archived_at = self.now

    def _who(self, author: User | str, *, webhook: bool = False) -> User:
        if isinstance(author, User):
            return author
        for who in self.users.values():
            if who.name == author and who.webhook == webhook:
                return who
        who = self.add_member(author)
        if webhook:
            who.webhook, who.member = True, False
        return who

    def _reference(self, to: Message) -> dict[str, Any]:
        about = {"type": 0, "channel_id": to.channel.id, "message_id": to.id, "guild_id": self.guild}
        return {"message_reference": about}

    def _forward(self, of: Message) -> dict[str, Any]:
        kept = ("type", "content", "mentions", "mention_roles", "attachments", "embeds", "timestamp")
        whole = payloads.message(of)
        inner = {k: whole[k] for k in (*kept, "edited_timestamp", "flags", "components")}
        about = {"type": 1, "channel_id": of.channel.id, "message_id": of.id, "guild_id": self.guild}
        return {"message_reference": about, "message_snapshots": [{"message": inner}], "flags": 1 << 14}

    def _command(self, who: User, name: str) -> dict[str, Any]:
        asker = payloads.user(self.owner)
        about = {"id": str(self._number()), "type": 2, "name": name, "user": asker}
        about["authorizing_integration_owners"] = {"0": self.guild}
        return {"application_id": who.id, "webhook_id": who.id, "interaction_metadata": about}

    def edit(self, message: Message, content: str, *, silently: bool = False) -> None:
        """Changes the text of a message; silently, as the service itself does, without a time of edit."""
        with self.lock:
            message.content, message.core = content, b""
            self.now += self.tick
            if not silently:
                message.edited = self.now

    def delete(self, message: Message) -> None:
        """Deletes a message; the thread that it started stays."""
        with self.lock:
            where = message.channel
            at = bisect_left(where.numbers, message.number)
            if not message.deleted:
                del where.numbers[at], where.messages[at]
            message.deleted = True
            self.now += self.tick

    def delete_channel(self, channel: Channel) -> None:
        """Deletes a channel or thread with all that hangs below it."""
        with self.lock:
            self.channels.pop(channel.number, None)
            for other in [c for c in self.channels.values() if c.parent is channel]:
                if other.is_thread:
                    self.delete_channel(other)
                else:
                    other.parent = None
            self.now += self.tick

    def archive(self, thread: Channel, *, archived: bool = True) -> None:
        """Closes or opens a thread."""
        with self.lock:
            self.now += self.tick
            thread.archived, thread.archived_at = archived, self.now

    def react(self, message: Message, emoji: str, count: int = 1) -> None:
        """Sets how many people react with an emoji; 0 takes it away."""
        with self.lock:
            extra = message.extra or {}
            others = [r for r in extra.get("reactions", []) if r["emoji"]["name"] != emoji]
            if count:
                details = {"burst": 0, "normal": count}
                about = {"emoji": {"id": None, "name": emoji}, "count": count, "count_details": details}
                others.append(about | {"burst_colors": [], "me_burst": False, "burst_me": False, "me": False})
                others[-1]["burst_count"] = 0
            extra["reactions"] = others
            if not others:
                del extra["reactions"]
            message.extra, message.core = extra or None, b""

    def pin(self, message: Message, *, pinned: bool = True) -> None:
        """Pins a message, which says so in its channel, or unpins it."""
        with self.lock:
            message.pinned, message.core = pinned, b""
            if pinned:
                self._append(
                    message.channel,
                    Message(
                        self._number(), message.channel, self.owner, "", 6, extra=self._reference(message)
                    ),
                )

    def deny(self, channel: Channel, *permissions: str) -> None:
        """Takes permissions from the bot in a channel, by their published names."""
        self._overwrite(channel, deny=permissions)

    def allow(self, channel: Channel, *permissions: str) -> None:
        """Grants the bot permissions in a channel, by their published names."""
        self._overwrite(channel, allow=permissions)

    def _overwrite(self, channel: Channel, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        with self.lock:
            _, allowed, denied = channel.overwrites.get(self.bot.number, (1, 0, 0))
            for name in allow:
                allowed, denied = allowed | PERMISSIONS[name], denied & ~PERMISSIONS[name]
            for name in deny:
                allowed, denied = allowed & ~PERMISSIONS[name], denied | PERMISSIONS[name]
            channel.overwrites[self.bot.number] = (1, allowed, denied)

    def permissions(self, who: User, channel: Channel) -> int:
        """Computes what an account may do in a channel, by the published algorithm."""
        if channel.is_thread and channel.parent is not None:
            return self.permissions(who, channel.parent)
        bits = self.everyone.permissions
        for role in who.roles:
            bits |= role.permissions
        if who is self.owner or bits & PERMISSIONS["ADMINISTRATOR"]:
            return ~0
        for group in ([self.guild_number], [r.number for r in who.roles], [who.number]):
            found = [channel.overwrites[n] for n in group if n in channel.overwrites]
            for _, _, deny in found:
                bits &= ~deny
            for _, allow, _ in found:
                bits |= allow
        return bits
