"""The whole way: the bot answers in a server, someone presses a button, and the next collection of the server has the pair."""

from __future__ import annotations

import pytest
from bots import World, save, until

import furytune as ft
from furytune.records import Passage

TOLD = (
    "Set its opacity below one:\n\n```python\nactor.opacity = 0.5\n```\n"
    + "Then render the scene again. " * 90
)


def test_what_the_bot_posted_is_found_in_the_journal_as_the_model_wrote_it(tmp_path):
    passage = Passage(id="a", text="Opacity of a sphere", title="Opacity", url="https://docs.example.org/a")
    ft.build_index(tmp_path / "corpus.lance", [passage])
    log = tmp_path / "feedback.jsonl"
    with World(tmp_path, lambda _text: TOLD) as world:
        save(
            world.path,
            world.discord,
            augmenter=ft.RagAugmenter(tmp_path / "corpus.lance", k=1),
            template="{context}\n\nQuestion:\n{question}",
        )
        ann = world.discord.add_member("ann")
        with world.bot(feedback=log):
            asked = world.ask("sphere opacity?", who=ann)
            until(log.exists)  # the answer is complete
            pressed = world.discord.press(ann, world.posts()[-1], "Helped")
            until(lambda: pressed.private)
        assert len(world.posts()) > 1
        assert "Sources" in world.said()[-1]
        live = ft.DiscordCollector(
            guild=world.discord.guild,
            token=ft.Secret(world.discord.token),
            permission="a test",
            journal=tmp_path / "journal",
            endpoint=world.discord.url,
        )
        live.update()
    assert b"render the scene" not in log.read_bytes()
    [pair] = ft.FeedbackCollector(log, chat=live.journal).collect()
    assert pair.question == f"<@{world.discord.bot.id}> sphere opacity?"
    assert pair.question_messages == (asked.id,)
    assert pair.answer.split() == TOLD.split()
    assert pair.tags[0] == "confirmed by asker"


@pytest.mark.parametrize("keep_texts", [False, True])
def test_a_question_in_two_messages_is_one_pair_until_one_of_them_is_deleted(keep_texts, tmp_path):
    log = tmp_path / "feedback.jsonl"
    with World(tmp_path, lambda text: "Use `actor.box`." if "0.12" in text else "Which version?") as world:
        ann = world.discord.add_member("ann")
        with world.bot(feedback=log, keep_texts=keep_texts):
            first = world.ask("how do I draw a box?", who=ann)
            until(lambda: len(world.said()) == 1 and not world.busy())
            second = world.ask("0.12", who=ann, channel=first.thread)
            until(lambda: len(world.said()) == 2 and not world.busy())
            pressed = world.discord.press(ann, world.posts()[-1], "Helped")
            until(lambda: pressed.private)
        live = ft.DiscordCollector(
            guild=world.discord.guild,
            token=ft.Secret(world.discord.token),
            permission="a test",
            journal=tmp_path / "journal",
            endpoint=world.discord.url,
        )
        live.update()
        collector = ft.FeedbackCollector(log, chat=live.journal)
        [pair] = [one for one in collector.collect() if isinstance(one, ft.QAPair)]
        assert pair.question == f"{first.content}\n\n{second.content}"
        assert pair.question_messages == (first.id, second.id)
        assert world.prompts[-1].encode() == bytes(world.contract.prompt(pair.question))
        world.discord.delete(first)
        live.update()
        assert not any(isinstance(one, ft.QAPair) for one in collector.collect())
    erased = ft.FeedbackLog(log).erase([first.id], [])
    assert (erased.removed, second.id in log.read_text()) == (3, False)
