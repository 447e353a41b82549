"""Check B3: what was run is the task of ``eval.yaml``: its solvers, scorers, epochs and reducer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from glasshub.verify.logs.log import Header
from glasshub.verify.logs.report import Check, Outcome, Trouble

_TITLE = "Solvers, scorers, epochs and reducer are those of eval.yaml at the commit"
# hf/NAMESPACE/NAME[/TASK][@REVISION][/TASK]
_NAME = re.compile(r"hf/(?P<repo>[^/@]+/[^/@]+)(?:/(?P<asked>[^@]+?))?(?:@(?P<revision>[^/]+))?(?:/(?P<task>[^@]+))?")


def parse_task_name(name: str) -> tuple[str, str, str]:
    """Dataset id, task id and revision in the name that Inspect gives a task (``""`` for what it does not say)."""
    found = _NAME.fullmatch(name)
    if found is None:
        return "", "", ""
    task = found["task"] or found["asked"] or ""
    if found["task"] is None and found["asked"] and found["asked"].count("/"):
        task = found["asked"].rpartition("/")[2]  # without a revision: TASK/TASK
    return found["repo"], task, found["revision"] or ""


def as_asked(header: Header, spec: Mapping[str, Any]) -> Check:
    """B3.

    Args:
        header: the log's.
        spec: the task's entry in ``eval.yaml``.
    """
    if "solvers" not in spec or "scorers" not in spec:
        return Check("B3", _TITLE, Outcome.UNKNOWN, "The task has no solvers and scorers to compare with.")
    trouble = Trouble()
    if header.eval.solver is not None:
        trouble.add(f"another solver was run: {header.eval.solver}")
    ran = [(step.solver.rpartition("/")[2], step.params_passed or step.params) for step in header.plan.steps]
    _compare("solver", ran, spec["solvers"], trouble)
    scored = [
        (str(scorer.get("name", "")).rpartition("/")[2], scorer.get("options") or {})
        for scorer in header.eval.scorers or ()
    ]
    _compare("scorer", scored, spec["scorers"], trouble)
    epochs = header.eval.config.get("epochs", 1)
    if epochs != int(spec.get("epochs", 1)):
        trouble.add(f"it ran {epochs} epoch(s), not {spec.get('epochs', 1)}")
    asked = spec.get("epoch_reducer") or "mean"
    used = _reducers(header)
    if used and used != {asked}:
        trouble.add(f"epochs were reduced by {', '.join(sorted(used))}, not {asked}")
    return trouble.check("B3", _TITLE)


def _compare(
    what: str, ran: Sequence[tuple[str, Mapping[str, Any]]], asked: Sequence[Mapping[str, Any]], trouble: Trouble
) -> None:
    names = [str(item.get("name", "")) for item in asked]
    if [name for name, _ in ran] != names:
        trouble.add(f"the {what}s were {', '.join(name for name, _ in ran) or 'none'}, not {', '.join(names)}")
        return
    for (name, options), item in zip(ran, asked, strict=True):
        for key, value in (item.get("args") or {}).items():
            if options.get(key) != value:
                trouble.add(f"{what} {name} had {key} = {options.get(key)!r:.60}, not {value!r:.60}")


def _reducers(header: Header) -> set[str]:
    said = header.eval.config.get("epochs_reducer")
    if isinstance(said, list) and all(isinstance(name, str) for name in said):
        return set(said)
    return {score.reducer for score in header.results.scores if score.reducer} if header.results else set()
