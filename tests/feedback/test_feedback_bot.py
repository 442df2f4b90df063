"""The whole way: the bot answers in a server, someone presses a button, and the next collection of the server has the pair."""

from __future__ import annotations

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
