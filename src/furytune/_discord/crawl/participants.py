"""Decides by ids and roles whose messages are collected."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from furytune._discord.api.background import LOG
from furytune._discord.api.failures import WrongAnswerError
from furytune._discord.api.session import Session
from furytune._discord.crawl.member_roles import Roster
from furytune._discord.journal.messages import Reference
from furytune._discord.journal.store import Forgotten, People, Withheld
from furytune._privacy.consent import Consent
from furytune.errors import DiscordForbiddenError

__all__ = ["Participants"]

Json = dict[str, Any]


class Participants:
    """Decides about authors; asks for the roles of each at most once.

    Args:
        session: Open.
        guild: Id of the server.
        roles: Its roles, names by ids.
        consent: The rules, with role ids.
        forgotten: Who and what is never collected.

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
        """For how many authors the roles were asked for one by one."""
        return 0 if self.listed else len(self._members)

    async def load(self) -> None:
        """Lists all members at once, where the bot may and the list can be true.

        A list that lacks somebody would say that they left, and with them their role to opt out.
        """
        try:
            async for page in self._session.members(self._guild):
                self._members.extend((str(m["user"]["id"]), _roles(m)) for m in page)
        except DiscordForbiddenError:
            return
        except WrongAnswerError as error:
            self._members = Roster()
            LOG.warning("%s; roles are asked for one by one where they matter", error)
            return
        self.listed = True

    async def meet(self, authors: Iterable[str]) -> None:
        """Learns the roles of authors, with one request for each, where roles matter and no list was available."""
        wanted = set(authors)
        self._seen |= wanted
        if self.listed or not self._consent.needs_roles or all(author in self._members for author in wanted):
            return
        # This also waits for authors whom another channel is asking about.
        async with self._asking:
            for author in sorted((a for a in wanted if a not in self._members), key=int):
                member = await self._session.member(self._guild, author)
                if member is None:
                    self._absent.add(author)
                self._members[author] = _roles(member) if member is not None else ()

    def masked(self, line: bytes) -> bytes:
        """Returns a line of a log without the ids of forgotten people, and without quotes of forgotten messages."""
        return self._forgotten.masked(line)

    def refusal(self, author: str, message: str, *, bot: bool) -> str:
        """Returns why a message is not collected, "" if it is; its author's roles are known (see `meet`)."""
        if message in self._forgotten.messages:
            return "forgotten"
        why = self._refusals.get((author, bot))
        if why is None:
            roles = self._members.get(author, ())
            forgotten = self._forgotten.has(author, "")
            why = "forgotten" if forgotten else self._consent.refusal(author, roles, bot=bot)
            self._refusals[author, bot] = why
        return why

    @property
    def restricted(self) -> bool:
        """True if there is anyone whose messages are not collected."""
        return self._consent != Consent() or bool(self._forgotten.people or self._forgotten.messages)

    def withhold(self, messages: Withheld) -> None:
        """Sets which messages are left out of the journal for their authors' sake, and why each."""
        self._withheld = messages

    def read(self, channels: Collection[str]) -> None:
        """Sets which channels are read, so that the authors there are known."""
        self._read = channels

    def refusal_of_copy(self, original: Reference) -> str:
        """Returns why the copy of a message is not collected, "" if it is.

        Discord does not say whose words a copy holds. Where people may opt out or in, a copy from a channel that is
        not read is left out.
        """
        self.copies += 1
        message = original.message_id or ""
        if message in self._forgotten.messages:
            return "forgotten"
        if self._consent != Consent() and original.channel_id not in self._read:
            return "unknown_author"
        return self._withheld.get(message, "")

    def left(self, author: str) -> bool:
        """Returns True for someone who is known to have left the server, and with it the roles there."""
        return author in self._absent or (self.listed and author not in self._members)

    async def leaving(self, authors: Iterable[str]) -> dict[str, str]:
        """Returns which of the people in the journal must be taken out of it, and why."""
        held = {*authors, *self._consent.opt_out}
        await self.meet(held)
        found = {author: self.refusal(author, "", bot=False) for author in sorted(held)}
        return {author: why for author, why in found.items() if why}

    def as_people(self, before: People) -> People:
        """Returns what the journal records about roles.

        Args:
            before: What it recorded so far.
        """
        seen = self._seen | before.members.keys()
        known = {a: self._members.get(a, before.members.get(a, ())) for a in seen}
        return People(
            roles=dict(sorted(self._roles.items())),
            members={a: known[a] for a in sorted(known, key=int) if not self.refusal(a, "", bot=False)},
        )


def _roles(member: Json) -> tuple[str, ...]:
    return tuple(sorted(map(str, member.get("roles") or ())))
