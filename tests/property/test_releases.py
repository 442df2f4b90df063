"""Laws of releases: which one a moment belongs to, in any order of the list and in any time zone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.curation.releases import version
from furytune.errors import ConfigError
from furytune.testing.memory import pair

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
names = st.builds("{}{}".format, numbers, st.sampled_from(["", "", "", "rc1", "a2", "b1", ".post1", ".dev3"]))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
dates = st.dictionaries(names, moments, min_size=1, max_size=12).map(
    lambda found: {name: found[name] for name in {version(n): n for n in found}.values()}
)


def key(name: str):
    return version(name) or ((-1,), 0, 0)


@given(dates, moments, moments)
def test_later_moments_never_belong_to_older_releases(found, one, other) -> None:
    releases = ft.Releases(found)
    first, second = sorted([one, other])
    assert key(releases.at(first)) <= key(releases.at(second)) or not releases.at(first)


@given(dates)
def test_a_release_counts_from_its_moment_on_and_not_before(found) -> None:
    releases = ft.Releases(found, prereleases=True)
    for name, moment in found.items():
        assert key(releases.at(moment)) >= key(name)
        before = releases.at(moment - timedelta(microseconds=1))
        assert before != name
        assert not before or found[before] < moment
    first = min(found.values())
    assert releases.at(first - timedelta(microseconds=1)) == ""
    assert releases.at(max(found.values())) == releases.newest


@given(dates, moments, zones)
def test_the_time_zone_of_a_moment_says_nothing(found, moment, zone) -> None:
    moved = {name: when.astimezone(zone) for name, when in found.items()}
    assert ft.Releases(found).at(moment) == ft.Releases(moved).at(moment.astimezone(zone))


@given(dates, st.randoms())
def test_the_order_of_the_list_says_nothing(found, random) -> None:
    items = list(found.items())
    random.shuffle(items)
    assert ft.Releases(dict(items)) == ft.Releases(found)


@given(dates, moments)
def test_previews_do_not_count_beside_final_releases(found, moment) -> None:
    releases = ft.Releases(found)
    final = [name for name in found if version(name)[1] >= 0]
    for name in (releases.at(moment), releases.newest):
        assert not name or not final or name in final


@given(dates)
def test_nothing_is_newer_than_the_newest(found) -> None:
    releases = ft.Releases(found)
    behind = {name: releases.behind(name) for name in found}
    assert behind[releases.newest] == 0
    for one in found:
        for other in found:
            assert behind[one] <= behind[other] or key(one) <= key(other)


@given(dates)
def test_a_file_gives_the_same_releases(tmp_path_factory, found) -> None:
    folder = tmp_path_factory.mktemp("releases")
    texts = {name: when.isoformat() for name, when in found.items()}
    (folder / "r.json").write_text(json.dumps(texts), encoding="utf-8")
    lines = ["note,release,date", *(f'"a, b",{name},{when}' for name, when in texts.items())]
    (folder / "r.csv").write_text("\n".join(lines), encoding="utf-8")

    assert ft.Releases.read(folder / "r.json") == ft.Releases.read(folder / "r.csv") == ft.Releases(found)


@given(names, names)
def test_versions_are_ordered_and_zeros_say_nothing(one, other) -> None:
    assert version(f"v{one}") == version(one)
    assert version(f"release-1.{one}") == version(f"1.{one}")
    assert (version(one) < version(other)) + (version(one) > version(other)) + (
        version(one) == version(other)
    ) == 1
    assert version("1.2") == version("1.2.0")
    assert version("1.2.dev1") < version("1.2a1") < version("1.2b1") < version("1.2rc1") < version("1.2")
    assert version("1.2") < version("1.2.post1") < version("1.2.1") < version("1.10") < version("2024.1")


@given(
    dates,
    st.lists(st.tuples(moments, st.floats(0, 1)), max_size=8),
    st.floats(0.01, 0.99),
    st.floats(0.01, 1),
)
def test_decay_lowers_and_a_lower_threshold_keeps_at_least_the_same(found, asked, decay, least) -> None:
    releases = ft.Releases(found)
    strict, mild = (ft.Fresh(releases, decay=decay, least=n) for n in (least, least / 2))
    for number, (moment, confidence) in enumerate(asked):
        one = pair("How?", "So.", id=str(number), asked_at=moment, confidence=confidence)
        assert 0 <= strict.weight(one) <= confidence
        assert strict(one) is not one or mild(one) is one
        assert releases.at(moment) != releases.newest or strict.weight(one) == confidence


@given(dates, st.lists(moments, max_size=8), names, st.integers(0, 3))
def test_what_is_fresh_is_kept_as_it_is(found, asked, since, most) -> None:
    releases = ft.Releases(found)
    for step in (ft.Fresh(releases, since=since), ft.Fresh(releases, max_behind=most)):
        for moment in asked:
            one = pair("How?", "So.", asked_at=moment)
            result = step(one)
            assert result is one or (result.reason == "old_release" and result.detail == releases.at(moment))
            release = releases.at(moment)
            old = step.since and key(release) < key(since)
            old = old or (step.max_behind is not None and release and releases.behind(release) > most)
            assert (result is one) is not bool(release and old)


@pytest.mark.parametrize(
    "bad", [{}, {"nightly": "2024-01-01"}, {"1.0": "soon"}, {"1.0": 7}, {7: "2024-01-01"}, ["1.0"]]
)
def test_what_is_not_releases_and_dates_is_refused(bad) -> None:
    with pytest.raises(ConfigError):
        ft.Releases(bad)
