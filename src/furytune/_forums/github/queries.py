"""The queries that read discussions. They name only fields of GitHub's published schema."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CATEGORIES", "COMMENTS", "FILE", "LISTING", "PAGE", "REPLIES", "reading"]

PAGE = 100
"""The most items that GitHub returns at a time."""

_LIMIT = "rateLimit { cost remaining resetAt }"
_AUTHOR = "author { __typename login ... on User { databaseId } ... on Bot { databaseId } }"
_ENTRY = f"id databaseId {_AUTHOR} authorAssociation body createdAt lastEditedAt upvoteCount"
_COMMENT = f"{_ENTRY} isAnswer isMinimized minimizedReason deletedAt"
_NEXT = "totalCount pageInfo { hasNextPage endCursor }"


def _comments(first: int, replies: int) -> str:
    return (
        f"comments(first: {first}) {{ {_NEXT} nodes {{ {_COMMENT} "
        f"replies(first: {replies}) {{ {_NEXT} nodes {{ {_COMMENT} }} }} }} }}"
    )


_DISCUSSION = (
    f"{_ENTRY} number title updatedAt closed stateReason locked isAnswered poll {{ id }} "
    "category { id name slug isAnswerable } labels(first: 20) { nodes { name } }"
)

CATEGORIES = f"""
query Categories($owner: String!, $name: String!) {{
  {_LIMIT}
  repository(owner: $owner, name: $name) {{
    hasDiscussionsEnabled
    discussionCategories(first: {PAGE}) {{ nodes {{ id name slug isAnswerable }} }}
  }}
}}"""

LISTING = f"""
query Listing($owner: String!, $name: String!, $category: ID!, $after: String) {{
  {_LIMIT}
  repository(owner: $owner, name: $name) {{
    discussions(first: {PAGE}, after: $after, categoryId: $category, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      {_NEXT} nodes {{ number updatedAt }}
    }}
  }}
}}"""

COMMENTS = f"""
query Comments($id: ID!, $after: String!) {{
  {_LIMIT}
  node(id: $id) {{
    ... on Discussion {{
      {_comments(50, 10).replace("first: 50", "first: 50, after: $after")}
    }}
  }}
}}"""

REPLIES = f"""
query Replies($id: ID!, $after: String!) {{
  {_LIMIT}
  node(id: $id) {{
    ... on DiscussionComment {{
      replies(first: {PAGE}, after: $after) {{ {_NEXT} nodes {{ {_COMMENT} }} }}
    }}
  }}
}}"""

FILE = f"""
query($owner: String!, $name: String!, $endCursor: String) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    discussions(first: 25, after: $endCursor) {{
      {_NEXT}
      nodes {{ {_DISCUSSION} {_comments(50, 20)} }}
    }}
  }}
}}"""
"""The query for ``gh api graphql --paginate``, whose output `ForumCollector` reads."""


def reading(numbers: Sequence[int]) -> str:
    """Returns the query for several discussions by number, each under the alias ``d`` and its number."""
    fields = "\n    ".join(f"d{number}: discussion(number: {number}) {{ ...Whole }}" for number in numbers)
    return f"""
query Reading($owner: String!, $name: String!) {{
  {_LIMIT}
  repository(owner: $owner, name: $name) {{
    {fields}
  }}
}}
fragment Whole on Discussion {{ {_DISCUSSION} {_comments(25, 10)} }}"""
