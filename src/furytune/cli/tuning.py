"""Commands about tuning jobs."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import attrs
import click

from furytune.cli.output import data, data_json, say
from furytune.cli.running import as_json, load, settings_options
from furytune.errors import ConfigError

if TYPE_CHECKING:
    from furytune.config import Settings
    from furytune.records import TuningJob


@click.command()
@settings_options
@as_json
def estimate(config: Path, changes: tuple[str, ...], json_: bool) -> int:
    """Say what tuning on the last data set would cost, and what the service would refuse. Sends nothing."""
    found = load(config, changes).estimate()
    if json_:
        data_json(found)
    else:
        data(str(found))
    return 4 if found.problems else 0


@click.command()
@settings_options
@as_json
@click.option("--yes", is_flag=True, help="Start without asking.")
@click.option("--wait", is_flag=True, help="Wait until the job has ended.")
@click.option("--rehearse", is_flag=True, help="Only rehearse it, on this machine: no account, no cost.")
def tune(config: Path, changes: tuple[str, ...], json_: bool, yes: bool, wait: bool, rehearse: bool) -> int:
    """Start the tuning job of the last data set, or find it if it was started before.

    With --rehearse, a server on this machine stands in for Vertex AI. It checks every request as the service does, and its job
    ends at once. Nothing leaves this machine, and nothing is noted in the ledger.
    """
    settings = load(config, changes)
    if rehearse:
        return _told(_rehearsed(settings), json_=json_, ended=True)
    job = started(settings, yes=yes)
    return _told(settings.follow(job.name) if wait else job, json_=json_, ended=wait)


@click.command()
@settings_options
@as_json
def jobs(config: Path, changes: tuple[str, ...], json_: bool) -> None:
    """List the tuning jobs that were started from here, as they were last known. Sends nothing."""
    found = load(config, changes).jobs()
    if json_:
        data_json(found)
        return
    for job in found:
        data(f"{job.state:<10} {job.name or '(not submitted)'}{f'  {job.model}' if job.model else ''}")
    if not found:
        say("No job was started from here.")


@click.command()
@settings_options
@as_json
@click.argument("job", required=False, default="")
def resume(config: Path, changes: tuple[str, ...], json_: bool, job: str) -> int:
    """Wait for a tuning job until it has ended: JOB is its name, the newest by default."""
    return _told(load(config, changes).follow(job), json_=json_, ended=True)


def _rehearsed(settings: Settings) -> TuningJob:
    """Starts and follows the job on a stand-in for Vertex AI.

    Raises:
        ConfigError: The settings have no tuner for Vertex AI.
    """
    from furytune.testing.fake_vertex import FakeVertex, fake_credentials
    from furytune.tuners.gemini.tuner import GeminiTuner

    say(str(settings.estimate()))  # raises if the settings have no tuner
    tuner = settings.pipeline.tuner
    if not isinstance(tuner, GeminiTuner) or not tuner.project:
        raise ConfigError("only a tuner for Vertex AI can be rehearsed; it has a project and a bucket")
    with TemporaryDirectory() as ledger, FakeVertex(states=["JOB_STATE_SUCCEEDED"]) as service:
        stand_in = attrs.evolve(
            tuner, endpoint=service.url, credentials=fake_credentials(), ledger=Path(ledger)
        )
        rehearsal = attrs.evolve(settings, pipeline=settings.pipeline.evolve(tuner=stand_in))
        job = rehearsal.follow(rehearsal.tune().name)
        say(
            f"Rehearsed with {len(service.requests)} requests to this machine. Without --rehearse, they go to Google."
        )
    return job


def started(settings: Settings, *, yes: bool) -> TuningJob:
    """Says what a job costs, asks, and starts it."""
    found = settings.estimate()
    say(str(found))
    if not yes and not found.problems:
        if sys.stdin is None or not sys.stdin.isatty():
            raise click.UsageError("tuning costs money: add --yes to start it without being asked")
        click.confirm("Start the job?", abort=True, err=True)
    job = settings.tune()
    say(f"{job.state}  {job.name}")
    say("The job runs without this machine. `furytune resume` waits for it.")
    return job


def _told(job: TuningJob, *, json_: bool, ended: bool) -> int:
    if json_:
        data_json(job)
    else:
        data(f"{job.state}  {job.name}{f'  {job.model}' if job.model else ''}")
    return 6 if ended and job.state != "succeeded" else 0
