"""Decides which posts may be stored, and removes the others from a thread."""

from __future__ import annotations

import re

import msgspec
from attrs import frozen

from furytune._discord.journal.state import Forgotten
from furytune._forums.shapes import BOT, Entry, Thread
from furytune._privacy.consent import Consent
from furytune.pairing.markdown import MENTION, PROFILE

__all__ = ["Participants", "is_bot", "marks"]

_GHOST = "ghost"
"""The account that GitHub shows for people who are gone."""


def is_bot(entry: Entry) -> bool:
    """Returns True for a post of a program."""
    return entry.kind == BOT or entry.login.endswith("[bot]")


def marks(login: str, user: int) -> tuple[str, ...]:
    """Returns the words under which a person is forgotten: the account's name and, if it is known, its number."""
    return tuple(filter(None, (f"@{login.casefold()}" if login else "", str(user) if user else "")))


@frozen
class Participants:
    """Who takes part.

    Args:
        consent: Whose posts are collected.
        forgotten: Who and what must never be collected again.
    """

    consent: Consent
    forgotten: Forgotten

    def kept(self, thread: Thread) -> Thread:
        """Returns a thread without the words of people who do not take part. A thread that is unchanged is the same object."""
        posts = tuple(map(self._kept, thread.posts))
        title = "" if posts and posts[0].gone else self._masked(thread.title)
        if posts == thread.posts and title == thread.title:
            return thread
        return msgspec.structs.replace(thread, posts=posts, title=title)

    def _kept(self, entry: Entry) -> Entry:
        if entry.gone:
            return entry
        why = self._refusal(entry)
        if why:
            return Entry(entry.id, entry.created, parent=entry.parent, accepted=entry.accepted, gone=why)
        body = self._masked(entry.body)
        return entry if body == entry.body else msgspec.structs.replace(entry, body=body)

    def _refusal(self, entry: Entry) -> str:
        known = marks(entry.login, entry.user)
        if any(self.forgotten.has(mark, entry.id) for mark in known or ("",)):
            return "forgotten"
        account = f"@{entry.login.casefold()}" if entry.login else ""
        user = str(entry.user) if entry.user else ""
        return self.consent.refusal(user, entry.roles, bot=is_bot(entry), account=account)

    def _masked(self, text: str) -> str:
        """Returns a text in which forgotten people are called "ghost", also in code."""
        if not self.forgotten.people:
            return text

        def mask(found: re.Match[str]) -> str:
            if not self.forgotten.has(f"@{found['login'].casefold()}", ""):
                return found[0]
            return found[0].replace(found["login"], _GHOST)

        return PROFILE.sub(mask, MENTION.sub(mask, text)) if "@" in text or "://" in text else text
