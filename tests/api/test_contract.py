"""The contract line by line where the other tests do not reach: caches, odd files, kinds this hub has not, the CLI."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import get_args
from urllib.parse import quote

import httpx2
import pytest
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import (
    ExpandDatasetProperty_T,
    ExpandModelProperty_T,
    Organization,
    RepoFile,
    RepoFolder,
    User,
)

from glasshub import accounts
from tests.api.conftest import World
from tests.push.gitclient import init

pytestmark = pytest.mark.slow
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def http(world):
    with httpx2.Client(base_url=world.live.url) as client:
        yield client


@pytest.fixture(scope="module")
def odd(world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model with what trees may hold beside plain files, and a small safetensors file."""
    collector = world.live.person("collector")
    repo_id = f"{collector.name}/odd"
    tree = init(tmp_path_factory.mktemp("odd") / "odd", world.live.git_url(repo_id, collector))
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    tree.write("model.safetensors", struct.pack("<Q", len(header)) + header + bytes(8))
    tree.write("empty.txt", "")
    tree.write("a 文 %20#?&.txt", "odd name\n")
    tree.write("folder/inner.txt", "inner\n")
    (tree.path / "link.txt").symlink_to("empty.txt")
    commit = tree.commit("Begin")
    tree.git("update-index", "--add", "--cacheinfo", f"160000,{commit},module")
    tree.git("commit", "-qm", "Add a submodule")
    tree.git("push", "-q", "origin", "main")
    return repo_id


def test_a_cold_cache_fetches_a_warm_one_asks_and_a_pinned_one_needs_nobody(world, tmp_path):
    api, url, cacher = world.anonymous, world.live.url, world.live.person("cacher")
    repo_id, cache = f"{cacher.name}/cached", tmp_path / "cache"
    tree = init(tmp_path / "t", world.live.git_url(repo_id, cacher))
    first = tree.commit("First", **{"a.txt": "one\n", "same.txt": "same\n"})
    tree.git("push", "-q", "origin", "main")

    def fetch(file: str = "a.txt", **options) -> Path:
        return Path(hf_hub_download(repo_id, file, **{"endpoint": url, "cache_dir": cache, "token": False, **options}))

    assert fetch().read_text() == "one\n"
    assert fetch() == fetch(local_files_only=True)
    second = tree.commit("Second", **{"a.txt": "two\n"})
    tree.git("push", "-q", "origin", "main")
    assert fetch().read_text() == "two\n"
    assert fetch().parent.name == second
    assert fetch("same.txt").resolve() == fetch("same.txt", revision=first).resolve(), "equal files are kept once"
    assert fetch(revision=first).read_text() == "one\n"
    assert fetch(revision=first, endpoint=NOWHERE).read_text() == "one\n"
    assert fetch(revision=first[:8]).read_text() == "one\n"
    assert fetch(revision=first).stat().st_ino != fetch().stat().st_ino
    with pytest.raises(RevisionNotFoundError):
        fetch(revision="nope")
    assert api.model_info(repo_id).sha == second
    local = hf_hub_download(repo_id, "a.txt", endpoint=url, local_dir=tmp_path / "here", token=False)
    assert Path(local).read_text() == "two\n"


def test_a_private_repo_is_there_for_its_owner_only(world, tmp_path):
    live, owner = world.live, world.owner
    tree = init(tmp_path / "t", live.git_url(world.models["secret"], owner))
    tree.commit("Begin", **{"a.txt": "secret\n"})
    tree.git("push", "-q", "origin", "main")
    repo_id, stranger = world.models["secret"], live.person("stranger")
    got = hf_hub_download(repo_id, "a.txt", endpoint=live.url, cache_dir=tmp_path, token=owner.token)
    assert Path(got).read_text() == "secret\n"
    owners, others = HfApi(live.url, token=owner.token), HfApi(live.url, token=stranger.token)
    assert owners.repo_exists(repo_id)
    assert owners.file_exists(repo_id, "a.txt")
    assert owners.revision_exists(repo_id, "main")
    owners.auth_check(repo_id)
    for api in (others, world.anonymous):
        assert not api.repo_exists(repo_id)
        assert not api.file_exists(repo_id, "a.txt")
        assert not api.revision_exists(repo_id, "main")
        for call in (api.auth_check, api.model_info, api.list_repo_refs, api.list_repo_commits, api.list_repo_files):
            with pytest.raises(RepositoryNotFoundError):
                call(repo_id)
        with pytest.raises(RepositoryNotFoundError):
            snapshot_download(repo_id, endpoint=live.url, cache_dir=tmp_path / "other", token=api.token)
    with pytest.raises(LocalEntryNotFoundError):
        hf_hub_download(repo_id, "b.txt", endpoint=live.url, cache_dir=tmp_path / "x", local_files_only=True)


@pytest.mark.parametrize("kind", ["model", "dataset", "space", "kernel"])
@pytest.mark.parametrize("repo_id", ["nobody/nothing", "single"])
def test_what_is_missing_does_not_exist_whatever_it_is(world, kind: str, repo_id: str):
    api = world.anonymous
    assert not api.repo_exists(repo_id, repo_type=kind)
    assert not api.file_exists(repo_id, "README.md", repo_type=kind)
    assert not api.revision_exists(repo_id, "main", repo_type=kind)


def test_trees_list_everything_and_snapshots_fetch_what_is_a_file(world, odd, tmp_path):
    api = world.anonymous
    found = {item.path: item for item in api.list_repo_tree(odd, recursive=True, expand=True)}
    files = {path for path, item in found.items() if isinstance(item, RepoFile)}
    assert files == {"model.safetensors", "empty.txt", "a 文 %20#?&.txt", "folder/inner.txt", "link.txt"}
    assert {path for path, item in found.items() if isinstance(item, RepoFolder)} == {"folder", "module"}
    assert found["empty.txt"].size == 0
    assert found["module"].last_commit.title == "Add a submodule"
    assert set(api.list_repo_files(odd)) == files
    folder = Path(snapshot_download(odd, endpoint=world.live.url, cache_dir=tmp_path, token=False))
    assert (folder / "a 文 %20#?&.txt").read_text() == "odd name\n"
    assert (folder / "empty.txt").read_bytes() == b""
    infos = api.get_paths_info(odd, ["folder/", "folder/inner.txt", "a 文 %20#?&.txt", "no", ""])
    assert [info.path for info in infos] == ["folder", "folder/inner.txt", "a 文 %20#?&.txt", ""]


def test_parts_of_a_safetensors_file_are_read_with_ranges(world, odd):
    metadata = world.anonymous.get_safetensors_metadata(odd)
    assert metadata.parameter_count == {"F32": 2}


def test_metadata_of_a_file_is_what_the_tree_says(world, odd):
    [info] = world.anonymous.get_paths_info(odd, "folder/inner.txt")
    address = f"{world.live.url}/{odd}/resolve/main/folder/inner.txt"
    told = get_hf_file_metadata(address, token=False)
    assert (told.etag, told.size, told.commit_hash) == (info.blob_id, 6, world.anonymous.model_info(odd).sha)


def test_every_field_that_a_client_may_ask_for_is_known(world):
    model = world.anonymous.model_info(world.models["derived"], expand=list(get_args(ExpandModelProperty_T)))
    assert [base["id"] for base in model.base_models["models"]] == [world.models["good"]]
    assert {entry.value for entry in model.eval_results} == {0.95, 1}
    assert not model.private
    dataset = world.anonymous.dataset_info(world.dataset, expand=list(get_args(ExpandDatasetProperty_T)))
    assert dataset.author == world.owner.name
    assert {file.rfilename for file in dataset.siblings} == {"eval.yaml", "README.md", "test.jsonl"}
    only = world.anonymous.model_info(world.models["good"], expand="private")
    assert (only.private, only.sha, only.tags) == (False, None, None)


def test_lists_answer_with_everything_that_can_be_asked_of_them(world):
    api, author, good = world.anonymous, world.owner.name, world.models["good"]
    full = {model.id: model for model in api.list_models(author=author, full=True, cardData=True)}[good]
    assert full.card_data.license == "mit"
    assert full.sha
    assert "weights.bin" in {file.rfilename for file in full.siblings}
    scored = {model.id: model for model in api.list_models(author=author, expand=["evalResults", "sha"])}[good]
    assert sorted(entry.value for entry in scored.eval_results) == [0.9, 1.5]
    assert {model.id for model in api.list_models(author=author, gated=False)} >= {good}
    for wish in ({"gated": True}, {"inference": "warm"}, {"inference_provider": "all"}):
        assert list(api.list_models(author=author, **wish)) == []
    assert [d.id for d in api.list_datasets(author=author, dataset_name="quiz", full=True)] == [world.dataset]
    assert list(api.list_datasets(benchmark="other")) == []
    assert list(api.list_spaces()) == []


def test_organisations_stand_behind_their_models(world, tmp_path):
    boss = world.live.person("boss")
    name = f"{boss.name}-org"
    accounts.add_org(world.live.hub, name, admin=boss.name, full_name="The Org")
    tree = init(tmp_path / "t", world.live.git_url(f"{name}/theirs", boss))
    entry = f"- dataset: {{id: {world.dataset}, task_id: easy}}\n  value: 0.1\n"
    tree.commit("Begin", **{".eval_results/a.yaml": entry})
    tree.git("push", "-q", "origin", "main")
    board = {row.model_id: row.author for row in world.anonymous.get_dataset_leaderboard(world.dataset)}
    assert isinstance(board[f"{name}/theirs"], Organization)
    assert board[f"{name}/theirs"].fullname == "The Org"
    assert isinstance(board[world.models["good"]], User)
    [org] = world.api.whoami(token=boss.token)["orgs"]
    assert (org["name"], org["type"], org["roleInOrg"]) == (name, "org", "admin")
    assert world.anonymous.get_organization_overview(name).num_users == 1
    assert [user.username for user in world.anonymous.list_organization_members(name)] == [boss.name]
    assert world.anonymous.get_user_overview(boss.name).orgs[0].name == name
    tree.git("rm", "-q", ".eval_results/a.yaml")
    tree.git("commit", "-qm", "Take it back")
    tree.git("push", "-q", "origin", "main")


def test_nobody_follows_anybody(world):
    api, name = world.anonymous, world.owner.name
    assert list(api.list_user_followers(name)) == list(api.list_user_following(name)) == []


@pytest.mark.parametrize("encoded", [True, False])
def test_revisions_with_slashes_are_told_apart_from_paths(world, http, encoded: bool):
    base = f"/api/models/{world.models['good']}"
    revision, path = ("dev%2Fa", quote("sub/deep", safe="")) if encoded else ("dev/a", "sub/deep")
    [item] = http.get(f"{base}/tree/{revision}/{path}").json()
    assert item["path"] == "sub/deep/a b.txt"
    assert http.get(f"{base}/revision/{revision}").json()["sha"] == item_commit(http, base)
    assert len(http.get(f"{base}/commits/{revision}").json()) == 1
    infos = http.post(f"{base}/paths-info/{revision}", data={"paths": ["README.md", "no"], "expand": "false"})
    assert [info["path"] for info in infos.json()] == ["README.md"]
    answer = http.head(f"/{world.models['good']}/resolve/{revision}/sub/deep/a%20b.txt")
    assert answer.headers["X-Repo-Commit"] == item_commit(http, base)


def item_commit(http: httpx2.Client, base: str) -> str:
    """The commit of the branch ``dev/a``."""
    branches = http.get(f"{base}/refs").json()["branches"]
    return next(branch["targetCommit"] for branch in branches if branch["name"] == "dev/a")


def test_every_date_ends_in_z(world, http):
    good = world.models["good"]
    texts = [
        http.get(f"/api/models/{good}?expand=createdAt&expand=lastModified&expand=evalResults").text,
        http.get(f"/api/models/{good}/commits/main").text,
        http.get(f"/api/models/{good}/tree/main?expand=true").text,
        http.get(f"/api/datasets/{world.dataset}/leaderboard").text,
    ]
    for text in texts:
        dates = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', text)
        assert dates
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", date) for date in dates)


def test_whoever_resumes_another_version_begins_anew(world, http):
    address = f"/{world.models['good']}/resolve/main/weights.bin"
    etag = http.head(address).headers["ETag"]
    wanted = {"Range": "bytes=10000-"}
    assert http.get(address, headers={**wanted, "If-Range": etag}).status_code == 206
    again = http.get(address, headers={**wanted, "If-Range": '"another"'})
    assert (again.status_code, len(again.content)) == (200, 10_240)


def test_an_empty_file_has_no_ranges(odd, http):
    assert http.get(f"/{odd}/resolve/main/empty.txt").content == b""
    assert http.head(f"/{odd}/resolve/main/empty.txt").headers["Content-Length"] == "0"
    answer = http.get(f"/{odd}/resolve/main/empty.txt", headers={"Range": "bytes=0-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */0")


def test_reading_routes_answer_head_without_a_body(world, http):
    for path in (f"/api/models/{world.models['good']}", "/api/models", f"/api/datasets/{world.dataset}/leaderboard"):
        answer = http.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_a_page_that_is_missing_carries_the_code_too(world, http):
    answer = http.get(f"/{world.owner.name}/none")
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, "RepoNotFound")
    assert http.get(f"/{world.models['good']}/resolve/main").headers["X-Error-Code"] == "EntryNotFound"


def test_the_command_line_of_the_stock_client(world, tmp_path):
    program = Path(sys.executable).with_name("hf")
    settings = {"HF_ENDPOINT": world.live.url, "HF_TOKEN": world.owner.token, "HF_HOME": str(tmp_path / "home")}
    environment = {**os.environ, **settings, "HF_HUB_DISABLE_UPDATE_CHECK": "1", "NO_COLOR": "1"}

    def run(*arguments: str) -> str:
        return subprocess.run(
            [program, *arguments], env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    assert world.owner.name in run("auth", "whoami")
    run("download", world.dataset, "--repo-type", "dataset", "--local-dir", str(tmp_path / "data"))
    assert (tmp_path / "data" / "eval.yaml").read_text().startswith("name: Quiz")
    assert world.models["good"] in run("models", "ls", "--author", world.owner.name, "--format", "json")
