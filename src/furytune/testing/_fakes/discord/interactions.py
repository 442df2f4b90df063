"""People who use a bot: commands, menus, buttons and forms."""

from __future__ import annotations

import secrets
import time
from typing import Any

import msgspec
from attrs import define, field

from furytune.testing._fakes.discord.messages import message_bytes
from furytune.testing._fakes.discord.model import Channel, Message, User, permissions
from furytune.testing._fakes.discord.payloads import channel as channel_payload
from furytune.testing._fakes.discord.payloads import member, user
from furytune.testing._fakes.discord.world import World

__all__ = ["Interaction", "People"]

_COMMAND, _COMPONENT, _FORM = 2, 3, 5


@define(eq=False)
class Interaction:
    """Something that a person did with a bot, and what the bot answered.

    Attributes:
        number: The snowflake, as a number.
        kind: Discord's number of its type.
        user: Who did it.
        channel: Where.
        data: What Discord says about it.
        message: The message with the button.
        token: The bot's right to answer.
        at: When it was sent, in seconds of the monotonic clock; 0 before.
        answer: The callback, None before it.
        response: The message that answers it; None if only the person sees the answer.
        private: Texts that only the person sees.
        form: The form that the bot opened.
    """

    number: int
    kind: int
    user: User
    channel: Channel = field(repr=False)
    data: dict[str, Any] = field(repr=False)
    message: Message | None = field(default=None, repr=False)
    token: str = field(factory=lambda: secrets.token_urlsafe(24), repr=False)
    at: float = field(factory=time.monotonic)
    answer: dict[str, Any] | None = field(default=None, repr=False)
    response: Message | None = field(default=None, repr=False)
    private: list[str] = field(factory=list, repr=False)
    form: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The snowflake."""
        return str(self.number)


class People(World):
    """A Discord server whose members use the bot.

    Args:
        **world: See `World`.

    Attributes:
        commands: The bot's commands, as it registered them.
        interactions: What people did with the bot.
        pings: Messages of the bot that notified someone, with whom: an id or "everyone".
    """

    def __init__(self, **world: Any) -> None:
        super().__init__(**world)
        self.commands: list[dict[str, Any]] = []
        self.interactions: dict[str, Interaction] = {}
        self.pings: list[tuple[Message, str]] = []

    def use_command(self, who: User, channel: Channel, name: str, **options: str) -> Interaction:
        """Uses a slash command."""
        found = self._command(name)
        given = [{"name": n, "type": 3, "value": v} for n, v in options.items()]
        return self._act(
            who, channel, _COMMAND, {"id": found["id"], "name": name, "type": 1, "options": given}
        )

    def use_menu(self, who: User, message: Message, name: str) -> Interaction:
        """Uses an entry of a message's context menu."""
        found = self._command(name)
        # What a person points at is shown to the bot, with or without the intent.
        shown = message_bytes(message, self.guild, reader=self.bot, content=True, remember=False)
        data = {
            "id": found["id"],
            "name": name,
            "type": 3,
            "target_id": message.id,
            "resolved": {"messages": {message.id: msgspec.Raw(shown)}},
        }
        return self._act(who, message.channel, _COMMAND, data)

    def press(self, who: User, message: Message, label: str) -> Interaction:
        """Presses the button of a message that has this label."""
        rows = (message.extra or {}).get("components", [])
        buttons = [b for row in rows for b in row["components"] if b.get("label") == label]
        data = {"component_type": 2, "custom_id": buttons[0]["custom_id"], "id": 1}
        return self._act(who, message.channel, _COMPONENT, data, message)

    def fill_in(self, who: User, form: Interaction, *texts: str) -> Interaction:
        """Sends the form that the bot opened, with these texts in its fields."""
        assert form.form is not None
        rows = []
        for row, text in zip(form.form["components"], texts, strict=True):
            inner = row["components"][0] if "components" in row else row["component"]
            sent = {"type": 4, "custom_id": inner["custom_id"], "value": text, "id": 2}
            label = {"type": row["type"], "id": 1}
            rows.append(label | ({"components": [sent]} if "components" in row else {"component": sent}))
        data = {"custom_id": form.form["custom_id"], "components": rows}
        return self._act(who, form.channel, _FORM, data, form.message)

    def _command(self, name: str) -> dict[str, Any]:
        return next(c for c in self.commands if c["name"] == name)

    def _act(
        self, who: User, channel: Channel, kind: int, data: dict[str, Any], message: Message | None = None
    ) -> Interaction:
        with self.lock:
            made = Interaction(self._number(), kind, who, channel, data, message)
            self.interactions[made.token] = made
            self.tell("INTERACTION_CREATE", made)
            return made

    def interaction_payload(self, what: Interaction) -> dict[str, Any]:
        """Returns an interaction as the bot gets it."""
        place, direct = what.channel, what.channel.kind == "dm"
        mine = permissions(self.bot, place, self.everyone, self.owner)
        payload: dict[str, Any] = {
            "id": what.id,
            "application_id": self.bot.id,
            "type": what.kind,
            "data": what.data,
            "channel": channel_payload(place, self.guild) | ({} if direct else {"permissions": "0"}),
            "channel_id": place.id,
            "token": what.token,
            "version": 1,
            "app_permissions": str(mine & ((1 << 50) - 1)),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": self.guild},
            "context": 1 if direct else 0,
            "attachment_size_limit": 10_485_760,
        }
        if what.message is not None:
            shown = message_bytes(what.message, self.guild, reader=self.bot, content=True, remember=False)
            payload["message"] = msgspec.Raw(shown)
        if direct:
            return payload | {"user": user(what.user)}
        guild = {"id": self.guild, "locale": "en-US", "features": []}
        theirs = permissions(what.user, place, self.everyone, self.owner) & ((1 << 50) - 1)
        who = member(what.user) | {"permissions": str(theirs)}
        return payload | {"guild_id": self.guild, "guild": guild, "guild_locale": "en-US", "member": who}
