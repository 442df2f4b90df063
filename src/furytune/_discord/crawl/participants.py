"""Decides whose messages are collected, by ids and roles."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from furytune._discord.api.background import LOG
from furytune._discord.api.failures import WrongAnswerError
from furytune._discord.api.session import Session
from furytune._discord.crawl.member_roles import Roster
from furytune._discord.journal.messages import Reference, masked
from furytune._discord.journal.store import People, Withheld
from furytune._privacy.consent import Consent
from furytune._privacy.forgotten import Forgotten
from furytune.errors import DiscordForbiddenError

__all__ = ["Participants"]

Json = dict[str, Any]


class Participants:
    """Decides whose messages are collected; requests the roles of each author at most once.

    Args:
        session: An open session.
        guild: Id of the server.
        roles: Names of the server's roles by their ids.
        consent: The rules, with role ids.
        forgotten: Who and what must never be collected.

    Attributes:
        listed: Whether all members could be listed.
        copies: How many forwarded messages were checked.
    """

    def __init__(
        self, session: Session, guild: str, roles: dict[str, str], consent: Consent, forgotten: Forgotten
    ) -> None:
        self.listed = False
        self._session = session
        self._guild = guild
        self._roles = roles
        self._consent = consent
        self._forgotten = forgotten
        self._members = Roster()
        self._absent: set[str] = set()
        self._seen: set[str] = set()
        self._refusals: dict[tuple[str, bool], str] = {}
        self._asking = asyncio.Lock()
        self._withheld = Withheld()
        self._read: Collection[str] = ()
        self.copies = 0

    @property
    def asked(self) -> int:
        """How many authors' roles were requested one by one."""
        return 0 if self.listed else len(self._members)

    async def load(self) -> None:
        """Lists all members at once, if the bot may and the list can be correct.

        A member who is missing from a wrong list would look like someone who left, without the role to opt out.
        """
        try:
            async for page in self._session.members(self._guild):
                self._members.extend((str(m["user"]["id"]), _roles(m)) for m in page)
        except DiscordForbiddenError:
            return
        except WrongAnswerError as error:
            # A partial list would make members look like people who left.
            self._members = Roster()
            LOG.warning("%s; roles are requested one by one where they matter", error)
            return
        self.listed = True

    async def meet(self, authors: Iterable[str]) -> None:
        """Requests the roles of authors one by one, if roles matter and no list was available."""
        wanted = set(authors)
        self._seen |= wanted
        if self.listed or not self._consent.needs_roles or all(author in self._members for author in wanted):
            return
        # The lock also waits for authors that another channel is asking about.
        async with self._asking:
            for author in sorted((a for a in wanted if a not in self._members), key=int):
                member = await self._session.member(self._guild, author)
                if member is None:
                    self._absent.add(author)
                self._members[author] = _roles(member) if member is not None else ()

    def masked(self, line: bytes) -> bytes:
        """Returns a line of a log without the ids of forgotten people, and without quotes of forgotten messages."""
        return masked(line, self._forgotten)

    def refusal(self, author: str, message: str, *, bot: bool) -> str:
        """Returns why a message is not collected, "" if it is. Call `meet` with its author before."""
        if message in self._forgotten.messages:
            return "forgotten"
        # The same few people write most messages, so the answer is kept.
        why = self._refusals.get((author, bot))
        if why is None:
            roles = self._members.get(author, ())
            forgotten = self._forgotten.has(author, "")
            why = "forgotten" if forgotten else self._consent.refusal(author, roles, bot=bot)
            self._refusals[author, bot] = why
        return why

    @property
    def restricted(self) -> bool:
        """True if someone's messages are not collected."""
        return self._consent != Consent() or bool(self._forgotten.people or self._forgotten.messages)

    def withhold(self, messages: Withheld) -> None:
        """Sets which messages the journal withholds for their authors, with the reasons."""
        self._withheld = messages

    def read(self, channels: Collection[str]) -> None:
        """Sets which channels are read; the authors of their messages are known."""
        self._read = channels

    def refusal_of_copy(self, original: Reference) -> str:
        """Returns why the copy of a message is not collected, "" if it is.

        Discord does not say who wrote the original. If people may opt out or in, a copy from a channel that is not read
        is left out.
        """
        self.copies += 1
        message = original.message_id or ""
        if message in self._forgotten.messages:
            return "forgotten"
        # The author of a message elsewhere is unknown, and may have opted out.
        if self._consent != Consent() and original.channel_id not in self._read:
            return "unknown_author"
        return self._withheld.get(message, "")

    def left(self, author: str) -> bool:
        """Returns True for someone who is known to have left the server, and so lost all roles there."""
        return author in self._absent or (self.listed and author not in self._members)

    async def leaving(self, authors: Iterable[str]) -> dict[str, str]:
        """Returns which people in the journal no longer take part, with the reasons."""
        # People who opted out by id may have messages in the journal from before.
        held = {*authors, *self._consent.opt_out}
        await self.meet(held)
        found = {author: self.refusal(author, "", bot=False) for author in sorted(held)}
        return {author: why for author, why in found.items() if why}

    def as_people(self, before: People) -> People:
        """Returns what the journal stores about roles.

        Args:
            before: What it has stored so far.
        """
        seen = self._seen | before.members.keys()
        known = {a: self._members.get(a, before.members.get(a, ())) for a in seen}
        return People(
            roles=dict(sorted(self._roles.items())),
            members={a: known[a] for a in sorted(known, key=int) if not self.refusal(a, "", bot=False)},
        )


def _roles(member: Json) -> tuple[str, ...]:
    return tuple(sorted(map(str, member.get("roles") or ())))
