"""How the Developer API backend handles refusals, dropped connections and lost answers."""

from __future__ import annotations

import pytest
from developer_help import KEY, NAME, backend, make_dataset, submit

from furytune.errors import ServiceError
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi


@pytest.fixture
def api():
    with FakeDeveloperApi(tunable=(TUNABLE,)) as server:
        yield server


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path)[0]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_each_transient_refusal_is_one_request_and_the_job_continues(api, dataset, status):
    made = backend(api)
    name = submit(made, dataset)
    api.fail("/operations", status)
    before = len(api.requests)
    with pytest.raises(ServiceError) as caught:
        made.snapshot(name)
    assert (caught.value.code, caught.value.transient) == (status, True)
    assert len(api.requests) == before + 1
    assert made.snapshot(name).state == "running"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_permanent_refusals_are_not_transient(api, dataset, status):
    made = backend(api)
    name = submit(made, dataset)
    api.fail("/operations", status, times=9)  # the SDK's session repeats a request that was answered 401
    with pytest.raises(ServiceError) as caught:
        made.snapshot(name)
    assert (caught.value.code, caught.value.transient) == (status, False)


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_creating_a_job_is_never_retried_by_the_backend(api, dataset, status):
    made = backend(api)
    api.fail("POST", status)
    with pytest.raises(ServiceError) as caught:
        submit(made, dataset)
    assert caught.value.lost is (status != 429)
    assert (api.jobs, len(api.requests)) == (0, 1)
    assert made.find(KEY) == ()


@pytest.mark.parametrize("mode", ["hang up", "lose the answer", "hang"])
def test_no_answer_to_creating(api, dataset, mode):
    made = backend(api, timeout=0.5)
    api.fail("POST", mode=mode)
    with pytest.raises(ServiceError) as caught:
        submit(made, dataset)
    assert (caught.value.code, caught.value.lost) == (None, True)
    happened = mode == "lose the answer"
    assert made.find(KEY) == ((NAME,) if happened else ())
    assert submit(made, dataset) == NAME
    assert api.jobs == 1


@pytest.mark.parametrize("mode", ["hang up", "hang"])
def test_no_answer_to_a_poll(api, dataset, mode):
    made = backend(api, timeout=0.5)
    name = submit(made, dataset)
    api.fail("/operations", mode=mode)
    with pytest.raises(ServiceError) as caught:
        made.snapshot(name)
    assert (caught.value.code, caught.value.transient) == (None, True)
    assert made.snapshot(name).state == "running"


def test_a_port_without_a_server_is_an_error(dataset):
    with FakeDeveloperApi() as api:
        made = backend(api)
    with pytest.raises(ServiceError) as caught:
        made.find(KEY)
    assert caught.value.transient


def test_a_new_model_that_is_not_visible_yet_is_not_made_twice(dataset):
    with FakeDeveloperApi(tunable=(TUNABLE,), hidden=2) as api:
        made = backend(api)
        submit(made, dataset)
        assert made.find(KEY) == ()
        assert submit(made, dataset) == NAME
        assert made.find(KEY) == (NAME,)
        assert api.jobs == 1


@pytest.mark.parametrize(("status", "ours"), [(500, True), (404, True), (401, False), (403, False)])
def test_what_is_asked_after_a_taken_id(api, dataset, status, ours):
    made = backend(api)
    submit(made, dataset)
    api.fail("GET", status, times=9)
    if ours:
        assert submit(made, dataset) == NAME
    else:
        with pytest.raises(ServiceError, match=str(status)):
            submit(made, dataset)
    assert api.jobs == 1


def test_another_kind_of_conflict_is_an_error(api, dataset):
    made = backend(api)
    api.fail("POST", 409, body={"error": {"code": 409, "status": "ABORTED", "message": "try again"}})
    with pytest.raises(ServiceError, match="ABORTED"):
        submit(made, dataset)


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, 502), ({"error": {}}, 502), ("text", None), ([{"error": {}}], None), ({"error": 1}, None)],
)
def test_refusals_of_any_shape_can_be_transient(api, body, code):
    api.fail("GET", 502, body=body)
    with pytest.raises(ServiceError) as caught:
        backend(api).find(KEY)
    assert (caught.value.code, caught.value.transient) == (code, True)


@pytest.mark.parametrize(
    "body", ["text", ["list"], {"name": 5}, {"state": {"a": 1}}, {"name": "tunedModels/x"}]
)
def test_unreadable_answers_count_as_lost_answers(api, body):
    api.fail("GET", 200, body=body)
    with pytest.raises(ServiceError, match="could not read") as caught:
        backend(api).find(KEY)
    assert caught.value.lost
    assert caught.value.__context__ is None


def test_no_part_of_the_vendors_exception_is_kept(api):
    for fault in ({"mode": "hang up"}, {"status": 400}):
        api.fail("GET", **fault)
        with pytest.raises(ServiceError) as caught:
            backend(api).find(KEY)
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None
