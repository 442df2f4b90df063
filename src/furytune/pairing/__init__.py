"""Makes question-answer pairs out of chat messages.

Pairing is pure and knows no platform. A collector turns its messages into `Post` values, in order of time, and gives
those of one conversation to the first pairer that fits it. Every post is in a pair or counted in a `Dropped`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from furytune.pairing.asking import last_question
from furytune.pairing.discourse import discourse_text
from furytune.pairing.links import Link
from furytune.pairing.markdown import forum_question, forum_text
from furytune.pairing.posts import Conversation, Pairer, Post
from furytune.pairing.questions import is_question
from furytune.pairing.replies import ReplyPairer
from furytune.pairing.threads import ThreadPairer
from furytune.pairing.titles import titled

if TYPE_CHECKING:
    from furytune.pairing.chat import ChatPairer
    from furytune.pairing.linking import Linker

__all__ = [
    "ChatPairer",
    "Conversation",
    "Link",
    "Linker",
    "Pairer",
    "Post",
    "ReplyPairer",
    "ThreadPairer",
    "discourse_text",
    "forum_question",
    "forum_text",
    "is_question",
    "last_question",
    "titled",
]


def __getattr__(name: str) -> Any:
    # Only pairing needs numpy. A bot that imports `titled` or loads a contract starts without it.
    if name == "ChatPairer":
        from furytune.pairing.chat import ChatPairer

        return ChatPairer
    if name == "Linker":
        from furytune.pairing.linking import Linker

        return Linker
    raise AttributeError(f"module 'furytune.pairing' has no attribute {name!r}")
