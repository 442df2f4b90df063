"""A fake GitHub on loopback, for rehearsals without an account. It has discussions, and nothing else."""

from __future__ import annotations

from typing import Any

from furytune.errors import MissingExtraError
from furytune.testing._fakes.github.world import (
    Account,
    DiscussionCategory,
    FakeComment,
    FakeDiscussion,
    World,
)
from furytune.testing._fakes.loopback import Fault, Recorded, Rehearsal

__all__ = [
    "Account",
    "DiscussionCategory",
    "FakeComment",
    "FakeDiscussion",
    "FakeGitHub",
    "Fault",
    "Recorded",
]


class FakeGitHub(World, Rehearsal):
    """A server that behaves like GitHub's GraphQL API, for the discussions of one repository.

    Queries are checked and executed by graphql-core, against the published names and types: an unknown field is an error. Each
    query costs points by GitHub's formula.

    Args:
        repository: Owner and name of the repository.
        token: The only token that is accepted.
        **world: See ``furytune.testing._fakes.github.world.World``.

    Attributes:
        requests: All requests, in order.
        faults: Faults to come, used up in order; see `fail`.
        service: Further faults: ``points``, ``reset``, ``stale``, ``cut``, ``unbearable`` and ``before``, see
            ``furytune.testing._fakes.github.service.GitHubService``.

    Raises:
        MissingExtraError: graphql-core is not installed.
    """

    def __init__(
        self,
        repository: str = "octo-org/octo-repo",
        *,
        token: str = "rehearsal",  # noqa: S107  (a stand-in)
        **world: Any,
    ) -> None:
        try:
            from furytune.testing._fakes.github.service import GitHubService
        except ImportError as error:
            raise MissingExtraError("the fake GitHub", "testing") from error
        World.__init__(self, repository, **world)
        self.service = GitHubService(self, token)
        Rehearsal.__init__(self, self.service)

    @property
    def endpoint(self) -> str:
        """The address to pass as ``endpoint=``."""
        return f"{self.url}/graphql"

    def limit(self, *, status: int = 403, wait: int | None = 0, times: int = 1) -> None:
        """Makes the next requests exceed a secondary rate limit.

        Args:
            status: 200, 403 or 429.
            wait: Seconds in the header ``retry-after``; None leaves the header out.
            times: How many requests.
        """
        message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        body = {"message": message} if status != 200 else {"errors": [{"message": message}]}
        headers = {} if wait is None else {"retry-after": str(wait)}
        self.fail(status=status, body=body, headers=headers, times=times)
