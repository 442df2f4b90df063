"""Explains failed requests, in words that contain no header, body or token."""

from __future__ import annotations

import asyncio
from typing import Any

from attrs import evolve, frozen

from furytune._network.bodies import BodyError
from furytune.errors import (
    DiscordError,
    DiscordForbiddenError,
    DiscordGoneError,
    DiscordLoginError,
)

__all__ = [
    "BANNED",
    "GARBLED",
    "REFUSED_TOKEN",
    "TOO_MANY_INVALID",
    "Verdict",
    "WrongAnswerError",
    "told_to_wait",
    "unusable",
    "verdict_of",
]

_LATER = "nothing that was read is lost: run again later to continue"
# discord-api-docs, topics/opcodes-and-status-codes, "JSON Error Codes".
_UNKNOWN_CHANNEL = 10003
# Missing Access, and Missing Permissions.
_MISSING = {50001, 50013}


class WrongAnswerError(DiscordError):
    """Discord's answer still cannot be what was asked for, after all retries."""


@frozen(kw_only=True)
class Verdict:
    """One failed request.

    Attributes:
        problem: What happened, and what to do next.
        status: HTTP status, None if there was no answer.
        code: Discord's own code for the failure, 0 for none.
        kind: The error to raise.
        again: Whether the same request may succeed later.
        wait: Least seconds to wait, as Discord asked.
        last: Whether the session must make no further request at all.
    """

    problem: str
    status: int | None = None
    code: int = 0
    kind: type[DiscordError] = DiscordError
    again: bool = False
    wait: float = 0.0
    last: bool = False

    def error(self, request: str) -> DiscordError:
        """Returns the error to raise.

        Args:
            request: Method and path.
        """
        return self.kind(f"{request}: {self.problem}", status=self.status)

    def given_up(self, tries: int, *, first: bool = False) -> Verdict:
        """Returns the verdict after the last of several tries.

        Args:
            tries: How many tries there were.
            first: Whether no earlier request was answered.
        """
        # Without any answer so far, the network here is the likely cause; after one, Discord's side is.
        hint = f"check the network of this machine; {_LATER}" if first and self.status is None else _LATER
        return evolve(self, problem=f"{self.problem}, in {tries} tries; {hint}", again=False)


REFUSED_TOKEN = Verdict(
    problem="Discord refuses the token, and no further request is made with it; get a new one for the bot from the "
    "developer portal (page Bot, Reset Token), and run again",
    status=401,
    kind=DiscordLoginError,
    last=True,
)
BANNED = Verdict(
    problem="the answer 429 came from the network in front of Discord, which bans an address for a while after too "
    f"many bad requests; stop other programs that use this address, and wait an hour; {_LATER}",
    status=429,
    last=True,
)
TOO_MANY_INVALID = Verdict(
    problem="too many answers 401, 403 and 429 within ten minutes; Discord would ban this address if it continued; "
    f"check what the bot may read; {_LATER}",
    last=True,
)
GARBLED = Verdict(problem="the answer was cut off or is not JSON", again=True)


def unusable(why: str) -> Verdict:
    """Returns the verdict on an answer that cannot be correct."""
    return Verdict(problem=f"Discord's answer was not used: {why}", kind=WrongAnswerError, again=True)


def told_to_wait(seconds: float) -> Verdict:
    """Returns the verdict on a wait that is longer than the session's patience."""
    return Verdict(
        problem=f"Discord asks to wait {seconds:.0f} s, which is too long; {_LATER}", status=429, last=True
    )


def verdict_of(error: Exception) -> Verdict:
    """Returns what an exception of discord.py, aiohttp or the system means."""
    import aiohttp

    import discord

    if isinstance(error, discord.HTTPException):
        return _refusal(error)
    # discord.py raises this instead of waiting longer than `max_ratelimit_timeout`.
    if isinstance(error, discord.RateLimited):
        return told_to_wait(error.retry_after)
    # This and a timeout are OSErrors too, so they come before them.
    if isinstance(error, aiohttp.ClientSSLError):
        return Verdict(
            problem=f"the connection is not secure ({type(error).__name__}); check the clock and the certificates "
            "of this machine, and any proxy between it and Discord"
        )
    if isinstance(error, asyncio.TimeoutError):
        return Verdict(problem="no complete answer in time", again=True)
    if isinstance(error, aiohttp.ClientError | OSError):
        number = getattr(error, "errno", None)
        named = type(error).__name__ + (f", errno {number}" if isinstance(number, int) else "")
        return Verdict(problem=f"the connection failed ({named})", again=True)
    if isinstance(error, BodyError):
        return Verdict(problem=str(error), again=True)
    # discord.py's own code fails with these on answers that it does not expect.
    if isinstance(error, ValueError | LookupError | TypeError | RecursionError):
        return GARBLED
    return Verdict(
        problem=f"discord.py could not send the request ({type(error).__name__}); please report it"
    )


def _refusal(error: Any) -> Verdict:
    """Returns the verdict on an answer that Discord sent, by its status and its own code."""
    status, code = int(error.status), error.code if isinstance(error.code, int) else 0
    said = f"Discord answered {status}" + (f" with its code {code}" if code else "")
    # A 429 is repeated too: the guard already waits as long as the header says.
    if status >= 500 or status == 429:
        return Verdict(problem=said, status=status, code=code, again=True)
    if status == 403 and code in _MISSING:
        return Verdict(
            problem=f"{said}: the bot may not read this; give it the permission, or exclude the channel",
            status=status,
            code=code,
            kind=DiscordForbiddenError,
        )
    if status == 404 and code == _UNKNOWN_CHANNEL:
        return Verdict(
            problem=f"{said}: the channel no longer exists",
            status=status,
            code=code,
            kind=DiscordGoneError,
        )
    hint = "please report it" if code else "the answer may come from a proxy in between"
    return Verdict(problem=f"{said}; {hint}", status=status, code=code)
