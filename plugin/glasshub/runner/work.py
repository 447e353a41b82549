"""One run, from the assignment to the signed outcome: weights, engine, Inspect, audit, signature."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from glasshub.errors import Conflict, GlasshubError
from glasshub.runner import engines, fetching
from glasshub.runner.engines import Endpoint
from glasshub.runner.hub_client import HubClient
from glasshub.runner.inspect_run import Inspect, clean_environment, find_inspect, only_log
from glasshub.runner.processes import Guarded
from glasshub.runner.rooms import room_for
from glasshub.runner.settings import CommandEngine, RunnerSettings
from glasshub.verify.assignment import Assignment, claims_of
from glasshub.verify.claims import Claims
from glasshub.verify.digests import sha256_of
from glasshub.verify.logs.audit import audit
from glasshub.verify.logs.log import open_log
from glasshub.verify.logs.measured import mark_of, measured
from glasshub.verify.logs.report import Outcome, Report
from glasshub.verify.token import sign

Say = Callable[[str], None]


class Stopped(GlasshubError):
    """The run is to end: it was cancelled, lost its lease, or the runner is stopping."""


@dataclass
class Pulse:
    """Tells the hub how it goes, and learns whether to go on. Used as a context."""

    client: HubClient
    given: Assignment
    text: str = "starting"
    tail: Callable[[], str] = field(default=lambda: "")
    ended: str = ""
    _over: bool = False
    _news: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Pulse:
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._news.set()
        self._thread.join()

    def note(self, text: str) -> None:
        """What is done now; the hub is told at once. Raises ``Stopped`` when the run is to end."""
        self.text = text
        self._news.set()
        self.watch()

    def watch(self) -> None:
        """Raises ``Stopped`` when the run is to end."""
        if self.ended:
            raise Stopped(self.ended)

    def stop(self, why: str) -> None:
        """End the run from here."""
        self.ended = self.ended or why

    def _beat(self) -> None:
        pause = max(1.0, self.given.lease_seconds / 8)
        while not self._over:
            self._news.clear()
            self._tell()
            self._news.wait(min(pause, 10.0))

    def _tell(self) -> None:
        once = replace(self.client, patience=0.0)
        try:
            said = once.post(f"/api/runs/{self.given.run}/progress", text=self.text, logTail=self.tail())
        except GlasshubError:
            return  # a hub that restarts is waited for; a lease that ran out meanwhile is told at the next beat
        if not said["goOn"]:
            self.stop(said["reason"] or f"the job is {said['state']}")


def run(
    settings: RunnerSettings, client: HubClient, given: Assignment, say: Say, *, hold: Callable[[Pulse], None]
) -> bool:
    """Do one run and tell the hub its outcome.

    Args:
        settings: of the runner; its network is one that :mod:`glasshub.runner.isolation` decided on.
        client: the hub.
        given: what to measure.
        say: for the runner's own log.
        hold: is handed what can stop the run.

    Returns:
        Whether it ended with an outcome.
    """
    folder = settings.work / given.run
    folder.mkdir(parents=True)
    pulse = Pulse(client, given)
    hold(pulse)
    try:
        with pulse:
            token = _measure(settings, client, given, folder, pulse)
        job = client.post(f"/api/runs/{given.run}/finish", token=token)
        say(f"run {given.run}: {job['state']}, pull request {job['pullRequest']}. {job['reason']}".rstrip())
        return bool(job["state"] == "done")
    except (GlasshubError, OSError) as error:
        words = error.message if isinstance(error, GlasshubError) else str(error)
        say(f"run {given.run} failed: {words}")
        _give_up(client, given, words, pulse.tail())
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(settings: RunnerSettings, client: HubClient, given: Assignment, folder: Path, pulse: Pulse) -> str:
    """The signed outcome; its log is with the hub by then."""
    inspect = Inspect(find_inspect(settings.inspect).program, settings.inspect_options)
    pulse.note("reading task and data")
    fetching.asked(client, given)  # what cannot be read, or leads elsewhere, is refused before it is run
    model_dir = folder / "model"
    model_dir.mkdir()
    if isinstance(settings.engine, CommandEngine):
        fetching.weights(client, given, model_dir, pulse.note)
    pulse.note("starting the engine")
    with engines.engine(settings, model_dir, folder, pulse.watch) as endpoint:
        pulse.note("running Inspect")
        _run_inspect(settings, inspect, given, endpoint, folder, pulse)
    pulse.note("auditing the log")
    log_file = only_log(folder / "logs")
    claims = _claims(settings, client, given, endpoint, inspect, log_file)
    pulse.note("sending the log")
    client.put_file(f"/api/runs/{given.run}/log", log_file)
    pulse.watch()
    return sign(claims, settings.key)


def _run_inspect(
    settings: RunnerSettings, inspect: Inspect, given: Assignment, endpoint: Endpoint, folder: Path, pulse: Pulse
) -> None:
    home = folder / "home"
    home.mkdir()
    token = settings.token if given.needs_token else ""
    environment = clean_environment(home, given.hub, reach=[endpoint.base_url], token=token)
    environment |= {"ENGINE_BASE_URL": endpoint.base_url, "ENGINE_API_KEY": endpoint.api_key}
    command = inspect.command(given.name, engines.model_name(endpoint), folder / "logs", mark=mark_of(given.run))
    deadline = time.monotonic() + settings.timeout
    isolated = settings.network == "isolated"
    room = room_for([given.hub, endpoint.base_url], settings.secrets) if isolated else None
    with Guarded(command, environment, home, folder / "inspect.txt", room=room) as process:
        pulse.tail = process.tail
        while process.code is None:
            pulse.watch()
            if time.monotonic() > deadline:
                raise GlasshubError(f"Inspect did not end within {settings.timeout:g} seconds.")
            time.sleep(0.2)
        if process.code != 0:
            raise GlasshubError(f"Inspect ended with exit code {process.code}: {process.tail()[-300:]}")


def _claims(
    settings: RunnerSettings, client: HubClient, given: Assignment, endpoint: Endpoint, inspect: Inspect, log_file: Path
) -> Claims:
    spec, rows = fetching.asked(client, given)
    with log_file.open("rb") as file:
        log = open_log(file)
        report = audit(log, spec, rows)
        _require_audited(report)
        said: dict[str, Any] = claims_of(given, measured(log.header, report))
        digest, size = sha256_of(file)
    said["model"]["served"] = endpoint.served
    said["log"] = {"sha256": digest, "size": size, "uri": given.log_uri}
    said["framework"]["lock_sha256"] = inspect.lock()
    said["runner"] |= {"engine": settings.engine.name, "hardware": settings.hardware, "network": settings.network}
    said["iat"] = int(time.time())
    return Claims.model_validate(said)


def _require_audited(report: Report) -> None:
    wrong = [check for check in report.checks if check.outcome in (Outcome.FAILED, Outcome.UNKNOWN)]
    if wrong:
        words = "; ".join(f"{check.id} {check.outcome.value}: {check.detail}" for check in wrong)
        raise GlasshubError(f"The log does not pass its audit: {words}")


def _give_up(client: HubClient, given: Assignment, words: str, tail: str) -> None:
    """Tell the hub, which knows already if it cancelled the run or gave it to another."""
    try:
        client.post(f"/api/runs/{given.run}/fail", error=words, logTail=tail)
    except Conflict:
        return
    except GlasshubError:
        return  # the lease runs out, and the hub puts the run on record as failed
