"""A bot on Matrix: it answers who mentions it, or writes to it directly, with the contract's prompts.

python examples/matrix_bot.py fury.contract.json http://127.0.0.1:11434/v1 qwen2.5:7b

It needs ``pip install matrix-nio markdown-it-py`` and, in the environment, MATRIX_HOMESERVER (https://matrix.example.org) and
MATRIX_TOKEN, the access token of the bot's own account. It accepts invitations from people of its homeserver.

It reads unencrypted rooms only. End-to-end encryption needs ``pip install 'matrix-nio[e2e]'``, a store of keys, and a decision
about whose devices the bot trusts.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque

import nio
from markdown_it import MarkdownIt

import furytune as ft
from furytune.answering import Answerer, cited
from furytune.answering.text import split
from furytune.errors import EmptyTextError, FurytuneError

MOST = 6_000  # characters in one message; an event has at most 65,536 bytes, twice the text included
MARKDOWN = MarkdownIt("commonmark", {"html": False})  # tags of the model are shown as text
ENCRYPTED = "This room is encrypted, and I can only read rooms that are not. Please invite me to one."


class Bot:
    """Answers what a client receives, in a thread on each question.

    Args:
        answerer: Gives the answers.
        client: With an access token.
    """

    def __init__(self, answerer: Answerer, client: nio.AsyncClient) -> None:
        self.answerer, self.client = answerer, client
        self._started = time.time() * 1000
        self._seen: deque[str] = deque(maxlen=1_000)
        self._running = set[asyncio.Task[None]]()

    async def run(self) -> None:
        """Answers until the process ends.

        Raises:
            SystemExit: The homeserver does not accept the token.
        """
        me = await self.client.whoami()  # also tells the client who it is
        if isinstance(me, nio.ErrorResponse):
            sys.exit(f"The homeserver refused the access token ({me.status_code}); check MATRIX_TOKEN.")
        self.client.add_event_callback(self._invited, nio.InviteMemberEvent)
        first = True
        while True:
            synced = await self.client.sync(timeout=0 if first else 30_000, full_state=first)
            if isinstance(synced, nio.SyncError):
                if synced.status_code == "M_UNKNOWN_TOKEN":
                    await asyncio.gather(*self._running)
                    sys.exit("The access token is no longer valid; put a new one into MATRIX_TOKEN.")
                await asyncio.sleep(5)
            elif first:
                first = False  # it held what was said before, which is not answered
                self.client.add_event_callback(self._said, nio.RoomMessageText)
                self.client.add_event_callback(self._unreadable, nio.MegolmEvent)

    async def _invited(self, room: nio.MatrixRoom, event: nio.InviteMemberEvent) -> None:
        mine, theirs = (user.partition(":")[2] for user in (self.client.user_id, event.sender))
        if event.membership == "invite" and event.state_key == self.client.user_id and mine == theirs:
            await self.client.join(room.room_id)

    async def _said(self, room: nio.MatrixRoom, event: nio.RoomMessageText) -> None:
        # Messages of bots are notices (m.notice), which are another kind of event.
        old = event.server_timestamp < self._started or event.event_id in self._seen
        edit = relation(event).get("rel_type") == "m.replace"
        if event.sender == self.client.user_id or old or edit or room.encrypted:
            return
        if room.member_count == 2 or self._mentioned(event):
            self._seen.append(event.event_id)
            # Other messages arrive while the model writes.
            task = asyncio.create_task(self._answer(room, event))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _mentioned(self, event: nio.RoomMessageText) -> bool:
        mentions = event.source["content"].get("m.mentions")
        if not isinstance(mentions, dict):  # as clients wrote it before version 1.7 of Matrix
            return self.client.user_id in f"{event.body} {event.formatted_body}"
        users = mentions.get("user_ids")
        return isinstance(users, list) and self.client.user_id in users

    async def _answer(self, room: nio.MatrixRoom, event: nio.RoomMessageText) -> None:
        try:
            # The function that knows what Matrix's clients write for a mention, a reply and a link.
            asked = await self.answerer.ask(
                ft.matrix_text(event.source), answer_id=f"matrix-{room.room_id}-{event.event_id}"
            )
            text = "".join([piece.text async for piece in asked.pieces()])
            links = [
                f"[{source.label}]({source.url})" for source in cited(asked.prompt.passages) if source.url
            ]
            text += f"\n\nSources: {', '.join(links)}" if links else ""
        except EmptyTextError:
            text = "What would you like to know?"
        except FurytuneError:
            text = "I could not answer just now. Please ask again later."
        await self._say(room, event, text)

    async def _unreadable(self, room: nio.MatrixRoom, event: nio.MegolmEvent) -> None:
        if room.member_count == 2 and event.sender != self.client.user_id and room.room_id not in self._seen:
            self._seen.append(room.room_id)
            await self._say(room, event, ENCRYPTED)

    async def _say(self, room: nio.MatrixRoom, event: nio.Event, text: str) -> None:
        found = relation(event)
        thread = found.get("event_id") if found.get("rel_type") == "m.thread" else event.event_id
        # No answer is a link to a person, and none notifies a room: that "@" is full width, and looks alike.
        text = text.replace("@room", "\uff20room").replace("//matrix.to", "//matrix[.]to")
        for number, part in enumerate(split(text, MOST)):
            content = {
                "msgtype": "m.notice",
                "body": str(part),
                "m.mentions": {},
                "m.relates_to": {
                    "rel_type": "m.thread",
                    "event_id": thread,
                    "is_falling_back": True,
                    "m.in_reply_to": {"event_id": event.event_id},
                },
            }
            html = MARKDOWN.render(str(part))
            if len(html) <= 3 * MOST:
                content |= {"format": "org.matrix.custom.html", "formatted_body": html}
            # A homeserver takes each transaction of a token once, so what is sent again is not shown twice, even if
            # two processes answer.
            sent = await self.client.room_send(
                room.room_id, "m.room.message", content, tx_id=f"{event.event_id}-{number}"
            )
            if isinstance(sent, nio.ErrorResponse):
                print(f"could not answer in {room.room_id}: {sent.status_code}", file=sys.stderr)
                return


def relation(event: nio.Event) -> dict[str, object]:
    """Returns what an event says about the event that it belongs to."""
    found = event.source["content"].get("m.relates_to")
    return found if isinstance(found, dict) else {}


async def main(contract: str, endpoint: str, model: str) -> None:
    """Answers until the process ends."""
    client = nio.AsyncClient(os.environ["MATRIX_HOMESERVER"])
    client.access_token = os.environ["MATRIX_TOKEN"]
    try:
        await Bot(Answerer(contract, ft.ChatService(endpoint).model(model)), client).run()
    finally:
        await client.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
