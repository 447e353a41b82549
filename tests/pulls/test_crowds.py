"""Many at once, and deaths in between: nothing acknowledged is lost, no number given twice."""

from __future__ import annotations

import signal
from functools import partial

import pytest

from glasshub import discussions, indexing, pulls, repos
from glasshub.config import Settings
from glasshub.errors import Conflict
from glasshub.git import event_log, read, refs
from glasshub.git.quarantine import Quarantine
from glasshub.hub import open_hub
from glasshub.index import repo_rows
from tests.index import children
from tests.index.town import MAIN, eval_yaml, result
from tests.pulls.village import Village

NEW = ".eval_results/new.yaml"
STEPS = [
    (event_log, "append"),
    (Quarantine, "migrate"),
    (refs, "apply_updates"),
    (indexing, "sync_repo"),
    (repo_rows, "write"),
]


def _elsewhere(village: Village) -> Village:
    """The same hub, opened by another process."""
    return Village(open_hub(Settings(data=village.hub.settings.data)))


@pytest.mark.slow
def test_eight_writers_at_once_lose_no_event(village: Village):
    model = village.model("ada/m", result("lab/cap", "europe", 0.4))
    village.decide(model, "ada", discussions.open_discussion, title="Hm", body="")
    each = 12

    def write(writer: int) -> None:
        other = _elsewhere(village)
        for number in range(each):
            other.decide(model, "eve", discussions.comment, number=1, body=f"{writer} {number}")
            if number % 4 == 0:
                other.decide(model, "mo", discussions.open_discussion, title=f"{writer} {number}", body="")
        other.hub.close()

    crowd = [children.start(partial(write, writer)) for writer in range(8)]
    assert [children.wait(pid) for pid in crowd] == [0] * 8
    village = _elsewhere(village)
    found = village.discussions(model)
    said = [comment.body for comment in found[1].comments.values()][1:]
    assert sorted(said) == sorted(f"{writer} {number}" for writer in range(8) for number in range(each))
    assert sorted(found) == list(range(1, 8 * 3 + 2))
    village.assert_equal_to_rebuilt()
    village.hub.close()


@pytest.mark.slow
def test_of_two_who_merge_at_once_one_is_told(village: Village):
    model = village.model("ada/m", result("lab/cap", "europe", 0.4))
    for round in range(4):
        number = village.propose(model, "eve", {f".eval_results/{round}.yaml": result("lab/cap", "asia", round)})

        def merge(number: int = number) -> None:
            other = _elsewhere(village)
            try:
                other.decide(model, "ada", pulls.merge, number=number)
            except Conflict:
                raise SystemExit(3) from None

        codes = [children.wait(pid) for pid in [children.start(merge) for _ in range(3)]]
        assert sorted(codes).count(0) == 1, codes
    events = [event.type.value for found in village.discussions(model).values() for event in found.timeline]
    assert events.count("merged") == 4
    village.assert_equal_to_rebuilt()


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("owner", "name"), STEPS)
def test_a_merge_that_dies_is_whole_or_has_not_happened(village: Village, owner: object, name: str, after: bool):
    board = village.dataset("lab/cap", eval_yaml("asia"))
    model = village.model("ada/m", result("lab/cap", "europe", 0.4))
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})

    def die() -> None:
        children.die_at(owner, name, after=after)
        village.decide(model, "ada", pulls.merge, number=number)

    with read.open_repo(village.hub.git_dir(model)) as git:
        before = read.list_refs(git)[MAIN]
    assert children.wait(children.start(die)) == -signal.SIGKILL
    village.hub.close()
    village = _elsewhere(village)
    indexing.heal(village.hub)
    with read.open_repo(village.hub.git_dir(model)) as git:
        moved = read.list_refs(git)[MAIN] != before
    assert (village.discussions(model)[number].status == "merged") == moved
    (shown,) = [row for row in village.results(model) if row.task_id == "asia"]
    assert shown.origin == ("author" if moved else "community")
    assert village.standing(board, "asia") == [(1, "ada/m", 0.7)]
    village.assert_equal_to_rebuilt()
    if not moved:
        village.decide(model, "ada", pulls.merge, number=number)
    assert village.discussions(model)[number].status == "merged"
    village.hub.close()


def test_a_renamed_or_deleted_repo_keeps_or_loses_its_record(village: Village):
    model = village.model("ada/m", result("lab/cap", "europe", 0.4))
    village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    repos.move(village.hub, village.actor("ada"), model, "ada", "other")
    assert list(village.discussions(model)) == [1]
    repos.delete(village.hub, village.actor("ada"), repos.find(village.hub, "model", "ada", "other"))
    assert village.discussions(model) == {}
    village.assert_equal_to_rebuilt()
