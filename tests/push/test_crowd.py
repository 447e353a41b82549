"""Many people at once: they clone one repo and push results to repos of their own, and the index follows all."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from glasshub import indexing
from tests.push.gitclient import WorkTree, clone, git, init

pytestmark = pytest.mark.slow

PEOPLE, PUSHES = 8, 3
EVAL_YAML = "name: Quiz\nevaluation_framework: custom\ntasks:\n  - id: a\n  - id: b\n"


def _report(dataset_id: str, value: float) -> str:
    return "".join(f"- dataset: {{id: {dataset_id}, task_id: {task}}}\n  value: {value}\n" for task in "ab")


def test_eight_push_to_their_repos_while_eight_clone(live, tmp_path: Path):
    ada = live.person("ada")
    dataset_id = f"{ada.name}/quiz"
    quiz = init(tmp_path / "quiz", live.git_url(f"datasets/{dataset_id}", ada))
    for number in range(40):
        quiz.write(f"data/{number}.txt", f"{number}\n" * 1000)
        quiz.commit(f"Data {number}")
    quiz.commit("Ask", **{"eval.yaml": EVAL_YAML})
    quiz.git("push", "-q", "origin", "main")
    people = [live.person(f"p{number}") for number in range(PEOPLE)]
    # Each pushes to a repo that the first push makes.
    trees = [init(tmp_path / person.name, live.git_url(f"{person.name}/net", person)) for person in people]

    def push(number: int) -> list[str]:
        said = []
        for turn in range(PUSHES):
            value = number / 10 + turn / 100
            trees[number].commit(f"Report {value}", **{".eval_results/own.yaml": _report(dataset_id, value)})
            said.append(trees[number].git("push", "origin", "main").err)
        return said

    def copy(number: int) -> str:
        made = clone(f"{live.url}/datasets/{dataset_id}", tmp_path / f"copy{number}")
        made.git("fsck", "--strict")
        return made.head()

    with ThreadPoolExecutor(2 * PEOPLE) as crowd:
        pushed = [crowd.submit(push, number) for number in range(PEOPLE)]
        cloned = [crowd.submit(copy, number) for number in range(PEOPLE)]
        told = [line for job in pushed for line in job.result()]
        assert {job.result() for job in cloned} == {quiz.head()}
    assert all("2 results on leaderboards:" in said and "rank" in said for said in told), told
    with urllib.request.urlopen(f"{live.url}/api/datasets/{dataset_id}/leaderboard?task_id=b", timeout=10) as answer:
        board = [(row["modelId"], row["value"]) for row in json.load(answer)]
    assert board == [(f"{people[n].name}/net", n / 10 + (PUSHES - 1) / 100) for n in reversed(range(PEOPLE))]
    assert indexing.heal(live.hub) == 0
    assert indexing.compare(live.hub) == []


def test_eight_push_branches_and_tags_to_one_repo_at_once(live, tmp_path: Path):
    """Different refs of one repo: the pushes wait for each other, and none is lost."""
    ada = live.person("ada")
    url = live.git_url(f"{ada.name}/net", ada)
    first = init(tmp_path / "first", url)
    first.commit("One", **{"README.md": "one\n"})
    first.git("push", "-q", "origin", "main")
    trees: list[WorkTree] = [clone(url, tmp_path / f"tree{number}") for number in range(8)]

    def push(number: int) -> str:
        tree = trees[number]
        for turn in range(3):
            tree.commit(f"Mine {turn}", **{f"{number}.txt": f"{turn}\n" * 300})
            tree.git("tag", "-a", f"v{number}.{turn}", "-m", "Tag")
            tree.git("push", "-q", "origin", f"HEAD:refs/heads/b{number}", f"v{number}.{turn}")
        return tree.head()

    with ThreadPoolExecutor(8) as crowd:
        heads = list(crowd.map(push, range(8)))
    listed = dict(line.split("\t")[::-1] for line in git("ls-remote", url, cwd=tmp_path).out.splitlines())
    assert [listed[f"refs/heads/b{number}"] for number in range(8)] == heads
    assert len([ref for ref in listed if ref.endswith("^{}")]) == 24
    clone(url, tmp_path / "after", "--mirror").git("fsck", "--strict")
