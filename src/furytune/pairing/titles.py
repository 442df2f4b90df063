"""What the opening of a forum post asks: its title and its first message."""

from __future__ import annotations

__all__ = ["titled"]

_ENDINGS = " .,:;!?-\u2026\uff1f\uff01\u3002"


def titled(title: str, body: str) -> str:
    """Returns the question that a forum post opens with: the title, a blank line, the body.

    A body that begins with the title (whatever the case, the white space, and the punctuation that ends the title) is
    the whole question, for the title would only repeat it. Many people paste their first sentence into the title, and
    Discord cuts titles after 100 characters. A body without text leaves the title.

    Training pairs from forums are made this way, so a bot that answers in forums must ask the same way:
    ``contract.request(titled(thread.name, message.content))``.

    Args:
        title: The name of the post.
        body: The text of its opening message, as the platform delivers it.
    """
    title = " ".join(title.split())
    if not body.strip():
        return title
    if _plain(body).startswith(_plain(title).rstrip(_ENDINGS)):
        return body
    return f"{title}\n\n{body}"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
