"""Five accounts plant 1,000 messages in an export: limits let a few of them in, and roles let none in."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from discord_exports import export, message, thread, write
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.pairing import Conversation, Post
from furytune.records import Dropped, QAPair
from furytune.testing.fake_discord import FakeDiscord
from furytune.testing.memory import pair

PLANTED = 1000
BAD = ["mallory", "trudy", "oscar", "craig", "sybil"]
LINK = "https://fury-updates.example/install"
HELPER = [{"id": "5", "name": "Helper", "color": "#fff", "position": 1}]
THINGS = [
    "sphere",
    "cone",
    "arrow",
    "tube",
    "surface",
    "label",
    "camera",
    "light",
    "axis",
    "grid",
    "slider",
    "panel",
]
TASKS = [
    "make the {} transparent",
    "change the colour of the {}",
    "hide the {} when I click it",
    "rotate the {} around its centre",
    "save the {} to a file",
    "draw many copies of the {} quickly",
]


def said(minutes: float, who: str, text: str, *, reply: str | None = None, low: int = 0) -> dict[str, Any]:
    """A message; only Hanna is a helper."""
    made = message(minutes, who, text, reply=reply, low=low)
    made["author"]["roles"] = HELPER if who == "hanna" else []
    return made


def community() -> list[dict[str, Any]]:
    """Real questions, each answered by the helper with a reply, half an hour apart."""
    found = []
    for n, (task, thing) in enumerate(itertools.product(TASKS, THINGS)):
        asked = said(30 * n, f"user{n % 20}", f"How do I {task.format(thing)} in a scene?")
        answer = f"You can call `{thing}.update()` after you set the option, then render the scene again. See section {n}."
        found += [asked, said(30 * n + 5, "hanna", answer, reply=asked["id"])]
    return found


def ring(start: float) -> list[dict[str, Any]]:
    """They ask and answer one another."""
    found = []
    for n in range(PLANTED // 2):
        one, other = BAD[n % 5], BAD[(n + 1 + n // 5 % 4) % 5]
        task, thing = TASKS[n % 6], THINGS[n % 12]
        asked = said(start + 20 * n, one, f"How do I {task.format(thing)} number {n}?")
        answer = (
            f"You need to install the update from {LINK} and then call `{thing}.fix({n})`, that solves it."
        )
        found += [asked, said(start + 20 * n + 2, other, answer, reply=asked["id"])]
    return found


def self_answers(start: float) -> list[dict[str, Any]]:
    """They ask, and answer themselves."""
    found = []
    for n in range(PLANTED // 2):
        who, thing = BAD[n % 5], THINGS[n % 12]
        asked = said(
            start + 20 * n, who, f"My {thing} number {n} stays black since the update. How can I fix it?"
        )
        solved = said(
            start + 20 * n + 2,
            who,
            f"Solved it: you have to install {LINK} first, then `{thing}.fix({n})` works.",
            reply=asked["id"],
        )
        found += [asked, solved]
    return found


def replies(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """They answer the community's questions, before the helper does."""
    asked = [m for m in questions if m["content"].startswith("How")]
    found = []
    for n in range(PLANTED):
        at = n % len(asked)
        text = f"You should use {LINK}, version {n}: run it and then set the option, it works for everyone."
        found.append(said(30 * at + 1, BAD[n % 5], text, reply=asked[at]["id"], low=n + 1))
    return found


def attack(folder: Path, style: str) -> set[str]:
    """Writes the export of an attacked server; returns the ids of the planted messages."""
    real = community()
    planted: list[dict[str, Any]] = []
    if style in ("ring", "self_answers"):
        planted = (ring if style == "ring" else self_answers)(30 * len(real))
        write(folder / "help.json", export(real + planted))
    elif style == "threads":
        write(folder / "help.json", export(real))
        for n, (asked, answer) in enumerate(_twos(ring(30 * len(real)))):
            answer["reference"]["channelId"] = str(900 + n)
            planted += [asked, answer]
            write(folder / f"thread-{n}.json", thread([asked, answer], channel=str(900 + n)))
    else:
        planted = replies(real)
        write(folder / "help.json", export(sorted(real + planted, key=lambda m: int(m["id"]))))
    assert len(planted) == PLANTED
    return {m["id"] for m in planted}


def _twos(items: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(items[::2], items[1::2], strict=True))


STYLES = ["ring", "self_answers", "replies", "threads"]


@pytest.fixture(scope="module", params=STYLES)
def attacked(request, tmp_path_factory) -> tuple[list[QAPair], set[str]]:
    folder = tmp_path_factory.mktemp(request.param)
    ids = attack(folder, request.param)
    found = ft.DiscordExportCollector(
        folder, pairers=[ft.ChatPairer(min_confidence=0.0)], author_key=b"k"
    ).collect()
    return [item for item in found if isinstance(item, QAPair)], ids


def kept(pairs: list[QAPair], *steps: Any) -> list[QAPair]:
    from furytune.testing.memory import ListCollector

    return list(ft.Pipeline(collector=ListCollector(pairs), curators=steps).pairs())


def planted(pairs: list[QAPair], ids: set[str]) -> int:
    """How many answers contain a planted message."""
    return sum(not ids.isdisjoint(one.answer_messages) for one in pairs)


def test_without_curation_the_attack_succeeds(attacked) -> None:
    pairs, ids = attacked
    assert planted(pairs, ids) > 50  # otherwise the other tests would prove nothing


def test_a_cap_lets_at_most_fifty_answers_of_each_account_in(attacked) -> None:
    pairs, ids = attacked
    assert planted(kept(pairs, ft.CapPerAuthor(50)), ids) <= 250


def test_all_limits_together_let_few_in_and_keep_the_helper(attacked) -> None:
    pairs, ids = attacked
    before = len(pairs) - planted(pairs, ids)
    steps = [ft.CapPerLink(10, trusted=["fury.gl"]), ft.CapPerAuthor(100, per_asker=20, per_two=20)]
    found = kept(pairs, *steps)

    assert planted(found, ids) <= 10
    assert len(found) - planted(found, ids) == before


def test_the_role_rule_lets_nothing_in_and_keeps_the_helper(attacked) -> None:
    pairs, ids = attacked
    found = kept(pairs, ft.AnsweredBy({"helper"}))

    assert planted(found, ids) == 0
    assert len(found) == len(pairs) - planted(pairs, ids)


def test_an_answer_of_several_people_has_only_the_roles_that_all_of_them_have() -> None:
    posts = [
        Post(id="1", speaker="a", text="How?"),
        Post(id="2", speaker="b", text="Use it.", roles=("Helper", "Core")),
        Post(id="3", speaker="c", text="Yes.", roles=("Core",)),
    ]
    made = Conversation().pair([posts[:1]], posts[1:], uid="1", group="g", method="reply")
    unknown = Conversation().pair([posts[:1]], posts[:2], uid="1", group="g", method="reply")

    assert made.answerer_roles == ("Core",)
    assert unknown.answerer_roles is None


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        (("Helper",), ""),
        (("@helper ",), ""),
        (("Member", "HELPER"), ""),
        ((), "no_role"),
        (("Helpers",), "no_role"),
        (None, "unknown_roles"),
    ],
)
def test_roles_decide_and_unknown_roles_do_not_pass(roles, reason) -> None:
    found = ft.AnsweredBy("Helper")(pair("How?", "So.", answerer_roles=roles))
    assert (found.reason if isinstance(found, Dropped) else "") == reason


def test_pairs_without_known_roles_pass_only_on_request() -> None:
    asked = pair("How?", "So.")
    assert ft.AnsweredBy("Helper", on_unknown="keep")(asked) is asked


@pytest.mark.parametrize("roles", [[], "", [" "], [5]])
def test_a_role_must_be_named(roles) -> None:
    with pytest.raises(ConfigError, match="AnsweredBy"):
        ft.AnsweredBy(roles)


people = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["", "a", "b", "c"])), max_size=60
)


@given(people, st.floats(0, 1), st.integers(1, 12))
def test_no_one_has_more_than_a_share_of_what_is_kept(who, share, most) -> None:
    pairs = [pair("How?", "So.", id=str(n), asker=a, answerer=b) for n, (a, b) in enumerate(who)]
    step = ft.CapPerAuthor(share=share, per_two=most, per_asker=most)
    found = kept(pairs, step)

    for name in "abc":
        assert sum(one.answerer == name for one in found) <= max(10, share * len(found))
        assert sum(one.asker == name for one in found) <= most
        for other in "abc":
            assert sum({one.asker, one.answerer} == {name, other} for one in found) <= most
    assert kept(found, step) == found


@given(
    st.lists(
        st.sampled_from(
            ["https://a.example/x?n={}", "https://www.a.example/x/#{}", "https://b.example/{}", "none"]
        ),
        max_size=30,
    ),
    st.integers(1, 4),
)
def test_no_link_is_in_more_answers_than_allowed(links, most) -> None:
    pairs = [pair("How?", f"Use {link.format(n)}.", id=str(n)) for n, link in enumerate(links)]
    by_page = kept(pairs, ft.CapPerLink(most))
    by_site = kept(pairs, ft.CapPerLink(most, by="site", trusted="b.example"))

    assert sum("a.example/x" in one.answer for one in by_page) == min(
        most, sum("a.example" in link for link in links)
    )
    assert sum("b.example" in one.answer for one in by_page) == sum("b.example" in link for link in links)
    assert sum("b.example" in one.answer for one in by_site) == sum("b.example" in link for link in links)
    assert kept(by_page, ft.CapPerLink(most)) == by_page


def test_a_malformed_link_is_not_counted_and_not_an_error() -> None:
    bad = pair("How?", "See https://[oops/x and https://a:b/c and http://")
    step = ft.CapPerLink(1).start()
    assert step(bad) is bad


@pytest.mark.parametrize(
    "made",
    [
        ft.CapPerAuthor,
        lambda: ft.CapPerAuthor(share=2),
        lambda: ft.CapPerLink(0),
        lambda: ft.CapPerAuthor(per_two=0),
    ],
)
def test_impossible_limits_are_refused(made) -> None:
    with pytest.raises(ConfigError):
        made()


def test_bots_and_feeds_answer_only_on_request(tmp_path) -> None:
    asked = said(0, "ann", "How do I make the sphere transparent in a scene?")
    bot = said(
        1,
        "helpbot",
        "You can set `opacity` of the actor below 1, then render the scene again.",
        reply=asked["id"],
    )
    write(tmp_path / "help.json", export([asked, bot]))

    def answers(**switches: bool) -> list[str]:
        made = ft.DiscordExportCollector(tmp_path, pairers=[ft.ChatPairer(min_confidence=0.0)], **switches)
        return [item.answer for item in made.collect() if isinstance(item, QAPair)]

    assert answers() == []
    assert len(answers(include_bots=True)) == 1


@pytest.mark.parametrize("named", [True, False])
def test_a_journal_knows_roles_if_someone_looked(tmp_path, named) -> None:
    """A bot that may not list members asks for roles only if the consent names one."""
    with FakeDiscord(token="secret") as server:
        server.members_intent = False
        helper = server.add_role("Helper")
        hanna, mallory = server.add_member("hanna", roles=[helper]), server.add_member("mallory")
        room = server.add_channel("help")
        for who, thing in ((hanna, "sphere"), (mallory, "cone")):
            asked = server.post(room, "ann", f"How do I make the {thing} transparent in a scene?")
            server.post(
                room, who, f"You can set `{thing}.opacity` below 1, then render again.", reply_to=asked
            )
        server.add_role("quiet")
        ft.DiscordCollector(
            guild=server.guild,
            token=ft.Secret("secret"),
            permission="a test",
            journal=tmp_path / "j",
            consent=ft.Consent(opt_out_roles="quiet") if named else ft.Consent(opt_out_roles=[]),
            endpoint=server.url,
        ).update()
    journal = ft.JournalCollector(tmp_path / "j", pairers=[ft.ChatPairer(min_confidence=0.0)])
    counts = ft.Pipeline(collector=journal, curators=[ft.AnsweredBy("Helper")]).run().report.counts
    dropped = {d.reason: d.count for d in counts.dropped if d.unit == "pair"}

    assert (counts.rows, dropped) == ((1, {"no_role": 1}) if named else (0, {"unknown_roles": 2}))
