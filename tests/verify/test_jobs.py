"""Jobs from the request to the pull request: who may, what is refused, and that dying anywhere loses nothing."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from glasshub import attested, completion, edits, jobs, leases, outcome, repos, runners, runs
from glasshub.access import Visibility
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.edits import Edit
from glasshub.errors import Conflict, Forbidden, GlasshubError, Invalid, NotFound, Unauthenticated
from glasshub.git import read
from glasshub.git.build import Put
from glasshub.git.read import open_repo, resolve_revision
from glasshub.hub import open_hub
from glasshub.identity import ANONYMOUS
from glasshub.index import queries
from glasshub.registry import jobs as rows
from tests.verify import bench as benches
from tests.verify.bench import ADDRESS, VALUE, log_for, send, token_for
from tests.verify.statements import new_key

pytestmark = pytest.mark.slow  # each makes a hub


@pytest.fixture
def bench(tmp_path):
    hub = open_hub(Settings(data=tmp_path))
    yield benches.make(hub)
    hub.close()


def queue(bench, by: str = "mara"):
    return jobs.request(bench.hub, bench.people[by], bench.model, bench.dataset, "choice")


def take(bench, by: str = "ada"):
    return leases.lease(bench.hub, bench.people[by], "bench-1", address=ADDRESS)


def finish(bench, given, token, by: str = "ada"):
    return completion.finish(bench.hub, bench.people[by], given.run, token, address=ADDRESS)


def measured(bench):
    """A job taken and its honest log and token."""
    queue(bench)
    given = take(bench)
    log = log_for(given)
    send(bench, given, log)
    return given, log, token_for(bench, given, log)


def results(bench):
    return queries.results_of_model(bench.hub.index.read(), Visibility(everything=True), bench.model.key)


def kinds(bench) -> list[str]:
    return [line.kind.value for line in runs.lines(bench.hub)]


def lose(bench, given) -> None:
    """The runner falls silent, and its lease runs out."""
    with bench.hub.registry.write() as db:
        rows.change(db, given.job, lease_until="2020-01-01T00:00:00.000Z")


def test_a_run_becomes_a_verified_result_in_a_pull_request(bench):
    given, _, token = measured(bench)
    job = finish(bench, given, token)
    assert (job.state, job.pull) == ("done", 1)
    found = next(result for result in results(bench) if result.pull == 1)
    assert (found.value, found.badge, found.runner, found.submitter) == (VALUE, "verified", "bench-1", "ada")
    assert found.headline  # the best proven stands for the model, not the best claim
    assert found.dataset_revision == given.dataset_sha
    assert found.extra["stderr"] > 0
    assert kinds(bench) == ["issued"]
    assert runs.faults(bench.hub) == []
    path, _ = completion.log_place(bench.hub, ANONYMOUS, given.run)
    assert path == "/mara/first-option"
    assert found.source_url.startswith(f"{ADDRESS}{path}/resolve/")
    assert not leases.log_path(bench.hub, given.run).exists()
    assert finish(bench, given, token) == job  # an answer that was lost
    assert [line.run for line in runs.lines(bench.hub)] == [given.run]
    page = create_app(bench.hub).test_client().get("/mara/first-option/discussions/1").text
    assert "Counts now as what a runner measured" in page
    assert 'title="bench-1 ran the task on the weights' in page


def test_who_may_ask_approve_and_cancel(bench):
    with pytest.raises(Unauthenticated):
        jobs.request(bench.hub, ANONYMOUS, bench.model, bench.dataset, "choice")
    read_only = replace(bench.people["stranger"], scope="read")
    with pytest.raises(Forbidden):
        jobs.request(bench.hub, read_only, bench.model, bench.dataset, "choice")
    job = queue(bench, "stranger")
    assert job.state == "requested"
    assert take(bench) is None
    assert queue(bench, "stranger").id == job.id == queue(bench).id  # the same asked for again
    with pytest.raises(Forbidden):
        jobs.approve(bench.hub, bench.people["stranger"], job.id)
    with pytest.raises(Unauthenticated):
        jobs.approve(bench.hub, ANONYMOUS, job.id)
    assert jobs.approve(bench.hub, bench.people["mara"], job.id).state == "queued"
    with pytest.raises(Conflict):
        jobs.approve(bench.hub, bench.people["ada"], job.id)
    assert jobs.cancel(bench.hub, bench.people["stranger"], job.id).state == "cancelled"
    with pytest.raises(Conflict):
        jobs.cancel(bench.hub, bench.people["mara"], job.id)
    assert kinds(bench) == []  # nothing was run


def test_what_cannot_be_measured_is_refused_at_once(bench):
    with pytest.raises(NotFound, match="no task"):
        jobs.request(bench.hub, bench.people["mara"], bench.model, bench.dataset, "nothing")
    plain = repos.create(bench.hub, bench.people["mara"], "dataset", "mara", "plain")
    with pytest.raises(GlasshubError):
        jobs.request(bench.hub, bench.people["mara"], bench.model, plain, "choice")


def test_a_task_that_a_model_grades_is_refused(bench):
    text = (benches.QUESTIONS / "eval.yaml").read_text("utf-8").replace("- name: choice", "- name: model_graded_fact")
    edits.commit(
        bench.hub, bench.dataset, bench.people["mara"], Edit([Put("eval.yaml", text.encode())], "Let a model grade"),
        ref="refs/heads/main",
    )  # fmt: skip
    with pytest.raises(Invalid, match="A model grades this task"):
        queue(bench)


def test_jobs_of_private_repos_are_nobody_elses(tmp_path):
    hub = open_hub(Settings(data=tmp_path))
    bench = benches.make(hub, private=True)
    job = queue(bench)
    assert jobs.listing(hub, bench.people["stranger"]) == []
    with pytest.raises(NotFound):
        jobs.show(hub, bench.people["stranger"], job.id)
    given = take(bench)
    assert given.needs_token
    log = log_for(given)
    send(bench, given, log)
    assert finish(bench, given, token_for(bench, given, log)).state == "done"
    # the log holds the questions: it stands where those may be read
    path, _ = completion.log_place(hub, bench.people["mara"], given.run)
    assert path == "/datasets/mara/desk-questions"
    with pytest.raises(NotFound):
        completion.log_place(hub, bench.people["stranger"], given.run)
    (line,) = runs.lines(hub)
    assert line.details is None
    hub.close()


def test_only_an_active_runners_owner_takes_jobs_one_at_a_time(bench):
    queue(bench)
    for name in ("mara", "stranger"):
        with pytest.raises(Forbidden):
            take(bench, name)
    with pytest.raises(NotFound):
        leases.lease(bench.hub, bench.people["ada"], "nobody", address=ADDRESS)
    assert take(bench) is not None
    jobs.request(bench.hub, bench.people["mara"], bench.model, bench.dataset, "short")
    with pytest.raises(Conflict, match="one at a time"):
        take(bench)
    runners.retire(bench.hub, bench.people["ada"], "bench-1")
    with pytest.raises(Conflict, match="retired"):
        take(bench)


def test_two_who_ask_at_once_do_not_get_the_same_job(bench):
    runners.register(bench.hub, bench.people["ada"], "bench-2", benches.to_jwks([new_key()[1]])["keys"][0]["x"])
    queue(bench)
    got: list[object] = []

    def ask(name: str) -> None:
        got.append(leases.lease(bench.hub, bench.people["ada"], name, address=ADDRESS))

    threads = [threading.Thread(target=ask, args=(f"bench-{n}",)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given is None for given in got) == [False, True]


def test_a_lost_runner_is_recorded_and_the_job_tried_again(bench):
    queue(bench)
    for number in (1, 2, 3):
        given = take(bench)
        assert given.attempt == number
        lose(bench, given)
        jobs.expire(bench.hub)
        jobs.expire(bench.hub)
    assert take(bench) is None
    job = jobs.find(bench.hub, given.job)
    assert job.state == "failed"
    assert "3 times" in job.reason
    assert kinds(bench) == ["failed"] * 3
    log = log_for(given)
    with pytest.raises(Conflict):
        send(bench, given, log)
    with pytest.raises(Conflict):
        finish(bench, given, token_for(bench, given, log))
    assert leases.progress(bench.hub, bench.people["ada"], given.run, text="x").state == "failed"


def test_progress_renews_the_lease_and_tells_of_a_cancellation(bench):
    job = queue(bench)
    given = take(bench)
    lose(bench, given)
    assert leases.progress(bench.hub, bench.people["ada"], given.run, text="3 of 27").state == "running"
    jobs.expire(bench.hub)
    assert jobs.find(bench.hub, job.id).progress == "3 of 27"
    with pytest.raises(Forbidden):
        leases.progress(bench.hub, bench.people["mara"], given.run, text="x")
    jobs.cancel(bench.hub, bench.people["mara"], job.id, reason="too slow")
    assert leases.progress(bench.hub, bench.people["ada"], given.run, text="4 of 27").state == "cancelled"
    assert kinds(bench) == ["cancelled"]
    log = log_for(given)
    with pytest.raises(Conflict):
        finish(bench, given, token_for(bench, given, log))


def test_a_failure_is_recorded_once_and_counts_as_an_attempt(bench):
    queue(bench)
    given = take(bench)
    for _ in range(2):
        assert leases.fail(bench.hub, bench.people["ada"], given.run, error="no memory").state == "failed"
    assert kinds(bench) == ["failed"]
    queue(bench)
    assert take(bench).attempt == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": 0.9}, "value"),
        ({"attempt": 7}, "attempt"),
        ({"jti": "f" * 32}, "jti"),
        ({"iss": "http://elsewhere"}, "iss"),
        ({"epochs": 4}, "epochs"),
        ({"model__weights_sha256": "0" * 64}, "model.weights_sha256"),
        ({"dataset__data_sha256": "0" * 64}, "dataset.data_sha256"),
        ({"dataset__sha": "0" * 40}, "dataset.sha"),
        ({"task__id": "short"}, "task.id"),
        ({"task__spec_sha256": "0" * 64}, "task.spec_sha256"),
        ({"runner__id": "bench-9"}, "runner.id"),
        ({"framework__version": "9.9.9"}, "framework.version"),
        ({"log__sha256": "0" * 64}, "another log"),
        ({"log__uri": "http://elsewhere/log"}, "another log"),
        ({"issued": 1_700_000_000}, "does not count now|was not signed between"),
        ({"issued": 4_000_000_000}, "does not count now|was not signed between"),
    ],
)
def test_a_token_that_says_otherwise_is_refused(bench, changes, said):
    given, log, _ = measured(bench)
    with pytest.raises(Invalid, match=said):
        finish(bench, given, token_for(bench, given, log, **changes))
    assert kinds(bench) == []
    assert jobs.find(bench.hub, given.job).state == "running"


def test_keys_that_do_not_count_are_refused(bench):
    given, log, token = measured(bench)
    with pytest.raises(Invalid, match="issued elsewhere"):
        finish(bench, given, token_for(bench, given, log, key=new_key()[0]))
    stolen, public = new_key("bench-2")
    runners.register(bench.hub, bench.people["ada"], "bench-2", benches.to_jwks([public])["keys"][0]["x"])
    with pytest.raises(Invalid, match="issued elsewhere"):
        finish(bench, given, token_for(bench, given, log, key=stolen))
    (key,) = runners.keys(bench.hub, "bench-1")
    runners.revoke_key(bench.hub, bench.people["ada"], key.kid, reason="lost")
    with pytest.raises(Invalid, match="does not count now"):
        finish(bench, given, token)


@pytest.mark.parametrize(
    ("header", "samples", "said"),
    [
        (lambda h: h["eval"]["config"].update(limit=5), None, "A3"),
        (lambda h: h.update(status="error"), None, "A1"),
        (lambda h: h["eval"]["metadata"].update(hub_run="run-" + "9" * 32), None, "not made for this run"),
        (None, lambda s: s.update(target="Z"), "B1"),
        (lambda h: h["plan"]["steps"].clear(), None, "B3"),
        (lambda h: h["eval"].update(task="hf/mara/desk-questions/choice@" + "0" * 40), None, "not the dataset"),
    ],
)
def test_a_log_that_fails_its_audit_or_is_another_is_refused(bench, header, samples, said):
    given, log, _ = measured(bench)
    bad = log_for(given, change=header, samples=samples)
    send(bench, given, bad)
    honest = token_for(bench, given, log)
    token = token_for(bench, given, log, log__sha256=benches.sha256(bad), log__size=len(bad))
    with pytest.raises(Invalid, match="another log"):
        finish(bench, given, honest)
    with pytest.raises(Invalid, match=said):
        finish(bench, given, token)


def test_a_replayed_token_or_log_earns_nothing(bench):
    given, log, token = measured(bench)
    finish(bench, given, token)
    jobs.request(bench.hub, bench.people["mara"], bench.model, bench.dataset, "choice")
    again = take(bench)
    assert again.attempt == 2
    send(bench, again, log)
    with pytest.raises(Invalid):
        finish(bench, again, token)
    with pytest.raises(Invalid, match="not made for this run"):
        finish(bench, again, token_for(bench, given, log, jti=again.run, attempt=2, log__uri=again.log_uri))
    other = token_for(bench, given, log, runner__engine="other")
    with pytest.raises(Conflict, match="another token"):
        finish(bench, given, other)


class Died(Exception):
    pass


@pytest.mark.parametrize("where", ["publish", "bring", "after"])
def test_a_hub_that_dies_after_issuing_does_the_rest_later(bench, monkeypatch, where):
    given, _, token = measured(bench)

    def die(*_args, **_kwargs):
        raise Died

    with monkeypatch.context() as broken:
        if where == "publish":
            broken.setattr(runs, "publish", die)
        elif where == "bring":
            broken.setattr(outcome, "bring", die)
        else:
            broken.setattr(leases, "discard_log", die)
            broken.setattr(rows, "change", die)
        with pytest.raises(Died):
            finish(bench, given, token)
    lose(bench, given)
    jobs.expire(bench.hub)  # it was issued: no failure may be recorded
    completion.recover(bench.hub)
    completion.recover(bench.hub)
    job = jobs.find(bench.hub, given.job)
    assert (job.state, job.pull) == ("done", 1)
    assert kinds(bench) == ["issued"]
    assert [r.badge for r in results(bench) if r.pull] == ["verified"]
    assert finish(bench, given, token) == job


def test_a_pull_request_that_cannot_be_opened_ends_the_job_with_the_reason(bench):
    given, _, token = measured(bench)
    repos.configure(bench.hub, bench.people["mara"], bench.model, pulls_enabled=False)
    job = finish(bench, given, token)
    assert job.state == "failed"
    assert "switched off" in job.reason
    assert kinds(bench) == ["issued"]


def test_a_large_log_becomes_a_large_file(bench, monkeypatch):
    monkeypatch.setattr(outcome, "_SMALL", 100)
    given, _, token = measured(bench)
    assert finish(bench, given, token).state == "done"
    assert [r.badge for r in results(bench) if r.pull] == ["verified"]


def test_a_log_above_the_limit_is_refused(bench):
    queue(bench)
    given = take(bench)
    small = replace(bench.hub, settings=replace(bench.hub.settings, max_log_bytes=10))
    with pytest.raises(GlasshubError, match="max_log_bytes"):
        leases.receive_log(small, bench.people["ada"], given.run, benches.io.BytesIO(b"x" * 11))
    assert not list(leases.log_path(bench.hub, given.run).parent.iterdir())


def test_a_commit_of_the_same_second_is_in_the_history(bench):
    """Regression: commits made in one second were taken in the order of their ids, and some looked like strangers."""
    edit = benches.Edit([benches.Put("more.txt", b"x")], "More")
    for number in range(12):
        edit = replace(edit, operations=[benches.Put("more.txt", b"%d" % number)])
        edits.commit(bench.hub, bench.model, bench.people["mara"], edit, ref="refs/heads/main")
    with open_repo(bench.hub.git_dir(bench.model)) as git:
        head = resolve_revision(git, "main").commit
        assert all(attested.is_in_history(git, commit.id, head) for commit in read.history(git, head))
        stray = edits.propose(
            bench.hub, bench.model, bench.people["mara"], replace(edit, operations=[benches.Put("a", b"b")])
        )
    with open_repo(bench.hub.git_dir(bench.model)) as git:
        assert not attested.is_in_history(git, stray.commit, head)
