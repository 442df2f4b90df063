"""Reads the topics of a Discourse forum."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from attrs import define, field

from furytune._forums.answers import converted
from furytune._forums.discourse.client import Discourse, NotThereError
from furytune._forums.discourse.topics import Tags, Topic, as_thread, tag_names
from furytune._forums.journal import Lost
from furytune._forums.shapes import Category, Thread
from furytune._forums.sync import Listing
from furytune.errors import ForumError

__all__ = ["MOST_POSTS", "DiscourseReader"]

MOST_POSTS = 2_000
"""Most posts of a topic that are read; it is in memory at once."""

_GROUP = 10  # topics that are committed together
_CHUNK = 20  # posts in a request, as many as Discourse's own pages ask for
_PAGES = 50_000  # of a list; a list with more is taken for one that never ends
_STALE = 3  # pages without a new topic: a list moves while it is read, but not that much


@define
class DiscourseReader:
    """A forum.

    Args:
        discourse: The connection.
        tags: Names of tags in lower case; only topics with one of them are read. Empty means all.
    """

    discourse: Discourse
    tags: frozenset[str] = frozenset()
    _totals: dict[str, int] = field(factory=dict, init=False)
    _about: set[int] = field(factory=set, init=False)
    _bumped: dict[int, str] = field(factory=dict, init=False)

    def categories(self) -> list[Category]:
        """Returns the categories of the forum.

        Someone can accept an answer in those that the plugin Solved names. If it names none, it is switched on for all topics or
        by tags, or the forum does not have it, and all categories count.

        Raises:
            ForumError: See `Discourse.page`.
        """
        doing = "listing the categories"
        site = converted(self._page("/site.json", (), doing), _Site, doing)
        found = site.categories
        if site.lazy_load_categories or not found:
            found = self._by_page(doing)
        for one in found:
            self._totals[str(one.id)] = sys.maxsize if self.tags else one.topic_count
            if one.topic_url and (number := one.topic_url.rpartition("/")[2]).isdecimal():
                self._about.add(int(number))
        solved = any(one.solved for one in found)
        return [
            Category(
                str(one.id),
                one.name,
                one.slug or "",
                answerable=one.solved or not solved or bool(self.tags),
                private=bool(one.read_restricted),
            )
            for one in found
        ]

    def _by_page(self, doing: str) -> list[_Category]:
        """Returns the categories of a forum that has too many for one page."""
        found: dict[int, _Category] = {}
        for page in range(1, _PAGES):
            query = (("include_subcategories", "true"), ("page", str(page)))
            said = converted(self._page("/categories.json", query, doing), _Categories, doing)
            left = list(said.category_list.categories)
            before = len(found)
            while left:
                one = left.pop()
                found[one.id] = one
                left += one.subcategory_list or ()
            if len(found) == before:
                break
        return [found[number] for number in sorted(found)]

    def listing(self, category: Category, until: str) -> Listing:
        """Lists the topics of a category, the last changed first, down to a time.

        Raises:
            ForumError: See `Discourse.page`.
        """
        doing = f"listing the topics of {category.slug or category.id}"
        found: dict[int, str] = {}
        seen, stale = set[int](), 0
        total = self._totals.get(category.id, 0)
        for number in range(_PAGES):
            query = [
                ("category", category.id),
                ("no_subcategories", "true"),
                ("order", "activity"),
                ("page", str(number)),
                *(("tags[]", tag) for tag in sorted(self.tags)),
            ]
            page = converted(self._page("/latest.json", query, doing), _Latest, doing).topic_list
            stale = 0 if any(topic.id not in seen for topic in page.topics) else stale + 1
            seen.update(topic.id for topic in page.topics)
            for topic in page.topics:
                if topic.visible is not False and topic.id not in self._about and self._wanted(topic.tags):
                    # A topic that changes meanwhile is listed twice, and the later time counts.
                    found[topic.id] = max(topic.bumped_at, found.get(topic.id, ""))
            self._bumped |= found
            if not page.more_topics_url or not page.topics:
                return Listing(found, total, complete=True)
            last = page.topics[-1]
            # Pinned topics are listed first, whatever their age.
            if until and not (last.pinned or last.pinned_globally) and last.bumped_at < until:
                return Listing(found, total, complete=False)
            if stale == _STALE:
                break
        raise ForumError(f"{doing}: the forum gave pages without an end; run again later")

    def _wanted(self, tags: Tags | None) -> bool:
        return not self.tags or any(tag.casefold() in self.tags for tag in tag_names(tags))

    def threads(self, numbers: Sequence[int]) -> Iterator[list[Thread | Lost]]:
        """Yields groups of topics, in the order of the numbers.

        Raises:
            ForumError: See `Discourse.page`.
        """
        for at in range(0, len(numbers), _GROUP):
            yield [self._topic(number) for number in numbers[at : at + _GROUP]]

    def _topic(self, number: int) -> Thread | Lost:
        doing = f"reading topic {number}"
        try:
            said = self.discourse.page(f"/t/{number}.json", [("include_raw", "1")], doing)
            found = converted(said, Topic, doing)
            posts, unread = self._posts(found, doing)
        except NotThereError as error:
            if error.status == 403:
                # The topic may be private now; but a key that was revoked must not empty the journal.
                self._page("/site.json", (), doing)
            return Lost(str(number), "deleted")
        if found.id != number:
            raise ForumError(f"{doing}: the forum gave topic {found.id} instead; run again later")
        shown = found.visible is not False and found.archetype == "regular" and not found.deleted_at
        if not shown or not self._wanted(found.tags):
            return Lost(str(number), "deleted")
        if (
            not any(isinstance(post, dict) and ("raw" in post or post.get("hidden")) for post in posts)
            and posts
        ):
            raise ForumError(
                f"{doing}: the forum gives posts without their Markdown to this reader; give a key= that may read topics"
            )
        updated = self._bumped.get(number) or found.last_posted_at or ""
        return as_thread(found, posts, self.discourse.site, updated, unread)

    def _posts(self, found: Topic, doing: str) -> tuple[list[Any], int]:
        """Returns the posts in order, and how many were not read."""
        first = found.post_stream.posts
        have = {
            post["id"]: post for post in first if isinstance(post, dict) and isinstance(post.get("id"), int)
        }
        if found.post_stream.stream is None:
            return first, max(0, found.posts_count - len(first))
        ids = found.post_stream.stream[:MOST_POSTS]
        missing = [uid for uid in ids if uid not in have]
        for at in range(0, len(missing), _CHUNK):
            asked = [("post_ids[]", str(uid)) for uid in missing[at : at + _CHUNK]]
            said = self.discourse.page(f"/t/{found.id}/posts.json", [*asked, ("include_raw", "1")], doing)
            for post in converted(said, _More, doing).post_stream.posts:
                if isinstance(post, dict) and isinstance(post.get("id"), int):
                    have[post["id"]] = post
        # A post that was deleted meanwhile is not there.
        return [have[uid] for uid in ids if uid in have], len(found.post_stream.stream) - len(ids)

    def _page(self, path: str, query: Sequence[tuple[str, str]], doing: str) -> Any:
        try:
            return self.discourse.page(path, query, doing)
        except NotThereError as error:
            raise self.discourse.refused(error.status, doing) from None


class _Category(msgspec.Struct):
    id: int
    name: str
    slug: str | None = ""
    topic_count: int = 0
    topic_url: str | None = None
    read_restricted: bool | None = False
    custom_fields: dict[str, Any] | None = None
    subcategory_list: list[_Category] | None = None

    @property
    def solved(self) -> bool:
        """True if the plugin Solved is switched on for the category."""
        return (self.custom_fields or {}).get("enable_accepted_answers") in ("true", True)


class _Site(msgspec.Struct):
    categories: list[_Category] = []
    lazy_load_categories: bool | None = False


class _CategoryList(msgspec.Struct):
    categories: list[_Category] = []


class _Categories(msgspec.Struct):
    category_list: _CategoryList


class _Listed(msgspec.Struct):
    id: int
    bumped_at: str
    visible: bool | None = True
    pinned: bool | None = False
    pinned_globally: bool | None = False
    tags: Tags | None = None


class _TopicList(msgspec.Struct):
    topics: list[_Listed] = []
    more_topics_url: str | None = None


class _Latest(msgspec.Struct):
    topic_list: _TopicList


class _Posts(msgspec.Struct):
    posts: list[Any] = []


class _More(msgspec.Struct):
    post_stream: _Posts
