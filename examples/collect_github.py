"""From the discussions of a repository to training data, and the prompt that a bot sends.

Without arguments this is a rehearsal: the service runs on this machine and speaks GitHub's API, so you need no account and no
token. With the name of a repository it reads that one, with the token in GITHUB_TOKEN; docs/github-discussions.md explains how
to make the token. Run it again as often as you like: it reads what is new, changed or deleted.

    python examples/collect_github.py
    python examples/collect_github.py --repository OWNER/NAME --permission "Agreed by ... on ..." --out collected/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import furytune as ft
from furytune.pairing import forum_question
from furytune.testing.fake_github import FakeGitHub


def made_up_repository() -> FakeGitHub:
    """Returns a repository with a few questions, an announcement, and people who thank."""
    github = FakeGitHub("octo-org/octo-repo", token="rehearsal")
    github.account("mona", association="MEMBER")
    for shape in ["sphere", "cube", "cone", "arrow"]:
        asked = github.ask(
            "ann", f"How do I draw a {shape}?", f"@mona, can a {shape} be red?\n<!-- Thank you! -->"
        )
        said = github.comment(
            asked, "mona", f"@ann yes: `actor.{shape}(colors=(1, 0, 0))`.", accepted=shape != "arrow"
        )
        github.comment(said, "ann", "Thanks, that worked!")
    github.ask("mona", "Version 2 is out", "See the notes.", category="Announcements")
    return github


def collect(collector: ft.GitHubDiscussionsCollector, out: Path) -> None:
    """Collects, writes the data set, and shows the prompt of a bot."""
    print(collector.update())
    run = ft.Pipeline(
        collector=collector.journal,
        curators=[ft.Deduplicate(), ft.RedactSecrets()],
        template=ft.PromptTemplate("You are this project's helper.\n\nQuestion:\n{question}"),
        exporter=ft.JsonlExporter(out / "train.jsonl"),
    ).run()
    print(run.report)
    print("\nWhat a bot sends for a new discussion:\n")
    print(run.contract.prompt(forum_question("How do I draw a torus?", "@mona, can it be red?")))


def main() -> None:
    """Collects from the repository that is named, or from one that is made up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--repository", help="owner and name")
    parser.add_argument("--permission", default="", help="who permitted this collection, and what for")
    parser.add_argument("--out", type=Path, default=Path("collected"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.repository:
        collect(
            ft.GitHubDiscussionsCollector(
                given.repository,
                token=ft.Secret.env("GITHUB_TOKEN"),
                permission=given.permission,
                journal=given.out / "journal",
            ),
            given.out,
        )
        return
    with made_up_repository() as github:
        collect(
            ft.GitHubDiscussionsCollector(
                github.repository,
                token=ft.Secret("rehearsal"),
                permission="A rehearsal: no one's words are read",
                journal=given.out / "journal",
                endpoint=github.endpoint,
            ),
            given.out,
        )


if __name__ == "__main__":
    main()
