"""What an operator decides about a Discord bot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen
from attrs.validators import optional as _optional

from furytune._network.endpoint import checked_endpoint
from furytune._privacy.consent import Consent
from furytune._privacy.ids import is_digits
from furytune.answering import AnswerSettings, one_of, within
from furytune.errors import ConfigError

__all__ = ["BotSettings"]


def _ids(value: str | int | Iterable[str | int]) -> tuple[str, ...]:
    found = tuple(str(one) for one in ([value] if isinstance(value, str | int) else value))
    if not all(map(is_digits, found)):
        raise ConfigError(
            "servers, channels and forums are lists of Discord ids, such as 80351110224678912; switch on Developer Mode in "
            "Discord, right-click the place, and choose Copy ID"
        )
    return found


def _role(value: str | int) -> str:
    if value and not is_digits(str(value)):
        raise ConfigError("helpers is the id of a role; switch on Developer Mode and choose Copy Role ID")
    return str(value or "")


def _consent(_: object, __: object, value: Any) -> None:
    if not isinstance(value, Consent):
        raise ConfigError("consent must be a Consent, the same as for collecting")


@frozen(kw_only=True)
class BotSettings(AnswerSettings):
    """What an operator decides about a bot, besides what `furytune.answering.AnswerSettings` has.

    Attributes:
        folder: Folder of the bot's notes: which questions it has taken, and the messages of their answers, as ids.
        servers: Ids of the servers in which it answers; none for all that it is in.
        channels: Ids of the channels in which it answers, with their threads; none for all. It answers everywhere by
            ``/ask`` and by the context menu, because server settings decide about those.
        forums: Ids of forums whose new posts it answers without a mention. They need the Message Content Intent.
        open_threads: Whether it opens a thread for the answer to a mention in a channel.
        direct: Whether it answers direct messages.
        earlier: What happens to what a person said before, in a thread, a conversation or a chain of replies: "join" it to the
            question if the bot only asked back, as in the training data, or "ignore" it; see
            `furytune.pairing.last_question`. What other people say never gets into a question.
        per_person: Questions of a person in a minute; 0 for no limit.
        per_server: Questions of a server in a minute; 0 for no limit.
        consent: Who takes part. The bot notes nothing about questions of people who do not, and does not answer
            a message of theirs that someone else points at.
        least_score: Below this score of the best passage, an answer says that it is not sure; None not to look at
            scores. ``furytune explain`` shows the scores of a question.
        helpers: Id of the role that knows more; an answer that is not sure names it.
        ping_helpers: Whether naming the role notifies its members.
        pace: Seconds between two edits of an answer that is being written.
        missed: Seconds. After an interruption, it answers the questions of this time that it missed.
        grace: Seconds for answers under way after a request to stop.
        standby: Whether it waits while another process uses the folder, and then takes over.
        health: Port on 127.0.0.1 for ``/healthz``; None for no such port.
        endpoint: Another server that speaks Discord's API, up to its version; "" for Discord.

    Raises:
        ConfigError: A value cannot be used.
    """

    folder: Path = field(default=Path("furytune-bot"), converter=Path)
    servers: tuple[str, ...] = field(default=(), converter=_ids)
    channels: tuple[str, ...] = field(default=(), converter=_ids)
    forums: tuple[str, ...] = field(default=(), converter=_ids)
    open_threads: bool = True
    direct: bool = True
    earlier: Literal["ignore", "join"] = field(default="join", validator=one_of("ignore", "join"))
    per_person: int = field(default=6, validator=within(0, 1_000_000))
    per_server: int = field(default=60, validator=within(0, 1_000_000))
    consent: Consent = field(factory=Consent, validator=_consent)
    least_score: float | None = field(default=None, validator=_optional(within(-1e9, 1e9)))
    helpers: str = field(default="", converter=_role)
    ping_helpers: bool = False
    pace: float = field(default=1.5, validator=within(0.0, 60.0))
    missed: float = field(default=900.0, validator=within(0.0, 86_400.0))
    grace: float = field(default=30.0, validator=within(0.0, 3600.0))
    standby: bool = False
    health: int | None = field(default=None, validator=_optional(within(1, 65535)))
    endpoint: str = field(default="", converter=checked_endpoint)
