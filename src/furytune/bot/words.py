"""What the bot says besides answers."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BUSY",
    "DAMAGED",
    "EMPTY",
    "FAILED",
    "INTERRUPTED",
    "LONG",
    "NOT_A_PERSON",
    "NOT_HERE",
    "NOT_NOTED",
    "OPTED_OUT",
    "STOPPED",
    "THANKS",
    "THINKING",
    "TOO_FAST",
    "UNUSABLE",
    "unsure",
]

THINKING: Final = "-# Looking that up \N{HORIZONTAL ELLIPSIS}"
EMPTY: Final = "What would you like to know?"
LONG: Final = "Could you put that into fewer words?"
DAMAGED: Final = "I cannot read this message. Could you write it again?"
BUSY: Final = "I have too many questions at the moment. Please ask again in a few minutes."
FAILED: Final = "I could not answer just now. Please ask again later."
INTERRUPTED: Final = "I was interrupted, and I no longer have your question. Please ask it again."
NOT_A_PERSON: Final = "I only answer messages that people write."
NOT_NOTED: Final = "You do not take part, so nothing was noted."
THANKS: Final = "Thank you. That helps to make the answers better."
UNUSABLE: Final = "This text could not be noted. Please write the whole answer as it should have been."
NOT_HERE: Final = "I may not write in this channel. Please ask me in another one."
OPTED_OUT: Final = "The author of this message does not take part, so I do not answer it."
TOO_FAST: Final = "That was a lot of questions. Please wait a minute before the next one."
STOPPED: Final = "-# Stopped."

_DOUBTS: Final = {
    "nothing": "I found nothing about this in the documentation",
    "weak": "I found little about this in the documentation",
    "length": "The answer was too long and is not complete",
    "filter": "A filter ended the answer",
}


def unsure(why: str, helpers: str) -> str:
    """Returns how an answer says that it may be wrong.

    Args:
        why: "nothing", "weak", "length" or "filter".
        helpers: Id of the role that knows more, "" for none.
    """
    who = f" <@&{helpers}> may know more." if helpers else " Please check it."
    return f"-# {_DOUBTS[why]}, so I am not sure.{who}"
