"""The Developer API backend against the service on loopback, through the real SDK."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from attrs import evolve
from developer_help import KEY, NAME, NOTHING, SETTINGS, backend, google, make_dataset, rows, submit

from furytune import dialects
from furytune.errors import ConfigError, ServiceError, TuningError, TuningUnavailableError
from furytune.models.service import Call
from furytune.records import JobFailure
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi


@pytest.fixture
def api():
    with FakeDeveloperApi(tunable=(TUNABLE,)) as server:
        yield server


@pytest.fixture
def made(api):
    return backend(api)


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path)[0]


def trained(made, dataset):
    name = submit(made, dataset)
    while made.snapshot(name).state == "running":
        pass
    return name


def call(contract, question, target=NAME, **options):
    fields = dialects.get("gemini-developer").request(contract.prompt(question))
    return Call(target=target, fields=fields, **options)


class TestReady:
    def test_todays_service_tunes_nothing_and_gets_no_data(self):
        with FakeDeveloperApi() as today:
            with pytest.raises(TuningUnavailableError, match="May 2025") as caught:
                backend(today).ready(SETTINGS)
            assert {r.method for r in today.requests} == {"GET"}
        assert "Vertex" in str(caught.value)
        assert "`project=`" in str(caught.value)

    def test_a_service_that_tunes(self, made):
        made.ready(SETTINGS)
        made.ready(evolve(SETTINGS, model=TUNABLE.removeprefix("models/")))

    def test_a_model_that_cannot_be_tuned_is_refused(self, made):
        with pytest.raises(TuningUnavailableError, match=f"these can: {TUNABLE}"):
            made.ready(evolve(SETTINGS, model="gemini-3.1-flash-lite"))

    def test_all_pages_are_read(self):
        many = tuple(f"models/old-{n}" for n in range(120))
        with FakeDeveloperApi(tunable=(*many, TUNABLE)) as api:
            backend(api).ready(SETTINGS)
            assert len(api.requests) == 3


class TestSubmit:
    def test_one_request_makes_one_job_that_is_found_by_its_key(self, api, made, dataset):
        assert made.find(KEY) == ()
        assert made.upload(dataset) == NOTHING
        assert submit(made, dataset) == NAME
        assert [r.line for r in api.requests if r.method == "POST"] == ["POST /v1beta/tunedModels"]
        assert backend(api).find(KEY) == (NAME,)
        assert made.tuned_models() == (NAME,)

    def test_a_key_has_one_job(self, api, made, dataset):
        assert submit(made, dataset) == submit(backend(api), dataset) == NAME
        assert api.jobs == 1

    def test_an_id_of_another_project_is_refused(self, api, dataset):
        submit(backend(api, api_key="of-somebody-else"), dataset)
        mine = backend(api)
        assert mine.find(KEY) == ()
        with pytest.raises(ServiceError, match="another project") as caught:
            submit(mine, dataset)
        assert caught.value.code == 403

    def test_a_tampered_file_is_not_sent(self, api, made, dataset):
        with Path(dataset.files[0].path).open("ab") as file:
            file.write(b'{"text_input": "x", "output": "y"}\n')
        with pytest.raises(TuningError, match="sha256"):
            submit(made, dataset)
        assert api.requests == []

    def test_csv_and_json_lines_send_the_same(self, api, made, tmp_path):
        pairs = [("=1+1", "'so"), ('a,b\r\n"c"', "\u2028 x"), *rows()]
        bodies = []
        for name, csv in (("csv", True), ("json", False)):
            (tmp_path / name).mkdir()
            data, _ = make_dataset(tmp_path / name, pairs, csv=csv)
            submit(made, data, key=name[0].encode().hex() * 16)
            bodies.append(api.requests[-1].body["tuningTask"])
        assert bodies[0] == bodies[1]

    def test_two_backends_in_one_process_do_not_disturb_each_other(self, api, made, dataset):
        with FakeDeveloperApi(tunable=("models/other",)) as second:
            other = backend(second, api_key="another-key")
            submit(made, dataset)
            other.submit(dataset, NOTHING, evolve(SETTINGS, model="models/other"), KEY)
            submit(made, dataset, key="f" * 32)
            assert (api.jobs, second.jobs) == (2, 1)
            assert {r.headers["x-goog-api-key"] for r in second.requests} == {"another-key"}


class TestSnapshot:
    def test_a_job_from_start_to_end(self, api, made, dataset):
        name = submit(made, dataset)
        seen = [made.snapshot(name) for _ in range(4)]
        assert [s.state for s in seen] == ["running"] * 3 + ["succeeded"]
        assert [s.percent for s in seen] == [25, 50, 75, 100]
        assert [len(s.losses) for s in seen] == [1, 2, 3, 4]
        losses = seen[-1].losses
        assert [p.step for p in losses] == sorted(p.step for p in losses)
        assert losses[0].loss == 2.0
        assert [s.endpoint for s in seen] == ["", "", "", NAME]
        assert seen[-1].model == NAME
        assert seen[-1].fingerprint == dataset.fingerprint
        assert seen[0].more["total_steps"] == 15

    def test_a_job_that_fails(self, dataset):
        with FakeDeveloperApi(tunable=(TUNABLE,), polls=1, failure="it diverged") as api:
            made = backend(api)
            found = made.snapshot(submit(made, dataset))
        assert (found.state, found.failure) == ("failed", JobFailure(code=3, message="it diverged"))
        assert "diverged" not in repr(found)

    @pytest.mark.parametrize("field", ["learningRateMultiplier", "fieldOfTomorrow"])
    def test_fields_that_the_sdk_does_not_know(self, dataset, field):
        with FakeDeveloperApi(tunable=(TUNABLE,), polls=2, hyperparameters={field: 1.5}) as api:
            made = backend(api)
            name = submit(made, dataset)
            assert [made.snapshot(name).state for _ in range(2)] == ["running", "succeeded"]
            assert made.find(KEY) == (NAME,)
            assert made.tuned_models() == (NAME,)

    def test_unknown_states_count_as_running(self, dataset):
        with FakeDeveloperApi(tunable=(TUNABLE,), state=77) as api:
            made = backend(api)
            name = submit(made, dataset)
            api.fail("/operations", 404)
            found = made.snapshot(name)
        assert (found.state, found.detail) == ("running", "state 77")

    def test_a_job_without_its_operation_is_read_from_the_model(self, api, made, dataset):
        name = trained(made, dataset)
        api.fail("/operations", 404)
        found = made.snapshot(name)
        assert (found.state, found.detail, found.endpoint) == ("succeeded", "ACTIVE", NAME)
        assert len(found.losses) == 4

    def test_an_unknown_job_is_an_error(self, made):
        with pytest.raises(ServiceError) as caught:
            made.snapshot("tunedModels/none")
        assert (caught.value.code, caught.value.transient) == (404, False)

    def test_the_service_has_no_cancel(self, made, dataset):
        with pytest.raises(TuningError, match=f"delete the model {NAME}"):
            made.cancel(submit(made, dataset))


class TestAsking:
    def test_tuned_and_base_model(self, made, tmp_path):
        data, contract = make_dataset(tmp_path)
        trained(made, data)
        assert made.generate(call(contract, "how 3?")) == "do 3"
        assert made.generate(call(contract, "else?")) == "I learnt nothing like that."
        assert made.generate(call(contract, "how 3?", "gemini-3.1-flash-lite")) == "I was not tuned for that."

    def test_a_stream_yields_the_same_text(self, made, tmp_path):
        data, contract = make_dataset(tmp_path)
        trained(made, data)
        assert list(made.stream(call(contract, "how 3?"))) == ["do", " 3"]

    def test_settings_are_sent_only_if_asked_for(self, api, made, tmp_path):
        _, contract = make_dataset(tmp_path)
        made.generate(call(contract, "x?", "models/m"))
        made.generate(call(contract, "x?", "models/m", temperature=0.5, max_output_tokens=9))
        first, second = (r.body for r in api.requests)
        assert "generationConfig" not in first
        assert second["generationConfig"] == {"temperature": 0.5, "maxOutputTokens": 9}

    def test_a_broken_stream_is_an_error(self, api, made, tmp_path):
        data, contract = make_dataset(tmp_path)
        trained(made, data)
        api.fail("streamGenerateContent", mode="hang up")
        with pytest.raises(ServiceError) as caught:
            list(made.stream(call(contract, "how 3?")))
        assert caught.value.transient

    def test_an_abandoned_stream_frees_its_connection(self, api, made, tmp_path):
        data, contract = make_dataset(tmp_path)
        trained(made, data)
        for _ in range(3):
            pieces = made.stream(call(contract, "how 3?"))
            assert next(pieces) == "do"
            pieces.close()
            gc.collect()  # an open socket would be a ResourceWarning here

    def test_a_blocked_prompt_is_an_error(self, api, made, tmp_path):
        _, contract = make_dataset(tmp_path)
        api.fail("generateContent", 200, body={"promptFeedback": {"blockReason": 1}})
        with pytest.raises(TuningError, match="SAFETY"):
            made.generate(call(contract, "x?", "models/m"))

    def test_a_model_that_is_not_ready_cannot_be_asked(self, made, tmp_path):
        data, contract = make_dataset(tmp_path)
        submit(made, data)
        with pytest.raises(ServiceError, match="can no longer be called"):
            made.generate(call(contract, "how 3?"))


class TestSharing:
    def test_everyone_may_ask_once_it_is_shared(self, api, made, tmp_path):
        data, contract = make_dataset(tmp_path)
        name = trained(made, data)
        bot = backend(api, api_key="key-of-the-bot")
        with pytest.raises(ServiceError) as caught:
            bot.generate(call(contract, "how 3?"))
        assert caught.value.code == 403
        grant = made.share(name, "everyone", "reader")
        assert (grant.grantee, grant.role) == ("everyone", "reader")
        assert bot.generate(call(contract, "how 3?")) == "do 3"
        made.revoke(grant.name)
        with pytest.raises(ServiceError):
            bot.generate(call(contract, "how 3?"))

    def test_users_and_groups(self, made, dataset):
        name = submit(made, dataset)
        made.share(name, "user:a@example.org", "writer")
        made.share(name, "group:b@example.org", "reader")
        listed = {(p.grantee, p.role) for p in made.permissions(name)}
        assert listed == {("user:a@example.org", "writer"), ("group:b@example.org", "reader")}

    def test_sharing_twice_does_no_harm(self, made, dataset):
        name = submit(made, dataset)
        assert made.share(name, "everyone", "reader") == made.share(name, "everyone", "reader")
        assert len(made.permissions(name)) == 1
        with pytest.raises(ServiceError, match="409"):
            made.share(name, "everyone", "writer")

    @pytest.mark.parametrize("grantee", ["", "all", "user:", "user:nobody", "everyone:a@b.c", "a@b.c"])
    def test_invalid_grantees_are_refused(self, api, made, grantee):
        with pytest.raises(ConfigError, match="everyone"):
            made.share(NAME, grantee, "reader")
        assert api.requests == []

    def test_transfer_changes_the_owner(self, made, dataset):
        name = submit(made, dataset)
        with pytest.raises(ConfigError, match="transfer"):
            made.share(name, "user:a@example.org", "owner")
        made.transfer(name, "a@example.org")
        made.share(name, "everyone", "reader")

    def test_delete(self, made, dataset):
        name = submit(made, dataset)
        made.delete(name, name)
        assert made.find(KEY) == ()


class TestArguments:
    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://",
            "ftp://host",
            "https://host/path",
            "https://host?x=1",
            "https://me@host",
            "https://host:port",
            "host",
        ],
    )
    def test_invalid_endpoints_are_refused(self, endpoint):
        with pytest.raises(ConfigError, match="endpoint"):
            google(api_key="k", endpoint=endpoint)

    def test_a_key_is_never_sent_in_clear_over_a_network(self):
        with pytest.raises(ConfigError, match="https"):
            google(api_key="k", endpoint="http://example.org:80")

    @pytest.mark.parametrize("options", [{"transport": "grpc_asyncio"}, {"timeout": 0}, {"api_key": " "}])
    def test_other_invalid_arguments_are_refused(self, options):
        with pytest.raises(ConfigError):
            google(**{"api_key": "k", **options})

    def test_google_is_the_default(self):
        for made in (google(api_key="k"), google(api_key="k", endpoint="")):
            assert made.place == "generativelanguage.googleapis.com"
