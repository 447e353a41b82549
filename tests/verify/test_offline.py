"""``glasshub verify`` as a sceptic runs it: against a live hub, and with nothing but files."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from glasshub import accounts, attested, benchmark_data, repos, runners, runs
from glasshub.evals.eval_results import parse_result_file
from glasshub.git.read import open_repo
from glasshub.identity import Repo
from glasshub.verify import digests, token
from glasshub.verify.claims import parse_claims
from glasshub.verify.keys import to_jwks
from glasshub.verify.offline import Evidence, prove
from glasshub.verify.record import Kind
from tests.cli.shell import Answer, glasshub
from tests.push import gitclient
from tests.verify.statements import CLAIMED, new_key, said

pytestmark = pytest.mark.slow
QUESTIONS = Path(__file__).parents[2] / "sample_repos" / "datasets" / "glasshub" / "desk-questions"
LOG = Path(__file__).parent / "logs" / "desk-questions-choice.eval"
VALUE = 7 / 27


@dataclass
class Case:
    """A verified result on a live hub, and clones of everything."""

    url: str
    model: Repo
    folder: Path
    entry: str
    jwks: Path

    def verify(self, *words: object, text: str = "", log: Path | None = None) -> Answer:
        """The command on a file, offline."""
        file = self.folder / "result.yaml"
        file.write_text(text or self.entry, "utf-8")
        options = ["--jwks", self.jwks, "--log", log or LOG, "--dataset", self.folder / "quiz"]
        return glasshub("verify", *map(str, [file, *options, "--runs", self.folder / "record", *words]))


@pytest.fixture(scope="module")
def case(live, tmp_path_factory) -> Case:
    folder = tmp_path_factory.mktemp("verify")
    person = live.person("runner", admin=True)
    ada = replace(accounts.actor_for(live.hub, person.name), scope="write")
    dataset = push(live, person, folder / "quiz", "datasets/", "quiz", QUESTIONS)
    model = push(live, person, folder / "tiny", "", "tiny", None)
    private, key = new_key(f"bench-{person.name}")
    runners.register(live.hub, ada, key.runner, to_jwks([key])["keys"][0]["x"])
    log = LOG.read_bytes()
    address = f"{live.url}/{model.repo_id}/resolve/main/.eval_logs/run.eval"
    text = token.sign(claims(live, model, dataset, key.runner, log, address), private)
    details = {"token_sha256": digests.sha256(text.encode())}
    runs.enter(live.hub, runs.Act(Kind.ISSUED, "0" * 32, key.runner, model, dataset, details))
    entry = f"- dataset: {{id: {dataset.repo_id}, task_id: choice}}\n  value: {VALUE!r}\n  verifyToken: {text}\n"
    tree = gitclient.WorkTree(folder / "tiny")
    (folder / "tiny" / ".eval_results").mkdir()
    (folder / "tiny" / ".eval_results" / "quiz.yaml").write_text(entry, "utf-8")
    (folder / "tiny" / ".eval_logs").mkdir()
    shutil.copy(LOG, folder / "tiny" / ".eval_logs" / "run.eval")
    tree.commit("Report")
    tree.git("push", "-q", "origin", "main")
    gitclient.clone(live.git_url("datasets/hub/verification"), folder / "record")
    jwks = folder / "keys.json"
    jwks.write_text(json.dumps(to_jwks(runners.keys(live.hub))), "utf-8")
    return Case(live.url, model, folder, entry, jwks)


def push(live, person, folder: Path, prefix: str, name: str, content: Path | None) -> Repo:
    tree = gitclient.init(folder, live.git_url(f"{prefix}{person.name}/{name}", person))
    if content:
        shutil.copytree(content, folder, dirs_exist_ok=True)
    else:
        (folder / "config.json").write_text("{}", "utf-8")
    tree.commit("Begin")
    tree.git("push", "-q", "origin", "main")
    return repos.find(live.hub, "dataset" if prefix else "model", person.name, name)


def claims(live, model: Repo, dataset: Repo, runner: str, log: bytes, address: str):
    with open_repo(live.hub.git_dir(dataset)) as git:
        commit = git.refs[b"refs/heads/main"].decode()
        asked = benchmark_data.asked(git, commit, "choice")
    with open_repo(live.hub.git_dir(model)) as git:
        head = git.refs[b"refs/heads/main"].decode()
        weights = attested.content_of(git, head)
    made = said(
        iss=live.url, model__id=model.repo_id, model__sha=head, model__weights_sha256=weights,
        dataset__id=dataset.repo_id, dataset__sha=commit, dataset__eval_yaml_sha256=asked.eval_yaml_sha256,
        dataset__data_sha256=asked.data_sha256,
        task__spec_sha256=asked.spec_sha256, value=VALUE, n_items=27, n_expected=27, runner__id=runner,
        log__sha256=hashlib.sha256(log).hexdigest(), log__size=len(log), log__uri=address, iat=int(time.time()),
        sub=f"models/{model.repo_id}@{head}",
    )  # fmt: skip
    return parse_claims(json.dumps(made).encode())


def outcomes(answer: Answer) -> dict[str, str]:
    """What became of each check, by its id."""
    found = {}
    for line in answer.out.splitlines():
        for mark in ("proved", "FAILED", "not checked"):
            if line.startswith(f"  {mark} "):
                found[line.removeprefix(f"  {mark}").split()[0]] = mark
    return found


def test_everything_is_proved_with_files_alone(case: Case):
    answer = case.verify("--model", case.model.repo_id)
    assert answer.code == 0, answer.out + answer.err
    assert set(outcomes(answer).values()) == {"proved"}
    assert {"signature", "key", "row", "runs", "log", "dataset", "value", "A4", "B1", "C1"} <= set(outcomes(answer))
    assert "Not proved" in answer.err


def test_the_address_of_a_model_is_enough(case: Case):
    answer = glasshub("verify", f"{case.url}/{case.model.repo_id}")
    assert answer.code == 0, answer.out + answer.err
    found = outcomes(answer)
    assert found.pop("dataset") == "not checked"
    assert {found[name] for name in ("signature", "row", "runs", "log", "value", "A4")} == {"proved"}


def test_the_address_of_a_result_file_with_a_clone_proves_all(case: Case):
    address = f"{case.url}/{case.model.repo_id}/blob/main/.eval_results/quiz.yaml"
    answer = glasshub("verify", address, "--dataset", str(case.folder / "quiz"))
    assert answer.code == 0, answer.out + answer.err
    assert set(outcomes(answer).values()) == {"proved"}


def test_an_edited_value_fails(case: Case):
    answer = case.verify(text=case.entry.replace(repr(VALUE), "0.26"))
    assert (answer.code, outcomes(answer)["row"]) == (1, "FAILED")


def test_another_model_fails(case: Case):
    answer = case.verify("--model", "eve/copy")
    assert (answer.code, outcomes(answer)["row"]) == (1, "FAILED")


def test_another_log_fails(case: Case):
    answer = case.verify(log=LOG.with_name("desk-questions-short.eval"))
    assert answer.code == 1
    assert outcomes(answer)["log"] == outcomes(answer)["value"] == "FAILED"


def test_a_list_of_runs_that_was_changed_fails(case: Case, tmp_path: Path):
    shutil.copytree(case.folder / "record", tmp_path / "record")
    (page,) = (tmp_path / "record" / "runs").glob("*.jsonl")
    page.write_bytes(page.read_bytes().replace(b'"kind":"issued"', b'"kind":"failed"'))
    answer = case.verify("--runs", tmp_path / "record")
    assert (answer.code, outcomes(answer)["runs"]) == (1, "FAILED")


def test_gold_answers_that_were_changed_later_do_not_matter_and_a_clone_without_the_commit_says_so(
    case: Case, tmp_path
):
    tree = gitclient.init(tmp_path / "other", "http://127.0.0.1:9/none")
    (tmp_path / "other" / "x").write_text("y")
    tree.commit("Begin")
    answer = case.verify("--dataset", tmp_path / "other")
    assert answer.code == 0
    assert outcomes(answer)["dataset"] == "not checked"


def test_without_keys_nothing_is_trusted(case: Case, tmp_path: Path):
    (tmp_path / "empty.json").write_text('{"keys": []}')
    answer = case.verify("--jwks", tmp_path / "empty.json")
    assert (answer.code, outcomes(answer)) == (3, {"signature": "not checked"})
    file = case.folder / "result.yaml"
    assert "--jwks" in glasshub("verify", str(file)).err


def test_a_line_whose_details_were_changed_fails(case: Case, tmp_path: Path):
    shutil.copytree(case.folder / "record", tmp_path / "record")
    (page,) = (tmp_path / "record" / "runs").glob("*.jsonl")
    page.write_bytes(re.sub(rb'"salt":"..', b'"salt":"zz', page.read_bytes()))
    answer = case.verify("--runs", tmp_path / "record")
    assert (answer.code, outcomes(answer)["runs"]) == (1, "FAILED")
    assert "not those it was written with" in answer.out


def test_a_token_about_other_data_than_that_of_its_commit_fails():
    private, key = new_key()
    row = f"- dataset: {{id: {CLAIMED.dataset_id}, task_id: choice}}\n  value: 0.75\n  verifyToken: "
    text = row + token.sign(parse_claims(json.dumps(said()).encode()), private) + "\n"
    (entry,) = parse_result_file(text.encode(), ".eval_results/a.yaml").entries
    signed = ("4" * 64, "2" * 64, "3" * 64)
    for place, name in enumerate(("eval.yaml", "the data", "the task")):
        other = (*signed[:place], "0" * 64, *signed[place + 1 :])
        found = prove(entry, Evidence({key.kid: key}, spec={}, digests=other))
        assert [check.detail for check in found.checks if check.id == "dataset"] == [f"other digests: {name}"]
    whole = prove(entry, Evidence({key.kid: key}, spec={}, digests=signed))
    assert not whole.failed


def test_a_key_that_was_revoked_before_it_signed_fails(case: Case, tmp_path: Path):
    keys = json.loads(case.jwks.read_text())
    for key in keys["keys"]:
        key |= {"revoked_at": "2026-01-01T00:00:00.000Z", "reason": "stolen"}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    answer = case.verify("--jwks", tmp_path / "keys.json")
    assert (answer.code, outcomes(answer)["key"]) == (1, "FAILED")
    assert "stolen" in answer.out


def test_results_without_a_token_prove_nothing(case: Case):
    assert case.verify(text="- dataset: {id: a/b, task_id: c}\n  value: 1\n").code == 3


def test_a_log_on_another_host_is_not_fetched(case: Case):
    assert glasshub("verify", "http://127.0.0.1:9/a/b").code == 2
    assert glasshub("verify", f"{case.url}/{case.model.repo_id}/tree/main").code == 2


def test_a_damaged_list_of_runs_is_wrong_and_a_folder_without_one_cannot_be_read(case: Case, tmp_path: Path):
    shutil.copytree(case.folder / "record", tmp_path / "record")
    (page,) = (tmp_path / "record" / "runs").glob("*.jsonl")
    page.write_bytes(page.read_bytes() + b"{}\n")
    answer = case.verify("--runs", tmp_path / "record")
    assert (answer.code, outcomes(answer)["runs"]) == (1, "FAILED")
    assert case.verify("--runs", tmp_path).code == 2


def test_strict_tells_by_its_exit_code_that_something_was_not_checked(case: Case):
    assert case.verify("--model", case.model.repo_id, "--strict").code == 0
    answer = glasshub("verify", f"{case.url}/{case.model.repo_id}", "--strict")
    assert answer.code == 4
    assert [line for line in answer.out.splitlines() if "no --dataset" in line and " B3 " in line]
