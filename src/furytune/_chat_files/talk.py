"""Turns the messages of one channel or thread into the posts that pairing reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from attrs import evolve, frozen

from furytune._channels.pairing import Bridges, conversation
from furytune._chat_files.said import Archive, Person, Said, Thread, moment
from furytune._privacy.consent import Consent
from furytune._privacy.pseudonyms import Pseudonyms
from furytune._readers.limits import Limits, over
from furytune._values.copies import Sayings
from furytune.pairing import Post
from furytune.pairing.titles import titled
from furytune.records import Attachment, Author, Message, Source

__all__ = ["Crowd", "Talk"]

_MENTION = re.compile(r"<@([0-9]{1,20})>")
_NO_ONE = Person()


@frozen
class Crowd:
    """The people of an export, and who of them takes part.

    Args:
        people: Everyone who is listed in the export, by number.
        aliases: Other numbers of people.
        consent: The rules.
        names: Pseudonyms.
        everyone: True without any rule.
    """

    people: Mapping[str, Person]
    aliases: Mapping[str, str]
    consent: Consent
    names: Pseudonyms
    everyone: bool

    @classmethod
    def of(cls, archive: Archive, consent: Consent, names: Pseudonyms) -> Crowd:
        """Returns the people of an export.

        Raises:
            ConfigError: The rules name a role that no one in the export has.
        """
        known = {role: role for person in archive.people.values() for role in person.roles}
        rules = consent.resolved(known) if consent.needs_roles else consent
        return cls(archive.people, archive.aliases, rules, names, consent == Consent())

    def refusal(self, said: Said) -> str:
        """Returns why a message is withheld, or ""."""
        if self.everyone:
            return ""
        why = self._of(said.author, bot=said.bot)
        return why or (self._of(said.words_of, bot=False) if said.words_of else "")

    def _of(self, author: str, *, bot: bool) -> str:
        return self.consent.refusal(author, self.people.get(author, _NO_ONE).roles, bot=bot)

    def roles(self, said: Said) -> tuple[str, ...] | None:
        """Returns the roles of who wrote a message; None if the export does not list the person."""
        person = self.people.get(said.author)
        return None if person is None else person.roles

    def mentioned(self, text: str) -> tuple[str, ...]:
        """Returns the pseudonyms of those whom a text mentions."""
        if "<@" not in text:
            return ()
        found = (self.aliases.get(uid, uid) for uid in _MENTION.findall(text))
        return tuple(dict.fromkeys(self.names[uid] for uid in found))


class Talk:
    """The posts of one channel or thread; can be read once.

    Attributes:
        channel: The channel or thread.
        name: The name that errors use.
        count: How many messages were read.
        usable: How many of them are not left out.
        limits: Limits of each message and pair.
        sayings: What bots have said so far.
    """

    def __init__(
        self,
        thread: Thread,
        messages: Iterator[Said],
        name: str,
        crowd: Crowd,
        limits: Limits,
        *,
        include_bots: bool,
        sayings: Sayings,
    ) -> None:
        self.channel = thread.channel
        self.name = name
        self.count = 0
        self.usable = 0
        self.limits = limits
        self.sayings = sayings
        self._title = thread.title
        self._messages = messages
        self._crowd = crowd
        self._include_bots = include_bots
        self._bridges = Bridges()
        self._roles: dict[tuple[str, ...] | None, tuple[str, ...] | None] = {}

    def __iter__(self) -> Iterator[Post]:
        for said in self._messages:
            self.count += 1
            post = self._post(said, self._crowd.refusal(said))
            self.usable += not post.drop
            yield post

    def _post(self, said: Said, drop: str) -> Post:
        text = said.text
        # The first person in a topic chose its title. If that person is withheld, so is the title.
        if self._title and not said.bot:
            text = text if drop else titled(self._title, text)
            self._title = ""
        drop = drop or said.drop
        if not drop and over(self.limits.message, text):
            drop = "message_too_long"
        speaker = said.author
        if said.bot and said.voice and self._bridges.speaks(said.author, said.voice):
            speaker = f"{said.author}/{said.voice}"
        elif said.bot and not self._include_bots and not drop:
            drop = "bot"
            self.sayings.add(text, moment(said.at).timestamp())
        if drop:
            text = ""
        crowd = self._crowd
        names = said.names or crowd.people.get(said.author, _NO_ONE).names
        roles = crowd.roles(said)
        return Post(
            said.id,
            crowd.names[speaker],
            text,
            said.reply_to or None,
            moment(said.at),
            said.solved,
            drop,
            said.path,
            moment(said.edited) if said.edited else None,
            (said.voice, *names) if said.voice else names,
            crowd.mentioned(text),
            len(said.files),
            self._roles.setdefault(roles, roles),
        )

    def views(self, on_withheld: Callable[[Said, str], None]) -> Iterator[Message]:
        """Yields the public view of each message.

        Args:
            on_withheld: Called with each message that is withheld, and the reason.
        """
        place = conversation(self.channel).source
        sources: dict[str, Source] = {}
        for said in self._messages:
            self.count += 1
            if why := self._crowd.refusal(said):
                on_withheld(said, why)
                continue
            source = sources.get(said.path) or sources.setdefault(said.path, evolve(place, path=said.path))
            yield self._view(said, source)

    def _view(self, said: Said, source: Source) -> Message:
        return Message(
            id=said.id,
            author=Author(
                pseudonym=self._crowd.names[said.author], is_bot=said.bot, roles=self._crowd.roles(said) or ()
            ),
            content=said.text,
            sent_at=moment(said.at),
            edited_at=moment(said.edited) if said.edited else None,
            type=said.kind or "Default",
            reply_to=said.reply_to or None,
            channel=self.channel.id,
            attachments=tuple(Attachment(name=name) for name in said.files),
            reactions=said.reactions,
            pinned=said.pinned,
            forwarded=bool(said.words_of),
            source=source,
        )
