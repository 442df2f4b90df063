"""Takes questions and answers each of them once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

from attrs import define, evolve, field
from msgspec.structs import replace

from furytune.answering import Answerer, Asked, Rate, Status
from furytune.answering.text import Safety
from furytune.bot import rendering, words
from furytune.bot.conversations import Conversations
from furytune.bot.doubts import doubt
from furytune.bot.feedback import Feedback
from furytune.bot.ledger import Entry, Ledger
from furytune.bot.posts import LOG, GoneError, Posts, RefusedError, UnreachableError, stop_button
from furytune.bot.questions import Question, Seen
from furytune.bot.settings import BotSettings
from furytune.bot.sheet import Growing, Sheet
from furytune.errors import (
    BusyError,
    EmptyTextError,
    FurytuneError,
    QuestionTooLongError,
    TextError,
)
from furytune.pairing.asking import only_asks_back
from furytune.records import Piece

__all__ = ["Runs"]

_PATIENCE = 20
_PAUSE = 1.0  # seconds
_TYPING = 8.0  # seconds; Discord shows it for ten


@define(eq=False)
class _Run:
    """An answer under way.

    Attributes:
        question: What is answered.
        task: The work.
        why: Why it should end early: "", "stopped", "deleted", "again" or "shutdown".
        model: The task that waits for the model, which may be cancelled at any time.
        asks_back: Whether the answer only asks back.
    """

    question: Question
    task: asyncio.Task[None] | None = None
    why: str = ""
    model: asyncio.Future[Any] | None = None
    asks_back: bool = False
    done: asyncio.Event = field(factory=asyncio.Event)

    def over(self) -> str:
        """Returns why it should end early, "" if it should not."""
        return self.why

    def end(self, why: str) -> None:
        """Ends the answer early, but no request to Discord half-way."""
        self.why = self.why or why
        if self.model is not None:
            self.model.cancel()


async def _next(run: _Run, pieces: AsyncGenerator[Piece, None], view: Growing) -> Piece | None:
    """Returns the next piece of an answer, None at its end or if it should end early."""
    model = run.model = asyncio.ensure_future(anext(pieces, None))
    try:
        while not model.done():
            await view.wait(model)
        return None if model.cancelled() else model.result()
    finally:
        run.model = None
        if not model.done():
            model.cancel()
            await asyncio.wait({model})


class Runs:
    """Answers questions.

    Args:
        answerer: Renders prompts and asks the model.
        ledger: Notes what was taken.
        posts: Talks to Discord.
        feedback: Asks people whether an answer helped.
        settings: What the operator decided.
    """

    def __init__(
        self, answerer: Answerer, ledger: Ledger, posts: Posts, feedback: Feedback, settings: BotSettings
    ) -> None:
        self._answerer, self._ledger, self._posts, self._settings = answerer, ledger, posts, settings
        self._feedback = feedback
        self._conversations = Conversations(ledger, posts, settings)
        self._people, self._servers = Rate(settings.per_person), Rate(settings.per_server)
        # Questions wait for their turn here, because many may come at once after an interruption.
        self._turns = asyncio.Semaphore(settings.concurrent)
        self._runs: dict[int, _Run] = {}
        self._edited: dict[int, str] = {}
        self._closing = False

    @property
    def running(self) -> int:
        """How many answers are under way."""
        return len(self._runs)

    @property
    def closing(self) -> bool:
        """True once no more questions are taken."""
        return self._closing

    def under_way(self, number: int) -> bool:
        """Returns True if the answer to a question is under way."""
        return number in self._runs

    def refusal(self, question: Question) -> bool:
        """Counts a question, and returns True if its person or server asked too many."""
        too_fast = self._people.take(str(question.author)) > 0
        return too_fast or (question.server > 0 and self._servers.take(str(question.server)) > 0)

    def fresh(self, question: Question) -> bool:
        """Returns True if a question was not taken yet, and may be."""
        return not self._closing and question.id not in self._runs and self._ledger.find(question.id) is None

    async def take(self, question: Question, *, look: bool = False) -> None:
        """Answers the question in a message, if it was not taken yet.

        Args:
            question: The question.
            look: Whether to look first if another process has answered it.
        """
        if not self.fresh(question):
            return
        if self.refusal(question):
            self.skip(question, "too fast")
            await self._posts.react(question.channel, question.source, "\N{HOURGLASS WITH FLOWING SAND}")
            return
        self._begin(question, self._place(question, self.claim(question), look=look))

    def skip(self, question: Question, how: str) -> None:
        """Notes that a question gets no answer."""
        self._ledger.note(
            Entry(question.id, "done", question.channel, question.door, question.source, how=how)
        )

    def claim(self, question: Question) -> Entry:
        """Notes that a question is taken, before anything else happens."""
        self._edited[question.id] = question.edited
        while len(self._edited) > 1000:
            self._edited.pop(next(iter(self._edited)))
        return self._ledger.note(
            Entry(
                question.id,
                "claimed",
                question.channel,
                question.door,
                question.source,
                mark=secrets.token_hex(4),
            )
        )

    def opening(self, question: Question) -> str:
        """Returns the text of a placeholder. A command does not show what was asked, so it begins with that."""
        return "\n".join(part for part in (self._above(question), words.THINKING) if part)

    def placed(self, entry: Entry, place: int, message: int) -> Entry:
        """Notes where the first message of an answer is."""
        return self._ledger.note(replace(entry, place=place, posts=(message,)))

    def _above(self, question: Question) -> str:
        return rendering.quoted(self._plain(question.text)) if question.door in {"command", "menu"} else ""

    def go_on(self, question: Question, entry: Entry) -> None:
        """Writes an answer whose first message is there already, or resumes what an earlier process began."""
        if question.id not in self._runs:
            work = self._write(question, entry) if entry.posts else self._place(question, entry, look=True)
            self._begin(question, work)

    def _begin(self, question: Question, work: Coroutine[Any, Any, None]) -> None:
        run = self._runs[question.id] = _Run(question)
        run.task = asyncio.ensure_future(self._guarded(run, work))

    async def _guarded(self, run: _Run, work: Coroutine[Any, Any, None]) -> None:
        number = run.question.id
        try:
            await work
        except GoneError:
            self._done(number, "deleted")
        except RefusedError as refused:
            LOG.warning("question %d: no answer: %s", number, refused)
            self._done(number, "refused")
        except UnreachableError:
            LOG.warning("question %d: Discord did not answer; it will be tried again", number)
        except FurytuneError as error:
            LOG.error("question %d: %s: %s", number, type(error).__name__, error)
        except Exception as error:  # noqa: BLE001  (its message may quote the question)
            LOG.error("question %d: %s", number, type(error).__name__)
        finally:
            self._runs.pop(number, None)
            run.done.set()

    def _done(self, number: int, how: str, **changes: Any) -> None:
        entry = self._ledger.find(number)
        if entry is not None:
            changes |= {"state": "done", "how": how}
            self._ledger.note(replace(entry, **changes))

    # The place of an answer

    async def _place(self, question: Question, entry: Entry, *, look: bool) -> None:
        """Posts the placeholder where the answer will be, then writes the answer."""
        place, reply_to = question.channel, question.source
        if self._settings.open_threads and question.door == "mention" and not question.threaded:
            place, reply_to, new = await self._thread(question)
            # Another process may have opened the thread, and answered in it long ago.
            look = look or not new
        made = await self._find(question, place) if look else None
        if made is None:
            made = await self._posts.send(
                place,
                words.THINKING,
                nonce=str(question.id),
                reply_to=reply_to,
                buttons=[stop_button(question.id, entry.mark)],
            )
        if made.mark != entry.mark:
            LOG.info("question %d: another process answers it", question.id)
            self._done(question.id, "elsewhere")
            return
        await self._write(question, self._ledger.note(replace(entry, place=place, posts=(made.id,))))

    async def _find(self, question: Question, place: int) -> Seen | None:
        """Returns the first message of the bot that answers a question, None if there is none."""
        for one in await self._posts.after(place, question.id, 100):
            own = one.author == self._posts.me and (
                one.content or one.mark
            )  # a notice of a thread has neither
            if own and (place != question.channel or one.answers == question.source):
                return one
        return None

    async def _thread(self, question: Question) -> tuple[int, int, bool]:
        """Opens the thread of a question; where that is not possible, the answer is a reply."""
        try:
            new = await self._posts.open_thread(
                question.channel, question.source, rendering.heading(self._plain(question.text))
            )
        except RefusedError as refused:
            LOG.info("question %d: no thread: %s", question.id, refused)
            return question.channel, question.source, True
        return question.source, 0, new

    def _plain(self, text: str) -> str:
        try:
            return self._answerer.current.contract.normalizer(text)
        except FurytuneError:
            return ""

    # The answer

    async def _write(self, question: Question, entry: Entry) -> None:
        sheet = Sheet(self._posts, self._ledger, entry)
        before = self._above(question)
        run = self._runs[question.id]
        typing = asyncio.ensure_future(self._type(entry.place))
        try:
            said, how = await self._answer(run, sheet, before)
        finally:
            typing.cancel()
        if how == "deleted":
            await sheet.clear()
        elif how in {"again", "shutdown"}:
            return
        elif said:
            await sheet.show(rendering.pages("", before=before, after=[said]))
        self._done(question.id, how, asks_back=how == "answered" and run.asks_back)

    async def _answer(self, run: _Run, sheet: Sheet, before: str) -> tuple[str, str]:
        """Answers a question; returns what to say instead of an answer, and what became of it."""
        if len(self._runs) > self._settings.waiting:
            return words.BUSY, "busy"
        await self._join(run, sheet)
        async with self._turns:
            for _ in range(_PATIENCE):
                found = await self._answered(run, sheet, before)
                if found[1] != "busy":
                    break
                # A model that was stopped may keep its thread for a while.
                await asyncio.sleep(_PAUSE)
            return found

    async def _join(self, run: _Run, sheet: Sheet) -> None:
        """Adds to the question what its author said before, if the bot only asked back."""
        question = run.question
        if not self._plain(question.text):  # a mention alone asks nothing, whatever was said before
            return
        for before in self._asking_back(question):
            await before.done.wait()
        try:
            asking = await self._conversations.asking(question, sheet.entry)
        except RefusedError as refused:
            LOG.info("question %d: what was said before cannot be read: %s", question.id, refused)
            return
        if asking.earlier != sheet.entry.earlier and asking.earlier:
            sheet.entry = self._ledger.note(replace(sheet.entry, earlier=asking.earlier))
        run.question = evolve(question, text=asking.text, before=asking.before)

    def _asking_back(self, question: Question) -> list[_Run]:
        """Returns answers under way that a question may reply to: someone may be quicker than the last edit."""
        replied = self._ledger.with_post(question.answers) if question.answers else None
        found = []
        for run in self._runs.values():
            entry = self._ledger.find(run.question.id)
            here = entry is not None and entry.place == question.channel and run.asks_back
            if run.question.id < question.id and (here or (entry is not None and entry is replied)):
                found.append(run)
        return found

    async def _answered(self, run: _Run, sheet: Sheet, before: str) -> tuple[str, str]:
        question = run.question
        if run.over():
            return "", run.over()
        try:
            asked = await self._answerer.ask(
                question.text, answer_id=f"discord-{question.id}", noted=question.noted
            )
        except EmptyTextError:
            return words.EMPTY, "empty"
        except QuestionTooLongError:
            return words.LONG, "too long"
        except TextError:
            return words.DAMAGED, "damaged"
        except BusyError:
            return words.BUSY, "busy"
        except (FurytuneError, TimeoutError) as error:
            LOG.error("question %d: %s", question.id, type(error).__name__)
            return words.FAILED, "failed"
        status: Status = "failed"
        try:
            text, shown, last = await self._stream(run, sheet, asked, before)
            if why := run.over():
                status = "stopped"
                if why == "stopped":
                    await sheet.show(rendering.pages(shown, before=before, after=[words.STOPPED]))
                return "", why
            if not shown.strip():
                return words.FAILED, "failed"
            run.asks_back = only_asks_back([text])
            await self._finish(sheet, asked, question, shown, last, before)
            if question.noted:
                await self._feedback.answered(sheet.entry, asked, question, text)
            status = "answered"
        except (FurytuneError, TimeoutError) as error:
            LOG.warning("question %d: asking the model: %s", question.id, type(error).__name__)
            return (words.BUSY, "busy") if isinstance(error, BusyError) else (words.FAILED, "failed")
        finally:
            if question.noted:
                asked.note(status)
        return "", "answered"

    async def _stream(self, run: _Run, sheet: Sheet, asked: Asked, before: str) -> tuple[str, str, Piece]:
        """Shows the answer as it grows; returns the model's text, what may be shown of it, and the last piece."""
        text, safe, last = "", "", Piece(finish="stop")
        safety = Safety(asked.hosts)  # also if the settings say that answers are not cleaned
        stop = [stop_button(run.question.id, sheet.entry.mark)]
        view = Growing(sheet, self._settings.pace, lambda part: rendering.pages(part, before=before), stop)
        try:
            async with asyncio.timeout(self._settings.timeout), aclosing(asked.pieces()) as pieces:
                while not run.over() and (piece := await _next(run, pieces, view)) is not None:
                    text += piece.text
                    safe += safety.feed(piece.text)
                    view.text = safe
                    last = piece if piece.finish else last
        finally:
            await view.close()
        return text, safe + safety.end(), last

    async def _finish(
        self,
        sheet: Sheet,
        asked: Asked,
        question: Question,
        shown: str,
        last: Piece,
        before: str,
    ) -> None:
        settings = self._settings
        why = await doubt(asked, question.text, last, settings.least_score)
        note = words.unsure(why, settings.helpers) if why else ""
        origin = rendering.sources(asked.prompt.passages)
        if why and settings.helpers and settings.ping_helpers:
            # An edit notifies no one, so this is a message of its own.
            pieces = [*rendering.pages(shown, before=before, after=[origin]), note]
            role = int(settings.helpers)
        else:
            pieces, role = rendering.pages(shown, before=before, after=[note, origin]), 0
        await sheet.show(pieces, self._feedback.buttons(sheet.entry), ping_role=role)

    async def _type(self, channel: int) -> None:
        while True:
            await self._posts.typing(channel)
            await asyncio.sleep(_TYPING)

    # What people do meanwhile

    def stop(self, number: int, person: int) -> bool:
        """Stops an answer, if this person asked for it. Returns True if it did."""
        run = self._runs.get(number)
        if run is None or run.question.author != person:
            return False
        run.end("stopped")
        return True

    async def deleted(self, message: int) -> None:
        """Deletes the answers of a message that was deleted."""
        for entry in self._ledger.about(message):
            run = self._runs.get(entry.id)
            if run is not None:
                run.end("deleted")
                await run.done.wait()
            found = self._ledger.find(entry.id)
            if found is not None and found.how != "deleted":
                if found.posts:
                    await Sheet(self._posts, self._ledger, found).clear()
                self._done(entry.id, "deleted")

    async def edited(self, question: Question) -> bool:
        """Answers a question again in the same messages, if its text was edited. Returns False if it is not known."""
        entry = self._ledger.find(question.id)
        if entry is None:
            return False
        # Discord also tells that a link got its preview, or that a thread was opened; then there is no new time of edit.
        if not question.edited or self._edited.get(question.id, "") == question.edited:
            return True
        self._edited[question.id] = question.edited
        run = self._runs.get(question.id)
        if run is not None:
            run.end("again")
            await run.done.wait()
        entry = self._ledger.find(question.id)
        if entry is not None and entry.posts and entry.how != "deleted" and not self._closing:
            entry = self._ledger.note(replace(entry, state="claimed", how=""))
            self.go_on(question, entry)
        return True

    async def close(self, grace: float) -> None:
        """Takes no more questions, and waits for the answers under way. The next start resumes the others."""
        self._closing = True
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for run in list(self._runs.values()):
            run.end("shutdown")
        left = [run.task for run in self._runs.values() if run.task is not None]
        if left:
            await asyncio.wait(left, timeout=5.0)
