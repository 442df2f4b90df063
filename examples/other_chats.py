"""Makes a data set from an export of Slack, Mattermost or Zulip, and checks that a bot would send the same bytes.

You need no key and no account. The three exports are made up: two questions and their answers, a bot, a private channel
and a direct message.

    python examples/other_chats.py
    python examples/other_chats.py slack my-export.zip --channel help
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import furytune as ft
from furytune.pairing import titled

HERE = Path(__file__).parent
COLLECTORS = {
    "slack": ft.SlackExportCollector,
    "mattermost": ft.MattermostExportCollector,
    "zulip": ft.ZulipExportCollector,
}
# What a bot receives when someone asks, and what it does with it.
BOTS: dict[str, Callable[[], str]] = {
    "slack": lambda: ft.slack_text(
        {
            "type": "message",
            "text": "Which file formats can I export a scene to? See <#C0CHAT0002> for what I tried.",
        }
    ),
    "mattermost": lambda: ft.mattermost_text(
        {"message": "@helpbot which file formats can I export a scene to?"}
    ),
    "zulip": lambda: titled(
        "Exporting", ft.zulip_text({"content": "@**Help Bot** which file formats can I export a scene to?"})
    ),
}
TEMPLATE = ft.PromptTemplate("You help the users of spheres.\n\nQuestion:\n{question}")


def collect(platform: str, path: Path, channels: list[str], out: Path) -> ft.Run:
    """Writes a data set from one export, and prints what was found."""
    collector = COLLECTORS[platform](path, channels=channels)
    pipeline = ft.Pipeline(
        collector=collector,
        curators=[ft.RedactSecrets()],
        template=TEMPLATE,
        exporter=ft.JsonlExporter(out / f"{platform}.jsonl"),
        normalizer=ft.Normalizer(
            bot_ids=["slack:U0HELPBOT5", "mattermost:helpbot", "zulip:Help Bot", "zulip:13"]
        ),
        splitter=lambda _: "train",
    )
    run = pipeline.run()
    print(f"\n{platform}\n")
    for row in pipeline.rows():
        question = row.prompt.text.partition("Question:\n")[2]
        for mark, text in (("Q", question), ("A", row.answer)):
            print(f"  {mark}  " + text.replace("\n", "\n     "))
        print()
    print("  not used:")
    for item in collector.collect():
        if isinstance(item, ft.Dropped):
            print(f"  {item.count:3}  {item.unit} {item.reason}")
    return run


def main() -> None:
    """Reads one export, or the three that come with furytune."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("platform", nargs="?", choices=COLLECTORS)
    parser.add_argument("path", nargs="?", type=Path, help="the export: a folder or an archive")
    parser.add_argument("--channel", action="append", default=[], help="read only this channel")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if options.platform and options.path:
            collect(options.platform, options.path, options.channel, out)
            return
        for platform in [options.platform] if options.platform else COLLECTORS:
            run = collect(platform, HERE / "chats" / platform, options.channel, out)
            contract = run.contract
            asked = contract.request(BOTS[platform](), dialect="gemini")["contents"]
            rows = (out / f"{platform}.jsonl").read_text(encoding="utf-8").splitlines()
            same = any(json.loads(row)["contents"][:1] == asked for row in rows)
            print(f"\n  the bot's request holds the bytes of a row: {'yes' if same else 'no'}")
            if not same:
                sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
