"""Scores in pull requests over the API: shown at once, hidden by their author, kept with who brought them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from huggingface_hub.errors import HfHubHTTPError

from tests.api.lab import Lab, adds, status

pytestmark = pytest.mark.slow
EVAL_YAML = b"name: Quiz\nevaluation_framework: custom\ntasks: [{id: easy}]\n"


@dataclass
class Board:
    """A benchmark and a model without results."""

    lab: Lab
    dataset: str
    model: str

    def entry(self, value: float, note: str = "") -> str:
        return f"- dataset: {{id: {self.dataset}, task_id: easy}}\n  value: {value}\n  notes: {note or 'none'}\n"

    def propose(self, value: float, who: str = "author", name: str = "theirs") -> int:
        made = self.lab.api(who).create_commit(
            self.model,
            adds(**{f".eval_results/{name}.yaml": self.entry(value)}),
            commit_message="Score",
            create_pr=True,
        )
        return made.pr_num

    def own(self, value: float) -> None:
        """The model's authors say so themselves."""
        files = adds(**{".eval_results/own.yaml": self.entry(value)})
        self.lab.api("admin").create_commit(self.model, files, commit_message="Score")

    def results(self, who: str = "anonymous", query: str = "") -> list[dict[str, Any]]:
        answer = self.lab.http(who).get(f"/api/models/{self.model}/eval-results{query}")
        assert answer.status_code == 200
        return answer.json()

    def shown(self) -> list[tuple[float, str, int | None]]:
        found = self.results()
        return sorted((item["data"]["value"], item["origin"], item.get("pullRequest")) for item in found)

    def ranked(self) -> list[tuple[float, int | None]]:
        rows = self.lab.api("anonymous").get_dataset_leaderboard(self.dataset)
        return [(row.value, row.pull_request) for row in rows]


@pytest.fixture
def board(lab: Lab) -> Board:
    dataset = lab.repo(type="dataset")
    lab.api("admin").upload_file(
        path_or_fileobj=EVAL_YAML, path_in_repo="eval.yaml", repo_id=dataset, repo_type="dataset"
    )
    return Board(lab, dataset, lab.repo())


def test_a_proposed_score_counts_until_its_pull_request_is_closed(board: Board):
    lab = board.lab
    number = board.propose(0.9)
    assert board.shown() == [(0.9, "community", number)]
    assert board.ranked() == [(0.9, number)]
    [entry] = lab.api("anonymous").model_info(board.model, expand=["evalResults"]).eval_results
    assert (entry.value, entry.task_id) == (0.9, "easy")
    lab.api("author").create_commit(
        board.model, adds(**{".eval_results/theirs.yaml": board.entry(0.8)}), commit_message="Correct",
        revision=f"refs/pr/{number}",
    )  # fmt: skip
    assert board.ranked() == [(0.8, number)]
    lab.api("writer").change_discussion_status(board.model, number, "closed")
    assert board.shown() == board.ranked() == []
    lab.api("writer").change_discussion_status(board.model, number, "open")
    assert board.ranked() == [(0.8, number)]


def test_drafts_do_not_count(board: Board):
    made = board.lab.http("author").post(
        f"/api/models/{board.model}/discussions", json={"title": "Soon", "pullRequest": True, "draft": True}
    )
    number = made.json()["num"]
    board.lab.api("author").create_commit(
        board.model, adds(**{".eval_results/theirs.yaml": board.entry(0.9)}), commit_message="Score",
        revision=f"refs/pr/{number}",
    )  # fmt: skip
    assert board.ranked() == []
    board.lab.api("author").change_discussion_status(board.model, number, "open")
    assert board.ranked() == [(0.9, number)]


def test_a_merged_score_keeps_who_brought_it(board: Board):
    lab, number = board.lab, board.propose(0.9)
    lab.api("writer").merge_pull_request(board.model, number)
    [result] = [item for item in board.results() if item["data"]["value"] == 0.9]
    assert (result["origin"], result.get("pullRequest"), result["viaPullRequest"]) == ("author", None, number)
    assert (result["submitter"], result["mergedBy"]) == (lab.name("author"), lab.name("writer"))
    [row] = lab.api("anonymous").get_dataset_leaderboard(board.dataset)
    assert (row.value, row.pull_request, row.submitter) == (0.9, None, lab.name("author"))


@pytest.mark.parametrize("proposed", [True, False])
def test_a_writer_hides_and_shows_any_single_result(board: Board, proposed: bool):
    lab = board.lab
    board.own(0.5)
    board.propose(0.9)
    assert board.ranked() == [(0.5, None)]  # what the authors say comes before what others say
    value = 0.9 if proposed else 0.5
    [result] = [item for item in board.results() if item["data"]["value"] == value]
    address = f"/api/models/{board.model}/eval-results/{result['id']}"
    hidden = lab.http("writer").post(f"{address}/hide", json={"reason": "Wrong prompt"}).json()
    assert (hidden["hidden"], hidden["by"], hidden["reason"]) == (True, lab.name("writer"), "Wrong prompt")
    assert value not in [item[0] for item in board.shown()]
    assert board.ranked() == ([(0.5, None)] if proposed else [(0.9, 1)])
    answer = lab.http("anonymous").get(f"/api/models/{board.model}/eval-results")
    assert answer.headers["X-Hidden-Results"] == "1"
    told = board.results(query="?hidden=true")[-1]
    assert (told["id"], told["state"], told["data"]["value"]) == (result["id"], "hidden", value)
    assert (told["hiddenBy"], told["reason"]) == (lab.name("writer"), "Wrong prompt")
    assert lab.http("writer").post(f"{address}/hide").status_code == 409
    assert lab.http("writer").post(f"{address}/show", json={}).json()["hidden"] is False
    assert value in [item[0] for item in board.shown()]
    assert lab.http("writer").post(f"{address}/show").status_code == 409


def test_nobody_else_hides(board: Board):
    board.own(0.5)
    board.propose(0.9)
    for result in board.results():
        for who, code in (("anonymous", 401), ("stranger", 403), ("author", 403), ("reader", 403)):
            for verb in ("hide", "show"):
                address = f"/api/models/{board.model}/eval-results/{result['id']}/{verb}"
                assert board.lab.http(who).post(address, json={"reason": "x"}).status_code == code
    assert len(board.results()) == 2


@pytest.mark.parametrize(("body", "code"), [({"reason": 5}, 400), ({"reason": "x" * 501}, 400), ({}, 404)])
def test_bad_reasons_and_unknown_results(board: Board, body: dict, code: int):
    board.own(0.5)
    id = board.results()[0]["id"] if code == 400 else "0" * 16
    answer = board.lab.http("writer").post(f"/api/models/{board.model}/eval-results/{id}/hide", json=body)
    assert answer.status_code == code


def test_a_broken_file_in_a_pull_request_blocks_nothing(board: Board):
    lab = board.lab
    made = lab.api("author").create_commit(
        board.model, adds(**{".eval_results/broken.yaml": "- [oops", ".eval_results/fine.yaml": board.entry(0.7)}),
        commit_message="Two files", create_pr=True,
    )  # fmt: skip
    assert board.ranked() == [(0.7, made.pr_num)]
    assert lab.api("anonymous").model_info(board.model, expand=["evalResults"]).eval_results


def test_a_dataset_has_no_results_to_hide(board: Board):
    with pytest.raises(HfHubHTTPError) as raised:
        board.lab.api("writer").get_dataset_leaderboard(board.model)
    assert status(raised.value)[0] == 404
    assert (
        board.lab.http("writer").post(f"/api/datasets/{board.dataset}/eval-results/{'0' * 16}/hide").status_code == 404
    )
