"""A run makes exactly one remote job, even if it is killed many times and answers get lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import attrs
import ledgers
import pytest
from attrs import define
from vertex_help import Time, lines, make_backend, make_dataset, make_tuner

from furytune.errors import ServiceError, TuningError
from furytune.testing.fake_vertex import FakeVertex, Fault
from furytune.tuners import TuningSettings
from furytune.tuners._jobs.labels import fingerprint_of, labels

RUN = "b" * 32
KEY = "furytune_key"
SETTINGS = TuningSettings(model="gemini-3.1-flash-lite", epochs=2)
CRASHES = int(os.environ.get("FURYTUNE_CRASHES", "300"))
MOMENTS = [
    f"{when} {what}"
    for what in (
        "find",
        "ready",
        "upload",
        "submit",
        "write PLANNED",
        "write UPLOADED",
        "write SUBMITTING",
        "write SUBMITTED",
    )
    for when in ("before", "after")
]


HOLDER = """
import sys
from pathlib import Path
from furytune.tuners._jobs.ledger import Ledger

with Ledger(Path(sys.argv[1])).alone(sys.argv[2]):
    print("in", flush=True)
    sys.stdin.read()
"""


class Crash(BaseException):
    """Raised where the process dies; no handler may catch it."""


@define
class Fuse:
    """Dies on the n-th call."""

    moment: str
    left: int

    def pass_(self, moment: str) -> None:
        self.left -= moment == self.moment
        if self.left == 0 and moment == self.moment:
            raise Crash


@define
class Mortal:
    """Wraps a backend or a ledger, and calls a fuse before and after each call."""

    inner: object
    fuse: Fuse

    def __getattr__(self, name):
        value = getattr(self.inner, name)
        if name not in {"find", "ready", "upload", "submit", "write"}:
            return value

        def act(*args):
            moment = f"write {args[0].step}" if name == "write" else name
            self.fuse.pass_(f"before {moment}")
            result = value(*args)
            self.fuse.pass_(f"after {moment}")
            return result

        return act


def test_hundreds_of_crashes_leave_one_job_each(tmp_path):
    dataset, _ = make_dataset(tmp_path, every=4)
    rng = random.Random(7)
    time = Time()
    places: Counter[str] = Counter()
    crashes = runs = 0
    with FakeVertex(now=lambda: time.now) as fake:
        backend = make_backend(fake)
        while crashes < CRASHES:
            key = f"{runs:032x}"
            runs += 1
            fake.service.jobs.clear()
            fake.faults.clear()
            fake.service.delay = rng.choice([0.0, 5.0, 29.0])
            entry = None
            while entry is None:
                # Those that came up least, first: every moment gets its share.
                moment = min(rng.sample(MOMENTS, 4), key=lambda m: places[m])
                fuse = Fuse(moment, rng.choice([1, 1, 1, 2]))
                if rng.random() < 0.3:
                    fake.fail(
                        "POST .*tuningJobs$", 503, mode=rng.choice(["lose the answer", "hang up", "status"])
                    )
                submission = ledgers.submission(
                    backend=Mortal(backend, fuse),
                    ledger=Mortal(ledgers.ledger(tmp_path / "jobs"), fuse),
                    clock=time.clock,
                    key=key,
                )
                try:
                    entry = submission.submit(dataset, SETTINGS, RUN)
                except Crash:
                    crashes += 1
                    places[moment] += 1
                time.now += rng.choice([0.0, 1.0, 45.0])
            (job,) = fake.service.jobs.values()
            assert entry.name == job.name
            assert job.asked["labels"][KEY] == key
            assert ledgers.ledger(tmp_path / "jobs").read(key).step == "SUBMITTED"
    assert places.keys() == set(MOMENTS)
    assert min(places.values()) >= CRASHES // 25, places


@pytest.mark.parametrize("mode", ["lose the answer", "hang up", "status"])
@pytest.mark.parametrize("delay", [0.0, 20.0])
def test_a_lost_job_is_looked_for_before_a_second_request(tmp_path, mode, delay):
    dataset, _ = make_dataset(tmp_path)
    time = Time()
    with FakeVertex(now=lambda: time.now, delay=delay) as fake:
        fake.fail("POST .*tuningJobs$", 500, mode=mode)
        job = make_tuner(fake, tmp_path, time).submit(dataset, key=RUN)
        assert list(fake.service.jobs) == [job.name]
        assert len(lines(fake, "POST /v1beta1")) == (1 if mode == "lose the answer" else 2)
    assert time.slept >= (delay if mode == "lose the answer" else 30.0)


@pytest.mark.parametrize("body", [{}, [], {"name": None}, {"name": ["x"]}, {"state": {"x": 1}}, "text"])
def test_an_answer_that_cannot_be_read_is_a_lost_answer(tmp_path, body):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        fake.faults.append(Fault(on="POST .*tuningJobs$", status=200, body=body))
        job = make_tuner(fake, tmp_path).submit(dataset, key=RUN)
        assert list(fake.service.jobs) == [job.name]


def test_a_quota_refusal_is_retried_without_looking_for_a_job(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    time = Time()
    with FakeVertex() as fake:
        fake.fail("POST .*tuningJobs$", 429, times=2)
        make_tuner(fake, tmp_path, time).submit(dataset, key=RUN)
        assert len(fake.service.jobs) == 1
    assert time.slept == 3.0


def test_a_run_gives_up_if_the_service_never_takes_the_job(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        fake.fail("POST .*tuningJobs$", 503, times=99)
        with pytest.raises(TuningError, match="furytune_key="):
            make_tuner(fake, tmp_path).submit(dataset, key=RUN)
        fake.faults.clear()
        make_tuner(fake, tmp_path).submit(dataset, key=RUN)
        assert len(fake.service.jobs) == 1


def test_a_refusal_raises_at_once_and_the_run_can_be_repeated(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        fake.fail("POST .*tuningJobs$", 400)
        with pytest.raises(ServiceError, match="service agent"):
            make_tuner(fake, tmp_path).submit(dataset, key=RUN)
        assert len(lines(fake, "POST /v1beta1")) == 1
        time = Time()
        make_tuner(fake, tmp_path, time).submit(dataset, key=RUN)
        assert time.slept == 0.0


def test_two_jobs_under_one_label_stop_everything(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        tuner = make_tuner(fake, tmp_path)
        first = tuner.submit(dataset, key=RUN)
        twin = attrs.evolve(fake.service.jobs[first.name], name=first.name + "9")
        fake.service.jobs[twin.name] = twin
        for act in ("find", "submit"):
            other = make_tuner(fake, tmp_path / act)
            with pytest.raises(TuningError) as caught:
                other.find(RUN) if act == "find" else other.submit(dataset, key=RUN)
            assert first.name in str(caught.value)
            assert twin.name in str(caught.value)
        assert len(fake.service.jobs) == 2


def test_two_processes_do_not_submit_at_once(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        tuner = make_tuner(fake, tmp_path)
        key = tuner._key(RUN)
        holder = subprocess.Popen(
            [
                sys.executable,
                "-c",
                HOLDER,
                str(tmp_path / "jobs"),
                key,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert holder.stdout.readline() == b"in\n"
            with pytest.raises(TuningError, match="another process"):
                tuner.submit(dataset, key=RUN)
        finally:
            holder.communicate()
        tuner.submit(dataset, key=RUN)
        assert len(fake.service.jobs) == 1


@define
class Together:
    """A backend that creates its job at the same time as another one, and waits until both jobs exist."""

    inner: object
    barrier: threading.Barrier

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def submit(self, *args):
        self.barrier.wait(60)
        made = self.inner.submit(*args)
        self.barrier.wait(60)
        return made


def test_two_ledgers_at_once_keep_the_older_job_and_cancel_the_other(tmp_path, caplog):
    dataset, _ = make_dataset(tmp_path)
    barrier = threading.Barrier(2)
    with FakeVertex() as fake, ThreadPoolExecutor(2) as pool:
        runs = [
            ledgers.submission(
                backend=Together(make_backend(fake), barrier),
                ledger=ledgers.ledger(tmp_path / name),
                clock=Time().clock,
                key=RUN,
            )
            for name in ("one", "two")
        ]
        entries = list(pool.map(lambda run: run.submit(dataset, SETTINGS, RUN), runs))
        states = {job.name: job.forced for job in fake.service.jobs.values()}
        assert sorted(states.values()) == ["", "JOB_STATE_CANCELLED"]
        kept = next(name for name, state in states.items() if not state)
        assert {entry.name for entry in entries} == {kept}
        assert {ledgers.ledger(tmp_path / name).read(RUN).name for name in ("one", "two")} == {kept}
        assert all(name in caplog.text for name in states)
        third = ledgers.submission(
            backend=make_backend(fake), ledger=ledgers.ledger(tmp_path / "three"), clock=Time().clock, key=RUN
        )
        assert third.submit(dataset, SETTINGS, RUN).name == kept
        assert len(fake.service.jobs) == 2


@define
class InTurn:
    """A backend that takes turns with another one to create jobs; the later one looks only after the other has ended."""

    inner: object
    late: bool
    looked: threading.Barrier
    made: list[threading.Event]
    ended: threading.Event

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def submit(self, *args):
        self.looked.wait(60)
        if self.late:
            assert self.made[0].wait(60)
        name = self.inner.submit(*args)
        self.made[self.late].set()
        if not self.late:
            assert self.made[1].wait(60)
        elif not self.ended.wait(60):
            raise AssertionError
        return name


def test_a_job_that_another_process_cancelled_is_not_used(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    looked, ended = threading.Barrier(2), threading.Event()
    made = [threading.Event(), threading.Event()]
    with FakeVertex() as fake, ThreadPoolExecutor(2) as pool:

        def run(late):
            backend = InTurn(make_backend(fake), late, looked, made, ended)
            ledger = ledgers.ledger(tmp_path / f"{late}")
            entry = ledgers.submission(backend=backend, ledger=ledger, clock=Time().clock, key=RUN).submit(
                dataset, SETTINGS, RUN
            )
            if not late:
                ended.set()
            return entry.name

        early, late = pool.map(run, (False, True))
        states = {job.name: job.forced for job in fake.service.jobs.values()}
        assert early == late == min(states)
        assert states[early] == ""
        assert sorted(states.values()) == ["", "JOB_STATE_CANCELLED"]


def test_a_warning_names_both_jobs_if_only_one_is_listed(tmp_path, caplog):
    """A process that does not see both jobs cannot choose one, but the reader of the log can."""
    dataset, _ = make_dataset(tmp_path)
    time = Time()
    with FakeVertex(now=lambda: time.now, delay=20.0) as fake:
        backend = make_backend(fake)

        def other_ledger(*_):
            ledgers.submission(
                backend=make_backend(fake),
                ledger=ledgers.ledger(tmp_path / "other"),
                clock=time.clock,
                key=RUN,
            ).submit(dataset, SETTINGS, RUN)
            time.now += 25.0

        mine = ledgers.submission(
            backend=Before(backend, other_ledger),
            ledger=ledgers.ledger(tmp_path / "mine"),
            clock=time.clock,
            key=RUN,
        ).submit(dataset, SETTINGS, RUN)
        assert len(fake.service.jobs) == 2
        assert all(name in caplog.text for name in fake.service.jobs)
        assert mine.name in fake.service.jobs


@define
class Before:
    """A backend that calls a function before it makes its job."""

    inner: object
    happens: object

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def submit(self, *args):
        self.happens()
        return self.inner.submit(*args)


def test_another_data_set_under_the_same_key_is_refused(tmp_path):
    one, _ = make_dataset(tmp_path / "one")
    two, _ = make_dataset(tmp_path / "two", [("other?", "words")])
    with FakeVertex() as fake:
        tuner = make_tuner(fake, tmp_path)
        tuner.submit(one, key=RUN)
        with pytest.raises(TuningError, match="this run was started with another data set"):
            tuner.submit(two, key=RUN)


def test_a_job_of_another_contract_is_not_adopted(tmp_path):
    one, contract = make_dataset(tmp_path / "one")
    two = attrs.evolve(one, fingerprint="0" * 64)
    with FakeVertex() as fake:
        make_tuner(fake, tmp_path / "a").submit(one, key=RUN)
        with pytest.raises(TuningError, match=f"contract {contract.fingerprint[:12]}"):
            make_tuner(fake, tmp_path / "b").submit(two, key=RUN)
        assert make_tuner(fake, tmp_path / "b").submit(one, key=RUN)
        assert len(fake.service.jobs) == 1


class TestLedger:
    def entry(self, **changes):
        return ledgers.entry(
            **{
                "key": "c" * 32,
                "run": RUN,
                "step": "SUBMITTED",
                "files": ("1" * 64,),
                "settings": attrs.asdict(SETTINGS),
                "name": "projects/p/locations/l/tuningJobs/1",
                **changes,
            }
        )

    def test_an_entry_is_read_as_it_was_written(self, tmp_path):
        ledger = ledgers.ledger(tmp_path / "deep" / "jobs")
        assert ledger.read("c" * 32) is None
        assert list(ledger.entries()) == []
        ledger.write(self.entry())
        assert ledger.read("c" * 32) == self.entry()
        assert list(ledger.entries()) == [self.entry()]

    @pytest.mark.parametrize("field", [f.name for f in attrs.fields(type(ledgers.entry()))])
    def test_an_edited_field_is_refused(self, tmp_path, field):
        ledger = ledgers.ledger(tmp_path)
        ledger.write(self.entry())
        path = ledger.path("c" * 32)
        content = json.loads(path.read_text())
        content[field] = "PLANNED" if field == "step" else ["edited"] if field == "files" else "edited"
        path.write_text(json.dumps(content))
        with pytest.raises(TuningError, match=f"furytune_key={'c' * 32}"):
            ledger.read("c" * 32)

    @pytest.mark.parametrize(
        "data", [b"", b"{", b"[]", b"\xff", b"{}", b'{"format":"furytune-tuning/1"}', b"[" * 9999]
    )
    def test_damage_is_refused(self, tmp_path, data):
        ledger = ledgers.ledger(tmp_path)
        ledger.path("d").write_bytes(data)
        with pytest.raises(TuningError, match="damaged or was edited"):
            ledger.read("d")

    def test_an_entry_under_another_name_is_refused(self, tmp_path):
        ledger = ledgers.ledger(tmp_path)
        ledger.write(self.entry())
        ledger.path("c" * 32).rename(ledger.path("d" * 32))
        with pytest.raises(TuningError):
            ledger.read("d" * 32)

    def test_a_tampered_ledger_stops_a_run(self, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        with FakeVertex() as fake:
            tuner = make_tuner(fake, tmp_path)
            tuner.submit(dataset, key=RUN)
            (path,) = (tmp_path / "jobs").glob("*.json")
            path.write_text(path.read_text().replace("tuningJobs/1000", "tuningJobs/1001"))
            for act in (lambda: tuner.find(RUN), lambda: tuner.submit(dataset, key=RUN)):
                with pytest.raises(TuningError, match="edited"):
                    act()
            path.unlink()
            assert tuner.find(RUN).name.endswith("/1000")

    def test_nothing_is_sent_if_the_ledger_cannot_be_written(self, tmp_path):
        dataset, _ = make_dataset(tmp_path)
        (tmp_path / "jobs").write_text("a file is in the way")
        with FakeVertex() as fake:
            with pytest.raises(TuningError, match="check the folder"):
                make_tuner(fake, tmp_path).submit(dataset, key=RUN)
            assert not lines(fake, "POST")

    def test_the_final_state_is_recorded(self, tmp_path):
        dataset, contract = make_dataset(tmp_path)
        with FakeVertex() as fake:
            tuner = make_tuner(fake, tmp_path)
            job = tuner.wait(tuner.submit(dataset, key=RUN))
            (entry,) = ledgers.ledger(tmp_path / "jobs").entries()
            assert (entry.step, entry.state, entry.model) == ("ENDED", "succeeded", job.model)
            found = make_tuner(fake, tmp_path).find(RUN)
            assert found.state == "succeeded"
            before = len(fake.requests)
            assert make_tuner(fake, tmp_path).tuned(found, contract).target == job.progress.endpoint
            assert len(fake.requests) == before


def test_labels_keep_the_rules_and_carry_the_fingerprint():
    found = labels("a" * 32, "0123456789abcdef" * 4)
    assert all(
        len(v) <= 63 and set(v) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for v in found.values()
    )
    assert fingerprint_of(found) == "0123456789abcdef" * 4
    assert fingerprint_of({}) == ""
    assert fingerprint_of({"furytune_contract": "no base32!"}) == ""
    assert labels("a" * 32, "short") == {KEY: "a" * 32}
