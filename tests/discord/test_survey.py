"""A survey says what a bot can read on a server, and why not the rest."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_help import within

from furytune._discord.crawl.permissions import (
    Permissions,
    needed,
)
from furytune._discord.crawl.selection import Choice
from furytune._discord.crawl.survey import held_back, survey
from furytune.errors import ConfigError, DiscordError, DiscordLoginError
from furytune.testing.fake_discord import FakeDiscord

DAY = 86_400_000
NOBODY = "1191168900000000000"
# As Discord publishes them.
NAMES = {
    "VIEW_CHANNEL": 1 << 10,
    "READ_MESSAGE_HISTORY": 1 << 16,
    "CONNECT": 1 << 20,
    "MANAGE_THREADS": 1 << 34,
}


def surveyed(service, **options):
    chosen = {"private_threads": True} | options
    return within(service, lambda session: survey(session, service.guild, **chosen))


def names(things):
    return [thing.name for thing in things]


def reasons(found):
    return {unread.name: (unread.reason, unread.detail) for unread in found.unread}


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("text", "GuildTextChat"),
        ("announcement", "GuildNews"),
        ("voice", "GuildVoiceChat"),
        ("stage", "GuildStageVoice"),
    ],
)
def test_channels_of_each_kind_with_messages_are_places(discord, kind, type_):
    category = discord.add_channel("Area", "category")
    channel = discord.add_channel("one", kind, category=category, nsfw=True)
    last = discord.post(channel, "asker", "x")
    (place,) = surveyed(discord).places
    assert (place.id, place.name, place.type) == (channel.id, "one", type_)
    assert (place.parent, place.category) == (category.id, "Area")
    assert (place.last_message_id, place.nsfw, place.archived) == (last.id, True, False)


@pytest.mark.parametrize(("kind", "type_"), [("forum", "GuildForum"), ("media", "GuildMedia")])
def test_forum_posts_are_places_with_tags_and_the_forum_is_not(discord, kind, type_):
    forum = discord.add_channel("ask", kind, tags=["unused"], nsfw=True)
    post = discord.add_thread(forum, "How?", tags=["solved", "python"])
    old = discord.add_thread(forum, "Why?", archived=True)
    found = surveyed(discord)
    assert [(f.id, f.type) for f in found.forums] == [(forum.id, type_)]
    assert [place.id for place in found.places] == [post.id, old.id]
    first, second = found.places
    assert first.tags == ("solved", "python")
    assert (first.parent, first.category, first.type) == (forum.id, "ask", "GuildPublicThread")
    assert (first.archived, second.archived) == (False, True)
    assert first.nsfw
    assert second.tags == ()


def test_threads_of_all_kinds_are_places(discord):
    text, news = discord.add_channel("help"), discord.add_channel("news", "announcement")
    for archived in (False, True):
        discord.add_thread(text, f"public {archived}", archived=archived)
        discord.add_thread(text, f"private {archived}", private=True, archived=archived)
        discord.add_thread(news, f"news {archived}", archived=archived)
    found = {place.name: place.type for place in surveyed(discord).places}
    assert found == {
        "help": "GuildTextChat",
        "news": "GuildNews",
        "public False": "GuildPublicThread",
        "public True": "GuildPublicThread",
        "private False": "GuildPrivateThread",
        "private True": "GuildPrivateThread",
        "news False": "GuildNewsThread",
        "news True": "GuildNewsThread",
    }


@pytest.mark.parametrize(
    ("kind", "denied", "detail"),
    [
        ("text", ["READ_MESSAGE_HISTORY"], "needs Read Message History"),
        ("forum", ["READ_MESSAGE_HISTORY"], "needs Read Message History"),
        ("voice", ["CONNECT"], "needs Connect"),
        ("stage", ["CONNECT", "READ_MESSAGE_HISTORY"], "needs Read Message History and Connect"),
    ],
)
def test_a_channel_without_permission_is_unread_with_its_threads(discord, kind, denied, detail):
    channel = discord.add_channel("closed", kind)
    if kind in {"text", "forum"}:
        discord.add_thread(channel, "active")
        discord.add_thread(channel, "old", archived=True)
    discord.deny(channel, *denied)
    found = surveyed(discord)
    assert found.places == found.forums == ()
    assert reasons(found) == {"closed": ("no_permission", detail)}
    assert not any("archived" in asked.path for asked in discord.requests)


def test_connect_does_not_matter_to_a_text_channel(discord):
    channel = discord.add_channel("help")
    discord.deny(channel, "CONNECT")
    assert names(surveyed(discord).places) == ["help"]


def test_a_channel_that_is_listed_without_its_name_is_hidden():
    with FakeDiscord(obfuscate=True) as service:
        channel = service.add_channel("board")
        service.deny(channel, "VIEW_CHANNEL")
        (unread,) = surveyed(service).unread
    assert (unread.id, unread.name, unread.reason, unread.detail) == (
        channel.id,
        "",
        "hidden",
        "needs View Channel",
    )


def test_a_channel_of_a_type_that_is_new_is_unread(discord, monkeypatch):
    from furytune.testing._fakes.discord import model

    monkeypatch.setitem(model.KINDS, "text", 99)
    discord.add_channel("future")
    found = surveyed(discord)
    assert found.places == ()
    assert reasons(found)["future"][0] == "unknown_type"


def test_private_threads_need_a_permission_or_membership(discord):
    channel = discord.add_channel("help")
    for archived in (False, True):
        discord.add_thread(channel, f"mine {archived}", private=True, joined=True, archived=archived)
        discord.add_thread(channel, f"theirs {archived}", private=True, archived=archived)
    assert len(surveyed(discord).places) == 5
    discord.deny(channel, "MANAGE_THREADS")
    found = surveyed(discord)
    assert names(found.places) == ["help", "mine False", "mine True"]
    (partial,) = found.partial
    assert (partial.id, partial.reason) == (channel.id, "private_threads")
    assert "Manage Threads" in partial.detail


def test_the_owner_may_read_what_is_denied(discord):
    channel = discord.add_channel("help")
    discord.deny(channel, "READ_MESSAGE_HISTORY")
    assert surveyed(discord).places == ()
    boss = discord.add_role("boss", "ADMINISTRATOR")
    discord.bot.roles.append(boss)
    assert names(surveyed(discord).places) == ["help"]


def test_roles_are_named(discord):
    role = discord.add_role("maintainer")
    assert surveyed(discord).roles == {
        discord.guild: "@everyone",
        **{r.id: r.name for r in discord.roles.values()},
    }
    assert surveyed(discord).roles[role.id] == "maintainer"


def test_without_the_message_content_intent_nothing_is_surveyed(discord):
    discord.content_intent = False
    with pytest.raises(DiscordLoginError, match="Message Content Intent"):
        surveyed(discord)
    assert not any("/guilds" in asked.path for asked in discord.requests)


# Archived threads.


def closed(service, parent, number, **options):
    threads = []
    for n in range(number):
        thread = service.add_thread(parent, f"t{n}", **options)
        service.archive(thread)
        threads.append(thread)
    return threads


@pytest.mark.parametrize("options", [{}, {"private": True}, {"private": True, "joined": True}], ids=str)
@pytest.mark.parametrize("number", [99, 100, 101, 250])
def test_all_archived_threads_are_found_on_however_many_pages(options, number):
    with FakeDiscord() as service:
        channel = service.add_channel("help")
        threads = closed(service, channel, number, **options)
        if options.get("joined"):
            service.deny(channel, "MANAGE_THREADS")
        found = surveyed(service)
    assert [place.id for place in found.places] == [channel.id, *(thread.id for thread in threads)]


def test_threads_archived_at_one_moment_are_found_across_pages():
    with FakeDiscord() as service:
        forum = service.add_channel("ask", "forum")
        threads = [service.add_thread(forum, f"t{n}") for n in range(150)]
        for moment in range(6):  # the pages end in the middle of 25 that share a moment
            for thread in threads[moment * 30 : moment * 30 + 30]:
                thread.archived, thread.archived_at = True, service.now + moment * 1000
        found = surveyed(service)
    assert len(found.places) == 150


def test_threads_that_share_a_moment_hide_no_older_ones():
    with FakeDiscord() as service:
        forum = service.add_channel("ask", "forum")
        closed(service, forum, 20)
        moment = service.now + DAY
        for n in range(100):
            thread = service.add_thread(forum, f"s{n}")
            thread.archived, thread.archived_at = True, moment
        assert len(surveyed(service).places) == 120


def test_what_was_archived_long_before_the_last_run_is_not_listed_again(discord):
    forum = discord.add_channel("ask", "forum")
    closed(discord, forum, 250)
    discord.now += 30 * DAY
    late = closed(discord, forum, 2)
    first = surveyed(discord)
    assert len(first.places) == 252
    discord.now += 5 * DAY
    new = closed(discord, forum, 1)
    before = len(discord.requests)
    second = surveyed(discord, known=first.cursors)
    assert [place.id for place in second.places] == [thread.id for thread in (*late, *new)]
    assert sum("archived/public" in asked.path for asked in discord.requests[before:]) == 1
    assert second.cursors[forum.id][0] > first.cursors[forum.id][0]
    assert surveyed(discord, known=second.cursors).cursors == second.cursors


def test_an_old_thread_with_a_new_post_is_listed_again(discord):
    forum = discord.add_channel("ask", "forum")
    old, *_ = closed(discord, forum, 120)
    discord.now += 30 * DAY
    first = surveyed(discord)
    discord.now += 30 * DAY
    discord.post(old, "asker", "still the same")  # it is opened and closed again
    assert old.id in [place.id for place in surveyed(discord, known=first.cursors).places]


def test_cursors_stay_behind_a_thread_that_was_not_read(discord):
    forum = discord.add_channel("ask", "forum")
    early = closed(discord, forum, 1)[0]
    discord.now += 30 * DAY
    closed(discord, forum, 150)
    first = surveyed(discord)
    place = next(place for place in first.places if place.id == early.id)
    assert early.id not in [p.id for p in surveyed(discord, known=first.cursors).places]
    kept = held_back(first.cursors, [place])
    assert early.id in [p.id for p in surveyed(discord, known=kept).places]


def test_a_thread_that_was_excluded_is_found_once_it_no_longer_is(discord):
    forum = discord.add_channel("ask", "forum")
    early = closed(discord, forum, 1)[0]
    discord.now += 30 * DAY
    closed(discord, forum, 150)
    first = surveyed(discord, exclude=[early.id])
    assert early.id not in [place.id for place in first.places]
    assert early.id in [place.id for place in surveyed(discord, known=first.cursors).places]


@pytest.mark.parametrize("opens", [True, False])
def test_a_thread_that_is_opened_or_closed_during_the_survey_is_found(discord, opens):
    channel = discord.add_channel("help")
    thread = discord.add_thread(channel, "moving", archived=opens)

    def change(asked):
        # Between the list of active threads and that of archived ones.
        if "archived/public" in asked.path and thread.archived is opens:
            discord.archive(thread, archived=not opens)

    discord.on_request(change)
    assert "moving" in names(surveyed(discord).places)


def test_a_channel_that_goes_during_the_survey_is_unread(discord):
    forum = discord.add_channel("ask", "forum")
    discord.add_channel("help")
    discord.on_request(lambda asked: discord.delete_channel(forum) if "archived" in asked.path else None)
    found = surveyed(discord)
    assert names(found.places) == ["help"]
    assert found.forums == ()
    assert reasons(found) == {"ask": ("gone", "changed during the survey")}


def test_a_list_that_is_refused_leaves_its_cursor_and_says_so(discord):
    channel = discord.add_channel("help")
    closed(discord, channel, 3)
    closed(discord, channel, 3, private=True)
    first = surveyed(discord)
    discord.fail(on="archived/private", mode="forbid")
    second = surveyed(discord, known=first.cursors)
    assert second.cursors == first.cursors
    assert [partial.reason for partial in second.partial] == ["private_threads"]
    closed(discord, channel, 1, private=True)
    discord.fail(on="archived/public", mode="forbid")
    third = surveyed(discord, known=first.cursors)
    assert third.cursors == first.cursors
    assert reasons(third)["help"][0] == "no_permission"


def test_a_failure_that_does_not_pass_ends_the_survey_with_one_error(discord):
    for n in range(5):
        closed(discord, discord.add_channel(f"f{n}", "forum"), 1)
    discord.fail(on="archived", times=1_000)
    with pytest.raises(DiscordError, match="archived/public.*503"):
        within(discord, lambda session: survey(session, discord.guild), tries=2)


def test_a_large_survey_keeps_all_limits_and_is_repeatable():
    with FakeDiscord(limit=2, window=0.1, latency=0.002) as service:
        for n in range(15):
            closed(service, service.add_channel(f"f{n}", "forum"), 110)
            service.add_channel(f"c{n}")
        service.fail(on="archived/public", mode="shared", skip=5, wait=0.1)
        first, second = surveyed(service), surveyed(service)
        assert service.violations == []
    assert first == second
    assert len(first.places) == 15 * 111
    ids = [int(place.id) for place in first.places]
    assert ids == sorted(ids)


# Include and exclude.


@pytest.fixture
def town(discord):
    """Two categories, each with a text channel and a forum with a post and a closed post."""
    ids = {}
    for area in ("north", "south"):
        category = ids[area] = discord.add_channel(area, "category")
        ids[f"{area}-chat"] = discord.add_channel(f"{area}-chat", category=category)
        forum = ids[f"{area}-ask"] = discord.add_channel(f"{area}-ask", "forum", category=category)
        ids[f"{area}-open"] = discord.add_thread(forum, f"{area}-open")
        ids[f"{area}-closed"] = discord.add_thread(forum, f"{area}-closed", archived=True)
    return discord, {name: channel.id for name, channel in ids.items()}


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([], [], {"north-chat", "north-open", "north-closed", "south-chat", "south-open", "south-closed"}),
        (["north-chat"], [], {"north-chat"}),
        (["#north-chat"], [], {"north-chat"}),
        (["north-ask"], [], {"north-open", "north-closed"}),
        (["north"], [], {"north-chat", "north-open", "north-closed"}),
        ([], ["north"], {"south-chat", "south-open", "south-closed"}),
        ([], ["north-ask", "south"], {"north-chat"}),
        (["north"], ["north-ask"], {"north-chat"}),
        (["north-ask"], ["north"], set()),
        (["+south-closed"], [], {"south-closed"}),
        (["+south-open", "north-chat"], [], {"south-open", "north-chat"}),
        ([], ["+south-open", "north"], {"south-chat", "south-closed"}),
        (["+south-ask"], ["+south-closed"], {"south-open"}),
    ],
)
def test_channels_categories_forums_and_threads_are_included_and_excluded(town, include, exclude, expected):
    service, ids = town

    def given_as(items):  # a plus means "by its id"
        return [ids[item[1:]] if item.startswith("+") else item for item in items]

    found = surveyed(service, include=given_as(include), exclude=given_as(exclude))
    assert set(names(found.places)) == expected
    assert {u.reason for u in found.unread} <= {"excluded", "not_included"}
    whole = {channel.id for channel in service.channels.values() if channel.kind != "category"}
    told = {thing.id for thing in (*found.places, *found.forums, *found.unread)}
    untold = {service.channels[int(number)] for number in whole - told}
    # What is not told of is a thread of a channel that is told of as unread.
    assert all(channel.is_thread and channel.parent.id in {u.id for u in found.unread} for channel in untold)


def test_nothing_is_asked_of_what_is_excluded(town):
    service, ids = town
    surveyed(service, exclude=["north"])
    assert not any(ids["north-ask"] in asked.path for asked in service.requests)


@pytest.mark.parametrize("argument", ["include", "exclude"])
def test_a_name_that_matches_nothing_lists_the_channels(town, argument):
    service, _ = town
    with pytest.raises(
        ConfigError, match=f"{argument}: .*'nroth'.*'north', 'north-ask', 'north-chat', 'south'"
    ):
        surveyed(service, **{argument: ["nroth"]})


def test_a_name_that_fits_several_channels_is_all_of_them(discord):
    discord.add_channel("help")
    discord.add_channel("help")
    discord.add_channel("other")
    assert names(surveyed(discord, include=["help"]).places) == ["help", "help"]


def test_an_included_id_that_is_gone_or_closed_is_unread(discord):
    closed_channel = discord.add_channel("staff")
    discord.deny(closed_channel, "VIEW_CHANNEL")
    found = surveyed(
        discord, include=[NOBODY, closed_channel.id], exclude=[str(int(NOBODY) + 1)], logged={NOBODY}
    )
    assert {u.id: u.reason for u in found.unread} == {NOBODY: "gone", closed_channel.id: "no_permission"}


def test_an_included_id_that_does_not_exist_raises(discord):
    discord.add_channel("help")
    with pytest.raises(ConfigError, match=f"include: .*{NOBODY}.*Copy Channel ID"):
        surveyed(discord, include=[NOBODY])


@given(st.lists(st.sampled_from(["a", "b", "cat"])), st.lists(st.sampled_from(["a", "b", "cat"])))
def test_exclusion_wins_and_including_nothing_means_everything(include, exclude):
    channels = [
        {"id": "1", "name": "cat"},
        {"id": "2", "name": "a", "parent_id": "1"},
        {"id": "3", "name": "b"},
    ]
    choice = Choice.of(channels, include, exclude)
    for number, chain in (("2", {"a", "cat"}), ("3", {"b"})):
        wanted = not chain & set(exclude) and (not include or bool(chain & set(include)))
        assert (choice.problem(number) == "") is wanted


# Permissions.


@pytest.mark.parametrize(
    "bit", [NAMES[name] for name in ("VIEW_CHANNEL", "READ_MESSAGE_HISTORY", "MANAGE_THREADS")]
)
def test_permissions_follow_the_published_order_of_overwrites(bit):
    """Every combination of grants to everyone and to a role, and of overwrites of four kinds."""
    for everyone, role, *overs in itertools.product((0, 1), (0, 1), *[(None, "allow", "deny")] * 4):
        ids = ("10", "20", "30", "99")  # of everyone, two roles of the bot, the bot itself
        overwrites = [
            {
                "id": number,
                "allow": str(bit if what == "allow" else 0),
                "deny": str(bit if what == "deny" else 0),
            }
            for number, what in zip(ids, overs, strict=True)
            if what is not None
        ]
        guild = {
            "id": "10",
            "owner_id": "1",
            "roles": [
                {"id": "10", "permissions": str(bit * everyone)},
                {"id": "20", "permissions": str(bit * role)},
                {"id": "30", "permissions": "0"},
                {"id": "40", "permissions": str(1 << 3)},  # not the bot's
            ],
        }
        member = {"user": {"id": "99"}, "roles": ["20", "30"]}
        # The last word has the bot's own overwrite, then those of its roles, of which one that allows suffices.
        expected = bool(everyone or role)
        for words in ({overs[0]}, {overs[1], overs[2]}, {overs[3]}):
            if "allow" in words:
                expected = True
            elif "deny" in words:
                expected = False
        bits = Permissions.of(guild, member).within({"permission_overwrites": overwrites})
        assert bool(bits & bit) is expected
        assert (
            Permissions.of({**guild, "owner_id": "99"}, member).within({"permission_overwrites": overwrites})
            & bit
        )


@given(
    st.lists(st.sampled_from(sorted(NAMES)), unique=True),
    st.lists(st.sampled_from(sorted(NAMES)), unique=True),
)
def test_what_is_needed_names_exactly_what_is_missing(held, wanted):
    bits = sum(NAMES[name] for name in held)
    said = needed(bits, [NAMES[name] for name in wanted])
    missing = [name for name in wanted if name not in held]
    assert (said == "") is (not missing)
    for name in NAMES:
        shown = name.replace("_", " ").title()
        assert (shown in said) is (name in missing)
