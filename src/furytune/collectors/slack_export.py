"""Turns exports of Slack workspaces into question-answer pairs."""

from __future__ import annotations

from attrs import frozen

from furytune._chat_files.collecting import ChatExportCollector
from furytune._chat_files.slack.archive import open_slack

__all__ = ["SlackExportCollector"]


@frozen
class SlackExportCollector(ChatExportCollector):
    """Pairs from the export of a Slack workspace.

    Reads the zip file that Slack makes, or the unpacked folder, in bounded memory. Every message is in a pair or counted in
    a `Dropped`. Direct messages are never read. The text of each message goes through `slack_text`, as a bot's must.

    Args:
        path: A zip file, a folder with ``channels.json`` and ``users.json``, or a folder of several exports of one
            workspace. Overlapping exports are merged; of several states of a message, the one with the latest edit counts.
        on_error: "raise" stops at the first malformed file or message. "skip" counts it as dropped and keeps the rest,
            but still raises if nothing could be read at all.
        pairers: Methods to find pairs with; the first that fits a conversation is used. None means `ChatPairer`.
        consent: Whose messages are used, by ids such as "slack:U012AB3CD" and the roles "owner", "admin", "guest" and
            "member". Other messages are dropped as "opted_out" or "not_opted_in".
        author_key: Key of the pseudonyms. None means the environment variable ``FURYTUNE_AUTHOR_KEY`` or, without it, a
            random key in each process, so that the pseudonyms of two runs differ.
        channels: Ids or names of the channels to read, with their threads. Empty means everything.
        exclude: Ids or names of channels to leave out; it takes precedence over ``channels``.
        private_channels: Whether private channels are read, if the export has them.
        window: How many messages of a channel the default pairers consider together.
        include_bots: Whether bots and apps may ask and answer; by default they are dropped as "bot".
        max_message_bytes: Most bytes of a single message in the file, all fields included; a larger one is refused.
        max_message: Most bytes of a message's text, as UTF-8; a longer one is dropped as "message_too_long".
        max_pair: Most bytes of question and answer together; a longer pair is dropped as "pair_too_long".
        max_messages: Most messages in a question, and in an answer; a larger pair is dropped as "too_many_messages".
    """

    opener = staticmethod(open_slack)
