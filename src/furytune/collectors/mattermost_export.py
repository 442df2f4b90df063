"""Turns bulk exports of Mattermost into question-answer pairs."""

from __future__ import annotations

from attrs import frozen

from furytune._chat_files.collecting import ChatExportCollector
from furytune._chat_files.mattermost.archive import open_mattermost

__all__ = ["MattermostExportCollector"]


@frozen
class MattermostExportCollector(ChatExportCollector):
    """Pairs from a bulk export of Mattermost.

    Reads the zip file that ``mmctl export create`` makes, or the JSON lines in it, in bounded memory. Every message is in a
    pair or counted in a `Dropped`. Direct messages are never read. The text of each message goes through `mattermost_text`, as a bot's must.

    Args:
        path: A zip file, a file of JSON lines, or a folder of them. Overlapping exports of one server are merged; of several
            states of a message, the one with the latest edit counts.
        on_error: "raise" stops at the first malformed file or message. "skip" counts it as dropped and keeps the rest,
            but still raises if nothing could be read at all.
        pairers: Methods to find pairs with; the first that fits a conversation is used. None means `ChatPairer`.
        consent: Whose messages are used, by user names such as "mattermost:ann" and the roles "admin", "team_admin", "guest"
            and "member", or your own. Other messages are dropped as "opted_out" or "not_opted_in".
        author_key: Key of the pseudonyms. None means the environment variable ``FURYTUNE_AUTHOR_KEY`` or, without it, a
            random key in each process, so that the pseudonyms of two runs differ.
        channels: Names of the channels and teams to read, with their threads. A channel is named as in its address, such as
            "town-square", and "team:town-square" names the one of a team. Empty means everything.
        exclude: Names of channels and teams to leave out; it takes precedence over ``channels``.
        private_channels: Whether private channels are read.
        window: How many messages of a channel the default pairers consider together.
        include_bots: Whether bots and webhooks may ask and answer; by default they are dropped as "bot".
        max_message_bytes: Most bytes of a line, which is a message with its replies; a larger one is refused.
        max_message: Most bytes of a message's text, as UTF-8; a longer one is dropped as "message_too_long".
        max_pair: Most bytes of question and answer together; a longer pair is dropped as "pair_too_long".
        max_messages: Most messages in a question, and in an answer; a larger pair is dropped as "too_many_messages".
    """

    opener = staticmethod(open_mattermost)
