"""From the topics of a Discourse forum to training data, and the prompt that a bot sends.

Without arguments this is a rehearsal: the forum runs on this machine, so you need no account and no key. With an address it
reads that forum, and with --key-from also what needs a key; docs/discourse.md explains how to make one. Run it again as
often as you like: from a forum that is named, it reads what is new, changed or deleted.

    python examples/collect_discourse.py
    python examples/collect_discourse.py --site https://discuss.example.org --permission "Agreed by ... on ..."
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import furytune as ft
from furytune.pairing import discourse_text
from furytune.testing.fake_discourse import FakeDiscourse


def made_up_forum() -> FakeDiscourse:
    """Returns a forum with a few questions, and people who quote and thank."""
    forum = FakeDiscourse()
    forum.account("mona", moderator=True)
    for shape in ["sphere", "cube", "cone", "arrow"]:
        asked = forum.ask("ann", f"How do I draw a {shape}?", f"@mona, can a {shape} be red?")
        said = forum.reply(
            asked,
            "mona",
            f'[quote="ann, post:1"]\ncan a {shape} be red?\n[/quote]\n\n@ann yes: `actor.{shape}(colors=(1, 0, 0))`.',
            accepted=shape != "arrow",
        )
        forum.reply(said, "ann", "Thanks, that worked!")
    return forum


def collect(collector: ft.DiscourseCollector, out: Path) -> None:
    """Collects, writes the data set, and shows the prompt of a bot."""
    print(collector.update())
    run = ft.Pipeline(
        collector=collector.journal,
        curators=[ft.Deduplicate(), ft.RedactSecrets()],
        template=ft.PromptTemplate("You are this project's helper.\n\nQuestion:\n{question}"),
        exporter=ft.JsonlExporter(out / "train.jsonl"),
    ).run()
    print(run.report)
    print("\nWhat a bot sends for a new topic:\n")
    print(run.contract.prompt(discourse_text("@mona, can it be red?", "How do I draw a torus?")))


def main() -> None:
    """Collects from the forum that is named, or from one that is made up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--site", help="address of the forum")
    parser.add_argument("--tag", action="append", default=[], help="read only topics with this tag")
    parser.add_argument("--key-from", help="name of the environment variable that has the key")
    parser.add_argument("--permission", default="", help="who permitted this collection, and what for")
    parser.add_argument("--out", type=Path, default=Path("collected"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.site:
        collect(
            ft.DiscourseCollector(
                given.site,
                key=ft.Secret.env(given.key_from) if given.key_from else None,
                tags=given.tag,
                permission=given.permission,
                journal=given.out / "journal",
            ),
            given.out,
        )
        return
    # The made-up forum has another address each time, and a journal belongs to one forum.
    with made_up_forum() as forum, TemporaryDirectory() as journal:
        collect(
            ft.DiscourseCollector(
                forum.url, permission="A rehearsal: no one's words are read", journal=Path(journal, "journal")
            ),
            given.out,
        )


if __name__ == "__main__":
    main()
