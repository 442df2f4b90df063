"""Discord's markup and links: no id gets into a prompt, in one linear pass."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune import normalize
from furytune.errors import ContractMismatchError, TextError
from furytune.normalize import Normalizer

ID = "123456789012345678"
OTHER = "223456789012345678"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (f"try </help:{ID}>", "try /help"),
        (f"</role list all:{ID}> now", "/role list all now"),
        (f"</日本-語:{ID}>", "/日本-語"),
        ("see <id:customize> and <id:browse>", "see #customize and #browse"),
        (f"<id:guide> <id:linked-roles> <id:linked-roles:{ID}>", "#guide #linked-roles #linked-roles"),
        (f"<sound:0:{ID}> <sound:{OTHER}:{ID}>", ":sound: :sound:"),
        ("at <t:1700000000:R>, <t:1700000000>", "at 2023-11-14 22:13 UTC, 2023-11-14 22:13 UTC"),
        ("<t:-62135596800:F>", "0001-01-01 00:00 UTC"),
        (f"<t:{ID}:R>", "(time)"),
        (f"<@&{ID}> in <#{ID}>", "@role in #channel"),
        (f"<a:party:{ID}><:wave:{ID}>", ":party::wave:"),
        (f"see https://discord.com/channels/{ID}/{OTHER}/{ID}.", "see #channel."),
        (f"<https://ptb.discord.com/channels/@me/{OTHER}>", "<#channel>"),
        (f"https://discordapp.com/channels/{ID}/{OTHER}/threads/{ID}?x=1", "#channel?x=1"),
        (f"discord://-/channels/{ID}/{OTHER}", "#channel"),
        (f"https://discord.com/events/{ID}/{OTHER} soon", "#event soon"),
        (f"<@{ID}> is https://discord.com/users/{ID}, not <@!{OTHER}>", "@user1 is @user1, not @user2"),
        (
            f"https://cdn.discordapp.com/attachments/{ID}/{OTHER}/plot.png?ex=1",
            "https://cdn.discordapp.com/attachments/0/0/plot.png?ex=1",
        ),
        (f"https://media.discordapp.net/avatars/{ID}/ab.webp", "https://media.discordapp.net/avatars/0/ab.webp"),
        # What is not markup passes through.
        ("<someone@example.com> <+4930123456>", "<someone@example.com> <+4930123456>"),
        ("std::map<int, vector<int>> </div> <a:b> <t:now>", "std::map<int, vector<int>> </div> <a:b> <t:now>"),
        ("https://discord.gg/abc https://discord.com/developers", "https://discord.gg/abc https://discord.com/developers"),
        (f"the number {ID} and https://example.org/users/{ID}", f"the number {ID} and https://example.org/users/{ID}"),
        # What comes together where something else was replaced.
        (f"</users:{ID}>", "/users"),
        (f"https://discord.com</users:1>/{ID}", "@user1"),
        ("<@<@44> 7>", "@user1"),
        (f"<a<a<:b:{ID}>{ID}>{ID}>", ":b:"),
    ],
)  # fmt: skip
def test_markup_and_links_lose_their_ids(raw, clean) -> None:
    assert Normalizer(bot_ids=["44"])(raw) == clean


def test_people_in_links_keep_their_numbers_in_the_answer() -> None:
    question = f"<@44> <@{ID}>?"
    answer = f"ask <@{OTHER}>, or https://discord.com/users/{ID}"
    assert Normalizer(bot_ids=["44"])(answer, after=question) == "ask @user2, or @user1"


PIECES = st.sampled_from(
    ["<", ">", "<@", "<@!", "<@&", "<#", "</", "<a:", "<:", "<t:", "<id:", "<sound:", ":", "/", "1", "44", ID, "x",
     " ", "\n", "browse", "https://discord.com", "/users/", "/channels/", "/@me/", "threads/", "/events/", "@", "#",
     "https://cdn.discordapp.com/", "discord://-", "-"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@given(TEXTS, TEXTS)
def test_normalising_twice_changes_nothing_and_leaves_no_markup(text, after) -> None:
    normalizer = Normalizer(bot_ids=["44"])
    try:
        once = normalizer(text, after=after)
    except TextError:
        return
    assert normalizer(once) == once
    assert not re.search(r"<(@[!&]?|#|:x:|/x:|t:|sound:1:)[0-9]{1,20}>", once)
    assert not re.search(r"discord\.com/(users|channels)/[0-9]{1,20}(?![0-9])", once)


@given(TEXTS)
def test_without_mentions_only_the_bot_is_removed(text) -> None:
    if "44" in text:
        return
    try:
        assert Normalizer(bot_ids=["44"], mentions=False)(text) == text
    except TextError:
        assert not text.strip()


@pytest.mark.parametrize(
    "worst",
    [
        lambda n: "<" * n,
        lambda n: "<@" * n + "1>" * n,
        lambda n: "<@" * n + "44>" * n,
        lambda n: "<a" * n + "<:b:1>" + "5>" * n,
        lambda n: "<a" * n + f"<:{'b' * n}:1>" + "5>" * n,
        lambda n: "<" + ">" * n,
        lambda n: "<x" * n + ">" * n,
        lambda n: "</a a a" * n,
    ],
)  # fmt: skip
def test_the_work_is_linear_in_the_length_of_the_text(worst, monkeypatch) -> None:
    """Counts the characters that are compared with markup. Their number is at most proportional to the text."""
    seen = [0]
    real = normalize._MARKUP

    class Counting:
        @staticmethod
        def fullmatch(text):
            seen[0] += 1 + len(text)
            return real.fullmatch(text)

    monkeypatch.setattr(normalize, "_MARKUP", Counting)
    counts = []
    for n in (1000, 2000, 4000):
        seen[0] = 0
        with contextlib.suppress(TextError):
            Normalizer(bot_ids=["44"])(worst(n))
        assert seen[0] <= 10 * len(worst(n))
        counts.append(seen[0])
    assert counts[2] <= 2.5 * counts[1] + 400


def test_a_contract_with_version_1_rules_is_refused() -> None:
    assert Normalizer().spec["version"] == 2
    with pytest.raises(ContractMismatchError, match=r"version 1 .*save a new contract"):
        Normalizer.from_spec({**Normalizer().spec, "version": 1})


def test_a_request_of_the_bot_contains_no_id() -> None:
    contract = ft.PromptContract(
        template=ft.PromptTemplate("{question}"), augmenter=ft.IdentityAugmenter(), dialects=["gemini"]
    )
    request = contract.request(f"<@{ID}> does </help:{ID}> do https://discord.com/channels/{ID}/{OTHER}?")
    assert "@user1 does /help do #channel?" in str(request)
    assert ID not in str(request)
