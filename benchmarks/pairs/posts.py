"""Turns rows of the data into posts, as a collector does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sources import Stream

from furytune.pairing import Post, titled

_AT = re.compile(r"@([\w.#-]+)")
_SOLVED = frozenset({"white_check_mark", "heavy_check_mark", "ballot_box_with_check"})


def posts(stream: Stream, *, hide_replies: bool = False) -> Iterator[Post]:
    """Yields the posts of a stream.

    Args:
        stream: The messages.
        hide_replies: Whether to hide native replies and the mentions that give them away.
    """
    first = stream.rows[0].id if stream.rows else ""
    for row in stream.rows:
        text = row.text
        if stream.kind == "forum" and row.id == first:
            text = titled(stream.channel, text)
        mentions = () if hide_replies or stream.kind in ("irc", "gitter") else tuple(_AT.findall(text))
        yield Post(
            id=row.id,
            speaker=row.author,
            text=text,
            reply_to=None if hide_replies else row.reply_to or None,
            sent_at=row.at,
            solved=not _SOLVED.isdisjoint(row.marks),
            drop="system" if row.system else "",
            path=stream.file,
            names=row.names,
            mentions=mentions,
            files=row.files,
        )
