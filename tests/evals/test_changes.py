"""Before and after of a model's scores: what is paired with what."""

from __future__ import annotations

from dataclasses import dataclass

from glasshub.evals.changes import ScoreChange, score_changes
from glasshub.evals.eval_results import ResultEntry, parse_result_file
from glasshub.evals.result_id import result_id


@dataclass(frozen=True)
class Result:
    entry: ResultEntry
    committed_at: str = "2026-01-01T00:00:00.000Z"

    @property
    def id(self) -> str:
        return result_id(self.entry)


def result(task: str, value: object, *, path: str = "a", source: str = "", notes: str = "", date: str = "") -> Result:
    text = f"- dataset: {{id: lab/cap, task_id: {task}}}\n  value: {value}\n  notes: '{notes}'\n"
    text += f"  source: {{url: 'https://{source}.example'}}\n" if source else ""
    text += f"  date: '{date}'\n" if date else ""
    (entry,) = parse_result_file(text.encode(), f".eval_results/{path}.yaml").entries
    return Result(entry)


def told(changes: list[ScoreChange[Result]]) -> list[tuple[str, str, object, object, bool]]:
    return [
        (c.kind, c.entry.task_id, c.before and c.before.entry.value, c.after and c.after.entry.value, c.leads)
        for c in changes
    ]


def compare(added: list[Result], removed: list[Result], main: list[Result]) -> list[ScoreChange[Result]]:
    return score_changes(added, removed, main, counts=lambda result: result.entry.value >= 0)


def test_a_new_task_has_no_before():
    (change,) = compare([result("x", 3)], [], [])
    assert told([change]) == [("added", "x", None, 3, True)]
    assert change.difference is None


def test_a_changed_value_stands_beside_the_one_it_replaces():
    old = result("x", 3)
    (change,) = compare([result("x", 4.5)], [old], [old])
    assert told([change]) == [("changed", "x", 3, 4.5, True)]
    assert change.difference == 1.5


def test_another_report_is_compared_with_the_one_that_stands_for_the_model():
    noted, plain = result("x", 9, notes="five shots"), result("x", 3, path="b")
    assert told(compare([result("x", 5, path="c", notes="two shots")], [], [noted, plain])) == [
        ("added", "x", 3, 5, False)
    ]
    assert told(compare([result("x", 5, path="c", date="2026-02-01")], [], [noted, plain])) == [
        ("added", "x", 3, 5, True)
    ]


def test_of_several_reports_each_is_paired_with_the_one_of_its_file_and_source():
    one, two = result("x", 1, source="one"), result("x", 2, source="two")
    other = result("x", 3, path="b")
    changes = compare([result("x", 22, source="two"), result("x", 33, path="b")], [one, two, other], [one, two, other])
    assert [(c.kind, c.before.entry.value) for c in changes] == [("changed", 2), ("changed", 3), ("removed", 1)]


def test_what_main_changed_or_removed_itself_is_not_told_as_a_removal():
    old, newer, gone = result("x", 3), result("x", 4, path="b", date="2026-02-01"), result("y", 1)
    assert told(compare([result("x", 5)], [old, gone], [newer])) == [("added", "x", 4, 5, False)]


def test_a_removal_is_told_and_what_is_left_leads():
    old, other = result("x", 3), result("x", 4, path="b")
    assert told(compare([], [old], [old, other])) == [("removed", "x", 3, None, False)]


def test_what_does_not_count_never_leads():
    assert told(compare([result("x", -1)], [], [])) == [("added", "x", None, -1, False)]
    assert told(compare([result("x", 2)], [], [result("x", -1)])) == [("added", "x", None, 2, True)]


def test_what_both_changed_stands_as_it_is_on_main_now_and_is_called_disputed():
    base, theirs, elsewhere = result("x", 3), result("x", 4), result("x", 9, path="b")
    (change,) = compare([result("x", 5)], [base], [theirs, elsewhere])
    assert (change.kind, change.before.entry.value, change.disputed) == ("changed", 4, True)
    assert not compare([result("x", 5)], [theirs], [theirs])[0].disputed


def test_a_nearer_partner_is_not_taken_by_an_earlier_result():
    one, two = result("x", 1, source="one"), result("x", 2, source="two")
    changes = compare([result("x", 5), result("x", 11, source="one")], [one, two], [one, two])
    assert [(c.before.entry.value, c.after.entry.value) for c in changes] == [(2, 5), (1, 11)]
