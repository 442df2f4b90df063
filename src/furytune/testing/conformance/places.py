"""Rules of places that hold people's words."""

from __future__ import annotations

from collections.abc import Callable

from furytune.protocols import Erasable
from furytune.testing.conformance.rules import fits, rule

__all__ = ["check_place"]


def check_place(make: Callable[[], Erasable], *, message: str, content: Callable[[], bytes]) -> None:
    """Holds a place to its protocol. It removes the message.

    Args:
        make: Builds the place, as after a restart.
        message: Id of a message whose words the place holds.
        content: Returns all bytes of the place, in which the id of the message stands.

    Raises:
        AssertionError: A rule is broken.
    """
    place = make()
    fits(place, Erasable)
    before = content()
    if message.encode() not in before:
        raise AssertionError("the place cannot be used for this check: it does not hold the message")
    place.check()
    rule(content() == before, Erasable, "Checking changes nothing.")
    done = place.erase([message], [])
    rule(
        message.encode() not in content() and done.removed > 0,
        Erasable,
        "After `erase`, the place contains none of the messages, and it says how many items it removed.",
    )
    after = content()
    again = make().erase([message], [])
    rule(again.removed == 0 and content() == after, Erasable, "Erasing again removes nothing more.")
