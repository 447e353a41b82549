"""The life of a runner: take jobs one after another until it is told to stop."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable
from types import FrameType
from urllib.parse import quote

from glasshub.errors import Conflict, GlasshubError, Invalid
from glasshub.runner import isolation, work
from glasshub.runner.hub_client import HubClient
from glasshub.runner.settings import RunnerSettings
from glasshub.runner.work import Pulse
from glasshub.verify.assignment import Assignment, parse_assignment
from glasshub.verify.keys import public_bytes, thumbprint

IDLE, LONGEST = 2.0, 30.0  # seconds between questions for a job
Say = Callable[[str], None]


class Loop:
    """Takes and runs jobs. The first SIGTERM or SIGINT ends it after the present run, the second at once."""

    def __init__(self, settings: RunnerSettings, say: Say) -> None:
        self.settings, self._say = settings, say
        self.client = HubClient(settings.hub, settings.token)
        self._stopping = threading.Event()
        self._pulse: Pulse | None = None

    def start(self) -> None:
        """Run until told to stop. Raises ``GlasshubError`` when the hub does not know this runner and key."""
        self.prepare()
        shutil.rmtree(self.settings.work, ignore_errors=True)  # what a killed run left
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._say(f"runner {self.settings.name} takes jobs of {self.settings.hub}")
        pause = IDLE
        while not self._stopping.is_set():
            given = self._lease()
            if given is None:
                self._stopping.wait(pause)
                pause = min(pause * 1.5, LONGEST)
                continue
            pause = IDLE
            self.run(given)
        self._say("stopped")

    def run(self, given: Assignment) -> bool:
        """Do one run; returns whether it ended with an outcome."""
        self._say(f"run {given.run}: {given.task} of {given.dataset} on {given.model} (attempt {given.attempt})")
        try:
            return work.run(self.settings, self.client, given, self._say, hold=self._hold)
        finally:
            self._pulse = None

    def lease(self, job: str = "") -> Assignment | None:
        """A job, the oldest or this one. Raises ``Conflict`` and ``GlasshubError``."""
        said = self.client.post(f"/api/runners/{quote(self.settings.name)}/lease", job=job)
        return None if said is None else parse_assignment(said)

    def prepare(self) -> None:
        """Ask whether the hub lets this runner sign with this key, and find out which network runs can have.

        Raises:
            Invalid, GlasshubError: it does not, or the network that the settings demand cannot be had.
        """
        self._require_known()
        self.settings, why_not = isolation.decided(self.settings)
        self._say(f"network of runs: {self.settings.network}{f' ({why_not})' if why_not else ''}")

    def _require_known(self) -> None:
        found = self.client.get(f"/api/runners/{quote(self.settings.name)}")
        kid = thumbprint(public_bytes(self.settings.key))
        if found["state"] != "active":
            raise Invalid(f"{found['name']} is {found['state']}: an admin of the hub has to approve it.")
        if not any(key["kid"] == kid and not key.get("revoked_at") for key in found["keys"]):
            raise Invalid(f"The hub does not know the key of {found['name']}, or it was revoked.")

    def _lease(self) -> Assignment | None:
        try:
            return self.lease()
        except Conflict as error:  # its last run is not over yet for the hub: after a kill, until the lease ends
            self._say(error.message)
        except GlasshubError as error:
            self._say(f"no job could be had: {error.message}")
        return None

    def _hold(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stopping.is_set() and self._pulse is not None:
            self._pulse.stop("the runner was stopped")
        self._stopping.set()
