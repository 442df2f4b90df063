"""The repository of the fake: its people, categories, discussions and comments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, field

__all__ = ["Account", "DiscussionCategory", "FakeComment", "FakeDiscussion", "World"]


@define(eq=False)
class Account:
    """Someone with an account.

    Attributes:
        login: Its name.
        number: Its number.
        kind: "User", "Bot", "Organization" or "Mannequin".
        association: What they are in the repository.
    """

    login: str
    number: int
    kind: str = "User"
    association: str = "NONE"


@define(eq=False)
class DiscussionCategory:
    """A category."""

    id: str
    name: str
    slug: str
    answerable: bool


@define(eq=False)
class FakeComment:
    """A comment, or a reply.

    Attributes:
        author: None once the account is deleted.
        hidden: Why a moderator hid it, such as "spam".
        deleted: When it was deleted; it stays as long as it has replies.
    """

    id: str
    number: int
    author: Account | None
    body: str = field(repr=False)
    created: datetime
    discussion: FakeDiscussion = field(repr=False)
    parent: FakeComment | None = field(default=None, repr=False)
    edited: datetime | None = None
    hidden: str = ""
    deleted: datetime | None = None
    upvotes: int = 1
    replies: list[FakeComment] = field(factory=list, repr=False)


@define(eq=False)
class FakeDiscussion:
    """A discussion."""

    id: str
    database: int
    number: int
    title: str = field(repr=False)
    body: str = field(repr=False)
    author: Account | None
    category: DiscussionCategory
    created: datetime
    updated: datetime
    labels: tuple[str, ...] = ()
    edited: datetime | None = None
    closed: str = ""
    locked: bool = False
    poll: bool = False
    answer: FakeComment | None = field(default=None, repr=False)
    comments: list[FakeComment] = field(factory=list, repr=False)


class World:
    """A repository with discussions, whose clock moves a minute with each change.

    Args:
        repository: Owner and name.
        start: The first moment.
    """

    def __init__(
        self,
        repository: str = "octo-org/octo-repo",
        *,
        start: datetime = datetime(2024, 5, 1, 12, tzinfo=UTC),
    ) -> None:
        self.repository = repository
        self.now = start
        self.accounts: dict[str, Account] = {}
        self.categories: list[DiscussionCategory] = []
        self.discussions: dict[int, FakeDiscussion] = {}
        self.comments: dict[str, FakeComment] = {}
        self.enabled = True
        self._next = 0
        for name, answerable in (
            ("Announcements", False),
            ("General", False),
            ("Polls", False),
            ("Q&A", True),
            ("Show and tell", False),
        ):
            self.add_category(name, answerable=answerable)

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def _number(self) -> int:
        self._next += 1
        return self._next

    def account(self, login: str | Account, *, kind: str = "", association: str = "") -> Account:
        """Returns an account by name; creates it if it is new."""
        if isinstance(login, Account):
            return login
        found = self.accounts.get(login)
        if found is None:
            found = self.accounts[login] = Account(login, 1_000 + len(self.accounts), kind or "User")
        found.kind = kind or found.kind
        found.association = association or found.association
        return found

    def add_category(self, name: str, *, answerable: bool = True) -> DiscussionCategory:
        """Adds a category."""
        slug = name.lower().replace("&", "-").replace(" ", "-")
        made = DiscussionCategory(f"DIC_{len(self.categories) + 1}", name, slug, answerable)
        self.categories.append(made)
        return made

    def ask(
        self,
        author: str | Account | None,
        title: str,
        body: str = "",
        *,
        category: str = "Q&A",
        labels: Sequence[str] = (),
    ) -> FakeDiscussion:
        """Opens a discussion."""
        number, moment = self._number(), self._tick()
        made = FakeDiscussion(
            id=f"D_{number:06d}",
            database=4_000_000 + number,
            number=number,
            title=title,
            body=body,
            author=None if author is None else self.account(author),
            category=next(c for c in self.categories if c.name == category),
            created=moment,
            updated=moment,
            labels=tuple(labels),
        )
        self.discussions[number] = made
        return made

    def comment(
        self,
        to: FakeDiscussion | FakeComment,
        author: str | Account | None,
        body: str,
        *,
        accepted: bool = False,
    ) -> FakeComment:
        """Writes a comment on a discussion, or a reply to a comment."""
        discussion = to if isinstance(to, FakeDiscussion) else to.discussion
        number, moment = self._number(), self._tick()
        made = FakeComment(
            id=f"DC_{number:06d}",
            number=8_000_000 + number,
            author=None if author is None else self.account(author),
            body=body,
            created=moment,
            discussion=discussion,
            parent=None if isinstance(to, FakeDiscussion) else to,
        )
        (discussion.comments if isinstance(to, FakeDiscussion) else to.replies).append(made)
        self.comments[made.id] = made
        discussion.updated = moment
        if accepted:
            self.accept(made)
        return made

    def accept(self, comment: FakeComment) -> None:
        """Marks a comment as the answer of its discussion."""
        comment.discussion.answer = comment
        comment.discussion.updated = self._tick()

    def edit(self, post: FakeDiscussion | FakeComment, body: str, *, counted: bool = True) -> None:
        """Changes the text of a post.

        Args:
            post: The post.
            body: Its new text.
            counted: Whether the discussion counts as changed.
        """
        post.body, post.edited = body, self._tick()
        if counted:
            (post if isinstance(post, FakeDiscussion) else post.discussion).updated = self.now

    def move(self, discussion: FakeDiscussion, category: str) -> None:
        """Moves a discussion to another category."""
        discussion.category = next(c for c in self.categories if c.name == category)

    def delete(self, post: FakeDiscussion | FakeComment) -> None:
        """Deletes a discussion, or a comment. A comment with replies leaves its place."""
        if isinstance(post, FakeDiscussion):
            self.discussions.pop(post.number, None)
            return
        if post.replies:
            post.deleted, post.body, post.author = self._tick(), "", None
        else:
            (post.parent.replies if post.parent else post.discussion.comments).remove(post)
            self.comments.pop(post.id, None)
        post.discussion.updated = self._tick()
