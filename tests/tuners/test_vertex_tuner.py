"""GeminiTuner on Vertex, from estimate to answers, with the real SDK against a server on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import attrs
import pytest
from vertex_help import MODEL, TOKEN, Time, lines, make_dataset, make_tuner, pipeline

import furytune as ft
from furytune import tokens
from furytune.errors import (
    ConfigError,
    ContractMismatchError,
    MissingExtraError,
    ServiceError,
    TuningError,
    TuningUnavailableError,
)
from furytune.exporters import load_dataset
from furytune.protocols import Tuner
from furytune.records import TuningJob, Usage
from furytune.testing.conformance import check_model, check_tuner
from furytune.testing.fake_vertex import FakeVertex, fake_credentials
from furytune.testing.memory import ListCollector, pair

KEY = "a" * 32


@pytest.fixture
def fake():
    with FakeVertex() as server:
        yield server


def test_the_tuner_keeps_the_rules_of_its_protocol(fake, tmp_path):
    dataset, _ = make_dataset(tmp_path)
    check_tuner(lambda: make_tuner(fake, tmp_path), dataset)
    assert isinstance(make_tuner(fake, tmp_path), Tuner)


def test_a_pipeline_tunes_once_and_its_model_answers_as_trained(fake, tmp_path):
    parts = pipeline(tmp_path, tuner=make_tuner(fake, tmp_path))
    run = parts.run()
    assert run.job.state == "queued"
    assert "tuning" in str(run.report)
    later = make_tuner(fake, tmp_path)
    assert parts.evolve(tuner=later).run().job.name == run.job.name
    assert len(fake.service.jobs) == 1
    job = later.wait(run.job)
    assert job.state == "succeeded"
    assert job.fingerprint == run.contract.fingerprint
    tuned = later.tuned(job, run.contract)
    assert [tuned.ask(f"how {n}?") for n in range(8)] == [f"do {n}" for n in range(8)]
    assert asyncio.run(tuned.aask("how 3?")) == "do 3"
    prompt = run.contract.prompt("how 4?")
    assert (
        tuned.generate(prompt)
        == asyncio.run(tuned.agenerate(prompt))
        == "".join(tuned.stream(prompt))
        == "do 4"
    )
    base = later.base_model(run.contract)
    assert base.ask("how 4?") == "I was not tuned."
    check_model(base)
    *earlier, last = tuned.pieces(prompt)
    assert "".join(piece.text for piece in earlier) == "do 4"
    assert (last.finish, last.usage) == ("stop", Usage(3, 4))


def test_a_bot_needs_only_the_contract_that_names_its_model(fake, tmp_path):
    run = pipeline(tmp_path, tuner=make_tuner(fake, tmp_path)).run()
    tuner = make_tuner(fake, tmp_path)
    tuned = tuner.tuned(tuner.wait(run.job), run.contract)
    assert run.contract.model is None
    tuned.contract.save(tmp_path / "bot.contract.json")
    contract = ft.PromptContract.load(tmp_path / "bot.contract.json")
    assert contract.fingerprint == run.contract.fingerprint
    google = {"credentials": fake_credentials(TOKEN), "endpoint": fake.url}
    bot = ft.tuned_gemini(contract, **google)
    assert bot.ask("how 3?") == "do 3"
    assert bot.thinking == tuned.thinking
    with pytest.raises(ConfigError, match="names no model"):
        ft.tuned_gemini(run.contract, **google)
    elsewhere = attrs.evolve(contract, model=ft.contract.ModelName(name="qwen"))
    with pytest.raises(ConfigError, match="Vertex"):
        ft.tuned_gemini(elsewhere, **google)


def test_a_run_is_found_without_its_ledger(fake, tmp_path):
    dataset, contract = make_dataset(tmp_path)
    job = make_tuner(fake, tmp_path / "a").submit(dataset, key=KEY)
    other = make_tuner(fake, tmp_path / "b")
    found = other.find(KEY)
    assert found.name == job.name
    assert found.key == KEY
    assert found.fingerprint == contract.fingerprint
    assert other.submit(dataset, key=KEY).name == job.name
    assert len(fake.service.jobs) == 1


def test_a_job_is_found_by_its_name_alone(fake, tmp_path):
    dataset, contract = make_dataset(tmp_path)
    job = make_tuner(fake, tmp_path / "a").submit(dataset, key=KEY)
    for folder, key in (("a", KEY), ("b", "")):
        tuner = make_tuner(fake, tmp_path / folder)
        found = tuner.wait(tuner.job(job.name))
        assert (found.key, found.fingerprint) == (key, contract.fingerprint)
        assert tuner.tuned(found, contract).ask("how 1?") == "do 1"


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 4},
        {"model": "gemini-2.5-flash"},
        {"adapter_size": 4},
        {"attempt": 2},
        {"location": "europe-west4"},
    ],
)
def test_other_settings_are_another_job(fake, tmp_path, change):
    dataset, _ = make_dataset(tmp_path)
    make_tuner(fake, tmp_path).submit(dataset, key=KEY)
    make_tuner(fake, tmp_path, **change).submit(dataset, key=KEY)
    make_tuner(fake, tmp_path, **change).submit(dataset, key=KEY)
    assert len(fake.service.jobs) == 2


def test_another_contract_is_refused(fake, tmp_path):
    dataset, contract = make_dataset(tmp_path)
    tuner = make_tuner(fake, tmp_path)
    job = tuner.wait(tuner.submit(dataset, key=KEY))
    other = attrs.evolve(contract, template=ft.PromptTemplate("Ask:\n{question}"))
    with pytest.raises(ContractMismatchError, match="trained with prompts of a contract") as caught:
        tuner.tuned(job, other)
    assert caught.value.part == "fingerprint"
    with pytest.raises(ContractMismatchError, match="unknown contract"):
        tuner.tuned(attrs.evolve(job, fingerprint=""), contract)


def test_a_contract_of_another_dialect_is_refused(fake, tmp_path):
    _, contract = make_dataset(tmp_path)
    with pytest.raises(ConfigError, match="does not have the dialect 'gemini'"):
        make_tuner(fake, tmp_path).base_model(attrs.evolve(contract, dialects=["openai"]))


def test_a_job_without_a_model_has_no_handle(tmp_path):
    for states, word in (
        (("JOB_STATE_RUNNING",), "wait for it"),
        (("JOB_STATE_RUNNING", "JOB_STATE_FAILED"), "job.failure.message says why"),
    ):
        with FakeVertex(states=states) as fake:
            dataset, contract = make_dataset(tmp_path / word)
            tuner = make_tuner(fake, tmp_path / word)
            job = tuner.submit(dataset, key=KEY)
            with pytest.raises(TuningError, match=word):
                tuner.tuned(job, contract)


def test_the_error_of_a_failed_job_is_in_its_details_and_in_no_repr(tmp_path):
    error = {"code": 3, "message": "Row 2: 'how 1?' is odd"}
    with FakeVertex(states=("JOB_STATE_FAILED",), error=error) as fake:
        dataset, _ = make_dataset(tmp_path)
        tuner = make_tuner(fake, tmp_path)
        job = tuner.wait(tuner.submit(dataset, key=KEY))
        assert job.state == "failed"
        assert job.failure is not None
        assert job.failure.as_json() == job.details["error"] == error
        assert "how 1?" not in repr(job)
        assert "how 1?" not in repr(job.failure)


def test_dropped_rows_are_named_by_their_ids(tmp_path):
    stats = {
        "totalTruncatedExampleCount": "3",
        "truncatedExampleIndices": ["1", "3", "99"],
        "droppedExampleReasons": ["too many tokens"] * 3,
        "totalBillableTokenCount": "4711",
    }
    with FakeVertex(stats=stats) as fake:
        dataset, _ = make_dataset(tmp_path, every=2)
        tuner = make_tuner(fake, tmp_path)
        job = tuner.wait(tuner.submit(dataset, key=KEY))
    entries = json.loads(Path(dataset.manifest).read_text())["sources"]
    train = [e["id"] for e in entries if e["split"] == "train"]
    assert job.progress.dropped == 3
    assert job.progress.dropped_ids == (train[0], train[2], "row 99")
    assert job.progress.billed_tokens == 4711
    assert job.details["checkpoints"][0]["epoch"] == 3
    report = ft.Pipeline(collector=ListCollector([])).run().report
    assert f"3  by the service, of the training rows: {train[0]}, " in str(attrs.evolve(report, job=job))


def test_validation_rows_are_uploaded_too(fake, tmp_path):
    dataset, _ = make_dataset(tmp_path, every=4)
    make_tuner(fake, tmp_path).submit(dataset, key=KEY)
    (job,) = fake.service.jobs.values()
    spec = job.asked["supervisedTuningSpec"]
    for split, name in (("train", "trainingDatasetUri"), ("validation", "validationDatasetUri")):
        (file,) = (f for f in dataset.files if f.split == split)
        assert spec[name] == f"gs://buck/furytune/{file.sha256}.jsonl"
        assert (
            fake.service.objects["buck", f"furytune/{file.sha256}.jsonl"].data == Path(file.path).read_bytes()
        )


def test_calls_go_to_the_location_of_the_endpoint(fake, tmp_path):
    dataset, contract = make_dataset(tmp_path)
    tuner = make_tuner(fake, tmp_path)
    tuned = tuner.tuned(tuner.wait(tuner.submit(dataset, key=KEY)), contract)
    assert "/locations/us/endpoints/" in tuned.target
    tuned.ask("how 1?")
    assert set(tuner.service._clients) == {"us-central1", "us"}
    client = tuner.service._clients["us"]
    assert client._api_client.location == "us"


def test_a_saved_data_set_is_tuned_in_another_process(fake, tmp_path):
    dataset, contract = make_dataset(tmp_path)
    contract.save(tmp_path / "bot.contract.json")
    job = make_tuner(fake, tmp_path).submit(load_dataset(dataset.manifest), key=KEY)
    tuner = make_tuner(fake, tmp_path)
    tuned = tuner.tuned(
        tuner.wait(tuner.job(job.name)), ft.PromptContract.load(tmp_path / "bot.contract.json")
    )
    assert tuned.ask("how 7?") == "do 7"


def test_cancel(fake, tmp_path):
    dataset, _ = make_dataset(tmp_path)
    tuner = make_tuner(fake, tmp_path)
    job = tuner.submit(dataset, key=KEY)
    fake.fail(":cancel", 503)
    tuner.cancel(job)
    assert tuner.wait(job).state == "cancelled"
    assert make_tuner(fake, tmp_path).find(KEY).state == "cancelled"


def test_sharing_on_vertex_says_that_access_is_per_project(fake, tmp_path):
    dataset, contract = make_dataset(tmp_path)
    tuner = make_tuner(fake, tmp_path)
    tuned = tuner.tuned(tuner.wait(tuner.submit(dataset, key=KEY)), contract)
    for act in (tuned.share, tuned.permissions, lambda: tuned.transfer("a@b.c")):
        with pytest.raises(TuningUnavailableError, match="roles/aiplatform.user"):
            act()
    with pytest.raises(ConfigError, match="everyone"):
        tuned.share("anybody")
    tuned.delete()
    assert lines(fake)[-1] == "DELETE /v1beta1/projects/proj/locations/us-central1/models/1000"
    with pytest.raises(TuningError, match="base model"):
        tuner.base_model(contract).delete()


def test_a_base_model_without_a_contract_takes_prompts_only(fake, tmp_path):
    base = make_tuner(fake, tmp_path).base_model()
    assert base.generate("hello") == "I was not tuned."
    with pytest.raises(ConfigError, match="contract"):
        base.ask("hello")


def test_options_are_sent_only_if_asked_for(fake, tmp_path):
    tuner = make_tuner(fake, tmp_path)
    tuner.base_model().generate("a")
    tuner.base_model(temperature=0.0, max_output_tokens=9, thinking={}).generate("a")
    tuner.base_model(model="gemini-2.5-flash").generate("a")
    tuner.base_model(model="gemini-unknown").generate("a")
    configs = [r.body["generationConfig"] for r in fake.requests]
    assert [sorted(c) for c in configs] == [
        ["thinkingConfig"],
        ["maxOutputTokens", "temperature"],
        ["thinkingConfig"],
        [],
    ]
    assert list(configs[0]["thinkingConfig"].values()) == ["MINIMAL"]
    assert list(configs[2]["thinkingConfig"].values()) == [0]


def test_an_answer_without_text_is_an_error(tmp_path):
    with FakeVertex(answer=lambda _text: "") as fake, pytest.raises(TuningError, match="no text .STOP"):
        make_tuner(fake, tmp_path).base_model().generate("a")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500])
def test_a_refused_call_says_what_to_do(fake, tmp_path, code):
    fake.fail("generateContent", code)
    with pytest.raises(ServiceError) as caught:
        make_tuner(fake, tmp_path).base_model().generate("a")
    assert caught.value.code == code
    assert caught.value.transient == (code >= 429)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_unknown_models_and_fields_are_accepted(tmp_path):
    with FakeVertex(
        more={"brandNew": {"x": 1}}, states=("JOB_STATE_DREAMING", "JOB_STATE_PARTIALLY_SUCCEEDED")
    ) as fake:
        dataset, _ = make_dataset(tmp_path)
        tuner = make_tuner(fake, tmp_path, model="gemini-9-nano")
        job = tuner.submit(dataset, key=KEY)
        assert (job := tuner.wait(job)).state == "succeeded"
        assert job.model.endswith("models/1000@1")


class TestEstimate:
    def test_cost_is_tokens_by_epochs_by_price(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path, [("how " * 900, "so " * 90)] * 1)
        once = make_tuner(fake, tmp_path, epochs=1).estimate(dataset)
        found = make_tuner(fake, tmp_path, epochs=5, price=7.0).estimate(dataset)
        assert found.tokens == 5 * once.tokens
        assert found.cost == pytest.approx(found.tokens * 7e-6)
        assert once.cost == pytest.approx(once.tokens * 3e-6)
        assert 990 <= once.tokens <= 1200
        assert any("2026-09" in note for note in once.notes)
        assert any("as you gave it" in note for note in found.notes)
        assert "cost" in str(found)
        assert not fake.requests

    def test_max_cost_is_a_hard_stop(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        for options, word in (
            ({"max_cost": 0.0000001}, "over max_cost"),
            ({"max_cost": 9, "model": "gemini-x"}, "unknown"),
        ):
            tuner = make_tuner(fake, tmp_path, **options)
            assert len(tuner.estimate(dataset).problems) == 1
            with pytest.raises(TuningError, match=word):
                tuner.submit(dataset, key=KEY)
        assert not fake.requests
        make_tuner(fake, tmp_path, max_cost=9).submit(dataset, key=KEY)

    def test_a_cost_that_may_be_over_max_cost_only_warns(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        free = make_tuner(fake, tmp_path).estimate(dataset)
        assert 0 < free.least_cost < free.cost
        assert not free.warnings
        between = (free.least_cost + free.cost) / 2
        tuner = make_tuner(fake, tmp_path, max_cost=between)
        found = tuner.estimate(dataset)
        assert not found.problems
        assert f"warning   {found.warnings[0]}" in str(found)
        with pytest.warns(UserWarning, match=r"may cost up to .* so it is not stopped"):
            job = tuner.submit(dataset, key=KEY)
        assert job.name
        short = make_tuner(fake, tmp_path, max_cost=free.least_cost * 0.99, attempt=2)
        with pytest.raises(TuningError, match="would cost at least"):
            short.submit(dataset, key=KEY)

    def test_without_tiktoken_the_range_is_wider(self, fake, tmp_path, monkeypatch):
        dataset, _ = make_dataset(tmp_path)
        near = make_tuner(fake, tmp_path).estimate(dataset)

        def absent(*_args):
            raise MissingExtraError("a token budget", "tokens")

        monkeypatch.setattr(tokens.TokenBudget, "count", absent)
        far = make_tuner(fake, tmp_path, max_cost=near.cost).estimate(dataset)
        assert far.least_tokens <= near.least_tokens < near.tokens <= far.tokens
        assert not far.problems
        assert far.warnings

    def test_remarks_and_unknown_models_are_not_problems(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        tuner = make_tuner(fake, tmp_path, location="asia-east1", model="gemini-3.5-flash")
        assert any("us-central1 and europe-west4" in n for n in tuner.estimate(dataset).notes)
        old = make_tuner(fake, tmp_path, model="gemini-2.5-pro").estimate(dataset)
        assert any("switched off on 2027-03-31" in n for n in old.notes)
        assert not old.problems
        unknown = make_tuner(fake, tmp_path, model="gemini-x").estimate(dataset)
        assert unknown.cost is None
        assert not unknown.problems

    def test_data_is_read_once_for_estimate_and_submit(self, fake, tmp_path, monkeypatch):
        from furytune.tuners.gemini._vertex import limits

        dataset, _ = make_dataset(tmp_path)
        tuner = make_tuner(fake, tmp_path)
        calls = []
        survey = limits.survey
        monkeypatch.setattr(limits, "survey", lambda *a: calls.append(1) or survey(*a))
        tuner.estimate(dataset)
        tuner.submit(dataset, key=KEY)
        assert len(calls) == 1


class TestArguments:
    def test_auto_never_guesses(self, tmp_path):
        with pytest.raises(ConfigError, match="project="):
            ft.GeminiTuner("m")
        with pytest.raises(ConfigError, match="choose one"):
            ft.GeminiTuner("m", project="proj", api_key="k")
        with pytest.raises(ConfigError, match="the Google Cloud project that pays"):
            ft.GeminiTuner("m", bucket="b")
        with pytest.raises(ConfigError, match="backend must be"):
            ft.GeminiTuner("m", backend="openai", project="proj")
        with pytest.raises(ConfigError, match="neither project nor bucket"):
            ft.GeminiTuner("m", backend="developer", project="proj")
        with pytest.raises(ConfigError, match="not with an API key"):
            ft.GeminiTuner("m", backend="vertex", api_key="k")
        assert ft.GeminiTuner("m", project="proj").service.name == "vertex"
        assert ft.GeminiTuner("m", api_key="k").service.name == "developer"

    @pytest.mark.parametrize(
        "options",
        [
            {"project": "My Project"},
            {"location": "us central"},
            {"bucket": "gs://b/folder"},
            {"bucket": "b/folder"},
            {"uploaded": "gs://b/train.csv"},
            {"uploaded": ["gs://bkt/a.jsonl"] * 3},
            {"endpoint": "http://example.org"},
            {"endpoint": "https://user:pass@example.org"},
            {"endpoint": "example.org"},
        ],
    )
    def test_malformed_arguments_are_refused(self, options):
        with pytest.raises(ConfigError):
            ft.GeminiTuner("m", **{"project": "proj", **options})

    @pytest.mark.parametrize(
        "options", [{"epochs": 0}, {"epochs": 1.5}, {"attempt": 0}, {"learning_rate_multiplier": 0}]
    )
    def test_numbers_out_of_range_are_refused(self, options):
        with pytest.raises((ValueError, TypeError, ConfigError)):
            ft.GeminiTuner("m", project="proj", **options)

    @pytest.mark.parametrize("model", ["", " ", "a/../b", "a?b", "-m"])
    def test_a_model_needs_a_name(self, model):
        with pytest.raises(ConfigError, match="not a valid model name"):
            ft.GeminiTuner(model, project="proj")

    def test_without_a_bucket_nothing_is_sent(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        with pytest.raises(ConfigError, match="bucket="):
            make_tuner(fake, tmp_path, bucket="").submit(dataset, key=KEY)
        assert not any("POST" in line for line in lines(fake))

    def test_a_run_needs_a_key(self, fake, tmp_path):
        with pytest.raises(ConfigError, match="key"):
            make_tuner(fake, tmp_path).find("")


class TestStorage:
    def test_an_object_that_exists_is_not_uploaded_again(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        make_tuner(fake, tmp_path).submit(dataset, key=KEY)
        make_tuner(fake, tmp_path, attempt=2).submit(dataset, key=KEY)
        assert len(lines(fake, "/upload/")) == 1

    def test_a_race_to_upload_the_same_object_is_not_an_error(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        fake.fail("GET /storage", 404)
        make_tuner(fake, tmp_path).submit(dataset, key=KEY)
        fake.fail("GET /storage", 404)
        make_tuner(fake, tmp_path, attempt=2).submit(dataset, key=KEY)
        assert len(lines(fake, "/upload/")) == 2
        (stored,) = fake.service.objects.values()
        assert stored.generation == 1

    def test_an_object_with_other_bytes_stops_the_run(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        tuner = make_tuner(fake, tmp_path)
        tuner.service.upload(dataset)
        for stored in fake.service.objects.values():
            stored.data += b"{}\n"
        with pytest.raises(TuningError, match="other bytes"):
            tuner.submit(dataset, key=KEY)
        assert not fake.service.jobs

    def test_files_that_the_user_uploaded_are_checked_and_used(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        uri = "gs://mine/some/train.jsonl"
        tuner = make_tuner(fake, tmp_path, uploaded=uri, bucket="")
        with pytest.raises(TuningError, match="does not exist"):
            tuner.submit(dataset, key=KEY)
        from furytune.testing._fakes.vertex import Object

        fake.service.objects["mine", "some/train.jsonl"] = Object(b"{}\n")
        with pytest.raises(TuningError, match="other bytes"):
            tuner.submit(dataset, key=KEY)
        fake.service.objects["mine", "some/train.jsonl"] = Object(Path(dataset.files[0].path).read_bytes())
        tuner.submit(dataset, key=KEY)
        (job,) = fake.service.jobs.values()
        assert job.asked["supervisedTuningSpec"]["trainingDatasetUri"] == uri
        assert not lines(fake, "/upload/")

    def test_uploaded_files_must_be_those_of_the_data_set(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path, every=3)
        with pytest.raises(ConfigError, match="the data set has train, validation"):
            make_tuner(fake, tmp_path, uploaded="gs://mine/t.jsonl").submit(dataset, key=KEY)

    def test_a_changed_file_is_never_sent(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        tuner = make_tuner(fake, tmp_path)
        tuner.estimate(dataset)
        path = Path(dataset.files[0].path)
        path.write_bytes(path.read_bytes().replace(b"do 3", b"do 4"))
        with pytest.raises(TuningError, match="sha256 differs"):
            tuner.submit(dataset, key=KEY)
        with pytest.raises(TuningError, match="sha256 differs"):
            make_tuner(fake, tmp_path).estimate(dataset)
        assert not lines(fake, "POST")

    def test_faults_on_the_way_are_waited_out(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path, every=3)
        time = Time()
        fake.fail("GET /storage", 503)
        fake.fail("upload", mode="hang up")
        fake.fail("upload", 429, skip=1)
        fake.fail("upload", mode="lose the answer", skip=2)
        make_tuner(fake, tmp_path, time).submit(dataset, key=KEY)
        assert len(fake.service.objects) == 2
        assert {o.generation for o in fake.service.objects.values()} == {1}
        assert time.slept > 0

    def test_a_refusal_names_the_role(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        fake.fail("upload", 403)
        with pytest.raises(ServiceError, match="roles/storage.objectUser"):
            make_tuner(fake, tmp_path).submit(dataset, key=KEY)

    def test_bytes_travel_as_they_are(self, fake, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        make_tuner(fake, tmp_path).submit(dataset, key=KEY)
        (sent,) = (r for r in fake.requests if "/upload/" in r.path)
        assert hashlib.sha256(sent.raw).hexdigest() == dataset.files[0].sha256
        assert sent.headers["content-type"] == "application/octet-stream"
        assert sent.headers["authorization"] == f"Bearer {TOKEN}"
        assert sent.query["ifGenerationMatch"] == "0"


def test_credentials_of_the_machine_are_looked_up_late(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    tuner = ft.GeminiTuner(MODEL, project="proj", bucket="buck", ledger=tmp_path)
    with pytest.raises(ConfigError, match="gcloud auth application-default login"):
        tuner.find(KEY)


def test_a_token_that_cannot_be_refreshed_says_so(fake, tmp_path):
    from google.auth.credentials import AnonymousCredentials

    tuner = make_tuner(fake, tmp_path, credentials=AnonymousCredentials())
    fake.fail("tuningJobs", 401, times=9)
    with pytest.raises(ServiceError, match="gcloud auth") as caught:
        tuner.poll(TuningJob(key="", name="projects/p/locations/l/tuningJobs/1", state="running"))
    assert caught.value.code == 401


def test_many_pages_of_jobs_are_read(fake, tmp_path):
    assert fake_credentials().token == "rehearsal"
    dataset, _ = make_dataset(tmp_path, [(pair("x", "y").question, "z")])
    names = {make_tuner(fake, tmp_path, attempt=n).submit(dataset, key=KEY).name for n in range(1, 6)}
    assert len(names) == 5
    assert make_tuner(fake, tmp_path / "other", attempt=3).find(KEY).name in names
