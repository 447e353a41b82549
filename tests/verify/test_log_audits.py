"""Logs that results name are found, audited once and in a process of its own, and shown to those who may see them."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glasshub import accounts, clock, large_files, repos
from glasshub.app import create_app
from glasshub.audits import process, queue
from glasshub.audits.examine import examine
from glasshub.audits.references import Said
from glasshub.audits.shown import shown
from glasshub.blobs.pointer import Pointer
from glasshub.errors import GlasshubError
from glasshub.hub import open_hub
from glasshub.identity import ANONYMOUS, Repo
from glasshub.registry import audits as rows
from tests.conftest import free_port, start_server, stop_server
from tests.index.town import Town
from tests.verify.logbook import QUESTIONS, members, packed
from tests.xet.builder import bring

FILES = Path(__file__).parents[1] / "importing" / "files"
pytestmark = pytest.mark.slow
VALUE = "0.25925925925925924"


class Desk:
    """A town with the sample benchmark, and logs of it."""

    def __init__(self, town: Town) -> None:
        self.town, self.hub = town, town.hub
        self.dataset = town.repo("dataset", "lab/desk-questions")
        names = ("eval.yaml", "README.md", "choice/test.jsonl", "short/test.jsonl")
        self.commit = town.push(self.dataset, {name: (QUESTIONS / name).read_bytes() for name in names})
        self.app = create_app(self.hub)

    def log(self, *, commit: str = "", task: str = "choice", **changes: object) -> dict[str, object]:
        said = copy.deepcopy(members())
        said["header.json"]["eval"] |= {"task": f"hf/lab/desk-questions@{commit or self.commit}/{task}", **changes}
        said["header.json"]["eval"]["dataset"] |= {"location": "lab/desk-questions"}
        return said

    def data(self, said: dict[str, object] | None = None) -> bytes:
        return packed(said or self.log()).getvalue()

    def entry(self, value: object = VALUE, *, more: str = "", task: str = "choice", log: str = ".eval_logs/a.eval"):
        where = f"  extra: {{log: {log}}}\n" if log else ""
        return f"- dataset: {{id: lab/desk-questions, task_id: {task}{more}}}\n  value: {value}\n{where}"

    def report(self, data: bytes, name: str = "lab/tiny", **entry: object) -> Repo:
        """A model with a result and its log."""
        model = self.town.repo("model", name)
        files = {".eval_results/a.yaml": self.entry(**entry), ".eval_logs/a.eval": data}
        self.town.push(model, files)
        return model

    def audit(self) -> None:
        """Make all audits that are due, in this process: another one takes two seconds to start."""
        queue.catch_up(self.hub)
        while taken := queue.take(self.hub):
            queue.conclude(self.hub, taken, examine(self.hub, Said.from_json(taken.said)))

    def audit_as_servers_do(self) -> None:
        queue.catch_up(self.hub)
        while taken := queue.take(self.hub):
            queue.work(self.hub, taken, threading.Event())

    def found(self, model: Repo, actor=ANONYMOUS, see=None):
        (result,) = self.town.results(model, *([see] if see else []))
        return shown(self.hub, actor, result)

    def outcomes(self, model: Repo) -> dict[str, str]:
        return {check["id"]: check["outcome"] for check in self.found(model).checks if check["outcome"] != "passed"}


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


def test_a_whole_log_of_the_result_makes_it_audited(desk: Desk):
    model = desk.report(desk.data())
    assert "waits" in desk.found(model).summary
    desk.audit()
    found = desk.found(model)
    assert found.audited, found.checks
    assert (found.audit.dataset_commit, found.audit.basis) == (desk.commit, "log")
    client = desk.app.test_client()
    (row,) = client.get("/api/models/lab/tiny?expand=evalResults").json["evalResults"]
    assert row["logAudit"]["audited"] is True
    assert row["verified"] is False
    answer = client.get(f"/api/models/lab/tiny/eval-results/{row['id']}/audit").json
    assert answer["log"]["sha256"] == hashlib.sha256(desk.data()).hexdigest()
    assert [check["id"] for check in answer["checks"]] == [
        "R1", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "C1", "R2"
    ]  # fmt: skip
    page = client.get(row["logAudit"]["report"]).text
    assert "27 samples compared with 27 rows" in page
    assert "log audited" in client.get("/lab/tiny").text
    (board,) = client.get("/api/datasets/lab/desk-questions/leaderboard?task_id=choice").json
    assert board["logAudit"]["audited"] is True


def test_an_audit_changes_no_rank(desk: Desk):
    desk.report(desk.data())
    desk.report(b"no log", "lab/other", value=0.9)
    before = desk.town.standing(desk.dataset, "choice")
    desk.audit()
    assert desk.town.standing(desk.dataset, "choice") == before
    desk.town.assert_equal_to_rebuilt()


def test_the_same_log_is_audited_once(desk: Desk):
    one, other = desk.report(desk.data()), desk.report(desk.data(), "lab/copy")
    desk.audit()
    first, second = desk.found(one).audit, desk.found(other).audit
    assert first.report == second.report != ""
    assert first.place != second.place


@pytest.mark.parametrize(
    ("entry", "check"),
    [({"value": 0.3}, "R2"), ({"value": 0.2692}, "R2"), ({"task": "short"}, "R1")],
    ids=["a rounded-up value", "another value", "another task"],
)
def test_a_result_that_says_something_else_than_its_log_is_not_audited(desk: Desk, entry, check):
    model = desk.report(desk.data(), **entry)
    desk.audit()
    found = desk.found(model)
    assert not found.audited
    assert desk.outcomes(model)[check] == "failed"
    assert check in found.summary
    assert "log attached" in desk.app.test_client().get("/lab/tiny").text


def test_the_commit_that_the_result_names_counts(desk: Desk):
    later = desk.town.push(desk.dataset, {"README.md": "# Desk questions, again\n", "choice/test.jsonl": b"{}\n"})
    model = desk.report(desk.data(), more=f", revision: {later[:12]}")
    desk.audit()
    assert desk.found(model).audit.dataset_commit == later
    assert desk.outcomes(model)["R1"] == "failed"


def test_without_any_commit_main_is_compared_and_said_so(desk: Desk):
    said = desk.log()
    said["header.json"]["eval"]["task"] = "hf/lab/desk-questions/choice"
    model = desk.report(desk.data(said))
    desk.audit()
    assert desk.found(model).audited
    assert "on main" in desk.found(model).basis


def test_a_commit_of_a_pull_request_to_the_benchmark_is_not_its_data(desk: Desk):
    easy = desk.town.push(
        desk.dataset, {"choice/test.jsonl": b"{}\n"}, ref="refs/for/main", parent=desk.commit, who="bob"
    )
    model = desk.report(desk.data(desk.log(commit=easy)))
    desk.audit()
    found = desk.found(model)
    assert not found.audited
    assert "No branch or tag" in found.summary


def test_a_log_of_another_dataset_is_not_of_this_result(desk: Desk):
    said = desk.log()
    said["header.json"]["eval"]["task"] = said["header.json"]["eval"]["task"].replace("lab/", "others/")
    model = desk.report(desk.data(said))
    desk.audit()
    assert desk.outcomes(model)["R1"] == "failed"


def test_a_former_name_of_the_benchmark_is_one_of_its_names(desk: Desk):
    model = desk.report(desk.data())
    repos.move(desk.hub, desk.town.actor(), desk.dataset, "lab", "questions")
    desk.audit()
    assert desk.found(model).audited


def test_a_log_in_git_lfs_is_read(desk: Desk):
    model, data = desk.town.repo("model", "lab/tiny"), desk.data()
    pointer = Pointer(hashlib.sha256(data).hexdigest(), len(data))
    large_files.receive(desk.hub, model, "ada", pointer, io.BytesIO(data))
    desk.town.push(model, {".eval_results/a.yaml": desk.entry(), ".eval_logs/a.eval": pointer.text()})
    desk.audit()
    assert desk.found(model).audited
    assert desk.found(model).audit.log_size == len(data)


def test_a_log_in_a_private_repo_is_nothing_to_strangers(desk: Desk):
    kept = desk.town.repo("dataset", "lab/logs", private=True)
    commit = desk.town.push(kept, {"runs/a.eval": desk.data()})
    model = desk.town.repo("model", "bob/tiny")
    for path in ("runs/a.eval", "runs/none.eval"):
        url = f"http://127.0.0.1:8000/datasets/lab/logs/resolve/{commit}/{path}"
        desk.town.push(model, {".eval_results/a.yaml": desk.entry(log="") + f'  source: {{url: "{url}"}}\n'})
        desk.audit()
        said = desk.found(model, desk.town.actor("bob"))
        assert (said.audited, said.log, said.checks) == (False, None, ())
        assert "cannot be read" in said.summary  # whether or not there is such a file
        mine = desk.found(model, desk.town.actor("ada"))
        assert mine.audited is (path == "runs/a.eval")


def test_who_may_not_read_the_data_learns_outcomes_and_no_details(desk: Desk):
    model = desk.report(desk.data())
    desk.audit()
    repos.configure(desk.hub, desk.town.actor(), desk.dataset, gated="manual")
    stranger = desk.found(model, desk.town.actor("bob"))
    assert stranger.audited
    assert not stranger.may_read
    assert {check["detail"] for check in stranger.checks} == {""}
    assert desk.found(model, desk.town.actor("ada")).may_read
    repos.configure(desk.hub, desk.town.actor(), desk.dataset, gated="", private=True)
    assert desk.found(model, desk.town.actor("bob")).dataset is None


def test_a_log_that_comes_later_is_found(desk: Desk):
    model = desk.town.repo("model", "lab/tiny")
    url = "http://localhost:9/lab/tiny/resolve/main/.eval_logs/late.eval"
    desk.town.push(model, {".eval_results/a.yaml": desk.entry(log="") + f'  source: {{url: "{url}"}}\n'})
    desk.audit()
    assert "late.eval" in desk.found(model).summary
    desk.town.push(model, {".eval_logs/late.eval": desk.data()})
    with desk.hub.registry.write() as db:
        db.execute(rows.log_audits.update().values(next_at=""))
    desk.audit()
    assert desk.found(model).audited


def test_what_no_result_says_any_more_is_forgotten(desk: Desk):
    model = desk.report(desk.data())
    desk.audit()
    desk.town.push(model, {".eval_results/a.yaml": None})
    desk.audit()
    with desk.hub.registry.read() as db:
        assert rows.models(db) == {}
        assert db.scalar(rows.select(rows.log_reports.c.key)) is None


def test_a_benchmark_that_is_not_here_is_said_to_be_so(desk: Desk):
    model = desk.town.repo("model", "lab/tiny")
    entry = "- dataset: {id: others/gone, task_id: choice}\n  value: 0.5\n  extra: {log: a.eval}\n"
    desk.town.push(model, {".eval_results/a.yaml": entry, "a.eval": desk.data()})
    desk.audit()
    assert "not on this hub" in desk.found(model).summary


def hostile(name: str, desk: Desk) -> bytes:
    """Logs that are made to harm whoever reads them."""
    if name == "a bomb":
        said = desk.log()
        return packed({**said, "samples/1_epoch_1.json": b" " * 70_000_000}).getvalue()
    if name == "many members":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for number in range(100_100):
                archive.writestr(f"samples/{number}_epoch_1.json", b"")
        return file.getvalue()
    if name == "nested":
        return packed({"header.json": b"[" * 1_000_000 + b"]" * 1_000_000}).getvalue()
    if name == "a zoo":  # five bytes of JSON become a hundred of Python
        return packed({"header.json": b"[" + b"[],[]," * 9_000_000 + b"0]"}).getvalue()
    if name == "numbers":
        return packed({"header.json": b'{"version": ' + b"9" * 5_000 + b"}"}).getvalue()
    return packed({"header.json": b'{"version": 2, "status": "' + b"\\ud800" + b'", "eval": {}}'}).getvalue()


@pytest.mark.parametrize("name", ["a bomb", "many members", "nested", "a zoo", "numbers", "surrogates"])
def test_hostile_logs_end_an_audit_and_nothing_else(desk: Desk, name: str):
    small = replace(desk.hub.settings, audit_memory=400 * 1024**2, audit_seconds=60.0)
    desk.hub = replace(desk.hub, settings=small)
    model = desk.report(hostile(name, desk))
    desk.audit_as_servers_do()
    found = desk.found(model)
    assert not found.audited
    assert found.audit.state in ("done", "failed"), found
    assert desk.app.test_client().get("/lab/tiny").status_code == 200


def test_an_audit_that_takes_too_long_is_ended(desk: Desk):
    model = desk.report(desk.data())
    desk.hub = replace(desk.hub, settings=replace(desk.hub.settings, audit_seconds=0.2))
    desk.audit_as_servers_do()
    assert "longer than 0.2 seconds" in desk.found(model).summary


def test_an_audit_is_left_to_others_when_the_server_ends(desk: Desk):
    desk.report(desk.data())
    queue.catch_up(desk.hub)
    taken, stopping = queue.take(desk.hub), threading.Event()
    stopping.set()
    queue.work(desk.hub, taken, stopping)
    again = queue.take(desk.hub)
    assert (again.place, again.attempts) == (taken.place, 1)


def test_two_processes_do_not_take_the_same_audit_and_a_lease_ends(desk: Desk):
    desk.report(desk.data())
    queue.catch_up(desk.hub)
    other = open_hub(desk.hub.settings)
    taken = queue.take(desk.hub)
    assert taken is not None
    assert queue.take(other) is None
    with desk.hub.registry.write() as db:  # its process was killed, and time goes by
        db.execute(rows.log_audits.update().values(lease_until="2026-01-01T00:00:00.000Z"))
    again = queue.take(other)
    assert (again.place, again.attempts) == (taken.place, 2)
    queue.work(other, again, threading.Event())
    with desk.hub.registry.read() as db:
        assert rows.find(db, taken.place).state == "done"
    other.close()


def test_a_child_that_is_killed_gives_up_in_the_end(desk: Desk, monkeypatch):
    model = desk.report(desk.data())
    monkeypatch.setattr(process, "COMMAND", ("/bin/sh", "-c", "kill -9 $$"))
    for _ in range(queue.MOST_CRASHES):
        desk.audit_as_servers_do()
        with desk.hub.registry.write() as db:
            db.execute(rows.log_audits.update().values(next_at=""))
    assert desk.found(model).audit.state == "failed"
    with pytest.raises(GlasshubError, match="ended with -9"):
        process.run(desk.hub.settings, Said("", "", "", "", "", "", "", ""), threading.Event())


def test_audits_can_be_switched_off(desk: Desk):
    model = desk.report(desk.data())
    desk.hub = replace(desk.hub, settings=replace(desk.hub.settings, audit_seconds=0.0))
    desk.audit_as_servers_do()
    assert desk.found(model).audit is None or desk.found(model).audit.state == "waiting"
    assert json.dumps(desk.found(model).summary) == '"A log is attached. This hub audits none."'


def test_hub_admins_see_what_is_to_be_seen(desk: Desk):
    accounts.add_user(desk.hub, "root-admin", admin=True)
    model = desk.report(desk.data())
    desk.audit_as_servers_do()
    assert desk.found(model, accounts.actor_for(desk.hub, "root-admin")).may_read


def kill_all(server) -> None:
    """``kill -9`` of a server and its workers."""
    listed = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in [server.pid, *(int(pid) for pid in listed)]:
        os.kill(pid, signal.SIGKILL)
    server.wait()


def test_servers_that_are_killed_audit_in_the_end(desk: Desk, tmp_path):
    model, settings = desk.report(desk.data()), {"GLASSHUB_AUDIT_SECONDS": "5"}
    queue.catch_up(desk.hub)
    with desk.hub.registry.write() as db:  # somebody was at it, and will not come back
        rows.claim(db, now="9999", until=clock.iso(datetime.now(UTC) + timedelta(seconds=3)), lease="dead")
    port = free_port()
    server = start_server(desk.hub.settings.data, port, log=tmp_path / "log", env=settings)
    time.sleep(1.0)
    kill_all(server)
    server = start_server(desk.hub.settings.data, port, log=tmp_path / "log", env=settings)
    try:
        deadline = time.monotonic() + 60
        while not desk.found(model).audited and time.monotonic() < deadline:
            time.sleep(0.2)
        assert desk.found(model).audited, desk.found(model)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/lab/tiny", timeout=10).read().decode()
        assert "log audited" in page
    finally:
        stop_server(server)


def test_an_audit_ends_with_the_process_that_asked_for_it(desk: Desk):
    said = Said("none", "", "", "a.eval", "", "", "", "")
    request = {"settings": {"data": str(desk.hub.settings.data)}, "said": said.to_json()}
    with subprocess.Popen(process.COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        answer, _ = child.communicate(json.dumps(request).encode() + b"\n", timeout=30)  # and hang up
    assert (child.returncode, answer) == (1, b"")


def test_a_log_that_came_by_xet_is_read(desk: Desk):
    model, data = desk.town.repo("model", "ada/tiny"), desk.data()
    bring(desk.hub, model, [data[:40_000], data[40_000:]])
    pointer = Pointer(hashlib.sha256(data).hexdigest(), len(data))
    assert large_files.find(desk.hub, model, [pointer])[pointer.sha256].xet_hash
    desk.town.push(model, {".eval_results/a.yaml": desk.entry(), ".eval_logs/a.eval": pointer.text()})
    desk.audit_as_servers_do()
    assert desk.found(model).audited
    (result,) = desk.town.results(model)
    assert "longest" in desk.app.test_client().get(f"/ada/tiny/results/{result.id}/items").text


def test_a_file_of_another_tool_is_said_to_be_none_that_is_audited(desk: Desk):
    model = desk.report((FILES / "lm-eval-choice.json").read_bytes())
    desk.audit()
    assert desk.found(model).summary.count("Only logs of Inspect are audited.") == 1
