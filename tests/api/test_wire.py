"""What the client does not show: headers, error codes, hostile requests."""

from __future__ import annotations

import httpx2
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def http(world):
    with httpx2.Client(base_url=world.live.url) as client:
        yield client


def test_files_carry_what_clients_and_browsers_need(world, http):
    answer = http.head(f"/{world.models['good']}/resolve/main/weights.bin")
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "10240"
    assert len(answer.headers["X-Repo-Commit"]) == 40
    assert len(answer.headers["ETag"].strip('"')) == 40
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    again = http.get(
        f"/{world.models['good']}/resolve/main/weights.bin", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("asked", "status", "length", "told"),
    [
        ("bytes=0-9", 206, 10, "bytes 0-9/10240"),
        ("bytes=10000-", 206, 240, "bytes 10000-10239/10240"),
        ("bytes=-5", 206, 5, "bytes 10235-10239/10240"),
        ("bytes=0-99999", 206, 10240, "bytes 0-10239/10240"),
        ("bytes=10240-", 416, None, "bytes */10240"),
        ("bytes=5-4", 416, None, "bytes */10240"),
        ("lines=1-2", 200, 10240, None),
    ],
)
def test_ranges(world, http, asked: str, status: int, length: int | None, told: str | None):
    answer = http.get(f"/{world.models['good']}/resolve/main/weights.bin", headers={"Range": asked})
    assert answer.status_code == status
    assert answer.headers.get("Content-Range") == told
    if length is not None:
        assert len(answer.content) == length


@pytest.mark.parametrize("name", ["page.html", "evil.svg", "x.js"])
def test_no_file_is_sent_as_something_a_browser_runs(world, http, tmp_path, name: str):
    from tests.push.gitclient import init

    weaver = world.live.person("weaver")
    tree = init(tmp_path / "t", world.live.git_url(f"{weaver.name}/web", weaver))
    tree.commit("x", **{name: "<script>alert(1)</script>"})
    tree.git("push", "-q", "origin", "main")
    answer = http.get(f"/{weaver.name}/web/resolve/main/{name}")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/models/{owner}/none", "RepoNotFound"),
        ("/api/models/{owner}/good/revision/none", "RevisionNotFound"),
        ("/api/models/{owner}/good/tree/main/none", "EntryNotFound"),
        ("/api/models/{owner}/good/tree/none/none", "RevisionNotFound"),
        ("/{owner}/good/resolve/main/none", "EntryNotFound"),
        ("/{owner}/good/resolve/none/README.md", "RevisionNotFound"),
        ("/datasets/{owner}/none/resolve/main/x", "RepoNotFound"),
        ("/api/datasets/{owner}/quiz/leaderboard?task_id=none", "EntryNotFound"),
        ("/api/no/such/route", "NotFound"),
        ("/api/models/{owner}/good/resolve/refs/hub/events", "NotFound"),
        ("/api/models/{owner}/good/revision/refs/hub/events", "RevisionNotFound"),
        ("/api/models/{owner}/good/revision/..%2f..%2fHEAD", "RevisionNotFound"),
    ],
)
def test_every_404_says_what_is_missing(world, http, path: str, code: str):
    answer = http.get(path.format(owner=world.owner.name))
    assert answer.status_code == 404
    assert answer.headers["X-Error-Code"] == code
    assert answer.json()["error"]
    assert answer.headers["X-Request-Id"]


def test_the_request_id_of_the_client_is_kept_if_it_is_sane(http):
    assert http.get("/api/x", headers={"X-Amzn-Trace-Id": "abc-123"}).headers["X-Request-Id"] == "abc-123"
    assert "<" not in http.get("/api/x", headers={"X-Request-Id": "<script>"}).headers["X-Request-Id"]


@pytest.mark.parametrize("query", ["cursor=zzz", "limit=0", "limit=x", "sort=worst", "cursor=%00"])
def test_bad_queries_are_refused_with_a_reason(http, query: str):
    answer = http.get(f"/api/models?{query}")
    assert answer.status_code == 400
    assert answer.headers["X-Error-Code"] == "Invalid"


def test_wrong_credentials_are_told_apart_from_missing_ones(world, http):
    answer = http.get(f"/api/models/{world.models['good']}", headers={"Authorization": "Bearer hf_wrong"})
    assert answer.status_code == 401
    assert answer.headers["X-Error-Message"] == "Invalid credentials in Authorization header"


def test_a_card_is_validated_before_it_is_committed(http):
    good = http.post("/api/validate-yaml", json={"content": "---\nlicense: mit\n---\n", "repoType": "model"})
    assert (good.status_code, good.json()) == (200, {"errors": [], "warnings": []})
    bad = http.post("/api/validate-yaml", json={"content": "---\na: [1\n---\n", "repoType": "model"})
    assert bad.status_code == 400
    assert "README.md:" in bad.json()["errors"][0]["message"]
    assert http.post("/api/validate-yaml", content=b"nonsense").status_code == 400


def test_broken_result_files_become_errors_beside_good_results(world, http, tmp_path):
    from tests.push.gitclient import init

    careless = world.live.person("careless")
    tree = init(tmp_path / "t", world.live.git_url(f"{careless.name}/half", careless))
    good = f"- dataset: {{id: {world.dataset}, task_id: easy}}\n  value: 0.1\n"
    tree.commit("x", **{".eval_results/a.yaml": good, ".eval_results/b.yaml": "- [broken"})
    tree.git("push", "-q", "origin", "main")
    items = http.get(f"/api/models/{careless.name}/half?expand=evalResults").json()["evalResults"]
    assert items[0]["data"]["value"] == 0.1
    assert items[0]["state"] == "aligned"
    assert items[-1]["filename"] == ".eval_results/b.yaml"
    assert "error" in items[-1]
    tree.git("rm", "-q", "-r", ".eval_results")
    tree.git("commit", "-qm", "Take it back")
    tree.git("push", "-q", "origin", "main")
