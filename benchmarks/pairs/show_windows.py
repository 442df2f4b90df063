"""Prints labelling windows, so that a person can read them and write down the pairs.

usage: python benchmarks/pairs/show_windows.py W001 W002 ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sources import Stream, data_folder, windows_of

WINDOWS = Path(__file__).parent / "gold" / "windows.jsonl"


def cut(stream: Stream, window: dict) -> range:
    """Returns the places of a window's messages in its stream."""
    places = {row.id: i for i, row in enumerate(stream.rows)}
    return range(places[window["first"]], places[window["last"]] + 1)


def main() -> None:
    wanted = set(sys.argv[1:])
    streams = windows_of(data_folder())
    for line in WINDOWS.read_text("utf-8").splitlines():
        window = json.loads(line)
        if window["window"] not in wanted:
            continue
        stream = streams[window["file"]]
        print(f"=== {window['window']} {window['kind']}: {stream.channel}")
        for i in cut(stream, window):
            row = stream.rows[i]
            notes = [f"reply to {row.reply_to}"] if row.reply_to else []
            notes += [f"{row.files} files"] if row.files else []
            notes += ["reactions " + " ".join(row.marks)] if row.marks else []
            notes += ["system"] if row.system else []
            print(
                f"[{row.id}] {row.at:%Y-%m-%d %H:%M} <{'/'.join(row.names)}> {'(' + ', '.join(notes) + ')' if notes else ''}"
            )
            print("    " + row.text[:3000].replace("\n", "\n    "))


if __name__ == "__main__":
    main()
