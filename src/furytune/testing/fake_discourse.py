"""A fake Discourse forum on loopback, for rehearsals without a forum."""

from __future__ import annotations

from typing import Any

from furytune.testing._fakes.discourse.service import DiscourseService
from furytune.testing._fakes.discourse.world import FakeCategory, FakePost, FakeTopic, Member, World
from furytune.testing._fakes.loopback import Fault, Recorded, Rehearsal

__all__ = ["FakeCategory", "FakeDiscourse", "FakePost", "FakeTopic", "Fault", "Member", "Recorded"]


class FakeDiscourse(World, Rehearsal):
    """A server with the pages of a Discourse forum as JSON, and with the plugin Solved.

    The forms follow Discourse's serializers, with the fields that matter here. It answers only GET, and an unknown parameter of a
    list is an error.

    Args:
        key: The only key that is accepted. It belongs to an administrator, and public topics need none.
        **world: See ``furytune.testing._fakes.discourse.world.World``.

    Attributes:
        requests: All requests, in order.
        faults: Faults to come, used up in order; see `fail`.
        service: Further switches, such as ``login_required``, ``lazy``, ``left`` and ``before``, see
            ``furytune.testing._fakes.discourse.service.DiscourseService``.
    """

    def __init__(self, *, key: str = "rehearsal", **world: Any) -> None:
        World.__init__(self, **world)
        self.service = DiscourseService(self, key)
        Rehearsal.__init__(self, self.service)

    def limit(self, *, wait: int | None = 0, times: int = 1) -> None:
        """Makes the next requests exceed a limit.

        Args:
            wait: Seconds in the header ``retry-after``; None leaves the header out.
            times: How many requests.
        """
        headers = {} if wait is None else {"retry-after": str(wait)}
        self.fail(status=429, body={"errors": ["slow down"]}, headers=headers, times=times)
