"""What a runner is to measure, as the hub hands it out, and the claims that may come of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from glasshub.errors import Invalid
from glasshub.verify.claims import Claims, CommitId, Count, Name, RepoId, Sha256, Text
from glasshub.verify.logs.measured import Measured, mark_of

FRAMEWORK = "inspect-ai"


class Assignment(BaseModel):
    """One attempt at a job.

    Attributes:
        hub: the address that becomes ``iss``.
        run: the run, which becomes ``jti``.
        job: the job that it belongs to.
        runner: who is to run it.
        attempt: the how-manieth run of this model, commit and task it is for the runner.
        name: what Inspect calls the task.
        needs_token: whether repos have to be read with the runner's token.
        lease_seconds: how often the hub must hear of the runner at least.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    hub: str
    run: str
    job: str
    runner: str
    attempt: Count
    model: RepoId
    model_sha: CommitId
    weights_sha256: Sha256
    dataset: RepoId
    dataset_sha: CommitId
    eval_yaml_sha256: Sha256
    data_sha256: Sha256
    task: Name
    config: Name
    split: Name
    spec_sha256: Sha256
    direction: Literal["higher", "lower"]
    unit: Text = ""
    name: str
    needs_token: bool
    lease_seconds: int

    @property
    def log_uri(self) -> str:
        """Where the hub gives out the log of the run."""
        return f"{self.hub}/api/runs/{self.run}/log"


def parse_assignment(said: Any) -> Assignment:
    """Read what a hub hands out. Raises ``Invalid``."""
    try:
        return Assignment.model_validate(said)
    except ValidationError as error:
        raise Invalid(
            f"The hub handed out no job of the kind that is known here: {error.errors()[0]['msg']}."
        ) from error


def claims_of(given: Assignment, found: Measured) -> dict[str, Any]:
    """The claims that follow from an assignment and the log of its run: all but those about the runner.

    Raises:
        Invalid: the log is of another run, task or commit.
    """
    if found.mark != mark_of(given.run):
        raise Invalid("The log was not made for this run.")
    if found.dataset.lower() != given.dataset.lower() or found.revision != given.dataset_sha:
        raise Invalid(f"The log is about {found.dataset}@{found.revision[:7]}, not the dataset of the job.")
    if found.task not in ("", given.task):
        raise Invalid(f"The log is about the task {found.task}, not {given.task}.")
    return {
        "iss": given.hub,
        "jti": given.run,
        "sub": f"models/{given.model}@{given.model_sha}",
        "schema": 1,
        "model": {"id": given.model, "sha": given.model_sha, "weights_sha256": given.weights_sha256},
        "dataset": {
            "id": given.dataset, "sha": given.dataset_sha, "eval_yaml_sha256": given.eval_yaml_sha256,
            "data_sha256": given.data_sha256,
        },
        "task": {"id": given.task, "config": given.config, "split": given.split, "spec_sha256": given.spec_sha256},
        "metric": {
            "name": found.metric, "scorer": found.scorer, "reducer": found.reducer, "direction": given.direction,
            **({"unit": given.unit} if given.unit else {}),
        },
        "value": found.value,
        **({"stderr": found.stderr} if found.stderr is not None else {}),
        "n_items": found.n_items,
        "n_expected": found.n_items,
        "epochs": found.epochs,
        "gen": dict(found.gen),
        "framework": {"name": FRAMEWORK, "version": found.version},
        "runner": {"id": given.runner},
        "attempt": given.attempt,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
    }  # fmt: skip


def difference(claims: Claims, expected: dict[str, Any]) -> str:
    """The first claim that is not as expected (``""``: none); what is not expected may be anything."""
    said = claims.model_dump(by_alias=True, exclude_none=True)
    for name, value in expected.items():
        found = said.get(name)
        if isinstance(value, dict) and name != "gen":
            for part, inner in value.items():
                if not isinstance(found, dict) or found.get(part) != inner:
                    return f"{name}.{part}"
        elif found != value:
            return name
    return ""
