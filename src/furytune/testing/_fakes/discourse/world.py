"""The forum of the fake: its people, categories, topics and posts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, field

__all__ = ["FakeCategory", "FakePost", "FakeTopic", "Member", "World"]


@define(eq=False)
class Member:
    """Someone with an account.

    Attributes:
        username: Name of the account.
        number: Its number; those of Discourse itself and of its bots are negative.
        name: What the person is called.
        admin: Whether they are an administrator.
        moderator: Whether they are a moderator.
        group: Name of the group that is shown beside the name.
    """

    username: str
    number: int
    name: str = ""
    admin: bool = False
    moderator: bool = False
    group: str = ""


@define(eq=False)
class FakeCategory:
    """A category.

    Attributes:
        solved: Whether the plugin Solved is switched on for it.
        private: Whether only members of the staff may read it.
        about: Number of the topic that describes it.
        parent: The category that it is in.
    """

    number: int
    name: str
    slug: str
    solved: bool = True
    private: bool = False
    about: int = 0
    parent: FakeCategory | None = None


@define(eq=False)
class FakePost:
    """A post.

    Attributes:
        number: Its id, which all posts of the forum share.
        post_number: Its place in the topic, counted from 1.
        kind: 1 is what people write, 2 a note of a moderator, 3 a small action, 4 a whisper.
        likes: How many people like it.
        hidden: Whether flags have hidden it.
        withdrawn: Whether its author deleted it; it stays for a day.
        deleted: When the staff deleted it.
        wiki: Whether everyone may edit it.
    """

    number: int
    post_number: int
    author: Member | None
    raw: str = field(repr=False)
    created: datetime
    topic: FakeTopic = field(repr=False)
    reply_to: FakePost | None = field(default=None, repr=False)
    edited: datetime | None = None
    kind: int = 1
    likes: int = 0
    hidden: bool = False
    withdrawn: bool = False
    deleted: datetime | None = None
    wiki: bool = False
    polls: int = 0


@define(eq=False)
class FakeTopic:
    """A topic.

    Attributes:
        bumped: When it was last brought to the top.
        visible: Whether it is listed.
        accepted: The accepted answers.
    """

    number: int
    title: str = field(repr=False)
    category: FakeCategory
    created: datetime
    bumped: datetime
    tags: tuple[str, ...] = ()
    visible: bool = True
    pinned: bool = False
    closed: bool = False
    posts: list[FakePost] = field(factory=list, repr=False)
    accepted: list[FakePost] = field(factory=list, repr=False)

    @property
    def opening(self) -> FakePost:
        """The opening post."""
        return self.posts[0]


class World:
    """A forum whose clock moves a minute with each change.

    Args:
        categories: Names of the categories in which an answer can be accepted.
        start: The first moment.
    """

    def __init__(
        self,
        categories: Collection[str] = ("Support",),
        *,
        start: datetime = datetime(2024, 5, 1, 12, tzinfo=UTC),
    ) -> None:
        self.now = start
        self.members: dict[str, Member] = {"system": Member("system", -1, admin=True, moderator=True)}
        self.categories: list[FakeCategory] = []
        self.topics: dict[int, FakeTopic] = {}
        self._posts = 0
        self._topics = 0
        self.add_category("General", solved=False)
        for name in categories:
            self.add_category(name)

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def account(
        self,
        username: str | Member,
        *,
        admin: bool = False,
        moderator: bool = False,
        group: str = "",
        number: int = 0,
    ) -> Member:
        """Returns an account by name; creates it if it is new."""
        if isinstance(username, Member):
            return username
        found = self.members.get(username)
        if found is None:
            made = Member(username, number or 1_000 + len(self.members), f"The real {username.title()}")
            found = self.members[username] = made
        found.admin, found.moderator = found.admin or admin, found.moderator or moderator
        found.group = group or found.group
        return found

    def add_category(
        self, name: str, *, solved: bool = True, private: bool = False, inside: str = ""
    ) -> FakeCategory:
        """Adds a category, and the topic that describes it."""
        slug = name.lower().replace("&", "").replace(" ", "-")
        parent = self._category(inside) if inside else None
        made = FakeCategory(len(self.categories) + 1, name, slug, solved, private, parent=parent)
        self.categories.append(made)
        about = self.ask("system", f"About the {name} category", "What is this for?", category=name)
        about.pinned, made.about = True, about.number
        return made

    def _category(self, name: str) -> FakeCategory:
        return next(c for c in self.categories if c.name == name)

    def ask(
        self,
        author: str | Member | None,
        title: str,
        raw: str = "",
        *,
        category: str = "Support",
        tags: Sequence[str] = (),
    ) -> FakeTopic:
        """Opens a topic."""
        self._topics += 1
        moment = self._tick()
        made = FakeTopic(self._topics, title, self._category(category), moment, moment, tuple(tags))
        self.topics[made.number] = made
        self._write(made, author, raw, moment)
        return made

    def reply(
        self,
        to: FakeTopic | FakePost,
        author: str | Member | None,
        raw: str,
        *,
        accepted: bool = False,
        kind: int = 1,
    ) -> FakePost:
        """Writes a reply to a topic, or to a post."""
        topic = to if isinstance(to, FakeTopic) else to.topic
        made = self._write(topic, author, raw, self._tick())
        made.reply_to, made.kind = (None if isinstance(to, FakeTopic) else to), kind
        if kind == 1:
            topic.bumped = self.now
        if accepted:
            self.accept(made)
        return made

    def _write(self, topic: FakeTopic, author: str | Member | None, raw: str, moment: datetime) -> FakePost:
        self._posts += 1
        last = topic.posts[-1].post_number if topic.posts else 0
        person = None if author is None else self.account(author)
        made = FakePost(self._posts, last + 1, person, raw, moment, topic)
        topic.posts.append(made)
        return made

    def accept(self, post: FakePost) -> None:
        """Marks a post as the answer of its topic, which does not bring the topic to the top."""
        self._tick()
        post.topic.accepted = [post]

    def edit(self, post: FakePost, raw: str) -> None:
        """Changes the text of a post. Only the edit of the last post brings its topic to the top."""
        post.raw, post.edited = raw, self._tick()
        if post is post.topic.posts[-1]:
            post.topic.bumped = self.now

    def move(self, topic: FakeTopic, category: str) -> None:
        """Moves a topic to another category."""
        topic.category = self._category(category)

    def delete(self, what: FakeTopic | FakePost) -> None:
        """Deletes a topic, or a post. Without its last post, a topic has the place in the list that it had before."""
        if isinstance(what, FakeTopic):
            self.topics.pop(what.number, None)
            return
        what.deleted = self._tick()
        what.topic.bumped = max(
            (p.created for p in what.topic.posts if not p.deleted and p.kind == 1),
            default=what.topic.created,
        )
