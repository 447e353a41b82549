"""Hostile and odd content ends as rows or problems, never as an error."""

from __future__ import annotations

import pytest
from dulwich.objects import Blob, Commit, Tree

from glasshub import indexing, result_files
from glasshub.git import read
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefUpdate
from glasshub.index import queries
from glasshub.index.rows import ProblemRow
from glasshub.receive import apply_ref_updates
from tests.index.town import EVERYONE, MAIN, Town, eval_yaml, result

pytestmark = pytest.mark.slow

ENTRY = "- dataset: {id: lab/cap, task_id: one}\n  value: 1\n"
FILES = {
    "surrogate": ENTRY + '  notes: "\\ud800"\n',
    "zero": ENTRY + '  notes: "a\\0b"\n  extra: {"\\0": "\\0"}\n',
    "numbers": ENTRY + "  extra: {a: .nan, b: .inf, c: 1e999, d: 123456789012345678901234567890, e: -0.0}\n",
    "largest": ENTRY.replace("value: 1", "value: 1.7976931348623157e308"),
    "smallest": ENTRY.replace("value: 1", "value: 5e-324"),
    "infinite": ENTRY.replace("value: 1", "value: 1e999"),
    "integer": ENTRY.replace("value: 1", "value: " + "9" * 300),
    "dates": ENTRY + '  date: "9999-12-31T23:59:59-14:00"\n' + ENTRY + '  date: "0001-01-01T00:00:00+14:00"\n',
    "binary": "\x00\x01\x02",
    "empty": "",
    "sql": ENTRY + '  notes: "\'; DROP TABLE results; --"\n',
}
CARDS = ("---\ntitle: '\ufffe'\n---\n", '---\na: "\\ud800"\n---\n', "---\nx: .nan\n---\n", "\0" * 50, "---\n- 1\n---\n")


def _problems(town: Town, key: str) -> list[ProblemRow]:
    return queries.problems(town.hub.index.read(), key)


def test_odd_values_are_stored_or_reported(town: Town):
    data = town.dataset("lab/cap", eval_yaml("one"))
    model = town.model("ada/m")
    town.push(model, {f".eval_results/{name}.yaml": text for name, text in FILES.items()})
    for card in CARDS:
        town.push(model, {"README.md": card})
        queries.repos(town.hub.index.read(), EVERYONE)
    shown = {row.path.split("/")[1][:-5] for row in town.results(model)}
    reported = {problem.path.split("/")[1][:-5] for problem in _problems(town, model.key) if "/" in problem.path}
    assert shown | reported >= set(FILES) - {"empty"}
    assert {"largest", "smallest", "sql"} <= shown
    assert {"infinite", "binary"} <= reported
    assert len(town.board(data, "one")) == 1
    town.assert_equal_to_rebuilt()


def test_files_with_names_that_are_not_text_are_reported(town: Town):
    town.dataset("lab/cap", eval_yaml("one"))
    model = town.model("ada/m")
    with read.open_repo(town.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        blob, folder, root, commit = Blob.from_string(ENTRY.encode()), Tree(), Tree(), Commit()
        for name in (b"fine", b"bell\a", b"latin\xff"):
            folder.add(name + b".yaml", 0o100644, blob.id)
        root.add(b".eval_results", 0o40000, folder.id)
        commit.tree = root.id
        commit.author = commit.committer = b"A <a@example.org>"
        commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"x"
        new = [incoming.add(made) for made in (blob, folder, root, commit)][-1]
        assert apply_ref_updates(town.hub, model, [RefUpdate(ZERO, new, MAIN)], town.actor(), incoming=incoming)[0].ok
    assert [row.path for row in town.results(model)] == [".eval_results/fine.yaml"]
    assert all("Rename it" in problem.message for problem in _problems(town, model.key))
    town.assert_equal_to_rebuilt()


def test_too_many_or_too_large_files_are_left_out_and_that_is_said(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(result_files, "MAX_RESULT_FILES", 2)
    monkeypatch.setattr(result_files, "MAX_FILE_BYTES", 500)
    town.dataset("lab/cap", eval_yaml("one"))
    model = town.model("ada/m")
    big = ENTRY + "# " + "x" * 500
    town.push(model, {".eval_results/a.yaml": big, ".eval_results/b.yaml": ENTRY, ".eval_results/c.yaml": ENTRY})
    assert [row.path for row in town.results(model)] == [".eval_results/b.yaml"]
    assert [problem.path for problem in _problems(town, model.key)] == [".eval_results/a.yaml", ".eval_results/c.yaml"]


def test_folders_links_and_submodules_named_like_result_files_do_no_harm(town: Town):
    model = town.model("ada/m")
    town.push(model, {".eval_results/dir.yaml/inner.yaml": ENTRY, ".eval_results/x.txt": ENTRY, "eval.yaml": "name: x"})
    assert town.results(model) == []
    assert _problems(town, model.key) == []
    town.push(model, {".eval_results": None})
    town.push(model, {".eval_results": "a file where a folder belongs"})
    assert town.results(model) == []
    town.assert_equal_to_rebuilt()


def test_a_model_with_many_results_is_told_all_of_them(town: Town):
    town.dataset("lab/cap", eval_yaml("one"))
    model = town.model("ada/m", "".join(result("lab/cap", "one", n) for n in range(300)))
    outcome = indexing.sync_repo(town.hub, model.key)
    assert len(outcome.results) == 300
    assert [row.headline for row in outcome.results] == [True] + [False] * 299


def test_the_same_result_twice_is_counted_once_and_that_is_said(town: Town):
    town.dataset("lab/cap", eval_yaml("one"))
    model = town.model("ada/m", result("lab/cap", "one", 1) * 2)
    outcome = indexing.sync_repo(town.hub, model.key)
    assert len(outcome.results) == 1
    (problem,) = outcome.problems
    assert (problem.line, problem.severity) == (3, "warning")
    assert ".eval_results/own.yaml, line 1" in problem.message
