"""What the terminal says after a push: pure text from what the index found."""

from __future__ import annotations

from collections.abc import Sequence

from glasshub.identity import Repo
from glasshub.index.rows import ResultRow
from glasshub.indexing import Outcome

MOST = 8


def lines(repo: Repo, outcome: Outcome, *, base_url: str) -> list[str]:
    """The report for one push.

    Args:
        repo: the repo as it is now.
        outcome: what the sync found.
        base_url: the hub's address, for the link.
    """
    report = [*_tasks(outcome.tasks), *_results(outcome.results), *_problems(outcome)]
    return ["", *report, f"View it at {base_url}{repo.path}", ""]


def _tasks(tasks: Sequence[str]) -> list[str]:
    if not tasks:
        return []
    return [f"Benchmark with {len(tasks)} leaderboard{_s(tasks)}: {', '.join(tasks[:MOST])}{_more(tasks)}"]


def _results(results: Sequence[ResultRow]) -> list[str]:
    counting = [r for r in results if r.state == "aligned"]
    rest = [r for r in results if r.state != "aligned"]
    report = []
    if counting:
        report.append(f"{len(counting)} result{_s(counting)} on leaderboards:")
        report += [f"  {_place(r)}" for r in counting[:MOST]]
        report += [f"  …{_more(counting)}"] if len(counting) > MOST else []
    if rest:
        report.append(f"{len(rest)} result{_s(rest)} shown on the card, on no leaderboard yet:")
        report += [f"  {r.path}:{r.line}: {r.reason}" for r in rest[:MOST]]
        report += [f"  …{_more(rest)}"] if len(rest) > MOST else []
    return report


def _place(result: ResultRow) -> str:
    where = f"{result.dataset_id} / {result.task_id}: {result.value_text}"
    return f"{where} (rank {result.rank} of {result.of})" if result.rank else where


def _problems(outcome: Outcome) -> list[str]:
    found = sorted(outcome.problems)
    if not found:
        return []
    report = [f"{len(found)} problem{_s(found)} to mend:", *(f"  {problem}" for problem in found[:MOST])]
    return [*report, f"  …{_more(found)}"] if len(found) > MOST else report


def _s(things: Sequence[object]) -> str:
    return "" if len(things) == 1 else "s"


def _more(things: Sequence[object]) -> str:
    return f" and {len(things) - MOST} more" if len(things) > MOST else ""
