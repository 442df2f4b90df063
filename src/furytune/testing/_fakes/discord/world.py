"""A Discord server in memory that tests can edit while it is read."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import RLock
from typing import Any

from furytune.testing._fakes.discord import messages as parts
from furytune.testing._fakes.discord.model import KINDS, PERMISSIONS, Channel, Message, Role, User, snowflake

__all__ = ["World"]

_MENTION = re.compile(r"<@!?(\d{15,20})>")
_FORUMS = ("forum", "media")


class World:
    """A Discord server with members, channels and messages. You can call every method from any thread.

    Args:
        start: Time of the first action, in milliseconds since 1970; None to follow this machine's clock.
        tick: Milliseconds that pass with every action. 0 stops the clock: ids then differ only by their
            increment.
        name: Name of the server.

    Attributes:
        guild: Id of the server.
        now: Milliseconds since 1970; add to it to let time pass.
        bot: The account that reads. It may manage threads unless you `deny` it.
        content_intent: Whether it may read what others wrote.
        members_intent: Whether it may list members.
        remember: Whether to keep the JSON of messages for the next request.
        gateway: Address of the gateway, once there is one.
        listeners: Called with the name of each event and what it is about, while the server is locked.
    """

    def __init__(
        self, *, start: int | None = 1_704_067_200_000, tick: int = 1000, name: str = "Workshop"
    ) -> None:
        self.lock = RLock()
        self.follows = start is None
        self.now = int(time.time() * 1000) if start is None else start
        self.gateway = ""
        self.listeners: list[Callable[[str, Any], None]] = []
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
        self.guild = str(self.guild_number)
        granted = (
            "VIEW_CHANNEL",
            "SEND_MESSAGES",
            "SEND_MESSAGES_IN_THREADS",
            "CREATE_PUBLIC_THREADS",
            "ADD_REACTIONS",
            "READ_MESSAGE_HISTORY",
            "CONNECT",
        )
        self.everyone = Role(self.guild_number, "@everyone", sum(PERMISSIONS[n] for n in granted))
        self.roles[self.guild_number] = self.everyone
        self.owner = self.add_member("owner")
        self.bot = self.add_member("furytune", bot=True, roles=[self.add_role("reader", "MANAGE_THREADS")])

    def _number(self) -> int:
        """Returns a new id, later than all others."""
        self._pass()
        # Without time passing, ids differ in their last bits, as for messages of one millisecond.
        self._increment = 0 if self.tick else self._increment + 1
        return snowflake(self.now, self._increment)

    def _pass(self) -> None:
        """Lets time pass."""
        self.now += self.tick
        if self.follows:
            self.now = max(self.now, int(time.time() * 1000))

    def tell(self, event: str, about: Any) -> None:
        """Tells those who listen what happened."""
        for listener in self.listeners:
            listener(event, about)

    def add_role(self, name: str, *permissions: str) -> Role:
        """Makes a role that grants permissions, given by their published names."""
        with self.lock:
            bits = sum(PERMISSIONS[p] for p in permissions)
            role = Role(self._number(), name, bits, position=len(self.roles))
            self.roles[role.number] = role
            return role

    def add_member(self, name: str, *, bot: bool = False, roles: Iterable[Role] = ()) -> User:
        """Makes an account that is a member of the server."""
        with self.lock:
            number = self._number()
            who = User(number, name, bot, list(roles), joined=self.now)
            self.users[number] = who
            return who

    def leave(self, who: User) -> None:
        """Removes an account from the server; its messages stay."""
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
        if kind not in KINDS or kind.endswith("_thread"):
            raise ValueError(f"{kind!r} is not a kind of channel; use add_thread for threads")
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
            parent: Channel of the thread.
            title: Name of the thread.
            author: Account that starts it.
            content: First message; a forum post always has one.
            starter: Message of the parent that the thread is started on; the thread takes its id.
            tags: Tags of a forum post; the forum gets those it does not have yet.
            archived: Whether it is closed. A later message leaves it closed but moves its archive time, as if
                the message had opened it and it had been closed again.
            private: Whether only its members and those who manage threads can see it.
            locked: Whether only those who manage threads may open it.
            joined: Whether the bot is a member of it.
        """
        with self.lock:
            who = self._who(author)
            kind = "private_thread" if private else "public_thread"
            if parent.kind == "announcement":
                kind = "announcement_thread"
            # A thread that is opened on a message has the message's id.
            number = self._number() if starter is None else starter.number
            thread = Channel(number, title, kind, parent, owner=who, archived=archived, archived_at=self.now)
            thread.locked, thread.joined = locked, joined
            for tag in tags:
                thread.applied.append(parent.tags[tag] if tag in parent.tags else self._tag(parent, tag))
            self.channels[number] = thread
            self.tell("THREAD_CREATE", thread)
            if parent.kind in _FORUMS:
                parent.last, thread.starters = number, 1
                self._append(thread, Message(number, thread, who, content or ""))
                return thread
            if starter is not None:
                starter.thread, thread.starters = thread, 1
                about = parts.reference(starter, self.guild)
                first = Message(self._number(), thread, who, "", 21, reply_to=starter, extra=about)
                self._append(thread, first)
            elif not private:
                about = {"type": 0, "channel_id": thread.id, "guild_id": self.guild}
                notice = Message(self._number(), parent, who, title, 18, extra={"message_reference": about})
                self._append(parent, notice)
            if content is not None:
                self._append(thread, Message(self._number(), thread, who, content))
            return thread

    def _tag(self, forum: Channel, name: str) -> int:
        forum.tags[name] = self._number()
        return forum.tags[name]

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
        poll: tuple[str, Sequence[str]] | None = None,
        webhook: bool | User = False,
        command: str = "",
        type: int | None = None,  # noqa: A002  (the payload's name)
        **more: Any,
    ) -> Message:
        """Posts a message.

        Args:
            channel: Channel or thread to post in.
            author: The author, or the name of a member, who is added on first use.
            content: Text; ``<@id>`` mentions a member.
            reply_to: Message that it replies to.
            forward_of: Message that it forwards.
            attachments: File names, or fields of the payload.
            embeds: Descriptions, or fields of the payload.
            stickers: Names of stickers.
            poll: Question and answers of a poll.
            webhook: Whether it came through a webhook of this name; or the webhook that wrote it under this name, as a
                bridge does.
            command: Name of the bot's command that it answers.
            type: Published number of the type, such as 7 for "has joined"; by default that of a message or reply.
            **more: Fields of the payload, such as ``flags``.
        """
        with self.lock:
            who = self._who(author, webhook=webhook)
            message = Message(self._number(), channel, who, content, reply_to=reply_to)
            extra: dict[str, Any] = {}
            if attachments:
                extra["attachments"] = [parts.attachment(self._number(), a, channel) for a in attachments]
            if embeds:
                extra["embeds"] = [parts.embed(e) for e in embeds]
            if stickers:
                extra["sticker_items"] = [parts.sticker(self._number(), name) for name in stickers]
            if poll:
                extra["poll"] = parts.poll(*poll, self.now + 86_400_000)
            if reply_to is not None:
                message.type = 19
                extra |= parts.reference(reply_to, self.guild)
            if forward_of is not None:
                extra |= parts.forward(forward_of, self.guild)
            if webhook:
                extra["webhook_id"] = who.id
            if command:
                message.type = 20
                extra |= parts.command(self._number(), who, command, self.owner, self.guild)
            if type is not None:
                message.type = type
            if "<@" in content:
                found = (self.users.get(int(n)) for n in _MENTION.findall(content))
                message.mentions = tuple(dict.fromkeys(u for u in found if u is not None))
            message.extra = extra | more or None
            self._append(channel, message)
            return message

    def add_dm(self, who: User) -> Channel:
        """Makes the direct conversation of the bot and a person."""
        with self.lock:
            where = Channel(self._number(), "", "dm", owner=who)
            self.channels[where.number] = where
            return where

    def react_as(self, message: Message, who: User, emoji: str, *, remove: bool = False) -> None:
        """Lets someone react to a message, or take the reaction back."""
        with self.lock:
            extra = message.extra or {}
            count = next((r["count"] for r in extra.get("reactions", []) if r["emoji"]["name"] == emoji), 0)
            self.react(message, emoji, count - 1 if remove else count + 1)
            self.tell(f"MESSAGE_REACTION_{'REMOVE' if remove else 'ADD'}", (message, who, emoji))

    def end_poll(self, message: Message, winner: int = 1, votes: int = 3) -> Message:
        """Ends a poll, and posts its result in the channel as a message of its author."""
        with self.lock:
            assert message.extra is not None
            embed = parts.poll_result(message.extra["poll"], winner, votes)
            about = parts.reference(message, self.guild)
            return self.post(message.channel, message.author, embeds=[embed], type=46, **about)

    def _append(self, channel: Channel, message: Message) -> None:
        """Adds a message to its channel."""
        channel.numbers.append(message.number)
        channel.messages.append(message)
        channel.last = message.number
        channel.sent += 1
        if channel.archived:
            channel.archived_at = self.now
        self.tell("MESSAGE_CREATE", message)

    def _who(self, author: User | str, *, webhook: bool | User = False) -> User:
        """Returns the account of a name, made on first use."""
        if isinstance(author, User):
            return author
        if isinstance(webhook, User):
            return User(webhook.number, author, webhook=True, member=False)
        for who in self.users.values():
            if who.name == author and who.webhook == webhook:
                return who
        who = self.add_member(author)
        if webhook:
            who.webhook, who.member = True, False
        return who

    def edit(self, message: Message, content: str, *, silently: bool = False) -> None:
        """Changes the text of a message.

        Args:
            message: The message to edit.
            content: The new text.
            silently: Whether to set no edit time, as when the service adds the preview of a link.
        """
        with self.lock:
            # Discord sometimes changes a message without a time of edit, as when a link gets its preview.
            message.content, message.core = content, b""
            self._pass()
            if not silently:
                message.edited = self.now
            self.tell("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        """Deletes a message; a thread that was started on it stays."""
        with self.lock:
            where = message.channel
            if not message.deleted:
                at = bisect_left(where.numbers, message.number)
                del where.numbers[at], where.messages[at]
                self.tell("MESSAGE_DELETE", message)
            message.deleted = True
            self._pass()

    def delete_channel(self, channel: Channel) -> None:
        """Deletes a channel and its threads; the channels of a deleted category stay."""
        with self.lock:
            self.channels.pop(channel.number, None)
            for other in [c for c in self.channels.values() if c.parent is channel]:
                if other.is_thread:
                    del self.channels[other.number]
                else:
                    other.parent = None
            self._pass()

    def archive(self, thread: Channel, *, archived: bool = True) -> None:
        """Archives (closes) a thread, or opens it."""
        with self.lock:
            self._pass()
            thread.archived, thread.archived_at = archived, self.now

    def rename(self, channel: Channel, name: str) -> None:
        """Renames a channel or thread."""
        with self.lock:
            channel.name = name

    def retag(self, post: Channel, *tags: str) -> None:
        """Replaces the tags of a forum post, for example by "solved"."""
        with self.lock:
            forum = post.parent
            assert forum is not None
            post.applied = [forum.tags[t] if t in forum.tags else self._tag(forum, t) for t in tags]

    def react(self, message: Message, emoji: str, count: int = 1) -> None:
        """Sets how many people react with an emoji; 0 removes the reaction."""
        with self.lock:
            extra = message.extra or {}
            others = [r for r in extra.get("reactions", []) if r["emoji"]["name"] != emoji]
            if count:
                others.append(parts.reaction(emoji, count))
            extra["reactions"] = others
            if not others:
                del extra["reactions"]
            message.extra, message.core = extra or None, b""

    def pin(self, message: Message, *, pinned: bool = True) -> None:
        """Pins a message, and posts a notice in its channel; or unpins it."""
        with self.lock:
            message.pinned, message.core = pinned, b""
            if pinned:
                where, about = message.channel, parts.reference(message, self.guild)
                self._append(where, Message(self._number(), where, self.owner, "", 6, extra=about))

    def deny(self, channel: Channel, *permissions: str) -> None:
        """Denies the bot permissions in a channel and its threads, by their published names."""
        self.overwrite(channel, self.bot, deny=permissions)

    def allow(self, channel: Channel, *permissions: str) -> None:
        """Grants the bot permissions in a channel and its threads, by their published names."""
        self.overwrite(channel, self.bot, allow=permissions)

    def overwrite(
        self, channel: Channel, whom: User | Role, *, allow: Iterable[str] = (), deny: Iterable[str] = ()
    ) -> None:
        """Grants and denies permissions to one account or role in a channel."""
        with self.lock:
            kind = int(isinstance(whom, User))
            _, allowed, denied = channel.overwrites.get(whom.number, (kind, 0, 0))
            for name in allow:
                allowed, denied = allowed | PERMISSIONS[name], denied & ~PERMISSIONS[name]
            for name in deny:
                allowed, denied = allowed & ~PERMISSIONS[name], denied | PERMISSIONS[name]
            channel.overwrites[whom.number] = (kind, allowed, denied)
