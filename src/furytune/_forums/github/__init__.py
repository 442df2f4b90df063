"""GitHub Discussions, over GraphQL."""
