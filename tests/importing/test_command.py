"""``glasshub import log``: on the hub's machine, and from elsewhere over HTTP."""

from __future__ import annotations

import hashlib
import io
import json
import os
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from glasshub import accounts, pulls, receive, repos
from glasshub.access import Visibility
from glasshub.cli import main
from glasshub.config import Settings
from glasshub.git import read
from glasshub.hub import Hub, open_hub
from glasshub.index import queries
from tests.cli.shell import Answer, glasshub
from tests.importing.samples import CARD, FILES, INSPECT, LIGHTEVAL, LM_EVAL, LM_EVAL_CHOICE
from tests.index.town import Town

pytestmark = pytest.mark.slow
DESK = Path(__file__).parents[2] / "sample_repos" / "datasets" / "glasshub" / "desk-questions" / "eval.yaml"
STRICT = ["--task", "short", "--metric", "exact_match,strict", "--revision", "none"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A hub with the benchmark and a model, and users who may not write to either."""
    folder = tmp_path / "data"
    hub = open_hub(Settings(data=folder))
    for name in ("glasshub", "ada", "sam"):
        accounts.add_user(hub, name)
    fill(hub, "glasshub", "ada", "desk-questions")
    hub.close()
    return folder


def fill(hub: Hub, curator: str, author: str, dataset: str) -> None:
    """The benchmark of one person, and a model of another."""
    town = Town(hub)
    desk = repos.create(hub, accounts.actor_for(hub, curator), "dataset", curator, dataset)
    town.push(desk, {"eval.yaml": DESK.read_text("utf-8")}, who=curator)
    tiny = repos.create(hub, accounts.actor_for(hub, author), "model", author, "tiny")
    town.push(tiny, {"README.md": "# Tiny"}, who=author)


def log(data: Path, *words: object, **environment: str) -> Answer:
    """The command in this process, which spares the tests many starts; nobody is at the keyboard."""
    out, err = io.StringIO(), io.StringIO()
    arguments = ["glasshub", "import", "log", *map(str, words), "--data", str(data)]
    mask = os.umask(0o022)  # the command sets its own
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.argv", arguments)
        patch.setattr("sys.stdin", io.StringIO())
        for name, value in {"HF_ENDPOINT": "", **environment}.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
    os.umask(mask)
    return Answer(int(ended.value.code or 0), out.getvalue(), err.getvalue())


def results(data: Path, model: str = "ada/tiny"):
    hub = open_hub(Settings(data=data))
    try:
        key = repos.find(hub, "model", *model.split("/")).key
        return list(queries.results_of_model(hub.index.read(), Visibility(everything=True), key))
    finally:
        hub.close()


def content(data: Path, ref: str, path: str) -> bytes:
    hub = open_hub(Settings(data=data))
    try:
        with read.open_repo(hub.git_dir(repos.find(hub, "model", "ada", "tiny"))) as git:
            return read.read_file(git, read.list_refs(git)[ref], path)
    finally:
        hub.close()


def test_nothing_is_guessed_and_nothing_opened_before_all_is_said(data: Path):
    answer = log(data, LM_EVAL, "--model", "ada/tiny", "--as", "sam", "--yes")
    assert answer.code == 3
    assert "? metric: Which number is the score of the task?" in answer.out
    assert "? task: Which task of glasshub/desk-questions is desk_short (config short, split test)?" in answer.out
    assert results(data) == []
    answer = log(data, LM_EVAL, "--model", "ada/tiny", "--dry-run", "--json", *STRICT[:2])
    (found,) = json.loads(answer.out)
    assert answer.code == 3
    assert [question["name"] for question in found["results"][0]["questions"]] == ["metric"]
    assert found["results"][0]["questions"][0]["options"] == ["exact_match,strict", "exact_match,flexible"]
    assert log(data, LM_EVAL, "--model", "ada/tiny", *STRICT, "--dry-run").code == 0
    assert results(data) == []
    limited = [FILES / "lm-eval-limited.json", "--model", "ada/tiny", "--task", "choice", "--metric", "acc,none"]
    partial = log(data, *limited)
    assert (partial.code, "Only 5 of 27 items counted" in partial.out) == (3, True)


def test_a_file_becomes_a_pull_request_that_counts_and_holds_the_file(data: Path):
    answer = log(
        data, LM_EVAL, "--model", "ada/tiny", "--as", "sam", "--yes", *STRICT, GLASSHUB_PUBLIC_URL="https://h.org"
    )
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "Opened https://h.org/ada/tiny/discussions/1"), answer.err
    (result,) = results(data)
    assert (result.state, result.value_text) == ("aligned", "0.2962962962962963")
    assert (result.submitter, result.pull) == ("sam", 1)
    assert (result.extra["stderr"], result.extra["n"], result.extra["shots"]) == (0.0895511888632576, 27, 0)
    kept = content(data, "refs/pr/1", result.extra["log"])
    assert kept == LM_EVAL.read_bytes()
    assert result.extra["log_sha256"] == hashlib.sha256(kept).hexdigest()
    assert result.source_url.startswith("https://h.org/ada/tiny/resolve/")
    commit = result.source_url.split("/")[6]
    assert commit not in (result.commit, "main")
    assert result.extra["reported_revision"] == "76f02246e6061c59c8f05ec81636ea3bb944d32e"

    again = log(data, LM_EVAL, "--model", "ada/tiny", "--as", "ada", "--yes", *STRICT, "--notes", "mine")
    assert again.code == 1
    assert "imported from the same file before: it stands in pull request 1" in again.err
    other = [*STRICT[:2], "--metric", "exact_match,flexible", *STRICT[4:]]
    unlinked = log(data, LM_EVAL, "--model", "ada/tiny", "--as", "sam", "--yes", *other)
    assert (unlinked.code, "public_url is not set" in unlinked.err) == (0, True)
    assert len(results(data)) == 2


def test_a_log_of_inspect_needs_no_answers_but_its_commit_must_be_there(data: Path):
    refused = log(data, INSPECT, "--model", "ada/tiny", "--yes")
    assert refused.code == 1
    assert "is no commit of glasshub/desk-questions" in refused.err
    assert log(data, INSPECT, "--model", "ada/tiny", "--yes", "--revision", "none").code == 0
    (result,) = results(data)
    assert (result.task_id, result.extra["complete"]) == ("choice", True)
    assert content(data, "refs/pr/1", result.extra["log"]) == INSPECT.read_bytes()


def test_several_results_of_a_file_each_with_answers_of_its_own(data: Path):
    words = [LIGHTEVAL, "--model", "ada/tiny", "--yes", "--revision", "none"]
    tasks = ["--task", "desk_choice|0=choice", "--task", "desk_short|0=short", "--metric", "acc"]
    half = log(data, *words, *tasks)
    assert (half.code, "There is no acc in the file." in half.out) == (3, True)
    assert log(data, *words, *tasks, "--metric", "desk_short|0=em").code == 0
    assert {(row.task_id, row.value_text) for row in results(data)} == {
        ("choice", "0.18518518518518517"), ("short", "0.0"),
    }  # fmt: skip
    assert "has nothing called x" in log(data, *words, "--only", "x").err


def test_files_with_questions_of_closed_datasets_are_not_published(data: Path):
    hub = open_hub(Settings(data=data))
    owner = accounts.actor_for(hub, "glasshub")
    repos.configure(hub, owner, repos.find(hub, "dataset", "glasshub", "desk-questions"), gated="manual")
    hub.close()
    answer = log(data, INSPECT, "--model", "ada/tiny", "--yes", "--revision", "none")
    assert answer.code == 0
    assert "not published, only its digest. glasshub/desk-questions is gated." in answer.err
    (result,) = results(data)
    assert "log" not in result.extra
    assert result.extra["log_sha256"] == hashlib.sha256(INSPECT.read_bytes()).hexdigest()
    hub = open_hub(Settings(data=data))
    with read.open_repo(hub.git_dir(repos.find(hub, "model", "ada", "tiny"))) as git:
        listed = read.list_tree(git, read.list_refs(git)["refs/pr/1"], "", recursive=True)
        assert [entry.path for entry in listed if "eval_logs" in entry.path] == []
    hub.close()
    elsewhere = ["--dataset", "not/here", "--task", "t", "--as", "sam"]
    answer = log(data, INSPECT, "--model", "ada/tiny", "--yes", *elsewhere)
    assert "glasshub/desk-questions is gated." in answer.err  # whatever somebody says that the log is about


def test_cards_wrong_files_and_wrong_words(data: Path, tmp_path: Path):
    card = tmp_path / "README.md"
    card.write_text(CARD)
    words = ["--only", "Desk questions", "--task", "choice", "--metric", "accuracy", "--revision", "none"]
    answer = log(data, card, "--model", "ada/tiny", *words, "--yes")
    assert answer.code == 1
    assert "range" in answer.err  # the card says 41.25 where the benchmark declares 0 to 1: nothing is scaled
    (tmp_path / "x").write_text("{}")
    assert "of no format that is read here" in log(data, tmp_path / "x", "--model", "ada/tiny").err
    assert log(data, LM_EVAL, "--model", "ada/none", *STRICT).code == 1
    assert log(data, LM_EVAL, "--model", "ada/tiny", *STRICT, "--json").code == 2
    assert log(data, LM_EVAL, "--model", "ada/tiny", "--hub", "http://x", "--as", "sam", *STRICT).code == 2
    stopped = log(data, LM_EVAL, "--model", "ada/tiny", *STRICT)  # nobody there to say yes
    assert (stopped.code, results(data)) == (1, [])


def test_from_elsewhere_as_the_owner_of_a_token(live, tmp_path: Path):
    ada, sam = live.person("ada"), live.person("sam")
    fill(live.hub, ada.name, ada.name, "desk")
    words = ["--model", f"{ada.name}/tiny", "--hub", live.url, "--dataset", f"{ada.name}/desk", "--task", "choice"]
    words += ["--metric", "acc,none"]
    there = {"HF_TOKEN": sam.token}
    answer = glasshub("import", "log", str(LM_EVAL_CHOICE), *words, "--yes", "--json", **there)
    assert answer.code == 0, answer.err
    (found,) = json.loads(answer.out)
    assert found["pull_request"] == f"{live.url}/{ada.name}/tiny/discussions/1"
    key = repos.find(live.hub, "model", ada.name, "tiny").key
    (result,) = queries.results_of_model(live.hub.index.read(), Visibility(everything=True), key)
    assert (result.state, result.submitter, result.pull) == ("aligned", sam.name, 1)
    with urllib.request.urlopen(result.source_url) as kept:
        assert kept.read() == LM_EVAL_CHOICE.read_bytes()
    twice = log(tmp_path, LM_EVAL_CHOICE, *words, "--yes", **there)
    assert (twice.code, "it stands in pull request 1" in twice.err) == (1, True)
    assert log(tmp_path, LM_EVAL_CHOICE, *words[:-1], "acc_norm,none", "--yes", **there).code == 0
    assert log(tmp_path, LM_EVAL_CHOICE, *words, "--yes", HF_TOKEN="").code == 1
    assert log(tmp_path, LM_EVAL_CHOICE, *words[:-2], "--dry-run", HF_ENDPOINT=live.url).code == 3

    owner = accounts.actor_for(live.hub, ada.name)
    repo = repos.find(live.hub, "model", ada.name, "tiny")
    receive.decide(live.hub, repo, owner, lambda desk: pulls.merge(desk, 1))
    again = log(tmp_path, LM_EVAL_CHOICE, *words, "--yes", **there)
    assert (again.code, "imported from the same file before" in again.err) == (1, True)
    result_file = f".eval_results/desk-{hashlib.sha256(LM_EVAL_CHOICE.read_bytes()).hexdigest()[:12]}.yaml"
    assert result_file in again.err
