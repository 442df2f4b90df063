"""Defines a link between two messages: who answers whom."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Link"]


@frozen
class Link:
    """What a message answers.

    Attributes:
        message: Id of the message.
        parent: Id of the earlier message that it answers or continues; "" if it starts a conversation.
        confidence: How sure that is, between 0 and 1. A native reply has 1.
        native: True if the platform says so, False if a model found it.
    """

    message: str
    parent: str
    confidence: float
    native: bool = False
