"""Answers GraphQL queries about the repository, strictly: an unknown field or argument is an error, as it is on GitHub."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import define, field
from graphql import (
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from furytune.testing._fakes.github.schema import SCHEMA
from furytune.testing._fakes.github.world import (
    Account,
    DiscussionCategory,
    FakeComment,
    FakeDiscussion,
    World,
)
from furytune.testing._fakes.loopback import Recorded, Reply

__all__ = ["GitHubService"]

_NODES = 500_000
_schema = build_schema(SCHEMA)


@define(eq=False)
class GitHubService:
    """GitHub's GraphQL API for one repository and one token.

    Attributes:
        points: Points that are left in this hour.
        reset: When there are new points, in seconds since 1970.
        stale: How many of the next requests with a cursor are told that it is not valid.
        cut: How many of the next answers are cut off in the middle.
        before: Called before the request of that number, counted from 1.
        unbearable: A query for more discussions than this at once gets a 502.
    """

    world: World
    token: str
    points: int = 5_000
    hour: int = 5_000
    reset: float = 0.0
    stale: int = 0
    cut: int = 0
    before: dict[int, Callable[[], object]] = field(factory=dict)
    unbearable: int = 0
    _count: int = 0
    _cost: int = 0
    _nodes: int = 0

    def __call__(self, request: Recorded) -> Reply:
        self._count += 1
        self.before.pop(self._count, lambda: None)()
        if request.path != "/graphql":
            return Reply(404, {"message": "Not Found"})
        if request.headers.get("authorization") not in (f"bearer {self.token}", f"Bearer {self.token}"):
            return Reply(401, {"message": "Bad credentials"})
        if not isinstance(request.body, dict) or not isinstance(request.body.get("query"), str):
            return Reply(400, {"message": "Problems parsing JSON"})
        if self.points <= 0 and time.time() >= self.reset:
            self.points = self.hour
        if self.points <= 0:
            return self._reply(
                {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}]}
            )
        if self.unbearable and request.body["query"].count("...Whole") > self.unbearable:
            return Reply(502, {"message": "Something went wrong while executing your query."})
        answer = self._answer(request.body["query"], request.body.get("variables") or {})
        reply = self._reply(answer)
        if self.cut:
            self.cut -= 1
            data = json.dumps(answer).encode()
            return Reply(200, None, parts=[data[: len(data) // 2]], headers=reply.headers)
        return reply

    def _reply(self, body: Mapping[str, Any]) -> Reply:
        headers = {
            "x-ratelimit-limit": str(self.hour),
            "x-ratelimit-remaining": str(max(0, self.points)),
            "x-ratelimit-reset": str(int(self.reset or time.time() + 3600)),
            "x-ratelimit-resource": "graphql",
        }
        return Reply(200, body, headers=headers)

    def _answer(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        try:
            document = parse(query)
        except GraphQLError as error:
            return {"errors": [_error(error)]}
        wrong = validate(_schema, document)
        if wrong:
            return {"errors": [_error(error) for error in wrong]}
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
        requests, self._nodes = _load(operation, fragments, 1)
        if self._nodes > _NODES:
            return {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "too many nodes"}]}
        self._cost = max(1, round(requests / 100))
        self.points -= self._cost
        if self.stale and variables.get("after"):
            self.stale -= 1
            word = f"`{variables['after']}` does not appear to be a valid cursor."
            return {"data": None, "errors": [{"type": "INVALID_CURSOR_ARGUMENTS", "message": word}]}
        done = execute_sync(
            _schema,
            document,
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=lambda value, *_: _kind(value),
        )
        assert isinstance(done, ExecutionResult)
        found: dict[str, Any] = {"data": done.data}
        if done.errors:
            found["errors"] = [_error(error) for error in done.errors]
        return found

    def _resolve(self, source: Any, info: Any, **args: Any) -> Any:
        name = info.field_name
        kind = info.parent_type.name
        if isinstance(source, dict):
            return source[name]
        return getattr(self, f"_{kind.lower()}")(source, name, args)

    def _query(self, _: Any, name: str, args: Mapping[str, Any]) -> Any:
        if name == "rateLimit":
            left = {"cost": self._cost, "remaining": max(0, self.points), "limit": self.hour}
            reset = datetime.fromtimestamp(self.reset or 0).astimezone()
            return {
                **left,
                "nodeCount": self._nodes,
                "used": self.hour - self.points,
                "resetAt": _time(reset),
            }
        if name == "viewer":
            return self.world.account("viewer")
        if name == "node":
            everything = {d.id: d for d in self.world.discussions.values()} | self.world.comments
            found = everything.get(args["id"])
            if isinstance(found, FakeComment) and found.discussion.number not in self.world.discussions:
                found = None
            if found is None:
                raise _missing("a node with the global id")
            return found
        asked = f"{args['owner']}/{args['name']}"
        if asked.casefold() != self.world.repository.casefold():
            raise _missing("a Repository with the name")
        return self.world

    def _repository(self, world: World, name: str, args: Mapping[str, Any]) -> Any:
        if name == "discussion":
            found = world.discussions.get(args["number"])
            if found is None:
                raise _missing("a Discussion with the number")
            return found
        if name == "discussionCategories":
            return _page(world.categories, lambda c: (c.id,), args)
        if name == "discussions":
            listed = list(world.discussions.values())
            if args.get("categoryId") is not None:
                listed = [d for d in listed if d.category.id == args["categoryId"]]
            order = args["orderBy"]
            by = "updated" if order["field"] == "UPDATED_AT" else "created"
            key = lambda d: (_time(getattr(d, by)), f"{d.number:09d}")  # noqa: E731
            listed.sort(key=key, reverse=order["direction"] == "DESC")
            return _page(listed, key, args, falling=order["direction"] == "DESC")
        return {
            "id": "R_1",
            "name": world.repository.split("/")[1],
            "nameWithOwner": world.repository,
            "hasDiscussionsEnabled": world.enabled,
        }[name]

    def _discussioncategory(self, found: DiscussionCategory, name: str, _: Mapping[str, Any]) -> Any:
        known = {"isAnswerable": found.answerable, "emoji": ":speech_balloon:", "description": None}
        return known[name] if name in known else getattr(found, name)

    def _discussion(self, found: FakeDiscussion, name: str, args: Mapping[str, Any]) -> Any:
        if name == "comments":
            return _page(found.comments, lambda c: (_time(c.created), c.id), args)
        if name == "labels":
            return _page(
                [{"id": n, "name": n, "color": "ededed"} for n in found.labels], lambda n: (n["name"],), args
            )
        if name == "poll":
            return {"id": f"P_{found.number}", "question": "?", "totalVoteCount": 0} if found.poll else None
        return {
            "answer": found.answer,
            "author": found.author,
            "authorAssociation": found.author.association if found.author else "NONE",
            "category": found.category,
            "closed": bool(found.closed),
            "createdAt": _time(found.created),
            "databaseId": found.database,
            "isAnswered": found.answer is not None if found.category.answerable else None,
            "lastEditedAt": _time(found.edited),
            "stateReason": found.closed or None,
            "updatedAt": _time(found.updated),
            "upvoteCount": 1,
            "url": f"https://github.com/{self.world.repository}/discussions/{found.number}",
        }.get(name, getattr(found, name, None))

    def _discussioncomment(self, found: FakeComment, name: str, args: Mapping[str, Any]) -> Any:
        if name == "replies":
            return _page(found.replies, lambda c: (_time(c.created), c.id), args)
        return {
            "author": found.author,
            "authorAssociation": found.author.association if found.author else "NONE",
            "createdAt": _time(found.created),
            "databaseId": found.number,
            "deletedAt": _time(found.deleted),
            "isAnswer": found.discussion.answer is found,
            "isMinimized": bool(found.hidden),
            "lastEditedAt": _time(found.edited),
            "minimizedReason": found.hidden or None,
            "replyTo": found.parent,
            "updatedAt": _time(found.edited or found.created),
            "upvoteCount": found.upvotes,
            "url": f"https://github.com/{self.world.repository}/discussions/{found.discussion.number}#{found.number}",
        }.get(name, getattr(found, name, None))

    def _account(self, found: Account, name: str, _: Mapping[str, Any]) -> Any:
        return {
            "databaseId": found.number,
            "id": f"U_{found.number}",
            "login": found.login,
            "name": None,
            "url": f"https://github.com/{found.login}",
        }[name]

    _user = _bot = _organization = _mannequin = _account


def _kind(value: object) -> str:
    if isinstance(value, Account):
        return value.kind
    return "Discussion" if isinstance(value, FakeDiscussion) else "DiscussionComment"


def _missing(what: str) -> GraphQLError:
    return GraphQLError(f"Could not resolve to {what} that was given.", extensions={"type": "NOT_FOUND"})


def _error(error: GraphQLError) -> dict[str, Any]:
    said: dict[str, Any] = dict(error.formatted)
    extensions: dict[str, Any] = dict(said.pop("extensions", None) or {})
    kind = extensions.pop("type", None)
    found: dict[str, Any] = {
        **said,
        **({"type": kind} if kind else {"extensions": {"code": "undefinedField"}}),
    }
    return found


def _time(moment: datetime | None) -> Any:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(
    items: Sequence[Any],
    key: Callable[[Any], tuple[Any, ...]],
    args: Mapping[str, Any],
    *,
    falling: bool = False,
) -> dict[str, Any]:
    """Returns a page of a connection. A cursor is the key of an item, so it works when others come and go."""
    first = args.get("first")
    if first is None or args.get("last") is not None or args.get("before") is not None:
        raise GraphQLError(
            "this fake pages forward; give `first`", extensions={"type": "MISSING_PAGINATION_BOUNDARIES"}
        )
    if not 1 <= first <= 100:
        raise GraphQLError("`first` is out of bounds", extensions={"type": "EXCESSIVE_PAGINATION"})
    left = list(items)
    if args.get("after") is not None:
        try:
            after = tuple(json.loads(base64.b64decode(args["after"], validate=True)))
        except ValueError:
            word = "that does not appear to be a valid cursor."
            raise GraphQLError(word, extensions={"type": "INVALID_CURSOR_ARGUMENTS"}) from None
        left = [one for one in left if (key(one) < after if falling else key(one) > after)]
    shown = left[:first]
    cursors = [base64.b64encode(json.dumps(key(one)).encode()).decode() for one in shown]
    return {
        "nodes": shown,
        "edges": [{"cursor": cursor, "node": one} for cursor, one in zip(cursors, shown, strict=True)],
        "totalCount": len(items),
        "pageInfo": {
            "hasNextPage": len(left) > first,
            "hasPreviousPage": args.get("after") is not None,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def _load(node: Any, fragments: Mapping[str, FragmentDefinitionNode], times: int) -> tuple[int, int]:
    """Returns how many requests and how many nodes a query stands for, by GitHub's published formula."""
    requests = nodes = 0
    for one in (node.selection_set.selections or ()) if node.selection_set else ():
        if isinstance(one, FragmentSpreadNode):
            inner = _load(fragments[one.name.value], fragments, times)
        else:
            sizes = [
                int(a.value.value)
                for a in ((one.arguments or ()) if isinstance(one, FieldNode) else ())
                if a.name.value in ("first", "last") and isinstance(a.value, IntValueNode)
            ]
            requests += times * len(sizes)
            nodes += times * sum(sizes)
            inner = _load(one, fragments, times * (sizes[0] if sizes else 1))
        requests, nodes = requests + inner[0], nodes + inner[1]
    return requests, nodes
