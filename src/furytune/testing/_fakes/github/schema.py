"""The part of GitHub's published GraphQL schema that is about discussions: its names, arguments and types."""

from __future__ import annotations

__all__ = ["SCHEMA"]

_PAGES = "after: String, before: String, first: Int, last: Int"

SCHEMA = f"""
scalar DateTime
scalar URI

enum CommentAuthorAssociation {{
  COLLABORATOR CONTRIBUTOR FIRST_TIMER FIRST_TIME_CONTRIBUTOR MANNEQUIN MEMBER NONE OWNER
}}
enum DiscussionOrderField {{ CREATED_AT UPDATED_AT }}
enum DiscussionState {{ CLOSED OPEN }}
enum DiscussionStateReason {{ DUPLICATE OUTDATED REOPENED RESOLVED }}
enum OrderDirection {{ ASC DESC }}
input DiscussionOrder {{ direction: OrderDirection! field: DiscussionOrderField! }}

interface Actor {{ login: String! url: URI! }}
interface Node {{ id: ID! }}

type Bot implements Actor & Node {{ id: ID! login: String! url: URI! databaseId: Int }}
type User implements Actor & Node {{ id: ID! login: String! url: URI! databaseId: Int name: String }}
type Organization implements Actor & Node {{ id: ID! login: String! url: URI! databaseId: Int }}
type Mannequin implements Actor & Node {{ id: ID! login: String! url: URI! databaseId: Int }}

type PageInfo {{ endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }}
type RateLimit {{ cost: Int! limit: Int! nodeCount: Int! remaining: Int! resetAt: DateTime! used: Int! }}

type Label implements Node {{ id: ID! name: String! color: String! }}
type LabelConnection {{ nodes: [Label] pageInfo: PageInfo! totalCount: Int! }}

type DiscussionPoll implements Node {{ id: ID! question: String! totalVoteCount: Int! }}

type DiscussionCategory implements Node {{
  id: ID! createdAt: DateTime! description: String emoji: String! isAnswerable: Boolean! name: String! slug: String!
  updatedAt: DateTime!
}}
type DiscussionCategoryConnection {{ nodes: [DiscussionCategory] pageInfo: PageInfo! totalCount: Int! }}

type DiscussionComment implements Node {{
  id: ID! author: Actor authorAssociation: CommentAuthorAssociation! body: String! createdAt: DateTime! databaseId: Int
  deletedAt: DateTime isAnswer: Boolean! isMinimized: Boolean! lastEditedAt: DateTime minimizedReason: String
  replies({_PAGES}): DiscussionCommentConnection! replyTo: DiscussionComment updatedAt: DateTime! upvoteCount: Int!
  url: URI!
}}
type DiscussionCommentEdge {{ cursor: String! node: DiscussionComment }}
type DiscussionCommentConnection {{
  edges: [DiscussionCommentEdge] nodes: [DiscussionComment] pageInfo: PageInfo! totalCount: Int!
}}

type Discussion implements Node {{
  id: ID! answer: DiscussionComment answerChosenAt: DateTime answerChosenBy: Actor author: Actor
  authorAssociation: CommentAuthorAssociation! body: String! category: DiscussionCategory! closed: Boolean!
  closedAt: DateTime comments({_PAGES}): DiscussionCommentConnection! createdAt: DateTime! databaseId: Int
  isAnswered: Boolean labels({_PAGES}): LabelConnection lastEditedAt: DateTime locked: Boolean! number: Int!
  poll: DiscussionPoll stateReason: DiscussionStateReason title: String! updatedAt: DateTime! upvoteCount: Int! url: URI!
}}
type DiscussionEdge {{ cursor: String! node: Discussion }}
type DiscussionConnection {{ edges: [DiscussionEdge] nodes: [Discussion] pageInfo: PageInfo! totalCount: Int! }}

type Repository implements Node {{
  id: ID! name: String! nameWithOwner: String! hasDiscussionsEnabled: Boolean!
  discussion(number: Int!): Discussion
  discussionCategories({_PAGES}, filterByAssignable: Boolean = false): DiscussionCategoryConnection!
  discussions(
    {_PAGES}, answered: Boolean = null, categoryId: ID = null, states: [DiscussionState!] = []
    orderBy: DiscussionOrder = {{field: UPDATED_AT, direction: DESC}}
  ): DiscussionConnection!
}}

type Query {{
  node(id: ID!): Node
  rateLimit(dryRun: Boolean = false): RateLimit
  repository(followRenames: Boolean = true, name: String!, owner: String!): Repository
  viewer: User!
}}
"""
