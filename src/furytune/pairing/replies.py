"""Finds pairs in channels by who replied to whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import timedelta

import msgspec
from attrs import field, frozen

from furytune._values.checks import at_least, of_type
from furytune.errors import ConservationError
from furytune.pairing._drops import Drops
from furytune.pairing._turns import opened_by, split, turns
from furytune.pairing.posts import Conversation, Post
from furytune.pairing.questions import is_question
from furytune.records import Dropped, QAPair

__all__ = ["ReplyPairer"]


class _Run(msgspec.Struct, gc=False):
    """Adjacent messages of one person; the unit that replies point to.

    There is one for nearly each message, so runs are hidden from the garbage collector (``gc=False``). Root and members
    refer to each other until the tree is closed, so closing must break the cycle.

    Attributes:
        posts: The messages.
        tree: The root that the run replies to, None for a root.
        lost: Why the target of its reply is missing, "" if it is not.
        members: For a root, the runs of its tree.
        asked: For a root, the message that was replied to first. It gives pair and group their ids, because neither
            later nor older messages change it.
        done: True once the tree is closed.
    """

    posts: list[Post]
    tree: _Run | None
    lost: str
    members: list[_Run] | None = None
    asked: str = ""
    done: bool = False

    def join(self, root: _Run) -> None:
        """Adds the run to the tree of a root."""
        self.tree = root
        if root.members is None:
            root.members = [self]
        else:
            root.members.append(self)


@frozen
class ReplyPairer:
    """Pairs from the trees that native replies form.

    Adjacent messages of one person form a run, unless one of them replies elsewhere or a pause is longer than ``pause``.
    All runs that reply to one root, directly or not, are treated like a small thread that the root's author opened.

    ``window`` bounds the memory: a tree is closed when its root is that many messages old.

    Args:
        window: How many messages of a channel are considered together.
        questions_only: Whether to drop trees whose root does not look like a question, see `is_question`.
        pause: Longest pause inside a run, by the times inside the Discord ids.
    """

    window: int = field(default=50_000, validator=at_least(2))
    questions_only: bool = field(default=True, kw_only=True, validator=of_type(bool))
    pause: timedelta = field(default=timedelta(minutes=15), kw_only=True, validator=of_type(timedelta))

    def fits(self, place: Conversation) -> bool:  # noqa: ARG002  # the protocol's signature
        """Returns True: any conversation can contain replies."""
        return True

    def pair(self, posts: Iterable[Post], place: Conversation) -> Iterator[QAPair | Dropped]:
        """Yields pairs as their trees close, then counts of all other posts."""
        return _Replies(self, place).run(posts)


class _Replies:
    """The state of pairing one channel."""

    def __init__(self, settings: ReplyPairer, place: Conversation) -> None:
        self.settings = settings
        self.place = place
        self.drops = Drops()
        self.used = 0
        self.order: deque[str] = deque()
        self.index: dict[str, _Run | None] = {}
        self.current: _Run | None = None
        self.pause = int(settings.pause.total_seconds() * 1000)

    def run(self, posts: Iterable[Post]) -> Iterator[QAPair | Dropped]:
        """Yields pairs as their trees close, then the counts."""
        read = 0
        order, index, window, place = self.order, self.index, self.settings.window, self.place_in_run
        try:
            for read, post in enumerate(posts, start=1):  # read after the loop
                order.append(post.id)
                if post.drop:
                    self.drops.add(post.drop, post.id)
                    # Known as a target, but never part of a tree.
                    index[post.id] = None
                else:
                    index[post.id] = place(post)
                # A tree closes when its first message leaves the window, so memory does not grow with the
                # channel.
                if read > window:
                    run = index.pop(order.popleft())
                    if run is not None and run.tree is None and not run.done and (pair := self.close(run)):
                        yield pair
            while order:
                run = index.pop(order.popleft())
                if run is not None and run.tree is None and not run.done and (pair := self.close(run)):
                    yield pair
        finally:
            for run in index.values():  # if the caller stopped early, nothing else breaks the cycles
                if run is not None:
                    run.members = None
        # A bug that loses messages must not silently shrink a data set.
        if self.used + self.drops.total != read:
            raise ConservationError(
                f"channel {self.place.channel}: {read} messages in, {self.used} used, {self.drops.total} dropped"
            )
        yield from self.drops.items(where=self.place.channel)

    def place_in_run(self, post: Post) -> _Run:
        """Puts a post into the current run or a new one, and that run into its tree."""
        target, lost = (None, "") if post.reply_to is None else self.target(post.reply_to)
        run = self.current
        if run is not None and not lost and self.adjacent(run.posts[-1], post) and not (run.tree or run).done:
            # The post continues the run if it replies to nothing, or to the tree that the run is in.
            if target is None or target is (run.tree or run):
                run.posts.append(post)
                return run
            # A run that only introduces this reply joins the tree with it.
            if self.is_lead_in(run):
                run.posts.append(post)
                run.join(target)
                return run
        self.current = run = _Run([post], None, lost)
        if target is not None:
            run.join(target)
        return run

    def target(self, uid: str) -> tuple[_Run | None, str]:
        """Returns the root of the tree that a message belongs to, or the reason why there is not one."""
        if uid not in self.index:
            return None, "reply_target_missing"
        run = self.index[uid]
        if run is None:
            return None, "reply_to_dropped"
        root = run.tree or run
        if root.done:
            return None, "after_window"
        # Only the first reply decides, so that later messages never rename the pair.
        if root is run and not root.asked:
            root.asked = uid
        return root, ""

    def adjacent(self, before: Post, post: Post) -> bool:
        """Returns whether two messages are of one person, without a long pause between them."""
        if before.speaker != post.speaker:
            return False
        try:
            # Above the lowest 22 bits, an id contains milliseconds. Any other id says nothing about a pause.
            return (int(post.id) >> 22) - (int(before.id) >> 22) <= self.pause
        except ValueError:
            return True

    def is_lead_in(self, run: _Run) -> bool:
        """Returns True for a run that no one replied to and that asks nothing: it introduces the reply after it."""
        if run.tree is not None or run.members or run.lost:
            return False
        return not is_question("\n".join(p.text for p in run.posts))

    def close(self, root: _Run) -> QAPair | None:
        """Closes the tree of a root whose first message leaves the window."""
        root.done = True
        members, root.members = root.members or (), None
        if not members and not root.lost and len(root.posts) == 1 and root.posts[0].text.strip():
            self.drops.add("no_reply", root.posts[0].id)  # the fast path: most messages of a channel
            return None
        reason = root.lost or ("" if members else "no_reply")
        if (
            not reason
            and self.settings.questions_only
            and not is_question("\n".join(p.text for p in root.posts))
        ):
            reason = "not_a_question"
        if reason:
            for part in (root, *members):
                self.drops.all(reason, part.posts)
            return None
        said = turns((post for part in (root, *members) for post in part.posts), self.drops)
        halves = split(opened_by(root.posts[0].speaker, said, self.drops), self.drops)
        if halves is None:
            return None
        group = next((p.id for p in root.posts if p.id in self.place.starters), root.asked)
        pair = self.place.pair(halves[0], halves[1], uid=root.asked, group=group, method="reply")
        self.used += len(pair.question_messages) + len(pair.answer_messages)
        return pair
