"""What the terminal says after a push: pure text from what the index found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glasshub.desk import PULLS, Move
from glasshub.evals.problems import Problem
from glasshub.identity import Repo
from glasshub.index.rows import ResultRow
from glasshub.indexing import Outcome

Standing = Mapping[tuple[str, str], ResultRow]
"""The result that ranks the model, by dataset and task."""
MOST = 8
MOST_PROBLEMS = 200  # all that one file can have; what comes after them is found again when these are mended


def lines(repo: Repo, outcome: Outcome, moves: Sequence[Move] = (), *, base_url: str) -> list[str]:
    """The report for one push.

    Args:
        repo: the repo as it is now.
        outcome: what the sync found in the whole repo.
        moves: what the push did; if it only changed pull requests, the report is about them alone.
        base_url: the hub's address, for the link.
    """
    pulls = {move.number for move in moves if move.number}
    whole = not moves or any(not update.ref.startswith(PULLS) for move in moves for update in move.updates)
    results = [result for result in outcome.results if result.pull in pulls or (whole and not result.pull)]
    problems = [*(outcome.problems if whole else ()), *(problem for move in moves for problem in move.problems)]
    about = [*_awaiting(repo, outcome), *_tasks(outcome.tasks)] if whole else []
    standing = {(result.dataset_key, result.task_id): result for result in outcome.results if result.rank}
    report = [*about, *_results(results, standing), *_problems(problems), *notes(moves, base_url=base_url)]
    return ["", *report, *([f"View it at {base_url}{repo.path}"] if whole else ()), ""]


def notes(moves: Sequence[Move], *, base_url: str) -> list[str]:
    """What the moves themselves have to say."""
    return [note.replace("{url}", base_url) for move in moves for note in move.notes]


def _awaiting(repo: Repo, outcome: Outcome) -> list[str]:
    if not outcome.awaiting:
        return []
    return [
        "Benchmark, awaiting approval: it gathers no leaderboards until an admin of the hub runs",
        f"  glasshub benchmark approve {repo.repo_id}",
    ]


def _tasks(tasks: Sequence[str]) -> list[str]:
    if not tasks:
        return []
    return [f"Benchmark with {len(tasks)} leaderboard{_s(tasks)}: {', '.join(tasks[:MOST])}{_more(tasks)}"]


def _results(results: Sequence[ResultRow], standing: Standing) -> list[str]:
    counting = [r for r in results if r.state == "aligned"]
    rest = [r for r in results if r.state != "aligned"]
    report = []
    if counting:
        report.append(f"{len(counting)} result{_s(counting)} on leaderboards:")
        report += [f"  {_place(r, standing)}" for r in counting[:MOST]]
        report += [f"  …{_more(counting)}"] if len(counting) > MOST else []
    if rest:
        report.append(f"{len(rest)} result{_s(rest)} shown on the card, on no leaderboard yet:")
        report += [f"  {r.path}:{r.line}: {r.reason}" for r in rest[:MOST]]
        report += [f"  …{_more(rest)}"] if len(rest) > MOST else []
    return report


def _place(result: ResultRow, standing: Standing) -> str:
    where = f"{result.dataset_id} / {result.task_id}: {result.value_text}"
    if result.rank:
        return f"{where} (rank {result.rank} of {result.of})"
    top = standing.get((result.dataset_key, result.task_id))
    beside = f" (beside {top.value_text}, by which the model has rank {top.rank} of {top.of})" if top else ""
    return f"{where}{beside}"


def _problems(problems: Sequence[Problem]) -> list[str]:
    found = sorted(problems)
    if not found:
        return []
    report = [f"{len(found)} problem{_s(found)} to mend:", *(f"  {problem}" for problem in found[:MOST_PROBLEMS])]
    return [*report, f"  …{_more(found, MOST_PROBLEMS)}"] if len(found) > MOST_PROBLEMS else report


def _s(things: Sequence[object]) -> str:
    return "" if len(things) == 1 else "s"


def _more(things: Sequence[object], most: int = MOST) -> str:
    return f" and {len(things) - most} more" if len(things) > most else ""
