"""Waits for a platform as it asks, and keeps tokens out of errors."""

from __future__ import annotations

import logging
import time

from attrs import frozen

from furytune._network.patience import Patience
from furytune._privacy.secret import Secret
from furytune.errors import ConfigError, ForumError

__all__ = ["SLACK", "Wait", "gave_up", "header_value", "pause", "seconds"]

SLACK = 1.0
"""Seconds that our clock may be ahead of the platform's."""

_log = logging.getLogger(__name__)


@frozen
class Wait:
    """A request that must be repeated.

    Attributes:
        seconds: How long to wait, None if the platform does not say.
        why: What happened, in a word.
        limited: True for a limit, which says nothing about whether the request works.
    """

    seconds: float | None
    why: str
    limited: bool = False


def pause(span: float, patience: Patience, platform: str, doing: str, why: str) -> None:
    """Waits, unless that is too long.

    Raises:
        ForumError: It is too long.
    """
    if span > patience.longest_wait:
        raise ForumError(
            f"{doing}: {platform} asks to wait {span:,.0f} seconds ({why}), which is longer than patience allows; what was "
            "read so far is saved, run again later"
        )
    if span >= SLACK:
        _log.info("waiting %.0f seconds for %s: %s", span, platform, why)
    time.sleep(span)


def gave_up(wait: Wait, patience: Patience, platform: str, doing: str) -> ForumError:
    """Returns the error for a request that was repeated as often as patience allows, with how it ended last."""
    return ForumError(
        f"{doing}: {platform} did not answer ({wait.why}) after {patience.tries} tries; what was read so far is saved, run "
        "again later",
        status=int(wait.why) if wait.why.isdecimal() else None,
    )


def seconds(header: str) -> float | None:
    """Returns the number in a header, None if there is none."""
    return float(header) if header.isascii() and header.isdecimal() and len(header) < 12 else None


def header_value(token: Secret) -> str:
    """Returns a token as the value of a header.

    Raises:
        ConfigError: It contains what a token cannot contain.
    """
    revealed = token.reveal().strip()
    if not (revealed.isascii() and revealed.isprintable()):
        # http.client would quote the whole header in its error.
        raise ConfigError("the token contains characters that a token cannot have; copy it again")
    return revealed
