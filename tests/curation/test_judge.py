"""A model judges pairs, over real HTTP on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import judge_in_process
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import furytune as ft
from furytune.curation._judging.prompt import read, render
from furytune.errors import ConfigError, CurationError, EmptyTextError, NoTextError, ServiceError
from furytune.testing.conformance import check_curator, check_place
from furytune.testing.fake_chat import FakeChat
from furytune.testing.memory import ListCollector, pair

KEY = "canary-of-the-key-1f60"
TEXT = "canary-of-the-text-c27e"
NORMAL = ft.Normalizer()
PAIRS = [
    pair("How do I draw a sphere?", "Call `actor.sphere`, which takes the centers.", id="good"),
    pair("And a cube?", "See the docs.", id="usable"),
    pair("Anyone here?", "Hi!", id="poor"),
]


def grade_by(words):
    """Answers with the grade of the first of the words that is in the pair."""

    def answer(text):
        asked = json.loads(text)
        return next((said for word, said in words.items() if word in asked["question"]), "I cannot say.")

    return answer


ANSWERS = {
    "sphere": '{"grade": "good"}',
    "cube": ' {"grade":"usable"}\n',
    "Anyone": '```json\n{"grade": "poor"}\n```',
}


@pytest.fixture
def server():
    with FakeChat(grade_by(ANSWERS), key=KEY) as made:
        yield made


@pytest.fixture
def waits():
    return []


@pytest.fixture
def judge(server, tmp_path, waits):
    def make(**changes):
        service = ft.ChatService(server.url, api_key=changes.pop("key", KEY), timeout=5.0)
        settings = {"cache": tmp_path / "grades", "sleep": waits.append, **changes}
        return ft.JudgePairs(service.model("fake", temperature=0.0), **settings)

    return make


def results(step, pairs=PAIRS):
    """Returns "kept" or the reason, for each pair."""
    found = step.start().curate(pairs)
    return [item.reason if isinstance(item, ft.Dropped) else "kept" for item in found]


def asked(server):
    return [json.loads(request.body["messages"][-1]["content"])["question"] for request in server.requests]


class InProcess:
    """A model in this process."""

    spec = {"name": "in process"}

    def __init__(self, act):
        self.act = act

    def generate(self, prompt):
        return self.act(prompt)


def always(answer):
    return InProcess(lambda _: answer)


# What the grades do.


def test_poor_pairs_are_dropped(judge) -> None:
    assert results(judge()) == ["kept", "kept", "judged_poor"]


def test_only_good_pairs_are_kept_on_request(judge) -> None:
    assert results(judge(keep="good")) == ["kept", "judged_usable", "judged_poor"]


def test_the_report_counts_what_was_dropped(judge) -> None:
    run = ft.Pipeline(collector=ListCollector(PAIRS), curators=judge()).run()
    assert run.report.counts.as_json()["rows"] == 2
    assert run.report.counts.as_json()["dropped"] == [
        {"unit": "pair", "reason": "judged_poor", "count": 1, "examples": ["poor"]}
    ]
    assert run.report.counts.as_json()["edited_answers"] == {}


@pytest.mark.parametrize("keep", ["usable", "good"])
def test_the_judge_keeps_the_rules_of_curation_steps(judge, keep) -> None:
    check_curator(judge(keep=keep), PAIRS)


def test_the_request_is_deterministic_and_contains_only_the_texts(server, judge) -> None:
    asker = pair("How do I draw a sphere?", "So.", id="id-1", asker="ann", question_messages=("123",))
    results(judge(project="FURY, a library"), [asker])
    (request,) = server.requests
    assert request.body["temperature"] == 0.0
    system, user = request.body["messages"]
    assert "from the chat of FURY, a library." in system["content"]
    assert json.loads(user["content"]) == {"question": "How do I draw a sphere?", "answer": "So."}
    for word in (b"id-1", b"ann", b"123"):
        assert word not in request.raw


def test_gemini_judges_too(tmp_path) -> None:
    from furytune.testing.fake_developer_api import FakeDeveloperApi

    with FakeDeveloperApi(answer=lambda text: '{"grade": "poor"}' if "Hi!" in text else "") as api:
        tuner = ft.GeminiTuner("m", api_key="key", endpoint=api.url, ledger=tmp_path / "jobs")
        model = tuner.base_model(model="gemini-3.1-flash-lite", temperature=0.0)
        step = ft.JudgePairs(model, cache=tmp_path / "grades")
        assert results(step, [PAIRS[2], PAIRS[0]]) == ["judged_poor", "kept"]


# What counts as a grade.


@pytest.mark.parametrize("grade", ["good", "usable", "poor"])
def test_an_answer_that_is_only_the_grade_is_read(grade) -> None:
    for form in (
        '{"grade": "%s"}',
        ' {"grade":"%s"} ',
        '```json\n{"grade": "%s"}\n```',
        '```\n{"grade": "%s"}```',
    ):
        assert read(form % grade) == grade


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "good",
        '{"grade": "Good"}',
        '{"grade": "good", "why": "clear"}',
        '{"grade": "good"} {"grade": "poor"}',
        'The grade is {"grade": "good"}',
        '{"grade": ["good"]}',
        '```json\n{"grade": "good"}',
        '{"grade": "good"}\n```',
        '{"grade": "good"',
    ],
)
def test_any_other_answer_is_not_a_grade(answer) -> None:
    assert read(answer) is None


@given(st.text(), st.text())
def test_no_text_of_a_pair_can_leave_its_place_in_the_prompt(question, answer) -> None:
    try:
        shown = json.loads(render(pair(question, answer), "", NORMAL).text)
    except EmptyTextError:
        assume(False)
    assert shown == {"question": NORMAL(question), "answer": NORMAL(answer, after=question)}


@given(st.integers(min_value=8001, max_value=200_000))
def test_a_long_text_is_shortened_in_the_middle(length) -> None:
    prompt = render(pair("q" * length, "The beginning" + "a" * length + "the end"), "", NORMAL)
    shown = json.loads(prompt.text)
    assert shown["answer"].startswith("The beginning")
    assert shown["answer"].endswith("the end")
    assert f"[{length - 8000} characters left out]" in shown["question"]
    assert len(prompt.text) < 17_000


@pytest.mark.parametrize("texts", [("sphere \ud800?", "So."), ("sphere?", " "), ("<@!1>", "\udfff")])
def test_a_pair_without_usable_text_is_not_sent_and_has_no_grade(server, judge, texts) -> None:
    assert results(judge(on_ungraded="drop"), [pair(*texts, id="1")]) == ["no_grade"]
    assert judge().estimate([pair(*texts, id="1")]).tokens == 0
    assert server.requests == []


def test_half_of_a_character_in_an_id_does_not_matter(judge) -> None:
    assert results(judge(), [pair("sphere?", "So.", id="\ud800")]) == ["kept"]
    assert results(judge(key="wrong"), [pair("sphere?", "So.", id="\ud800")]) == ["kept"]  # from the cache


def test_no_id_of_a_person_and_no_secret_is_sent(server, judge) -> None:
    uid, token = "812345678901234567", "ghp_" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA1234"
    results(judge(), [pair(f"<@{uid}> how is a sphere drawn?", f"<@{uid}>, with {token}.")])
    (request,) = server.requests
    assert uid.encode() not in request.raw
    assert token.encode() not in request.raw
    assert json.loads(request.body["messages"][-1]["content"])["answer"] == "@user1, with [secret]."


# Answers that are not grades, and the limit.


def test_an_answer_that_is_not_a_grade_is_asked_for_once_more(server, judge) -> None:
    said = iter(["Let me think.", '{"grade": "poor"}'])
    step = judge()
    with FakeChat(lambda _: next(said)) as other:
        step = ft.JudgePairs(ft.ChatService(other.url).model("fake"), cache=step.cache)
        assert results(step, PAIRS[:1]) == ["judged_poor"]
        assert len(other.requests) == 2


def test_a_pair_without_a_grade_is_kept_and_counted(server, judge) -> None:
    lost = pair("What is this?", "That.", id="lost")
    run = ft.Pipeline(collector=ListCollector([lost, *PAIRS]), curators=judge()).run()
    assert run.report.counts.as_json()["rows"] == 3
    assert {(d["unit"], d["reason"], d["count"]) for d in run.report.counts.as_json()["dropped"]} == {
        ("pair", "judged_poor", 1),
        ("grade", "no_grade", 1),
    }
    assert asked(server).count("What is this?") == 2


def test_a_pair_without_a_grade_is_dropped_on_request(judge) -> None:
    lost = pair("What is this?", "That.", id="lost")
    step = judge(on_ungraded="drop").start()
    assert [step(lost).reason, step(PAIRS[0])] == ["no_grade", PAIRS[0]]
    assert step.unread == ()


def test_a_model_that_gives_no_text_gives_no_grade(tmp_path) -> None:
    def refuse(_):
        raise NoTextError("filtered")

    step = ft.JudgePairs(InProcess(refuse), cache=tmp_path, on_ungraded="drop")
    assert results(step, PAIRS[:1]) == ["no_grade"]


def test_a_pair_without_a_grade_is_asked_about_again_only_by_the_next_run(server, judge) -> None:
    lost = [pair("What is this?", "That.", id="lost")]
    step = judge()
    assert results(step, lost) == results(step, lost) == ["kept"]
    assert len(server.requests) == 2
    results(judge(), lost)
    assert len(server.requests) == 4


@pytest.mark.parametrize(("rule", "rest"), [("keep", "kept"), ("drop", "max_requests")])
def test_after_the_limit_no_request_is_sent(server, judge, rule, rest) -> None:
    step = judge(max_requests=1, on_ungraded=rule)
    assert results(step) == ["kept", rest, rest]
    assert results(step) == ["kept", rest, rest]  # a second pass does not send more
    assert asked(server) == ["How do I draw a sphere?"]


def test_the_next_run_continues_after_the_limit(server, judge) -> None:
    for _ in range(3):
        results(judge(max_requests=1))
    assert asked(server) == [p.question for p in PAIRS]
    assert results(judge(max_requests=0, on_ungraded="drop")) == ["kept", "kept", "judged_poor"]


def test_kept_pairs_after_the_limit_are_counted(judge) -> None:
    run = ft.Pipeline(collector=ListCollector(PAIRS), curators=judge(max_requests=1)).run()
    assert run.report.counts.as_json()["dropped"] == [
        {"unit": "grade", "reason": "max_requests", "count": 2, "examples": []}
    ]
    assert "2  grade    max_requests" in str(run.report)


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_repeated_requests_count_towards_the_limit(server, judge, most) -> None:
    server.fail(status=503, times=2)
    results(judge(max_requests=most, workers=1), [pair("What?", "That.")])
    assert len(server.requests) == min(most, 4)


# The cache.


def test_what_is_in_the_cache_is_not_asked_again(server, judge) -> None:
    assert results(judge()) == results(judge(workers=1)) == ["kept", "kept", "judged_poor"]
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "other",
    [
        pair("How do I draw a sphere?", "Call `actor.sphere`, which takes the centres.", id="good"),
        pair("How do I draw a  sphere?", "Call `actor.sphere`, which takes the centers.", id="good"),
        pair("How do I draw a sphere?", "Call `actor.sphere`, which takes the centers.", id="other"),
    ],
    ids=["other answer", "other question", "other id"],
)
def test_a_pair_that_changed_is_asked_about(server, judge, other) -> None:
    results(judge(), PAIRS[:1])
    results(judge(), [other])
    assert len(server.requests) == 2


def test_another_model_setting_or_project_asks_again(server, judge, tmp_path) -> None:
    results(judge(), PAIRS[:1])
    results(judge(project="FURY"), PAIRS[:1])
    warm = ft.ChatService(server.url, api_key=KEY).model("fake", temperature=0.5)
    results(ft.JudgePairs(warm, cache=tmp_path / "grades"), PAIRS[:1])
    assert len(server.requests) == 3


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_cache_contains_no_text(judge, tmp_path) -> None:
    said = pair(f"How do I draw a sphere, {TEXT}?", f"So, {TEXT}.", id="1", answer_messages=("77",))
    results(judge(project=TEXT), [said])
    (path,) = files(tmp_path / "grades")
    assert TEXT not in path.read_text()
    stored = json.loads(path.read_text())
    assert (stored["pair"], stored["messages"], stored["grade"]) == ("1", ["77"], "good")


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format": 2}', b"[" * 100_000])
def test_a_damaged_file_is_asked_for_again(server, judge, tmp_path, damage) -> None:
    results(judge(), PAIRS[:1])
    (path,) = files(tmp_path / "grades")
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert results(judge(), PAIRS[:1]) == ["kept"]
    assert path.read_bytes() == whole
    assert len(server.requests) == 2


def test_a_grade_that_cannot_be_stored_stops_the_run(judge, tmp_path) -> None:
    (tmp_path / "grades").write_text("a file in the place of the folder")
    with pytest.raises(CurationError, match="grades"):
        results(judge())


def talk():
    return [
        pair(f"sphere {n}?", "So.", id=f"r:{n}", question_messages=(f"10{n}",), answer_messages=(f"20{n}",))
        for n in range(3)
    ]


def test_the_cache_is_a_place_that_can_be_erased(judge, tmp_path) -> None:
    results(judge(), talk())
    folder = tmp_path / "grades"
    check_place(
        lambda: ft.GradeCache(folder),
        message="201",
        content=lambda: b"".join(path.read_bytes() for path in files(folder)),
    )
    assert len(files(folder)) == 2


def test_forgetting_a_message_removes_its_grades(judge, tmp_path) -> None:
    uid = "812345678901234567"
    results(judge(), [*talk(), pair("sphere?", "So.", answer_messages=(uid,))])
    (tmp_path / "grades" / "00").mkdir(exist_ok=True)
    (tmp_path / "grades" / "00" / "damaged.json").write_text("{")
    done = ft.forget(message=uid, places=[ft.GradeCache(tmp_path / "grades")])
    (place,) = done.places
    assert (place.kind, place.removed, place.left) == ("grades", 2, 3)


def test_a_person_in_the_id_of_a_pair_is_removed(tmp_path) -> None:
    cache = ft.GradeCache(tmp_path)
    cache.put("ab" * 32, "good", pair=pair("a?", "b", id="by-812345678901234567"), prompt="", model="")
    assert cache.erase([], ["812345678901234567"]).removed == 1


def test_forgetting_checks_the_cache_first(tmp_path) -> None:
    with pytest.raises(ConfigError, match="does not exist; nothing was changed"):
        ft.forget(message="812345678901234567", places=[ft.GradeCache(tmp_path / "none")])


# Failures of the service.


def test_a_busy_server_is_asked_again_after_the_time_it_names(server, judge, waits) -> None:
    server.fail(status=429, headers={"retry-after": "30"})
    assert results(judge(), PAIRS[:1]) == ["kept"]
    assert waits == [30.0]


def test_a_server_in_trouble_is_asked_again_with_growing_waits(server, judge, waits) -> None:
    server.fail(status=500, times=2)
    server.fail(mode="hang up", times=2)
    assert results(judge(), PAIRS[:1]) == ["kept"]
    assert len(waits) == 4
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits))


def test_after_five_failures_the_run_stops_and_keeps_its_grades(server, judge, tmp_path) -> None:
    results(judge(), PAIRS[:1])
    server.fail(status=503, times=5)
    with pytest.raises(ServiceError) as found:
        results(judge(workers=1), PAIRS[:2])
    assert found.value.code == 503
    (note,) = found.value.__notes__
    assert "the pair usable" in note
    assert str(tmp_path / "grades") in note
    assert results(judge()) == ["kept", "kept", "judged_poor"]
    assert asked(server).count("How do I draw a sphere?") == 1


def test_a_wait_that_is_too_long_stops_the_run(server, judge, waits) -> None:
    server.fail(status=429, headers={"retry-after": "86400"})
    with pytest.raises(ServiceError, match="asks to wait 86400 s"):
        results(judge())
    assert waits == []


def test_a_slow_server_is_asked_again(server, judge, tmp_path, waits) -> None:
    server.fail(mode="hang")
    service = ft.ChatService(server.url, api_key=KEY, timeout=0.2)
    step = ft.JudgePairs(service.model("fake"), cache=tmp_path, sleep=waits.append)
    assert results(step, PAIRS[:1]) == ["kept"]
    assert len(server.requests) == 2


def test_a_wrong_key_stops_the_run_at_once(server, judge, waits) -> None:
    with pytest.raises(ServiceError, match="check api_key="):
        results(judge(key="wrong", workers=1))
    assert len(server.requests) == 1
    assert waits == []


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_after_an_error_no_further_request_is_made(tmp_path, workers) -> None:
    calls = []

    def fail(_):
        calls.append(1)
        raise ServiceError("asking the model", code=403)

    many = [pair(f"{n}?", "So.") for n in range(64)]
    with pytest.raises(ServiceError):
        results(ft.JudgePairs(InProcess(fail), cache=tmp_path, workers=workers), many)
    assert len(calls) <= workers


def test_an_error_ends_the_waits_of_the_other_requests(tmp_path) -> None:
    waiting = threading.Event()

    def act(prompt):
        if "slow" in prompt.text:
            waiting.set()
            raise ServiceError("asking the model", code=429, wait=100.0)
        assert waiting.wait(10)
        raise ServiceError("asking the model", code=401)

    # Without `sleep`, the first request would wait for 100 seconds.
    step = ft.JudgePairs(InProcess(act), cache=tmp_path, workers=2)
    with pytest.raises(ServiceError, match="401"):
        results(step, [pair("slow?", "a"), pair("wrong?", "b")])


def test_a_fault_of_the_model_is_not_hidden(tmp_path) -> None:
    def act(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        results(ft.JudgePairs(InProcess(act), cache=tmp_path))


def test_neither_key_nor_text_is_shown(server, judge) -> None:
    said = pair(f"{TEXT}?", TEXT, id="said")
    step = judge(key="wrong-" + KEY)
    shown = [repr(step), repr(step.start()), repr(step.cache), str(step.estimate([said]))]
    with pytest.raises(ServiceError) as found:
        results(step, [said])
    shown += traceback.format_exception(found.value)
    for text in shown:
        assert KEY not in text
        assert TEXT not in text


# Several at a time, and killed runs.


def test_as_many_requests_as_workers_are_under_way(tmp_path) -> None:
    together, now, most = threading.Barrier(4, timeout=30), [0], [0]
    lock = threading.Lock()

    def act(_):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait()  # ends only if four requests are under way
        with lock:
            now[0] -= 1
        return '{"grade": "good"}'

    many = [pair(f"{n}?", "So.") for n in range(64)]
    step = ft.JudgePairs(InProcess(act), cache=tmp_path, workers=4)
    assert results(step, many) == ["kept"] * 64
    assert most[0] == 4


@given(st.lists(st.sampled_from(["good", "usable", "poor"]), max_size=12), st.integers(1, 5))
def test_results_are_in_the_order_of_the_pairs(tmp_path_factory, grades, workers) -> None:
    many = [pair(grade, f"{n}", id=f"{n}") for n, grade in enumerate(grades)]
    model = InProcess(lambda prompt: json.dumps({"grade": json.loads(prompt.text)["question"]}))
    step = ft.JudgePairs(model, cache=tmp_path_factory.mktemp("grades"), workers=workers, keep="good")
    wanted = {"good": "kept", "usable": "judged_usable", "poor": "judged_poor"}
    assert results(step, many) == [wanted[grade] for grade in grades]


def test_a_killed_run_continues_with_what_is_missing(tmp_path) -> None:
    script = Path(judge_in_process.__file__)
    enough = threading.Event()

    def answer(_):
        if len(server.requests) > 8 and not enough.is_set():
            enough.set()
            process.kill()
        return '{"grade": "good"}'

    with FakeChat(answer) as server:
        command = [sys.executable, str(script), server.url, str(tmp_path / "grades"), "40"]
        process = subprocess.Popen(command)
        process.wait(60)
        assert enough.is_set()
        stored = [path for path in files(tmp_path / "grades") if not path.name.startswith(".")]
        assert 0 < len(stored) < 40
        assert all(json.loads(path.read_text())["grade"] == "good" for path in stored)
        server.requests.clear()
        subprocess.run(command, check=True, timeout=60)
        assert len(server.requests) == len(set(asked(server))) == 40 - len(stored)
        server.requests.clear()
        subprocess.run(command, check=True, timeout=60)
        assert server.requests == []


# The estimate, and wrong arguments.


def test_the_estimate_is_a_range_and_sends_nothing(server, judge) -> None:
    found = judge(price=2.0).estimate(PAIRS)
    assert server.requests == []
    assert 0 < found.least_tokens < found.tokens
    assert found.cost == pytest.approx(found.tokens * 2 / 1e6)
    assert found.least_cost == pytest.approx(found.least_tokens * 2 / 1e6)
    assert found.notes[0] == "3 pairs, of which 0 are judged already; 3 to 6 requests"


def test_the_estimate_leaves_out_what_is_judged_or_beyond_the_limit(judge) -> None:
    results(judge(), PAIRS[:1])
    rest = judge().estimate(PAIRS)
    assert rest.notes[0] == "3 pairs, of which 1 are judged already; 2 to 4 requests"
    assert rest.tokens == judge().estimate(PAIRS[1:]).tokens
    assert rest.cost is None
    limited = judge(max_requests=1).estimate(PAIRS)
    assert limited.tokens == judge().estimate(PAIRS[1:2]).tokens
    assert limited.warnings == ("pairs that max_requests=1 leaves without a grade: 1 or more",)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"keep": "poor"}, "keep must be one of"),
        ({"on_ungraded": "ask"}, "on_ungraded must be one of"),
        ({"max_requests": -1}, "max_requests must be a whole number"),
        ({"workers": 0}, "workers must be a whole number"),
        ({"price": -1.0}, "price must be a number"),
        ({"project": None}, "project must be of type str"),
    ],
)
def test_wrong_arguments_are_refused(judge, changes, told) -> None:
    with pytest.raises(ConfigError, match=told):
        judge(**changes)


def test_a_model_must_answer(tmp_path) -> None:
    with pytest.raises(ConfigError, match="str is not a model that answers"):
        ft.JudgePairs("gemini-3.1-flash-lite", cache=tmp_path)


def test_a_pipeline_gives_a_bulk_step_some_pairs_at_a_time_in_order() -> None:
    many = [pair(f"{n}?", "So.", id=f"{n}") for n in range(150)]
    sizes = []

    class Counting:
        def __call__(self, one):
            raise AssertionError

        def curate(self, pairs):
            sizes.append(len(pairs))
            return [p if int(p.id) % 3 else ft.Dropped(reason="own:third", ids=(p.id,)) for p in pairs]

    kept = list(ft.Pipeline(collector=ListCollector(many), curators=Counting()).pairs())
    assert [p.id for p in kept] == [p.id for p in many if int(p.id) % 3]
    assert sizes == [64, 64, 22]


def test_a_step_that_loses_pairs_is_found() -> None:
    class Losing:
        def __call__(self, one):
            return one

        def curate(self, pairs):
            return pairs[1:]

    with pytest.raises(CurationError, match="2 results for 3 pairs"):
        ft.Pipeline(collector=ListCollector(PAIRS), curators=Losing()).run()
