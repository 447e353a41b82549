"""``repo`` and ``benchmark`` while the hub is being served: pages, API and git follow at once."""

from __future__ import annotations

import json
import secrets
import shlex
import sys

import pytest

from glasshub import accounts, repos
from tests.cli.shell import Answer
from tests.push.gitclient import git, init

pytestmark = pytest.mark.slow
EVAL_YAML = """\
name: Capitals
description: Name the capital.
evaluation_framework: custom
tasks: [{id: europe}]
"""
RESULT = "- dataset: {{id: {dataset}, task_id: europe}}\n  value: {value}\n"


def bearer(person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}"}


def test_repos_are_made_and_listed(shell, served, http):
    ada = served.person("ada")
    assert shell("repo", "add", "dataset", f"{ada.name}/data") == Answer(0, f"/datasets/{ada.name}/data\n", "")
    assert shell.says("repo", "add", "model", f"{ada.name}/Hidden", "--private") == f"/{ada.name}/Hidden\n"
    for path, anonymous, owner in ((f"/datasets/{ada.name}/data", 200, 200), (f"/{ada.name}/Hidden", 404, 200)):
        assert http.get(path).status_code == anonymous
        assert http.get(path, headers=bearer(ada)).status_code == owner
    mine = [row for row in shell("repo", "list").lines if row[1].startswith(f"{ada.name}/")]
    assert mine == [
        ["dataset", f"{ada.name}/data", "public"],
        ["model", f"{ada.name}/Hidden", "private"],
    ]
    found = [json.loads(line) for line in shell.says("repo", "list", "--json").splitlines()]
    (hidden,) = [repo for repo in found if repo["namespace"] == ada.name and repo["private"]]
    assert (hidden["type"], hidden["name"]) == ("model", "Hidden")


def test_a_moved_repo_answers_under_its_old_name_on_pages_in_the_api_and_to_git(shell, served, http, tmp_path):
    ada, lab = served.person("ada"), f"lab-{secrets.token_hex(3)}"
    accounts.add_org(served.hub, lab, admin=ada.name)
    old, new = f"{ada.name}/net", f"{lab}/renamed"
    tree = init(tmp_path / "tree", served.git_url(old, ada))
    first = tree.commit("One", **{"README.md": "# Net\n"})
    tree.git("push", "-q", "origin", "main")

    assert shell.says("repo", "move", "model", old, new) == f"/{new}\n"
    for path in ("/{}", "/{}/tree/main", "/{}/raw/main/README.md?download=1", "/api/models/{}", "/api/models/{}/refs"):
        answer = http.get(path.format(old))
        assert (answer.status_code, answer.headers["Location"]) == (307, path.format(new))
        assert http.get(answer.headers["Location"]).status_code == 200
    assert http.get(f"/api/models/{old}", follow_redirects=True).json()["id"] == new

    assert git("ls-remote", f"{served.url}/{old}", "main", cwd=tmp_path).out.split()[0] == first
    second = tree.commit("Two", **{"README.md": "# Net, renamed\n"})
    tree.git("push", "-q", "origin", "main")  # origin is still the old address
    assert git("ls-remote", f"{served.url}/{new}.git", "main", cwd=tmp_path).out.split()[0] == second

    repo = repos.find(served.hub, "model", *new.split("/"))
    repos.move(served.hub, accounts.actor_for(served.hub, ada.name), repo, *old.split("/"))  # and back
    assert http.get(f"/{old}").status_code == 200
    assert http.get(f"/{new}").headers["Location"] == f"/{old}"


def test_a_push_during_which_the_repo_is_moved_arrives(served, tmp_path):
    ada = served.person("ada")
    old, new = f"{ada.name}/before", f"{ada.name}/after"
    tree = init(tmp_path / "tree", served.git_url(old, ada))
    tree.commit("One")
    tree.git("push", "-q", "origin", "main")
    hook = tree.path / ".git" / "hooks" / "pre-push"  # git runs it between its first request and its second
    move = [
        sys.executable,
        "-m",
        "glasshub",
        "--data",
        str(served.hub.settings.data),
        "repo",
        "move",
        "model",
        old,
        new,
    ]
    hook.write_text(f"#!/bin/sh\n{shlex.join(move)}\n")
    hook.chmod(0o755)
    tip = tree.commit("Two")
    said = tree.git("push", "origin", "main").err
    assert f"{served.url}/{new}" in said
    assert git("ls-remote", f"{served.url}/{new}", "main", cwd=tmp_path).out.split()[0] == tip


def test_a_deleted_repo_is_gone_from_pages_api_git_lists_and_disk(shell, served, http, tmp_path):
    ada = served.person("ada")
    repo_id = f"{ada.name}/zebra-net"
    tree = init(tmp_path / "tree", served.git_url(repo_id, ada))
    tree.commit("One", **{"README.md": "# Net\n"})
    tree.git("push", "-q", "origin", "main")
    folder = served.hub.git_dir(repos.find(served.hub, "model", *repo_id.split("/")))
    assert folder.is_dir()
    assert repo_id in http.get("/models", params={"search": "zebra"}).text

    unsure = shell("repo", "delete", "model", repo_id, stdin="n\n")
    assert (unsure.code, unsure.out) == (1, "")
    assert http.get(f"/{repo_id}").status_code == 200
    sure = shell("repo", "delete", "model", repo_id, stdin="y\n")
    assert (sure.code, sure.out) == (0, "")
    assert sure.err.endswith(f"Deleted {repo_id}.\n")
    assert http.get(f"/{repo_id}").status_code == 404
    assert http.get(f"/api/models/{repo_id}").status_code == 404
    assert repo_id not in http.get("/models", params={"search": "zebra"}).text
    assert not git("ls-remote", served.git_url(repo_id, ada), cwd=tmp_path, check=False).ok
    assert not folder.exists()
    tree.git("push", "-q", "origin", "main")  # the name is free again
    assert http.get(f"/{repo_id}").status_code == 200


def test_a_benchmark_gathers_leaderboards_from_its_approval_to_its_end(shell, served, http, tmp_path):
    ada = served.person("ada")
    dataset, model = f"{ada.name}/capitals", f"{ada.name}/small"
    scores = init(tmp_path / "model", served.git_url(model, ada))
    scores.write(".eval_results/own.yaml", RESULT.format(dataset=dataset, value=0.75))
    scores.commit("Report")
    scores.git("push", "-q", "origin", "main")
    data = init(tmp_path / "data", served.git_url(f"datasets/{dataset}", ada))
    data.commit("Ask", **{"eval.yaml": EVAL_YAML})
    assert f"glasshub benchmark approve {dataset}" in data.git("push", "origin", "main").err

    def board() -> list[tuple[str, float]]:
        answer = http.get(f"/api/datasets/{dataset}/leaderboard")
        return [(row["modelId"], row["value"]) for row in answer.json()] if answer.status_code == 200 else []

    assert board() == []
    assert "awaiting approval" in http.get(f"/datasets/{dataset}").text

    assert shell.says("benchmark", "approve", dataset) == ""
    assert board() == [(model, 0.75)]
    assert dataset in http.get("/api/datasets", params={"filter": "benchmark:official"}).text

    assert shell.says("benchmark", "revoke", dataset) == ""
    assert board() == []
    assert dataset not in http.get("/api/datasets", params={"filter": "benchmark:official"}).text
    assert "awaiting approval" in http.get(f"/datasets/{dataset}").text
    assert [dataset, "awaiting", "custom", "1", "0"] in shell("benchmark", "list").lines
