"""Measuring a result again with stock Inspect, and comparing: what anybody can do, registered runner or not."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from glasshub.errors import GlasshubError, Invalid
from glasshub.remote import RemoteHub, hub_of
from glasshub.runner.inspect_run import Inspect, only_log
from glasshub.verify.logs import arithmetic
from glasshub.verify.logs.log import EvalLog, open_log
from glasshub.verify.logs.soundness import headline_score
from glasshub.verify.tolerance import Comparison, compare

_PLACE = re.compile(r"/([^/]+/[^/]+)/results/([^/]+)/?")
_MEANS = ("mean", "pass_at_1")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be measured again, as the hub tells it."""

    hub: RemoteHub
    task: str
    value: float
    epochs: int


def read_claim(address: str) -> Claim:
    """The claim of the result with this address.

    Raises:
        Invalid: it is no address of a result, or stock tools cannot measure it, or no tolerance is known for it.
        GlasshubError: the hub cannot be reached or knows no such result.
    """
    found = _PLACE.fullmatch(urlsplit(address).path)
    if found is None:
        raise Invalid("Give the address of a result, as its page has it: http://HUB/ORG/MODEL/results/ID.")
    hub = hub_of(address)
    said: dict[str, Any] = hub.json(f"/api/models/{found[1]}/eval-results/{found[2]}/reproduction")
    if not said.get("name"):
        raise Invalid(f"This result cannot be measured again with stock tools. {said.get('reason') or ''}".strip())
    if said.get("reducer") not in _MEANS:
        raise Invalid(f"No tolerance is known for epochs reduced by {said.get('reducer')}; run the command by hand.")
    return Claim(hub, str(said["name"]), float(said["value"]), int(said["epochs"]))


def measure(claim: Claim, inspect: Inspect, model: str) -> Comparison:
    """Run the task and compare. At least two epochs are run: from one alone chance cannot be told.

    The environment is the caller's (keys of providers stand there), except for the hub and an empty folder for
    downloads.

    Raises:
        GlasshubError: Inspect fails, or its log cannot be used.
    """
    epochs = max(2, claim.epochs)
    if epochs != claim.epochs:
        inspect = replace(inspect, options=[*inspect.options, "--epochs", str(epochs)])
    with tempfile.TemporaryDirectory(prefix="glasshub-") as folder:
        place = Path(folder)
        environment = {**os.environ, "HF_ENDPOINT": claim.hub.address, "HF_HOME": str(place / "hf")}
        done = subprocess.run(inspect.command(claim.task, model, place / "logs"), env=environment, cwd=folder)
        if done.returncode != 0:
            raise GlasshubError(f"Inspect ended with exit code {done.returncode}; what it said stands above.")
        with only_log(place / "logs").open("rb") as file:
            return _compare(claim, open_log(file))


def _compare(claim: Claim, log: EvalLog) -> Comparison:
    score = headline_score(log.header)
    if log.header.status != "success" or score is None:
        raise GlasshubError(f"The run did not succeed: Inspect calls it {log.header.status}.")
    values: dict[tuple[str, int], float] = {}
    for sample in log.samples():
        said = (sample.scores or {}).get(score.name)
        if said is None:
            raise Invalid(f"Item {sample.id} has no score.")
        values[str(sample.id), sample.epoch] = arithmetic.to_number(said.value)
    items = arithmetic.by_item(values).values()
    measured = arithmetic.metric("mean", [arithmetic.reduce(scores, "mean") for scores in items])
    return compare(claim.value, measured, list(items), claim_epochs=claim.epochs)


def tell(found: Comparison) -> Sequence[str]:
    """The comparison in lines, ``name<tab>value``."""
    return (
        f"measured\t{found.measured!r}",
        f"claim\t{found.claim!r}",
        f"difference\t{found.difference:+.6g}",
        f"tolerance\t{found.tolerance:.6g}",
        f"consistent\t{'yes' if found.consistent else 'no'}",
    )
