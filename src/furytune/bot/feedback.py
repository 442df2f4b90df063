"""Buttons and reactions by which people say whether an answer helped."""

from __future__ import annotations

import asyncio
from typing import Any

from furytune.answering import Asked
from furytune.bot import words
from furytune.bot.ledger import Entry, Ledger
from furytune.bot.posts import LOG, Button, roles_of
from furytune.bot.questions import Question
from furytune.bot.settings import BotSettings
from furytune.bot.vendor import discord
from furytune.errors import FurytuneError
from furytune.feedback import FeedbackLog, Role, Verdict

__all__ = ["Feedback"]

_SAY = "furytune:say:"
_TEXT = 4000
_LABELS: dict[Verdict, str] = {
    "helped": "Helped",
    "did_not_help": "Did not help",
    "corrected": "Correct it",
}
_EMOJI: dict[str, Verdict] = {
    "\N{THUMBS UP SIGN}": "helped",
    "\N{WHITE HEAVY CHECK MARK}": "helped",
    "\N{THUMBS DOWN SIGN}": "did_not_help",
    "\N{CROSS MARK}": "did_not_help",
}


class Feedback:
    """Notes what people say about answers.

    Args:
        ledger: Knows the answers' messages.
        settings: What the operator decided. Without ``feedback``, no one is asked.
    """

    def __init__(self, ledger: Ledger, settings: BotSettings) -> None:
        self._ledger, self._settings = ledger, settings
        self._log = (
            FeedbackLog(settings.feedback, keep_texts=settings.keep_texts, consent=settings.consent)
            if settings.feedback is not None
            else None
        )

    def buttons(self, entry: Entry) -> list[Button]:
        """Returns the buttons under an answer. Their ids say all that is needed, so they work after a restart."""
        if self._log is None or not entry.posts:
            return []
        about = f"{entry.posts[0]}:{entry.source or entry.id}"
        return [Button(f"{_SAY}{verdict}:{about}", label) for verdict, label in _LABELS.items()]

    async def answered(self, entry: Entry, asked: Asked, question: Question, text: str) -> None:
        """Notes that a question was answered. Failing does not matter for the answer."""
        if self._log is None or not entry.posts:
            return
        model = asked.served.model
        name = str(model.spec.get("name", "")) if model is not None else ""
        try:
            await asyncio.to_thread(
                self._log.exchange,
                str(entry.posts[0]),
                str(entry.source or entry.id),
                asker=str(question.author),
                asked=question.text,
                told=text,
                prompt=asked.prompt.digest,
                fingerprint=asked.entry.fingerprint,
                snapshot=asked.entry.snapshot,
                model=name,
                citations=[passage.citation for passage in asked.prompt.passages],
                parts=map(str, entry.posts[1:]),
                before=map(str, question.before),
            )
        except FurytuneError as error:
            LOG.error("feedback: %s", error)

    async def pressed(self, interaction: discord.Interaction) -> bool:
        """Notes what a button or a form says. Returns False if it is not about an answer."""
        data: Any = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        if self._log is None or not custom_id.startswith(_SAY):
            return False
        verdict, answer, question = _parts(custom_id)
        if verdict is None:
            return False
        if self._settings.consent.refusal(str(interaction.user.id), roles_of(interaction.user)):
            await _privately(interaction, words.NOT_NOTED)
        elif interaction.type is discord.InteractionType.modal_submit:
            text = _field(data)
            noted = await self._note(answer, question, verdict, interaction.user, "form", text=text)
            await _privately(interaction, words.THANKS if noted else words.UNUSABLE)
        elif verdict == "corrected":
            await interaction.response.send_modal(_form(custom_id))
        else:
            noted = await self._note(answer, question, verdict, interaction.user, "button")
            await _privately(interaction, words.THANKS if noted else words.FAILED)
        return True

    async def reacted(self, payload: discord.RawReactionActionEvent, me: int) -> None:
        """Notes a reaction to an answer."""
        verdict = _EMOJI.get(payload.emoji.name or "")
        entry = self._ledger.with_post(payload.message_id)
        who = payload.member or discord.Object(payload.user_id)
        if self._log is None or verdict is None or entry is None or payload.user_id == me:
            return
        roles = roles_of(payload.member) if payload.member is not None else frozenset()
        if (payload.member is not None and payload.member.bot) or self._settings.consent.refusal(
            str(payload.user_id), roles
        ):
            return
        await self._note(str(entry.posts[0]), str(entry.source or entry.id), verdict, who, "reaction")

    async def _note(
        self, answer: str, question: str, verdict: Verdict, who: Any, source: str, *, text: str | None = None
    ) -> bool:
        assert self._log is not None
        helps = self._settings.helpers and self._settings.helpers in roles_of(who)
        role: Role = "helper" if helps else "member"
        try:
            await asyncio.to_thread(
                self._log.note, answer, question, verdict, text, str(who.id), role, None, source
            )
        except FurytuneError as error:
            LOG.error("feedback: %s", type(error).__name__)
            return False
        return True


def _parts(custom_id: str) -> tuple[Verdict | None, str, str]:
    found = custom_id.removeprefix(_SAY).split(":")
    if len(found) != 3 or not (found[1].isdigit() and found[2].isdigit()):
        return None, "", ""
    return next((verdict for verdict in _LABELS if verdict == found[0]), None), found[1], found[2]


def _form(custom_id: str) -> discord.ui.Modal:
    form = discord.ui.Modal(title="Correct the answer", custom_id=custom_id)
    form.add_item(
        discord.ui.TextInput(
            label="The whole answer as it should have been",
            style=discord.TextStyle.paragraph,
            custom_id="text",
            max_length=_TEXT,
        )
    )
    # discord.py would remember the form for as long as the bot runs; what comes back is told apart by its id.
    form.stop()
    return form


def _field(data: Any) -> str:
    """Returns the text of the form's only field."""
    for row in data.get("components", ()):
        for item in row.get("components") or [row.get("component") or {}]:
            if item.get("custom_id") == "text":
                return str(item.get("value") or "")
    return ""


async def _privately(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.send_message(
        text, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
    )
