"""What the terminal says after a push."""

from __future__ import annotations

from glasshub.desk import Move
from glasshub.evals.problems import Problem
from glasshub.events import Event, EventType
from glasshub.git.refs import ZERO, RefUpdate
from glasshub.identity import Repo
from glasshub.index.rows import ResultRow
from glasshub.indexing import Outcome
from glasshub.push_report import lines

REPO = Repo("a" * 24, "model", "ada", "net", False, "2026-01-01T00:00:00.000Z", "ada")
RESULT = ResultRow(
    model_key=REPO.key, model_id="ada/net", path=".eval_results/a.yaml", position=0, line=1, dataset_id="ada/quiz",
    dataset_key="d" * 24, task_id="easy", value=0.5, value_text="0.50", date="2026-01-01T00:00:00.000Z",
    dataset_revision="", source_url="", source_name="", source_user="", source_org="", notes="", verify_token="",
    extra={}, unknown={}, origin="author", pull=0, commit="c" * 40, submitter="", id="0" * 16,
    via_pull=0,
    merged_by="", git_author="", badge="", badge_reason="", runner="", state="aligned", reason="",
    headline=True, rank=2, of=7,
)  # fmt: skip


PROPOSED = RefUpdate(ZERO, "c" * 40, "refs/pr/3")
OPENED = Event("e1", EventType.OPENED, 3, "eve", "2026-01-01T00:00:00.000Z", {})


def _said(outcome: Outcome, *moves: Move) -> str:
    return "\n".join(lines(REPO, outcome, moves, base_url="http://hub"))


def test_results_are_listed_with_their_rank_and_the_value_as_written():
    said = _said(Outcome(results=(RESULT,)))
    assert "1 result on leaderboards:" in said
    assert "ada/quiz / easy: 0.50 (rank 2 of 7)" in said
    assert "View it at http://hub/ada/net" in said


def test_a_report_beside_the_one_that_ranks_the_model_says_so():
    beside = RESULT._replace(pull=3, value_text="0.9", headline=False, rank=0, of=0)
    assert "ada/quiz / easy: 0.9 (beside 0.50, by which the model has rank 2 of 7)" in _said(
        Outcome(results=(RESULT, beside)), Move((PROPOSED,), (OPENED,))
    )


def test_results_that_do_not_count_say_where_and_why():
    lost = RESULT._replace(state="no_dataset", reason="There is no dataset ada/quiz here.", rank=0, of=0)
    assert ".eval_results/a.yaml:1: There is no dataset ada/quiz here." in _said(Outcome(results=(lost,)))


def test_long_lists_are_cut_and_counted():
    said = _said(Outcome(results=(RESULT,) * 20))
    assert "20 results on leaderboards:" in said
    assert said.count("ada/quiz / easy") == 8
    assert "and 12 more" in said


def test_every_problem_has_its_place():
    said = _said(Outcome(problems=(Problem("eval.yaml", 3, 5, "Give the task an id."),)))
    assert "1 problem to mend:" in said
    assert "eval.yaml:3:5: error: Give the task an id." in said


def test_all_problems_are_told_unless_there_are_hundreds():
    found = tuple(Problem("r.yaml", n, 1, "value must be a number.") for n in range(1, 251))
    said = _said(Outcome(problems=found[:150]))
    assert "150 problems to mend:" in said
    assert said.count("r.yaml:") == 150
    said = _said(Outcome(problems=found))
    assert "250 problems to mend:" in said
    assert said.count("r.yaml:") == 200
    assert "and 50 more" in said


def test_a_push_without_evaluations_says_only_where_to_look():
    assert [line for line in lines(REPO, Outcome(), base_url="") if line] == ["View it at /ada/net"]
