"""Answers requests for pages of the forum, in the form of Discourse's serializers. It answers nothing but GET."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from attrs import define, field

from furytune.testing._fakes.discourse.world import FakeCategory, FakePost, FakeTopic, Member, World
from furytune.testing._fakes.loopback import Recorded, Reply

__all__ = ["DiscourseService"]

_PER_PAGE = 30
_CHUNK = 20
_KNOWN = {"category", "no_subcategories", "order", "page", "tags[]"}


@define(eq=False)
class DiscourseService:
    """A forum.

    Attributes:
        key: The only key; it belongs to an administrator.
        login_required: Whether nothing can be read without the key.
        lazy: Whether the categories come page by page, as in forums with very many.
        left: How many requests are still allowed; None for any number.
        mega: Topics with more posts than this have no list of their posts.
        tag_objects: Whether tags are objects, as since 2026.
        several: Whether a topic has a list of accepted answers, as since 2026, instead of one.
        plain: Whether posts come with their Markdown.
        endless: Whether the list of topics repeats its pages without an end.
        before: Called before the request of that number, counted from 1.
    """

    world: World
    key: str
    login_required: bool = False
    lazy: bool = False
    left: int | None = None
    mega: int = 10_000
    tag_objects: bool = False
    several: bool = False
    plain: bool = True
    endless: bool = False
    before: dict[int, Callable[[], object]] = field(factory=dict)
    _count: int = 0

    def __call__(self, request: Recorded) -> Reply:
        self._count += 1
        self.before.pop(self._count, lambda: None)()
        if request.method != "GET":
            return _error(404, "not_found")
        given = request.headers.get("api-key")
        if given is not None and given != self.key:
            return _error(403, "invalid_access")
        if self.login_required and given is None:
            return _error(403, "not_logged_in")
        if self.left is not None:
            if self.left <= 0:
                return Reply(
                    429,
                    {"errors": ["slow down"], "error_type": "rate_limit", "extras": {"wait_seconds": 23}},
                )
            self.left -= 1
        return self._page(request, staff=given is not None)

    def _page(self, request: Recorded, *, staff: bool) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts == ["site.json"]:
            found = [] if self.lazy else [self._category(c) for c in self._readable(staff=staff)]
            return Reply(200, {"categories": found, "post_types": {"regular": 1}})
        if parts == ["categories.json"]:
            return Reply(200, self._categories(request, staff=staff))
        if parts == ["latest.json"]:
            if wrong := {name for name, _ in request.parameters} - _KNOWN:
                raise AssertionError(f"Discourse has no such parameters: {sorted(wrong)}")
            return Reply(200, self._latest(request, staff=staff))
        if parts[0] == "t" and len(parts) == 2 and parts[1].endswith(".json"):
            topic = self._seen(parts[1].removesuffix(".json"), staff=staff)
            return (
                _error(404, "not_found")
                if topic is None
                else Reply(200, self._topic(topic, request, staff=staff))
            )
        if parts[0] == "t" and len(parts) == 3 and parts[2] == "posts.json":
            topic = self._seen(parts[1], staff=staff)
            if topic is None:
                return _error(404, "not_found")
            wanted = {int(value) for name, value in request.parameters if name == "post_ids[]"}
            posts = [p for p in self._stream(topic, staff=staff) if p.number in wanted]
            return Reply(
                200, {"post_stream": {"posts": self._posts(posts, request, staff=staff)}, "id": topic.number}
            )
        return _error(404, "not_found")

    def _readable(self, *, staff: bool) -> list[FakeCategory]:
        return [c for c in self.world.categories if staff or not c.private]

    def _seen(self, number: str, *, staff: bool) -> FakeTopic | None:
        topic = self.world.topics.get(int(number)) if number.isdecimal() else None
        return topic if topic is not None and topic.category in self._readable(staff=staff) else None

    def _category(self, one: FakeCategory) -> dict[str, Any]:
        listed = [
            t for t in self.world.topics.values() if t.category is one and t.visible and t.number != one.about
        ]
        return {
            "id": one.number,
            "name": one.name,
            "slug": one.slug,
            "color": "0088CC",
            "topic_count": len(listed),
            "topic_url": f"/t/about-the-{one.slug}-category/{one.about}",
            "read_restricted": one.private,
            "parent_category_id": one.parent.number if one.parent else None,
            "custom_fields": {"enable_accepted_answers": "true" if one.solved else None},
        }

    def _categories(self, request: Recorded, *, staff: bool) -> dict[str, Any]:
        page = int(request.query.get("page", "1"))
        shown = [c for c in self._readable(staff=staff) if c.parent is None][(page - 1) * 20 : page * 20]
        found = []
        for one in shown:
            inner = [self._category(c) for c in self._readable(staff=staff) if c.parent is one]
            found.append({**self._category(one), "subcategory_list": inner})
        return {"category_list": {"can_create_category": False, "categories": found}}

    def _latest(self, request: Recorded, *, staff: bool) -> dict[str, Any]:
        tags = {value for name, value in request.parameters if name == "tags[]"}
        page = 0 if self.endless else int(request.query.get("page", "0"))
        listed = [
            t
            for t in self.world.topics.values()
            if str(t.category.number) == request.query["category"]
            and t.category in self._readable(staff=staff)
            and (t.visible or staff)
            and (not tags or not tags.isdisjoint(t.tags))
        ]
        # Pinned topics come first on the first page.
        listed.sort(key=lambda t: (t.pinned, t.bumped, t.number), reverse=True)
        shown = listed[page * _PER_PAGE : (page + 1) * _PER_PAGE]
        topics: dict[str, Any] = {
            "per_page": _PER_PAGE,
            "topics": [self._listed(topic) for topic in shown],
        }
        if len(shown) == _PER_PAGE or self.endless:
            topics["more_topics_url"] = f"/latest?page={page + 1}"
        return {"users": [], "topic_list": topics}

    def _listed(self, topic: FakeTopic) -> dict[str, Any]:
        return {
            "id": topic.number,
            "title": topic.title,
            "posts_count": len(topic.posts),
            "bumped": topic.bumped > topic.created,
            "bumped_at": _time(topic.bumped),
            "archetype": "regular",
            "pinned": topic.pinned,
            "pinned_globally": False,
            "visible": topic.visible,
            "closed": topic.closed,
            "category_id": topic.category.number,
            "tags": self._tags(topic),
            "has_accepted_answer": bool(topic.accepted),
        }

    def _tags(self, topic: FakeTopic) -> list[Any]:
        if self.tag_objects:
            return [{"id": at, "name": tag, "slug": tag} for at, tag in enumerate(topic.tags, 1)]
        return list(topic.tags)

    def _stream(self, topic: FakeTopic, *, staff: bool) -> list[FakePost]:
        return [p for p in topic.posts if p.deleted is None and (staff or p.kind != 4)]

    def _topic(self, topic: FakeTopic, request: Recorded, *, staff: bool) -> dict[str, Any]:
        stream = self._stream(topic, staff=staff)
        posts: dict[str, Any] = {"posts": self._posts(stream[:_CHUNK], request, staff=staff)}
        if len(topic.posts) > self.mega:
            posts |= {"isMegaTopic": True, "lastId": stream[-1].number}
        else:
            posts["stream"] = [post.number for post in stream]
        found = {
            "post_stream": posts,
            "id": topic.number,
            "title": topic.title,
            "posts_count": len(stream),
            "created_at": _time(topic.created),
            "last_posted_at": _time(max(p.created for p in topic.posts if p.deleted is None)),
            "visible": topic.visible,
            "closed": topic.closed,
            "archived": False,
            "archetype": "regular",
            "category_id": topic.category.number,
            "deleted_at": None,
            "tags": self._tags(topic),
            "chunk_size": _CHUNK,
        }
        answers = [
            {"post_number": post.post_number, "username": post.author.username if post.author else None}
            for post in topic.accepted
        ]
        if self.several:
            found["accepted_answers"] = answers
        elif answers:
            found["accepted_answer"] = answers[0]
        return found

    def _posts(self, posts: Iterable[FakePost], request: Recorded, *, staff: bool) -> list[dict[str, Any]]:
        raw = self.plain and bool(request.query.get("include_raw"))
        return [self._post(post, raw=raw, staff=staff) for post in posts]

    def _post(self, post: FakePost, *, raw: bool, staff: bool) -> dict[str, Any]:
        author = post.author or Member("", 0)
        said = "(post deleted by author)" if post.withdrawn else post.raw
        found: dict[str, Any] = {
            "id": post.number,
            "name": author.name or None,
            "username": author.username or None,
            "created_at": _time(post.created),
            "cooked": f"<p>{said}</p>",
            "post_number": post.post_number,
            "post_type": post.kind,
            "updated_at": _time(post.edited or post.created),
            "reply_to_post_number": post.reply_to.post_number if post.reply_to else None,
            "topic_id": post.topic.number,
            "primary_group_name": author.group or None,
            "version": 2 if post.edited else 1,
            "actions_summary": [{"id": 2, "count": post.likes}] if post.likes else [],
            "moderator": author.moderator,
            "admin": author.admin,
            "staff": author.moderator or author.admin,
            "user_id": author.number or None,
            "hidden": post.hidden,
            "trust_level": 1,
            "deleted_at": None,
            "user_deleted": post.withdrawn,
            "wiki": post.wiki,
            "accepted_answer": post in post.topic.accepted,
        }
        # A hidden post is shown to the staff only.
        if raw and (staff or not post.hidden):
            found["raw"] = said
        if post.polls:
            found["polls"] = [{"name": "poll", "type": "regular", "options": []}] * post.polls
        return found


def _error(status: int, kind: str) -> Reply:
    return Reply(
        status, {"errors": ["The requested URL or resource could not be found."], "error_type": kind}
    )


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
