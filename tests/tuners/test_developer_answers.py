"""How the backend reads answers that a well-behaved Developer API would not give."""

from __future__ import annotations

import pytest
from developer_help import NAME, backend, make_dataset, submit

from furytune.errors import ServiceError, TuningError
from furytune.models.service import Call
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi

METADATA = "type.googleapis.com/google.ai.generativelanguage.v1beta.CreateTunedModelMetadata"
CALL = Call(target="models/m", fields={"contents": [{"role": "user", "parts": [{"text": "x"}]}]})


@pytest.fixture
def api():
    with FakeDeveloperApi(tunable=(TUNABLE,)) as server:
        yield server


@pytest.fixture
def made(api, tmp_path):
    one = backend(api)
    submit(one, make_dataset(tmp_path)[0])
    return one


def operation(**fields):
    return {"operations": [{"name": f"{NAME}/operations/1", **fields}]}


def metadata(**fields):
    return {"metadata": {"@type": METADATA, "tunedModel": NAME, **fields}}


@pytest.mark.parametrize(
    ("answer", "percent"),
    [
        (metadata(), 0.0),
        (metadata(completedPercent=12.5), 12.5),
        (metadata(totalSteps=8, completedSteps=2), 25.0),
        (metadata(completedPercent=101.0), 100.0),
        (metadata(completedPercent=-1.0), 0.0),
        (metadata(completedPercent="NaN"), None),
        ({}, None),
        ({"metadata": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "3s"}}, None),
    ],
)
def test_percentages(api, made, answer, percent):
    api.fail("/operations", 200, body=operation(**answer))
    found = made.snapshot(NAME)
    assert (found.state, found.detail, found.losses) == ("running", "CREATING", ())
    assert found.percent == (None if percent == 0.0 and not answer else percent)


def test_losses_are_in_order_and_finite(api, made):
    points = [
        {"step": 3, "meanLoss": 1.5},
        {"step": 1, "epoch": 1, "meanLoss": 3.5},
        {"step": 2, "meanLoss": "NaN"},
    ]
    api.fail("/operations", 200, body=operation(**metadata(snapshots=points)))
    assert [(p.step, p.loss, p.epoch) for p in made.snapshot(NAME).losses] == [(1, 3.5, 1), (3, 1.5, 0)]


def test_an_ended_operation_without_its_model_is_looked_up(api, made):
    api.fail("/operations", 200, body=operation(done=True))
    api.service.polls = 1
    found = made.snapshot(NAME)
    assert (found.state, found.endpoint) == ("succeeded", NAME)
    assert found.more["operation"] == f"{NAME}/operations/1"


def test_no_operation_at_all(api, made):
    api.fail("/operations", 200, body={})
    assert made.snapshot(NAME).state == "running"


def test_the_newest_of_several_operations_counts(api, made):
    both = [{"name": f"{NAME}/operations/{n}", **metadata(completedPercent=n)} for n in (40, 60)]
    api.fail("/operations", 200, body={"operations": both})
    assert made.snapshot(NAME).percent == 60


@pytest.mark.parametrize("status", [404, 501])
def test_a_service_without_operations(api, made, status):
    api.fail("/operations", status, times=99)
    seen = [made.snapshot(NAME) for _ in range(4)]
    assert [s.state for s in seen] == ["running", "running", "running", "succeeded"]
    assert [s.percent for s in seen] == [None, None, None, 100.0]
    with pytest.raises(TuningError, match="cannot cancel jobs"):
        made.cancel(NAME)


def test_a_service_that_cancels(api, made):
    api.fail(":cancel", 200, body={})
    made.cancel(NAME)
    api.fail(":cancel", 403)
    with pytest.raises(ServiceError, match="403"):
        made.cancel(NAME)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"candidates": [{"finishReason": 3}]}, "SAFETY"),
        ({"candidates": [{"finishReason": 1}]}, "STOP"),
        ({"candidates": [{"finishReason": 99}]}, "finish_reason 99"),
        ({"promptFeedback": {"blockReason": 2}}, "OTHER"),
        ({"promptFeedback": {"blockReason": 77}}, "block_reason 77"),
        ({}, "BLOCK_REASON_UNSPECIFIED"),
    ],
)
def test_answers_without_text_say_why(api, made, answer, reason):
    api.fail("generateContent", 200, body=answer)
    with pytest.raises(TuningError, match=reason):
        made.generate(CALL)


def test_all_parts_of_the_first_candidate_are_the_answer(api, made):
    parts = [{"text": "a"}, {"text": ""}, {"text": "\u2028b"}]
    other = {"content": {"parts": [{"text": "no"}]}}
    api.fail("generateContent", 200, body={"candidates": [{"content": {"parts": parts}}, other]})
    assert made.generate(CALL) == "a\u2028b"


def test_a_stream_may_have_empty_pieces_but_not_end_in_a_refusal(api, made):
    piece = {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}
    end = {"candidates": [{"finishReason": 1}]}
    api.fail("streamGenerateContent", 200, body=[piece, {}, piece, end])
    assert list(made.stream(CALL)) == ["a", "a"]
    api.fail("streamGenerateContent", 200, body=[piece, {"candidates": [{"finishReason": 3}]}])
    pieces = made.stream(CALL)
    assert next(pieces) == "a"
    with pytest.raises(TuningError, match="SAFETY"):
        next(pieces)


def test_a_request_that_the_sdk_cannot_send_is_an_error(made):
    with pytest.raises(TuningError, match="thinkingConfig"):
        made.generate(Call(target="m", fields=CALL.fields, thinking={"thinkingBudget": 0}))
    with pytest.raises(TuningError, match="use the dialect 'gemini-developer'"):
        made.generate(Call(target="m", fields={"no_such_field": 1}))


@pytest.mark.parametrize(
    ("answer", "grantee", "role"),
    [
        ({"granteeType": 2, "emailAddress": "g@example.org", "role": 1}, "group:g@example.org", "owner"),
        ({"granteeType": 9, "role": 9}, "grantee_type 9:", "role 9"),
    ],
)
def test_permissions_of_any_kind_are_listed(api, made, answer, grantee, role):
    api.fail("/permissions", 200, body={"permissions": [{"name": f"{NAME}/permissions/1", **answer}]})
    (found,) = made.permissions(NAME)
    assert (found.grantee, found.role) == (grantee, role)


def test_all_pages_of_models_and_permissions_are_read(api, made, tmp_path):
    for n in range(60):
        made.share(NAME, f"user:u{n}@example.org", "reader")
    assert len(made.permissions(NAME)) == 60
