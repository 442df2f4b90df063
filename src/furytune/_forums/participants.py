"""Decides which posts may be stored, and removes the others from a thread."""

from __future__ import annotations

import msgspec
from attrs import frozen

from furytune._forums.platforms import platform_of
from furytune._forums.shapes import BOT, Entry, Thread
from furytune._privacy.consent import Consent
from furytune._privacy.forgotten import Forgotten

__all__ = ["Participants", "is_bot", "marks"]


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
        platform: Whose texts these are, such as "github".
    """

    consent: Consent
    forgotten: Forgotten
    platform: str = "github"

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
        if entry.shared and self.consent.selective:
            return "not_opted_in"  # anyone may have written it
        account = f"@{entry.login.casefold()}" if entry.login else ""
        user = str(entry.user) if entry.user else ""
        return self.consent.refusal(user, entry.roles, bot=is_bot(entry), account=account)

    def _masked(self, text: str) -> str:
        """Returns a text without the words and names of people who do not take part, as far as the text says whose they are.

        Forgotten people are called "ghost". Where the platform says whom a quotation quotes, the quotation goes too.
        """
        form = platform_of(self.platform)
        if form.unquoted is not None:
            text = form.unquoted(text, self._silent)
        return form.without_people(text, self._is_forgotten) if self.forgotten.people else text

    def _is_forgotten(self, login: str) -> bool:
        return self.forgotten.has(f"@{login}", "")

    def _silent(self, login: str) -> bool:
        account = f"@{login}"
        return self._is_forgotten(login) or bool(self.consent.refusal("", (), account=account))
