"""What a pairer is told about each message of an export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from furytune.collectors.discord_export import DiscordExportCollector
from furytune.pairing import Conversation, Post
from furytune.records import Dropped, QAPair


class Recorder:
    """A pairer that finds nothing and remembers what it saw."""

    def __init__(self) -> None:
        self.posts: list[Post] = []

    def fits(self, place: Conversation) -> bool:
        return True

    def pair(self, posts: Iterable[Post], place: Conversation) -> Iterator[QAPair | Dropped]:
        self.posts += posts
        yield Dropped(reason="no_reply", unit="message", count=len(self.posts))


def seen(
    folder: Path, *messages: dict[str, Any], channel: dict[str, Any] | None = None, **settings: Any
) -> list[Post]:
    """The posts of an export with these messages; only the fields that matter are given."""
    full = [
        {
            "id": str(1000 + i),
            "type": "Default",
            "timestamp": "2024-05-01T10:00:00+00:00",
            "content": "",
            **message,
        }
        for i, message in enumerate(messages)
    ]
    export = {
        "guild": {"id": "1"},
        "channel": channel or {"id": "7", "type": "GuildTextChat"},
        "messages": full,
    }
    (folder / "a.json").write_text(json.dumps(export), "utf-8")
    recorder = Recorder()
    list(DiscordExportCollector(folder, pairers=[recorder], author_key=b"k", **settings).collect())
    return recorder.posts


ANN = {"id": "10", "name": "ann", "nickname": "Ann of Ubuntu", "isBot": False}
BOB = {"id": "11", "name": "bob", "nickname": "Bob", "isBot": False}


def webhook(name: str) -> dict[str, Any]:
    return {"id": "99", "name": name, "isBot": True}


def test_a_post_has_the_names_that_others_use_for_its_author(tmp_path: Path):
    (post,) = seen(tmp_path, {"author": ANN, "content": "hi"})
    assert post.names == ("Ann of Ubuntu", "ann")


def test_a_mention_names_the_pseudonym_of_the_person(tmp_path: Path):
    ann, bob = seen(
        tmp_path,
        {"author": ANN, "content": "How?"},
        {"author": BOB, "content": "@Ann of Ubuntu so", "mentions": [ANN]},
    )
    assert bob.mentions == (ann.speaker,)
    assert bob.text == "<@10> so"


def test_a_mention_without_an_id_keeps_its_names(tmp_path: Path):
    (post,) = seen(tmp_path, {"author": BOB, "content": "@ann so", "mentions": [{"name": "ann"}]})
    assert post.mentions == ("ann",)


def test_a_raw_mention_needs_no_list(tmp_path: Path):
    ann, bob = seen(tmp_path, {"author": ANN, "content": "How?"}, {"author": BOB, "content": "<@10> so"})
    assert bob.mentions == (ann.speaker,)


def test_files_and_stickers_are_counted(tmp_path: Path):
    (post,) = seen(
        tmp_path,
        {
            "author": ANN,
            "content": "this",
            "attachments": [{"id": "1"}, {"id": "2"}],
            "stickers": [{"id": "3"}],
        },
    )
    assert post.files == 3


def test_an_answer_that_stands_in_an_embed_is_text(tmp_path: Path):
    embed = {
        "title": "Opacity",
        "description": "Set `opacity`.",
        "fields": [{"name": "Since", "value": "0.9"}],
    }
    (post,) = seen(tmp_path, {"author": webhook("Docs"), "embeds": [embed]}, include_bots=True)
    assert post.text == "Opacity\nSet `opacity`.\nSince\n0.9"


def test_the_preview_of_a_link_is_not_what_a_person_said(tmp_path: Path):
    (post,) = seen(
        tmp_path, {"author": ANN, "content": "see https://example.org", "embeds": [{"title": "Example"}]}
    )
    assert post.text == "see https://example.org"


def test_a_forum_post_that_only_has_an_embed_keeps_its_title(tmp_path: Path):
    channel = {"id": "1000", "type": "GuildPublicThread", "categoryId": "7", "name": "Black sphere"}
    (post,) = seen(tmp_path, {"author": ANN, "embeds": [{"description": "It is black."}]}, channel=channel)
    assert post.text == "Black sphere\n\nIt is black."


def test_an_embed_that_is_too_long_is_dropped_as_any_message(tmp_path: Path):
    (post,) = seen(tmp_path, {"author": ANN, "embeds": [{"description": "x" * 200}]}, max_message=100)
    assert (post.text, post.drop) == ("", "message_too_long")


def test_people_behind_a_bridge_are_told_apart_by_name(tmp_path: Path):
    said = ["ann", "bob", "cem", "ann", "bob"]
    posts = seen(tmp_path, *({"author": webhook(name), "content": f"line of {name}"} for name in said))
    # Two names may be one feed that was renamed; from the third on, the webhook speaks for people.
    assert [post.drop for post in posts] == ["bot", "bot", "", "", ""]
    cem, ann, bob = posts[2:]
    assert len({cem.speaker, ann.speaker, bob.speaker}) == 3
    assert ann.names == ("ann",)


@pytest.mark.parametrize("names", [["GitHub"] * 6, ["GitHub", "GitHub CI"] * 3])
def test_a_feed_stays_a_bot(tmp_path: Path, names: list[str]):
    posts = seen(tmp_path, *({"author": webhook(name), "content": "pushed"} for name in names))
    assert {post.drop for post in posts} == {"bot"}
    assert len({post.speaker for post in posts}) == 1


def test_a_bridge_without_names_is_a_bot(tmp_path: Path):
    posts = seen(tmp_path, *({"author": {"id": "99", "isBot": True}, "content": "x"} for _ in range(5)))
    assert {post.drop for post in posts} == {"bot"}
