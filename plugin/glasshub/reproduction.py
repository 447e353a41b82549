"""How to measure a result again: the commands, pinned to what it was measured on, as far as it says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glasshub import repos, shown_results
from glasshub.access import Visibility
from glasshub.errors import EntryNotFound, Invalid, NotFound
from glasshub.evals import stock_commands
from glasshub.git.read import open_repo, resolve_revision
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, ResultRow, TaskRow
from glasshub.verify.token import peek_claims


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How to measure a result again.

    Attributes:
        result: the result.
        task: the task as it is asked now.
        revision: the commit of the dataset that the commands name.
        pinned: whether the result itself names that commit; else it is the benchmark as it stands now.
        name: what Inspect calls the task (``""``: stock Inspect cannot run it).
        install: what installs Inspect, in the version that the result names.
        evaluate: what runs the task (``""`` likewise).
        why_not: why there are no commands.
    """

    result: ResultRow
    task: TaskRow | None = None
    revision: str = ""
    pinned: bool = False
    name: str = ""
    install: str = ""
    evaluate: str = ""
    why_not: str = ""


def of_result(hub: Hub, see: Visibility, model: Repo, result_id: str, address: str) -> Reproduction:
    """How to measure one result of a model again.

    Args:
        hub: the hub.
        see: what the reader may see.
        model: the model; the caller has checked that the reader may see it.
        result_id: the result's id.
        address: the hub's.

    Raises:
        EntryNotFound: the model shows no such result.
    """
    result = find(hub, see, model, result_id)
    benchmark = queries.benchmark(hub.index.read(), see, result.dataset_key) if result.dataset_key else None
    task = _task(benchmark, result.task_id)
    if benchmark is None or task is None:
        return Reproduction(result, why_not="Its dataset is no benchmark on this hub, or has no such task now.")
    if benchmark.framework != stock_commands.INSPECT:
        return Reproduction(result, task, why_not=f"It is measured with {benchmark.framework}; see the card.")
    pinned = _commit(hub, result)
    revision = pinned or benchmark.head
    name = stock_commands.task_name(benchmark.dataset_id, task.task_id, revision, tasks=len(benchmark.tasks))
    if not name:
        return Reproduction(result, task, revision, why_not="Inspect cannot select this task by its name.")
    version, settings = _conditions(result)
    return Reproduction(
        result, task, revision, bool(pinned), name, stock_commands.install(version),
        stock_commands.evaluate(address, name, settings=settings),
    )  # fmt: skip


def find(hub: Hub, see: Visibility, model: Repo, result_id: str) -> ResultRow:
    """One result that a model shows. Raises ``EntryNotFound``."""
    for result in shown_results.of_model(hub, see, model.key):
        if result.id == result_id:
            return result
    raise EntryNotFound(f"{model.repo_id} shows no result {result_id[:60]!r}. Its evaluations list those it has.")


def _task(benchmark: BenchmarkRow | None, task_id: str) -> TaskRow | None:
    return next((task for task in benchmark.tasks if task.task_id == task_id), None) if benchmark else None


def _commit(hub: Hub, result: ResultRow) -> str:
    """The commit that a result names, in full (``""``: it names none that is here)."""
    if not result.dataset_revision:
        return ""
    with open_repo(hub.git_dir(repos.by_key(hub, result.dataset_key))) as git:
        try:
            return resolve_revision(git, result.dataset_revision).commit
        except (NotFound, Invalid):
            return ""


def _conditions(result: ResultRow) -> tuple[str, Mapping[str, Any]]:
    """The version of Inspect, and the settings of generation, as token or row tell them (unchecked)."""
    claims = peek_claims(result.verify_token)
    framework, gen = claims.get("framework"), claims.get("gen")
    if isinstance(framework, dict) and framework.get("name") == stock_commands.INSPECT:
        return str(framework.get("version") or ""), gen if isinstance(gen, dict) else {}
    harness = str(result.extra.get("harness") or "").lower()
    version = str(result.extra.get("harness_version") or "") if harness.startswith("inspect") else ""
    return version, result.extra
