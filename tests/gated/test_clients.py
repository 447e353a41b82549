"""Gated repos through the stock client and stock git, on the live hub."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError

from glasshub import accounts, gates, repos
from glasshub.gate_form import GateForm
from tests.api.lab import Lab, adds, status
from tests.push.gitclient import git, init

pytestmark = pytest.mark.slow
RESULTS = "- dataset: {id: lab/none, task_id: x}\n  value: 0.5\n"


def _gated(lab: Lab, type: str = "model", mode: str = "manual", **files: str | bytes) -> str:
    repo_id = lab.repo(type=type)
    lab.api("admin").create_commit(
        repo_id, adds(**{"README.md": "# Vault\n", "a.txt": "secret\n", **files}),
        commit_message="Fill", repo_type=type,
    )  # fmt: skip
    lab.api("admin").update_repo_settings(repo_id, gated=mode, repo_type=type)  # type: ignore[arg-type]
    return repo_id


def _ask(lab: Lab, who: str, repo_id: str, type: str = "model") -> None:
    """As the page does it."""
    hub = lab.live.hub
    repo = repos.find(hub, type, *repo_id.split("/"))  # type: ignore[arg-type]
    gates.ask(hub, accounts.actor_for(hub, lab.name(who)), repo, GateForm(), {}, terms="a" * 40)


def _reads(api: HfApi, repo_id: str, folder: Path, type: str = "model") -> bool:
    try:
        path = api.hf_hub_download(repo_id, "a.txt", repo_type=type, cache_dir=folder / secrets.token_hex(4))
    except GatedRepoError as error:
        return "is restricted and you are not in the authorized list" not in str(error)
    return Path(path).read_text() == "secret\n"


@pytest.mark.parametrize("type", ["model", "dataset"])
def test_the_life_of_a_request(lab: Lab, tmp_path: Path, type: str):
    repo_id, admin, writer = _gated(lab, type), lab.api("admin"), lab.api("writer")
    stranger, name = lab.api("stranger"), lab.name("stranger")
    _ask(lab, "stranger", repo_id, type)
    (pending,) = writer.list_pending_access_requests(repo_id, repo_type=type)
    assert (pending.username, pending.status, pending.fields, pending.email) == (name, "pending", None, None)
    assert not _reads(stranger, repo_id, tmp_path, type)
    writer.accept_access_request(repo_id, name, repo_type=type)
    assert [one.username for one in admin.list_accepted_access_requests(repo_id, repo_type=type)] == [name]
    assert list(admin.list_pending_access_requests(repo_id, repo_type=type)) == []
    assert _reads(stranger, repo_id, tmp_path, type)
    with pytest.raises(HfHubHTTPError) as twice:
        writer.accept_access_request(repo_id, request_id=pending.request_id, repo_type=type)
    assert status(twice.value)[0] == 404
    writer.cancel_access_request(repo_id, request_id=pending.request_id, repo_type=type)
    assert not _reads(stranger, repo_id, tmp_path, type)
    writer.reject_access_request(repo_id, name, repo_type=type, rejection_reason="No.")
    assert [one.username for one in admin.list_rejected_access_requests(repo_id, repo_type=type)] == [name]
    assert not _reads(stranger, repo_id, tmp_path, type)
    admin.grant_access(repo_id, name, repo_type=type)
    assert _reads(stranger, repo_id, tmp_path, type)
    for act, code in (
        (lambda: admin.grant_access(repo_id, name, repo_type=type), 400),
        (lambda: admin.grant_access(repo_id, "nobody-at-all", repo_type=type), 404),
        (lambda: lab.api("reader").grant_access(repo_id, name, repo_type=type), 403),
        (lambda: list(stranger.list_accepted_access_requests(repo_id, repo_type=type)), 403),
    ):
        with pytest.raises(HfHubHTTPError) as error:
            act()
        assert status(error.value)[0] == code
    admin.update_repo_settings(repo_id, gated=False, repo_type=type)
    assert _reads(lab.api("anonymous"), repo_id, tmp_path, type)
    with pytest.raises(HfHubHTTPError) as error:
        list(admin.list_pending_access_requests(repo_id, repo_type=type))
    assert status(error.value)[0] == 400


def test_metadata_is_public_and_errors_are_the_clients_own(lab: Lab, tmp_path: Path):
    repo_id = _gated(lab, mode="auto")
    for who, code in (("anonymous", 401), ("stranger", 403)):
        api, folder = lab.api(who), tmp_path / who
        assert api.repo_exists(repo_id)
        info = api.model_info(repo_id)
        assert info.gated == "auto"
        assert "a.txt" in {file.rfilename for file in info.siblings or ()}
        assert {entry.path for entry in api.list_repo_tree(repo_id)} >= {"a.txt", "README.md"}
        assert repo_id in {model.id for model in api.list_models(gated=True, author=lab.org)}
        assert repo_id not in {model.id for model in api.list_models(gated=False, author=lab.org)}
        for act in (
            lambda api=api: api.auth_check(repo_id),
            lambda api=api, to=folder: api.hf_hub_download(repo_id, ".gitattributes", cache_dir=to),
            lambda api=api, to=folder: api.snapshot_download(repo_id, cache_dir=to),
            lambda api=api: api.file_exists(repo_id, "a.txt"),
        ):
            with pytest.raises(GatedRepoError) as error:
                act()
            assert status(error.value) == (code, "GatedRepo")
    lab.api("reader").auth_check(repo_id)
    with pytest.raises(EntryNotFoundError):
        lab.api("reader").hf_hub_download(repo_id, "b.txt", cache_dir=tmp_path / "reader")


def test_large_files_by_xet_and_lfs(lab: Lab, tmp_path: Path):
    data = os.urandom(11 * 1024**2)
    repo_id = _gated(lab)
    source = tmp_path / "m.bin"
    source.write_bytes(data)
    lab.api("writer").upload_file(path_or_fileobj=source, path_in_repo="m.bin", repo_id=repo_id)
    with pytest.raises(GatedRepoError):
        lab.api("stranger").hf_hub_download(repo_id, "m.bin", cache_dir=tmp_path / "stranger")
    address = f"/api/models/{repo_id}/xet-read-token/main"
    assert [lab.http(who).get(address).status_code for who in ("anonymous", "stranger", "reader")] == [401, 403, 200]
    lab.api("admin").grant_access(repo_id, lab.name("stranger"))
    got = lab.api("stranger").hf_hub_download(repo_id, "m.bin", cache_dir=tmp_path / "stranger")
    assert Path(got).read_bytes() == data


def test_a_stranger_proposes_a_score_without_reading(lab: Lab):
    repo_id = _gated(lab)
    made = lab.api("author").create_commit(
        repo_id, adds(**{".eval_results__b.yaml": RESULTS}), commit_message="A score", create_pr=True
    )
    shown = lab.http("anonymous").get(f"/api/models/{repo_id}/eval-results").json()
    assert [(item["data"]["value"], item["pullRequest"]) for item in shown] == [(0.5, made.pr_num)]
    details = lab.api("author").get_discussion_details(repo_id, made.pr_num)
    assert not details.diff
    assert "0.5" in str(lab.api("writer").get_discussion_details(repo_id, made.pr_num).diff)


def test_stock_git(lab: Lab, tmp_path: Path):
    repo_id = _gated(lab)
    live = lab.live
    for who in ("anonymous", "stranger"):
        url = live.git_url(repo_id, lab.people.get(who))
        tree = init(tmp_path / who)
        tree.commit("One", **{"b.txt": "b\n"})
        for said in (
            git("clone", "-q", url, str(tmp_path / f"{who}-clone"), cwd=tmp_path, check=False),
            tree.git("push", url, "HEAD:refs/for/main", check=False),
        ):
            assert not said.ok
            assert who == "anonymous" or "is restricted and you are not in the authorized list" in said.err
    for who in ("reader", "writer", "admin"):
        assert git("clone", "-q", live.git_url(repo_id, lab.people[who]), str(tmp_path / who), cwd=tmp_path).ok
        assert (tmp_path / who / "a.txt").read_text() == "secret\n"
    lab.api("admin").grant_access(repo_id, lab.name("stranger"))
    url = live.git_url(repo_id, lab.people["stranger"])
    assert git("clone", "-q", url, str(tmp_path / "let-in"), cwd=tmp_path).ok
    pushed = git("push", "-q", url, "HEAD:refs/heads/mine", cwd=tmp_path / "let-in", check=False)
    assert not pushed.ok  # to read is not to write
