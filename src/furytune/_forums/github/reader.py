"""Reads the discussions of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from attrs import define

from furytune._forums.answers import converted
from furytune._forums.github.client import CursorError, GitHub, Result, TooMuchError
from furytune._forums.github.discussions import Comments, Discussion, PageInfo, Replies, as_thread
from furytune._forums.github.queries import CATEGORIES, COMMENTS, LISTING, REPLIES, reading
from furytune._forums.journal import Lost
from furytune._forums.shapes import Category, Thread
from furytune._forums.sync import Listing
from furytune.errors import ForumError

__all__ = ["MOST_POSTS", "GitHubReader"]

MOST_POSTS = 2_000
"""Most posts of a discussion that are read; it is in memory at once."""

_GROUP = 20  # discussions in one query: about 6 of the 5,000 points that an hour has
_AGAIN = 3


class _Moved(Exception):  # noqa: N818  # never leaves this module
    """A discussion or comment is no longer there, or its pages have changed."""


@define
class GitHubReader:
    """A repository.

    Args:
        github: The connection.
        owner: Who owns it.
        name: Its name.
    """

    github: GitHub
    owner: str
    name: str
    _group: int = _GROUP

    def categories(self) -> list[Category]:
        """Returns the categories of the repository.

        Raises:
            ForumError: See `GitHub.ask`; or there are no discussions.
        """
        doing = "listing the categories"
        repository = self._repository(self._ask(CATEGORIES, {}, doing), doing)
        if not repository.get("hasDiscussionsEnabled"):
            raise ForumError(f"{self.owner}/{self.name}: this repository has no discussions; check its name")
        nodes = converted(repository["discussionCategories"]["nodes"], list[_Category], doing)
        return [Category(n.id, n.name, n.slug, n.is_answerable) for n in nodes]

    def listing(self, category: Category, until: str) -> Listing:
        """Lists the discussions of a category, the last changed first, down to a time.

        Raises:
            ForumError: See `GitHub.ask`.
        """
        doing = "listing the discussions"
        for _ in range(_AGAIN):
            try:
                return self._listed(category, until, doing)
            except CursorError:
                continue
        raise ForumError(f"{doing}: GitHub refused its own cursors {_AGAIN} times; run again later")

    def _listed(self, category: Category, until: str, doing: str) -> Listing:
        found: dict[int, str] = {}
        after: str | None = None
        while True:
            result = self._ask(LISTING, {"category": category.id, "after": after}, doing)
            page = converted(self._repository(result, doing).get("discussions"), _Listed, doing)
            # A discussion that changes meanwhile is listed twice, and the later time counts.
            for node in page.nodes:
                if node is not None:
                    found[node.number] = max(node.updated_at, found.get(node.number, ""))
            oldest = min((node.updated_at for node in page.nodes if node is not None), default="")
            if not page.page_info.has_next_page:
                return Listing(found, page.total_count, complete=True)
            if until and oldest < until:
                return Listing(found, page.total_count, complete=False)
            if page.page_info.end_cursor in (None, after):
                raise ForumError(f"{doing}: GitHub gave a page without an end; run again later")
            after = page.page_info.end_cursor

    def threads(self, numbers: Sequence[int]) -> Iterator[list[Thread | Lost]]:
        """Yields groups of discussions, in the order of the numbers.

        Raises:
            ForumError: See `GitHub.ask`.
        """
        at = 0
        while at < len(numbers):
            group = numbers[at : at + self._group]
            try:
                found = self._read(group)
            except TooMuchError:
                if len(group) == 1:
                    raise ForumError(
                        f"reading discussion {group[0]}: GitHub could not finish; what was read so far is saved, run again later",
                        status=502,
                    ) from None
                # Long discussions in one query may be more than GitHub can read in its ten seconds.
                self._group = max(1, len(group) // 2)
                continue
            at += len(group)
            self._group = min(_GROUP, self._group + 1)
            yield found

    def _read(self, group: Sequence[int]) -> list[Thread | Lost]:
        doing = (
            f"reading discussions {group[0]} to {group[-1]}"
            if len(group) > 1
            else f"reading discussion {group[0]}"
        )
        for _ in range(_AGAIN):
            result = self._ask(reading(group), {}, doing)
            repository = self._repository(result, doing)
            lost = {alias for kind, alias in result.errors if kind == "NOT_FOUND"}
            try:
                return [self._found(number, repository, lost, doing) for number in group]
            except (CursorError, _Moved):
                continue
        raise ForumError(f"{doing}: they changed {_AGAIN} times while they were read; run again later")

    def _found(self, number: int, repository: Mapping[str, Any], lost: set[str], doing: str) -> Thread | Lost:
        node = repository.get(f"d{number}")
        if node is None:
            if f"d{number}" not in lost:
                raise ForumError(
                    f"{doing}: GitHub left out discussion {number} and gave no reason; run again later"
                )
            return Lost(str(number), "deleted")
        discussion = converted(node, Discussion, doing)
        self._complete(discussion, doing)
        return as_thread(discussion, f"{self.owner}/{self.name}")

    def _complete(self, found: Discussion, doing: str) -> None:
        """Reads the further pages of comments, and of replies to each."""
        self._pages(found.comments, found.id, COMMENTS, "comments", Comments, doing, MOST_POSTS)
        left = MOST_POSTS - len(found.comments.nodes)
        for comment in found.comments.nodes:
            if comment is not None and comment.replies is not None:
                self._pages(comment.replies, comment.id, REPLIES, "replies", Replies, doing, left)
                left -= len(comment.replies.nodes)

    def _pages(
        self, first: Replies, uid: str, query: str, name: str, kind: type[Replies], doing: str, most: int
    ) -> None:
        page: PageInfo = first.page_info
        while page.has_next_page and len(first.nodes) < most:
            result = self._ask(query, {"id": uid, "after": page.end_cursor}, doing)
            node = result.data.get("node")
            if not isinstance(node, dict) or not isinstance(node.get(name), dict):
                raise _Moved
            more = converted(node[name], kind, doing)
            if more.page_info.has_next_page and more.page_info.end_cursor == page.end_cursor:
                raise _Moved
            first.nodes.extend(more.nodes)
            first.total_count = max(first.total_count, more.total_count)
            page = more.page_info

    def _ask(self, query: str, variables: Mapping[str, Any], doing: str) -> Result:
        names = {"owner": self.owner, "name": self.name} if "$owner" in query else {}
        return self.github.ask(query, {**names, **variables}, f"{self.owner}/{self.name}: {doing}")

    def _repository(self, result: Result, doing: str) -> Mapping[str, Any]:
        found = result.data.get("repository")
        if not isinstance(found, dict):
            raise ForumError(
                f"{self.owner}/{self.name}: {doing}: GitHub knows no such repository, or the token may not see it; check the "
                "name and what the token may read",
                status=404,
            )
        return found


class _Category(msgspec.Struct, rename="camel"):
    id: str
    name: str
    slug: str = ""
    is_answerable: bool = False


class _Changed(msgspec.Struct, rename="camel"):
    number: int
    updated_at: str


class _Listed(msgspec.Struct, rename="camel"):
    nodes: list[_Changed | None]
    page_info: PageInfo
    total_count: int
