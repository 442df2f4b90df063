"""Joins the title of a forum post and its opening message into one question."""

from __future__ import annotations

__all__ = ["titled"]

_ENDINGS = " .,:;!?-\u2026\uff1f\uff01\u3002"


def titled(title: str, body: str) -> str:
    """Returns the question of a forum post: the title, a blank line, the body.

    If the body begins with the title (ignoring case, white space, and punctuation at the end of the title), the body is
    the whole question, because the title would only repeat it: many people paste their first sentence into the title,
    and Discord cuts titles after 100 characters. If the body has no text, the title is the whole question.

    Training pairs from forums are made this way, so a bot that answers in forums must ask the same way:
    ``contract.request(titled(thread.name, message.content))``.

    Args:
        title: The name of the post.
        body: The text of its opening message, as Discord delivers it.
    """
    title = " ".join(title.split())
    if not body.strip():
        return title
    # Compare without final punctuation, because the body may continue the sentence of the title.
    if _plain(body).startswith(_plain(title).rstrip(_ENDINGS)):
        return body
    return f"{title}\n\n{body}"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
