"""Makes pairs from threads: the accepted answer is certain, and without one the pairers choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import attrs
from attrs import frozen

from furytune import pairing
from furytune._forums.participants import is_bot
from furytune._forums.platforms import platform_of
from furytune._forums.shapes import ACTION, Category, Entry, Thread
from furytune._privacy.pseudonyms import Pseudonyms
from furytune._readers.limits import Limits, over
from furytune.errors import ConfigError, ConservationError
from furytune.pairing import Conversation, Pairer, Post, titled
from furytune.records import Attachment, Author, Dropped, Evidence, Message, QAPair, Source

__all__ = ["Forum", "ForumPairing"]


@frozen
class Forum:
    """Where threads come from.

    Attributes:
        platform: "github" or "discourse".
        site: The repository, or the address of the forum.
        categories: Its categories by id.
    """

    platform: str
    site: str
    categories: dict[str, Category]

    def place(self, thread: Thread, path: str) -> Source:
        """Returns where a thread is."""
        category = self.categories.get(thread.category)
        return Source(
            path=path,
            guild=self.site,
            channel=thread.category,
            thread=thread.id,
            channel_name=category.name if category else "",
        )


@frozen
class ForumPairing:
    """Settings that say how threads become pairs.

    Args:
        pairers: Methods to find pairs with; None means the accepted answer, and `ChatPairer` where there is none.
        author_key: Key of the pseudonyms.
        include_bots: Whether bots may ask and answer.
        limits: Limits of each post and pair.
    """

    pairers: tuple[Pairer, ...] | None
    author_key: bytes | None
    include_bots: bool
    limits: Limits = Limits()

    def pairs(self, threads: Iterable[tuple[Thread, str]], forum: Forum) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops, thread by thread.

        Args:
            threads: Threads with the names of their files.
            forum: Where they come from.

        Raises:
            ConservationError: A pairer lost or invented posts.
        """
        if self.pairers is not None and not self.pairers:
            raise ConfigError("pairers is empty; leave it out, or name at least one")
        pairers = self.pairers or (pairing.ChatPairer(),)
        names = Pseudonyms(self.author_key)
        for thread, path in threads:
            source = forum.place(thread, path)
            posts = [self._post(entry, thread, names, forum, path) for entry in thread.posts]
            place = Conversation(
                guild=source.guild,
                channel=source.channel,
                thread=thread.id,
                is_thread=True,
                platform=forum.platform,
                tags=thread.labels,
                # Without its opening post, a thread has answers and no question.
                opening_missing=not posts or bool(posts[0].drop),
                channel_name=source.channel_name,
            )
            came_out = 0
            for item in self._paired(posts, place, pairers):
                if isinstance(item, QAPair):
                    came_out += len(item.question_messages) + len(item.answer_messages)
                    # Numbers of threads begin with 1 in every forum.
                    item = attrs.evolve(item, group=f"{forum.platform}:{forum.site}#{thread.id}")  # noqa: PLW2901
                    yield self.limits.bounded(item)
                else:
                    came_out += item.count if item.unit == "message" else 0
                    yield attrs.evolve(item, source=source) if item.unit == "message" else item
            if came_out != len(posts):
                raise ConservationError(
                    f"{path}: {len(posts)} posts of thread {thread.id} went in, {came_out} came out"
                )
            if thread.unread:
                yield Dropped(
                    reason="after_window",
                    unit="message",
                    count=thread.unread,
                    where=thread.id,
                    detail="the discussion has more comments than are read",
                    source=source,
                )

    def _paired(
        self, posts: list[Post], place: Conversation, pairers: tuple[Pairer, ...]
    ) -> Iterator[QAPair | Dropped]:
        if self.pairers is None and any(post.solved for post in posts):
            yield from _accepted(posts, place)
            return
        pairer = next((p for p in pairers if p.fits(place)), None)
        if pairer is not None:
            yield from pairer.pair(iter(posts), place)
        elif posts:
            yield Dropped(reason="no_pairer", unit="message", count=len(posts), where=place.thread)

    def _post(self, entry: Entry, thread: Thread, names: Pseudonyms, forum: Forum, path: str) -> Post:
        """Returns a post as pairing sees it."""
        opens = entry is thread.posts[0]
        created = _moment(entry.created)
        drop = self._left_out(entry)
        if not drop and created is None:
            drop = "invalid_message"
        text, mentions, images = "", dict[str, None](), 0
        if not drop:
            read = platform_of(forum.platform).read
            said = read(entry.body, reply=not opens)
            text, images = said.text, said.images
            mentions.update(dict.fromkeys(said.logins))
            if opens:
                title = read(thread.title)
                text = titled(title.text, text)
                mentions.update(dict.fromkeys(title.logins))
        return Post(
            entry.id,
            names[_speaker(entry, forum)],
            text,
            entry.parent or None,
            created,
            entry.accepted,
            drop,
            path,
            _moment(entry.edited),
            (entry.login,) if entry.login else (),
            tuple(names[f"{forum.platform}:@{login}"] for login in mentions),
            images,
            entry.roles,
        )

    def _left_out(self, entry: Entry) -> str:
        """Returns why a post must not be used; "" if it may."""
        if entry.gone:
            return entry.gone
        if entry.kind == ACTION:
            return "system"
        if entry.hidden:
            return "hidden"
        if is_bot(entry) and not self.include_bots:
            return "bot"
        return "message_too_long" if over(self.limits.message, entry.body) else ""

    def messages(self, threads: Iterable[tuple[Thread, str]], forum: Forum) -> Iterator[Message]:
        """Yields the posts of threads as messages, without those that are gone."""
        names = Pseudonyms(self.author_key)
        read = platform_of(forum.platform).read
        for thread, path in threads:
            source = forum.place(thread, path)
            for entry in thread.posts:
                if entry.gone or entry.kind == ACTION:
                    continue
                said = read(entry.body, reply=entry is not thread.posts[0])
                yield Message(
                    id=entry.id,
                    author=Author(
                        pseudonym=names[_speaker(entry, forum)], is_bot=is_bot(entry), roles=entry.roles
                    ),
                    content=said.text,
                    sent_at=_moment(entry.created),
                    edited_at=_moment(entry.edited),
                    type="Reply" if entry.parent else "Default",
                    reply_to=entry.parent or None,
                    channel=thread.id,
                    attachments=(Attachment(name="image"),) * said.images,
                    reactions=(("upvote", entry.upvotes),) if entry.upvotes else (),
                    source=source,
                )


def _accepted(posts: list[Post], place: Conversation) -> Iterator[QAPair | Dropped]:
    """Yields the pair of opening post and accepted answer, and drops the rest.

    Someone said that this comment answers the discussion. If it cannot be used, no other comment takes its place.
    """
    opening = posts[0]
    at = next(number for number, post in enumerate(posts) if post.solved)
    answer = posts[at]
    used = not any(post.drop or not post.text.strip() for post in (opening, answer)) and at > 0
    if used:
        evidence: tuple[Evidence, ...] = ("thread", "solution_mark")
        if answer.speaker == opening.speaker:
            evidence = (*evidence, "self_answer")
        yield place.pair(
            [[opening]], [answer], uid=opening.id, group=place.thread, method="thread", evidence=evidence
        )
    lost = "no_question_text" if opening.drop or not opening.text.strip() else "no_answer"
    counts: dict[str, list[str]] = {}
    for number, post in enumerate(posts):
        if used and post in (opening, answer):
            continue
        why = post.drop or ("" if post.text.strip() else "empty")
        rest = ("before_answer" if number < at else "after_answer") if used else lost
        counts.setdefault(why or rest, []).append(post.id)
    for reason, ids in sorted(counts.items()):
        yield Dropped(reason=reason, unit="message", count=len(ids), ids=tuple(ids[:20]), where=place.thread)


def _speaker(entry: Entry, forum: Forum) -> str:
    # Accounts that were deleted have no name, and two of them are not the same person.
    return f"{forum.platform}:@{entry.login.casefold()}" if entry.login else f"{forum.platform}:{entry.id}"


def _moment(text: str) -> datetime | None:
    """Returns a time of the platform, None if it is not one."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
